"""Prodigy: Adam that finds its own rate, from how far the gradients say the start is from the optimum.

m ← b1 m + (1 − b1) d g,  v ← b2 v + (1 − b2) d² g²
r ← √b2 r + (1 − √b2) γ d² ⟨g, p₀ − p⟩,  s ← √b2 s + (1 − √b2) γ d² g,  d̂ = d_coef r/‖s‖₁
p ← p − γ d m/(√v + d eps) − γ d weight_decay p,  d ← max(d, d̂)

with γ = lr (√(1 − b2^t)/(1 − b1^t))^bias_correction, t counted from 1, p₀ the parameters at the start, and one d for
all leaves, d0 at the start. Sums run over the whole tree. With a finite ``growth``, d leaves d0 at once and then grows
at most by that factor a step, towards the largest d̂ so far.

Numbers:
    lr: in [0, inf); a factor of the rate that is found: 1, or a schedule that begins or ends there.
    b1: in [0, 1); decay of the first moment.
    b2: in [0, 1); decay of the second moment; its root is that of r and s.
    eps: in [0, inf); outside the root.
    weight_decay: in [0, inf); in units of γ d.
    d0: in (0, inf); the first d, meant to be too small.
    d_coef: in [0, inf); a factor of d̂.
    growth: in [1, inf]; the most that d grows in a step after its first growth.
    safeguard_warmup: in [0, 1]; 1 leaves γ out of s, so that a warm-up cannot inflate d̂.
    bias_correction: in [0, 1]; 0: the paper's; 1: γ has Adam's corrections.

Memory is kept in units of d0, so that nothing underflows in float32: d² of the paper would be 1e-12 at first.

Elsewhere: optax's ``contrib.prodigy`` is ``bias_correction=1`` and the authors' package has both; both divide by eps
times the new d instead of the old one, and leave 1 − √b2 out of r and s, where it cancels. Only the package has growth.

Source: Mishchenko and Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", 2023,
https://arxiv.org/abs/2306.06101, algorithm 4.

>>> import jax.numpy as jnp
>>> from fnopt.optim import prodigy
>>> state = prodigy.init({"w": jnp.array([1.0, -2.0])})
>>> for _ in range(100):
...     state = prodigy.update(state, state.params)  # the gradient of ‖w‖²/2
>>> bool(jnp.max(jnp.abs(state.params["w"])) < 0.1)
True
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params
from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE, POSITIVE, Range
from fnopt.optim._safe import one_minus_power, ratio, root
from fnopt.optim._treewise import dot, leafwise, norm_1, treewise


class ProdigyHyper(NamedTuple):
    """The numbers of Prodigy; each may be traced, or a schedule of the step."""

    lr: ArrayLike = 1.0  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-8  # >= 0; added outside the root
    weight_decay: ArrayLike = 0.0  # >= 0
    d0: ArrayLike = 1e-6  # > 0; the first d
    d_coef: ArrayLike = 1.0  # >= 0; factor of the estimate
    growth: ArrayLike = float("inf")  # >= 1; the most that d grows in a step; may be inf
    safeguard_warmup: ArrayLike = 0.0  # in [0, 1]; whether s leaves γ out
    bias_correction: ArrayLike = 0.0  # in [0, 1]; whether γ has Adam's corrections


class Estimate(NamedTuple):
    """Moments, in at least float32, and the estimate of d, all in units of d0."""

    m: Any  # shaped like the parameters; of d g
    v: Any  # shaped like the parameters; of d² g²
    s: Any  # shaped like the parameters; of d² g
    p0: Any  # the parameters at the start
    r: Array  # shape=(); of d² ⟨g, p₀ − p⟩
    d: Array  # shape=(); 1 at the start
    highest: Array  # shape=(); largest estimate so far


class Moved(NamedTuple):
    """One leaf after a step."""

    p: Any
    m: Any
    v: Any
    s: Any


RANGES = {
    "lr": NONNEGATIVE,
    "b1": DECAY,
    "b2": DECAY,
    "eps": NONNEGATIVE,
    "weight_decay": NONNEGATIVE,
    "d0": POSITIVE,
    "d_coef": NONNEGATIVE,
    "growth": Range(1, float("inf"), open_high=False),
    "safeguard_warmup": FRACTION,
    "bias_correction": FRACTION,
}


def start(p: Params) -> Estimate:
    """No moments yet, and d = d0."""
    zeros = jax.tree.map(jnp.zeros_like, p)
    one = jnp.ones((), jnp.result_type(float))
    return Estimate(m=zeros, v=zeros, s=zeros, p0=p, r=one - 1, d=one, highest=one)


def leaf_rule(scalars: Any, p: Array, g: Array, m: Array, v: Array, s: Array) -> Moved:
    """One step of algorithm 4 for one leaf, but for d."""
    h, gamma, d, pull, r = scalars
    m = h.b1 * m + (1 - h.b1) * d * g
    v = h.b2 * v + (1 - h.b2) * jnp.square(d * g)
    s = root(h.b2) * s + (1 - root(h.b2)) * pull * jnp.square(d) * g
    after = jnp.where(jnp.isfinite(r), 0 * r, 0)  # p is written after ⟨g, p₀ − p⟩ has read it, which spares a copy
    rate = gamma * d * h.d0 + after
    return Moved(p - rate * ratio(m, root(v) + d * h.eps) - rate * h.weight_decay * p, m, v, s)


def rule(p: Params, g: Params, memory: Estimate, h: Any, t: Array, *_: Any) -> tuple[Params, Estimate]:
    """One step for the tree."""
    d, keep = memory.d, root(h.b2)
    gamma = h.lr * (root(one_minus_power(h.b2, t)) / one_minus_power(h.b1, t)) ** h.bias_correction
    pull = (1 - h.safeguard_warmup) * gamma + h.safeguard_warmup
    away = jax.tree.map(lambda a, b: a - b, memory.p0, p)
    r = keep * memory.r + (1 - keep) * gamma * jnp.square(d) * dot(g, away)
    p, m, v, s = leafwise(Moved, leaf_rule, (h, gamma, d, pull, r), p, g, *memory[:3])
    found = h.d_coef * ratio(r, norm_1(s)) / h.d0
    highest = jnp.maximum(memory.highest, found)
    d = jnp.minimum(highest, grown(jnp.where(d == 1, highest, d), h.growth))
    return p, Estimate(m, v, s, memory.p0, r, d, highest)


def grown(d: Array, growth: Array) -> Array:
    """d growth, whose derivative by d at infinite growth is 0 and not NaN."""
    free = jnp.isposinf(growth)
    return jnp.where(free, jnp.inf, d * jnp.where(free, 1, growth))


prodigy = treewise("prodigy", ProdigyHyper, RANGES, start, rule, lr=1.0, moments=("m", "v", "s"), doc=__doc__)
"""Prodigy, see the module."""
