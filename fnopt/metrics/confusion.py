"""How many examples of each class were called what."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import Labelled, labelled, single_label


class Counts(NamedTuple):
    """Each class against the rest, or each label of several: weights of the four outcomes, each shape=(classes,)."""

    tp: Array  # true positives
    fp: Array  # false positives
    fn: Array  # false negatives
    tn: Array  # true negatives


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
    return _matrix(*single_label(labelled(truth, prediction, weight, classes)), alike=weight is None)


@partial(jax.jit, static_argnums=3, static_argnames="alike")
def _matrix(t: Array, p: Array, w: Array, classes: int, alike: bool) -> Array:
    one = jnp.ones(t.shape, jnp.int32) if alike else w  # int32 counts on exactly where float32 stops, at 2^24
    matrix = jnp.zeros((classes, classes), one.dtype).at[t, p].add(one).astype(w.dtype)
    return jnp.where(jnp.isnan(jnp.sum(w)), jnp.nan, matrix)


def counts(x: Labelled) -> Counts:
    """The four outcomes of each class or label.

    >>> counts(labelled([0, 1, 0, 1], [1, 1, 1, 0], None, None)).fp.tolist()
    [1.0, 2.0]
    """
    return _counts(*x)


@partial(jax.jit, static_argnums=3)
def _counts(t: Array, p: Array, w: Array, classes: int) -> Counts:
    k = jnp.arange(classes, dtype=jnp.int32)[None, :]
    t, p = (x == 1 if x.ndim == 2 else x[:, None] == k for x in (t, p))

    # Added, since a class that nobody hit has no weight to be NaN; nor would a product do, which XLA makes a select.
    fault = jnp.where(jnp.isnan(jnp.sum(w)), jnp.nan, jnp.zeros((), w.dtype))

    def total(hit: Array) -> Array:
        return jnp.sum(jnp.where(hit, w[:, None], 0), axis=0) + fault

    return Counts(tp=total(t & p), fp=total(~t & p), fn=total(t & ~p), tn=total(~t & ~p))


def counts_of(matrix: Array) -> Counts:
    """The four outcomes of each class of a confusion matrix.

    >>> counts_of(jnp.array([[0.0, 2.0], [1.0, 1.0]])).tn.tolist()
    [1.0, 0.0]
    """
    called, there, tp = jnp.sum(matrix, axis=0), jnp.sum(matrix, axis=1), jnp.diagonal(matrix)
    return Counts(tp=tp, fp=called - tp, fn=there - tp, tn=jnp.sum(matrix) - called - there + tp)
