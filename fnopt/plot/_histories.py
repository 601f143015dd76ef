"""What runs and sweeps hold of their training, taken by attribute: no class of a higher floor is named here."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fnopt._checks import nearest, one_of

POWERS = {  # of the target's unit, in which a score of values stands
    "mean_squared_error": 2,
    "root_mean_squared_error": 1,
    "mean_absolute_error": 1,
    "median_absolute_error": 1,
    "max_error": 1,
}


def is_run(source: Any) -> bool:
    """Whether this has the curves of one training."""
    return hasattr(source, "history") and hasattr(source, "best_epoch")


def is_sweep(source: Any) -> bool:
    """Whether this has the results of many."""
    return hasattr(source, "ranking") and hasattr(source, "lanes") and hasattr(source, "table")


def the_sweep(source: Any, picture: str, arrays: str) -> Any:
    """A sweep; TypeError that says which arrays the picture takes instead."""
    if not is_sweep(source):
        raise TypeError(f"`{picture}` takes a sweep, or arrays as {arrays}, got {type(source).__name__}")
    return source


def parts_of(history: Mapping[str, Any]) -> list[str]:
    """The parts of the data that curves were taken on."""
    return [part for part in history if isinstance(history[part], Mapping) and history[part]]


def lanes_of(sweep: Any, score: str) -> dict[int, list[np.ndarray]]:
    """The curves of ``"part/score"`` of each configuration that was trained, one a seed and fold, shape=(epochs,).

    Raises:
        ValueError: for a part or a score that there is not, with the nearest; where no configuration was trained.
    """
    part, _, name = score.partition("/")
    found: dict[int, list[np.ndarray]] = {}
    for config in range(sweep.n):
        for lane in sweep.lanes(config):
            parts = parts_of(lane.history)
            if not name:
                known = [f"{p}/{n}" for p in parts for n in lane.history[p]]
                raise ValueError(f"`score` of a sweep is a part and a score, got {score!r}{nearest(score, known)}")
            rows = lane.history[one_of("part", part, parts)]
            found.setdefault(config, []).append(np.asarray(rows[one_of("score", name, rows)], float))
    if not found:
        raise ValueError("no configuration of this sweep was trained: there is nothing to draw; give it more time")
    return found


def unit_of(source: Any, score: str) -> str:
    """The unit of a score of values in brackets, as ``" (in units of price²)"``; nothing where it has none.

    >>> unit_of(None, "dev/accuracy")
    ''
    """
    power = POWERS.get(score.rpartition("/")[2])
    data = getattr(source, "train", None)
    frame = getattr(source, "encoding", None)
    target = getattr(data, "target", None) or getattr(frame, "name", None)
    if power is None or not isinstance(target, str):
        return ""
    return f" (in units of {target}{'²' if power == 2 else ''})"
