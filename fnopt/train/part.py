"""Data as the lane program sees it: whole blocks of rows, padding counted by weight 0."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array

from fnopt._types import Batch, Trial
from fnopt.tree import on_device

BLOCK = 128  # rows scored at once: bits of a score then do not depend on the number of cores
FEW = 32  # rows; a part of fewer is padded rather than have its sister scored in so small blocks


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["x", "y", "weight", "pull", "mean", "scale", "rows", "truth", "user"],
    meta_fields=["block", "exact"],
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
    mean: Array  # shape=(outputs,) or (); values * scale + mean is what scores are taken of
    scale: Array
    rows: Array  # shape=(), int32
    block: int
    truth: Array | None = None  # as y; what outputs are scored against, where y itself has lost digits of it
    user: tuple[Array, Array] | None = None  # (unit, shift): scored values * unit + shift are the user's own
    exact: int | None = None  # ``rows``, where programs are for exactly these: no padding is ever read


def block_of(*rows: int) -> int:
    """The size of the blocks in which parts of so many rows are scored.

    >>> block_of(1000, 300), block_of(90, 30), block_of(40, 5), block_of(3)
    (128, 32, 32, 3)
    """
    return min(BLOCK, max(rows), max(FEW, min(rows)))


def part(
    x: Any,
    y: Any,
    weight: Any,
    pull: Any,
    mean: Any,
    scale: Any,
    room: int = 0,
    block: int | None = None,
    truth: Any = None,
) -> Part:
    """Pad to whole blocks, with room for ``room`` rows at least, and put on the device.

    ``block`` is the size of a block where it is not this part's alone to say, see :func:`block_of`.

    >>> p = part(np.ones((3, 2), np.float32), np.zeros(3, np.int32), np.ones(3), np.ones(3), 0.0, 1.0)
    >>> int(p.rows), p.x.shape
    (3, (3, 2))
    """
    rows = x.shape[0]
    room = max(room, rows)
    block = block_of(room) if block is None else block
    extra = room + -room % block - rows

    def padded(a: Any) -> Array:
        a = np.asarray(a)
        return on_device(np.concatenate([a, np.repeat(a[:1] * 0, extra, axis=0)]) if extra else a)

    f = jax.numpy.result_type(float)
    weight, pull = np.asarray(weight, f), np.asarray(pull, f)
    mean, scale = on_device(np.asarray(mean, f)), on_device(np.asarray(scale, f))
    count = on_device(np.int32(rows))
    known = None if truth is None else padded(truth)
    return Part(padded(x), padded(y), padded(weight), padded(pull), mean, scale, count, block, known)


EXACT = ("short", "drop")  # what a trial says of its last batch where no padding may be read


def seen_by(trial: Trial, part: Part) -> Part:
    """A part as a structure wants it: with its number of rows known to the compiler, where no padding may be read.

    >>> p = part(np.ones((3, 2), np.float32), np.zeros(3, np.int32), np.ones(3), np.ones(3), 0.0, 1.0)
    >>> from types import SimpleNamespace
    >>> seen_by(SimpleNamespace(batch="short"), p).exact, seen_by(SimpleNamespace(batch="masked"), p).exact
    (3, None)
    """
    return replace(part, exact=int(part.rows)) if trial.batch in EXACT else part


def rows_of(part: Part, begin: Any, count: int) -> Batch:
    """``count`` examples from row ``begin``, counted as scores count them; all of them exist."""
    take = partial(jax.lax.dynamic_slice_in_dim, start_index=begin, slice_size=count)
    return Batch(x=take(part.x), y=take(part.y), weight=take(part.weight))
