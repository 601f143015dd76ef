"""Truth and answers, from arrays or from a fitted model and a dataset."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fnopt.plot._arrays import as_long, numbers

MANY = 12  # classes or labels: of more, each has its own line but no line can be told from the others


class Answers(NamedTuple):
    """What was true and what a model said."""

    truth: np.ndarray  # shape=(m,) or (m, labels)
    given: np.ndarray  # predictions, scores or probabilities, shape=(m,), (m, classes) or (m, labels)
    weight: np.ndarray | None  # shape=(m,)
    classes: tuple[str, ...] | None  # what the columns or the numbers stand for


def is_model(source: Any) -> bool:
    """Whether this answers by itself: a run, an average of runs, an estimator."""
    return callable(getattr(source, "predict", None))


def classified(source: Any, other: Any, classes: Sequence[Any] | None) -> Answers:
    """Class numbers that are true and class numbers that were said."""
    if not is_model(source):
        truth, said = (class_numbers(name, a) for name, a in (("truth", source), ("prediction", other)))
        return Answers(truth, as_long("prediction", said, "truth", len(truth)), None, _named(classes))
    data = _data(other)
    known = _classes_of(source)
    if known is None:
        raise ValueError("a picture of classes needs a model of classes; this one has none: residuals(model, data)?")
    said = _codes(np.asarray(source.predict(data.x)), known)
    return Answers(_codes(_labels(data), known), said, _weight(data), _named(classes or known))


def scored(source: Any, other: Any, weight: Any, classes: Sequence[Any] | None) -> Answers:
    """Class numbers or 0/1 columns that are true, and a score or probability for each."""
    if not is_model(source):
        return Answers(np.asarray(source), np.asarray(other), None if weight is None else weight, _named(classes))
    data = _data(other)
    said = np.asarray(source.predict_proba(data.x))  # a regressor says itself that it has none
    known = _classes_of(source)
    truth = np.asarray(data.y) if known is None or np.ndim(data.y) > 1 else _codes(_labels(data), known)
    return Answers(truth, said, _weight(data) if weight is None else weight, _named(classes or known))


def valued(source: Any, other: Any) -> tuple[np.ndarray, np.ndarray, str]:
    """Values that are true and values that were predicted, shape=(m,) each, and what they are called."""
    name = "y"
    if is_model(source):
        data = _data(other)
        if _classes_of(source) is not None:
            raise ValueError("residuals are of values; of a model of classes draw confusion(model, data) or roc")
        truth, said, name = data.y, source.predict(data.x), getattr(data, "target", "y")
    else:
        truth, said = source, other
    truth, said = numbers("truth", truth, (1, 2)), numbers("prediction", said, (1, 2))
    if truth.size != said.size:
        raise ValueError(f"`truth` and `prediction` must have one shape, got {truth.shape} and {said.shape}")
    return truth.ravel(), said.ravel(), name


class OneClass(NamedTuple):
    """One class against the rest, or one label of several."""

    name: str
    truth: np.ndarray  # shape=(m,), 0 or 1
    score: np.ndarray  # shape=(m,)


def one_by_one(answers: Answers) -> list[OneClass]:
    """Each class against the rest; of two classes the second alone."""
    truth, score, classes = answers.truth, answers.given, answers.classes
    if score.ndim == 1:
        name = f"class {classes[1]}" if classes and len(classes) == 2 else ""
        return [OneClass(name, truth, score)]
    if score.ndim != 2:
        raise ValueError(f"`score` must have shape (m,), (m, classes) or (m, labels), got {score.shape}")
    count, kind = score.shape[1], "label" if truth.ndim == 2 else "class"
    names = classes if classes and len(classes) == count else tuple(map(str, range(count)))
    if truth.ndim == 1 and count == 2:
        return [OneClass(f"class {names[1]}", truth, score[:, 1])]
    columns = truth.T if truth.ndim == 2 else np.arange(count)[:, None] == truth[None, :]
    return [OneClass(f"{kind} {names[k]}", columns[k].astype(np.int32), score[:, k]) for k in range(count)]


def class_numbers(name: str, given: Any) -> np.ndarray:
    """Class numbers from 0 on, shape=(m,); ValueError for others."""
    array = np.asarray(given)
    whole = array.ndim == 1 and array.size and array.dtype.kind in "iub"
    if not whole or array.min() < 0:
        raise ValueError(
            f"`{name}` must be class numbers 0, 1, …, shape (m,), got {array.dtype} of shape {array.shape}; of labels "
            "take numpy.unique(labels, return_inverse=True)[1]"
        )
    return array.astype(np.int32)


def _data(given: Any) -> Any:
    if not hasattr(given, "x") or not hasattr(given, "y"):
        raise TypeError(f"beside a model there must be a dataset, as fo.data.dataset(x, y), got {type(given).__name__}")
    return given


def _classes_of(model: Any) -> tuple[Any, ...] | None:
    known = getattr(model, "classes", None)
    known = getattr(model, "classes_", None) if known is None else known
    return None if known is None else tuple(known)


def _labels(data: Any) -> np.ndarray:
    """The labels themselves, as the model says them."""
    y = np.asarray(data.y)
    return y if data.classes is None else np.asarray(data.classes, object)[y]


def _codes(labels: np.ndarray, known: tuple[Any, ...]) -> np.ndarray:
    """The number of each label among those that the model knows."""
    place = {label: k for k, label in enumerate(known)}
    unknown = sorted({str(label) for label in labels.tolist() if label not in place})
    if unknown:
        raise ValueError(f"the data hold labels that the model does not know: {', '.join(unknown[:5])}")
    return np.array([place[label] for label in labels.tolist()], np.int32)


def _weight(data: Any) -> Any:
    return getattr(data, "weight", None)


def _named(classes: Sequence[Any] | None) -> tuple[str, ...] | None:
    return None if classes is None else tuple(map(str, classes))
