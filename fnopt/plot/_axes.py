"""Axes to draw into, the caller's or a new figure's, and what is the same in all pictures that give their axes."""

from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._figure import COLOURS, Axes, new_figure, saved
from fnopt.plot._legend import beside, beside_all

LINES = ("-", "--", "-.", ":")
SHADES = "cividis"  # a colour map that is even for the colour-blind too: Nuñez, Anderton and Renslow, 2018


def axes_of(axes: Axes, width: float = 6.4, height: float = 4.0, *, flat: bool = True) -> Axes:
    """The given axes, or the only ones of a new figure; three-dimensional unless ``flat``.

    Raises:
        TypeError: for what is no axes, or axes of the other number of dimensions.
    """
    if axes is None:
        made = new_figure(width, height).add_subplot(projection=None if flat else "3d")
        return made if flat else _sparse(made)
    if not hasattr(axes, "get_xlim"):
        raise TypeError(
            f"`axes` must be a matplotlib Axes, as figure.add_subplot() gives, or left out, got {type(axes).__name__}"
        )
    if flat == hasattr(axes, "get_zlim"):
        wanted = "add_subplot()" if flat else 'add_subplot(projection="3d")'
        raise TypeError(f"`axes` must have {2 if flat else 3} dimensions here: give those of figure.{wanted}")
    return axes


def _sparse(axes: Axes) -> Axes:
    """Three-dimensional axes with so few and small tick labels that none meets its neighbour or the axis's label."""
    axes.locator_params(nbins=5)
    axes.tick_params(labelsize=8)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.labelpad = 6
        axis.label.set_fontsize(9)
    return axes


def panels(count: int, *, columns: int = 4, width: float = 3.0, height: float = 2.7, **shared: Any) -> np.ndarray:
    """The axes of a new figure with ``count`` panels in rows of ``columns``, shape=(count,)."""
    across = min(count, columns)
    down = -(-count // across)
    figure = new_figure(max(width * across, 3.6), height * down + 0.3)
    made = figure.subplots(down, across, squeeze=False, **shared).ravel()
    for spare in made[count:]:
        spare.remove()
    return made[:count]


def finished(axes: Any, path: str | Path | None) -> Any:
    """The axes, their figure written to ``path`` where there is one."""
    first = axes.flat[0] if isinstance(axes, np.ndarray) else axes
    saved(first.figure, path)
    return axes


def legend_beside(axes: Axes, title: str | None = None, handles: Any = None) -> None:
    """A legend to the right of the axes, where it covers no data; none where nothing has a label."""
    handles = axes.get_legend_handles_labels()[0] if handles is None else handles
    if handles:
        beside(axes, handles, [str(handle.get_label()) for handle in handles], title)


def legend_of_all(made: Any) -> None:
    """One legend for all panels of a figure, to their right: each label once."""
    made = np.asarray(made)
    told = [pair for axes in made.flat for pair in zip(*axes.get_legend_handles_labels(), strict=True)]
    marks = {label: handle for handle, label in told}
    if marks:
        beside_all(made.flat[0].figure, list(marks.values()), list(marks))


def look(i: int) -> dict[str, Any]:
    """Colour and kind of line number i: neighbours differ in both, and no two of the first 32 are alike.

    >>> look(0)["linestyle"], look(1)["linestyle"]
    ('-', '--')
    >>> look(0) == look(8), look(0)["color"] == look(8)["color"]
    (False, True)
    """
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[(i + i // len(COLOURS)) % len(LINES)]}


def grid(axes: Axes) -> None:
    """Faint lines behind the data."""
    axes.grid(alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
