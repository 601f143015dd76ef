"""Rows held out of the training data; their loss chooses the best epoch."""

from typing import NamedTuple

import chex
import numpy as np

from fnopt._types import Dataset
from fnopt.data._rows import permutation, take


class HeldOut(NamedTuple):
    """The two parts, and which rows of the data the second has."""

    train: Dataset
    dev: Dataset
    rows: np.ndarray  # shape=(held out,), int64, rising


def hold_out(data: Dataset, share: float, key: chex.PRNGKey, task: str) -> HeldOut | None:
    """A share of the rows, at random, held out; None where none can be spared.

    Each class gives its share, rounded by largest remainder, and keeps at least one row in the training part. Rows of
    weight 0 count for nothing and stay there.

    Args:
        data: what to learn from.
        share: in [0, 1); of the rows that count.
        key: what the choice draws from.
        task: ``"classes"`` where classes are to keep their shares.
    """
    m = len(data)
    counts = np.ones(m, bool) if data.weight is None else np.asarray(data.weight) > 0
    labels = (
        np.unique(np.asarray(data.y), return_inverse=True)[1].reshape(-1) if task == "classes" else np.zeros(m, int)
    )
    rows = permutation(key, m)
    rows = rows[counts[rows]]
    sizes = np.bincount(labels[rows])
    taken = _shares(sizes, share)
    rank = np.concatenate([np.flatnonzero(labels[rows] == k)[:n] for k, n in enumerate(taken)])
    held = np.sort(rows[rank])
    if not len(held):
        return None
    stays = np.ones(m, bool)
    stays[held] = False
    return HeldOut(take(data, np.flatnonzero(stays)), take(data, held), held)


def _shares(sizes: np.ndarray, share: float) -> np.ndarray:
    """How many of each class are taken: about ``share`` of all, at least one in all, and never the whole class."""
    exact = share * sizes
    taken = np.minimum(np.floor(exact).astype(int), np.maximum(sizes - 1, 0))
    wanted = max(round(share * sizes.sum()), int(share > 0))
    for k in np.argsort(taken - exact, kind="stable"):
        if taken.sum() < wanted and taken[k] < sizes[k] - 1 and exact[k] > 0:
            taken[k] += 1
    return taken
