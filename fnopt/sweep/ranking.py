"""Results as they come in: scores of all, weights of the best ten, and the order among configurations."""

import math
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from fnopt.sweep.result import LaneResult
from fnopt.train import Objective

KEPT = 10  # configurations whose weights stay in memory; the others come back by replay
WORST_FIRST = ("diverged", "cut", "pruned", "stopped")  # what a configuration is called where its lanes differ


class Standing(NamedTuple):
    """One configuration over all its seeds and folds."""

    config: int
    score: float  # mean of the objective over seeds and folds; NaN where one diverged or is missing
    error: float  # its standard error, NaN with one lane
    loss: float  # mean loss on the objective's part: decides among equal scores
    status: str
    why: str
    epochs: float

    @property
    def ranked(self) -> bool:
        """Whether it has a place: a score, or, where it never came to a level that was to be reached, a loss."""
        return math.isfinite(self.score) or (self.score == math.inf and math.isfinite(self.loss))


class Kept:
    """All results of a sweep, without the weights of those that are not among the best."""

    def __init__(self, objective: Objective, n: int, seeds: int, folds: int = 1):
        self.objective, self.n = objective, n
        self.replicas = [(seed, fold) for seed in range(seeds) for fold in range(folds)]
        self.higher = objective.higher
        self.lanes: dict[tuple[int, int, int], LaneResult] = {}
        self._heavy: dict[int, Any] = {}  # configuration whose weights are there -> its place in the order

    def of(self, config: int) -> list[LaneResult]:
        """The lanes of one configuration that have ended."""
        return [self.lanes[config, *at] for at in self.replicas if (config, *at) in self.lanes]

    def add(self, results: list[LaneResult]) -> None:
        """Take some lanes' results in; forget the weights that are no longer among the best."""
        for r in results:
            self.lanes[r.config, r.seed, r.fold] = r
            whole = len(self.of(r.config)) == len(self.replicas)
            if whole:
                self._heavy[r.config] = self._order(self.standing(r.config))
        for config in sorted(self._heavy, key=self._heavy.__getitem__)[KEPT:]:
            del self._heavy[config]
            for r in self.of(config):
                self.lanes[r.config, r.seed, r.fold] = r._replace(params=None, stats=None)

    def forget(self, configs: Collection[int]) -> None:
        """Drop the results of some configurations, which are to be trained again."""
        self.lanes = {at: r for at, r in self.lanes.items() if at[0] not in configs}
        self._heavy = {config: place for config, place in self._heavy.items() if config not in configs}

    def drop_cut(self) -> None:
        """Forget what lanes came to that were broken off."""
        cut = [at for at, r in self.lanes.items() if r.status == "cut"]
        for at in cut:
            del self.lanes[at]
            self._heavy.pop(at[0], None)

    def standing(self, config: int) -> Standing:
        """A configuration's mean score over the seeds and folds that are there."""
        mine = self.of(config)
        part = self.objective.part
        scores = [math.nan if r.status == "diverged" else score_of(self.objective, r) for r in mine]
        losses = [math.nan if r.status == "diverged" else r.scores[part]["loss"] for r in mine]
        status = status_of([r.status for r in mine])
        whys = [self._named(r) + r.why for r in mine if r.status == status and r.why]
        why = whys[0] if whys else ""
        if not mine:
            status, why = "not run", "the sweep ended before it"
        return Standing(
            config=config,
            score=float(np.mean(scores)) if mine else math.nan,
            error=standard_error(scores),
            loss=float(np.mean(losses)) if mine else math.nan,
            status=status if len(mine) in (0, len(self.replicas)) else "not run",
            why=why,
            epochs=float(np.mean([r.epochs for r in mine])) if mine else 0.0,
        )

    def _named(self, r: LaneResult) -> str:
        if r.status == "pruned" or len(self.replicas) == 1:
            return ""
        seeds, folds = ({at[k] for at in self.replicas} for k in (0, 1))
        named = [f"seed {r.seed}"] * (len(seeds) > 1) + [f"fold {r.fold}"] * (len(folds) > 1)
        return ", ".join(named) + ": "

    def ranking(self) -> list[Standing]:
        """All configurations, best first.

        Those that trained to their end come before those that a rule stopped, of which the longer trained come first;
        ties go by loss, then by number; diverged and missing ones are last.
        """
        return sorted((self.standing(i) for i in range(self.n)), key=self._order)

    def _order(self, s: Standing) -> Any:
        return order_of(s, self.higher)


def score_of(objective: Objective, r: LaneResult) -> float:
    """What ranks a result: the score of its weights, or the updates until it reached the level."""
    if objective.level is None:
        return r.scores[objective.part][objective.metric]
    return objective.value(r.history, r.epochs)


def order_of(s: Standing, higher: bool) -> Any:
    """What configurations are sorted by, best first: see ``Kept.ranking``."""
    bad = not math.isfinite(s.score) or s.status in ("diverged", "not run")
    score = 0.0 if bad else (-s.score if higher else s.score)
    short = -s.epochs if s.status in ("pruned", "cut") else -math.inf
    return bad, short, score, s.loss if math.isfinite(s.loss) else math.inf, s.config


def status_of(lanes: Collection[str]) -> str:
    """The status of a configuration, from those of its lanes: the worst."""
    return next((status for status in WORST_FIRST if status in lanes), "done")


def standard_error(scores: list[float]) -> float:
    """Of a mean: s/√m with m − 1 in s; NaN for fewer than two, and where one is not finite.

    >>> standard_error([1.0, 3.0]), standard_error([1.0, math.inf])
    (1.0, nan)
    """
    if len(scores) < 2 or not all(map(math.isfinite, scores)):
        return math.nan
    return float(np.std(scores, ddof=1) / math.sqrt(len(scores)))
