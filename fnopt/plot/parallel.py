"""Parallel coordinates: each configuration a line through its numbers to its score."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._axes import SHADES, Axes, axes_of, finished
from fnopt.plot._figure import COLOURS, colour_scale
from fnopt.plot._search import Column, scaled, search_of

BOX = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
BELOW = -0.08  # where a configuration stands that does not have a number


def parallel(
    source: Any,
    scores: Any = None,
    *,
    names: Sequence[str] | str | None = None,
    logarithmic: Collection[str] = (),
    higher: bool = False,
    objective: str = "score",
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """Each configuration a line that meets each axis at its value, coloured by its score; the best is drawn thick.

    Axes are even in the space's own scale. A configuration that does not have a number passes below that axis. Those
    without a finite score are left out.

    Args:
        source, scores, names, logarithmic, higher, objective: as :func:`fnopt.plot.slices` has them.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError, ValueError, TypeError: as :func:`fnopt.plot.slices`; where no score is finite.

    >>> axes = parallel({"lr": [0.01, 0.1], "l2": [0.0, 1.0]}, [0.5, 0.9], logarithmic=["lr"])
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['lr', 'l2', 'score']
    """
    search = search_of(source, scores, logarithmic, higher, objective).only(names)
    best = search.best
    if best is None:
        raise ValueError("no configuration has a finite score: there is nothing to draw")
    columns = {**search.columns, search.objective: Column(search.scores.tolist(), "linear", ())}
    heights = np.stack([_height(column) for column in columns.values()], axis=-1)
    axes = axes_of(axes, max(1.5 * len(columns) + 1.5, 5.0), 4.2)
    some = np.flatnonzero(np.isfinite(search.scores))
    order = some[np.argsort(search.scores[some] * (1 if search.higher else -1))]  # the best on top
    colours = _colours(axes, search.scores, search.objective)
    at = np.arange(len(columns))
    for i in order:
        axes.plot(at, heights[i], color=colours(search.scores[i]), linewidth=0.9, alpha=0.7)
    axes.plot(at, heights[best], color=COLOURS[0], linewidth=2.6, label="best")
    for k, column in enumerate(columns.values()):
        axes.axvline(k, color="0.3", linewidth=0.8, zorder=1)
        for height, text in _ticks(column):
            axes.annotate(text, (k, height), (4, 0), textcoords="offset points", fontsize=7, va="center", bbox=BOX)
    axes.set_xticks(at, list(columns))
    axes.set_yticks([])
    axes.set_xlim(-0.15, len(columns) - 0.45)
    axes.set_ylim(2 * BELOW, 1.06)
    axes.spines[["left", "right", "top", "bottom"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=8, borderaxespad=0.0)
    return finished(axes, path)


def _colours(axes: Axes, scores: np.ndarray, name: str) -> Any:
    """From a score to its colour, with a bar that tells which is which."""
    map_ = colour_scale(np.nanmin(scores), np.nanmax(scores), SHADES)
    axes.figure.colorbar(map_, ax=axes, label=name, fraction=0.05, pad=0.02)
    return map_.to_rgba


def _ends(column: Column) -> tuple[float, float]:
    if column.scale == "choice":
        return 0.0, float(max(len(column.options) - 1, 1))
    at = scaled(column)
    low, high = float(np.nanmin(at)), float(np.nanmax(at))
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _height(column: Column) -> np.ndarray:
    """Where each value stands, from 0 to 1; below where there is none."""
    low, high = _ends(column)
    at = (scaled(column) - low) / (high - low)
    return np.where(np.isnan(at), BELOW, at)


def _ticks(column: Column) -> list[tuple[float, str]]:
    """Heights and what they mean."""
    if column.scale == "choice":
        return [(k / max(len(column.options) - 1, 1), text) for k, text in enumerate(column.options)]
    low, high = _ends(column)
    at = [low + share * (high - low) for share in (0.0, 0.5, 1.0)]
    back = {"log": lambda s: 10**s, "decay": lambda s: 1 - 10**-s}.get(column.scale, lambda s: s)
    return [(share, f"{back(s):.3g}") for share, s in zip((0.0, 0.5, 1.0), at, strict=True)]
