"""Whether a score is defined on the parts it is taken on: the labels say it, before anything is trained."""

import warnings
from collections.abc import Sequence

import numpy as np

from fnopt._checks import printable
from fnopt.model import Frame, Prepared
from fnopt.train import Objective, Part

# Scores whose formula becomes 0/0 on such a part, whatever is predicted.
TWO_CLASSES = ("roc_auc", "matthews_corrcoef")
POSITIVES = (
    "f1",
    "precision",
    "recall",
)  # of class 1 where there are two classes, of all labels where there are several
VARYING = ("r2", "explained_variance")
NUMBER = ("roc_auc",)  # is NaN there; the others have a value by convention


def check_defined(objective: Objective, folds: Sequence[Prepared], several: bool) -> None:
    """Raise where the objective is no number on some part; warn where it has a value by convention alone.

    Args:
        objective: part and score.
        folds: the data of each fold; one alone without folds.
        several: whether these are folds.

    Raises:
        ValueError: naming the score, the fold and what its part lacks.
    """
    for k, data in enumerate(folds):
        part = data.dev if objective.part == "dev" else data.train
        if part is None:
            continue
        lack = _lack(objective.metric, data.frame, part)
        if not lack:
            continue
        place = f"fold {k}: its {objective.part} part has" if several else f"the {objective.part} part: it has"
        said = f"{objective.metric} is not defined on {place} {lack}"
        cure = "rank by another score, as objective='dev/loss'" + (
            ", or take stratified folds: fo.data.folds(train, k, key=key, stratify=True)"
            if several and data.frame.task == "classes"
            else ""
        )
        if objective.metric in NUMBER:
            raise ValueError(f"{said}; {cure}")
        warnings.warn(f"{said}, and so it is 0 or 1 there by convention; {cure}", stacklevel=3)


def _lack(metric: str, frame: Frame, part: Part) -> str:
    """What a part has too little of for a score, in words; nothing where it has enough."""
    counts = np.asarray(part.weight) > 0
    y = np.asarray(part.y if part.truth is None else part.truth)[counts]
    if not len(y):
        return "no example of weight above 0"
    if frame.task == "classes":
        names = frame.classes or ()
        there = np.unique(y)
        if metric in TWO_CLASSES and len(there) < 2:
            return f"class {printable(names[int(there[0])])} only"
        if metric in POSITIVES and len(names) == 2 and 1 not in there:
            return f"no example of class {printable(names[1])}"
    if frame.task == "labels" and metric in POSITIVES and not (y > 0).any():
        return "no label that is 1"
    if frame.task == "values" and metric in VARYING:
        constant = np.flatnonzero((y == y[:1]).reshape(len(y), -1).all(axis=0))
        if len(constant):
            rows = "1 example" if len(y) == 1 else f"one value in all {len(y)} examples"
            return rows + (f" of column {constant[0]} of its target" if y.ndim == 2 and y.shape[1] > 1 else "")
    return ""
