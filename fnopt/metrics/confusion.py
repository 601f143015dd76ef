"""How many examples of each class were called what."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import Labelled, labelled, single_label
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import added

PART = 2**18  # examples whose weights are added up in one place


class Counts(NamedTuple):
    """Each class against the rest, or each label of several: weights of the four outcomes, each shape=(classes,)."""

    tp: Array  # true positives
    fp: Array  # false positives
    fn: Array  # false negatives
    tn: Array  # true negatives


@exact("truth", "prediction")
def confusion_matrix(
    truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None, classes: int | None = None
) -> Array:
    """Entry (i, j) is the weight of the examples of class i that were called j: rows are the truth.

    Args:
        truth: labels 0..classes-1, shape=(m,).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.
        classes: how many; from the labels where they are known, else 2.

    Returns:
        Array of shape=(classes, classes), whose sum is the total weight.

    Raises:
        ValueError: for shapes that differ, and for labels that are no whole numbers in range.

    >>> confusion_matrix([0, 1, 0, 1], [1, 1, 1, 0]).tolist()
    [[0.0, 2.0], [1.0, 1.0]]
    """
    return _matrix(*single_label(labelled(truth, prediction, weight, classes)))


@partial(jax.jit, static_argnums=(3, 4))
def _matrix(t: Array, p: Array, w: Array, classes: int, alike: bool) -> Array:
    one = jnp.ones(t.shape, _whole_type(w)) if alike else w
    parts = 1 + (len(t) - 1) // PART  # each adds up few enough for float32 to lose no weight
    part = jnp.arange(len(t), dtype=jnp.int32) % parts
    matrix = _added_at((part * classes + t) * classes + p, one, parts * classes**2)
    matrix = matrix.reshape(parts, classes, classes).sum(axis=0).astype(w.dtype)
    return jnp.where(jnp.isnan(jnp.sum(w)), jnp.nan, matrix)


def _added_at(index: Array, x: ArrayLike, length: int) -> Array:
    """Σ of ``x`` for each index in [0, length): a scatter in one axis, which a CPU does twice as fast as in several."""
    zeros = jnp.zeros(length, jnp.asarray(x).dtype)
    return zeros.at[index].add(x, mode="promise_in_bounds")


@exact("truth", "prediction")
def multilabel_confusion_matrix(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    samplewise: bool = False,
) -> Array:
    """A matrix [[TN, FP], [FN, TP]] for each class against the rest, or for each label of several.

    Args:
        truth: labels 0..classes-1, shape=(m,), or 0/1 columns, shape=(m, labels).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.
        classes: how many; from the labels where they are known, else 2.
        samplewise: a matrix for each example instead, over its labels.

    Returns:
        Array of shape=(classes, 2, 2), or (m, 2, 2).

    Raises:
        ValueError: for shapes that differ, labels out of range, and ``samplewise`` with one label an example.

    >>> multilabel_confusion_matrix([[0, 1], [1, 1]], [[0, 1], [1, 0]]).tolist()
    [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]]
    """
    x = labelled(truth, prediction, weight, classes)
    if samplewise and x.truth.ndim != 2:
        raise ValueError(f"`samplewise` needs several labels an example, shape (m, labels), got {x.truth.shape}")
    c = counts_of_examples(x) if samplewise else counts(x)
    return jnp.stack([jnp.stack([c.tn, c.fp], axis=-1), jnp.stack([c.fn, c.tp], axis=-1)], axis=-2)


def counts_of_examples(x: Labelled) -> Counts:
    """The four outcomes of each example over its labels, times its weight, each shape=(m,).

    >>> counts_of_examples(labelled([[0, 1], [1, 1]], [[0, 1], [1, 0]], None, None)).tp.tolist()
    [1.0, 1.0]
    """
    t, p, w = x.truth == 1, x.prediction == 1, jnp.asarray(x.weight)
    found = (jnp.sum(hit, axis=1).astype(w.dtype) for hit in (t & p, ~t & p, t & ~p, ~t & ~p))
    return Counts(*(jnp.where(w == 0, 0, some * w) for some in found))


def counts(x: Labelled) -> Counts:
    """The four outcomes of each class or label.

    >>> counts(labelled([0, 1, 0, 1], [1, 1, 1, 0], None, None)).fp.tolist()
    [1.0, 2.0]
    """
    return _counts(*x)


@partial(jax.jit, static_argnums=(3, 4))
def _counts(t: Array, p: Array, w: Array, classes: int, alike: bool) -> Counts:
    if alike and t.ndim == 1:
        return _whole_counts(t, p, w, classes)
    k = jnp.arange(classes, dtype=jnp.int32)[None, :]
    t, p = (x == 1 if x.ndim == 2 else x[:, None] == k for x in (t, p))

    return Counts(*(total(hit, w, alike) for hit in (t & p, ~t & p, t & ~p, ~t & ~p)))


def _whole_counts(t: Array, p: Array, w: Array, classes: int) -> Counts:
    """The four outcomes where every example counts once: whole numbers, whose differences are exact."""
    one = jnp.ones((), _whole_type(w))
    there = _added_at(t, jnp.broadcast_to(one, t.shape), classes)  # of the truth alone: one for all models under vmap
    called = _added_at(jnp.where(t == p, t, classes + p), jnp.broadcast_to(one, t.shape), 2 * classes)
    tp, fp = called[:classes], called[classes:]
    fault = _fault(w)
    outcomes = (tp, fp, there - tp, len(t) - there - fp)
    return Counts(*(some.astype(w.dtype) + fault for some in outcomes))


def _fault(w: Array) -> Array:
    """NaN where a weight is, else 0: added, as a class that nobody hit has no weight to be NaN."""
    return jnp.where(jnp.isnan(jnp.sum(w)), jnp.nan, jnp.zeros((), w.dtype))


def total(hit: Array, w: Array, alike: bool) -> Array:
    """The weight of the examples that are hit, for each column; where all count alike, their number.

    >>> total(jnp.array([True, True, False]), jnp.array([1.0, 2.0, 4.0]), alike=False)
    Array(3., dtype=float32)
    """
    fault = _fault(w)  # nor would a product with the weights do, which XLA makes a select
    if alike:  # whole numbers count on where float32 stops, at 2^24
        return jnp.sum(hit, axis=0, dtype=_whole_type(w)).astype(w.dtype) + fault
    return added(jnp.where(hit, w.reshape(-1, *(1,) * (hit.ndim - 1)), 0)) + fault


def _whole_type(w: Array) -> Any:
    """What examples are counted in."""
    return jnp.int64 if w.dtype == jnp.float64 else jnp.int32


def counts_of(matrix: Array) -> Counts:
    """The four outcomes of each class of a confusion matrix.

    >>> counts_of(jnp.array([[0.0, 2.0], [1.0, 1.0]])).tn.tolist()
    [1.0, 0.0]
    """
    tp = jnp.diagonal(matrix)
    others = jnp.where(jnp.eye(len(tp), dtype=bool), 0, matrix)
    return Counts(tp=tp, fp=jnp.sum(others, axis=0), fn=jnp.sum(others, axis=1), tn=_of_others(matrix))


def _of_others(matrix: Array) -> Array:
    """For each class the sum of the entries in neither its row nor its column, without a difference of large numbers.

    They are four blocks, each the sum of what stands before or after the class in both axes.
    """
    total = jnp.zeros(len(matrix), matrix.dtype)
    for up in (False, True):
        rows = _beside(matrix, 0, up)
        for left in (False, True):
            total = total + jnp.diagonal(_beside(rows, 1, left))
    return total


def _beside(x: Array, axis: int, reverse: bool) -> Array:
    """The sum of all entries before each along an axis, or after it."""
    total = jax.lax.cumsum(x, axis=axis, reverse=reverse)
    edge = jnp.zeros_like(jax.lax.slice_in_dim(x, 0, 1, axis=axis))
    if reverse:
        return jnp.concatenate([jax.lax.slice_in_dim(total, 1, None, axis=axis), edge], axis=axis)
    return jnp.concatenate([edge, jax.lax.slice_in_dim(total, 0, -1, axis=axis)], axis=axis)
