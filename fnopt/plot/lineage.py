"""Lineage: who took over whose weights in a population, and when."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fnopt._checks import whole
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside
from fnopt.plot._figure import COLOURS
from fnopt.plot._histories import is_sweep


class Taken(NamedTuple):
    """One configuration became a copy of another."""

    epoch: int
    config: int
    donor: int


def lineage(
    source: Any,
    n: int | None = None,
    epochs: int | None = None,
    *,
    config: int | None = None,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """Each configuration of a population a line over the epochs; an arrow leads from a donor to its copy.

    The thick line is the ancestry of one configuration: what its weights have been through.

    Args:
        source: a sweep with ``stop=fo.population(…)``; or moves, each (epoch, config, donor), in order of epoch. Of a
            sweep those moves are drawn that led to a configuration as it is at the end.
        n: how many configurations, of moves.
        epochs: how long they trained, of moves.
        config: whose ancestry is drawn thick; of a sweep the best one's unless given.
        axes: where to draw; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for a sweep without a population, for a configuration that is not there, for moves without ``n``.

    >>> axes = lineage([(2, 1, 0), (4, 2, 1)], n=3, epochs=6, config=2)
    >>> axes.lines[-1].get_xdata().tolist(), axes.lines[-1].get_ydata().tolist()
    ([0, 2, 2, 4, 4, 6], [0, 0, 1, 1, 2, 2])
    """
    if is_sweep(source):
        moves, count, end = _of_sweep(source), int(source.n), max(source.lengths)
        config = source.best.config if config is None else config
    else:
        moves = [Taken(*(int(part) for part in move[:3])) for move in source]
        count, end = whole("n", n), whole("epochs", epochs)
    for known in [*(c for move in moves for c in move[1:]), *([] if config is None else [config])]:
        if not 0 <= known < count:
            raise ValueError(f"there are configurations 0 to {count - 1}, got {known}")
    axes = axes_of(axes, 7.0, min(max(0.16 * count + 1.6, 2.8), 9.0))
    for i in range(count):
        axes.plot([0, end], [i, i], color="0.8", linewidth=0.8, zorder=1)
    arrow = {
        "arrowstyle": "-|>",
        "connectionstyle": "arc3,rad=0.3",  # bent, so that those of one epoch do not lie on each other
        "color": COLOURS[1],
        "linewidth": 0.9,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 7,
    }
    for move in moves:
        axes.annotate("", (move.epoch, move.config), (move.epoch, move.donor), arrowprops=arrow, zorder=2)
    axes.plot([], [], color=COLOURS[1], label="copied from a donor")
    if config is not None:
        at = ancestry(moves, config, end)
        axes.plot(*at, color=COLOURS[0], linewidth=2.2, label=f"ancestry of {config}", zorder=3)
    axes.set_xlabel("epoch")
    axes.set_ylabel("configuration")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(0, end * 1.02)
    grid(axes)
    legend_beside(axes)
    return finished(axes, path)


def ancestry(moves: Sequence[Taken], config: int, epochs: int) -> tuple[list[int], list[int]]:
    """The epochs and configurations through which the weights of one configuration have come.

    >>> ancestry([Taken(2, 1, 0)], 1, 3)
    ([0, 2, 2, 3], [0, 0, 1, 1])
    """
    at, who = [epochs], [config]
    for move in sorted(moves, reverse=True):
        if move.config == who[0] and move.epoch < at[0]:
            at[:0], who[:0] = [move.epoch, move.epoch], [move.donor, who[0]]
    return [0, *at], [who[0], *who]


def _of_sweep(sweep: Any) -> list[Taken]:
    moves = {Taken(m.epoch, m.config, m.donor) for i in range(sweep.n) for m in sweep.lineage(i)}
    if not moves:
        raise ValueError("no configuration of this sweep was replaced: search with stop=fo.population(…)")
    return sorted(moves)
