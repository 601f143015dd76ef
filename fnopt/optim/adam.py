"""Adam: momentum divided by the root of the mean square, both corrected for their start at 0.

m ← b1 m + (1 − b1) g,  v ← b2 v + (1 − b2) g²
m̂ = m / (1 − b1^t),  v̂ = v / (1 − b2^t)
p ← p − lr m̂ / (√(v̂ + eps_root) + eps (1 − b2^t)^(−eps_correction/2))

with t counted from 1; it goes on over the epochs, as m and v do. The corrections are 1 − k + k (1 − b^t), where k is
``bias_correction``: as it comes, k = 1.

Numbers:
    lr: in [0, inf); about the length of a step in each entry.
    b1: in [0, 1); decay of the first moment.
    b2: in [0, 1); decay of the second moment.
    eps: in [0, inf); outside the root, as in the paper.
    eps_root: in [0, inf); inside the root. With eps also 0, an entry whose gradient has always been 0 stays put.
    eps_correction: in [0, 1]; 0: eps as it is; 1: eps grows as the correction does.
    bias_correction: in [0, 1]; k. At 0 the moments are taken as they are, which makes the first steps short.

Elsewhere: torch and optax are as here; Keras and scikit-learn are ``eps_correction=1``, and Keras has ``eps=1e-7``.

Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, https://arxiv.org/abs/1412.6980, algorithm 1.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adam
>>> state = adam.init({"w": jnp.ones(2)}, lr=0.5)
>>> adam.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import one_minus_power, ratio, root


class AdamHyper(NamedTuple):
    """The numbers of Adam; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-8  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root
    eps_correction: ArrayLike = 0.0  # in [0, 1]; whether eps is bias-corrected
    bias_correction: ArrayLike = 1.0  # in [0, 1]; whether the moments are


class Moments(NamedTuple):
    """Running means of g and of its square, in at least float32, shaped like the parameters."""

    m: Any
    v: Any


RANGES = {
    "lr": NONNEGATIVE,
    "b1": DECAY,
    "b2": DECAY,
    "eps": NONNEGATIVE,
    "eps_root": NONNEGATIVE,
    "eps_correction": FRACTION,
    "bias_correction": FRACTION,
}


class At(NamedTuple):
    """The numbers at one step, with the corrections of the two moments."""

    lr: Any
    b1: Any
    b2: Any
    k1: Any  # 1 / (1 − b1^t), as far as the mean is to be corrected; a factor, since each division costs a leaf as much
    k2: Any  # 1 / (1 − b2^t)
    eps: Any  # corrected, where that is asked for
    eps_root: Any


def correction(b: Array, h: Any, t: Array) -> Array:
    """What a running mean of decay ``b`` is multiplied by, as far as it is to be corrected.

    It ends with a division, which the compiler computes once: sums and choices it would copy into every leaf's kernel.
    """
    return 1 / ((1 - h.bias_correction) + h.bias_correction * one_minus_power(b, t))


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    k1, k2 = correction(h.b1, h, t), correction(h.b2, h, t)
    return At(h.lr, h.b1, h.b2, k1, k2, h.eps * k2 ** (h.eps_correction / 2), h.eps_root)


def rule(p: Array, g: Array, memory: Moments, h: Any, t: Array) -> tuple[Array, Moments]:
    """One step of algorithm 1 for one leaf."""
    m = h.b1 * memory.m + (1 - h.b1) * g
    v = h.b2 * memory.v + (1 - h.b2) * jnp.square(g)
    m_hat, v_hat = h.k1 * m, h.k2 * v
    return p - h.lr * ratio(m_hat, root(v_hat + h.eps_root) + h.eps), Moments(m, v)


adam = elementwise("adam", AdamHyper, RANGES, Moments, rule, at=at, doc=__doc__)
"""Adam, see the module."""
