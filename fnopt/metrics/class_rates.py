"""Rates of one class against the rest, and their averages: precision, recall and their relatives."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import labelled
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import averaged, check_average
from fnopt.metrics.confusion import Counts, counts, counts_of_examples
from fnopt.numbers import NONNEGATIVE, as_number


@exact("truth", "prediction")
def precision(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    average: str | None = "binary",
    zero_division: ArrayLike = 0,
) -> Array:
    """Of what was called positive, how much is: TP / (TP + FP).

    Args:
        truth: labels 0..classes-1, shape=(m,), or 0/1 columns, shape=(m, labels).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.
        classes: how many; from the labels where they are known, else 2.
        average: "binary" (class 1), "micro" (the ratio of the sums over classes), "macro" (their mean), "weighted"
            (their mean by true weight), "samples" (each example over its labels, then their mean) or None (each).
        zero_division: the value of 0/0; with nan, means leave such classes out.

    Returns:
        Scalar, or shape=(classes,) with ``average=None``.

    Raises:
        ValueError: for shapes that differ, labels out of range, and "binary" with more than two classes.

    >>> precision([0, 1, 0, 1], [1, 1, 1, 0], average=None).round(3).tolist()
    [0.0, 0.333]
    """
    c, support = _checked(truth, prediction, weight, classes, average)
    return averaged(c.tp, c.tp + c.fp, support, average, zero_division)


@exact("truth", "prediction")
def recall(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    average: str | None = "binary",
    zero_division: ArrayLike = 0,
) -> Array:
    """Of what is positive, how much was called so (sensitivity, true positive rate): TP / (TP + FN).

    Arguments, returns and errors are those of :func:`precision`.

    >>> float(recall([0, 1, 0, 1], [1, 1, 1, 0]))
    0.5
    """
    c, support = _checked(truth, prediction, weight, classes, average)
    return averaged(c.tp, c.tp + c.fn, support, average, zero_division)


sensitivity = recall


@exact("truth", "prediction")
def specificity(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    average: str | None = "binary",
    zero_division: ArrayLike = 0,
) -> Array:
    """Of what is negative, how much was called so (true negative rate): TN / (TN + FP).

    Arguments, returns and errors are those of :func:`precision`.

    >>> float(specificity([0, 0, 0, 0, 1], [1, 0, 0, 0, 1]))
    0.75
    """
    c, support = _checked(truth, prediction, weight, classes, average)
    return averaged(c.tn, c.tn + c.fp, support, average, zero_division)


@exact("truth", "prediction")
def false_positive_rate(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    average: str | None = "binary",
    zero_division: ArrayLike = 0,
) -> Array:
    """Of what is negative, how much was called positive: FP / (FP + TN) = 1 - specificity.

    Arguments, returns and errors are those of :func:`precision`.

    >>> float(false_positive_rate([0, 0, 0, 0, 1], [1, 0, 0, 0, 1]))
    0.25
    """
    c, support = _checked(truth, prediction, weight, classes, average)
    return averaged(c.fp, c.fp + c.tn, support, average, zero_division)


@exact("truth", "prediction")
def fbeta(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    beta: ArrayLike,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    average: str | None = "binary",
    zero_division: ArrayLike = 0,
) -> Array:
    """Precision and recall in one, recall ``beta`` times as important: (1 + β²) TP / ((1 + β²) TP + β² FN + FP).

    ``beta`` is a number of at least 0 and may be traced; 0 gives precision. Other arguments, returns and errors are
    those of :func:`precision`. Van Rijsbergen, "Information Retrieval", 1979.

    >>> round(float(fbeta([0, 1, 0, 1], [1, 1, 1, 0], beta=3.0)), 4)
    0.4762
    """
    c, support = _checked(truth, prediction, weight, classes, average)
    square = jnp.square(as_number("beta", beta, NONNEGATIVE)).astype(c.tp.dtype)
    hits = (1 + square) * c.tp
    return averaged(hits, hits + square * c.fn + c.fp, support, average, zero_division)


@exact("truth", "prediction")
def f1(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    average: str | None = "binary",
    zero_division: ArrayLike = 0,
) -> Array:
    """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).

    Arguments, returns and errors are those of :func:`precision`.

    >>> round(float(f1([0, 1, 0, 1], [1, 1, 1, 0])), 6)
    0.4
    """
    c, support = _checked(truth, prediction, weight, classes, average)
    return averaged(2 * c.tp, 2 * c.tp + c.fp + c.fn, support, average, zero_division)


@exact("truth", "prediction")
def jaccard(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    average: str | None = "binary",
    zero_division: ArrayLike = 0,
) -> Array:
    """What both call positive over what either does: TP / (TP + FP + FN).

    Arguments, returns and errors are those of :func:`precision`. Jaccard, 1901.

    >>> float(jaccard([0, 1, 0, 1], [1, 1, 1, 0]))
    0.25
    """
    c, support = _checked(truth, prediction, weight, classes, average)
    return averaged(c.tp, c.tp + c.fp + c.fn, support, average, zero_division)


def _checked(
    truth: ArrayLike, prediction: ArrayLike, weight: ArrayLike | None, classes: int | None, average: str | None
) -> tuple[Counts, Array]:
    """The four outcomes of each class, or of each example, and what a weighted mean goes by."""
    x = labelled(truth, prediction, weight, classes)
    check_average(average, x.classes, x.truth.ndim == 2)
    if average == "samples":
        return counts_of_examples(x._replace(weight=jnp.ones_like(x.weight))), jnp.asarray(x.weight)
    c = counts(x)
    return c, c.tp + c.fn
