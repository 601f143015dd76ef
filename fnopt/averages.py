"""Exponentially weighted averages of arrays and pytrees, as pure pieces.

v_t = β v_{t−1} + (1 − β) y_t with v_0 = 0, so that y_{t−k} counts (1 − β) β^k: with β = 0.9 the past counts .1, .09,
.081, … The weights sum to 1 − β^t; divided by that sum (bias correction) the average is unbiased from the first value
on, and as β^t vanishes the division does nothing more. It averages about 1/(1 − β) values: a value that old counts
β^(1/(1−β)) as much as a new one, which tends to 1/e.

>>> average = init(0.0)
>>> for y in (1.0, 2.0, 3.0):
...     average = update(average, y, beta=0.5)
>>> float(average.value), round(float(corrected(average)), 4)
(2.125, 2.4286)
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import same_structure
from fnopt._names import suggesting as _suggesting
from fnopt.numbers import DECAY, scalar
from fnopt.tree import working_dtype, zeros_like


class Average(NamedTuple):
    """An average under way."""

    value: Any  # v_t: a pytree shaped like what is averaged, in at least float32
    weight: Array  # shape=(); the sum of the weights so far, 1 − β^t where β stays the same


def init(like: Any) -> Average:
    """No values yet: zeros of the shapes of ``like``, a pytree of arrays or numbers.

    >>> init({"w": jnp.ones(2, jnp.bfloat16)}).value["w"].dtype.name
    'float32'
    """
    return Average(value=zeros_like(jax.tree.map(jnp.asarray, like)), weight=jnp.zeros((), jnp.result_type(float)))


def update(average: Average, value: Any, beta: ArrayLike) -> Average:
    """v ← β v + (1 − β) value, and the same for the sum of the weights.

    Args:
        average: so far.
        value: pytree of the shapes that ``average`` began with.
        beta: β, in [0, 1); it may change from value to value, and the correction stays exact.

    Raises:
        ValueError: for another structure or shape, and for a concrete β out of range; a traced one becomes NaN.

    >>> float(update(init(0.0), 4.0, beta=0.75).value)
    1.0
    """
    value = jax.tree.map(jnp.asarray, value)
    same_structure(average.value, value, "value")

    def one(old: Array, new: Array) -> Array:
        b = scalar("beta", beta, DECAY, old.dtype)
        return b * old + (1 - b) * new.astype(old.dtype)

    return Average(value=jax.tree.map(one, average.value, value), weight=one(average.weight, jnp.ones(())))


def corrected(average: Average) -> Any:
    """v_t divided by the sum of its weights, 1 − β^t; zeros before the first value.

    >>> float(corrected(update(init(0.0), 4.0, beta=0.75)))
    4.0
    """
    begun = average.weight > 0
    weight = jnp.where(begun, average.weight, 1)
    return jax.tree.map(lambda v: jnp.where(begun, v / weight.astype(working_dtype(v)), 0), average.value)


if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
