"""Rungs and survivors: which configurations a rule ended, when, and at which score."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt._checks import whole
from fnopt.plot._arrays import numbers
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside
from fnopt.plot._figure import COLOURS
from fnopt.plot._histories import is_sweep, lanes_of, unit_of

CLOSE = 6  # rungs: of more, the numbers above them are turned, so that they do not cover each other


def rungs(
    source: Any,
    ages: Sequence[int] | None = None,
    *,
    name: str = "score",
    logarithmic: bool = False,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """The curve of each configuration up to where it ended, the rungs, and how many were trained beyond each.

    A line that ends before the last epoch has a dot at its end: there a rule, or a fault, ended it.

    Args:
        source: a sweep, whose curves are means over seeds and folds; or curves, shape=(n, epochs), NaN after the end.
        ages: the epochs of the rungs; a sweep's own unless given.
        name: of the vertical axis, for arrays.
        logarithmic: whether the scores stand on a logarithmic axis.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes; the epochs are logarithmic, as rungs are.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for a sweep that no rule ended early, and for a rung that is no epoch.

    >>> axes = rungs([[3.0, 2.0, 1.0], [3.0, float("nan"), float("nan")]], ages=[1])
    >>> [text.get_text() for text in axes.texts]
    ['2 → 1']
    """
    if is_sweep(source):
        curves, found = _of_sweep(source)
        name = source.objective + unit_of(source, source.objective)
        ages = found if ages is None else ages
    else:
        curves, ages = numbers("source", source, 2), ages or ()
    ages = [whole("ages", age) for age in ages]
    last = np.array([np.max(np.flatnonzero(np.isfinite(one)), initial=-1) + 1 for one in curves])
    epochs = curves.shape[1]
    axes = axes_of(axes, 7.0, 4.2)
    for one, end in zip(curves, last, strict=True):
        if end:
            _line(axes, one[:end], end < epochs)
    for label, colour in ((f"trained to epoch {epochs}", COLOURS[1]), ("ended before", COLOURS[0])):
        axes.plot([], [], color=colour, label=label)
    _counts(axes, ages, last)
    axes.set_xscale("log")
    axes.set_xlim(0.9, epochs * 1.12)
    ticks = sorted({1, *ages, epochs})
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yscale("log" if logarithmic else "linear")
    axes.set_xlabel("epoch (above each rung: how many came to it → went beyond)")
    axes.set_ylabel(name)
    grid(axes)
    legend_beside(axes)
    return finished(axes, path)


def _line(axes: Axes, values: np.ndarray, ended: bool) -> None:
    there = np.flatnonzero(np.isfinite(values))
    colour = COLOURS[0] if ended else COLOURS[1]
    axes.plot(there + 1, values[there], color=colour, linewidth=0.8, alpha=0.5 if ended else 0.9)
    if ended:
        axes.plot(there[-1:] + 1, values[there[-1:]], "o", color=colour, markersize=3, alpha=0.7)


def _counts(axes: Axes, ages: Sequence[int], last: np.ndarray) -> None:
    """A line at each rung, and above it how many came to it and how many went beyond."""
    turned = {"rotation": 90} if len(ages) > CLOSE else {}
    for age in ages:
        axes.axvline(age, color="0.5", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        told = f"{(last >= age).sum()} → {(last > age).sum()}"
        where = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points", "ha": "center", "va": "bottom"}
        axes.annotate(told, (age, 1.0), (0, 3), fontsize=8, **where, **turned)


def _of_sweep(sweep: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    """The mean curve of each configuration, and the ages of all rungs."""
    rule = sweep.stop
    epochs = max(sweep.lengths)
    ages = sorted({age for bracket in rule.brackets(sweep.n, epochs) for age in bracket.ages}) if rule else []
    if not ages:
        raise ValueError("this sweep has no rungs: search with stop=fo.halving(), or draw curves(sweep)")
    found = lanes_of(sweep, sweep.objective)
    curves = np.full((len(found), epochs), np.nan)
    for row, lanes in zip(curves, found.values(), strict=True):
        shortest = min(map(len, lanes))
        row[:shortest] = np.mean([lane[:shortest] for lane in lanes], axis=0)
    return curves, tuple(ages)
