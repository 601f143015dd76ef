"""Columns whose values the device's type cannot tell apart, though the data tell them apart."""

import warnings
from typing import Any

import numpy as np

from fnopt._checks import printable

ROWS, ENTRIES = 4096, 1 << 18  # looked at: this many rows at most, and entries
FEW = 0.01  # of the different values: of 4,096 draws this share may fall together by chance


def warn_unresolved(what: str, x: Any, z: np.ndarray, names: tuple[str, ...] | None, cure: str) -> None:
    """Warn of the columns of ``x`` that lose different values on their way to ``z``, what a model is trained on.

    Args:
        what: how to call the array.
        x: shape=(m, …), the data as they came.
        z: the same shape, as the network or the loss sees them.
        names: of the columns of a two-dimensional ``x``.
        cure: what to do about it.
    """
    found = unresolved(x, z)
    if not found:
        return
    listed = []
    for place, before, after in found[:3]:
        name = names[place[0]] if names and len(place) == 1 else None
        column = repr(printable(name)) if name is not None else "" if not place else ", ".join(map(str, place))
        listed.append(f"{f'column {column}: ' if column else ''}{before} different values become {after}")
    more = f" and {len(found) - 3} columns more" if len(found) > 3 else ""
    warnings.warn(
        f"{z.dtype.name} cannot tell values of `{what}` apart that differ ({'; '.join(listed)}{more}): {cure}",
        stacklevel=2,
    )


def unresolved(x: Any, z: np.ndarray) -> list[tuple[tuple[int, ...], int, int]]:
    """(index of the column, different values in ``x``, different values in ``z``) where more than a few are lost.

    >>> x = np.array([[0.0, 1e9], [1.0, 1e9 + 1], [2.0, 1e9 + 2]])
    >>> unresolved(x, x.astype(np.float32))
    [((1,), 3, 1)]
    """
    columns = max(int(np.prod(x.shape[1:])), 1)
    count = min(len(x), ROWS, max(256, ENTRIES // columns))
    rows = np.unique(np.linspace(0, len(x) - 1, count).astype(np.int64))
    shape = x.shape[1:]
    some = np.asarray(x)[rows].reshape(len(rows), columns)
    seen = np.asarray(z)[rows].reshape(len(rows), columns)
    before, after = _different(some), _different(np.where(some == some, seen, np.nan))
    lost = np.flatnonzero(before - after > FEW * before)
    return [(tuple(map(int, np.unravel_index(k, shape))) if shape else (), int(before[k]), int(after[k])) for k in lost]


def _different(a: np.ndarray) -> np.ndarray:
    """How many different numbers each column holds, NaN left out."""
    a = np.sort(a.astype(np.float32) if a.dtype.itemsize < 4 and a.dtype.kind not in "biu" else a, axis=0)
    new = a[1:] != a[:-1] if a.dtype.kind in "biu" else (a[1:] != a[:-1]) & ~np.isnan(a[1:])
    return new.sum(axis=0) + (1 if a.dtype.kind in "biu" else (~np.isnan(a[:1])).sum(axis=0))
