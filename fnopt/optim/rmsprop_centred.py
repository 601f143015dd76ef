"""RMSProp about the mean, with momentum: each gradient divided by a running standard deviation.

S ← β S + (1 − β) g²,  G ← β G + (1 − β) g
V ← μ V + a g / (√(S/c − k (G/c)² + eps_root) + eps),  p ← p − b V

with a = (1 − j) + j lr and b = (1 − j) lr + j, where k is ``centred``, μ ``momentum`` and j ``lr_inside``, and
c = 1 − i + i (1 − β^t), where i is ``bias_correction``. With k = μ = i = 0 it is :mod:`fnopt.optim.rmsprop`, which is
faster for having one array to remember and not three.

Numbers:
    lr: in [0, inf).
    beta: in [0, 1); β, decay of S and G.
    centred: in [0, 1]; k, how much of the squared mean is taken off the mean square.
    momentum: in [0, 1); μ, decay of V.
    eps: in [0, inf); outside the root.
    eps_root: in [0, inf); inside the root. With both 0, an entry whose gradient has always been 0 stays where it is.
    bias_correction: in [0, 1]; i, whether both means are corrected for their start at 0.
    lr_inside: in [0, 1]; j. At 1 the learning rate stands inside V, which differs as soon as the rate changes.

Elsewhere: torch's ``RMSprop(centered=True)`` has β = 0.99 and ``eps=1e-8, eps_root=0``; optax and Keras are
``lr_inside=1``, and Keras has ``eps_root=1e-7``. Where S − k G² is below 0 by rounding, it is 0 here and NaN there.

Source: Graves, "Generating Sequences With Recurrent Neural Networks", 2013, https://arxiv.org/abs/1308.0850, section
4.2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import rmsprop_centred
>>> state = rmsprop_centred.init({"w": jnp.ones(2)}, lr=0.25, beta=0.5, eps_root=0)
>>> rmsprop_centred.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import ratio, root
from fnopt.optim.adam import correction


class RmspropCentredHyper(NamedTuple):
    """The numbers of centred RMSProp; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    beta: ArrayLike = 0.9  # in [0, 1); decay of the mean square and the mean
    centred: ArrayLike = 1.0  # in [0, 1]; how much of the squared mean comes off
    momentum: ArrayLike = 0.0  # in [0, 1); decay of the velocity
    eps: ArrayLike = 0.0  # >= 0; added outside the root
    eps_root: ArrayLike = 1e-8  # >= 0; added inside the root
    bias_correction: ArrayLike = 0.0  # in [0, 1]; whether the means are corrected
    lr_inside: ArrayLike = 0.0  # in [0, 1]; 1: the learning rate stands inside the velocity


class Spread(NamedTuple):
    """Running means of the squared gradient and of the gradient, and the velocity, in at least float32."""

    s: Any
    g: Any
    v: Any


RANGES = {
    "lr": NONNEGATIVE,
    "beta": DECAY,
    "centred": FRACTION,
    "momentum": DECAY,
    "eps": NONNEGATIVE,
    "eps_root": NONNEGATIVE,
    "bias_correction": FRACTION,
    "lr_inside": FRACTION,
}


class At(NamedTuple):
    """The numbers at one step, with the correction and the learning rate in two factors."""

    beta: Any
    centred: Any
    momentum: Any
    k: Any
    eps: Any
    eps_root: Any
    inside: Any
    outside: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    inside = (1 - h.lr_inside) + h.lr_inside * h.lr
    outside = (1 - h.lr_inside) * h.lr + h.lr_inside
    k = correction(h.beta, h, t)
    return At(h.beta, h.centred, h.momentum, k, h.eps, h.eps_root, inside, outside)


def rule(p: Array, g: Array, memory: Spread, h: Any, t: Array) -> tuple[Array, Spread]:
    """One step for one leaf."""
    del t
    s = h.beta * memory.s + (1 - h.beta) * jnp.square(g)
    mean = h.beta * memory.g + (1 - h.beta) * g
    spread = jnp.maximum(h.k * s - h.centred * jnp.square(h.k * mean), 0)  # rounding can lead below 0
    v = h.momentum * memory.v + h.inside * ratio(g, root(spread + h.eps_root) + h.eps)
    return p - h.outside * v, Spread(s, mean, v)


rmsprop_centred = elementwise("rmsprop_centred", RmspropCentredHyper, RANGES, Spread, rule, at=at, doc=__doc__)
"""Centred RMSProp, see the module."""
