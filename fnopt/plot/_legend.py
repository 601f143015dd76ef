"""Legends beside the data, none of them cut: long labels are wrapped, many stand in columns, and the picture grows."""

import textwrap
from collections.abc import Sequence
from typing import Any

from fnopt._checks import require
from fnopt.plot._figure import Axes, Figure, base_width

LINE = 40  # letters of a line of a label
MOST = 120  # labels; what is beyond is counted
ROW = 0.19  # inches of a line of a legend
FREE = 1.5  # inches, which a picture has for its legend as it is
LEAST = 0.3  # of its width, which the caller's axes keep
FORM = {"frameon": False, "fontsize": 8, "title_fontsize": 8}


def beside(axes: Axes, handles: Sequence[Any], labels: Sequence[str], title: str | None = None) -> None:
    """A legend to the right of the axes."""
    figure = axes.figure
    form = {"handles": list(handles), "labels": list(labels), "title": title, **FORM}
    form |= _shaped(form, axes.get_position(original=True).height * figure.get_figheight())
    if not hasattr(axes, "get_zlim"):
        legend = axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, **form)
    elif figure.get_layout_engine() is None:
        corner = axes.get_position(original=True).corners()[3]
        place = {"bbox_to_anchor": corner, "bbox_transform": figure.transFigure, "borderaxespad": 0.0}
        legend = axes.legend(loc="upper right", **place, **form)
    else:  # beyond the labels of the third axis
        legend = figure.legend(loc="outside right upper", **form)
    _make_room(figure, legend, axes)


def beside_all(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """One legend to the right of all panels of a figure of the library's own."""
    form = {"handles": list(handles), "labels": list(labels), **FORM}
    form |= _shaped(form, figure.get_figheight())
    _make_room(figure, figure.legend(loc="outside right upper", **form))


def _shaped(form: dict[str, Any], height: float) -> dict[str, Any]:
    """Labels of short lines, in as many columns as a picture so high in inches needs."""
    handles, labels = form["handles"], [textwrap.fill(label, LINE) for label in form["labels"]]
    if len(labels) > MOST:
        labels = [*labels[: MOST - 1], f"… and {len(labels) - MOST + 1} more"]
        handles = [*handles[: MOST - 1], _nothing()]
    lines = sum(label.count("\n") + 1 for label in labels)
    rows = max(int(height / ROW) - (2 if form.get("title") else 0), 4)
    return {"handles": handles, "labels": labels, "ncols": -(-lines // rows)}


def _nothing() -> Any:
    return require("matplotlib.lines", "plot").Line2D([], [], linestyle="none")


def _make_room(figure: Figure, legend: Any, axes: Axes = None) -> None:
    """Width for a legend: of the library's own figure more of it, of axes that nothing lays out a part of theirs."""
    wide, base = legend.get_window_extent().width / figure.dpi, base_width(figure)
    if base is not None:
        figure.set_figwidth(max(figure.get_figwidth(), base + wide - FREE))
    elif figure.get_layout_engine() is None and axes is not None:
        at = axes.get_position(original=True)
        last = not any(other.get_position().x0 >= at.x1 - 1e-6 for other in figure.axes if other is not axes)
        solid = hasattr(axes, "get_zlim")
        end, room = (at.x1, 0.08) if solid else (0.99 if last else at.x1, 0.02)
        left = end - at.x0 - wide / figure.get_figwidth() - room
        axes.set_position([at.x0, at.y0, min(max(left, LEAST * at.width), at.width), at.height])
