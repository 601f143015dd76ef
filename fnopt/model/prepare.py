"""From datasets to what the lane program eats, and from its outputs back to answers."""

import warnings
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import printable
from fnopt._types import Batch, Column, Dataset, Label
from fnopt.data import Standardizer, standardizer
from fnopt.data._cells import default_float
from fnopt.data._labels import label_array
from fnopt.data.dataset import inputs
from fnopt.model.encode import (
    check_are_datasets,
    check_data,
    check_fits,
    check_labels,
    check_same_columns,
    classes_of,
    codes_of,
    in_devices_type,
    narrow,
    of_type,
    values_of,
    warn_unsuited,
)
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
        z = of_type(in_devices_type(x), self.dtype) if self.inputs is None else self.inputs.on_host(x)
        check_fits("x", x, z, self.features)
        return z

    def codes(self, y: Any, classes: tuple[Label, ...] | None = None) -> Any:
        """Targets as the loss sees them: class numbers, or standardized values.

        With ``classes`` the labels are numbers into them, as in a ``Dataset``; without, they are the labels themselves.
        """
        if self.task == "classes":
            return codes_of(np.asarray(y), self.classes or (), classes)
        y = values_of(y, classes)
        z = y.astype(default_float()) if self.target is None else self.target.on_host(y)
        check_fits("y", y, z, None)
        return z

    def values(self, data: Dataset) -> np.ndarray:
        """A target of values in float64, in the user's unit."""
        return values_of(data.y, data.classes).astype(np.float64)

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
    own: bool = False,
) -> Prepared:
    """Check, encode, scale by the training part alone, and put on the device.

    ``rooms`` are how many rows each part is padded to at least, so that folds of unlike size share a program. ``unit``
    is what scores of values are taken in, where another part has said it. ``given`` is the frame of an earlier run,
    whose scaling and classes the new data take. ``own`` is whether scores that a user wrote are taken.

    Raises:
        ValueError: for data that cannot be trained on, naming what and where.
    """
    check_are_datasets(train, dev)
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
        train=_part(frame, train, rows, ruler, rooms[0], block, own),
        dev=None if dev is None else _part(frame, dev, _rows(frame, dev, None), ruler, rooms[1], block, own),
        example=Batch(*(on_device(a[:1]) for a in rows[:3])),
        features=int(np.prod(frame.shape)),
        unit=ruler.unit,
    )


def framed(frame: Frame, data: Dataset, own: bool = False) -> tuple[Part, float]:
    """Other data seen through a fitted frame, and the unit that scores of values are taken in."""
    check_data(data, "data")
    data = in_order(frame, data)
    ruler = _ruler(frame, None, data)
    return _part(frame, data, _rows(frame, data, None), ruler, own=own), ruler.unit


class _Ruler(NamedTuple):
    """How values are scored: (value − shift) / unit, which float32 can square whatever the target's size."""

    shift: Any  # shape=(outputs,) or (), float64
    unit: float


def _ruler(frame: Frame, unit: float | None, data: Dataset, *more: Dataset | None) -> _Ruler:
    """What scores of these parts are taken in: the spread of the target, unless some part lies far beyond it."""
    if frame.task != "values":
        return _Ruler(0.0, 1.0)
    y = values_of(data.y, data.classes)
    scale = frame.target if frame.target is not None else _target_scale(y, data.weight)
    if unit is None:
        unit = float(np.max(scale.scale))
        each = [values_of(part.y, part.classes) for part in (data, *more) if part is not None]
        far = max(float(np.max(abs(values - scale.mean))) for values in each)
        unit = far if far > FAR * unit else unit
    return _Ruler(scale.mean, unit)


FAR = 1e9  # units; squared, and summed over the rows, float32 still holds them


def _part(
    frame: Frame,
    data: Dataset,
    rows: tuple[Any, Any, Any, Any],
    ruler: _Ruler,
    room: int = 0,
    block: int | None = None,
    own: bool = False,
) -> Part:
    """A part on the device; ``scale`` and ``mean`` turn outputs into what is scored."""
    if frame.task != "values":
        return part(*rows, 0.0, 1.0, room, block)
    if own:
        made = _part(frame, data, rows, ruler, room, block)
        unit, shift = (on_device(np.asarray(x, default_float())) for x in (ruler.unit, ruler.shift))
        return replace(made, user=(unit, shift))
    if frame.target is not None:
        return part(*rows, 0.0, frame.target.scale / ruler.unit, room, block)
    y = values_of(data.y, data.classes)
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
        y = values_of(data.y, data.classes)
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
        check_same_columns(train, dev)
    y = np.asarray(train.y)
    warn_unsuited(model.task, train)
    classes = classes_of(train, dev) if model.task == "classes" else None
    labels = y.shape[1] if y.ndim == 2 else None
    outputs = labels or 1
    if classes is not None:
        outputs = 1 if len(classes) == 2 else len(classes)
    if model.task == "labels":
        check_labels(y, None if dev is None else np.asarray(dev.y))
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
        target=_target_scale(values_of(y, train.classes), train.weight) if scale_target else None,
        classes=classes,
        features=train.features,
        columns=train.columns,
        missing=train.missing,
        name=train.target,
        dtype=None if model.standardize else narrow(np.asarray(train.x).dtype).name,
    )


def _earlier(given: Frame, own: Frame) -> Frame:
    """The frame of an earlier run for new data, whose own frame would be another."""
    if not isinstance(given, Frame):
        raise TypeError(f"`encoding` must be that of a run, run.encoding, got {type(given).__name__}")
    for name in ("task", "shape", "labels", "features"):
        there, here = getattr(given, name), getattr(own, name)
        if there != here and not (name == "features" and None in (there, here)):
            raise ValueError(f"`encoding` is of other data: its {name} is {there!r}, and that of the data {here!r}")
    return given


def _target_scale(y: np.ndarray, weight: Any) -> Standardizer:
    """The moments of a target: by its deviation where any values differ, else by its size, so that none is lost.

    Among inputs, values that differ by rounding alone are noise. A target is what was asked for: scaled by its size,
    1e12 ± 0.001 would be answered with 1e11 more or less.
    """
    made = standardizer(y, weight)
    size = np.where(made.mean == 0, 1.0, abs(made.mean))
    for spread in (_deviation(y, made.mean, weight), made.scale):
        size = np.where(spread > 0, spread, size)
    return replace(made, scale=size)


def _deviation(y: np.ndarray, mean: Any, weight: Any) -> Any:
    """√(Σ w (y − mean)² / Σ w) of each column, in units of the largest deviation; 0 where all that count are equal."""
    w = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    y, w = np.asarray(y)[w > 0].astype(np.float64), w[w > 0]
    d = (y != y[:1]).any(axis=0) * (y - mean)
    most = np.max(abs(d), axis=0)
    return most * np.sqrt(np.average(np.square(d / np.where(most > 0, most, 1)), axis=0, weights=w / w.max()))


def in_order(frame: Frame, data: Dataset) -> Dataset:
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
