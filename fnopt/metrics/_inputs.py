"""What every score asks of its inputs: same length, labels in range, weights that count.

A row whose weight is 0 never counts, whatever stands in it. A fault in a row that counts is an error where values are
known; where they are traced it makes every weight, and so the result, NaN. Known values are checked by NumPy, which
compiles nothing.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

EVERY = 2**53  # up to here float64 holds every whole number
MOST = 2**20  # more classes than this are given by the caller, not guessed from a label


class Labelled(NamedTuple):
    """Two labellings of the same examples, every label in range."""

    truth: Array  # shape=(m,) or (m, classes), int32
    prediction: Array  # as truth
    weight: Array  # shape=(m,), floating
    classes: int  # with labels of shape (m, classes): how many yes-or-no questions each example answers
    alike: bool  # whether every example counts once: then counts are whole numbers


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
    return Labelled(truth=t, prediction=p, weight=rows, classes=count, alike=weight is None)


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
    x = known(name, x)
    if not real(x):
        cure = "names become integers by `np.unique(x, return_inverse=True)[1]`"
        raise TypeError(f"`{name}` must hold integers 0, 1, ..., got dtype {_named(x)}; {cure}")
    if x.ndim not in (1, 2) or x.size == 0:
        raise ValueError(f"`{name}` must have shape (m,), or (m, labels) with 0 and 1, and m > 0; got {x.shape}")
    if x.dtype.itemsize > 4 or x.dtype == np.uint32:
        return x
    return x.astype(np.float32 if jnp.issubdtype(x.dtype, jnp.floating) else np.int32)


def equal(a: Any, b: Any) -> Any:
    """Whether labels are the same numbers, entry by entry, for any two types and without rounding either.

    >>> equal(np.int32([16777217]), np.float32([16777216])).tolist()
    [False]
    """
    a, a_fits = _narrowed(a, b)
    b, b_fits = _narrowed(b, a)
    return a_fits & b_fits & _equal(a, b)


def _equal(a: Any, b: Any) -> Any:
    """:func:`equal` where both are known or both of JAX's types."""
    floating = [jnp.issubdtype(x.dtype, jnp.floating) for x in (a, b)]
    if all(floating):
        kind = np.promote_types(a.dtype, b.dtype)
        return a.astype(kind) == b.astype(kind)
    if any(floating):
        return _equal_to_float(a, b) if floating[1] else _equal_to_float(b, a)
    bits = np.uint64 if max(x.dtype.itemsize for x in (a, b)) > 4 else np.uint32
    return ((a < 0) == (b < 0)) & (a.astype(bits) == b.astype(bits))


def _equal_to_float(whole: Any, x: Any) -> Any:
    """Whether each floating number is the integer in its place."""
    ends = np.iinfo(whole.dtype)
    inside = (x >= float(ends.min)) & (x < float(int(ends.max) + 1))
    return inside & (library(x).where(inside, x, 0).astype(whole.dtype) == whole)


def _narrowed(x: Any, other: Any) -> tuple[Any, Any]:
    """Known numbers of 64 bits in the type of those that are traced beside them, and whether each fits it."""
    if isinstance(x, Tracer) or not isinstance(other, Tracer) or x.dtype.itemsize <= other.dtype.itemsize:
        return x, np.True_
    if jnp.issubdtype(other.dtype, jnp.floating):
        near = x.astype(other.dtype)
        return near, np.equal(near.astype(object), x.astype(object)).astype(bool)
    ends = np.iinfo(other.dtype)
    inside = (x >= ends.min) & (x <= ends.max)
    return np.where(inside, x, 0).astype(other.dtype), inside


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


def own(x: Any, t: Any) -> Any:
    """The entry of each row that its label names, shape=(m,); labels are in range.

    >>> own(jnp.array([[0.25, 0.75], [0.5, 0.125]]), jnp.array([1, 0])).tolist()
    [0.75, 0.5]
    """
    if x.size >= 2**31:
        return jnp.take_along_axis(x, t[:, None], axis=1)[:, 0]
    at = jnp.arange(len(t), dtype=jnp.int32) * x.shape[1] + t
    return alone(x.reshape(-1).at[at].get(mode="promise_in_bounds"))


def alone(x: Any) -> Any:
    """The same, as an array of its own: a CPU gathers, or reduces rows, several times slower inside of another sum."""
    return jax.lax.optimization_barrier(x)


def count_classes(classes: int | None, rows: Any, *found: Any) -> int:
    """``classes`` if given, else one more than the largest label whose value is known and counts, at least 2."""
    if classes is not None:
        if isinstance(classes, bool) or not isinstance(classes, int | np.integer) or not 2 <= classes < 2**31:
            raise ValueError(f"`classes` sets a shape: a whole number of at least 2, not traced; got {classes!r}")
        return int(classes)
    counted = [x if isinstance(rows, Tracer) else x[rows != 0] for x in found if not isinstance(x, Tracer)]
    top = max([1, *(int(x[np.isfinite(x)].max(initial=1)) for x in counted)])
    if top >= MOST:
        raise ValueError(
            f"labels must be 0..classes-1, and the largest is {top}: write `classes={top + 1}` if that many are meant; "
            "numbers that are names become labels by `np.unique(x, return_inverse=True)[1]`"
        )
    return 1 + top


def paired(truth: ArrayLike, prediction: ArrayLike, weight: ArrayLike | None, differences: bool = True) -> Pair:
    """Both as floating columns of one shape; a NaN that counts spoils the weights, so that no sort can hide it.

    Args:
        truth: shape=(m,) or (m, outputs).
        prediction: as ``truth``.
        weight: shape=(m,), or None.
        differences: whether only differences count, so that both may be moved by one number.
    """
    t, p = numbers("truth", truth), numbers("prediction", prediction)
    if t.shape != p.shape:
        raise ValueError(
            f"`truth` and `prediction` must have one shape, got {t.shape} and {p.shape}; "
            "a single column is flattened by `.reshape(-1)`"
        )
    t, p = (floats(x.reshape(len(x), -1)) for x in (from_first(t, p) if differences else (t, p)))
    rows = spoil(spoil(weights(weight, len(t)), t != t), p != p)
    return Pair(truth=where_counted(rows, t, 1), prediction=where_counted(rows, p, 1), weight=rows)


def values(name: str, x: Any) -> Any:
    """Real numbers in the default floating type, with at least one row."""
    return floats(numbers(name, x))


def numbers(name: str, x: Any) -> Any:
    """Real numbers in their own type, with at least one row."""
    x = known(name, x)
    if not real(x):
        raise TypeError(f"`{name}` must hold real numbers, got dtype {_named(x)}")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"`{name}` must have shape (m,) or (m, outputs) with m > 0, got {x.shape}")
    return x


def floats(x: Any) -> Any:
    """The numbers in the default floating type."""
    return x.astype(jnp.result_type(float))


def from_first(*arrays: Any) -> tuple[Any, ...]:
    """The same less the first number of all, where all are integers too large for float64 to tell apart.

    >>> [x.tolist() for x in from_first(np.array([2**60, 2**60 + 1]), np.array([2**60 + 3, 2**60]))]
    [[0, 1], [3, 0]]
    """
    if not all(isinstance(x, np.ndarray) and x.dtype.kind in "iu" for x in arrays):
        return arrays
    first = int(arrays[0].flat[0])
    furthest = max(abs(int(end) - first) for x in arrays for end in (x.min(), x.max()))
    if furthest >= 2**63 or all(int(x.min()) >= -EVERY and int(x.max()) <= EVERY for x in arrays):
        return arrays
    return tuple((x.astype(np.uint64) - np.uint64(first % 2**64)).astype(np.int64) for x in arrays)


def ranked(x: Any) -> Any:
    """Scores of which only the order counts; known ones that a float could not tell apart become their ranks.

    They are integers too large for float64, and numbers below the normal ones, which XLA takes for 0.
    """
    if not isinstance(x, np.ndarray):
        return x
    if x.dtype.kind in "iu":
        alike = max(abs(int(x.min())), abs(int(x.max()))) > EVERY
    else:
        alike = x.dtype.kind == "f" and bool(((x != 0) & (abs(x) < np.finfo(x.dtype).tiny)).any())
    return np.unique(x, return_inverse=True)[1].reshape(x.shape) if alike and not (x != x).any() else x


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
    if all_count(rows):
        return x
    return library(rows, x).where((rows != 0).reshape(-1, *(1,) * (x.ndim - 1)), x, otherwise)


def all_count(rows: Any) -> bool:
    """Whether the weights are known and none is 0, as without weights: nothing to replace, and no row to tell apart."""
    return isinstance(rows, np.ndarray) and bool(rows.all())


def refuse(rows: Any, faulty: Any, got: Any, expected: str) -> Any:
    """The weights; ValueError where a faulty row counts and is known, all NaN where it is traced."""
    if isinstance(faulty, Tracer) and all_count(rows):
        return jnp.where(faulty.any(), jnp.nan, rows)
    bad = faulty.reshape(len(rows), -1).any(axis=-1) & (rows != 0)
    if isinstance(bad, Tracer):
        return jnp.where(bad.any(), jnp.nan, rows)
    if bad.any():
        raise ValueError(f"{expected}; got {got[bad.argmax()].tolist()} in row {bad.argmax()}")
    return rows


def spoil(rows: Any, faulty: Any) -> Any:
    """The weights, all NaN where a faulty row counts: the fault shows in the result instead of hiding there."""
    if isinstance(faulty, Tracer) and all_count(rows):
        return jnp.where(faulty.any(), jnp.nan, rows)
    bad = faulty.reshape(len(rows), -1).any(axis=-1) & (rows != 0)
    return library(bad, rows).where(bad.any(), np.nan, rows)


def known(name: str, x: Any) -> Any:
    """A NumPy array where the values are known, else what is traced."""
    if isinstance(x, Tracer):
        return x
    if np.ma.is_masked(x):
        raise ValueError(f"`{name}` has masked entries; leave these examples out, or give them weight 0 and a value")
    try:
        return np.asarray(x)
    except TypeError:  # a list of traced numbers
        return jnp.asarray(x)
    except ValueError as error:
        raise ValueError(f"`{name}` must be one array, with rows of one length: {error}") from error


def real(x: Any) -> bool:
    """Whether the type is one of real numbers or of yes and no."""
    return jnp.issubdtype(x.dtype, jnp.integer) or jnp.issubdtype(x.dtype, jnp.floating) or x.dtype == bool


def _named(x: Any) -> str:
    """The type, and what usually stands behind it."""
    return "object (text, None, or a column with missing values)" if x.dtype == object else str(x.dtype)


def library(*arrays: Any) -> Any:
    """NumPy where all values are known, else JAX's."""
    return jnp if any(isinstance(x, Tracer) for x in arrays) else np
