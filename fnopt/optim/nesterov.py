"""Nesterov's momentum: the gradient's step and then once more along the velocity, in the classical form.

V ← β V + g,  p ← p − lr (g + β V)

Numbers:
    lr: in [0, inf).
    beta: in [0, 1); β, how much of the velocity stays. Steps grow to 1/(1 − β) times those of gradient descent.

Elsewhere: torch's ``SGD(momentum=β, nesterov=True)`` is the same. Keras and scikit-learn keep the learning rate inside
the velocity, which differs as soon as the rate changes.

Source: Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k²)", 1983; in this
form Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013,
https://proceedings.mlr.press/v28/sutskever13.html.

>>> import jax.numpy as jnp
>>> from fnopt.optim import nesterov
>>> state = nesterov.init({"w": jnp.ones(2)}, lr=0.5, beta=0.5)
>>> nesterov.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.25, 2.5]
"""

from typing import Any, NamedTuple

from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim.momentum import Velocity


class NesterovHyper(NamedTuple):
    """The numbers of Nesterov's momentum; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    beta: ArrayLike = 0.9  # in [0, 1); decay of the velocity


RANGES = {"lr": NONNEGATIVE, "beta": DECAY}


def rule(p: Array, g: Array, memory: Velocity, h: Any, t: Array) -> tuple[Array, Velocity]:
    """One step for one leaf."""
    del t
    v = h.beta * memory.v + g
    return p - h.lr * (g + h.beta * v), Velocity(v)


nesterov = elementwise("nesterov", NesterovHyper, RANGES, Velocity, rule, lr=0.01, doc=__doc__)
"""Nesterov's momentum, see the module."""
