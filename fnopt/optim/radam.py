"""RAdam: Adam that begins as momentum, until its mean square holds enough gradients to divide by.

m ← b1 m + (1 − b1) g,  v ← b2 v + (1 − b2) g²,  m̂ = m / (1 − b1^t),  v̂ = v / (1 − b2^t)
ρ∞ = 2/(1 − b2) − 1,  ρ = ρ∞ − 2 t b2^t / (1 − b2^t)
r = √[(ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ)]
p ← p − lr r m̂ / (√(v̂ + eps_root) + eps (1 − b2^t)^(−eps_correction/2))  where ρ > threshold
p ← p − lr m̂  elsewhere

Numbers:
    lr: in [0, inf); about the length of a late step in each entry, times the gradient before the switch.
    b1: in [0, 1); decay of the first moment.
    b2: in [0, 1); decay of the second moment. Up to 0.6 ρ never exceeds 4, and the switch never comes.
    eps: in [0, inf); outside the root.
    eps_root: in [0, inf); inside the root. With eps also 0, an entry whose gradient has always been 0 stays put.
    eps_correction: in [0, 1]; 0: eps as it is; 1: eps grows as the correction does.
    threshold: in [4, inf); the length ρ of the average from which v is used. Up to 4 its variance is not finite.

Elsewhere: the paper has ``threshold=4`` and no eps; torch is ``eps_correction=1``; optax is as here. Their ρ loses its
digits in float32, where it is a small difference of large numbers; here it is computed without one.

Source: Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2020, https://arxiv.org/abs/1908.03265,
algorithm 2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import radam
>>> state = radam.init({"w": jnp.ones(2)}, lr=0.5)
>>> radam.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 2.0]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE, Range
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import one_minus_power, ratio, root
from fnopt.optim.adam import Moments

LARGE_ENOUGH = Range(4, float("inf"))


class RadamHyper(NamedTuple):
    """The numbers of RAdam; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-8  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root
    eps_correction: ArrayLike = 0.0  # in [0, 1]; whether eps is bias-corrected
    threshold: ArrayLike = 5.0  # >= 4; the length of the average from which it is used


RANGES = {
    "lr": NONNEGATIVE,
    "b1": DECAY,
    "b2": DECAY,
    "eps": NONNEGATIVE,
    "eps_root": NONNEGATIVE,
    "eps_correction": FRACTION,
    "threshold": LARGE_ENOUGH,
}


class At(NamedTuple):
    """The numbers at one step, with its corrections and its rectification."""

    lr: Any
    b1: Any
    b2: Any
    k1: Any  # 1 / (1 − b1^t)
    k2: Any  # 1 / (1 − b2^t)
    eps: Any  # corrected, where that is asked for
    eps_root: Any
    r: Any  # 1 before the switch
    on: Any  # 1 after the switch, 0 before


def mean_age(b: Array, t: Array, c: Array) -> Array:
    """Σ i b^i / Σ b^i over i < t, with c = 1 − b^t: the plain b/(1 − b) − t b^t/c loses its digits while c is small.

    There, with x/(e^x − 1) = 1 − x/2 + x q(x) and L = −log b, it is (t − 1)/2 − t q(t L) + q(L); q's coefficients are
    Bernoulli's numbers over factorials.
    """
    few = c < 0.39  # t L < 1/2, where six terms of q are exact in float64
    length = -jnp.log1p(jnp.where(few, b, 0.9) - 1)

    def q(x: Array) -> Array:
        y = jnp.square(x)
        terms = 1 / 30240 - y * (1 / 1209600 - y * (1 / 47900160 - y * (691 / 1307674368000)))
        return x * (1 / 12 - y * (1 / 720 - y * terms))

    near = (t - 1) / 2 - t * q(jnp.where(few, t, 1) * length) + q(length)
    return jnp.where(few, near, b / (1 - b) - t * (1 - c) / c)


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    c1, c2 = one_minus_power(h.b1, t), one_minus_power(h.b2, t)
    limit, length = (1 + h.b2) / (1 - h.b2), 1 + 2 * mean_age(h.b2, t, c2)
    on = length > h.threshold
    limit, length = jnp.where(on, limit, 6), jnp.where(on, length, 6)
    squared = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
    r = root(jnp.where(on, squared, 1) + 0 * h.threshold)  # a threshold that is NaN shows
    eps = h.eps * c2 ** (-h.eps_correction / 2)
    # A root of 0 or 1 is itself, and what the compiler computes once and not in every leaf's kernel.
    return At(h.lr, h.b1, h.b2, 1 / c1, 1 / c2, eps, h.eps_root, r, root(on.astype(t.dtype)))


def rule(p: Array, g: Array, memory: Moments, h: Any, t: Array) -> tuple[Array, Moments]:
    """One step of algorithm 2 for one leaf."""
    del t
    m = h.b1 * memory.m + (1 - h.b1) * g
    v = h.b2 * memory.v + (1 - h.b2) * jnp.square(g)
    m_hat, v_hat = h.k1 * m, h.k2 * v
    scale = h.on * (root(v_hat + h.eps_root) + h.eps) + (1 - h.on)
    return p - h.lr * ratio(h.r * m_hat, scale), Moments(m, v)


radam = elementwise("radam", RadamHyper, RANGES, Moments, rule, at=at, doc=__doc__)
"""RAdam, see the module."""
