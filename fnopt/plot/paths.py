"""The paths of optimizers over the contours of a surface."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt import optim
from fnopt._checks import whole
from fnopt._types import Optimizer
from fnopt.plot._figure import COLOURS, Figure, begun, contours, new_figure, saved, track
from fnopt.surfaces import Surface, descend

MARKS = {"minimum": "*", "maximum": "^", "saddle": "x", "degenerate": "d"}


def paths(
    surface: Surface,
    optimizers: Mapping[str, Any],
    *,
    start: Any = None,
    steps: int = 60,
    path: str | Path | None = None,
) -> Figure:
    """Where each optimizer goes on a surface, drawn over its contours, with the known critical points.

    Args:
        surface: of ``fo.surfaces``, or one of your own.
        optimizers: label to numbers, where the label is an optimizer's name: ``{"adam": dict(lr=0.1)}``; else label to
            (optimizer, numbers): ``{"fast": (fo.optim.adam, dict(lr=0.3))}``.
        start: shape=(2,), where all begin; the surface's own unless given.
        steps: updates of each, ≥ 1.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the figure. A path that leaves the picture or is not finite is drawn as far as it can be seen.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.

    >>> from fnopt.surfaces import ravine
    >>> len(paths(ravine, {"sgd": dict(lr=0.05)}, steps=5).axes)
    1
    """
    start = surface.start if start is None else tuple(float(x) for x in start)
    figure = new_figure(7.2, 4.6)
    axes = figure.add_subplot()
    contours(axes, surface, surface.domain)
    for i, (label, given) in enumerate(optimizers.items()):
        optimizer, numbers = _named(label, given)
        points = np.asarray(descend(surface, optimizer, start, whole("steps", steps), **numbers))
        told = ", ".join(f"{name} {value:g}" for name, value in numbers.items() if isinstance(value, float | int))
        track(axes, _seen(points, surface), f"{label} ({told})" if told else label, COLOURS[i % len(COLOURS)])
    begun(axes, start)
    _mark(axes, surface)
    axes.set_title(f"{surface.name}, {steps} steps")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return saved(figure, path)


def _named(label: str, given: Any) -> tuple[Optimizer, Mapping[str, Any]]:
    return (optim.by_name(label), given) if isinstance(given, Mapping) else given


def _seen(points: np.ndarray, surface: Surface) -> np.ndarray:
    """The path up to where it leaves a frame three times as wide as the picture, or is no number."""
    (left, right), (bottom, top) = surface.domain
    low, high = np.array([left, bottom]), np.array([right, top])
    there = (np.abs(points - (low + high) / 2) <= 1.5 * (high - low)).all(axis=-1)
    return points[: len(points) if there.all() else max(int(np.argmin(there)), 1)]


def _mark(axes: Any, surface: Surface) -> None:
    """The critical points by kind."""
    for kind, marker in MARKS.items():
        some = [known.point for known in surface.critical if known.kind == kind]
        if some:
            size = 11 if marker == "*" else 6
            style = {"markeredgecolor": "black", "markerfacecolor": "gold", "markersize": size, "linestyle": "none"}
            axes.plot(*np.array(some).T, marker=marker, label=kind, zorder=4, **style)
