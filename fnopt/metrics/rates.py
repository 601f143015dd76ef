"""All rates of a confusion matrix at once."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import refuse, values
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import averaged, check_average, ratio
from fnopt.metrics.agreement import correlation
from fnopt.metrics.confusion import counts_of


class Rates(NamedTuple):
    """Rates of a confusion matrix: scalars, or with ``average=None`` the first five of shape=(classes,)."""

    sensitivity: Array  # TP / (TP + FN): recall, true positive rate
    specificity: Array  # TN / (TN + FP): true negative rate
    precision: Array  # TP / (TP + FP)
    false_positive_rate: Array  # FP / (FP + TN)
    f1: Array  # 2 TP / (2 TP + FP + FN)
    accuracy: Array  # the diagonal over all
    matthews_corrcoef: Array  # the correlation of truth and prediction


@exact("matrix")
def rates(matrix: ArrayLike, *, average: str | None = "binary", zero_division: ArrayLike = 0) -> Rates:
    """Every rate of a confusion matrix, as :func:`fnopt.metrics.precision` and its relatives have them.

    Args:
        matrix: rows are the truth, shape=(classes, classes), not negative.
        average: "binary" (class 1), "micro", "macro", "weighted" or None.
        zero_division: the value of 0/0; the accuracy of an empty matrix is NaN.

    Raises:
        ValueError: for a matrix that is not square, for a negative entry, and for "binary" with over two classes.

    >>> r = rates([[0, 2], [1, 1]])
    >>> float(r.sensitivity), float(r.specificity), float(r.accuracy), float(r.false_positive_rate)
    (0.5, 0.0, 0.25, 1.0)
    """
    n = values("matrix", matrix)
    if n.ndim != 2 or n.shape[0] != n.shape[1] or n.shape[0] < 2:
        raise ValueError(f"a confusion matrix has shape (classes, classes) with two classes or more, got {n.shape}")
    check_average(average, n.shape[0], columns=False)
    sound = refuse(np.ones(len(n), n.dtype), ~((n >= 0) & (n < np.inf)), n, "a confusion matrix counts from 0 on")
    return _rates(n * sound[:, None], average, zero_division)


@partial(jax.jit, static_argnames="average")
def _rates(n: Array, average: str | None, zero_division: ArrayLike) -> Rates:
    c = counts_of(n)
    there = c.tp + c.fn

    def rate(part: Array, rest: Array) -> Array:
        return averaged(part, part + rest, there, average, zero_division)

    return Rates(
        sensitivity=rate(c.tp, c.fn),
        specificity=rate(c.tn, c.fp),
        precision=rate(c.tp, c.fp),
        false_positive_rate=rate(c.fp, c.tn),
        f1=rate(2 * c.tp, c.fp + c.fn),
        accuracy=ratio(jnp.sum(c.tp), jnp.sum(n), jnp.nan),
        matthews_corrcoef=correlation(c, zero_division),
    )
