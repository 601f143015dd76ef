"""Curves over thresholds: ROC, precision against recall, detection error tradeoff."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from fnopt import metrics
from fnopt.plot._answers import OneClass, one_by_one, scored
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside, look

TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)  # of a DET curve
Points = Callable[[OneClass, Any], tuple[np.ndarray, np.ndarray, str]]


def roc(
    source: Any,
    other: Any,
    *,
    weight: Any = None,
    classes: Sequence[Any] | None = None,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """True against false positive rate at every threshold, with the area under each curve; ideal is the upper left.

    Args:
        source: a fitted model of classes or labels, with a dataset as ``other``; or the truth, with the scores as
            ``other``: 0 or 1 and shape=(m,), class numbers and shape=(m, classes), or both of shape=(m, labels).
        other: see ``source``. Of several columns each is a curve, one class against the rest; of two classes the
            second alone.
        weight: shape=(m,), not negative; the dataset's own unless given.
        classes: what the columns stand for; the model's own unless given.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: as ``fo.metrics.roc_curve`` has it; where one of the two classes is absent.

    >>> axes = roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> axes.lines[0].get_label()
    'area 0.75'
    """

    def points(one: OneClass, weight: Any) -> tuple[np.ndarray, np.ndarray, str]:
        curve = metrics.roc_curve(one.truth, one.score, weight=weight)
        return np.asarray(curve.fpr), np.asarray(curve.tpr), f"area {_area(curve.fpr, curve.tpr):.3g}"

    axes = _drawn(axes, points, scored(source, other, weight, classes))
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.8, linestyle=(0, (4, 3)), label="chance", zorder=1)
    return _closed(axes, "false positive rate", "true positive rate", path)


def precision_recall(
    source: Any,
    other: Any,
    *,
    weight: Any = None,
    classes: Sequence[Any] | None = None,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """Precision against recall at every threshold, with the average precision of each curve; ideal is the upper right.

    The one to look at for imbalanced classes. Where all examples score alike the precision is the share of positives,
    which is drawn as a line for a single curve.

    Args:
        source, other, weight, classes, axes, path: as in :func:`roc`.

    Returns:
        the axes.

    Raises:
        ImportError, ValueError: as :func:`roc`.

    >>> axes = precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> axes.lines[0].get_label()
    'average precision 0.833'
    """

    def points(one: OneClass, weight: Any) -> tuple[np.ndarray, np.ndarray, str]:
        curve = metrics.precision_recall_curve(one.truth, one.score, weight=weight)
        average = float(metrics.average_precision(one.truth, one.score, weight=weight))
        return np.asarray(curve.recall), np.asarray(curve.precision), f"average precision {average:.3g}"

    answers = scored(source, other, weight, classes)
    axes = _drawn(axes, points, answers, drawstyle="steps-pre")
    each = one_by_one(answers)
    if len(each) == 1:
        share = float(np.average(each[0].truth == 1, weights=answers.weight))
        axes.axhline(share, color="0.5", linewidth=0.8, linestyle=(0, (4, 3)), label=f"chance {share:.3g}", zorder=1)
    return _closed(axes, "recall", "precision", path)


def det(
    source: Any,
    other: Any,
    *,
    weight: Any = None,
    classes: Sequence[Any] | None = None,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """False negative against false positive rate on axes of normal quantiles; ideal is the lower left.

    Where both classes score normally the curve is straight. Rates of 0 and 1 are infinitely far off and left out.

    Args:
        source, other, weight, classes, axes, path: as in :func:`roc`.

    Returns:
        the axes, in normal quantiles, with the rates as tick labels.

    Raises:
        ImportError, ValueError: as :func:`roc`; where no curve has a point with both rates inside (0, 1).

    Source: Martin et al., "The DET curve in assessment of detection task performance", 1997,
    https://doi.org/10.21437/Eurospeech.1997-504.

    >>> axes = det([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> axes.get_xlabel()
    'false positive rate'
    """
    quantile = np.vectorize(NormalDist().inv_cdf, otypes=[float])

    def points(one: OneClass, weight: Any) -> tuple[np.ndarray, np.ndarray, str]:
        curve = metrics.det_curve(one.truth, one.score, weight=weight)
        fpr, fnr = np.asarray(curve.fpr, float), np.asarray(curve.fnr, float)
        inside = (fpr > 0) & (fpr < 1) & (fnr > 0) & (fnr < 1)
        label = "" if inside.any() else "no threshold makes both mistakes"
        return quantile(fpr[inside]), quantile(fnr[inside]), label

    axes = _drawn(axes, points, scored(source, other, weight, classes), marker=".", markersize=3)
    if not any(len(line.get_xdata()) for line in axes.lines):
        raise ValueError(
            "no threshold makes both kinds of mistake: the scores tell the classes apart, or too few examples are "
            "there; draw roc(…) instead"
        )
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    ends = min(*low, -1.7), max(*high, 1.0)
    for limits, ticks in ((axes.set_xlim, axes.set_xticks), (axes.set_ylim, axes.set_yticks)):
        ticks(quantile(TICKS), [f"{100 * t:g} %" for t in TICKS], fontsize=8)
        limits(*ends)
    return _closed(axes, "false positive rate", "false negative rate", path, square=False)


def _drawn(axes: Axes, points: Points, answers: Any, **style: Any) -> Axes:
    """A curve for each class, its name and what it comes to in the legend."""
    axes = axes_of(axes, 7.2, 4.2)
    for i, one in enumerate(one_by_one(answers)):
        both = np.unique(one.truth).size > 1 and np.isfinite(one.score).all()
        if one.truth.shape == one.score.shape and not both:
            name = f" of {one.name}" if one.name else ""
            raise ValueError(f"a curve{name} needs examples of both kinds with finite scores; leave that class out")
        x, y, label = points(one, answers.weight)
        axes.plot(x, y, label=": ".join(filter(None, (one.name, label))), **look(i), **style)
    return axes


def _closed(axes: Axes, x: str, y: str, path: Any, square: bool = True) -> Axes:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if square:
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
    grid(axes)
    legend_beside(axes)
    return finished(axes, path)


def _area(x: Any, y: Any) -> float:
    return float(np.trapezoid(np.asarray(y, float), np.asarray(x, float)))
