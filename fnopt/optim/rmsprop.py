"""RMSProp: each gradient divided by the root of a running mean of its square.

S ← β S + (1 − β) g²,  p ← p − lr g / (√(S + eps_root) + eps)

Numbers:
    lr: in [0, inf); about the length of a step in each entry.
    beta: in [0, 1); β, decay of S, which averages about 1/(1 − β) squares.
    eps: in [0, inf); outside the root.
    eps_root: in [0, inf); inside the root. With both 0, an entry whose gradient has always been 0 stays where it is.

Elsewhere: torch has β = 0.99 and ``eps=1e-8, eps_root=0``; Keras has ``eps_root=1e-7``. About the mean and with
momentum it is :mod:`fnopt.optim.rmsprop_centred`.

Source: Tieleman and Hinton, "Neural Networks for Machine Learning, lecture 6.5", 2012,
https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf.

>>> import jax.numpy as jnp
>>> from fnopt.optim import rmsprop
>>> state = rmsprop.init({"w": jnp.ones(2)}, lr=0.25, beta=0.75, eps_root=0)
>>> rmsprop.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import ratio, root


class RmspropHyper(NamedTuple):
    """The numbers of RMSProp; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    beta: ArrayLike = 0.9  # in [0, 1); decay of the mean square
    eps: ArrayLike = 0.0  # >= 0; added outside the root
    eps_root: ArrayLike = 1e-8  # >= 0; added inside the root


class MeanSquare(NamedTuple):
    """The running mean of the squared gradient, in at least float32, shaped like the parameters."""

    s: Any


RANGES = {"lr": NONNEGATIVE, "beta": DECAY, "eps": NONNEGATIVE, "eps_root": NONNEGATIVE}


def rule(p: Array, g: Array, memory: MeanSquare, h: Any, t: Array) -> tuple[Array, MeanSquare]:
    """One step for one leaf."""
    del t
    s = h.beta * memory.s + (1 - h.beta) * jnp.square(g)
    return p - h.lr * ratio(g, root(s + h.eps_root) + h.eps), MeanSquare(s)


rmsprop = elementwise("rmsprop", RmspropHyper, RANGES, MeanSquare, rule, doc=__doc__)
"""RMSProp, see the module."""
