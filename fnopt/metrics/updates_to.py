"""How much training a level takes."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import floats, known, real


class UpdatesTo(NamedTuple):
    """When a curve first reached a level; infinite where it never did."""

    epoch: Array  # counted from 1
    update: Array  # the updates made by the end of that epoch


def updates_to(
    curve: ArrayLike, level: ArrayLike, *, updates: ArrayLike | None = None, higher: bool = False
) -> UpdatesTo:
    """The first epoch, and the updates made by its end, at which a loss is at most ``level``.

    Args:
        curve: a value after each epoch, shape=(..., epochs); NaN reaches no level.
        level: what is to be reached; may be traced.
        updates: made by the end of each epoch, shape as ``curve`` or (epochs,); epochs count as updates unless given.
        higher: whether more is better: then at least ``level`` is to be reached.

    Returns:
        Both numbers, shape=(...,), infinite where the level is never reached.

    >>> [float(x) for x in updates_to([0.9, 0.5, 0.2, 0.1], 0.3, updates=[10, 20, 30, 40])]
    [3.0, 30.0]
    >>> [float(x) for x in updates_to([0.9, 0.5], 0.3)]
    [inf, inf]
    """
    y = _curve("curve", curve)
    there = y >= level if higher else y <= level
    ever, first = there.any(axis=-1), jnp.argmax(there, axis=-1)
    counts = jnp.arange(1, y.shape[-1] + 1, dtype=y.dtype) if updates is None else _curve("updates", updates)
    if counts.shape[-1] != y.shape[-1]:
        raise ValueError(f"`updates` must have one number for each of {y.shape[-1]} epochs, got shape {counts.shape}")
    made = jnp.take_along_axis(jnp.broadcast_to(counts, y.shape), first[..., None], axis=-1)[..., 0]
    return UpdatesTo(jnp.where(ever, first.astype(y.dtype) + 1, jnp.inf), jnp.where(ever, made, jnp.inf))


def _curve(name: str, x: Any) -> Array:
    x = known(name, x)
    if not real(x) or x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"`{name}` must hold a number for each epoch, shape (..., epochs), got {x.shape} of {x.dtype}")
    return jnp.asarray(floats(x))
