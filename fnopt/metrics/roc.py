"""The receiver operating characteristic: what each threshold finds against what it mistakes."""

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
from fnopt.metrics.area import trapezoids


class RocCurve(NamedTuple):
    """Points from (0, 0) to (1, 1), one for each example: examples with equal scores repeat their common point."""

    fpr: Array  # shape=(m + 1,); share of the negatives with score >= threshold
    tpr: Array  # shape=(m + 1,); share of the positives with score >= threshold
    thresholds: Array  # shape=(m + 1,); falling, the first is infinite


class DetCurve(NamedTuple):
    """Points from (0, 1) to (1, 0), one for each example: examples with equal scores repeat their common point."""

    fpr: Array  # shape=(m + 1,); share of the negatives with score >= threshold
    fnr: Array  # shape=(m + 1,); share of the positives with score < threshold
    thresholds: Array  # shape=(m + 1,); falling, the first is infinite


@exact("score")
def roc_curve(truth: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None) -> RocCurve:
    """True against false positive rate, an example being called positive where score >= threshold, at every score.

    The curve has m + 1 points whatever the ties, so its shape is known to jit and vmap; a point repeats for equal
    scores, and the last for examples of weight 0. scikit-learn's with ``drop_intermediate=False`` has each once.

    Args:
        truth: 0 or 1, shape=(m,).
        score: larger is more positive (logits or probabilities), shape=(m,).
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        The curve. ``tpr`` is NaN where no positive counts, ``fpr`` where no negative does, both where a score is NaN.

    Raises:
        ValueError: for shapes that differ, and for labels other than 0 and 1.

    >>> curve = roc_curve([0, 1, 1], [0.2, 0.7, 0.7])
    >>> curve.fpr.tolist(), curve.tpr.tolist()
    ([0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0])
    """
    return _curve(*one_column(truth, score, weight))


@exact("score")
def det_curve(truth: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None) -> DetCurve:
    """False negative against false positive rate at every score: the detection error tradeoff.

    Arguments and errors are those of :func:`roc_curve`, whose points it has: fnr = 1 - tpr. On axes of normal quantiles
    normal scores give a straight line. Martin et al., "The DET curve in assessment of detection task performance",
    1997.

    >>> curve = det_curve([0, 1, 1], [0.2, 0.7, 0.7])
    >>> curve.fpr.tolist(), curve.fnr.tolist()
    ([0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0])
    """
    return _det(*one_column(truth, score, weight))


@jax.jit
def _det(t: Array, s: Array, w: Array) -> DetCurve:
    thresholds, fp, tp = cumulated(t, s, w)
    return DetCurve(ratio(fp, fp[-1], jnp.nan), ratio(tp[-1] - tp, tp[-1], jnp.nan), thresholds)


@jax.jit
def _curve(t: Array, s: Array, w: Array) -> RocCurve:
    thresholds, fp, tp = cumulated(t, s, w)
    return RocCurve(fpr=ratio(fp, fp[-1], jnp.nan), tpr=ratio(tp, tp[-1], jnp.nan), thresholds=thresholds)


@exact("score")
def roc_auc(
    truth: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None, average: str | None = "macro"
) -> Array:
    """The area under :func:`roc_curve`: how likely a positive scores above a negative, equal scores counting half.

    1 is perfect, 0.5 what chance gives, and exactly 0.5 where all scores are equal. With scores in columns, each
    class against the rest (Provost and Domingos, 2001), or each label of several. Hanley and McNeil, 1982,
    https://doi.org/10.1148/radiology.143.1.7063747.

    Args:
        truth: 0 or 1, shape=(m,); labels 0..classes-1, shape=(m,); or 0/1 columns, shape=(m, labels).
        score: larger is likelier, shape=(m,), (m, classes) or (m, labels).
        weight: shape=(m,), not negative; None counts each example once.
        average: over columns: "macro" (the mean), "weighted" (by the positives' weight) or None (each).

    Returns:
        Scalar, or shape=(columns,) with ``average=None``. NaN where one of the two classes is absent and where a
        score that counts is NaN. A mean leaves out the columns with a class absent; it is NaN where all are such.

    Raises:
        ValueError: for shapes that do not fit, and for labels out of range.

    >>> float(roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    t, s, w = checked(truth, ranked(numbers("score", score)), weight)
    if s.ndim == 1:
        return _auc(t, s, w)
    if average is not None:
        one_of("average", average, ("macro", "weighted"))
    return _auc_of_columns(t, s, w, average)


@partial(jax.jit, static_argnames="average")
def _auc_of_columns(t: Array, s: Array, w: Array, average: str | None) -> Array:
    t = columns(t, s.shape[1])
    each, there = jax.vmap(_auc, in_axes=(1, 1, None))(t, s, w), jnp.sum(w[:, None] * t.astype(w.dtype), axis=0)
    return mean_of_columns(each, there, average)


@jax.jit
def _auc(truth: Array, score: Array, weight: Array) -> Array:
    _, fp, tp = cumulated(truth, score, weight)
    return ratio(trapezoids(fp, tp), fp[-1] * tp[-1], jnp.nan)  # of counts, which are exact where weights are alike
