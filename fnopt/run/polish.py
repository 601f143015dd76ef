"""Polishing: the best configurations of a sweep, moved along the hypergradient of their dev loss."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fnopt._checks import nearest, real, whole
from fnopt.model import Prepared
from fnopt.run.hypergrad import Problem, loss_at, own_numbers, slope
from fnopt.run.run import watch_of
from fnopt.run.setup import bind
from fnopt.space import Distribution
from fnopt.space.epochs import NAME
from fnopt.space.path import Path, leaves
from fnopt.space.stopping import STOP
from fnopt.sweep.chunk import run_draws
from fnopt.sweep.drive import Watch
from fnopt.sweep.population import Population
from fnopt.train import batches_per_epoch

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

TRIES = 4  # step lengths tried along one gradient, each a third of the last
GROWTH = 2.0  # of the step length after a success


@dataclass(frozen=True)
class Polish:
    """One configuration before and after."""

    config: int
    before: float  # dev loss, mean over seeds and folds
    after: float
    old: dict[str, float]  # the numbers that were moved
    new: dict[str, float]
    hyper: dict[str, Any]  # structure and numbers after, as ``fit`` takes them
    trainings: int  # runs without a derivative
    gradients: int  # runs with one, about four times as dear
    why: str  # why it ended

    @property
    def improved(self) -> bool:
        """Whether the dev loss is lower than before."""
        return self.after < self.before


@dataclass(frozen=True)
class Polished:
    """What :meth:`Sweep.polish` came to; printed, a table."""

    rows: tuple[Polish, ...]
    seconds: float

    @property
    def improved(self) -> int:
        """How many configurations are better than before."""
        return sum(row.improved for row in self.rows)

    @property
    def best(self) -> Polish:
        """The row of the lowest dev loss after; its ``hyper`` is for ``fit``."""
        return min(self.rows, key=lambda row: row.after)

    @property
    def cost(self) -> dict[str, float]:
        """Runs without and with a derivative, and seconds in all."""
        trainings, gradients = (sum(getattr(row, name) for row in self.rows) for name in ("trainings", "gradients"))
        return {"trainings": trainings, "gradients": gradients, "seconds": self.seconds}

    def table(self) -> list[dict[str, Any]]:
        """One dict a configuration: ``config``, ``before``, ``after``, each number's old and new value, ``why``."""
        names = list(dict.fromkeys(name for row in self.rows for name in row.old))
        return [
            {
                "config": row.config,
                "before": row.before,
                "after": row.after,
                **{k: v for n in names for k, v in ((n, row.old.get(n)), (f"{n} after", row.new.get(n)))},
                "why": row.why,
            }
            for row in self.rows
        ]

    def __str__(self) -> str:
        rows = self.table()
        cells = [list(rows[0]), *([_text(v) for v in row.values()] for row in rows)]
        widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
        body = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells]
        cost = self.cost
        head = f"dev loss of {self.improved} of {len(self.rows)} configurations improved"
        tail = f"{cost['trainings']:.0f} trainings, {cost['gradients']:.0f} with derivatives, {self.seconds:.0f} s"
        return "\n".join([head, *body, tail])


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def polish(
    sweep: "Sweep", k: int, *, steps: int, numbers: str | Sequence[str] | None, first: float, progress: bool | Watch
) -> Polished:
    """See :meth:`fnopt.run.sweep.Sweep.polish`."""
    k, steps = whole("k", k), whole("steps", steps)
    first = real("first", first, "in (0, 1], a share of each range", lambda x: 0 < x <= 1)
    if isinstance(sweep.stop, Population):
        raise ValueError(
            "polish moves numbers that stay the same over the training, and population() changes them meanwhile: "
            "polish a sweep without it"
        )
    if any(data.dev is None for data in sweep.work.folds):
        raise ValueError("polish lowers the loss on a dev part, and this sweep has none: sweep with `dev`, or folds")
    ranges = {sweep.space.labels[path]: path for path, x in sweep.space.drawn.items() if _moves(path, x)}
    numbers = (numbers,) if isinstance(numbers, str) else numbers
    for name in numbers or ():
        if name not in ranges:
            raise ValueError(f"{name!r} is no range of this sweep{nearest(name, ranges)}")
    chosen = {path: sweep.space.drawn[path] for n, path in ranges.items() if numbers is None or n in numbers}
    if not chosen:
        raise ValueError("this sweep searched no range of numbers (uniform, log_uniform, …): there is nothing to move")
    best = [s.config for s in sweep.ranking()[:k] if s.ranked and s.status not in ("diverged", "not run")]
    watch, begun, rows = watch_of(progress), time.perf_counter(), []
    watch.start(len(best), len(best) * steps)
    for config in best:
        rows.append(_polished(sweep, config, chosen, steps, first, watch))
        watch.done(sweep.lanes(config)[:1])
    return Polished(tuple(rows), time.perf_counter() - begun)


class _Objective:
    """The mean dev loss of a configuration over its seeds and folds, as a function of some of its numbers."""

    def __init__(self, sweep: "Sweep", config: int, chosen: Mapping[Path, Any]):
        self.problems = list(_problems(sweep, config))
        known = [path for path, _ in leaves(self.problems[0].numbers)]
        drew, place = sweep.space.values_of(sweep.configs[config]), sweep.space.places
        self.paths = [path for path in chosen if path in drew and place[path] in known]
        self.places = [known.index(place[path]) for path in self.paths]
        self.trainings = self.gradients = 0

    def start(self) -> np.ndarray:
        """The numbers as the sweep had them."""
        leaves = jax.tree.leaves(self.problems[0].numbers)
        return np.array([float(leaves[i]) for i in self.places])

    def _at(self, values: np.ndarray) -> list[Problem]:
        moved = []
        for problem in self.problems:
            leaves = jax.tree.leaves(problem.numbers)
            for i, value in zip(self.places, values, strict=True):
                leaves[i] = value
            moved.append(problem.at(leaves))
        return moved

    def loss(self, values: np.ndarray) -> float:
        """One training for each seed and fold."""
        self.trainings += len(self.problems)
        return float(np.mean([float(loss_at(problem)) for problem in self._at(values)]))

    def slope(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss, and its derivative with respect to each number."""
        self.gradients += len(self.problems)
        found = [slope(problem, self.places) for problem in self._at(values)]
        names = [self.problems[0].names[i] for i in self.places]
        each = [[float(f.derivatives[name]) for name in names] for f in found]
        return float(np.mean([float(f.loss) for f in found])), np.mean(each, axis=0)


def _problems(sweep: "Sweep", config: int) -> Any:
    """The run of each seed and fold, for the epochs that counted."""
    epochs = _epochs(sweep, config)
    for seed, fold in sweep.kept.replicas:
        data, frame = sweep.work.folds[fold], sweep.frames[fold]
        prepared = Prepared(frame, data.train, data.dev, data.example, int(np.prod(frame.shape)))
        trial, given, _, _ = bind(sweep.model, sweep.configs[config], prepared, ())
        batches = batches_per_epoch(int(data.train.rows), trial.batch_size, trial.batch)
        numbers = own_numbers(trial, given, batches)
        program = sweep.entries[config].program
        if program.batch_size is not None:  # the sweep took a batch in these parts, each with draws of its own
            trial = replace(trial, batch_size=program.trial.batch_size)
        assert data.dev is not None
        parts = (data.example, data.train, data.dev)
        keys = run_draws(sweep.work, trial, seed, fold).keys
        yield Problem(trial, numbers, parts, keys, epochs * batches, batches, program.batch_size)


def _moves(path: Path, space: Any) -> bool:
    """Whether it is a range whose numbers have a derivative."""
    return isinstance(space, Distribution) and not space.whole and path[0] != STOP


def _epochs(sweep: "Sweep", config: int) -> int:
    """The epochs that counted, the mean over seeds and folds."""
    return max(round(float(np.mean([lane.best + 1 for lane in sweep.kept.of(config)]))), 1)


def _polished(
    sweep: "Sweep", config: int, chosen: Mapping[Path, Any], steps: int, first: float, watch: Watch
) -> Polish:
    """Steps down the gradient in the coordinates, the longest first; only what lowers the loss is taken."""
    objective = _Objective(sweep, config, chosen)
    ways = [chosen[path] for path in objective.paths]
    here = start = objective.start()
    length, why = first, f"{steps} steps"
    loss, slopes = objective.slope(here)
    before = loss
    for step in range(steps):
        watch.tick(1)
        g = slopes * np.array([way.slope(x) for way, x in zip(ways, here, strict=True)])
        if not (np.isfinite(g).all() and math.isfinite(loss) and g.any()):
            why = "no finite derivative" if not np.isfinite(g).all() else "derivative 0"
            break
        found = _line(objective.loss, ways, here, loss, g / np.abs(g).max(), length)
        if found is None:
            why = "no step was better"
            break
        here, loss, length = found[0], found[1], min(GROWTH * found[2], first)
        if step + 1 < steps:
            _, slopes = objective.slope(here)
    hyper = sweep.space.changed(sweep.configs[config], dict(zip(objective.paths, here.tolist(), strict=True)))
    hyper |= {NAME: _epochs(sweep, config)} if NAME in hyper else {}
    names = [sweep.space.labels[path] for path in objective.paths]
    old, new = (dict(zip(names, values.tolist(), strict=True)) for values in (start, here))
    return Polish(config, before, loss, old, new, hyper, objective.trainings, objective.gradients, why)


def _line(
    loss_of: Callable[[np.ndarray], float],
    ways: list[Distribution],
    here: np.ndarray,
    loss: float,
    d: np.ndarray,
    length: float,
) -> tuple[np.ndarray, float, float] | None:
    """The first of ever shorter steps along −d that lowers the loss: where, the loss there, how long; or None."""
    for _ in range(TRIES):
        there = np.array([way.from_unit(way.to_unit(x) - length * g) for way, x, g in zip(ways, here, d, strict=True)])
        new = loss_of(there)
        if new < loss:
            return there, new, length
        length /= 3
    return None
