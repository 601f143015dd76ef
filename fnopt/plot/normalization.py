"""What scaling the inputs does to the loss: contours and a descent, before and after."""

from pathlib import Path
from typing import Any

import numpy as np
from jax import Array

from fnopt import losses, optim
from fnopt._checks import whole
from fnopt.data import standardizer
from fnopt.numbers import POSITIVE, as_number
from fnopt.plot._figure import (
    COLOURS,
    Figure,
    begun,
    contours,
    ended,
    goal,
    legend_below,
    new_figure,
    saved,
    track,
)
from fnopt.plot._given import examples
from fnopt.surfaces import classify, descend


def normalization(
    x: Any, y: Any, *, steps: int = 30, lr: float | None = None, path: str | Path | None = None
) -> Figure:
    """The loss of y = w₁ x₁ + w₂ x₂ over (w₁, w₂), with the inputs as they are and with them standardized.

    Targets are centred, so that no intercept is needed for the scaled inputs. In each panel gradient descent goes from
    the same corner of the picture, with the learning rate that is best for the steepest direction: 1 over the largest
    eigenvalue of the Hessian. The condition number is that eigenvalue over the smallest.

    Args:
        x: shape=(m, 2), m ≥ 3; not on a line.
        y: shape=(m,).
        steps: updates in each panel, ≥ 1.
        lr: learning rate, in (0, inf), in units of what is said above; 1 unless given, above 2 the descent diverges.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the figure, with two panels.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: unless there are two inputs that both vary, not together, and a target for each example.

    >>> x = np.array([[1.0, 10.0], [2.0, -5.0], [3.0, 20.0]])
    >>> [axes.get_title().split(":")[0] for axes in normalization(x, x[:, 0], steps=2).axes]
    ['inputs as they are', 'inputs standardized']
    """
    x, y = examples(x, y, columns=2)
    rate = float(as_number("lr", 1.0 if lr is None else lr, POSITIVE))
    figure = new_figure(8.2, 4.7)
    kinds = {"inputs as they are": x, "inputs standardized": standardizer(x)(x)}
    panels = figure.subplots(1, 2)
    for axes, (name, inputs) in zip(panels, kinds.items(), strict=True):
        _panel(axes, name, inputs, y - y.mean(), whole("steps", steps), rate)
    legend_below(figure, panels)
    return saved(figure, path)


def _panel(axes: Any, name: str, x: Array, y: Array, steps: int, lr: float) -> None:
    def cost(w: Array) -> Array:
        return losses.squared_error((x.astype(w.dtype) * w[None, :]).sum(axis=-1), y.astype(w.dtype)).mean()

    best = np.linalg.lstsq(np.asarray(x), np.asarray(y), rcond=None)[0]
    eigenvalues = classify(cost, best).eigenvalues
    reach = 1.25 * max(float(np.abs(best).max()), 1e-3)
    start = best + reach * np.array([-0.9, 0.75])
    points = np.asarray(descend(cost, optim.sgd, start, steps, lr=lr / float(eigenvalues[-1])))
    contours(axes, cost, tuple((float(b - reach), float(b + reach)) for b in best))  # pyright: ignore[reportArgumentType]
    inside = track(axes, points, "", COLOURS[1])
    begun(axes, start)
    ended(axes, inside, not inside)
    goal(axes, best)
    axes.set_title(f"{name}: condition number {eigenvalues[-1] / eigenvalues[0]:.3g}", fontsize=9)
    axes.set_xlabel("w₁")
    axes.set_ylabel("w₂")
    axes.set_aspect("equal")
