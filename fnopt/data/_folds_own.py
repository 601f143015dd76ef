"""Folds that somebody else made, checked."""

from collections.abc import Iterable
from typing import Any

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


def own_pairs(pairs: Iterable[Any], m: int) -> list[Pair]:
    """(train rows, dev rows) of each fold, in range, apart and not empty; None for train means all other rows."""
    checked = [_pair(number, pair, m) for number, pair in enumerate(pairs)]
    if not checked:
        raise ValueError("no folds: give one pair (train rows, dev rows) or more, or their number such as 5")
    return checked


def others(rows: np.ndarray, m: int) -> np.ndarray:
    """The numbers 0 to ``m`` − 1 without these."""
    return np.setdiff1d(np.arange(m), rows, assume_unique=True)


def _pair(number: int, pair: Any, m: int) -> Pair:
    if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
        raise TypeError(f"fold {number} must be a pair (train rows, dev rows), got {type(pair).__name__}")
    dev = _rows(f"fold {number}'s dev", pair[1], m)
    train = _rows(f"fold {number}'s train", others(dev, m) if pair[0] is None else pair[0], m)
    both = np.intersect1d(train, dev)
    if len(both):
        raise ValueError(f"fold {number} has row {both[0]} in both train and dev; the two must be apart")
    return train, dev


def _rows(what: str, rows: Any, m: int) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.size == 0:
        raise ValueError(f"{what} part is empty; each part needs a row or more")
    if rows.dtype.kind not in "iu" or rows.ndim != 1:
        cure = "; of a mask take np.flatnonzero(mask)" if rows.dtype.kind == "b" else ""
        raise TypeError(f"{what} part must be row numbers, shape (rows,), got {rows.dtype} of shape {rows.shape}{cure}")
    out = rows[(rows < 0) | (rows >= m)]
    if len(out):
        raise ValueError(f"{what} part has row {out[0]}; the rows of {m} examples are 0 to {m - 1}")
    values, counts = np.unique(rows, return_counts=True)
    if counts.max() > 1:
        row = values[np.argmax(counts)]
        raise ValueError(f"{what} part has row {row} more than once; to count an example more, give it a weight")
    return rows
