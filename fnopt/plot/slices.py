"""Slices: the score of each configuration against each of its numbers."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._axes import finished, grid, legend_of_all, panels
from fnopt.plot._figure import COLOURS, STAR
from fnopt.plot._search import drawn, dress, search_of


def slices(
    source: Any,
    scores: Any = None,
    *,
    names: Sequence[str] | str | None = None,
    logarithmic: Collection[str] = (),
    higher: bool = False,
    objective: str = "score",
    path: str | Path | None = None,
) -> np.ndarray:
    """A panel for each number and choice of a search: its value against the score; a star is the best.

    Axes are logarithmic where the space is; of a decay that is drawn by its distance to 1, 1 − value stands on the
    axis, falling to the right. A configuration without a score is a mark at the lower edge.

    Args:
        source: a sweep; or columns, name to values, one a configuration, None where it has none, with ``scores``.
        scores: shape=(n,), of columns; NaN where a configuration has none.
        names: which columns, and in which order; all unless given.
        logarithmic: columns that stand on a logarithmic axis; a sweep's space says it itself.
        higher: whether a higher score is better; a sweep says it itself.
        objective: what the score is called; a sweep says it itself.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes, shape=(names,).

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError, TypeError: for an unknown name, columns of unlike length, a logarithmic one that is not positive.

    >>> found = slices({"lr": [0.01, 0.1], "hidden": ["8", "16"]}, [0.5, 0.9], logarithmic=["lr"], higher=True)
    >>> [axes.get_xscale() for axes in found]
    ['log', 'linear']
    """
    search = search_of(source, scores, logarithmic, higher, objective).only(names)
    some, best = np.isfinite(search.scores), search.best
    made = panels(len(search.columns), sharey=True)
    for axes, (name, column) in zip(made, search.columns.items(), strict=True):
        at = drawn(column)
        dress(axes.xaxis, axes, name, column)
        axes.scatter(at[some], search.scores[some], s=14, color=COLOURS[1], alpha=0.6, linewidths=0)
        lost = ~some & np.isfinite(at)
        if lost.any():
            low = axes.get_xaxis_transform()
            axes.scatter(
                at[lost], np.full(lost.sum(), 0.02), s=18, color=COLOURS[0], marker="x", transform=low, label="no score"
            )
        if best is not None:
            style = {"color": COLOURS[4], "markeredgecolor": "black", "markersize": STAR, "markeredgewidth": 0.6}
            axes.plot(at[best], search.scores[best], "*", label="best", **style)
        grid(axes)
    for axes in made:
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel(search.objective)
    legend_of_all(made)
    return finished(made, path)
