"""Axes to draw into, the caller's or a new figure's, and what is the same in all pictures that give their axes."""

from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._figure import COLOURS, new_figure, saved

LINES = ("-", "--", ":", "-.")  # after the colours are used up
SHADES = "cividis"  # a colour map that is even for the colour-blind too: Nuñez, Anderton and Renslow, 2018
Axes = Any  # matplotlib.axes.Axes, which is imported where it is needed


def axes_of(axes: Axes, width: float = 6.4, height: float = 4.0, *, flat: bool = True) -> Axes:
    """The given axes, or the only ones of a new figure; three-dimensional unless ``flat``.

    Raises:
        TypeError: for what is no axes, or axes of the other number of dimensions.
    """
    if axes is None:
        return new_figure(width, height).add_subplot(projection=None if flat else "3d")
    if not hasattr(axes, "get_xlim"):
        raise TypeError(
            f"`axes` must be a matplotlib Axes, as figure.add_subplot() gives, or left out, got {type(axes).__name__}"
        )
    if flat == hasattr(axes, "get_zlim"):
        wanted = "add_subplot()" if flat else 'add_subplot(projection="3d")'
        raise TypeError(f"`axes` must have {2 if flat else 3} dimensions here: give those of figure.{wanted}")
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
    if handles and hasattr(axes, "get_zlim"):  # beyond the labels of the third axis
        axes.figure.legend(handles=handles, title=title, loc="outside right upper", frameon=False, fontsize=8)
    elif handles:
        axes.legend(
            handles=handles,
            title=title,
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0.0,
            frameon=False,
            fontsize=8,
            title_fontsize=8,
        )


def legend_of_all(made: np.ndarray) -> None:
    """One legend for all panels of a figure, to their right: each label once."""
    told = [pair for axes in made.flat for pair in zip(*axes.get_legend_handles_labels(), strict=True)]
    marks = {label: handle for handle, label in told}
    if marks:
        made.flat[0].figure.legend(marks.values(), marks.keys(), loc="outside right upper", frameon=False, fontsize=8)


def look(i: int) -> dict[str, Any]:
    """Colour and kind of line number i: no two of the first 32 are alike.

    >>> look(0) == look(8), look(0)["color"] == look(8)["color"]
    (False, True)
    """
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[i // len(COLOURS) % len(LINES)]}


def grid(axes: Axes) -> None:
    """Faint lines behind the data."""
    axes.grid(alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
