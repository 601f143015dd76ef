"""Inputs that determine the target exactly, as a copy of it does; most often they are unknown at prediction."""

import shlex
from collections.abc import Sequence

import numpy as np

from fnopt._types import Dataset

CLOSE, NAMED, CELLS = 1e-12, 5, 50_000_000  # what 1 − |correlation| of a copy is at most; lines; cells looked at


def leaks(data: Dataset, task: str) -> list[str]:
    """A line for each input that is a multiple of the target, or that has one value of its own in each class."""
    x = np.asarray(data.x)
    if x.ndim != 2 or x.size > CELLS or len(x) < 3:
        return []
    y = np.asarray(data.y)
    if task == "values" and (y.ndim == 1 or y.shape[1] == 1):
        found = _multiples(x, y.reshape(-1))
    elif task == "classes":
        found = _by_class(x, y.astype(int).reshape(-1))
    else:
        return []
    names = list(dict.fromkeys(_column(data.features, k) for k in found))
    table = data.columns is not None
    cures = [f"; where it is not known beforehand: --ignore {shlex.quote(name)}" if table else "" for name in names]
    lines = [f"input {name!r} determines the target exactly{cure}" for name, cure in zip(names, cures, strict=True)]
    return lines[:NAMED] + ([f"and {len(lines) - NAMED} more such inputs"] if len(lines) > NAMED else [])


def _multiples(x: np.ndarray, y: np.ndarray) -> list[int]:
    """Columns a with y = c a + b."""
    y = y.astype(np.float64) - y.mean(dtype=np.float64)
    found: list[int] = []
    for k in range(x.shape[1]):
        a = x[:, k].astype(np.float64)
        a -= a.mean()
        norm = np.sqrt((a @ a) * (y @ y))
        if np.isfinite(norm) and norm > 0 and 1 - abs(a @ y) / norm < CLOSE:
            found.append(k)
    return found


def _by_class(x: np.ndarray, y: np.ndarray) -> list[int]:
    """Columns with one value in each class, another in each."""
    groups = [x[y == label] for label in np.unique(y)]
    if len(groups) < 2:
        return []
    constant = np.all([np.all(group == group[0], axis=0) for group in groups], axis=0)
    return [
        k for k in np.flatnonzero(constant).tolist() if len({group[0, k].item() for group in groups}) == len(groups)
    ]


def _column(features: Sequence[str] | None, k: int) -> str:
    """The table's column that an input is of."""
    return f"{k + 1}" if features is None else features[k].split("=")[0]
