"""Gradient descent: a step against the gradient.

p ← p − lr g

Numbers:
    lr: in [0, inf); how far to go. Too high overshoots, too low crawls.

Source: Robbins and Monro, "A Stochastic Approximation Method", 1951, https://doi.org/10.1214/aoms/1177729586.
The same in torch, Keras and scikit-learn.

>>> import jax.numpy as jnp
>>> from fnopt.optim import sgd
>>> state = sgd.init({"w": jnp.ones(2)}, lr=0.5)
>>> sgd.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 2.0]
"""

from typing import Any, NamedTuple

from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import NONNEGATIVE
from fnopt.optim._elementwise import elementwise


class SgdHyper(NamedTuple):
    """The number of gradient descent; it may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0


RANGES = {"lr": NONNEGATIVE}


def rule(p: Array, g: Array, memory: Any, h: Any, t: Array) -> tuple[Array, Any]:
    """One step for one leaf."""
    del t
    return p - h.lr * g, memory


sgd = elementwise("sgd", SgdHyper, RANGES, None, rule, lr=0.1, doc=__doc__)
"""Gradient descent, see the module."""
