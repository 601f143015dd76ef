"""A number over time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt._checks import whole
from fnopt._types import Schedule, Searchable
from fnopt.numbers import as_number
from fnopt.plot._axes import legend_of_all, look
from fnopt.plot._figure import Figure, new_figure, saved

FORMS = 'fo.schedules.cosine(0.1, 90), 0.1 or {"a": fo.schedules.cosine(0.1, 90), "b": 0.1}'


def schedule(
    schedules: float | Schedule | Mapping[str, float | Schedule],
    steps: int,
    *,
    logarithmic: bool = False,
    path: str | Path | None = None,
) -> Figure:
    """The values of one schedule, or of several by label, at the first ``steps`` steps.

    Args:
        schedules: a schedule, or label to schedule; a number is a constant.
        steps: how many, ≥ 1.
        logarithmic: whether the values stand on a logarithmic axis.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the figure.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        TypeError: for what is no schedule and no number.
        ValueError: where there is none.

    >>> from fnopt.schedules import cosine
    >>> [line] = schedule(cosine(0.1, 30), 40).axes[0].lines
    >>> len(line.get_ydata())
    40
    """
    some: Mapping[str, Any] = schedules if isinstance(schedules, Mapping) else {"": schedules}
    if not some:
        raise ValueError(f"`schedules` must have at least one, as {FORMS}, got {schedules!r}")
    at = np.arange(whole("steps", steps))
    values = {label: _values(each, at) for label, each in some.items()}
    figure = new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    for i, (label, drawn) in enumerate(values.items()):
        axes.plot(at, drawn, drawstyle="steps-post", label=label, **look(i))
    axes.set_xlabel("step")
    axes.set_ylabel("value")
    axes.set_yscale("log" if logarithmic else "linear")
    axes.grid(alpha=0.3)
    if any(some):
        legend_of_all([axes])
    return saved(figure, path)


def _values(given: Any, at: np.ndarray) -> np.ndarray:
    """Its values at each step."""
    if callable(given) and not isinstance(given, Searchable):
        values = given(at)
    elif isinstance(given, float | int) or getattr(given, "shape", None) == ():
        values = as_number("schedules", given)
    else:
        raise TypeError(f"`schedules` must be schedules or numbers, as {FORMS}, got {given!r}")
    return np.broadcast_to(np.asarray(values), at.shape)
