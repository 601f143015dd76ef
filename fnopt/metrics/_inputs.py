"""What every score asks of its inputs: same length, labels in range, weights that count.

A row whose weight is 0 never counts, whatever stands in it. A fault in a row that counts is an error where values are
known; where they are traced it makes every weight, and so the result, NaN. Known values are checked by NumPy, which
compiles nothing.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike


class Labelled(NamedTuple):
    """Two labellings of the same examples, every label in range."""

    truth: Array  # shape=(m,) or (m, classes), int32
    prediction: Array  # as truth
    weight: Array  # shape=(m,), floating
    classes: int  # with labels of shape (m, classes): how many yes-or-no questions each example answers


class Pair(NamedTuple):
    """Two columns of values, 1 in both where the weight is 0, so that no error there, and no derivative, is NaN."""

    truth: Array  # shape=(m, outputs), floating
    prediction: Array  # as truth
    weight: Array  # shape=(m,), floating


def labelled(truth: ArrayLike, prediction: ArrayLike, weight: ArrayLike | None, classes: int | None) -> Labelled:
    """Both labellings as int32 in 0..classes-1, or in 0..1 where they have several columns."""
    t, p, rows = label_pair(truth, prediction, weight)
    if t.ndim == 2:
        if classes not in (None, t.shape[1]):
            raise ValueError(
                f"`classes` of labels in columns is their number {t.shape[1]}, got {classes}; leave it out"
            )
        count, top, cure = t.shape[1], 2, "columns are of labels that hold or not"
    else:
        count = top = count_classes(classes, rows, t, p)
        cure = "more need `classes=`"
    t, rows = within("truth", t, rows, top, cure)
    p, rows = within("prediction", p, rows, top, cure)
    return Labelled(truth=t, prediction=p, weight=rows, classes=count)


def single_label(x: Labelled) -> Labelled:
    """The same, or ValueError where an example has labels in columns."""
    if x.truth.ndim == 2:
        raise ValueError(f"`truth` must hold one label an example, shape (m,), got {x.truth.shape}; take one column")
    return x


def label_pair(truth: ArrayLike, prediction: ArrayLike, weight: ArrayLike | None) -> tuple[Any, Any, Any]:
    """Both labellings, whole numbers of any range, and the weights."""
    t, p = labels("truth", truth), labels("prediction", prediction)
    if t.shape != p.shape:
        raise ValueError(
            f"`truth` and `prediction` must have one shape, got {t.shape} and {p.shape}; "
            "labels from scores of several classes are `scores.argmax(axis=-1)`"
        )
    rows = weights(weight, len(t))
    return t, p, whole("prediction", p, whole("truth", t, rows))


def labels(name: str, x: Any) -> Any:
    """Labels as an array of one or two axes, with at least one row."""
    x = known(x)
    if not (jnp.issubdtype(x.dtype, jnp.integer) or jnp.issubdtype(x.dtype, jnp.floating) or x.dtype == bool):
        cure = "names become integers by `np.unique(x, return_inverse=True)[1]`"
        raise TypeError(f"`{name}` must hold integers 0, 1, ..., got dtype {x.dtype}; {cure}")
    if x.ndim not in (1, 2) or x.size == 0:
        raise ValueError(f"`{name}` must have shape (m,), or (m, labels) with 0 and 1, and m > 0; got {x.shape}")
    if jnp.issubdtype(x.dtype, jnp.floating):
        return x.astype(jnp.result_type(float))
    return x if x.dtype.itemsize > 4 else x.astype(np.int32)


def whole(name: str, x: Any, rows: Any) -> Any:
    """The weights, spoilt or refused where a label is no whole number."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return rows
    expected = f"`{name}` must hold whole numbers; labels from probabilities are `p > 0.5` or `p.argmax(axis=-1)`"
    return refuse(rows, (x != library(x).floor(x)) | (abs(x) == np.inf), x, expected)


def within(name: str, x: Any, rows: Any, classes: int, cure: str) -> tuple[Any, Any]:
    """Labels in 0..classes-1 as int32, and the weights, spoilt or refused where one lies outside."""
    inside = (x >= 0) & (x < classes)
    expected = f"`{name}` must hold labels from 0 to {classes - 1} ({cure})"
    return library(x).where(inside, x, 0).astype(np.int32), refuse(rows, ~inside, x, expected)


def count_classes(classes: int | None, rows: Any, *found: Any) -> int:
    """``classes`` if given, else one more than the largest label whose value is known and counts, at least 2."""
    if classes is not None:
        if not isinstance(classes, int | np.integer) or classes < 2:
            raise ValueError(f"`classes` sets a shape: a whole number of at least 2, not traced; got {classes!r}")
        return int(classes)
    counted = [x if isinstance(rows, Tracer) else x[rows != 0] for x in found if not isinstance(x, Tracer)]
    return 1 + max([1, *(int(x[np.isfinite(x)].max(initial=1)) for x in counted)])


def paired(truth: ArrayLike, prediction: ArrayLike, weight: ArrayLike | None) -> Pair:
    """Both as floating columns of one shape; a NaN that counts spoils the weights, so that no sort can hide it."""
    t, p = values("truth", truth), values("prediction", prediction)
    if t.shape != p.shape:
        raise ValueError(
            f"`truth` and `prediction` must have one shape, got {t.shape} and {p.shape}; "
            "a single column is flattened by `.reshape(-1)`"
        )
    t, p = t.reshape(len(t), -1), p.reshape(len(p), -1)
    rows = spoil(spoil(weights(weight, len(t)), t != t), p != p)
    return Pair(truth=where_counted(rows, t, 1), prediction=where_counted(rows, p, 1), weight=rows)


def values(name: str, x: Any) -> Any:
    """Real numbers in the default floating type, with at least one row."""
    x = known(x)
    if not (jnp.issubdtype(x.dtype, jnp.floating) or jnp.issubdtype(x.dtype, jnp.integer) or x.dtype == bool):
        raise TypeError(f"`{name}` must hold real numbers, got dtype {x.dtype}")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"`{name}` must have shape (m,) or (m, outputs) with m > 0, got {x.shape}")
    return x.astype(jnp.result_type(float))


def weights(weight: ArrayLike | None, m: int) -> Any:
    """One weight for each of ``m`` examples in the default floating type; None counts all alike."""
    if weight is None:
        return np.ones(m, jnp.result_type(float))
    rows = values("weight", weight)
    if rows.shape != (m,):
        raise ValueError(f"`weight` must have one number for each of {m} examples, shape ({m},), got {rows.shape}")
    return refuse(rows, ~((rows >= 0) & (rows < np.inf)), rows, "`weight` must be finite and not negative")


def where_counted(rows: Any, x: Any, otherwise: Any) -> Any:
    """``x`` in the rows whose weight is not 0, else ``otherwise``."""
    return library(rows, x).where((rows != 0).reshape(-1, *(1,) * (x.ndim - 1)), x, otherwise)


def refuse(rows: Any, faulty: Any, got: Any, expected: str) -> Any:
    """The weights; ValueError where a faulty row counts and is known, all NaN where it is traced."""
    bad = faulty.reshape(len(rows), -1).any(axis=-1) & (rows != 0)
    if isinstance(bad, Tracer):
        return jnp.where(bad.any(), jnp.nan, rows)
    if bad.any():
        raise ValueError(f"{expected}; got {got[bad.argmax()].tolist()} in row {bad.argmax()}")
    return rows


def spoil(rows: Any, faulty: Any) -> Any:
    """The weights, all NaN where a faulty row counts: the fault shows in the result instead of hiding there."""
    bad = faulty.reshape(len(rows), -1).any(axis=-1) & (rows != 0)
    return library(bad, rows).where(bad.any(), np.nan, rows)


def known(x: Any) -> Any:
    """A NumPy array where the values are known, else what is traced."""
    if isinstance(x, Tracer):
        return x
    try:
        return np.asarray(x)
    except TypeError:  # a list of traced numbers
        return jnp.asarray(x)


def library(*arrays: Any) -> Any:
    """NumPy where all values are known, else JAX's."""
    return jnp if any(isinstance(x, Tracer) for x in arrays) else np
