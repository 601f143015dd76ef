"""From datasets to what the lane program eats, and from its outputs back to answers."""

import warnings
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import printable
from fnopt._types import Batch, Column, Dataset, Label
from fnopt.data import Standardizer, standardizer, task_of
from fnopt.data._cells import blocks, check_finite, default_float, place
from fnopt.data._labels import label_array
from fnopt.data.dataset import inputs
from fnopt.model.model import Model
from fnopt.model.resolution import warn_unresolved
from fnopt.train import Part, block_of, decide, part, probabilities
from fnopt.tree import on_device


@dataclass(frozen=True)
class Frame:
    """What a fitted model knows of its data: how inputs are scaled and what outputs mean. Saved beside the weights."""

    task: str
    shape: tuple[int, ...]  # of one example's x
    outputs: int
    labels: int | None  # columns of y, None where y is a vector
    inputs: Standardizer | None = field(default=None, repr=False)
    target: Standardizer | None = field(default=None, repr=False)
    classes: tuple[Label, ...] | None = None
    features: tuple[str, ...] | None = None
    columns: tuple[Column, ...] | None = None
    missing: str | None = None
    name: str = "y"
    dtype: str | None = None  # in which the model sees x, where it is not standardized

    def scaled(self, x: Any) -> np.ndarray:
        """Inputs as the network sees them, on the host: standardized in float64, then in the device's type.

        Args:
            x: shape=(m, …), any real numbers; or a data frame, whose columns are taken by name, others left out.

        Raises:
            ValueError, TypeError: by the rules of :func:`fnopt.data.dataset`, and for a number that is too far from the
                training data, naming row and column.
        """
        x = inputs(x, self.features, self.missing, self.shape)
        z = _of_type(_in_devices_type(x), self.dtype) if self.inputs is None else self.inputs.on_host(x)
        _fits("x", x, z, self.features)
        return z

    def codes(self, y: Any, classes: tuple[Label, ...] | None = None) -> Any:
        """Targets as the loss sees them: class numbers, or standardized values.

        With ``classes`` the labels are numbers into them, as in a ``Dataset``; without, they are the labels themselves.
        """
        if self.task == "classes":
            return _codes(np.asarray(y), self.classes or (), classes)
        y = _values(y, classes)
        z = y.astype(default_float()) if self.target is None else self.target.on_host(y)
        _fits("y", y, z, None)
        return z

    def answers(self, outputs: Any) -> Any:
        """Labels, values or 0/1 columns from the network's outputs; values in float64 where they were standardized."""
        if self.task == "classes":
            return label_array(self.classes or ())[np.asarray(decide(outputs))]
        if self.task == "labels":
            return (np.asarray(outputs) > 0).astype(np.int32)
        values = np.asarray(outputs).reshape(len(outputs), *self._tail())
        return values if self.target is None else self.target.inverse_on_host(values)

    def chances(self, outputs: Any) -> Any:
        """Probabilities: shape=(m, classes), or (m, labels) for labels."""
        if self.task == "values":
            raise ValueError("a regressor has no probabilities; use predict")
        if self.task == "labels":
            return np.asarray(jax.nn.sigmoid(outputs))
        return np.asarray(probabilities(outputs))

    def _tail(self) -> tuple[int, ...]:
        return () if self.labels is None else (self.labels,)


class Prepared(NamedTuple):
    """Data on the device and the frame that explains them."""

    frame: Frame
    train: Part
    dev: Part | None
    example: Batch
    features: int
    unit: float = 1.0  # of the target, in the user's unit: what scores of values are taken in while training


def prepare(
    model: Model,
    train: Dataset,
    dev: Dataset | None = None,
    rooms: tuple[int, int] = (0, 0),
    unit: float | None = None,
    given: Frame | None = None,
) -> Prepared:
    """Check, encode, scale by the training part alone, and put on the device.

    ``rooms`` are how many rows each part is padded to at least, so that folds of unlike size share a program. ``unit``
    is what scores of values are taken in, where another part has said it. ``given`` is the frame of an earlier run,
    whose scaling and classes the new data take.

    Raises:
        ValueError: for data that cannot be trained on, naming what and where.
    """
    _are_datasets(train, dev)
    frame = _frame(model, train, dev)
    frame = frame if given is None else _earlier(given, frame)
    emphasis = _emphasis(model.class_weight, frame, train)
    sizes = [max(len(data), room) for data, room in zip((train, dev), rooms, strict=True) if data is not None]
    block = block_of(*sizes)
    rows = _rows(frame, train, emphasis)
    _name_unresolved(frame, train, rows)
    ruler = _ruler(frame, unit, train, dev)
    return Prepared(
        frame=frame,
        train=_part(frame, train, rows, ruler, rooms[0], block),
        dev=None if dev is None else _part(frame, dev, _rows(frame, dev, None), ruler, rooms[1], block),
        example=Batch(*(on_device(a[:1]) for a in rows[:3])),
        features=int(np.prod(frame.shape)),
        unit=ruler.unit,
    )


def framed(frame: Frame, data: Dataset) -> tuple[Part, float]:
    """Other data seen through a fitted frame, and the unit that scores of values are taken in."""
    check_data(data, "data")
    data = _in_order(frame, data)
    ruler = _ruler(frame, None, data)
    return _part(frame, data, _rows(frame, data, None), ruler), ruler.unit


class _Ruler(NamedTuple):
    """How values are scored: (value − shift) / unit, which float32 can square whatever the target's size."""

    shift: Any  # shape=(outputs,) or (), float64
    unit: float


def _ruler(frame: Frame, unit: float | None, data: Dataset, *more: Dataset | None) -> _Ruler:
    """What scores of these parts are taken in: the spread of the target, unless some part lies far beyond it."""
    if frame.task != "values":
        return _Ruler(0.0, 1.0)
    y = _values(data.y, data.classes)
    scale = frame.target if frame.target is not None else _target_scale(y, data.weight)
    if unit is None:
        unit = float(np.max(scale.scale))
        each = [_values(part.y, part.classes) for part in (data, *more) if part is not None]
        far = max(float(np.max(abs(values - scale.mean))) for values in each)
        unit = far if far > FAR * unit else unit
    return _Ruler(scale.mean, unit)


FAR = 1e9  # units; squared, and summed over the rows, float32 still holds them


def _part(
    frame: Frame, data: Dataset, rows: tuple[Any, Any, Any, Any], ruler: _Ruler, room: int = 0, block: int | None = None
) -> Part:
    """A part on the device; ``scale`` and ``mean`` turn outputs into what is scored."""
    if frame.task != "values":
        return part(*rows, 0.0, 1.0, room, block)
    if frame.target is not None:
        return part(*rows, 0.0, frame.target.scale / ruler.unit, room, block)
    y = _values(data.y, data.classes)
    truth = None if np.array_equal(rows[1], y) else ((y - ruler.shift) / ruler.unit).astype(default_float())
    return part(*rows, -ruler.shift / ruler.unit, 1 / ruler.unit, room, block, truth)


def _rows(frame: Frame, data: Dataset, emphasis: np.ndarray | None) -> tuple[Any, Any, Any, Any]:
    """What a part holds of each example, on the host: x, y, weight, pull."""
    y = frame.codes(data.y, data.classes)
    weight = _weight(data)
    pull = weight if emphasis is None else weight * emphasis[y]
    if emphasis is not None and not pull.any():
        raise ValueError(
            f"class_weight times the examples' weights is 0 for all {len(pull)} examples of {data.name!r}; at least "
            "one must count"
        )
    pull = pull / pull.mean() if pull.any() else pull  # of mean 1, so that a batch's cost is Σ w loss / its size
    return frame.scaled(data.x), y, _near_one(weight).astype(default_float()), pull


def _weight(data: Dataset) -> np.ndarray:
    return np.ones(len(data)) if data.weight is None else np.asarray(data.weight, np.float64)


def _near_one(weight: np.ndarray) -> np.ndarray:
    """Weights that the device's type can sum: scores only divide by their sum, so extreme ones take another unit."""
    _, exponent = np.frexp(weight.max())
    return weight if abs(int(exponent)) <= USUAL else np.ldexp(weight, -exponent)


USUAL = 40  # powers of 2


def _name_unresolved(frame: Frame, data: Dataset, rows: Any) -> None:
    scaled = frame.inputs is not None
    hint = "take their logarithm where they span many sizes, subtract what they share, or leave the column out"
    cure = hint if scaled else "write standardize=True, or scale them in float64 before"
    warn_unresolved("x", np.asarray(data.x), rows[0], data.features, cure)
    if frame.task == "values":
        cure = hint if frame.target is not None else "write standardize_target=True, or scale it in float64 before"
        y = _values(data.y, data.classes)
        warn_unresolved("y", y, rows[1], None, cure)
        constant = np.flatnonzero((y == y[:1]).all(axis=0))
        if len(y) > 1 and len(constant):
            column = f" in column {constant[0]}" if y.ndim == 2 else ""
            warnings.warn(
                f"y is {y[(0, *constant[: y.ndim - 1])]:g}{column} in every example of train: there is nothing to "
                "learn, and R² of it is 1 where all is right, else 0",
                stacklevel=2,
            )


def _frame(model: Model, train: Dataset, dev: Dataset | None) -> Frame:
    check_data(train, "train")
    if dev is not None:
        check_data(dev, "dev")
        if np.shape(dev.x)[1:] != np.shape(train.x)[1:]:
            raise ValueError(f"dev must have train's features {np.shape(train.x)[1:]}, got {np.shape(dev.x)[1:]}")
        _same_columns(train, dev)
    y = np.asarray(train.y)
    _suits(model.task, train)
    classes = _classes(train, dev) if model.task == "classes" else None
    labels = y.shape[1] if y.ndim == 2 else None
    outputs = labels or 1
    if classes is not None:
        outputs = 1 if len(classes) == 2 else len(classes)
    if model.task == "labels":
        _check_labels(y, None if dev is None else np.asarray(dev.y))
    elif model.task == "values" and not jnp.issubdtype(y.dtype, jnp.number):
        raise ValueError(f"a regressor wants numbers in y, got {y.dtype}; for text use fo.classifier")
    if train.missing == "mean" and not model.standardize:
        raise ValueError("missing cells take the training mean while standardizing; leave out standardize=False")
    scale_target = model.task == "values" and model.standardize_target
    return Frame(
        task=model.task,
        shape=tuple(np.shape(train.x)[1:]),
        outputs=outputs,
        labels=labels,
        inputs=standardizer(train.x, train.weight) if model.standardize else None,
        target=_target_scale(_values(y, train.classes), train.weight) if scale_target else None,
        classes=classes,
        features=train.features,
        columns=train.columns,
        missing=train.missing,
        name=train.target,
        dtype=None if model.standardize else _narrow(np.asarray(train.x).dtype).name,
    )


def _earlier(given: Frame, own: Frame) -> Frame:
    """The frame of an earlier run for new data, whose own frame would be another."""
    if not isinstance(given, Frame):
        raise TypeError(f"`frame` must be that of a run, run.frame, got {type(given).__name__}")
    for name in ("task", "shape", "labels", "features"):
        there, here = getattr(given, name), getattr(own, name)
        if there != here and not (name == "features" and None in (there, here)):
            raise ValueError(f"`frame` is of other data: its {name} is {there!r}, and that of the data {here!r}")
    return given


def _same_columns(train: Dataset, dev: Dataset) -> None:
    for name in ("features", "columns"):
        a, b = getattr(train, name), getattr(dev, name)
        if a is not None and b is not None and a != b:
            place = next(k for k, pair in enumerate(zip_longest(a, b)) if pair[0] != pair[1])
            raise ValueError(
                f"dev must have train's {name}, in the same order; number {place} is {a[place : place + 1]} in train "
                f"and {b[place : place + 1]} in dev"
            )


def _target_scale(y: np.ndarray, weight: Any) -> Standardizer:
    """The moments of a target; one that is constant in training is scaled by its size, so that none is lost."""
    made = standardizer(y, weight)
    size = np.where(made.mean == 0, 1.0, abs(made.mean))
    return replace(made, scale=np.where(made.scale > 0, made.scale, size))


def _values(y: Any, classes: tuple[Label, ...] | None) -> np.ndarray:
    """A target of values as it is; where its whole numbers stand for others, these."""
    y = np.asarray(y)
    return y if classes is None else label_array(classes)[y]


def _narrow(dtype: Any) -> np.dtype:
    """The type of the device for numbers of this type."""
    return np.dtype(jax.dtypes.canonicalize_dtype(np.float64 if dtype == np.longdouble else dtype))


def _of_type(x: np.ndarray, name: str | None) -> np.ndarray:
    """Inputs in the type that the model was trained on; ValueError where that would change one."""
    if name is None or x.dtype.name == name:
        return x
    with np.errstate(invalid="ignore"):
        made = x.astype(jnp.dtype(name))
    if made.dtype.kind in "biu" and not np.array_equal(made, x):
        raise ValueError(f"`x` must hold {name}, as the data of training did, got {x.dtype} that are none")
    return made


def _in_devices_type(x: np.ndarray) -> np.ndarray:
    """Numbers that are not standardized: whole ones stay whole, others become floating ones of the device."""
    narrow = _narrow(x.dtype)
    if x.dtype.kind in "iu" and x.size:
        info = jnp.iinfo(narrow)
        for block in blocks(x):
            bad = (x[block] < info.min) | (x[block] > info.max)
            if bad.any():
                i = int(np.flatnonzero(bad)[0])
                where = place(i + block.start * (x.size // len(x)), x.shape)
                raise ValueError(
                    f"`x` {where}: {x[block].ravel()[i]} does not fit {np.dtype(narrow).name}; standardize it, or "
                    "give floating numbers"
                )
    return x.astype(narrow)


def _fits(what: str, given: np.ndarray, z: np.ndarray, names: tuple[str, ...] | None) -> None:
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


def _in_order(frame: Frame, data: Dataset) -> Dataset:
    """Data whose named columns stand as the model's do."""
    mine, theirs = frame.features, data.features
    if mine is None or theirs is None or mine == theirs:
        return data
    lacking = [name for name in mine if theirs.count(name) != 1]
    if lacking:
        raise ValueError(
            f"the data lack the column {printable(lacking[0])!r} that the model was trained on; they have "
            + ", ".join(map(printable, theirs[:8]))
        )
    order = [theirs.index(name) for name in mine]
    return data._replace(x=np.asarray(data.x)[:, order], features=mine)


def _are_datasets(train: Any, dev: Any) -> None:
    for name, data in (("train", train), ("dev", dev)):
        if data is not None and not isinstance(data, Dataset):
            raise TypeError(f"`{name}` must be a Dataset, got {type(data).__name__}; write fo.data.dataset(x, y)")


def check_datasets(train: Any, dev: Any) -> None:
    """TypeError or ValueError for parts that no model can take, as :func:`prepare` says it."""
    _are_datasets(train, dev)
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


def _suits(task: str, train: Dataset) -> None:
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


def _classes(train: Dataset, dev: Dataset | None) -> tuple[Label, ...]:
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


def _codes(y: np.ndarray, known: tuple[Label, ...], classes: tuple[Label, ...] | None) -> np.ndarray:
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


def _check_labels(y: np.ndarray, dev: np.ndarray | None) -> None:
    for part_y in (y, dev):
        if part_y is None:
            continue
        if part_y.ndim != 2 or not np.isin(part_y, (0, 1)).all():
            raise ValueError(f"multilabel wants y of shape (m, labels) holding 0 and 1, got shape {part_y.shape}")


def _emphasis(class_weight: Any, frame: Frame, train: Dataset) -> np.ndarray | None:
    """What an example of each class counts in the training cost, shape=(classes,)."""
    if class_weight is None:
        return None
    if frame.task != "classes" or frame.classes is None:
        raise ValueError("class_weight is for classifiers")
    codes = frame.codes(train.y, train.classes)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"class_weight must be None, 'balanced' or a dict, got {class_weight!r}")
        counts = np.bincount(codes, weights=_weight(train), minlength=len(frame.classes))
        there = counts > 0  # a row of weight 2 counts as two rows, a class without any as none
        return np.where(there, counts.sum() / (there.sum() * np.where(there, counts, 1)), 0.0)
    unknown = [c for c in class_weight if c not in frame.classes]
    if unknown:
        raise ValueError(f"class_weight names {unknown[0]!r}, which is not one of {list(frame.classes)}")
    if any(not np.isfinite(w) or w < 0 for w in class_weight.values()):
        raise ValueError(f"class_weight must be finite and ≥ 0, got {class_weight}")
    return np.array([float(class_weight.get(c, 1.0)) for c in frame.classes])
