"""A figure and what all pictures share: colours, contours, saving."""

from pathlib import Path
from typing import Any

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
Figure = Any  # matplotlib.figure.Figure, which is imported where it is needed


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches; ImportError with the extra to install where matplotlib is missing.

    Made by itself and not by ``pyplot``, which would choose a display and keep every figure for ever.
    """
    return require("matplotlib.figure", "plot").Figure(figsize=(width, height), dpi=130, layout="constrained")


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
    levels = np.unique(np.quantile(heights, np.linspace(0, 1, LEVELS) ** 1.5))
    shades = [str(shade) for shade in np.linspace(0.99, 0.62, len(levels) - 1)]  # so light that no path is lost
    axes.contourf(x, y, heights, levels=levels, colors=shades)
    axes.contour(x, y, heights, levels=levels[1:-1], colors="0.5", linewidths=0.4, linestyles="solid")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _heights(function: Function, points: Any) -> Any:
    return jax.jit(jax.vmap(function))(points)


def track(axes: Any, points: Any, label: str, colour: str, width: float = 1.5) -> None:
    """A path, with a dot at each step where there is room for them, and a larger one at its end."""
    points = np.asarray(points)
    marker = {"marker": "o", "markersize": 2.4} if len(points) <= DOTS else {}
    axes.plot(*points.T, color=colour, linewidth=width, label=label, **marker)
    axes.plot(*points[-1], color=colour, marker="o", markersize=6, markeredgecolor="white", zorder=5)


def begun(axes: Any, start: Any) -> None:
    """Where paths begin."""
    axes.plot(*start, color="black", marker="s", markersize=6, markeredgecolor="white", linestyle="none", zorder=6)


def goal(axes: Any, best: Any) -> None:
    """Where the minimum is."""
    axes.plot(*best, "*", color="gold", markeredgecolor="black", markersize=11, zorder=6)
