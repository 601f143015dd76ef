"""A sweep: what many configurations came to, and the way back to each of them."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from fnopt._types import Dataset, Trial
from fnopt.model import Frame, Model
from fnopt.run.fit import fit
from fnopt.run.run import Going, Run, as_run
from fnopt.run.setup import joined
from fnopt.sweep.chunk import Chunk, LaneResult, Work, run_chunk, seed_key
from fnopt.sweep.merge import Options
from fnopt.sweep.plan import Plan, fingerprint
from fnopt.sweep.ranking import Kept, Standing
from fnopt.train import keys_of


@dataclass(frozen=True)
class Best:
    """The configuration that came first."""

    config: int
    hyper: dict[str, Any]  # structure and numbers, as ``fit`` takes them
    score: float
    scores: dict[str, dict[str, float]]  # mean over seeds


@dataclass(eq=False)
class Sweep:
    """All configurations of a search, their scores and curves; printed, a leaderboard."""

    model: Model
    train: Dataset = field(repr=False)
    dev: Dataset | None = field(repr=False)
    frame: Frame = field(repr=False)
    work: Work = field(repr=False)
    configs: list[dict[str, Any]] = field(repr=False)
    trials: list[Trial] = field(repr=False)
    chunks: Sequence[Chunk] = field(repr=False)
    options: Options = field(repr=False)
    kept: Kept = field(repr=False)
    seeds: int
    space: Mapping[str, str]
    search: str
    fingerprint: dict[str, str] = field(repr=False)
    plan: Plan | None = None
    finished: bool = False

    @property
    def n(self) -> int:
        """How many configurations."""
        return len(self.configs)

    @property
    def objective(self) -> str:
        """What ranks them, as ``part/score``."""
        return "/".join(self.work.objective)

    def ranking(self) -> list[Standing]:
        """All configurations, best first."""
        return self.kept.ranking()

    @property
    def best(self) -> Best:
        """The first of the ranking, or ValueError where all diverged."""
        first = self.ranking()[0]
        if not math.isfinite(first.score):
            raise ValueError(
                "no configuration came to a finite score; see sweep.table(), and try smaller learning rates"
            )
        return Best(first.config, dict(self.configs[first.config]), first.score, self._means(first.config))

    def _means(self, config: int) -> dict[str, dict[str, float]]:
        lanes = self.lanes(config)
        return {
            part: {name: float(np.mean([r.scores[part][name] for r in lanes])) for name in rows}
            for part, rows in lanes[0].scores.items()
        }

    def lanes(self, config: int) -> list[LaneResult]:
        """What each seed of one configuration came to: curves, scores, why it ended."""
        return [self.kept.lanes[config, s] for s in range(self.seeds) if (config, s) in self.kept.lanes]

    def table(self) -> list[dict[str, Any]]:
        """One dict a configuration, row i being configuration i: what it was, its scores and why it ended.

        A number or structure that a configuration lacks is None. ``score`` is the mean of the objective over seeds,
        ``error`` its standard error.
        """
        columns = list(dict.fromkeys(name for config in self.configs for name in columns_of(config)))
        rows = []
        for i in range(self.n):
            standing, values = self.kept.standing(i), columns_of(self.configs[i])
            scores = self._means(i) if self.lanes(i) else {}
            rows.append(
                {
                    "config": i,
                    **{name: values.get(name) for name in columns},
                    "score": standing.score,
                    "error": standing.error,
                    **{f"{part}/{name}": v for part, some in scores.items() for name, v in some.items()},
                    "epochs": standing.epochs,
                    "status": standing.status,
                    "why": standing.why,
                }
            )
        return rows

    def replay(self, config: int, *, seed: int = 0) -> Run:
        """Configuration ``config`` alone, trained again in the sweep's own kernel: the same bits.

        Raises:
            ValueError: for a configuration or a seed that the sweep does not have.
            RuntimeError: if the bits differ although nothing that they depend on does. Where a field of the fingerprint
                differs, a warning names it.
        """
        if not 0 <= config < self.n or not 0 <= seed < self.seeds:
            raise ValueError(
                f"this sweep has configurations 0 to {self.n - 1} and seeds 0 to {self.seeds - 1}, "
                f"got config={config}, seed={seed}"
            )
        chunk = next(c for c in self.chunks if config in c.configs and c.seed == seed)
        place = chunk.configs.index(config)
        alone = chunk._replace(configs=(config,), numbers=(chunk.numbers[place],))
        made = run_chunk(self.work, alone)
        assert made is not None
        (result,), lanes = made
        self._compare(result)
        trial = self.trials[config]
        keys = keys_of(seed_key(self.work.key, seed))
        hyper = {**self.model.split(self.configs[config])[0], **self.configs[config]}
        return as_run(self.model, self.frame, trial, hyper, Going(self.work, lanes, keys, alone, result))

    def _compare(self, result: LaneResult) -> None:
        recorded = self.kept.lanes.get((result.config, result.seed))
        if recorded is None or recorded.digest == result.digest:
            return
        now = fingerprint()
        other = [f"{k}: {v!r} then, {now.get(k)!r} now" for k, v in self.fingerprint.items() if now.get(k) != v]
        if not other:
            raise RuntimeError(
                f"configuration {result.config}, seed {result.seed} gave other bits than the sweep, on the same "
                "fingerprint: was the data or the model's code changed?"
            )
        warnings.warn(f"other bits than in the sweep, which ran elsewhere ({'; '.join(other)})", stacklevel=3)

    def refit(self, *parts: Dataset, config: int | None = None, key: Any = None, progress: Any = False) -> Run:
        """Train the winner (or ``config``) on all the given data, for the epochs that were best; no dev is left.

        Args:
            parts: datasets to train on together; the sweep's own train and dev where none are given.
            config: another configuration than the best.
            key: what it draws from; seed 0 of the sweep unless given.
        """
        config = self.best.config if config is None else config
        if not 0 <= config < self.n:
            raise ValueError(f"this sweep has configurations 0 to {self.n - 1}, got config={config}")
        data = joined(*(parts or (self.train, self.dev)))
        epochs = max(round(float(np.mean([r.best + 1 for r in self.lanes(config)]))), 1)
        key = seed_key(self.work.key, 0) if key is None else key
        return fit(self.model, data, hyper=self.configs[config], epochs=epochs, key=key, progress=progress)

    def __str__(self) -> str:
        from fnopt.run.leaderboard import leaderboard

        return leaderboard(self)


def columns_of(hyper: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as flat columns: a schedule's or a tuple's numbers by dotted name, structure as it is.

    >>> columns_of({"lr": 0.1, "hidden": (64, 64)})
    {'lr': 0.1, 'hidden': '64-64'}
    """
    columns: dict[str, Any] = {}
    for name, value in hyper.items():
        if name == "hidden" and isinstance(value, tuple):
            columns[name] = "-".join(map(str, value)) or "none"
        elif callable(value) and not hasattr(value, "update"):
            columns[name] = type(value).__name__
            for path, leaf in jax.tree_util.tree_leaves_with_path(value):
                columns[f"{name}.{jax.tree_util.keystr(path, simple=True, separator='.')}"] = float(leaf)
        elif isinstance(value, tuple):
            columns.update({f"{name}.{i}": v for i, v in enumerate(value)})
        else:
            columns[name] = getattr(value, "name", value) if hasattr(value, "update") else value
    return {k: v.item() if isinstance(v, jax.Array | np.generic) else v for k, v in columns.items()}
