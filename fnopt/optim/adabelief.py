"""AdaBelief: Adam that divides by how far the gradients stray from their mean, not by how large they are.

m ← b1 m + (1 − b1) g,  s ← b2 s + (1 − b2) (g − m)² + eps_root
m̂ = m / (1 − b1^t),  ŝ = s / (1 − b2^t)
p ← p − lr m̂ / (√ŝ + eps)

with t counted from 1: steps are long where the gradient is as expected.

Numbers:
    lr: in [0, inf).
    b1: in [0, 1); decay of the first moment.
    b2: in [0, 1); decay of s.
    eps: in [0, inf); outside the root.
    eps_root: in [0, inf); into s at every step, where it adds up to eps_root/(1 − b2). With eps also 0, an entry whose
        gradient has always been 0 stays put.

Elsewhere: optax is as here; the paper has one eps for both places.

Source: Zhuang et al., "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients", 2020,
https://arxiv.org/abs/2010.07468, algorithm 2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adabelief
>>> state = adabelief.init({"w": jnp.ones(2)}, lr=0.5, b1=0.5)
>>> adabelief.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.0, 2.0]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import one_minus_power, ratio, root


class AdabeliefHyper(NamedTuple):
    """The numbers of AdaBelief; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of s
    eps: ArrayLike = 1e-16  # >= 0; added outside the root
    eps_root: ArrayLike = 1e-16  # >= 0; added to s at every step


class Belief(NamedTuple):
    """Running means of g and of its squared surprise, in at least float32, shaped like the parameters."""

    m: Any
    s: Any


RANGES = {"lr": NONNEGATIVE, "b1": DECAY, "b2": DECAY, "eps": NONNEGATIVE, "eps_root": NONNEGATIVE}


class At(NamedTuple):
    """The numbers at one step, with the corrections of the two means."""

    lr: Any
    b1: Any
    b2: Any
    k1: Any  # 1 / (1 − b1^t)
    k2: Any  # 1 / (1 − b2^t)
    eps: Any
    eps_root: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    return At(h.lr, h.b1, h.b2, 1 / one_minus_power(h.b1, t), 1 / one_minus_power(h.b2, t), h.eps, h.eps_root)


def rule(p: Array, g: Array, memory: Belief, h: Any, t: Array) -> tuple[Array, Belief]:
    """One step of algorithm 2 for one leaf."""
    del t
    m = h.b1 * memory.m + (1 - h.b1) * g
    s = h.b2 * memory.s + (1 - h.b2) * jnp.square(g - m) + h.eps_root
    m_hat, s_hat = h.k1 * m, h.k2 * s
    return p - h.lr * ratio(m_hat, root(s_hat) + h.eps), Belief(m, s)


adabelief = elementwise("adabelief", AdabeliefHyper, RANGES, Belief, rule, at=at, doc=__doc__)
"""AdaBelief, see the module."""
