"""Learning curves: of one training, of several, or of all configurations of a search as bands of quantiles."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fnopt._checks import one_of, real
from fnopt.plot._arrays import by_label, numbers, quantiles
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside, look
from fnopt.plot._histories import is_run, is_sweep, lanes_of, parts_of, unit_of

WIDE, NARROW = (0.05, 0.95), (0.25, 0.75)  # the shares of lanes between which a band lies
EXAMPLE = '{"train": losses, "dev": [losses_of_seed_0, losses_of_seed_1]}'


class Drawn(NamedTuple):
    """What a picture of curves shows."""

    lines: dict[str, np.ndarray]  # label -> shape=(epochs,) or (lanes, epochs)
    stop: float | None  # the epoch whose weights count
    name: str  # of the vertical axis


def curves(
    source: Any,
    score: str | None = None,
    *,
    stop: float | None = None,
    logarithmic: bool = False,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """Scores over epochs: a line for one training, the median and bands of quantiles for several.

    The bands hold the middle half and the middle 90 % of the lanes that have a value at that epoch: where a rule ends
    lanes early, only those that were still trained count. What is not finite, or was not scored, is left out.

    Args:
        source: a run, whose train and dev parts are drawn; a sweep, of which all configurations, seeds and folds make
            the bands and the best configuration a line; or arrays: label to shape=(epochs,), or (lanes, epochs).
        score: of a run ``"loss"`` (the usual one), ``"accuracy"`` or ``"dev/accuracy"``; of a sweep ``"dev/loss"``, its
            objective unless given; of arrays the name of the vertical axis.
        stop: the epoch at which training was stopped, or whose weights count; of a run its own, where that is not the
            last epoch.
        logarithmic: whether the scores stand on a logarithmic axis.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for a score that the curves do not have, with the nearest; for no curves, and for a ``stop`` before
            the first epoch.

    >>> axes = curves({"train": [3.0, 2.0, 1.0], "dev": [3.0, 2.5, 2.7]}, "loss", stop=2)
    >>> [line.get_label() for line in axes.lines][:2], axes.get_ylabel()
    (['train', 'dev'], 'loss')
    """
    drawn = _drawn(source, score)
    if stop is not None:
        drawn = drawn._replace(stop=real("stop", stop, "of at least 1, an epoch", lambda x: x >= 1))
    axes = axes_of(axes)
    for i, (label, values) in enumerate(drawn.lines.items()):
        draw_curve(axes, values, label, **look(i))
    if drawn.stop is not None:
        _mark_stop(axes, drawn, drawn.stop)
    axes.set_xlabel("epoch")
    axes.set_ylabel(drawn.name)
    axes.set_yscale("log" if logarithmic else "linear")
    axes.xaxis.get_major_locator().set_params(integer=True)
    grid(axes)
    legend_beside(axes)
    return finished(axes, path)


def draw_curve(axes: Axes, values: np.ndarray, label: str, *, color: str, linestyle: str) -> None:
    """One curve, shape=(epochs,), or the median and the bands of several, shape=(lanes, epochs)."""
    middle = values
    if values.ndim == 2:
        epochs = np.arange(1, values.shape[1] + 1)
        low, quarter, middle, three, high = quantiles(values, (WIDE[0], NARROW[0], 0.5, NARROW[1], WIDE[1]))
        for bottom, top, alpha in ((low, high, 0.15), (quarter, three, 0.25)):
            there = np.isfinite(bottom)
            axes.fill_between(epochs[there], bottom[there], top[there], color=color, alpha=alpha, linewidth=0)
    there = np.isfinite(middle)
    one = {"marker": "o", "markersize": 4} if there.sum() == 1 else {}
    axes.plot(np.flatnonzero(there) + 1, middle[there], color=color, linestyle=linestyle, label=label, **one)


def _drawn(source: Any, score: str | None) -> Drawn:
    if is_sweep(source):
        return _of_sweep(source, score)
    if is_run(source):
        return _of_run(source, score or "loss")
    lines = {label: numbers("source", one, (1, 2)) for label, one in by_label("source", source, EXAMPLE).items()}
    return Drawn(lines, None, score or "score")


def _of_run(run: Any, score: str) -> Drawn:
    part, _, name = score.rpartition("/")
    found = parts_of(run.history)
    if part:
        one_of("part", part, found)
    lines = {}
    for each in [part] if part else found:
        rows: Mapping[str, Any] = run.history[each]
        lines[each] = np.asarray(rows[one_of("score", name, rows)], float)
    stop = run.best_epoch if 1 <= run.best_epoch < run.epochs else None
    return Drawn(lines, stop, name + unit_of(run, name))


def _of_sweep(sweep: Any, score: str | None) -> Drawn:
    name: str = sweep.objective if score is None else score
    found = lanes_of(sweep, name)
    every = [one for lanes in found.values() for one in lanes]
    longest = max(map(len, every))
    padded = np.array([np.pad(one, (0, longest - len(one)), constant_values=np.nan) for one in every])
    lines = {f"all {len(found)} configurations": padded}
    best = next((one.config for one in sweep.ranking()[:1] if np.isfinite(one.score)), None)
    if best is not None and best in found:
        mine = [np.pad(one, (0, longest - len(one)), constant_values=np.nan) for one in found[best]]
        lines[f"configuration {best}, the best"] = quantiles(np.array(mine), (0.5,))[0]
    return Drawn(lines, None, name + unit_of(sweep, name))


def _mark_stop(axes: Axes, drawn: Drawn, stop: float) -> None:
    """A line at the epoch whose weights count, and a dot where it meets each curve."""
    axes.axvline(stop, color="0.4", linestyle=(0, (4, 3)), linewidth=1.0, label=f"stopped at epoch {stop:g}")
    for i, values in enumerate(drawn.lines.values()):
        middle = values if values.ndim == 1 else quantiles(values, (0.5,))[0]
        there = np.flatnonzero(np.isfinite(middle))
        if len(there) and there[0] + 1 <= stop <= there[-1] + 1:
            height = np.interp(stop, there + 1, middle[there])
            axes.plot([stop], [height], "o", color=look(i)["color"], markeredgecolor="white", markersize=7, zorder=5)
