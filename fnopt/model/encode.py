"""Checks of datasets before training, and targets and inputs as numbers of the device's type."""

import warnings
from itertools import zip_longest
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import printable
from fnopt._types import Dataset, Label
from fnopt.data import task_of
from fnopt.data._cells import blocks, check_finite, place
from fnopt.data._labels import label_array


def check_same_columns(train: Dataset, dev: Dataset) -> None:
    """ValueError where dev has other features or columns than train."""
    for name in ("features", "columns"):
        a, b = getattr(train, name), getattr(dev, name)
        if a is not None and b is not None and a != b:
            place = next(k for k, pair in enumerate(zip_longest(a, b)) if pair[0] != pair[1])
            raise ValueError(
                f"dev must have train's {name}, in the same order; number {place} is {a[place : place + 1]} in train "
                f"and {b[place : place + 1]} in dev"
            )


def values_of(y: Any, classes: tuple[Label, ...] | None) -> np.ndarray:
    """A target of values as it is; where its whole numbers stand for others, these."""
    y = np.asarray(y)
    return y if classes is None else label_array(classes)[y]


def narrow(dtype: Any) -> np.dtype:
    """The type of the device for numbers of this type."""
    return np.dtype(jax.dtypes.canonicalize_dtype(np.float64 if dtype == np.longdouble else dtype))


def of_type(x: np.ndarray, name: str | None) -> np.ndarray:
    """Inputs in the type that the model was trained on; ValueError where that would change one."""
    if name is None or x.dtype.name == name:
        return x
    with np.errstate(invalid="ignore"):
        made = x.astype(jnp.dtype(name))
    if made.dtype.kind in "biu" and not np.array_equal(made, x):
        raise ValueError(f"`x` must hold {name}, as the data of training did, got {x.dtype} that are none")
    return made


def in_devices_type(x: np.ndarray) -> np.ndarray:
    """Numbers that are not standardized: whole ones stay whole, others become floating ones of the device."""
    kind = narrow(x.dtype)
    if x.dtype.kind in "iu" and x.size:
        info = jnp.iinfo(kind)
        for block in blocks(x):
            bad = (x[block] < info.min) | (x[block] > info.max)
            if bad.any():
                i = int(np.flatnonzero(bad)[0])
                where = place(i + block.start * (x.size // len(x)), x.shape)
                raise ValueError(
                    f"`x` {where}: {x[block].ravel()[i]} does not fit {kind.name}; standardize it, or "
                    "give floating numbers"
                )
    return x.astype(kind)


def check_fits(what: str, given: np.ndarray, z: np.ndarray, names: tuple[str, ...] | None) -> None:
    """ValueError naming the first number that scaling took beyond what the device's type holds."""
    if z.dtype.kind in "biu":
        return
    for block in blocks(z):
        bad = np.isinf(z[block])
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            where = place(i + block.start * (z.size // len(z)), z.shape, names)
            cell = np.asarray(given[block]).ravel()[i]
            raise ValueError(
                f"`{what}` {where}: {cell} is too far from the training data: scaled it does not fit {z.dtype.name}; "
                "correct it, or leave the row out"
            )


def check_are_datasets(train: Any, dev: Any) -> None:
    """TypeError for a part that is no dataset."""
    for name, data in (("train", train), ("dev", dev)):
        if data is not None and not isinstance(data, Dataset):
            raise TypeError(f"`{name}` must be a Dataset, got {type(data).__name__}; write fo.data.dataset(x, y)")


def check_datasets(train: Any, dev: Any) -> None:
    """TypeError or ValueError for parts that no model can take, as :func:`prepare` says it."""
    check_are_datasets(train, dev)
    for name, data in (("train", train), ("dev", dev)):
        if data is not None:
            check_data(data, name)


def check_data(data: Dataset, name: str) -> None:
    """ValueError for a dataset that no model can take, saying what is wrong and where."""
    x, y = np.asarray(data.x), np.asarray(data.y)
    if len(x) == 0:
        raise ValueError(f"{name} holds no examples")
    if x.ndim < 2:
        raise ValueError(f"{name}.x must have examples in rows, shape (m, features), got {x.shape}; write x[:, None]")
    if len(x) != len(y):
        raise ValueError(f"{name}.x has {len(x)} rows, {name}.y has {len(y)}; they must be the same examples")
    check_finite(f"{name}.x", x, data.features if x.ndim == 2 else None, allow_nan=data.missing == "mean")
    if y.dtype.kind in "USO":
        raise ValueError(f"{name}.y holds text; fo.data.dataset(x, y) turns labels into numbers and keeps their names")
    check_finite(f"{name}.y", y)
    if data.weight is not None:
        weight = np.asarray(data.weight)
        if weight.shape != (len(x),) or not np.all(np.isfinite(weight)) or np.any(weight < 0) or not np.any(weight):
            raise ValueError(f"{name}.weight must be {len(x)} finite numbers ≥ 0, not all 0, got shape {weight.shape}")


def warn_unsuited(task: str, train: Dataset) -> None:
    """Say so where the target is of another kind than the model's: measured values as classes, or names as values."""
    y = np.asarray(train.y)
    if task == "values" and train.classes is not None and any(isinstance(name, str) for name in train.classes):
        shown = ", ".join(printable(repr(name)) for name in train.classes[:3])
        raise ValueError(f"a model of values wants numbers in y, got the classes {shown}, …; use fo.classifier")
    if task != "classes" or train.classes is not None or y.ndim != 1 or y.dtype.kind == "b":
        return
    whole = y if y.dtype.kind in "iu" else np.round(y).astype(np.int64 if abs(y).max() < 2.0**62 else np.float64)
    if np.array_equal(whole, y) and task_of(whole) == "values":
        warnings.warn(
            f"y looks like values from {y.min():g} to {y.max():g}: {len(np.unique(y))} different ones, each taken for "
            "a class; for values use fo.regressor, or name the classes: fo.data.dataset(x, y, classes=…)",
            stacklevel=2,
        )


def classes_of(train: Dataset, dev: Dataset | None) -> tuple[Label, ...]:
    """The classes of a target, in the order of their numbers; ValueError for a target that has none."""
    y = np.asarray(train.y)
    if y.ndim != 1:
        raise ValueError(f"a classifier wants one label an example, got y of shape {y.shape}; see fo.multilabel")
    if jnp.issubdtype(y.dtype, jnp.floating) and np.any(y != np.round(y)):
        raise ValueError("a classifier wants labels in y, got fractions; for values use fo.regressor")
    if train.classes is not None:
        present = np.unique(y).astype(np.int64).tolist()
        absent = [c for k, c in enumerate(train.classes) if k not in set(present)]
        if absent:
            named = ", ".join(printable(repr(c)) for c in absent[:3]) + ", …" * (len(absent) > 3)
            warnings.warn(f"no example of class {named} in train: it cannot be learned", stacklevel=2)
        classes = train.classes
    else:
        classes = tuple(int(k) for k in np.unique(y))
        there = set() if dev is None or dev.classes is not None else {int(k) for k in np.unique(np.asarray(dev.y))}
        absent = sorted(there - set(classes))
        if absent:
            raise ValueError(
                f"class {absent[0]!r} has no example in train; split with stratify=True, leave its examples out, or "
                "name all classes: fo.data.dataset(x, y, classes=…)"
            )
    if len(classes) < 2:
        raise ValueError(f"a classifier wants at least two classes, got only {list(classes)}")
    return classes


def codes_of(y: np.ndarray, known: tuple[Label, ...], classes: tuple[Label, ...] | None) -> np.ndarray:
    """Class numbers 0..K−1 into ``known``, from numbers into ``classes`` or from labels as they are."""
    numbered = isinstance(next(iter(known)), str) and y.dtype.kind not in "USO"
    names = classes if classes is not None else known if numbered else None
    if names is None:
        labels, places = np.unique(y, return_inverse=True)
        named = [label if isinstance(label, str) or label != int(label) else int(label) for label in labels.tolist()]
    else:
        if np.any((y < 0) | (y >= len(names)) | (y != np.floor(y))):
            raise ValueError(f"labels must be 0 to {len(names) - 1}, got {y.min()} to {y.max()}")
        named, places = list(names), y.astype(np.int64)
    table = {label: k for k, label in enumerate(known)}
    present = {int(k) for k in np.unique(places)}
    unknown = [label for k, label in enumerate(named) if label not in table and k in present]
    if unknown:
        raise ValueError(f"label {unknown[0]!r} is not one of the classes {list(known)}")
    return np.array([table.get(label, -1) for label in named], np.int32)[places.reshape(-1)]


def check_labels(y: np.ndarray, dev: np.ndarray | None) -> None:
    """ValueError where the columns of a target hold anything but 0 and 1."""
    for part_y in (y, dev):
        if part_y is None:
            continue
        if part_y.ndim != 2 or not np.isin(part_y, (0, 1)).all():
            raise ValueError(f"multilabel wants y of shape (m, labels) holding 0 and 1, got shape {part_y.shape}")
