"""Residuals: what is left of the truth after the prediction."""

from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._answers import valued
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside
from fnopt.plot._figure import COLOURS


def residuals(source: Any, other: Any, *, axes: Axes = None, path: str | Path | None = None) -> Axes:
    """Truth minus prediction against the prediction: a good fit leaves a level band without a shape.

    The line is the mean of the residuals in ten groups of equally many examples, ordered by prediction; where it bends,
    the model misses something.

    Args:
        source: a fitted model of values, with a dataset as ``other``; or the truth, shape=(m,), with the predictions.
        other: see ``source``.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for a model of classes, and for shapes that differ.

    >>> axes = residuals([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
    >>> axes.collections[0].get_offsets().tolist()
    [[1.5, -0.5], [2.0, 0.0], [3.0, 1.0]]
    """
    truth, said, name = valued(source, other)
    left = truth - said
    axes = axes_of(axes)
    axes.scatter(said, left, s=14, color=COLOURS[1], alpha=0.6, linewidths=0)
    axes.axhline(0.0, color="0.4", linewidth=0.9, linestyle=(0, (4, 3)))
    groups = [rows for rows in np.array_split(np.argsort(said, kind="stable"), 10) if len(rows)]
    means = np.array([(said[rows].mean(), left[rows].mean()) for rows in groups])
    axes.plot(*means.T, color=COLOURS[0], marker="o", markersize=4, label="mean of a tenth")
    axes.set_xlabel(f"predicted {name}")
    axes.set_ylabel(f"residual of {name}: truth − prediction")
    axes.set_title(f"root mean square {np.sqrt(np.mean(left**2)):.3g}", fontsize=9)
    grid(axes)
    legend_beside(axes)
    return finished(axes, path)
