"""Importance: how much of the variance of a score each name explains; and how well rungs foretell the end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._arrays import as_long, numbers
from fnopt.plot._axes import SHADES, Axes, axes_of, finished, grid
from fnopt.plot._figure import COLOURS


def importance(
    names: Sequence[str],
    shares: Any,
    bars: Any = None,
    *,
    label: str = "share of the variance explained",
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """A bar for each name, the largest on top, with its interval where there is one.

    Args:
        names: of hyperparameters, of pairs of them ("lr × l2"), or of inputs.
        shares: shape=(names,), how much each counts.
        bars: shape=(names,), half the width of each interval; or (names, 2), its lower and upper end.
        label: of the horizontal axis.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for no names, as many shares or intervals as there are no names, an interval that misses its share.

    >>> axes = importance(["l2", "lr"], [0.1, 0.7], [0.05, 0.1])
    >>> [text.get_text() for text in axes.get_yticklabels()]
    ['l2', 'lr']
    """
    names = list(map(str, names))
    shares = as_long("shares", numbers("shares", shares, 1), "names", len(names))
    order = np.argsort(shares, kind="stable")
    axes = axes_of(axes, 6.4, min(max(0.32 * len(names) + 1.2, 2.4), 10.0))
    ends = None if bars is None else _ends(shares, as_long("bars", numbers("bars", bars, (1, 2)), "names", len(names)))
    style = {"color": COLOURS[1], "alpha": 0.8, "height": 0.65}
    error = {"ecolor": "black", "capsize": 3, "elinewidth": 1.0}
    axes.barh(range(len(names)), shares[order], xerr=None if ends is None else ends[:, order], error_kw=error, **style)
    axes.set_yticks(range(len(names)), [names[i] for i in order])
    axes.set_xlabel(label)
    grid(axes)
    return finished(axes, path)


def rank_correlation(
    ages: Sequence[int], correlations: Any, *, axes: Axes = None, path: str | Path | None = None
) -> Axes:
    """How well the order of the configurations at one epoch foretells that at another.

    Args:
        ages: the epochs that are compared, as of rungs.
        correlations: shape=(ages, ages), rank correlations in [-1, 1]; NaN where there is none.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for correlations of another shape, or outside [-1, 1].

    >>> axes = rank_correlation([1, 3], [[1.0, 0.4], [0.4, 1.0]])
    >>> [text.get_text() for text in axes.texts]
    ['1.00', '0.40', '0.40', '1.00']
    """
    count, values = len(ages), numbers("correlations", correlations, 2)
    if values.shape != (count, count) or np.nanmax(np.abs(values)) > 1 + 1e-6:
        raise ValueError(f"`correlations` must be {count} × {count} and in [-1, 1], got shape {values.shape}")
    side = min(max(0.5 * count + 2.0, 3.6), 8.0)
    axes = axes_of(axes, side + 0.9, side)
    image = axes.imshow(values, cmap=SHADES, vmin=min(0.0, float(np.nanmin(values))), vmax=1)
    axes.figure.colorbar(image, ax=axes, label="rank correlation")
    for i, j in np.ndindex(count, count):
        if np.isfinite(values[i, j]):
            colour = "black" if values[i, j] > 0.55 else "white"
            axes.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(count), [str(a) for a in ages])
    axes.set_yticks(range(count), [str(a) for a in ages])
    axes.set_xlabel("epoch")
    axes.set_ylabel("epoch")
    return finished(axes, path)


def _ends(shares: np.ndarray, bars: np.ndarray) -> np.ndarray:
    """How far each interval reaches below and above its share, shape=(2, names)."""
    reach = np.stack([bars, bars]) if bars.ndim == 1 else np.stack([shares - bars[:, 0], bars[:, 1] - shares])
    if (bars.ndim == 2 and bars.shape[1] != 2) or (reach < -1e-9).any():
        raise ValueError(
            f"`bars` must be half widths, shape ({len(shares)},), or lower and upper ends around each share, shape "
            f"({len(shares)}, 2), got shape {bars.shape}"
        )
    return np.maximum(reach, 0)
