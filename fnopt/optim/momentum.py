"""Momentum: a step along the exponentially weighted average of the gradients.

V ← β V + (1 − d) a g,  p ← p − b V  with a = (1 − k) + k lr and b = (1 − k) lr + k

where d is ``first_dampening`` at the first step and ``dampening`` after it, and k is ``lr_inside``. As it comes,
d = β and k = 0: V ← β V + (1 − β) g, p ← p − lr V, without bias correction.

Numbers:
    lr: in [0, inf).
    beta: in [0, 1); β, averages about 1/(1 − β) gradients.
    dampening: in [0, 1]; d. ``beta`` unless given; 0 is the classical form, whose steps are 1/(1 − β) times as long.
    lr_inside: in [0, 1]; k. At 1 the learning rate stands inside V, which differs as soon as the rate changes. The two
        ends are the forms in use; between them a b, the rate that counts, is larger than lr.
    first_dampening: in [0, 1]; d at the first step. ``dampening`` unless given.

``init`` fills in what was not given, once: ``state.hyper._replace(beta=0.99)`` alone leaves the dampening at the old
beta. Write ``_replace(beta=0.99, dampening=0.99, first_dampening=0.99)``.

Elsewhere: torch's ``SGD(momentum=β, dampening=d)`` is ``dampening=d, first_dampening=0``; Keras and scikit-learn are
``dampening=0, lr_inside=1``, optax's ``sgd(momentum=β)`` is ``dampening=0``.

Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964,
https://doi.org/10.1016/0041-5553(64)90137-5.

>>> import jax.numpy as jnp
>>> from fnopt.optim import momentum
>>> state = momentum.init({"w": jnp.ones(2)}, lr=1.0, beta=0.75)
>>> momentum.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.75, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE
from fnopt.optim._elementwise import elementwise


class MomentumHyper(NamedTuple):
    """The numbers of momentum; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    beta: ArrayLike = 0.9  # in [0, 1); decay of V
    dampening: ArrayLike | None = None  # in [0, 1]; None: beta
    lr_inside: ArrayLike = 0.0  # in [0, 1]; 1: the learning rate multiplies the gradient, not V
    first_dampening: ArrayLike | None = None  # in [0, 1]; None: dampening


class Velocity(NamedTuple):
    """The running mean of the gradients, in at least float32, shaped like the parameters."""

    v: Any


RANGES = {
    "lr": NONNEGATIVE,
    "beta": DECAY,
    "dampening": FRACTION,
    "lr_inside": FRACTION,
    "first_dampening": FRACTION,
}


class At(NamedTuple):
    """The numbers at one step."""

    beta: Any
    inside: Any  # (1 − d) a
    outside: Any  # b


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    d = jnp.where(t == 1, h.first_dampening, h.dampening)
    inside = (1 - h.lr_inside) + h.lr_inside * h.lr  # not 1 + k (lr − 1), which rounds a small rate away
    outside = (1 - h.lr_inside) * h.lr + h.lr_inside
    return At(h.beta, (1 - d) * inside, outside)


def rule(p: Array, g: Array, memory: Velocity, h: Any, t: Array) -> tuple[Array, Velocity]:
    """One step for one leaf."""
    del t
    v = h.beta * memory.v + h.inside * g
    return p - h.outside * v, Velocity(v)


momentum = elementwise(
    "momentum",
    MomentumHyper,
    RANGES,
    Velocity,
    rule,
    lr=0.1,
    at=at,
    fill={"dampening": "beta", "first_dampening": "dampening"},
    doc=__doc__,
)
"""Momentum, see the module."""
