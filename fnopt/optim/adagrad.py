"""Adagrad: each gradient divided by the root of the sum of all its squares, so that rates fall by themselves.

S ← S + g²,  p ← p − lr g / (√(S + eps_root) + eps)

Numbers:
    lr: in [0, inf); the length of the first step in each entry.
    eps: in [0, inf); outside the root.
    eps_root: in [0, inf); inside the root, where it is also the sum that S starts from elsewhere. With both 0, an
        entry whose gradient has always been 0 stays where it is.

Elsewhere: torch is as here, its ``initial_accumulator_value`` being ``eps_root``; optax begins at 0.1 and has its 1e-7
inside the root, which together are ``eps_root=0.1 + 1e-7, eps=0``.

Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011,
https://jmlr.org/papers/v12/duchi11a.html.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adagrad
>>> state = adagrad.init({"w": jnp.ones(2)}, lr=0.5)
>>> adagrad.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import ratio, root


class AdagradHyper(NamedTuple):
    """The numbers of Adagrad; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    eps: ArrayLike = 1e-10  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root


class SumOfSquares(NamedTuple):
    """The sum of all squared gradients, in at least float32, shaped like the parameters."""

    s: Any


RANGES = {"lr": NONNEGATIVE, "eps": NONNEGATIVE, "eps_root": NONNEGATIVE}


def rule(p: Array, g: Array, memory: SumOfSquares, h: Any, t: Array) -> tuple[Array, SumOfSquares]:
    """One step for one leaf."""
    del t
    s = memory.s + jnp.square(g)
    return p - h.lr * ratio(g, root(s + h.eps_root) + h.eps), SumOfSquares(s)


adagrad = elementwise("adagrad", AdagradHyper, RANGES, SumOfSquares, rule, lr=0.01, doc=__doc__)
"""Adagrad, see the module."""
