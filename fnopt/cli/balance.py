"""How a target's classes are spread: the share of the commonest, rare ones, and those that a part lacks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnopt._types import Dataset

RARE, UNEVEN = 0.2, 2.0  # a class is rare below this share, where another has at least UNEVEN times as many
FEW, NAMED = 3, 5  # a class of fewer examples is named; classes named one by one, at most


def shares(data: Dataset, task: str) -> dict[str, float] | None:
    """The share of each class by name, or of examples that have it for each label; None for values."""
    y = np.asarray(data.y)
    if task == "labels":
        return {f"label {k}": float(v) for k, v in enumerate((y > 0).mean(axis=0))}
    if task != "classes":
        return None
    names = _names(data)
    return {str(name): count / len(y) for name, count in zip(names, _counts(data, names), strict=True)}


def _names(data: Dataset) -> list[Any]:
    """The classes: those that are declared, or the labels that there are, which may be any whole numbers."""
    return list(data.classes) if data.classes else np.unique(np.asarray(data.y)).tolist()


def _counts(data: Dataset, names: list[Any]) -> list[int]:
    """How many examples of each class there are."""
    labels, counts = np.unique(np.asarray(data.y), return_counts=True)
    found = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    return [found.get(k if data.classes else name, 0) for k, name in enumerate(names)]


def uneven(data: Dataset, task: str) -> str | None:
    """The rarest class, where it has less than a fifth and another has twice as much: accuracy hides it."""
    found = shares(data, task)
    if not found or task != "classes":
        return None
    rarest = min(found, key=found.__getitem__)
    return rarest if found[rarest] < RARE and max(found.values()) >= UNEVEN * found[rarest] else None


def majority(data: Dataset, task: str) -> tuple[str, float] | None:
    """The commonest class and its share, which a model that always says so reaches; None for values.

    Of labels, each is taken as most examples have it, and the share is that of the examples with all of them so.
    """
    found = shares(data, task)
    if not found:
        return None
    if task == "labels":
        usual = np.array([share > 0.5 for share in found.values()])
        return "the commoner", float(((np.asarray(data.y) > 0) == usual).all(axis=1).mean())
    name = max(found, key=found.__getitem__)
    return repr(name), found[name]


def notes(data: Dataset, parts: Sequence[Dataset], task: str, objective: str) -> list[str]:
    """What is to be known before a search: a rare class, classes of few examples and where these are."""
    if task != "classes":
        return []
    lines, rare = [], uneven(data, task)
    if rare is not None and objective.split("/")[-1] == "accuracy":
        share = (shares(data, task) or {})[rare]
        lines.append(
            f"class {rare!r} has {share:.1%} of the examples: accuracy hardly sees it, "
            "--objective dev/balanced_accuracy ranks by the mean over classes"
        )
    return [*lines, *_few(data, parts)]


def _few(data: Dataset, parts: Sequence[Dataset]) -> list[str]:
    """Classes that a part lacks, and those of one or two examples."""
    names = _names(data)
    counts = [_counts(part, names) for part in parts]
    lines = []
    for k, name in enumerate(names):
        each = dict(zip(("train", "dev", "test"), (count[k] for count in counts), strict=False))
        total, there = sum(each.values()), [part for part, count in each.items() if count]
        if total < FEW or len(there) < len(each):
            examples = f"{total} example{'s' * (total != 1)}"
            lines.append(f"class {str(name)!r}: {examples}, in {' and '.join(there) or 'no part'} only")
    more = [f"and {len(lines) - NAMED} more such classes"] if len(lines) > NAMED else []
    return [*lines[:NAMED], *more]
