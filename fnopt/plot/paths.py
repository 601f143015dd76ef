"""The paths of optimizers over the contours of a surface."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt._checks import whole
from fnopt._types import Optimizer
from fnopt.plot._axes import legend_of_all
from fnopt.plot._figure import COLOURS, DOTS, STAR, Figure, begun, contours, ended, new_figure, saved, track
from fnopt.plot._given import points_of, runs_of, surface_of
from fnopt.surfaces import Surface, descend

STEP = 0.5  # points by which a path is wider than the one drawn on it, so that it is not hidden
LONG_STEP = 1.7  # the same where steps are too many for dots
MARKS = {"minimum": "*", "maximum": "^", "saddle": "x", "degenerate": "d"}


def paths(
    surface: Surface | str,
    optimizers: Mapping[str, Any] | Sequence[str | Optimizer] | str,
    *,
    start: Any = None,
    steps: int = 60,
    path: str | Path | None = None,
) -> Figure:
    """Where each optimizer goes on a surface, drawn over its contours, with the known critical points.

    Args:
        surface: of ``fo.surfaces``, by itself or by its name, or one of your own.
        optimizers: names, each at its default lr: ``["sgd", "adam"]``; or name to numbers, or to lr alone:
            ``{"adam": dict(lr=0.1), "sgd": 0.1}``; or label to (optimizer, numbers), or to the optimizer alone:
            ``{"fast": (fo.optim.adam, dict(lr=0.3))}``. The first is drawn widest, the last on top.
        start: shape=(2,), where all begin, or shape=(k, 2), where each begins k times; the surface's own unless given.
        steps: updates of each, ≥ 1.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the figure. A path that leaves the picture or is not finite is drawn as far as it can be seen, with a hollow dot
        where it leaves.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        TypeError: for what is no surface or no optimizer, with how to write one.
        ValueError: for an unknown name, for no optimizers, and unless each start is two finite numbers.

    >>> len(paths("ravine", {"sgd": 0.05}, steps=5).axes)
    1
    """
    surface, runs, steps = surface_of(surface), runs_of(optimizers), whole("steps", steps)
    starts = points_of("start", surface.start if start is None else start, several=True)
    figure = new_figure(7.2, 4.6)
    axes = figure.add_subplot()
    contours(axes, surface, surface.domain)
    inside = []
    for i, ((label, optimizer, numbers), width) in enumerate(zip(runs, _widths(len(runs), steps), strict=True)):
        for k, begin in enumerate(starts):
            points = np.asarray(descend(surface, optimizer, begin, steps, **numbers))
            seen, told = _seen(points, surface), _told(label, numbers) if k == 0 else ""
            inside.append(track(axes, seen, told, COLOURS[i % len(COLOURS)], width, cut=len(seen) < len(points)))
    begun(axes, *starts)
    ended(axes, any(inside), not all(inside))
    _mark(axes, surface)
    axes.set_title(f"{surface.name}, {steps} steps{f' from each of {len(starts)} starts' if len(starts) > 1 else ''}")
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    legend_of_all([axes])
    return saved(figure, path)


def _told(label: str, numbers: Mapping[str, Any]) -> str:
    """The label, with the numbers that are plain ones."""
    told = ", ".join(f"{name} {value:g}" for name, value in numbers.items() if isinstance(value, float | int))
    return f"{label} ({told})" if told else label


def _widths(count: int, steps: int) -> np.ndarray:
    """Falling, in points; of many paths none is wider than of eight."""
    return 1.2 + (LONG_STEP if steps >= DOTS else STEP) * np.minimum(np.arange(count)[::-1], 7)


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
            size = STAR if marker == "*" else 6
            style = {"markeredgecolor": "black", "markerfacecolor": "gold", "markersize": size, "linestyle": "none"}
            axes.plot(*np.array(some).T, marker=marker, label=kind, zorder=4, **style)
