"""Clipping by value: no entry of the gradient is larger than a bound.

g ← min(max(g, −max_value), max_value), then a step of the optimizer inside.

Numbers, beside those of the optimizer inside:
    max_value: in [0, inf]; inf: as it is. It turns the direction of the gradient, which clipping by norm does not.

Elsewhere: torch's ``clip_grad_value_``, optax's ``clip`` and Keras's ``clipvalue`` are the same.

Source: Mikolov, "Statistical language models based on neural networks", 2012,
https://www.fit.vut.cz/study/phd-thesis/283/, section 3.2.2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import clip_by_value, sgd
>>> state = clip_by_value(sgd).init(jnp.zeros(2), lr=1.0, max_value=0.5)
>>> clip_by_value(sgd).update(state, jnp.array([3.0, -0.25])).params.tolist()
[-0.5, 0.25]
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import Range
from fnopt.optim.wrappers._norms import cast
from fnopt.optim.wrappers._wrapper import Inside, Parts, wrapper


class ClipByValueHyper(NamedTuple):
    """The number of clipping by value; it may be traced, or a schedule of the step."""

    max_value: ArrayLike = 1.0  # >= 0, inf allowed


RANGES = {"max_value": Range(0, float("inf"), open_high=False)}


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """A step with every entry within the bound."""

    def bounded(g: Any) -> Any:
        bound = cast(h.max_value, g)
        return jnp.clip(g, -bound, bound)

    return inner.take(state, jax.tree.map(bounded, grads))


clip_by_value = wrapper(Parts("clip_by_value", ClipByValueHyper, RANGES, rule), __doc__)
