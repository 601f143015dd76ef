"""What kind of answer a target asks for."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from fnopt._types import Label
from fnopt.data._cells import is_text, plain

FEW = 20  # whole numbers with at most so many different values are labels in any case


def task_of(y: Any, classes: Sequence[Label] | None = None) -> Literal["classes", "values", "labels"]:
    """The task that a target asks for, by these rules in order.

    1. With ``classes``, text or booleans: "classes".
    2. Two-dimensional: "labels" if every entry is 0 or 1, else "values".
    3. Whole numbers with at most max(20, √m) different values among m: "classes".
    4. Else "values"; a floating type is always one, however few its values.

    Args:
        y: shape=(m,) or (m, outputs).
        classes: what the labels stand for, where they stand for something.

    Returns:
        "classes", "values" or "labels".

    >>> task_of(["a", "b", "a"]), task_of([0, 1, 1]), task_of(range(1000)), task_of([0.0, 1.0])
    ('classes', 'classes', 'values', 'values')
    >>> task_of([[0, 1], [1, 1]])
    'labels'
    """
    y = plain("y", y)
    if classes is not None or (y.ndim < 2 and (is_text(y) or y.dtype.kind == "b")):
        return "classes"
    if y.ndim >= 2:
        return "labels" if np.isin(y, (0, 1)).all() else "values"
    few = max(FEW, math.isqrt(y.size))
    return "classes" if y.dtype.kind in "iu" and len(np.unique(y)) <= few else "values"
