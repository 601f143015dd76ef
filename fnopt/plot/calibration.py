"""Calibration: whether what is called 80 % sure comes true in 80 % of the cases."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnopt import metrics
from fnopt.plot._answers import Answers, OneClass, one_by_one, scored
from fnopt.plot._arrays import as_long
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside, look

SUREST = "probability of the predicted class"
LARGEST = 120.0  # of a dot, in square points
LEAST = 9.0  # so that a bin of few examples is seen


def calibration(
    source: Any,
    other: Any,
    *,
    each: bool = False,
    bins: int = 10,
    strategy: str = "uniform",
    weight: Any = None,
    classes: Sequence[Any] | None = None,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """The share that came true against the predicted probability, bin by bin; ideal is the diagonal.

    Below the diagonal a model is too sure. A dot's area is the weight of the examples in its bin, the smallest
    dots apart, which are drawn large enough to be seen; an empty bin has none.

    Args:
        source: a fitted model of classes or labels, with a dataset as ``other``; or the truth, with probabilities as
            ``other``, in shapes as :func:`fnopt.plot.roc` has them.
        other: see ``source``.
        each: of several classes, whether each is a curve against the rest; without it there is one curve, of the
            largest probability of each example: how often the class is right that the model is so sure of.
        bins: how many, ≥ 1.
        strategy: ``"uniform"``, or ``"quantile"`` for as many examples in each bin.
        weight: shape=(m,), not negative; the dataset's own unless given.
        classes: what the columns stand for; the model's own unless given.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: as ``fo.metrics.calibration_curve`` has it.

    >>> axes = calibration([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9], bins=2)
    >>> axes.lines[0].get_ydata().round(3).tolist()
    [0.333, 1.0]
    """
    answers = scored(source, other, weight, classes)
    axes = axes_of(axes, 6.2, 4.2)
    several = answers.given.ndim == 2 and answers.given.shape[1] > 2 and answers.truth.ndim == 1
    found = [_surest(answers)] if several and not each else one_by_one(answers)
    for i, one in enumerate(found):
        curve = metrics.calibration_curve(one.truth, one.score, weight=answers.weight, bins=bins, strategy=strategy)
        truth, said, counts = (np.asarray(a, float) for a in curve)
        some = counts > 0
        style = look(i)
        axes.plot(
            said[some], truth[some], label="model" if one.name in ("", SUREST) else one.name, linewidth=1.2, **style
        )
        size = np.maximum(LARGEST * counts[some] / counts.max(), LEAST)
        axes.scatter(said[some], truth[some], s=size, color=style["color"], alpha=0.6, linewidths=0)
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.8, linestyle=(0, (4, 3)), label="ideal", zorder=1)
    axes.set_xlabel("predicted probability" if found[0].name != SUREST else SUREST)
    axes.set_ylabel("share that came true" if found[0].name != SUREST else "share that was right")
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(-0.04, 1.04)
    grid(axes)
    legend_beside(axes, title="dot area: examples")
    return finished(axes, path)


def _surest(answers: Answers) -> OneClass:
    """Whether the class of largest probability was right, and that probability."""
    right = answers.given.argmax(axis=1) == as_long("truth", answers.truth, "probability", len(answers.given))
    return OneClass(SUREST, right.astype(np.int32), answers.given.max(axis=1))
