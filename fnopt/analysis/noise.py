"""How large the noise of a score is, and which configurations lie within it of the best."""

import math
from typing import Any, NamedTuple

import numpy as np

WIDE = 2.0  # standard errors of a difference of two means over many examples
LEVEL = 0.975  # of Student's t, where a standard error comes from few repeats


class Noise(NamedTuple):
    """Each configuration minus the chosen one."""

    difference: np.ndarray  # shape=(n,)
    error: np.ndarray  # shape=(n,); its standard error, NaN where nothing says it
    within: np.ndarray  # shape=(n,), bool; whether the difference is inside the noise; False for the chosen one


def mean_error(values: Any) -> float:
    """The standard error of a mean: s/√n with n − 1 in s; NaN for fewer than two.

    >>> mean_error([1.0, 3.0])
    1.0
    """
    v = np.asarray(values, np.float64).reshape(-1)
    return float(np.std(v, ddof=1) / math.sqrt(len(v))) if len(v) > 1 else math.nan


def rate_error(rate: float, examples: float) -> float:
    """The standard error of a share of n examples, √(p(1 − p)/n); at 0 and 1 of p = 1/(n + 2), which is not sure.

    >>> round(rate_error(0.1, 90), 4), round(rate_error(0.0, 98), 3)
    (0.0316, 0.01)
    """
    p = min(max(rate, 0.0), 1.0)
    if p in (0.0, 1.0):
        p = 1 / (examples + 2)
    return math.sqrt(p * (1 - p) / examples)


def reach(repeats: int) -> float:
    """How many standard errors a mean over repeats must be from 0 to count: Student's t, 2 for a mean over examples.

    >>> reach(1), round(reach(3), 2)
    (2.0, 4.3)
    """
    if repeats < 2:
        return WIDE
    from scipy.special import stdtrit

    return float(stdtrit(repeats - 1, LEVEL))


def within_noise(scores: Any, chosen: int, *, examples: int | None = None) -> Noise:
    """Which configurations the noise cannot distinguish from the chosen one.

    With several seeds or folds, differences are paired: d = mean(a − b), its error s/√k, and Student's t with k − 1
    degrees of freedom says how far d must be from 0 (95 %). With one, a score that is a share of ``examples`` has the
    binomial error of either, √(p(1 − p)/n + q(1 − q)/n), and d must be beyond twice that. Both look at one pair: the
    best of many is also lucky, so it is a lower bound of the doubt.

    Args:
        scores: shape=(n,) or (n, repeats); column k has the same seed and fold in every row.
        chosen: the row that others are compared with.
        examples: how many examples a score is the share of, where it is one; None where it is none.

    Returns:
        ``Noise(difference, error, within)``, each shape=(n,).

    Raises:
        ValueError: for scores of another shape, and for a row that is not there.

    >>> within_noise([0.90, 0.89, 0.70], 0, examples=100).within.tolist()
    [False, True, False]
    """
    table = np.asarray(scores, np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not 0 <= chosen < len(table):
        raise ValueError(f"`scores` must have shape (n, repeats) with row {chosen} in it, got {table.shape}")
    n, repeats = table.shape
    gaps = table - table[chosen]
    difference = gaps.mean(axis=1)
    error = np.full(n, math.nan)
    if repeats > 1:
        error = np.std(gaps, axis=1, ddof=1) / math.sqrt(repeats)
    elif examples is not None:
        each = [rate_error(p, examples) if 0 <= p <= 1 else math.nan for p in table[:, 0]]
        error = np.hypot(each, each[chosen])
    within = np.abs(difference) <= reach(repeats) * error  # False where either is NaN
    within[chosen] = False
    return Noise(difference, error, within)
