"""Spearman's rank correlation, and how well the ranking at one rung foretells that at another."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnopt._checks import whole


def ranks(values: Any) -> np.ndarray:
    """Ranks from 1, equal values sharing the mean of theirs; shape=(n,), float64.

    >>> ranks([10.0, 30.0, 10.0]).tolist()
    [1.5, 3.0, 1.5]
    """
    _, levels, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[levels.reshape(-1)]


def spearman(one: Any, other: Any) -> float:
    """The correlation of the ranks of two columns: ρ = cov(r, s)/(σ_r σ_s), with ties at the mean of their ranks.

    Args:
        one: shape=(n,); a pair counts where both are finite.
        other: shape=(n,).

    Returns:
        A number in [-1, 1]; NaN for fewer than two pairs, and where a column is constant.

    Raises:
        ValueError: for columns of different lengths.

    Source: Spearman, "The proof and measurement of association between two things", 1904,
    https://doi.org/10.2307/1412159.

    >>> round(spearman([1, 2, 3, 4], [1, 3, 2, 4]), 6)
    0.8
    """
    a, b = (np.asarray(x, np.float64).reshape(-1) for x in (one, other))
    if len(a) != len(b):
        raise ValueError(f"both columns must have one length, got {len(a)} and {len(b)}")
    there = np.isfinite(a) & np.isfinite(b)
    if there.sum() < 2:
        return float("nan")
    r, s = (ranks(x[there]) for x in (a, b))
    r, s = r - r.mean(), s - s.mean()
    size = np.sqrt(np.sum(r * r) * np.sum(s * s))
    return float(np.sum(r * s) / size) if size > 0 else float("nan")


def rank_correlation(curves: Any, epochs: Sequence[int]) -> np.ndarray:
    """Spearman's ρ between the scores at some rungs, of the configurations that reached both.

    Near 1 at an early rung, a poor configuration may be stopped there; near 0 it says nothing yet. The pairs with a
    later rung are those that a rule let continue: their correlation is less than that of all would be.

    Args:
        curves: shape=(n, most epochs), the objective after each epoch; NaN where a configuration did not train so far.
        epochs: of the rungs, from 1.

    Returns:
        shape=(rungs, rungs), symmetric, 1 on the diagonal; NaN where fewer than two configurations reached both.

    Raises:
        ValueError: for an epoch that the curves do not have.

    >>> rank_correlation([[0.1, 0.2], [0.2, 0.3], [0.3, 0.4]], (1, 2)).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    table = np.asarray(curves, np.float64)
    if table.ndim != 2:
        raise ValueError(f"`curves` must have shape (configurations, epochs), got {table.shape}")
    ages = [whole("epochs", epoch) for epoch in epochs]
    if ages and max(ages) > table.shape[1]:
        raise ValueError(f"`epochs` goes to {max(ages)}, and the curves have {table.shape[1]} epochs")
    found = np.eye(len(ages))
    for i, a in enumerate(ages):
        for j, b in enumerate(ages[:i]):
            found[i, j] = found[j, i] = spearman(table[:, a - 1], table[:, b - 1])
    return found
