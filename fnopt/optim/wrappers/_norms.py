"""Norms of gradients that may be very large, and cutting them to a length."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt.optim._safe import root


def largest(x: Array, axes: tuple[int, ...] | None = None) -> Array:
    """max |x| over the axes (None: all), 1 where that is 0; a constant for derivatives. Axes of one remain.

    Squares of what is divided by it neither overflow nor vanish.
    """
    most = jax.lax.stop_gradient(jnp.max(jnp.abs(x), axis=axes, keepdims=axes is not None, initial=0))
    return jnp.where(most == 0, 1, most)


def relative_norm(x: Array, scale: Array, axes: tuple[int, ...] | None = None) -> Array:
    """‖x‖ / scale, over the axes."""
    share = x / jnp.broadcast_to(scale, x.shape)
    return root(jnp.sum(jnp.square(share), axis=axes, keepdims=axes is not None))


def shortened(x: Array, scale: Array, relative: Array, limit: Array) -> Array:
    """``x``, whose norm is scale · relative, cut to the norm ``limit``; the same bits where it is no longer.

    NaN in the norm or in the limit goes to all of ``x``.
    """
    over = ~(relative <= limit / scale)
    factor = jnp.where(over, limit, 1) / jnp.where(over, relative, 1)
    scale, factor, over = (jnp.broadcast_to(a, x.shape) for a in (scale, factor, over))
    return jnp.where(over, x / scale * factor, x)


def cast(h: Any, x: Array) -> Any:
    """Numbers in the type of ``x``."""
    return jax.tree.map(lambda number: number.astype(x.dtype), h)
