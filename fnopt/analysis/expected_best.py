"""What the best of k configurations is expected to be, from all that were tried."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnopt._checks import whole


def expected_best(scores: Any, tries: Sequence[int] | None = None, *, higher: bool = True) -> np.ndarray:
    """The mean of the best of k configurations over all choices of k of the n that were tried, without replacement.

    With the scores sorted from the worst to the best, y_1 ≤ … ≤ y_n,

        E_k = Σ_i y_i C(i − 1, k − 1) / C(n, k),

    which is unbiased for the best of k new draws of a random search; E_1 is the mean, E_n the best. A flat end says
    that more configurations would gain little.

    Args:
        scores: shape=(n,); one that is not finite counts as the worst finite one.
        tries: the numbers k, each from 1 to n; all of them unless given.
        higher: whether more is better.

    Returns:
        shape=(number of tries,), float64.

    Raises:
        ValueError: without a finite score, and for a k beyond n.

    Source: Tang et al., "Showing your work doesn't always work", 2020, https://arxiv.org/abs/2004.13705; the curve is
    that of Dodge et al., "Show your work", 2019, https://arxiv.org/abs/1909.03004, who draw with replacement.

    >>> expected_best([1.0, 2.0, 4.0]).round(4).tolist()
    [2.3333, 3.3333, 4.0]
    """
    y = np.asarray(scores, np.float64).reshape(-1)
    finite = np.isfinite(y)
    if not finite.any():
        raise ValueError(f"`scores` holds {len(y)} numbers, of which none is finite")
    worst = y[finite].min() if higher else y[finite].max()
    y = np.sort(np.where(finite, y, worst))
    y = y if higher else y[::-1]
    n = len(y)
    some = range(1, n + 1) if tries is None else [whole("tries", k) for k in tries]
    if any(k > n for k in some):
        raise ValueError(f"`tries` must be from 1 to the {n} configurations there are, got {max(some)}")
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])  # log 0!, log 1!, …
    return np.array([_weights(n, k, logs) @ y[k - 1 :] for k in some])


def _weights(n: int, k: int, logs: np.ndarray) -> np.ndarray:
    """C(i − 1, k − 1)/C(n, k) for i = k, …, n: of C(n, k) choices, those whose best is the i-th."""
    i = np.arange(k, n + 1)
    chosen = logs[i - 1] - logs[k - 1] - logs[i - k]
    weights = np.exp(chosen - (logs[n] - logs[k] - logs[n - k]))
    return weights / weights.sum()  # 1, but for rounding
