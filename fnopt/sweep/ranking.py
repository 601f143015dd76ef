"""Results as they come in: scores of all, weights of the best ten, and the order among configurations."""

import math
from typing import Any, NamedTuple

import numpy as np

from fnopt.sweep.chunk import LaneResult
from fnopt.train import Objective, higher_is_better

KEPT = 10  # configurations whose weights stay in memory; the others come back by replay


class Standing(NamedTuple):
    """One configuration over all its seeds."""

    config: int
    score: float  # mean of the objective over seeds; NaN where a seed diverged or is missing
    error: float  # its standard error, NaN with one seed
    loss: float  # mean loss on the objective's part: decides among equal scores
    status: str
    why: str
    epochs: float


class Kept:
    """All results of a sweep, without the weights of those that are not among the best."""

    def __init__(self, task: str, objective: Objective, n: int, seeds: int):
        self.objective, self.n, self.seeds = objective, n, seeds
        self.higher = higher_is_better(task, objective.metric)
        self.lanes: dict[tuple[int, int], LaneResult] = {}

    def add(self, results: list[LaneResult]) -> None:
        """Take some lanes' results in; forget the weights that are no longer among the best."""
        self.lanes.update({(r.config, r.seed): r for r in results})
        heavy = [r for r in self.lanes.values() if r.params is not None]
        whole = {r.config for r in heavy if all((r.config, seed) in self.lanes for seed in range(self.seeds))}
        losers = {s.config for s in sorted(map(self.standing, whole), key=self._order)[KEPT:]}
        for r in heavy:
            if r.config in losers:
                self.lanes[r.config, r.seed] = r._replace(params=None, stats=None)

    def standing(self, config: int) -> Standing:
        """A configuration's mean score over the seeds that are there."""
        mine = [self.lanes[config, s] for s in range(self.seeds) if (config, s) in self.lanes]
        part, metric = self.objective
        scores = [math.nan if r.status == "diverged" else r.scores[part][metric] for r in mine]
        losses = [math.nan if r.status == "diverged" else r.scores[part]["loss"] for r in mine]
        status = next((s for s in ("diverged", "stopped") if any(r.status == s for r in mine)), "done")
        whys = [f"seed {r.seed}: {r.why}" if self.seeds > 1 else r.why for r in mine if r.status == status and r.why]
        why = whys[0] if whys else ""
        if not mine:
            status, why = "not run", "the sweep ended before it"
        return Standing(
            config=config,
            score=float(np.mean(scores)) if mine else math.nan,
            error=float(np.std(scores, ddof=1) / math.sqrt(len(scores))) if len(scores) > 1 else math.nan,
            loss=float(np.mean(losses)) if mine else math.nan,
            status=status if len(mine) in (0, self.seeds) else "not run",
            why=why,
            epochs=float(np.mean([r.epochs for r in mine])) if mine else 0.0,
        )

    def ranking(self) -> list[Standing]:
        """All configurations, best first; ties by loss, then by number; diverged and missing ones last."""
        return sorted((self.standing(i) for i in range(self.n)), key=self._order)

    def _order(self, s: Standing) -> Any:
        bad = not math.isfinite(s.score) or s.status in ("diverged", "not run")
        score = 0.0 if bad else (-s.score if self.higher else s.score)
        return bad, score, s.loss if math.isfinite(s.loss) else math.inf, s.config
