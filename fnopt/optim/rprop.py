"""Rprop: a step size for every entry, longer while the gradient's sign stands and shorter when it turns.

s ← clip(η s, min_step, max_step)  with η = eta_plus where g g' > 0, eta_minus where g g' < 0, else 1
g ← 0 where g g' < 0
p ← p − s sign(g),  g' ← g

where g' is the last gradient and s = lr before the first step. After a turn an entry waits for one step. For full
batches: the sign of a small batch's gradient turns by chance.

Numbers:
    lr: in [0, inf); s before the first step; of a schedule only that value is used. At 0, s begins at min_step.
    eta_plus: in [1, inf); what s grows by.
    eta_minus: in [0, 1]; what s shrinks by.
    min_step: in [0, inf); the least s.
    max_step: in [0, inf); the largest s.

Elsewhere: torch is as here. optax (0.2.8) gives every step one call late and leaves it out where the sign has turned
meanwhile, and it clips no first s.

Source: Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm", 1993,
https://doi.org/10.1109/ICNN.1993.298623; in this form Igel and Hüsken's iRprop−, "Improving the Rprop Learning
Algorithm", 2000.

>>> import jax.numpy as jnp
>>> from fnopt.optim import rprop
>>> state = rprop.init({"w": jnp.ones(2)}, lr=0.5)
>>> rprop.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import FRACTION, NONNEGATIVE, Range
from fnopt.optim._elementwise import elementwise


class RpropHyper(NamedTuple):
    """The numbers of Rprop; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0; the first step size
    eta_plus: ArrayLike = 1.2  # >= 1; growth of a step size
    eta_minus: ArrayLike = 0.5  # in [0, 1]; shrinkage of a step size
    min_step: ArrayLike = 1e-6  # >= 0; the least step size
    max_step: ArrayLike = 50.0  # >= 0; the largest step size


class Sizes(NamedTuple):
    """Step sizes and the last gradient, in at least float32, shaped like the parameters."""

    s: Any
    g: Any


RANGES = {
    "lr": NONNEGATIVE,
    "eta_plus": Range(1, float("inf")),
    "eta_minus": FRACTION,
    "min_step": NONNEGATIVE,
    "max_step": NONNEGATIVE,
}


class At(NamedTuple):
    """The numbers at one step."""

    start: Any  # lr at the first step, then 0
    eta_plus: Any
    eta_minus: Any
    min_step: Any
    max_step: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    nothing = 0 * h.lr  # but NaN where a number is out of its range: after the first step lr is not used else
    return At(jnp.where(t == 1, h.lr, 0), h.eta_plus, h.eta_minus, h.min_step + nothing, h.max_step)


def rule(p: Array, g: Array, memory: Sizes, h: Any, t: Array) -> tuple[Array, Sizes]:
    """One step for one leaf."""
    del t
    sign = jnp.sign(g)
    agreement = sign * jnp.sign(memory.g)  # not the sign of g g', which is 0 where the product underflows
    eta = jnp.where(agreement > 0, h.eta_plus, jnp.where(agreement < 0, h.eta_minus, 1))
    s = jnp.clip(eta * (memory.s + h.start), h.min_step, h.max_step)
    back = agreement < 0
    return p - s * jnp.where(back, 0, sign), Sizes(s, jnp.where(back, 0, g))


rprop = elementwise("rprop", RpropHyper, RANGES, Sizes, rule, lr=0.01, at=at, doc=__doc__)
"""Rprop, see the module."""
