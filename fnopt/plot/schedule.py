"""A number over time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt._checks import whole
from fnopt._types import Schedule
from fnopt.plot._figure import COLOURS, Figure, new_figure, saved


def schedule(
    schedules: Schedule | Mapping[str, Schedule],
    steps: int,
    *,
    logarithmic: bool = False,
    path: str | Path | None = None,
) -> Figure:
    """The values of one schedule, or of several by label, at the first ``steps`` steps.

    Args:
        schedules: a schedule, or label to schedule.
        steps: how many, ≥ 1.
        logarithmic: whether the values stand on a logarithmic axis.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the figure.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.

    >>> from fnopt.schedules import cosine
    >>> [line] = schedule(cosine(0.1, 30), 40).axes[0].lines
    >>> len(line.get_ydata())
    40
    """
    some: Mapping[str, Any] = schedules if isinstance(schedules, Mapping) else {"": schedules}
    at = np.arange(whole("steps", steps))
    figure = new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    for i, (label, each) in enumerate(some.items()):
        colour, line = COLOURS[i % len(COLOURS)], ("-", "--", ":")[i // len(COLOURS) % 3]
        axes.plot(at, np.asarray(each(at)), drawstyle="steps-post", color=colour, linestyle=line, label=label)
    axes.set_xlabel("step")
    axes.set_ylabel("value")
    axes.set_yscale("log" if logarithmic else "linear")
    axes.grid(alpha=0.3)
    if any(some):
        figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return saved(figure, path)
