"""Signals by layer: how large activations and gradients are, and how many units are dead or saturated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._axes import finished, grid, legend_of_all, look, panels

NEEDED = ("layer", "activation", "gradient", "weights", "dead", "saturated")


def signals(found: Any, *, path: str | Path | None = None) -> np.ndarray:
    """What goes forward and what comes back, layer by layer; and the share of units that are dead or saturated.

    A line that falls or rises by orders of magnitude is a signal that vanishes or explodes.

    Args:
        found: what ``fo.check.signals`` gives, or its ``table``: a dict a layer.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes, shape=(2,): sizes, on a logarithmic axis, and shares.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        TypeError: for what is no such table.

    >>> row = dict(layer="output", activation=1.0, gradient=0.5, weights=0.1, dead=0.0, saturated=None)
    >>> [axes.get_ylabel() for axes in signals([row])]
    ['size', 'share']
    """
    rows: Sequence[Mapping[str, Any]] = getattr(found, "table", found)
    if not isinstance(rows, Sequence) or not rows or not all(_is_row(row) for row in rows):
        raise TypeError(
            f"`found` must be what fo.check.signals(net, params, x) gives, or its table: a dict a layer with "
            f"{', '.join(NEEDED)}; got {type(found).__name__}"
        )
    made = panels(2, columns=2, width=max(0.32 * len(rows) + 2.6, 3.6), height=3.2)
    at = np.arange(len(rows))
    told = {
        "activation": "activations (rms)",
        "gradient": "gradient at z (rms)",
        "weights": "gradient of weights (norm)",
    }
    sizes, shares = made
    for i, (name, label) in enumerate(told.items()):
        values = np.array([row[name] for row in rows], float)
        there = np.isfinite(values) & (values > 0)
        sizes.plot(at[there], values[there], marker="o", markersize=4, label=label, **look(i))
    for i, name in enumerate(("dead", "saturated")):
        values = np.array([np.nan if row[name] is None else row[name] for row in rows], float)
        if np.isfinite(values).any():
            shares.plot(at, values, marker="o", markersize=4, label=f"{name} units", **look(i + 4))
    sizes.set_yscale("log")
    shares.set_ylim(-0.04, 1.04)
    for axes, name in ((sizes, "size"), (shares, "share")):
        axes.set_xticks(at, [str(row["layer"]) for row in rows], rotation=60, ha="right", fontsize=7)
        axes.set_ylabel(name)
        axes.set_xlabel("layer")
        grid(axes)
    legend_of_all(made)
    return finished(made, path)


def _is_row(row: Any) -> bool:
    return isinstance(row, Mapping) and set(NEEDED) <= set(row)
