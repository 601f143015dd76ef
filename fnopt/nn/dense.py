"""The dense layer: z = x W + b."""

import jax.numpy as jnp
from jax import Array

from fnopt.tree import working_dtype


def dense(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """z = x W + b, examples in rows.

    Args:
        x: shape=(…, features).
        weight: shape=(features, units).
        bias: shape=(units,), or None where batch norm follows and would cancel it.

    Returns:
        z, shape=(…, units), in at least float32 whatever the dtype of the weights.

    Raises:
        ValueError: where x has another number of features than the weights.

    >>> dense(jnp.array([[1.0, 2.0]]), jnp.array([[1.0], [10.0]]), jnp.array([0.5])).tolist()
    [[21.5]]
    """
    x = jnp.asarray(x)  # data may come as it was read
    if not x.ndim or x.shape[-1] != weight.shape[0]:
        got = f"{x.shape[-1]} (shape {x.shape})" if x.ndim else "a single number"
        raise ValueError(f"expected {weight.shape[0]} features in the last axis of x, got {got}")
    dtype = jnp.float64 if jnp.float64 in (working_dtype(x), working_dtype(weight)) else jnp.float32
    z = x.astype(dtype) @ weight.astype(dtype)
    return z if bias is None else z + jnp.broadcast_to(bias.astype(dtype), z.shape)
