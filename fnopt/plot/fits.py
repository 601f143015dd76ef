"""Fitted curves over the points that they were fitted to: side by side, or one after another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._arrays import as_long, numbers
from fnopt.plot._axes import SHADES, Axes, axes_of, finished, grid, legend_of_all, panels
from fnopt.plot._figure import COLOURS, colour_scale

FINE = 301  # points of a fitted curve
EXAMPLE = '{"degree 1": lambda x: 2 * x + 1}'


def fits(
    x: Any,
    y: Any,
    fitted: Mapping[str, Any],
    *,
    truth: Any = None,
    names: tuple[str, str] = ("x", "y"),
    path: str | Path | None = None,
) -> np.ndarray:
    """Points and a fitted curve a panel, side by side: too stiff, right, too bent.

    Args:
        x: shape=(m,), finite.
        y: shape=(m,), finite.
        fitted: label to a function from inputs, shape=(k,), to values, shape=(k,).
        truth: the function behind the points, where it is known.
        names: of the two axes.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes, shape=(fitted,); all show the same part of the plane.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for arrays of unlike length, no fitted curve, a function that gives no value for each input.

    >>> made = fits([0.0, 1.0], [1.0, 3.0], {"degree 1": lambda x: 2 * x + 1})
    >>> made[0].get_title(), made[0].lines[0].get_ydata()[[0, -1]].tolist()
    ('degree 1', [1.0, 3.0])
    """
    x, y = _points(x, y)
    if not isinstance(fitted, Mapping) or not fitted:
        raise ValueError(f"`fitted` must be label to function, as {EXAMPLE}, got {fitted!r}")
    at = np.linspace(x.min(), x.max(), FINE)
    made = panels(len(fitted), columns=4 if len(fitted) <= 4 else 3, sharex=True, sharey=True)
    room = 0.35 * max(float(np.ptp(y)), 1e-9)
    for axes, (label, function) in zip(made, fitted.items(), strict=True):
        values = as_long("fitted", numbers(f"fitted[{label!r}]", function(at), 1), "its inputs", FINE)
        axes.plot(at, values, color=COLOURS[0], label="fit")
        if truth is not None:
            axes.plot(at, np.asarray(truth(at)), color="0.4", linestyle=(0, (4, 3)), linewidth=1.0, label="truth")
        axes.plot(x, y, "o", color=COLOURS[1], markersize=4, markeredgecolor="white", label="points")
        axes.set_ylim(y.min() - room, y.max() + room)
        axes.set_title(label, fontsize=9)
        axes.set_xlabel(names[0])
        grid(axes)
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel(names[1])
    legend_of_all(made)
    return finished(made, path)


def fitted_lines(
    x: Any,
    y: Any,
    steps: Any,
    *,
    names: tuple[str, str] = ("x", "y"),
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """The fitted line φ₀ + φ₁ x after each step of a descent, from dark to light, over the points.

    Args:
        x: shape=(m,), finite.
        y: shape=(m,), finite.
        steps: shape=(steps, 2): φ₀ and φ₁, before the first step and after each.
        names: of the two axes.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for arrays of unlike length, and for steps that are no pairs of finite numbers.

    >>> axes = fitted_lines([0.0, 1.0], [1.0, 3.0], [[0.0, 0.0], [1.0, 2.0]])
    >>> axes.lines[1].get_ydata().tolist()
    [1.0, 3.0]
    """
    x, y = _points(x, y)
    steps = numbers("steps", steps, 2, finite=True)
    if steps.shape[1] != 2:
        raise ValueError(f"`steps` must hold φ₀ and φ₁ after each step, shape (steps, 2), got {steps.shape}")
    axes = axes_of(axes)
    shades = colour_scale(0, max(len(steps) - 1, 1), SHADES)
    ends = np.array([x.min(), x.max()])
    for k, (offset, slope) in enumerate(steps):
        last = k == len(steps) - 1
        axes.plot(ends, offset + slope * ends, color=shades.to_rgba(np.array(k)), linewidth=2.4 if last else 1.0)
    axes.plot(x, y, "o", color=COLOURS[0], markersize=5, markeredgecolor="white", label="points", zorder=5)
    axes.figure.colorbar(shades, ax=axes, label="step")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    grid(axes)
    return finished(axes, path)


def _points(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = (numbers(name, a, 1, finite=True) for name, a in (("x", x), ("y", y)))
    return x, as_long("y", y, "x", len(x))
