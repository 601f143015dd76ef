"""Lion: steps of one length in every entry, along the sign of a mean of the gradients.

p ← p − lr (sign(b1 m + (1 − b1) g) + weight_decay p),  m ← b2 m + (1 − b2) g

so the sign sees more of the newest gradient than the memory keeps.

Numbers:
    lr: in [0, inf); the length of a step in each entry, usually a third to a tenth of Adam's.
    b1: in [0, 1); how much of the memory enters the sign.
    b2: in [0, 1); decay of the memory.
    weight_decay: in [0, inf); the share of every parameter, biases too, that goes in each step, in units of lr.

The derivative by b1 and b2 is 0, as a sign's is.

Elsewhere: the same in the paper and in optax, which begins with ``weight_decay=1e-3``.

Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, https://arxiv.org/abs/2302.06675,
algorithm 2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import lion
>>> state = lion.init({"w": jnp.ones(2)}, lr=0.5)
>>> lion.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._elementwise import elementwise


class LionHyper(NamedTuple):
    """The numbers of Lion; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); weight of the memory in the sign
    b2: ArrayLike = 0.99  # in [0, 1); decay of the memory
    weight_decay: ArrayLike = 0.0  # >= 0


class Mean(NamedTuple):
    """The running mean of the gradients, in at least float32, shaped like the parameters."""

    m: Any


RANGES = {"lr": NONNEGATIVE, "b1": DECAY, "b2": DECAY, "weight_decay": NONNEGATIVE}


def rule(p: Array, g: Array, memory: Mean, h: Any, t: Array) -> tuple[Array, Mean]:
    """One step of algorithm 2 for one leaf."""
    del t
    direction = jnp.sign(h.b1 * memory.m + (1 - h.b1) * g)
    m = h.b2 * memory.m + (1 - h.b2) * g
    return p - h.lr * (direction + h.weight_decay * p), Mean(m)


lion = elementwise("lion", LionHyper, RANGES, Mean, rule, lr=1e-4, doc=__doc__)
"""Lion, see the module."""
