"""A column of configurations as orthonormal functions of it: what it may do to a score by itself."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

OPTIONS = 6  # functions of a column of options, at most: of more, the most frequent have one each
SMALL = 1e-9  # of the largest: what is smaller is 0 but for rounding


class Basis(NamedTuple):
    """The functions of one column, of mean 0 and mean square 1 over the configurations that have it."""

    name: str
    values: np.ndarray  # shape=(n, functions); 0 where a configuration lacks the name
    ordered: bool  # polynomials of the rank, from degree 1; else contrasts between options


def column_basis(name: str, values: Sequence[Any], degree: int) -> Basis | None:
    """The functions of a column; None where it never varies.

    Of numbers they are polynomials of the rank up to ``degree``, so that a range counts as it was drawn from, on a log
    scale where it was. What is no number is an option by its text. They are made orthonormal over the configurations
    that have the name; to the others they give 0, so that the name says nothing about those, nor about which they are.

    Args:
        name: of the column.
        values: one a configuration; None or NaN where it lacks the name.
        degree: of the polynomials, ≥ 1.

    >>> column_basis("lr", [0.001, 0.01, 0.1], 1).values[[0, 2]].round(3).tolist()
    [[-1.225], [1.225]]
    >>> column_basis("lr", [0.1, 0.1], 1)
    """
    there = np.array([not _missing(value) for value in values], bool)
    some = [value for value, here in zip(values, there, strict=True) if here]
    ordered = all(isinstance(value, int | float | np.number | np.bool_) for value in some)
    kinds = np.asarray([float(x) for x in some]) if ordered else np.asarray([str(x) for x in some])
    levels, code, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    if len(levels) < 2:
        return None
    if ordered:
        rank = 2 * (np.cumsum(counts) - counts / 2)[code.reshape(-1)] / counts.sum() - 1
        raw = np.polynomial.legendre.legvander(rank, min(degree, len(levels) - 1))
    else:
        common = np.argsort(-counts, kind="stable")[: min(len(levels) - 1, OPTIONS)]
        raw = np.concatenate([np.ones((len(some), 1)), code.reshape(-1, 1) == common], axis=1)
    q, r = np.linalg.qr(raw)
    size = np.abs(np.diag(r))
    found = np.zeros((len(values), raw.shape[1] - 1))
    found[there] = q[:, 1:] * np.sign(np.diag(r))[1:] * math.sqrt(len(some))
    return Basis(name, found[:, size[1:] > SMALL * size.max()], ordered)


def bases_of(columns: Mapping[str, Sequence[Any]], degree: int) -> list[Basis]:
    """Those of all columns that vary."""
    found = [column_basis(name, values, degree) for name, values in columns.items()]
    return [one for one in found if one is not None]


def products(a: Basis, b: Basis, degree: int) -> np.ndarray:
    """What two columns may do together: the products of their functions, of numbers those up to ``degree``."""
    left, right = (one.values[:, :degree] if one.ordered else one.values for one in (a, b))
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and math.isnan(value))
