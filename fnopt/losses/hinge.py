"""Hinge loss: a margin between two classes."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.losses._outputs import each_example, pair


def hinge(scores: ArrayLike, labels: ArrayLike) -> Array:
    """max(0, 1 − t s) with t = 1 for a label above 0 and −1 else: labels may be 0 and 1, or −1 and 1.

    The mean over the labels of an example; the subgradient at the margin is −t/2.

    Args:
        scores: s, shape=(m,) or (m, labels).
        labels: the same shape.

    Returns:
        shape=(m,), in at least float32.

    Raises:
        ValueError: for another shape.

    >>> hinge(jnp.array([0.5, 2.0, 0.5]), jnp.array([1, 1, 0])).tolist()
    [0.5, 0.0, 1.5]
    """
    s, y = pair("hinge", scores, labels, "label")
    t = jnp.where(y > 0, 1.0, -1.0).astype(s.dtype)
    return each_example(jnp.maximum(1 - t * s, 0))
