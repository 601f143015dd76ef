"""From losses to a cost."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.tree import working_dtype


def weighted_mean(values: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Σ_i w_i l_i / Σ_i w_i; 0, with finite gradient, where the weights sum to 0.

    Args:
        values: l, any shape.
        weight: w ≥ 0, the same shape; None counts all alike. What has weight 0 stays out even if it is NaN or infinite,
            as it may be in padding.

    Returns:
        a scalar, in at least float32.

    Raises:
        ValueError: for another shape.

    >>> float(weighted_mean(jnp.array([1.0, 5.0, jnp.nan]), jnp.array([3.0, 1.0, 0.0])))
    2.0
    """
    x = jnp.asarray(values)
    x = x.astype(working_dtype(x))
    w = jnp.ones(x.shape, x.dtype) if weight is None else jnp.asarray(weight)
    if w.shape != x.shape:
        raise ValueError(f"`weight` must have one number a value, shape {x.shape}, got {w.shape}")
    w = w.astype(x.dtype)
    # Only what is not finite is masked: elsewhere the derivative with respect to a weight of 0 is worth having.
    x = jnp.where((w != 0) | jnp.isfinite(x), x, 0)
    total = jnp.sum(w)
    return jnp.where(total != 0, jnp.sum(w * x) / jnp.where(total != 0, total, 1), 0)
