"""LAMB: Adam's step, in each leaf made as long as the leaf itself, for large batches.

m ← b1 m + (1 − b1) g,  v ← b2 v + (1 − b2) g²
u = m̂ / (√(v̂ + eps_root) + eps c2^(−eps_correction/2)) + weight_decay p
p ← p − lr (‖p‖/‖u‖) u

with Adam's corrections m̂ = m / c1 and v̂ = v / c2; ‖·‖ runs over a whole leaf. The ratio is 1 where p or u is 0.

Numbers:
    lr: in [0, inf); the length of a step in units of the leaf's.
    b1, b2, eps, eps_root, eps_correction, bias_correction: as in :mod:`fnopt.optim.adam`.
    weight_decay: in [0, inf); how much of p enters the step, biases too.

Elsewhere: optax is as here; the paper allows for a function of ‖p‖ in its place, such as one with bounds; programs
without the moments' corrections are ``bias_correction=0``.

Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020,
https://arxiv.org/abs/1904.00962, algorithm 2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import lamb
>>> state = lamb.init({"w": jnp.array([3.0, -4.0])}, lr=0.5, eps=0)
>>> lamb.update(state, {"w": jnp.array([0.0, -2.0])}).params["w"].tolist()
[3.0, -1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import ratio, root
from fnopt.optim._trust import norm, trust_ratio
from fnopt.optim.adam import RANGES as ADAM_RANGES
from fnopt.optim.adam import Moments
from fnopt.optim.adam import at as adam_at


class LambHyper(NamedTuple):
    """The numbers of LAMB; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-6  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root
    eps_correction: ArrayLike = 0.0  # in [0, 1]; whether eps is bias-corrected
    bias_correction: ArrayLike = 1.0  # in [0, 1]; whether the moments are
    weight_decay: ArrayLike = 0.0  # >= 0


RANGES = {**ADAM_RANGES, "weight_decay": NONNEGATIVE}


class At(NamedTuple):
    """The numbers at one step."""

    adam: Any
    weight_decay: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    return At(adam_at(h, t), h.weight_decay)


def rule(p: Array, g: Array, memory: Moments, h: Any, t: Array) -> tuple[Array, Moments]:
    """One step of algorithm 2 for one leaf."""
    del t
    a = h.adam
    m = a.b1 * memory.m + (1 - a.b1) * g
    v = a.b2 * memory.v + (1 - a.b2) * jnp.square(g)
    m_hat, v_hat = a.k1 * m, a.k2 * v
    u = ratio(m_hat, root(v_hat + a.eps_root) + a.eps) + h.weight_decay * p
    return p - a.lr * trust_ratio(norm(p), norm(u)) * u, Moments(m, v)


lamb = elementwise("lamb", LambHyper, RANGES, Moments, rule, at=at, by_entry=False, doc=__doc__)
"""LAMB, see the module."""
