"""The points of a search in a square or a cube, coarse then dense."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside
from fnopt.plot._figure import COLOURS, STAR
from fnopt.plot._histories import is_sweep
from fnopt.plot._search import Search, drawn, dress, scaled, search_of

STAGES = (("coarse", "s", "none", "0.45"), ("dense", "o", COLOURS[1], "white"))


def points(
    source: Any,
    scores: Any = None,
    *,
    names: Sequence[str] | None = None,
    logarithmic: Collection[str] = (),
    higher: bool = False,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """Where a search looked: its configurations as points of two or three of its numbers; a star is the best.

    Of a coarse-to-fine search both stages are drawn, and a frame is where the second one looked: the dense part.

    Args:
        source: a sweep; or columns, name to values, as :func:`fnopt.plot.slices` has them; or a pair of either, the
            coarse stage and the dense one.
        scores: shape=(n,), of columns, or a pair of such; without them no star is drawn.
        names: two or three; the first two that are drawn unless given. Three make a cube.
        logarithmic: columns that stand on a logarithmic axis; a sweep's space says it itself.
        higher: whether a higher score is better; a sweep says it itself.
        axes: where to draw, of two or three dimensions; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes. In a cube logarithms stand on the axes, and their labels say so.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError, TypeError: for other than two or three names, an unknown one, and as :func:`fnopt.plot.slices`.

    >>> axes = points({"lr": [0.01, 0.1], "l2": [0.1, 0.2]}, [1.0, 0.5], logarithmic=["lr"])
    >>> axes.get_xscale(), axes.get_yscale()
    ('log', 'linear')
    """
    stages = _stages(source, scores, logarithmic, higher)
    names = list(stages[-1].columns)[:2] if names is None else [names] if isinstance(names, str) else list(names)
    if len(names) not in (2, 3):
        cure = "name two for a square or three for a cube"
        raise ValueError(f"points are drawn in two or three numbers, got {names}; {cure}")
    stages = [stage.only(names) for stage in stages]
    axes = axes_of(axes, 6.0, 4.4, flat=len(names) == 2)
    flat = len(names) == 2
    place = drawn if flat else scaled
    for (label, marker, face, edge), stage in zip(STAGES[-len(stages) :], stages, strict=True):
        at = [place(column) for column in stage.columns.values()]
        told = label if len(stages) == 2 else "configurations"
        axes.scatter(*at, marker=marker, s=26, facecolors=face, edgecolors=edge, linewidths=0.9, label=told)
    last = stages[-1]
    if last.best is not None:
        at = [[place(column)[last.best]] for column in last.columns.values()]
        style = {"color": COLOURS[4], "edgecolors": "black", "linewidths": 0.6}
        axes.scatter(*at, marker="*", s=STAR**2, label="best", zorder=5, **style)
    _dressed(axes, last, flat)
    if len(stages) == 2 and flat:
        _frame(axes, last)
    if flat:
        grid(axes)
    legend_beside(axes)
    return finished(axes, path)


def _stages(source: Any, scores: Any, logarithmic: Collection[str], higher: bool) -> list[Search]:
    """One search, or the coarse and the dense one."""
    coarse = getattr(source, "coarse", None) if is_sweep(source) else None
    pair = [coarse, source] if coarse is not None else source
    if not isinstance(pair, Sequence):
        return [_one(source, scores, logarithmic, higher)]
    if len(pair) != 2:
        raise ValueError(f"`source` must be one search, or the coarse and the dense one, got {len(pair)}")
    both = (None, None) if scores is None else scores
    return [_one(one, some, logarithmic, higher) for one, some in zip(pair, both, strict=True)]


def _one(source: Any, scores: Any, logarithmic: Collection[str], higher: bool) -> Search:
    if scores is None and not is_sweep(source) and hasattr(source, "values"):
        scores = np.full(len(next(iter(source.values()), [])), np.nan)
    return search_of(source, scores, logarithmic, higher, "score")


def _dressed(axes: Axes, search: Search, flat: bool) -> None:
    """Labels and scales."""
    for which, (name, column) in zip("xyz", search.columns.items(), strict=False):
        if flat:
            dress(getattr(axes, f"{which}axis"), axes, name, column)
        elif column.scale == "choice":
            getattr(axes, f"set_{which}ticks")(range(len(column.options)), column.options)
            getattr(axes, f"set_{which}label")(name)
        else:
            told = {"log": f"log₁₀ {name}", "decay": f"−log₁₀(1 − {name})"}.get(column.scale, name)
            getattr(axes, f"set_{which}label")(told)


def _frame(axes: Axes, search: Search) -> None:
    """A rectangle around the dense points."""
    x, y = (drawn(column) for column in search.columns.values())
    corners = [(np.nanmin(a), np.nanmax(a)) for a in (x, y)]
    (left, right), (bottom, top) = corners
    outline = ([left, right, right, left, left], [bottom, bottom, top, top, bottom])
    axes.plot(*outline, color=COLOURS[1], linewidth=1.0, linestyle=(0, (4, 3)), label="dense part", zorder=1)
