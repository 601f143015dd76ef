"""Precision against recall: what each threshold finds, and how much of what it calls positive is."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import one_of
from fnopt.metrics._inputs import numbers, ranked
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import ratio
from fnopt.metrics._thresholds import checked, columns, cumulated, mean_of_columns, one_column


class PrecisionRecallCurve(NamedTuple):
    """Points from recall 0 to recall 1, one for each example: examples of equal scores repeat their common point."""

    precision: Array  # shape=(m + 1,); share of the positives among examples with score >= threshold; the first is 1
    recall: Array  # shape=(m + 1,); share of the positives that have score >= threshold
    thresholds: Array  # shape=(m + 1,); falling, the first is infinite


@exact("score")
def precision_recall_curve(
    truth: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None
) -> PrecisionRecallCurve:
    """Precision TP / (TP + FP) and recall TP / P, an example being called positive where score >= threshold.

    The ideal point is (1, 1). Look at this curve rather than at ROC where positives are rare. It has m + 1 points
    whatever the ties, in order of falling thresholds; scikit-learn has each point once, in the opposite order. Davis
    and Goadrich, "The relationship between Precision-Recall and ROC curves", 2006,
    https://doi.org/10.1145/1143844.1143874.

    Args:
        truth: 0 or 1, shape=(m,).
        score: larger is more positive (logits or probabilities), shape=(m,).
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        The curve. Recall is 1 where no positive counts, as in scikit-learn; all is NaN where a score is NaN.

    Raises:
        ValueError: for shapes that differ, and for labels other than 0 and 1.

    >>> curve = precision_recall_curve([0, 1, 1], [0.2, 0.7, 0.1])
    >>> curve.precision.round(3).tolist(), curve.recall.tolist()
    ([1.0, 1.0, 0.5, 0.667], [0.0, 0.5, 0.5, 1.0])
    """
    return _curve(*one_column(truth, score, weight))


@jax.jit
def _curve(t: Array, s: Array, w: Array) -> PrecisionRecallCurve:
    thresholds, fp, tp = cumulated(t, s, w)
    precision = ratio(tp, tp + fp, 0).at[0].set(jnp.where(jnp.isnan(tp[-1] + fp[-1]), jnp.nan, 1))
    recall = ratio(tp, tp[-1], 1).at[0].set(jnp.where(jnp.isnan(tp[-1]), jnp.nan, 0))
    return PrecisionRecallCurve(precision=precision, recall=recall, thresholds=thresholds)


@exact("score")
def average_precision(
    truth: ArrayLike,
    score: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    average: str | None = "macro",
    zero_division: ArrayLike = 0,
) -> Array:
    """The mean precision over the positives: Σ_n (R_n - R_n-1) P_n over falling thresholds, without interpolation.

    1 is perfect; scores that tell nothing give the share of positives. With scores in columns, each class against the
    rest, or each label of several. Zhu, "Recall, Precision and Average Precision", 2004.

    Args:
        truth: 0 or 1, shape=(m,); labels 0..classes-1, shape=(m,); or 0/1 columns, shape=(m, labels).
        score: larger is likelier, shape=(m,), (m, classes) or (m, labels).
        weight: shape=(m,), not negative; None counts each example once.
        average: over columns: "macro" (the mean), "micro" (all columns as one), "weighted" (by the positives' weight)
            or None (each).
        zero_division: the value of a column without positives, 0 as in scikit-learn; with nan, means leave it out.

    Returns:
        Scalar, or shape=(columns,) with ``average=None``. NaN where no example counts, and where a score that counts is
        NaN.

    Raises:
        ValueError: for shapes that do not fit, and for labels out of range.

    >>> round(float(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    t, s, w = checked(truth, ranked(numbers("score", score)), weight)
    if s.ndim == 1:
        return _average_precision(t, s, w, zero_division)
    if average is not None:
        one_of("average", average, ("macro", "micro", "weighted"))
    return _of_columns(t, s, w, zero_division, average)


@partial(jax.jit, static_argnames="average")
def _of_columns(t: Array, s: Array, w: Array, zero_division: ArrayLike, average: str | None) -> Array:
    t = columns(t, s.shape[1])
    if average == "micro":
        return _average_precision(t.reshape(-1), s.reshape(-1), jnp.repeat(w, s.shape[1]), zero_division)
    each = jax.vmap(_average_precision, in_axes=(1, 1, None, None))(t, s, w, zero_division)
    return mean_of_columns(each, jnp.sum(w[:, None] * t.astype(w.dtype), axis=0), average)


@jax.jit
def _average_precision(t: Array, s: Array, w: Array, zero_division: ArrayLike) -> Array:
    _, fp, tp = cumulated(t, s, w)
    value = ratio(jnp.sum(jnp.diff(tp) * ratio(tp, tp + fp, 0)[1:]), tp[-1], zero_division)
    return jnp.where(tp[-1] + fp[-1] == 0, jnp.nan, value)
