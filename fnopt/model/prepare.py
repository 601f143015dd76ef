"""From datasets to what the lane program eats, and from its outputs back to answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._types import Batch, Column, Dataset, Label
from fnopt.data import Standardizer, standardizer
from fnopt.model.model import Model
from fnopt.train import BLOCK, Part, block_of, decide, part, probabilities
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

    def scaled(self, x: Any) -> np.ndarray:
        """Inputs as the network sees them, on the host; checks their shape and that they are finite."""
        x = np.asarray(x)
        if x.shape[1:] != self.shape:
            raise ValueError(f"expected x of shape (m, {', '.join(map(str, self.shape))}), got {x.shape}")
        _finite("x", x, self.features, allow_nan=self.missing == "mean")
        x = x.astype(np.result_type(jnp.result_type(float))) if not np.issubdtype(x.dtype, np.floating) else x
        if self.inputs is None:
            return x.astype(jax.dtypes.canonicalize_dtype(x.dtype))
        padded = np.concatenate([x, np.zeros((-len(x) % BLOCK, *self.shape), x.dtype)])  # or each size were compiled
        return np.asarray(self.inputs(padded))[: len(x)]

    def codes(self, y: Any, classes: tuple[Label, ...] | None = None) -> Any:
        """Targets as the loss sees them: class numbers, or standardized values.

        With ``classes`` the labels are numbers into them, as in a ``Dataset``; without, they are the labels themselves.
        """
        y = np.asarray(y)
        if self.task == "classes":
            return _codes(y, self.classes or (), classes)
        y = y.astype(np.result_type(jnp.result_type(float)))
        return y if self.target is None else np.asarray(self.target(jnp.asarray(y)))

    def answers(self, outputs: Any) -> Any:
        """Labels, values or 0/1 columns from the network's outputs."""
        if self.task == "classes":
            return np.asarray(self.classes)[np.asarray(decide(outputs))]
        if self.task == "labels":
            return (np.asarray(outputs) > 0).astype(np.int32)
        values = outputs if self.target is None else self.target.inverse(outputs.reshape(len(outputs), *self._tail()))
        return np.asarray(values).reshape(len(outputs), *self._tail())

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


def prepare(model: Model, train: Dataset, dev: Dataset | None = None, rooms: tuple[int, int] = (0, 0)) -> Prepared:
    """Check, encode, scale by the training part alone, and put on the device.

    ``rooms`` are how many rows each part is padded to at least, so that folds of unlike size share a program.

    Raises:
        ValueError: for data that cannot be trained on, naming what and where.
    """
    for name, data in (("train", train), ("dev", dev)):
        if data is not None and not isinstance(data, Dataset):
            raise TypeError(f"`{name}` must be a Dataset, got {type(data).__name__}; write fo.data.dataset(x, y)")
    frame = _frame(model, train, dev)
    emphasis = _emphasis(model.class_weight, frame, train)
    sizes = [max(len(data), room) for data, room in zip((train, dev), rooms, strict=True) if data is not None]
    block = block_of(*sizes)
    rows = _rows(frame, train, emphasis)
    return Prepared(
        frame=frame,
        train=part(*rows, *_unit(frame), rooms[0], block),
        dev=None if dev is None else part(*_rows(frame, dev, None), *_unit(frame), rooms[1], block),
        example=Batch(*(on_device(a[:1]) for a in rows[:3])),
        features=int(np.prod(frame.shape)),
    )


def framed(frame: Frame, data: Dataset) -> Part:
    """Other data seen through a fitted frame."""
    return part(*_rows(frame, data, None), *_unit(frame))


def _unit(frame: Frame) -> tuple[Any, Any]:
    """Mean and scale of the target in the user's units."""
    return (0.0, 1.0) if frame.target is None else (frame.target.mean, frame.target.scale)


def _rows(frame: Frame, data: Dataset, emphasis: Mapping[int, float] | None) -> tuple[Any, Any, Any, Any]:
    """What a part holds of each example, on the host: x, y, weight, pull."""
    y = frame.codes(data.y, data.classes)
    weight = np.ones(len(data)) if data.weight is None else np.asarray(data.weight, np.float64)
    pull = weight if emphasis is None else weight * np.array([emphasis[int(k)] for k in y])
    pull = pull / pull.mean() if pull.any() else pull  # of mean 1, so that a batch's cost is Σ w loss / its size
    return frame.scaled(data.x), y, weight.astype(jnp.result_type(float)), pull


def _frame(model: Model, train: Dataset, dev: Dataset | None) -> Frame:
    _check(train, "train")
    if dev is not None:
        _check(dev, "dev")
        if np.shape(dev.x)[1:] != np.shape(train.x)[1:]:
            raise ValueError(f"dev must have train's features {np.shape(train.x)[1:]}, got {np.shape(dev.x)[1:]}")
        _same_columns(train, dev)
    y = np.asarray(train.y)
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
        inputs=standardizer(_counted(train.x, train)) if model.standardize else None,
        target=_target_scale(_counted(y, train)) if scale_target else None,
        classes=classes,
        features=train.features,
        columns=train.columns,
        missing=train.missing,
        name=train.target,
    )


def _same_columns(train: Dataset, dev: Dataset) -> None:
    for name in ("features", "columns"):
        a, b = getattr(train, name), getattr(dev, name)
        if a is not None and b is not None and a != b:
            place = next(k for k, pair in enumerate(zip_longest(a, b)) if pair[0] != pair[1])
            raise ValueError(
                f"dev must have train's {name}, in the same order; number {place} is {a[place : place + 1]} in train "
                f"and {b[place : place + 1]} in dev"
            )


def _counted(a: Any, data: Dataset) -> np.ndarray:
    """The rows that count: an example of weight 0 is absent, from the moments too."""
    a = np.asarray(a)
    return a if data.weight is None else a[np.asarray(data.weight) > 0]


def _target_scale(y: np.ndarray) -> Standardizer:
    """A target that is constant in training keeps its unit, so that other values of it are not lost."""
    scale = standardizer(y.astype(np.result_type(jnp.result_type(float))))
    return replace(scale, scale=jnp.where(scale.scale > 0, scale.scale, 1))


def _check(data: Dataset, name: str) -> None:
    x, y = np.asarray(data.x), np.asarray(data.y)
    if len(x) == 0:
        raise ValueError(f"{name} holds no examples")
    if x.ndim < 2:
        raise ValueError(f"{name}.x must have examples in rows, shape (m, features), got {x.shape}; write x[:, None]")
    if len(x) != len(y):
        raise ValueError(f"{name}.x has {len(x)} rows, {name}.y has {len(y)}; they must be the same examples")
    _finite(f"{name}.x", x, data.features, allow_nan=data.missing == "mean")
    if jnp.issubdtype(y.dtype, jnp.floating):
        _finite(f"{name}.y", y, None)
    if y.dtype.kind in "USO":
        raise ValueError(f"{name}.y holds text; fo.data.dataset(x, y) turns labels into numbers and keeps their names")
    if data.weight is not None:
        weight = np.asarray(data.weight)
        if weight.shape != (len(x),) or not np.all(np.isfinite(weight)) or np.any(weight < 0) or not np.any(weight):
            raise ValueError(f"{name}.weight must be {len(x)} finite numbers ≥ 0, not all 0, got shape {weight.shape}")


def _finite(what: str, a: np.ndarray, features: tuple[str, ...] | None, allow_nan: bool = False) -> None:
    bad = np.isinf(a) if allow_nan else ~np.isfinite(a)
    if bad.any():
        place: Any = tuple(np.argwhere(bad)[0].tolist())
        column = f" ({features[place[1]]})" if features and len(place) > 1 and place[1] < len(features) else ""
        raise ValueError(
            f"{what} holds {a[place]} in row {place[0]}"
            + (f", column {place[1]}{column}" if len(place) > 1 else "")
            + "; numbers must be finite: drop the row or fill the cell"
        )


def _classes(train: Dataset, dev: Dataset | None) -> tuple[Label, ...]:
    y = np.asarray(train.y)
    if y.ndim != 1:
        raise ValueError(f"a classifier wants one label an example, got y of shape {y.shape}; see fo.multilabel")
    if jnp.issubdtype(y.dtype, jnp.floating) and np.any(y != np.round(y)):
        raise ValueError("a classifier wants labels in y, got fractions; for values use fo.regressor")
    if train.classes is not None:
        classes, present = train.classes, {int(k) for k in np.unique(y)}
        absent = [c for k, c in enumerate(classes) if k not in present]
    else:
        classes = tuple(int(k) for k in np.unique(y))
        there = set() if dev is None else {int(k) for k in np.unique(np.asarray(dev.y))}
        absent = sorted(there - set(classes))
    if absent:
        raise ValueError(
            f"class {absent[0]!r} has no example in train; split with stratify=True, or leave its examples out"
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
        named = [label if isinstance(label, str) else int(label) for label in labels.tolist()]
    else:
        if np.any((y < 0) | (y >= len(names))):
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


def _emphasis(class_weight: Any, frame: Frame, train: Dataset) -> dict[int, float] | None:
    """What an example of each class counts in the training cost."""
    if class_weight is None:
        return None
    if frame.task != "classes" or frame.classes is None:
        raise ValueError("class_weight is for classifiers")
    codes = frame.codes(train.y, train.classes)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"class_weight must be None, 'balanced' or a dict, got {class_weight!r}")
        counts = np.bincount(codes, minlength=len(frame.classes))
        return {k: len(codes) / (len(frame.classes) * int(n)) for k, n in enumerate(counts)}
    unknown = [c for c in class_weight if c not in frame.classes]
    if unknown:
        raise ValueError(f"class_weight names {unknown[0]!r}, which is not one of {list(frame.classes)}")
    if any(not np.isfinite(w) or w < 0 for w in class_weight.values()):
        raise ValueError(f"class_weight must be finite and ≥ 0, got {class_weight}")
    return {k: float(class_weight.get(c, 1.0)) for k, c in enumerate(frame.classes)}
