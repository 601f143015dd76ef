"""The score that decides: what early stopping, plateaus, rungs and the ranking look at."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from fnopt._checks import one_of, real
from fnopt._types import Score
from fnopt.metrics import updates_to
from fnopt.train.bounds import bounds_of
from fnopt.train.scores import FOLLOWED, LOSS, score_of


@dataclass(frozen=True)
class Objective:
    """A score on a part of the data; as a pair of names it is ``(part, metric)``.

    >>> "/".join(Objective("dev", LOSS))
    'dev/loss'
    """

    part: str  # "train" or "dev"
    score: Score
    level: float | None = field(default=None, compare=False)  # where the updates to it rank: no part of a program

    @property
    def metric(self) -> str:
        """The name of the score."""
        return self.score.name

    @property
    def higher(self) -> bool:
        """Whether more of what ranks is better."""
        return self.score.higher and self.level is None

    @property
    def title(self) -> str:
        """What ranks, in words."""
        sign = "≥" if self.score.higher else "≤"
        return "/".join(self) if self.level is None else f"updates to {'/'.join(self)} {sign} {self.level:g}"

    def value(self, history: Mapping[str, Any], at: int) -> float:
        """What ranks a trial after ``at`` epochs: the score then, or the updates until it first was at the level.

        >>> curves = {"dev": {"loss": [0.9, 0.3, 0.2]}, "updates": [10, 20, 30]}
        >>> Objective("dev", LOSS).value(curves, 3), Objective("dev", LOSS, 0.5).value(curves, 3)
        (0.2, 20.0)
        """
        curve = np.asarray(history[self.part][self.metric], np.float64)[:at]
        if self.level is None:
            return float(curve[-1])
        made = np.asarray(history["updates"], np.float64)[:at]
        return float(updates_to(curve, self.level, updates=made, higher=self.score.higher).update)

    def __iter__(self) -> Iterator[str]:
        yield self.part
        yield self.metric


class Reach(NamedTuple):
    """A score and the level that it is to reach, see :func:`reach`."""

    objective: str
    level: float


def reach(objective: str, level: float) -> Reach:
    """An objective of ``caviar``: the fewest updates until a score is at ``level`` or better; ties go by loss.

    A configuration that never comes there has an infinite score. The score's own training does not change: early
    stopping and plateaus look at the score itself.

    Args:
        objective: ``"dev/loss"`` and the like.
        level: to be reached, in the unit of the score: a share is 0.95, not 95. ``caviar`` refuses one that is better
            than the score can be: a share above 1, an error below 0.

    >>> reach("dev/loss", 0.1).level
    0.1
    """
    if not isinstance(objective, str):
        raise TypeError(f"`objective` must be 'part/score', as in 'dev/loss', got {type(objective).__name__}")
    return Reach(objective, real("level", level))


def objective_of(
    task: str, objective: str | Reach | None, dev: bool, own: Sequence[Score] = (), least: float = -math.inf
) -> Objective:
    """``"part/score"`` taken apart; by default accuracy for classes and loss otherwise, on dev where there is one.

    A score without a part is that of dev, where there is one. ``own`` are scores that the caller wrote; ``least`` is
    what the loss is never below.

    Raises:
        ValueError: for an unknown score or part, and for a level that the score can never reach.

    >>> "/".join(objective_of("classes", None, dev=True))
    'dev/accuracy'
    """
    if isinstance(objective, Reach):
        found = objective_of(task, objective.objective, dev, own)
        _check_level(found, objective.level, least)
        return replace(found, level=objective.level)
    default, usual = "accuracy" if task == "classes" else "loss", "dev" if dev else "train"
    if objective is None:
        return Objective(usual, score_of(task, default))
    if not isinstance(objective, str) or not objective:
        raise ValueError(f"`objective` must be 'part/score', as in 'dev/{default}', got {objective!r}")
    part, metric = objective.split("/", 1) if "/" in objective else (usual, objective)
    one_of("part", part, ("train", "dev"))
    if part == "dev" and not dev:
        raise ValueError(f"objective {objective!r} needs a dev part; give one, or write 'train/{metric}'")
    return Objective(part, score_of(task, metric, own))


def _check_level(found: Objective, level: float, least: float) -> None:
    """ValueError where ``level`` is better than the best that the score can be; the loss is never below ``least``."""
    if found.score.own:
        return
    bounds = bounds_of(found.metric)
    best = least if found.score == LOSS else bounds.high if found.score.higher else bounds.low
    if level <= best if found.score.higher else level >= best:
        return
    side, cure = ("at most", "or less") if found.score.higher else ("at least", "or more")
    share = f": {level:g} % is {level / 100:g}" if found.score.higher and level > 2 and level <= 100 else ""
    raise ValueError(
        f"`level` of fo.reach({'/'.join(found)!r}, {level:g}) can never be reached: {found.metric} is {side} {best:g}; "
        f"take {best:g} {cure}{share}"
    )


def metrics_of(task: str, objective: Objective, follow: Sequence[Score] = ()) -> tuple[Score, ...]:
    """The scores that a run reports beside the loss: the usual ones of the task, those asked for, the objective's.

    >>> [score.name for score in metrics_of("classes", Objective("dev", LOSS))]
    ['accuracy']
    """
    usual = [score_of(task, name) for name in FOLLOWED[task]]
    return tuple(dict.fromkeys(score for score in (*usual, *follow, objective.score) if score != LOSS))
