"""Trends: some measures against one number, as the share of zeros against the strength of L1."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt._checks import one_of
from fnopt.plot._arrays import as_long, by_label, numbers, quantiles
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside, look

EXAMPLE = '{"zeros": shares}'


def trends(
    at: Any,
    series: Any,
    *,
    names: tuple[str, str] = ("number", "measure"),
    logarithmic: Collection[str] = (),
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """A line for each measure against one number; the median, and a band of the middle half, where there are repeats.

    Args:
        at: shape=(k,), the values of the number.
        series: label to shape=(k,), or (repeats, k); or one such array.
        names: of the two axes, with their units.
        logarithmic: which axes are logarithmic: "x", "y", "xy" or neither.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for series of another length, or another axis than "x" and "y".

    >>> axes = trends([1, 10], {"a": [0.1, 0.2], "b": [0.3, 0.1]}, names=("λ", "share"), logarithmic="x")
    >>> axes.get_xscale(), [line.get_label() for line in axes.lines]
    ('log', ['a', 'b'])
    """
    at = numbers("at", at, 1)
    given: Mapping[str, Any] = by_label("series", series, EXAMPLE)
    for which in logarithmic:
        one_of("axis", which, "xy")
    axes = axes_of(axes)
    for i, (label, values) in enumerate(given.items()):
        values = numbers(f"series[{label!r}]" if label else "series", values, (1, 2))
        as_long("series", values.T, "at", len(at))
        style = look(i)
        if values.ndim == 2:
            low, values, high = quantiles(values, (0.25, 0.5, 0.75))
            axes.fill_between(at, low, high, color=style["color"], alpha=0.2, linewidth=0)
        there = np.isfinite(values)
        axes.plot(at[there], values[there], marker="o", markersize=4, label=label or None, **style)
    axes.set_xscale("log" if "x" in logarithmic else "linear")
    axes.set_yscale("log" if "y" in logarithmic else "linear")
    if "x" not in logarithmic and (at == np.round(at)).all():
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    grid(axes)
    if any(given):
        legend_beside(axes)
    return finished(axes, path)
