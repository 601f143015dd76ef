"""The confusion matrix: what each class was taken for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt import metrics
from fnopt.plot._answers import classified
from fnopt.plot._arrays import numbers
from fnopt.plot._axes import SHADES, Axes, axes_of, finished

WRITTEN = 20  # classes: of more, the numbers in the cells could not be read


def confusion(
    source: Any,
    other: Any = None,
    *,
    classes: Sequence[Any] | None = None,
    shares: bool = False,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """How many examples of each class were called what: rows are the truth, colours the share of a row.

    Args:
        source: a fitted model, with a dataset as ``other``; or class numbers that are true, shape=(m,), with those
            that were predicted as ``other``; or a matrix, shape=(classes, classes), as ``fo.metrics.confusion_matrix``
            gives it.
        other: see ``source``.
        classes: what the class numbers stand for; the model's own unless given.
        shares: whether the cells say the share of the row in per cent, and not the weight of the examples.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for labels that are no class numbers, a matrix that is not square, as many names as there are no
            classes, labels that the model does not know.

    >>> axes = confusion([0, 1, 1], [0, 1, 0], classes=("cat", "dog"))
    >>> [text.get_text() for text in axes.texts]
    ['1', '0', '1', '1']
    """
    matrix, names = _matrix(source, other, classes)
    count = len(matrix)
    rows = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, rows, out=np.zeros_like(matrix), where=rows > 0)
    side = min(max(0.45 * count + 2.2, 3.6), 9.0)
    axes = axes_of(axes, side + 0.9, side)
    image = axes.imshow(share, cmap=SHADES, vmin=0, vmax=1)
    axes.figure.colorbar(image, ax=axes, label="share of the true class")
    if count <= WRITTEN:
        for i, j in np.ndindex(count, count):
            text = f"{100 * share[i, j]:.0f}" if shares else f"{matrix[i, j]:g}"
            colour = "black" if share[i, j] > 0.55 else "white"
            axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=9 if count <= 10 else 7)
    axes.set_xticks(range(count), names, rotation=45 if max(map(len, names)) > 3 else 0, ha="center")
    axes.set_yticks(range(count), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title("% of the true class" if shares else "examples", fontsize=9)
    return finished(axes, path)


def _matrix(source: Any, other: Any, classes: Sequence[Any] | None) -> tuple[np.ndarray, list[str]]:
    """The matrix, and a name for each class."""
    if other is None:
        matrix, known = numbers("source", source, 2, finite=True), classes
        if matrix.shape[0] != matrix.shape[1] or (matrix < 0).any():
            raise ValueError(
                f"a confusion matrix is square and not negative, got shape {matrix.shape}; of labels write "
                "confusion(truth, prediction), of a model confusion(model, data)"
            )
    else:
        found = classified(source, other, classes)
        known = found.classes
        count = max(int(max(found.truth.max(), found.given.max())) + 1, 2, len(known or ()))
        weight = None if found.weight is None else np.asarray(found.weight)
        matrix = np.asarray(metrics.confusion_matrix(found.truth, found.given, weight=weight, classes=count), float)
    names = list(map(str, range(len(matrix)) if known is None else known))
    if len(names) != len(matrix):
        raise ValueError(f"`classes` must name each of the {len(matrix)} classes, got {len(names)} names")
    return matrix, names
