"""The area under any curve."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt.metrics._inputs import floats, from_first, library, numbers, values
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import added


@exact("x", "y")
def area(x: ArrayLike, y: ArrayLike) -> Array:
    """The area under points by trapezoids: Σ (x_i+1 - x_i) (y_i+1 + y_i) / 2.

    Args:
        x: rising or falling throughout (repeats allowed), shape=(n,); a falling one is read from its end.
        y: shape=(n,).

    Returns:
        Scalar; 0 for a single point.

    Raises:
        ValueError: for shapes that differ, and for an ``x`` that turns; where ``x`` is traced, NaN then.

    >>> float(area([0, 1, 3], [2, 2, 4]))
    8.0
    """
    at, height = floats(*from_first(numbers("x", x))), values("y", y)
    if at.ndim != 1 or at.shape != height.shape:
        raise ValueError(f"`x` and `y` must both have shape (n,), got {at.shape} and {height.shape}")
    falls, rises = (at[1:] < at[:-1]).any(), (at[1:] > at[:-1]).any()
    turns = falls & rises
    if not isinstance(turns, Tracer) and turns:
        raise ValueError("`x` must rise or fall throughout, got one that turns; sort the points by x first")
    pick = library(at).where
    return pick(turns, np.nan, pick(falls, -1.0, 1.0)).astype(at.dtype) * trapezoids(at, height)


@jax.jit
def trapezoids(x: Array, y: Array) -> Array:
    """The signed area, unchecked."""
    return added(jnp.diff(x) * (y[1:] + y[:-1])) / 2
