"""Predictions and targets as pairs of one shape, and many outputs as one value an example."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.tree import working_dtype


def pair(name: str, prediction: ArrayLike, target: ArrayLike, what: str = "target") -> tuple[Array, Array]:
    """Both as arrays of one shape, in the prediction's working type.

    Raises:
        ValueError: unless the shapes are equal: (m,) beside (m, 1) would broadcast to (m, m), the usual silent mistake.
    """
    f, y = jnp.asarray(prediction), jnp.asarray(target)
    if f.shape != y.shape:
        raise ValueError(f"{name} needs {what}s of the prediction's shape {f.shape}, got {y.shape}{_cure(f, y, what)}")
    dtype = working_dtype(f)
    return f.astype(dtype), y.astype(dtype)


def _cure(f: Array, y: Array, what: str) -> str:
    if f.ndim == y.ndim + 1 and f.shape[-1] == 1:
        return "; write prediction[..., 0]"
    if y.ndim == f.ndim + 1 and y.shape[-1] == 1:
        return f"; write {what}[..., 0]"
    return ""


def times(y: Array, x: Array) -> Array:
    """y x with 0 · ∞ = 0: what is infinitely unlikely, and did not come true, costs nothing.

    >>> times(jnp.array([0.0, 2.0]), jnp.array([jnp.inf, 3.0])).tolist()
    [0.0, 6.0]
    """
    return y * jnp.where((y == 0) & jnp.isinf(x), 0, x)


def each_example(values: Array) -> Array:
    """The mean over all axes but the first.

    >>> each_example(jnp.array([[1.0, 3.0], [0.0, 0.0]])).tolist()
    [2.0, 0.0]
    """
    return values if values.ndim < 2 else jnp.mean(values, axis=tuple(range(1, values.ndim)))
