"""What scikit-learn hands to an estimator, checked in its own words, as a dataset."""

from typing import Any, NamedTuple, cast

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from fnopt._checks import real
from fnopt._types import Dataset
from fnopt.data import dataset

FLOATS = (np.float64, np.float32)


class Rows(NamedTuple):
    """Examples that count, as scikit-learn has them."""

    x: np.ndarray  # shape=(m, features), float64 or float32
    y: np.ndarray  # shape=(m,) or (m, outputs)
    weight: np.ndarray | None  # shape=(m,), float64, ≥ 0
    counts: np.ndarray  # shape=(m,), bool; rows of weight 0 count for nothing, as if they were not there


def checked(estimator: Any, x: Any, y: Any, weight: Any, *, numeric: bool, reset: bool) -> Rows:
    """The arrays of a call of ``fit``; sets ``n_features_in_`` and ``feature_names_in_`` where ``reset``.

    Raises:
        ValueError, TypeError: in scikit-learn's words for X and y, and for weights that cannot be.
    """
    x, y = validate_data(estimator, x, y, dtype=FLOATS, multi_output=True, y_numeric=numeric, reset=reset)
    y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if numeric and y.dtype.kind not in "biuf":
        raise ValueError(
            f"{type(estimator).__name__} wants numbers in y, got {y.dtype}; for labels take FnoptClassifier"
        )
    weight = None if weight is None else _weights(weight, len(x))
    return Rows(x, y, weight, np.ones(len(x), bool) if weight is None else weight > 0)


def _weights(weight: Any, rows: int) -> np.ndarray:
    weight = np.full(rows, weight) if np.isscalar(weight) else weight
    weight = cast(Any, check_array)(weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (rows,):
        raise ValueError(f"sample_weight must have shape ({rows},), one number a row of X, got {weight.shape}")
    if (weight < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weight.min():g} in row {weight.argmin()}")
    if not weight.any():
        raise ValueError("sample_weight is zero for all rows; at least one must count")
    return weight


class Labels(NamedTuple):
    """What the labels of a classifier stand for."""

    task: str  # "classes" or "labels"
    classes: np.ndarray  # as they are in y; 0 to n − 1 where y is shape=(m, n) of 0 and 1
    dtype: Any  # of y

    @property
    def names(self) -> tuple[Any, ...] | None:
        """The classes as a dataset names them; their numbers where they are no text and no whole numbers."""
        if self.task == "labels":
            return None
        if all(isinstance(label, str) for label in self.classes.tolist()):
            return tuple(self.classes.tolist())
        return tuple(range(len(self.classes))) if self.classes.dtype.kind not in "iu" else tuple(self.classes.tolist())

    def codes(self, y: np.ndarray) -> np.ndarray:
        """The number of each label of y.

        Raises:
            ValueError: for a label that is no class.
        """
        if self.task == "labels":
            if y.ndim != 2 or y.shape[1] != len(self.classes):
                raise ValueError(f"y must have shape (m, {len(self.classes)}) as before, got {y.shape}")
            return y.astype(np.int32)
        unknown = np.setdiff1d(y, self.classes)
        if len(unknown):
            raise ValueError(
                f"`y` has the label {unknown[:1].tolist()[0]!r}, which is none of the classes "
                f"{self.classes.tolist()}: name all classes in the first call, partial_fit(X, y, classes=…)"
            )
        return np.searchsorted(self.classes, y)

    def weighted(self, rows: Rows, class_weight: Any) -> Rows:
        """The rows, each counting as many times as much as its class does.

        Args:
            rows: whose labels these are.
            class_weight: "balanced" for m / (classes × rows of the class), rows of weight 0 left out; or {label: weight
                ≥ 0}, 1 for a label that it does not name.

        Raises:
            ValueError: for anything else, for a label that is no class, and for columns of labels.
        """
        if self.task == "labels":
            raise ValueError(
                "`class_weight` is for one label an example, and y holds several labels: weight the rows, "
                "fit(X, y, sample_weight=…)"
            )
        codes, classes = self.codes(rows.y), self.classes.tolist()
        if hasattr(class_weight, "items"):
            unknown = [label for label in class_weight if label not in classes]
            if unknown:
                raise ValueError(f"class_weight names {unknown[0]!r}, which is none of the classes {classes}")
            each = np.array([real("class_weight", class_weight.get(c, 1.0), "≥ 0", lambda w: w >= 0) for c in classes])
        elif class_weight == "balanced":
            counts = np.bincount(codes[rows.counts], minlength=len(classes))
            each = rows.counts.sum() / (len(classes) * np.maximum(counts, 1))
        else:
            raise ValueError(f"class_weight must be None, 'balanced' or {{label: weight}}, got {class_weight!r}")
        weight = each[codes] * (1.0 if rows.weight is None else rows.weight)
        if not weight.any():
            raise ValueError("class_weight times sample_weight is zero for all rows; at least one must count")
        return rows._replace(weight=weight, counts=weight > 0)


def labels_of(estimator: Any, rows: Rows, classes: Any = None) -> Labels:
    """The classes of a target, or of ``classes`` where all are named.

    Raises:
        ValueError: for a target of values, of several labels of several classes each, and of one class.
    """
    name = type(estimator).__name__
    check_classification_targets(rows.y)
    kind = type_of_target(rows.y, input_name="y")
    if kind == "multilabel-indicator":
        return Labels("labels", np.arange(rows.y.shape[1]), rows.y.dtype)
    if kind.endswith("multioutput"):
        raise ValueError(
            f"{name} takes one label an example, or columns of 0 and 1, and y has {rows.y.shape[1]} columns of "
            f"classes: take sklearn.multioutput.MultiOutputClassifier({name}())"
        )
    known = np.unique(rows.y) if classes is None else np.unique(np.asarray(classes))
    counted = known if classes is not None else np.unique(rows.y[rows.counts])
    if len(counted) < 2:
        where = "" if rows.counts.all() else " where sample_weight is not zero"
        raise ValueError(f"{name} needs at least two classes, and y has one class only{where}: {counted.tolist()[0]!r}")
    return Labels("classes", known, rows.y.dtype)


def as_dataset(estimator: Any, rows: Rows, labels: Labels | None) -> Dataset:
    """The rows that count as a dataset; ``labels`` are None for values."""
    names = getattr(estimator, "feature_names_in_", None)
    x, y = rows.x[rows.counts], rows.y[rows.counts]
    weight = None if rows.weight is None else rows.weight[rows.counts]
    told = {"features": None if names is None else tuple(map(str, names)), "name": "X"}
    if labels is None:
        return dataset(x, y.astype(np.float64), weight, **told)
    return dataset(x, labels.codes(y), weight, classes=labels.names, **told)
