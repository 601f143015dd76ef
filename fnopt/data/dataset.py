"""A dataset from arrays, checked once at the door."""

from collections.abc import Sequence
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from fnopt._checks import nearest, one_of, printable
from fnopt._types import Dataset, Label
from fnopt.data._cells import check_finite, default_float, is_text, kept, place, plain
from fnopt.data._labels import coded


def dataset(
    x: Any,
    y: Any,
    weight: Any = None,
    *,
    classes: Sequence[Label] | None = None,
    features: Sequence[str] | None = None,
    missing: Literal["mean"] | None = None,
    name: str = "data",
) -> Dataset:
    """Examples in rows from arrays, lists or data frames.

    Args:
        x: shape=(m, n_x) or (m, …), m ≥ 1, finite numbers of any type. Masked cells are missing ones.
        y: shape=(m,) or (m, outputs). Text becomes class numbers, its ``classes`` sorted; booleans become 0 and 1;
            integers of any size stay what they are; floating values stay values.
        weight: shape=(m,), finite, not negative, not all 0; what each example counts. None: all alike.
        classes: what the labels 0, 1, … stand for; or the order of the text labels in ``y``. A class may lack examples
            here, and in a part that a model is trained on, which is said there: it cannot be learned.
        features: a name for each column of a two-dimensional ``x``; a data frame brings its own.
        missing: "mean" lets NaN stand in ``x`` for missing cells: each takes its column's training mean later.
        name: what to call it in messages.

    Returns:
        A ``Dataset``. Its arrays are JAX's where JAX's own type holds every number exactly (float32 for float64, int32
        for int64), else NumPy's, in the type that they came in: standardizing in float64 keeps what float32 would lose.
        A memory map stays one. Under ``jit`` all stays traced and values are not checked.

    Raises:
        ValueError, TypeError: naming the first row and column at fault.

    >>> data = dataset([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], ["no", "yes", "no"])
    >>> data.y.tolist(), data.classes
    ([0, 1, 0], ('no', 'yes'))
    >>> dataset([1.0, 2.0], [0, 1])
    Traceback (most recent call last):
    ...
    ValueError: `x` must have examples in rows, shape (m, features), got (2,); write x[:, None]
    """
    if missing is not None:
        one_of("missing", missing, ("mean",))
    if features is None:
        features = columns_of(x)
    x = x if isinstance(x, Tracer) else plain("x", x)
    _check_inputs(x)
    names = _names(x, features)
    codes, labels = (y, None) if isinstance(y, Tracer) else coded(y, classes)
    if len(x) != len(codes):
        raise ValueError(f"`x` has {len(x)} rows and `y` has {len(codes)}; they must be the same examples")
    if not isinstance(x, Tracer):
        check_finite("x", x, names, allow_nan=missing == "mean", hint=', or pass missing="mean"')
    if weight is not None and not isinstance(weight, Tracer):
        weight = _weights(weight, len(x))
    x, codes, weight = (a if a is None or isinstance(a, Tracer) else kept(a) for a in (x, codes, weight))
    labels = labels if classes is None else tuple(classes)
    return Dataset(x=x, y=codes, weight=weight, classes=labels, features=names, missing=missing, name=name)


def columns_of(x: Any) -> list[str] | None:
    """The names of a data frame's columns; None for what has none."""
    columns = getattr(x, "column_names", getattr(x, "columns", None))  # Arrow's, or those of pandas and polars
    return None if columns is None else [str(column) for column in columns]


def by_name(x: Any, names: Sequence[str] | None) -> Any:
    """A data frame's columns in the order of ``names``; others are left out. What has no names stays as it is.

    Raises:
        ValueError: for a column that is not there, or there twice.
    """
    columns = columns_of(x)
    if columns is None or names is None:
        return x
    for name in names:
        if columns.count(name) != 1:
            fault = "lacks" if name not in columns else "has twice"
            raise ValueError(
                f"`x` {fault} the column {printable(name)!r} that the model was trained on"
                f"{nearest(name, columns) if name not in columns else ''}"
            )
    if hasattr(x, "select") and hasattr(x, "column_names"):
        return x.select(list(names))
    own = {str(column): column for column in x.columns}
    return x[[own[name] for name in names]]


def inputs(x: Any, names: tuple[str, ...] | None, missing: str | None, shape: tuple[int, ...]) -> np.ndarray:
    """New examples for a model, by the rules of :func:`dataset`; no rows at all are allowed.

    Args:
        x: shape=(m, …), or a data frame, whose columns are taken by name.
        names: what the model calls its inputs.
        missing: what the model does about missing cells, as in :func:`dataset`.
        shape: of one example.
    """
    x = plain("x", by_name(x, names))
    if x.shape[1:] != shape or not x.ndim:
        raise ValueError(f"expected x of shape (m, {', '.join(map(str, shape))}), got {x.shape}")
    if len(x):
        _check_inputs(x)
    elif x.dtype.kind not in "biuf":
        x = np.zeros(x.shape)
    check_finite("x", x, names if x.ndim == 2 else None, allow_nan=missing == "mean")
    return x


def _check_inputs(x: Any) -> None:
    if x.ndim < 2:
        cure = "; write x[:, None]" if x.ndim == 1 else ""
        raise ValueError(f"`x` must have examples in rows, shape (m, features), got {x.shape}{cure}")
    if x.size == 0:
        raise ValueError(f"`x` must hold at least one row and one column, got shape {x.shape}")
    if is_text(x):
        raise ValueError(f"`x` {place(0, x.shape)} is text, {str(x.flat[0])!r}; give numbers: text columns as one-hot")
    if x.dtype.kind not in "biu" and not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"`x` must hold real numbers, got dtype {x.dtype}")


def _names(x: np.ndarray, features: Sequence[str] | None) -> tuple[str, ...] | None:
    if features is None:
        return None
    if isinstance(features, str) or x.ndim != 2 or len(features) != x.shape[1]:
        raise ValueError(f"`features` must name each column of x, shape {x.shape}, got {features!r}")
    return tuple(str(feature) for feature in features)


LEAST = 2.0**-60


def _weights(weight: Any, rows: int) -> np.ndarray:
    weight = plain("weight", weight)
    if weight.shape != (rows,):
        raise ValueError(f"`weight` must have shape ({rows},), one an example, got {weight.shape}")
    if is_text(weight):
        raise TypeError("`weight` must hold numbers, got text")
    check_finite("weight", weight)
    weight = weight.astype(np.float64)
    if weight.max() >= LEAST:  # the device's type would make 0 of all smaller ones
        weight = weight.astype(default_float())
    if (weight < 0).any():
        odd = int(np.flatnonzero(weight < 0)[0])
        raise ValueError(f"`weight` in row {odd}: {weight[odd]} is negative; weights are ≥ 0")
    if not weight.any():
        raise ValueError("`weight` is 0 for all examples; at least one must count")
    return weight
