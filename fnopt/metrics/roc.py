"""The receiver operating characteristic: what each threshold finds against what it mistakes."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import one_of
from fnopt.metrics._inputs import (
    floats,
    labels,
    library,
    numbers,
    ranked,
    spoil,
    weights,
    where_counted,
    whole,
    within,
)
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import ratio, relative
from fnopt.metrics.area import trapezoids


class RocCurve(NamedTuple):
    """Points from (0, 0) to (1, 1), one for each example: examples with equal scores repeat their common point."""

    fpr: Array  # shape=(m + 1,); share of the negatives with score >= threshold
    tpr: Array  # shape=(m + 1,); share of the positives with score >= threshold
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
    t, s, w = _checked(truth, score, weight)
    if s.ndim != 1:
        raise ValueError(f"a curve is of one score an example, shape (m,), got {s.shape}; take one column at a time")
    return _curve(t, s, w)


@jax.jit
def _curve(t: Array, s: Array, w: Array) -> RocCurve:
    thresholds, fp, tp = _cumulate(t, s, w)
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
    t, s, w = _checked(truth, ranked(numbers("score", score)), weight)
    if s.ndim == 1:
        return _auc(t, s, w)
    if average is not None:
        one_of("average", average, ("macro", "weighted"))
    return _auc_of_columns(t, s, w, average)


@partial(jax.jit, static_argnames="average")
def _auc_of_columns(t: Array, s: Array, w: Array, average: str | None) -> Array:
    if t.ndim == 1:
        t = (t[:, None] == jnp.arange(s.shape[1], dtype=jnp.int32)[None, :]).astype(jnp.int32)
    each = jax.vmap(_auc, in_axes=(1, 1, None))(t, s, w)
    if average is None:
        return each
    there = jnp.sum(w[:, None] * t.astype(w.dtype), axis=0)
    defined = (there > 0) & (there < jnp.sum(w))
    share = jnp.where(defined, there if average == "weighted" else jnp.ones_like(there), 0)
    return ratio(jnp.sum(share * jnp.where(defined, each, 0)), jnp.sum(share), jnp.nan)


def _checked(truth: ArrayLike, score: ArrayLike, weight: ArrayLike | None) -> tuple[Array, Array, Array]:
    """Labels, scores and weights that fit each other; rows of weight 0 score as the least that counts."""
    t, s = labels("truth", truth), numbers("score", score)
    of_classes = t.ndim == 1 and s.ndim == 2
    if len(t) != len(s) or s.ndim > 2 or (not of_classes and t.shape != s.shape) or (of_classes and s.shape[1] < 2):
        raise ValueError(
            "`truth` and `score` must have shapes (m,) and (m,), (m,) and (m, classes), or (m, labels) both; "
            f"got {t.shape} and {s.shape}"
        )
    s, w = floats(s), whole("truth", t, weights(weight, len(t)))
    cure = "several classes need a column of `score` each"
    t, w = within("truth", t, w, s.shape[1] if of_classes else 2, cure)
    w = spoil(w, s != s)
    least = where_counted(w, s, np.inf).min(axis=0, keepdims=True)
    return t, where_counted(w, s, library(s, w).broadcast_to(least, s.shape)), w


def _cumulate(truth: Array, score: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Thresholds, and the weight of negatives and positives at or above each."""
    w = relative(weight)
    minus, neg, pos = jax.lax.sort((-score, jnp.where(truth == 1, 0, w), jnp.where(truth == 1, w, 0)), num_keys=1)
    last = jnp.concatenate([minus[1:] != minus[:-1], jnp.ones(1, bool)])  # of those with its score
    total = jnp.cumsum(jnp.stack([neg, pos]), axis=1)
    # The least that follows is the next last one's; rising whatever rounding did to the sums.
    fp, tp = jax.lax.cummin(jnp.where(last[None, :], total, jnp.inf), axis=1, reverse=True)
    return _start(jnp.inf, -minus), _start(0, fp), _start(0, tp)


def _start(first: float, x: Array) -> Array:
    return jnp.concatenate([jnp.full(1, first, x.dtype), x])


@jax.jit
def _auc(truth: Array, score: Array, weight: Array) -> Array:
    _, fp, tp = _cumulate(truth, score, weight)
    return ratio(trapezoids(fp, tp), fp[-1] * tp[-1], jnp.nan)  # of counts, which are exact where weights are alike
