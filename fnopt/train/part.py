"""Data as the lane program sees it: whole blocks of rows, padding counted by weight 0."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

BLOCK = 128  # rows scored at once: bits of a score then do not depend on the number of cores


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["x", "y", "weight", "pull", "mean", "scale", "rows"],
    meta_fields=["block"],
)
@dataclass(frozen=True)
class Part:
    """One part of the data on the device; the first ``rows`` rows are examples, the rest is padding.

    How many are examples is a leaf, so that the folds of a cross-validation, padded alike, share a program.
    """

    x: Array  # shape=(padded, …), as the network sees it
    y: Array  # shape=(padded,) or (padded, outputs), as the loss sees it
    weight: Array  # shape=(padded,); what an example counts in scores, 0 for padding
    pull: Array  # shape=(padded,); what it counts in the training cost: weight times its class' weight
    mean: Array  # shape=(outputs,) or (); y * scale + mean is the target in the user's units
    scale: Array
    rows: Array  # shape=(), int32
    block: int


def part(x: Any, y: Any, weight: Any, pull: Any, mean: Any, scale: Any, room: int = 0) -> Part:
    """Pad to whole blocks of at most 128 rows, with room for ``room`` rows at least, and put on the device.

    >>> p = part(np.ones((3, 2), np.float32), np.zeros(3, np.int32), np.ones(3), np.ones(3), 0.0, 1.0)
    >>> int(p.rows), p.x.shape
    (3, (3, 2))
    """
    rows = x.shape[0]
    room = max(room, rows)
    block = min(BLOCK, room)
    extra = room + -room % block - rows

    def padded(a: Any) -> Array:
        a = np.asarray(a)
        return jax.numpy.asarray(np.concatenate([a, np.repeat(a[:1] * 0, extra, axis=0)]) if extra else a)

    f = jax.numpy.result_type(float)
    weight, pull = np.asarray(weight, f), np.asarray(pull, f)
    mean, scale = jax.numpy.asarray(np.asarray(mean, f)), jax.numpy.asarray(np.asarray(scale, f))
    count = jax.numpy.asarray(rows, jax.numpy.int32)
    return Part(padded(x), padded(y), padded(weight), padded(pull), mean, scale, count, block)
