"""NAdam: Adam that looks ahead as Nesterov's momentum does, its momentum rising with the steps if asked.

μ_t = b1 (1 − ½ 0.96^(ψ t)) where ψ > 0, and b1 where ψ = 0;  c_t = 1 − μ_1 μ_2 ⋯ μ_t
m ← b1 m + (1 − b1) g,  v ← b2 v + (1 − b2) g²
m̂ = μ_(t+1) m / c_(t+1) + (1 − μ_t) g / c_t,  v̂ = v / (1 − b2^t)
p ← p − lr m̂ / (√(v̂ + eps_root) + eps)

with t counted from 1 and ψ = ``momentum_decay``.

Numbers:
    lr: in [0, inf); about the length of a step in each entry.
    b1: in [0, 1); decay of the first moment, and where μ ends.
    b2: in [0, 1); decay of the second moment.
    eps: in [0, inf); outside the root.
    eps_root: in [0, inf); inside the root. With eps also 0, an entry whose gradient has always been 0 stays put.
    momentum_decay: in [0, inf); ψ, how fast the distance between μ and b1 decays. 0 means that there is no distance;
        the slightest ψ begins with half of b1.

Elsewhere: optax is as here; torch is ``momentum_decay=4e-3``, the paper's schedule, and Keras 1. The paper averages m
with μ_t itself, which the libraries do with b1.

Source: Dozat, "Incorporating Nesterov Momentum into Adam", 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.

>>> import jax.numpy as jnp
>>> from fnopt.optim import nadam
>>> state = nadam.init({"w": jnp.ones(2)}, lr=0.75, b1=0.5)
>>> nadam.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.0, 2.0]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import one_minus_power, ratio, root


class NadamHyper(NamedTuple):
    """The numbers of NAdam; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-8  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root
    momentum_decay: ArrayLike = 0.0  # >= 0; how fast μ comes up to b1


class Lookahead(NamedTuple):
    """Running means of g and of its square, shaped like the parameters, and c, one number a leaf."""

    m: Any
    v: Any
    c: Any


RANGES = {
    "lr": NONNEGATIVE,
    "b1": DECAY,
    "b2": DECAY,
    "eps": NONNEGATIVE,
    "eps_root": NONNEGATIVE,
    "momentum_decay": NONNEGATIVE,
}


class At(NamedTuple):
    """The numbers at one step, with the momentum of this one and the next."""

    lr: Any
    b1: Any
    b2: Any
    mu: Any
    mu_next: Any
    k2: Any  # 1 / (1 − b2^t)
    eps: Any
    eps_root: Any


def momentum_at(h: Any, t: Array) -> Array:
    """μ_t."""
    distance = jnp.where(h.momentum_decay == 0, 0, 0.5 * 0.96 ** (h.momentum_decay * t))
    return h.b1 * (1 - distance)


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    mu, mu_next = momentum_at(h, t), momentum_at(h, t + 1)
    return At(h.lr, h.b1, h.b2, mu, mu_next, 1 / one_minus_power(h.b2, t), h.eps, h.eps_root)


def rule(p: Array, g: Array, memory: Lookahead, h: Any, t: Array) -> tuple[Array, Lookahead]:
    """One step for one leaf."""
    del t
    # 1 − μ_1 ⋯ μ_t is the running mean of ones: it starts at 0, and no digits are lost while the product is near 1.
    c = h.mu * memory.c + (1 - h.mu)
    c_next = h.mu_next * c + (1 - h.mu_next)
    m = h.b1 * memory.m + (1 - h.b1) * g
    v = h.b2 * memory.v + (1 - h.b2) * jnp.square(g)
    m_hat, v_hat = h.mu_next / c_next * m + (1 - h.mu) / c * g, h.k2 * v
    return p - h.lr * ratio(m_hat, root(v_hat + h.eps_root) + h.eps), Lookahead(m, v, c)


nadam = elementwise("nadam", NadamHyper, RANGES, Lookahead, rule, at=at, scalars=("c",), doc=__doc__)
"""NAdam, see the module."""
