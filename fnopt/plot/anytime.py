"""Anytime best: how good a search had become after so much training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._arrays import as_long, by_label, numbers
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside, look
from fnopt.plot._histories import is_sweep, unit_of

EXAMPLE = '{"random": scores, "halving": scores}'


def anytime(
    source: Any,
    costs: Any = None,
    *,
    higher: bool = False,
    logarithmic: bool = False,
    objective: str = "score",
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """The best score so far against what was spent for it; where several lines meet a level first says which is faster.

    Args:
        source: a sweep, or label to sweep; or scores, shape=(n,), in the order in which they came, or label to scores.
            Of a sweep the order is that of its configurations; where a rule ended some early, their scores count too.
        costs: what each score cost, shape=(n,), or label to costs; of a sweep the epochs trained, else 1 each.
        higher: whether a higher score is better; a sweep says it itself.
        logarithmic: whether the scores stand on a logarithmic axis.
        objective: what the score is called; a sweep says it itself.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes. A line begins with the first finite score.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for no scores, none that is finite, costs of another length.

    >>> axes = anytime([3.0, 1.0, 2.0])
    >>> axes.lines[0].get_xdata().tolist(), axes.lines[0].get_ydata().tolist()
    ([1.0, 2.0, 3.0], [3.0, 1.0, 1.0])
    """
    axes, unit = axes_of(axes), "configurations trained"
    for i, (label, one) in enumerate(by_label("source", source, EXAMPLE).items()):
        spent = costs[label] if isinstance(costs, Mapping) else costs
        if is_sweep(one):
            rows = one.table()
            scores = [row["score"] for row in rows]
            spent = [sum(lane.epochs for lane in one.lanes(i)) for i in range(one.n)]
            higher, objective = one.kept.higher, one.objective + unit_of(one, one.objective)
            unit = "epochs trained, all configurations together"
        else:
            scores = one
        scores = numbers("source", scores, 1)
        at, best = so_far(scores, spent, higher)
        axes.plot(at, best, drawstyle="steps-post", label=label or "best so far", **look(i))
    axes.set_xlabel(unit if costs is None else "cost")
    axes.set_ylabel(objective)
    axes.set_yscale("log" if logarithmic else "linear")
    grid(axes)
    legend_beside(axes)
    return finished(axes, path)


def so_far(scores: np.ndarray, costs: Any = None, higher: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """What had been spent after each score, and the best of the finite ones so far.

    >>> [a.tolist() for a in so_far(np.array([np.nan, 1.0, 2.0]), [1, 2, 3], higher=True)]
    [[3.0, 6.0], [1.0, 2.0]]
    """
    each = (
        np.ones(len(scores)) if costs is None else as_long("costs", numbers("costs", costs, 1), "scores", len(scores))
    )
    finite = np.isfinite(scores)
    if not finite.any():
        raise ValueError("no score is finite: there is no best")
    first = int(np.argmax(finite))
    filled = np.where(finite, scores, -np.inf if higher else np.inf)
    best = (np.maximum if higher else np.minimum).accumulate(filled)
    return np.cumsum(each)[first:], best[first:]
