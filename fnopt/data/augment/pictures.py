"""Pieces that augmentations of pictures are made of; pictures are NHW or NHWC arrays."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


def height_and_width(name: str, x: Any) -> tuple[int, int]:
    """The sides of pictures; ValueError for rows that are none, with the cure.

    >>> height_and_width("flip", jnp.ones((5, 28, 24, 3)))
    (28, 24)
    """
    if x.ndim in (3, 4):
        return x.shape[1], x.shape[2]
    shape, side = ", ".join(map(str, x.shape[1:])), math.isqrt(x.shape[1]) if x.ndim == 2 else 0
    sides = (side, side) if side * side == x.shape[-1] else "(height, width)"
    raise ValueError(
        f"`{name}` wants pictures, x of shape (m, height, width) or (m, height, width, channels), and x has shape "
        f"(m, {shape}); where rows are pixels, write fo.data.augment.chain(fo.data.augment.{name}, shape={sides})"
    )


def only_floating(name: str, x: Array) -> None:
    """TypeError for x of whole numbers, which cannot hold what an augmentation makes of them."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"`{name}` wants floating x, and x is {x.dtype}: standardize it, or write x.astype(np.float32)")


def moved(x: Array, by: Array, axis: int) -> Array:
    """Picture i, moved along an axis: place k holds what was at k + by[i], 0 where that lies outside.

    >>> moved(jnp.arange(3.0).reshape(1, 1, 3), jnp.array([1]), 2).tolist()
    [[[1.0, 2.0, 0.0]]]
    """
    side = x.shape[axis]
    places = jnp.arange(side, dtype=by.dtype)[None] + by[:, None]
    inside = jnp.expand_dims((places >= 0) & (places < side), [k for k in range(1, x.ndim) if k != axis])
    return jnp.where(inside, taken(x, places, axis), jnp.zeros((), x.dtype))


def taken(x: Array, places: Array, axis: int) -> Array:
    """Of picture i the places[i] along an axis, shape=(b, new side); a place outside is the nearest one inside.

    >>> taken(jnp.arange(3.0).reshape(1, 1, 3), jnp.array([[2, 0]]), 2).tolist()
    [[[2.0, 0.0]]]
    """
    return jax.vmap(lambda picture, at: jnp.take(picture, at, axis=axis - 1, mode="clip"))(x, places)


def resampled(x: Array, rows: Array, columns: Array) -> Array:
    """Pictures looked at in other places: bilinear between pixels, 0 outside.

    Args:
        x: shape=(b, height, width) or (b, height, width, channels), floating.
        rows: shape=(b, height), where each new row lies in the old ones.
        columns: shape=(b, width).

    >>> half = jnp.array([[0.5, 1.5]])
    >>> resampled(jnp.array([[[1.0, 3.0], [5.0, 7.0]]]), half, jnp.array([[0.0, 1.0]])).tolist()
    [[[3.0, 5.0], [2.5, 3.5]]]
    """

    def weights(at: Array) -> Array:
        pixels = jnp.arange(at.shape[1], dtype=at.dtype)
        return jnp.maximum(1 - jnp.abs(at[:, :, None] - pixels[None, None]), 0)

    exact = jax.lax.Precision.HIGHEST  # else a GPU rounds pixels to half of their digits
    x = jnp.einsum("bij,bj...->bi...", weights(rows), x, precision=exact)
    return jnp.einsum("bij,bkj...->bki...", weights(columns), x, precision=exact)
