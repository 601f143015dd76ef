"""Columns that say the target in other words."""

from collections.abc import Iterable

import numpy as np

from fnopt._types import Column
from fnopt.data._numbers import USUAL
from fnopt.data._table import Cells, Table

LEAST = 20  # rows below which it may be chance
MOST = 1000  # different texts of a target that is looked at as one of classes


def copies(table: Table, columns: Iterable[Column], target: str, y: np.ndarray) -> list[str]:
    """The columns that are a copy of the target: cells that go with its values one to one, or a multiple plus a number.

    Args:
        table: the cells.
        columns: the inputs.
        target: the column to predict.
        y: its numbers or texts, shape=(m,).
    """
    if len(y) < LEAST:
        return []
    wanted = _codes(table.columns[target])
    values = y.astype(np.float64) if y.dtype.kind in "if" and len(np.unique(y)) > 2 else None
    found: list[str] = []
    for column in columns:
        cells = table.columns[column.name]
        plain = column.categories is None and column.form is None
        if _one_to_one(_codes(cells), wanted) or (plain and values is not None and _multiple(cells, values)):
            found.append(column.name)
    return found


def _codes(cells: Cells) -> np.ndarray | None:
    """A number for each different text; None where there are too many of them."""
    if len(cells.texts) > 2 * MOST:
        return None
    _, inverse = np.unique(np.array(cells.texts), return_inverse=True)
    return inverse.reshape(-1)[cells.codes]


def _one_to_one(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    if a is None or b is None:
        return False
    kinds = len(np.unique(a))
    if not 2 <= kinds <= min(MOST, len(a) // 2) or kinds != len(np.unique(b)):
        return False
    return len(np.unique(a.astype(np.int64) * (b.max() + 1) + b)) == kinds


def _multiple(cells: Cells, y: np.ndarray) -> bool:
    """Whether numbers are c · y + d: their distances from the line through two points are rounding."""
    texts = cells.numbers(USUAL)
    if texts is None or y.min() == y.max():
        return False
    x = texts[cells.codes]
    low, high = int(np.argmin(y)), int(np.argmax(y))
    slope = (x[high] - x[low]) / (y[high] - y[low])
    if not (np.isfinite(slope) and slope):
        return False
    line = x[low] + slope * (y - y[low])
    return bool(np.abs(x - line).max() <= 1e-9 * (np.abs(x).max() + abs(slope) * np.abs(y).max()))
