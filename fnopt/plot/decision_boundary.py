"""Which class a model gives to each point of a plane."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._answers import class_numbers, is_model
from fnopt.plot._arrays import as_long, numbers
from fnopt.plot._axes import Axes, axes_of, finished, legend_beside
from fnopt.plot._figure import COLOURS

FINE = 301  # points along an axis
MARGIN = 0.08  # beyond the outermost examples, as a share of their range
MARKS = "osD^vPX*"


def decision_boundary(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    classes: Sequence[Any] | None = None,
    names: Sequence[str] = ("x₁", "x₂"),
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """The regions of the plane that a model gives to each class, with the examples on them.

    Without a hidden layer all boundaries are straight (W8 of the notes).

    Args:
        model: a fitted model of classes with two inputs; or a function from points, shape=(k, 2), to class numbers,
            shape=(k,), or to a score for each class, shape=(k, classes), of which the largest counts.
        x: a dataset with two inputs; or inputs, shape=(m, 2), with class numbers ``y``, shape=(m,).
        y: see ``x``.
        classes: what the class numbers stand for; the dataset's, else the model's, unless given.
        names: of the two inputs; the dataset's own where it has them.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for other than two inputs, with the cure.

    >>> axes = decision_boundary(lambda p: p[:, 0] > 0, [[-1.0, 0.0], [1.0, 0.5]], [0, 1])
    >>> axes.get_xlabel(), len(axes.lines)
    ('x₁', 2)
    """
    x, y, known, names = _examples(model, x, y, names)
    classes = classes or known
    axes = axes_of(axes, 6.0, 4.4)
    low, high = x.min(axis=0), x.max(axis=0)
    room = np.where(high > low, MARGIN * (high - low), 1.0)
    across, up = (np.linspace(a, b, FINE) for a, b in zip(low - room, high + room, strict=True))
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    regions = _regions(model, points, known).reshape(FINE, FINE)
    count = max(int(max(regions.max(), y.max())) + 1, 2)
    levels = np.arange(count + 1) - 0.5
    colours = [COLOURS[k % len(COLOURS)] for k in range(count)]
    axes.contourf(across, up, regions, levels=levels, colors=colours, alpha=0.25)
    for k in np.unique(regions)[:-1]:  # each by itself: where several levels meet their lines would lie on each other
        axes.contour(across, up, regions == k, levels=[0.5], colors="0.2", linewidths=0.9)
    for k in np.unique(y):
        told = str(classes[k]) if classes and k < len(classes) else f"class {k}"
        style = {"markerfacecolor": colours[k], "markeredgecolor": "white", "markeredgewidth": 0.6, "markersize": 5}
        axes.plot(*x[y == k].T, linestyle="none", marker=MARKS[k % len(MARKS)], label=told, **style)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    legend_beside(axes)
    return finished(axes, path)


def _examples(model: Any, x: Any, y: Any, names: Any) -> tuple[np.ndarray, np.ndarray, Any, Any]:
    """Inputs, class numbers, what these stand for and what the inputs are called."""
    known = None
    if hasattr(x, "x") and hasattr(x, "y"):
        data = x
        x, y, known = data.x, data.y, data.classes
        names = data.features or names
    known = known or getattr(model, "classes", None)
    x = numbers("x", x, finite=True)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(
            f"`x` must have two inputs an example, shape (m, 2), got {x.shape}; choose two columns and train on them, "
            "or draw embedding(x, labels=y)"
        )
    y = as_long("y", class_numbers("y", y), "x", len(x))
    return x, y, known, names


def _regions(model: Any, points: np.ndarray, known: Any) -> np.ndarray:
    """The class number at each point."""
    said = np.asarray((model.predict if is_model(model) else model)(points))
    if len(said) != len(points):
        raise ValueError(f"the model must answer each of {len(points)} points, got shape {said.shape}")
    if said.ndim == 2:
        return said.argmax(axis=1)
    if is_model(model) and known:
        place = {label: k for k, label in enumerate(known)}
        return np.array([place[label] for label in said.tolist()])
    return class_numbers("what the model gives", said)
