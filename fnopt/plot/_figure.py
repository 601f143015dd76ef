"""A figure and what all pictures share: colours, contours, saving."""

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import require
from fnopt.surfaces.surface import Function, Pair

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#000000", "#56B4E9", "#7F3C8D")
"""Told apart by the colour-blind too; the first six are those of Okabe and Ito, "Color Universal Design", 2008."""

FINE = 161  # points along an axis of a contour picture
LEVELS = 22
DOTS = 150  # points of a path; a longer one is a line
STAR = 13  # large enough that the end of a path on it leaves its tips to be seen
Figure = Any  # matplotlib.figure.Figure, which is imported where it is needed
Axes = Any  # matplotlib.axes.Axes, likewise
_widths: WeakKeyDictionary[Figure, float] = WeakKeyDictionary()  # of the figures made here, without a wide legend


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches; ImportError with the extra to install where matplotlib is missing.

    Made by itself and not by ``pyplot``, which would choose a display and keep every figure for ever.
    """
    figure = require("matplotlib.figure", "plot").Figure(figsize=(width, height), dpi=130, layout="constrained")
    _widths[figure] = width
    return figure


def base_width(figure: Figure) -> float | None:
    """How wide a figure was made here, in inches; None for the caller's own."""
    return _widths.get(figure)


def saved(figure: Figure, path: str | Path | None) -> Figure:
    """The figure, written to ``path`` where there is one; its ending says the format."""
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    return figure


def contours(axes: Any, function: Function, domain: tuple[Pair, Pair]) -> None:
    """Heights as shades and lines. Bands have areas that grow with the height, whatever the heights themselves are."""
    (left, right), (bottom, top) = domain
    x, y = np.linspace(left, right, FINE), np.linspace(bottom, top, FINE)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    heights = np.asarray(_heights(function, jnp.asarray(grid, jnp.result_type(float)))).reshape(FINE, FINE)
    finite = heights[np.isfinite(heights)]
    levels = np.unique(np.quantile(finite, np.linspace(0, 1, LEVELS) ** 1.5)) if finite.size else finite
    if len(levels) < 2:
        raise ValueError(
            f"the heights from {(left, bottom)} to {(right, top)} must be finite and not all alike, to have contours, "
            f"got {heights.flat[0]:g} everywhere; change the function or its domain"
        )
    shades = [str(shade) for shade in np.linspace(0.99, 0.62, len(levels) - 1)]  # so light that no path is lost
    seen = np.ma.masked_invalid(heights)
    axes.contourf(x, y, seen, levels=levels, colors=shades)
    axes.contour(x, y, seen, levels=levels[1:-1], colors="0.5", linewidths=0.4, linestyles="solid")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _heights(function: Function, points: Any) -> Any:
    return jax.jit(jax.vmap(function))(points)


def track(
    axes: Any,
    points: Any,
    label: str,
    colour: str,
    width: float = 1.5,
    *,
    alpha: float = 1.0,
    cut: bool = False,
) -> bool:
    """A path, with a dot at each step where there is room for them, and its end; whether it ends in the picture.

    A full dot is the end. Where a path goes on outside, or was ``cut``, a hollow one is where it leaves.
    """
    points = np.asarray(points)
    marker = {"marker": "o", "markersize": 1 + width} if len(points) <= DOTS else {}
    axes.plot(*points.T, color=colour, linewidth=width, label=label, alpha=alpha, **marker)
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    inside = ((points >= low) & (points <= high)).all(axis=-1)
    ends = bool(inside[-1]) and not cut
    if inside.any():
        last = int(np.flatnonzero(inside)[-1])
        at = points[-1] if ends else _crossing(points[last : last + 2], low, high)
        look = {"color": colour, "markeredgecolor": "white"} if ends else {"color": "white", "markeredgecolor": colour}
        axes.plot(*at, marker="o", markersize=4 + width / 2, zorder=5, clip_on=False, **look)
    return ends


def _crossing(step: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where a step from inside the frame meets it; its beginning where it has no end, or none that is a number."""
    move = step[-1] - step[0]
    if not np.isfinite(move).all() or not move.any():
        return step[0]
    room = np.where(move > 0, high, low) - step[0]
    return step[0] + move * min(r / m for r, m in zip(room, move, strict=True) if m)


def begun(axes: Any, *starts: Any) -> None:
    """Where paths begin."""
    look = {"marker": "s", "markersize": 6, "markeredgecolor": "white", "linestyle": "none"}
    axes.plot(*np.array(starts).T, color="black", label="start", zorder=6, **look)


def ended(axes: Any, inside: bool, outside: bool) -> None:
    """What the dots at the ends of paths mean, for the legend."""
    look = {"marker": "o", "markersize": 6, "linestyle": "none"}
    if inside:
        axes.plot([], [], color="0.3", markeredgecolor="white", label="end", **look)
    if outside:
        axes.plot([], [], color="white", markeredgecolor="0.3", label="leaves the picture", **look)


def goal(axes: Any, best: Any) -> None:
    """Where the minimum is: under the ends of paths, over their lines."""
    look = {"marker": "*", "markeredgecolor": "black", "markersize": STAR, "linestyle": "none"}
    axes.plot(*best, color="gold", label="minimum", zorder=4, **look)


def legend_below(figure: Figure, panels: Any) -> None:
    """What the marks mean, once for all panels."""
    told = [pair for axes in panels for pair in zip(*axes.get_legend_handles_labels(), strict=True)]
    marks = {label: handle for handle, label in told}
    figure.legend(marks.values(), marks.keys(), loc="outside lower center", ncols=len(marks), frameon=False, fontsize=8)


def colour_scale(low: float, high: float, shades: str) -> Any:
    """From a number between two to its colour; ImportError where matplotlib is not installed, with what installs it."""
    normalize = require("matplotlib.colors", "plot").Normalize(low, high)
    return require("matplotlib.cm", "plot").ScalarMappable(normalize, shades)
