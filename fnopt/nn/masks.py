"""Width as a number: a layer of 20 units as the first 20 of 32, so that one compiled program serves both.

The units beyond are padding. Their weights, in and out, are 0 from the start and their activations are set to 0, so
that their gradients are 0 and an optimizer that works element by element leaves them at 0.

How many units are real may be traced. Unit j is real where j < units, so that a fraction counts as a whole unit.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array

from fnopt.nn._number import number
from fnopt.numbers import Range


def real(name: str, units: Any, width: int) -> Array:
    """``units`` as a whole number of units, in a scalar of the default float type.

    Args:
        name: what the argument is called.
        units: in (0, width], may be traced.
        width: how many there are with the padding.

    Raises:
        ValueError: for a concrete number out of range; a traced one gives NaN.

    >>> float(real("units", 20, 32))
    20.0
    """
    dtype = jnp.result_type(float)
    return jnp.ceil(number(name, units, Range(0, width, open_low=True, open_high=False), dtype))


def mask(x: Array, units: Array, padding: float = 0.0, axis: int = -1) -> Array:
    """x where a unit is real, ``padding`` elsewhere, whatever stands there.

    Args:
        x: shape=(…, width, …).
        units: shape=(), from :func:`real`; where it is NaN, all of the result is.
        padding: what to put there.
        axis: along which the units lie.

    >>> mask(jnp.array([1.0, 2.0, jnp.nan]), real("units", 2, 3)).tolist()
    [1.0, 2.0, 0.0]
    """
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    inside = jnp.arange(x.shape[axis]).astype(units.dtype).reshape(shape) < units
    beyond = jnp.where(jnp.isnan(units), jnp.nan, padding).astype(x.dtype)
    return jnp.where(jnp.broadcast_to(inside, x.shape), x, beyond)
