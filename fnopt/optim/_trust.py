"""The trust ratio of layerwise methods: how long a step may be, from the length of the leaf that it changes."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.optim._safe import ratio, root
from fnopt.tree import binary_size


def norm(x: Array) -> Array:
    """The Euclidean length of all entries together, of any size, with derivative 0 at 0.

    >>> float(norm(jnp.array([[3.0], [4.0]]))), round(float(norm(jnp.array([3e-30, 4e-30]))) * 1e30, 4)
    (5.0, 5.0)
    """
    size = binary_size(jnp.max(jnp.abs(x), initial=0))
    return size * root(jnp.sum(jnp.square(x / size)))


def trust_ratio(leaf: Array, step: Array, coefficient: ArrayLike = 1.0, eps: ArrayLike = 0.0) -> Array:
    """``coefficient leaf / (step + eps)`` of two lengths; 1 where one is 0, so that a leaf that starts at 0 can move.

    NaN where ``step`` is infinite, as in :func:`fnopt.optim._safe.ratio`.

    >>> [float(trust_ratio(jnp.float32(a), jnp.float32(b))) for a, b in ((3, 2), (0, 2), (3, 0))]
    [1.5, 1.0, 1.0]
    """
    known = (leaf != 0) & (step != 0)
    return jnp.where(known, coefficient * ratio(leaf, jnp.where(known, step + eps, 1)), 1)
