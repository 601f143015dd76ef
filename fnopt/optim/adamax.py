"""AdaMax: momentum divided by a fading maximum of the gradient's size, which is Adam in the infinity norm.

m ← b1 m + (1 − b1) g,  u ← max(b2 u, |g| + eps)
p ← p − lr m / ((1 − b1^t) u)

with t counted from 1.

Numbers:
    lr: in [0, inf); about the length of a step in each entry.
    b1: in [0, 1); decay of the first moment.
    b2: in [0, 1); how much of the maximum stays.
    eps: in [0, inf); inside the maximum. At 0, an entry whose gradient has always been 0 stays put.

Elsewhere: torch and optax are as here; the paper has no eps, and Keras adds it to u at the end.

Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, https://arxiv.org/abs/1412.6980, algorithm 2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adamax
>>> state = adamax.init({"w": jnp.ones(2)}, lr=0.5, eps=0)
>>> adamax.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import one_minus_power, ratio
from fnopt.tree import absolute


class AdamaxHyper(NamedTuple):
    """The numbers of AdaMax; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the maximum
    eps: ArrayLike = 1e-8  # >= 0; added inside the maximum


class Maximum(NamedTuple):
    """The running mean and the fading maximum of g, in at least float32, shaped like the parameters."""

    m: Any
    u: Any


RANGES = {"lr": NONNEGATIVE, "b1": DECAY, "b2": DECAY, "eps": NONNEGATIVE}


class At(NamedTuple):
    """The numbers at one step, with the first moment's correction in the rate."""

    rate: Any  # lr / (1 − b1^t)
    b1: Any
    b2: Any
    eps: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    return At(h.lr / one_minus_power(h.b1, t), h.b1, h.b2, h.eps)


def rule(p: Array, g: Array, memory: Maximum, h: Any, t: Array) -> tuple[Array, Maximum]:
    """One step of algorithm 2 for one leaf."""
    del t
    m = h.b1 * memory.m + (1 - h.b1) * g
    u = jnp.maximum(h.b2 * memory.u, absolute(g) + h.eps)
    return p - h.rate * ratio(m, u), Maximum(m, u)


adamax = elementwise("adamax", AdamaxHyper, RANGES, Maximum, rule, lr=2e-3, at=at, doc=__doc__)
"""AdaMax, see the module."""
