"""Yogi: Adam whose mean square moves by as much as the new square, so that it never falls fast.

m ← b1 m + (1 − b1) g,  v ← v − (1 − b2) sign(v − g²) g²
p ← p − lr m̂ / (√(v̂ + eps_root) + eps c2^(−eps_correction/2))

with v = ``initial`` before the first step, and Adam's corrections m̂ = m / c1 and v̂ = v / c2.

Numbers:
    lr, b1, b2, eps, eps_root, eps_correction, bias_correction: as in :mod:`fnopt.optim.adam`.
    initial: in [0, inf); v before the first step.

Elsewhere: the paper has ``bias_correction=0`` and begins with the mean square gradient of a first large batch; optax
gives ``initial`` to m too, which fades with b1^t.

Source: Zaheer et al., "Adaptive Methods for Nonconvex Optimization", 2018,
https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization, algorithm 2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import yogi
>>> state = yogi.init({"w": jnp.ones(2)}, lr=0.5, eps=0, initial=0)
>>> yogi.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import ratio, root
from fnopt.optim.adam import RANGES as ADAM_RANGES
from fnopt.optim.adam import Moments
from fnopt.optim.adam import at as adam_at


class YogiHyper(NamedTuple):
    """The numbers of Yogi; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); 1 − b2 is how far v moves
    eps: ArrayLike = 1e-3  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root
    eps_correction: ArrayLike = 0.0  # in [0, 1]; whether eps is bias-corrected
    bias_correction: ArrayLike = 1.0  # in [0, 1]; whether the moments are
    initial: ArrayLike = 1e-6  # >= 0; v before the first step


RANGES = {**ADAM_RANGES, "initial": NONNEGATIVE}


class At(NamedTuple):
    """The numbers at one step, with what enters v before it."""

    adam: Any
    start: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    return At(adam_at(h, t), jnp.where(t == 1, h.initial, 0))


def rule(p: Array, g: Array, memory: Moments, h: Any, t: Array) -> tuple[Array, Moments]:
    """One step of algorithm 2 for one leaf."""
    del t
    a, square, v = h.adam, jnp.square(g), memory.v + h.start
    m = a.b1 * memory.m + (1 - a.b1) * g
    v = v - (1 - a.b2) * jnp.sign(v - square) * square
    m_hat, v_hat = a.k1 * m, a.k2 * v
    return p - a.lr * ratio(m_hat, root(v_hat + a.eps_root) + a.eps), Moments(m, v)


yogi = elementwise("yogi", YogiHyper, RANGES, Moments, rule, lr=0.01, at=at, doc=__doc__)
"""Yogi, see the module."""
