"""A dataset from arrays, checked once at the door."""

from collections.abc import Sequence
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from fnopt._checks import one_of
from fnopt._types import Dataset, Label
from fnopt.data._cells import as_floats, is_text, place, plain
from fnopt.data._labels import coded
from fnopt.tree import on_device


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
        x: shape=(m, n_x) or (m, …), m ≥ 1, finite numbers; floating types are kept, others become the default float.
        y: shape=(m,) or (m, outputs). Text becomes class numbers, its ``classes`` sorted; booleans become 0 and 1;
            integers stay what they are (those beyond 32 bits become values); floating values stay values.
        weight: shape=(m,), finite, not negative, not all 0; what each example counts. None: all alike.
        classes: what the labels 0, 1, … stand for; or the order of the text labels in ``y``.
        features: a name for each column of a two-dimensional ``x``; a data frame brings its own.
        missing: "mean" lets NaN stand in ``x`` for missing cells: each takes its column's training mean later.
        name: what to call it in messages.

    Returns:
        A ``Dataset`` of JAX arrays.

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
    if features is None and getattr(x, "columns", None) is not None:
        features = [str(column) for column in x.columns]
    x = plain("x", x)
    _check_inputs(x)
    names = _names(x, features)
    codes, labels = coded(y, classes)
    if len(x) != len(codes):
        raise ValueError(f"`x` has {len(x)} rows and `y` has {len(codes)}; they must be the same examples")
    return Dataset(
        x=on_device(as_floats("x", x, names, allow_nan=missing == "mean")),
        y=on_device(codes),
        weight=None if weight is None else on_device(_weights(weight, len(x))),
        classes=labels,
        features=names,
        missing=missing,
        name=name,
    )


def _check_inputs(x: np.ndarray) -> None:
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


def _weights(weight: Any, rows: int) -> np.ndarray:
    weight = plain("weight", weight)
    if weight.shape != (rows,):
        raise ValueError(f"`weight` must have shape ({rows},), one an example, got {weight.shape}")
    if is_text(weight):
        raise TypeError("`weight` must hold numbers, got text")
    weight = as_floats("weight", weight)
    if (weight < 0).any():
        odd = int(np.flatnonzero(weight < 0)[0])
        raise ValueError(f"`weight` in row {odd}: {weight[odd]} is negative; weights are ≥ 0")
    if not weight.any():
        raise ValueError("`weight` is 0 for all examples; at least one must count")
    return weight
