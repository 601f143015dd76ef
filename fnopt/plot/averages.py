"""Exponentially weighted averages of noisy values, for several β."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from fnopt import averages as weighted
from fnopt.numbers import DECAY, scalar
from fnopt.plot._arrays import as_long, numbers
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside, look


def averages(
    y: Any,
    betas: float | Sequence[float] = (0.5, 0.9, 0.98),
    *,
    x: Any = None,
    corrected: bool = True,
    name: str = "value",
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """Noisy values, and their averages v_t = β v_{t−1} + (1 − β) y_t over about 1/(1 − β) points, for several β.

    The larger β, the smoother the line and the later it follows.

    Args:
        y: shape=(t,), finite, in order.
        betas: each in [0, 1); one number, or several.
        x: shape=(t,), where the values stand; 1, 2, … unless given.
        corrected: whether v_t is divided by 1 − β^t; without it the lines begin near 0.
        name: of the vertical axis.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for a β outside [0, 1), for none, for values that are not finite.

    >>> axes = averages([4.0, 2.0], betas=(0.5,))
    >>> axes.lines[1].get_ydata().round(3).tolist()
    [4.0, 2.667]
    """
    y = numbers("y", y, 1, finite=True)
    x = np.arange(1, len(y) + 1) if x is None else as_long("x", numbers("x", x, 1, finite=True), "y", len(y))
    listed: list[Any] = list(cast("Sequence[Any]", betas)) if np.ndim(betas) else [betas]
    if not listed:
        raise ValueError("`betas` must have at least one, as (0.5, 0.9, 0.98)")
    betas = [float(scalar("betas", beta, DECAY, jnp.result_type(float))) for beta in listed]
    axes = axes_of(axes, 7.0, 3.8)
    axes.plot(x, y, ".", color="0.65", markersize=4, label="data")
    for i, beta in enumerate(betas):
        told = f"β = {beta:g}, about {1 / (1 - beta):.3g} points"
        axes.plot(x, np.asarray(averaged(y, beta, corrected), float), label=told, linewidth=1.8, **look(i))
    axes.set_xlabel("t")
    axes.set_ylabel(name)
    grid(axes)
    legend_beside(axes, title=None if corrected else "uncorrected: begin near 0")
    return finished(axes, path)


def averaged(y: Any, beta: Any, corrected: bool = True) -> jax.Array:
    """The average after each value, shape=(t,); may be mapped over β.

    >>> averaged([4.0, 2.0], 0.5, corrected=False).tolist()
    [2.0, 2.0]
    """

    def step(average: weighted.Average, value: jax.Array) -> tuple[weighted.Average, jax.Array]:
        average = weighted.update(average, value, beta)
        return average, weighted.corrected(average) if corrected else average.value

    y = jnp.asarray(y, jnp.result_type(float))
    return jax.lax.scan(step, weighted.init(y[0]), y)[1]
