"""Adadelta: each gradient scaled by the root mean square of past steps over that of the gradients.

S ← β S + (1 − β) g²,  Δ = g √(D + eps_root) / √(S + eps_root)
D ← β D + (1 − β) Δ²,  p ← p − lr Δ

Numbers:
    lr: in [0, inf); 1 is the paper's method, which has none.
    beta: in [0, 1); β, decay of both means (the paper's ρ).
    eps_root: in [0, inf); inside both roots. It sets the length of the first steps: at 0 nothing ever moves.

Elsewhere: torch is the same; Keras begins with lr = 0.001 and β = 0.95.

Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012, https://arxiv.org/abs/1212.5701, algorithm 1.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adadelta
>>> state = adadelta.init({"w": jnp.zeros(2)}, beta=0.75, eps_root=1.0)
>>> (adadelta.update(state, {"w": jnp.array([0.0, 2.0])}).params["w"] ** 2).round(4).tolist()
[0.0, 2.0]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import ratio, root


class AdadeltaHyper(NamedTuple):
    """The numbers of Adadelta; each may be traced, or a schedule of the step."""

    lr: ArrayLike = 1.0  # >= 0
    beta: ArrayLike = 0.9  # in [0, 1); decay of both mean squares
    eps_root: ArrayLike = 1e-6  # >= 0; added inside both roots


class MeanSquares(NamedTuple):
    """Running means of the squared gradient and step, in at least float32, shaped like the parameters."""

    s: Any
    d: Any


RANGES = {"lr": NONNEGATIVE, "beta": DECAY, "eps_root": NONNEGATIVE}


def rule(p: Array, g: Array, memory: MeanSquares, h: Any, t: Array) -> tuple[Array, MeanSquares]:
    """One step of algorithm 1 for one leaf."""
    del t
    s = h.beta * memory.s + (1 - h.beta) * jnp.square(g)
    delta = ratio(g * root(memory.d + h.eps_root), root(s + h.eps_root))
    d = h.beta * memory.d + (1 - h.beta) * jnp.square(delta)
    return p - h.lr * delta, MeanSquares(s, d)


adadelta = elementwise("adadelta", AdadeltaHyper, RANGES, MeanSquares, rule, lr=1.0, doc=__doc__)
"""Adadelta, see the module."""
