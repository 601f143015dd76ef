"""Training a configuration again on all data: the updates of the tuned run, and over them the same schedules."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from fnopt._types import Dataset, Schedule, Trial, updates
from fnopt.run.course import over_epochs
from fnopt.run.fit import fit
from fnopt.run.lineage import over_time
from fnopt.run.run import Run
from fnopt.run.setup import fields_of, joined, updates_of
from fnopt.schedules import Clipped, Every, Plateau, Scaled, Stretched, Then, Warmed, filled, piecewise
from fnopt.space.stopping import STOP
from fnopt.sweep.result import LaneResult
from fnopt.train import batches_per_epoch, in_unit

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep


class Lengths(NamedTuple):
    """How long the tuned run was and the new one is, in what its schedules count."""

    batches: int  # of the tuned run's epochs
    steps: int  # batches of the tuned run, up to the weights that count
    updates: int  # of its optimizer; fewer than batches where it accumulates
    again: int  # batches of the new run


def refit(sweep: "Sweep", parts: tuple[Dataset, ...], *, config: int | None, key: Any, progress: Any) -> Run:
    """See ``Sweep.refit``."""
    config = sweep.best.config if config is None else config
    if not 0 <= config < sweep.n:
        raise ValueError(f"this sweep has configurations 0 to {sweep.n - 1}, got config={config}")
    lanes = sweep.kept.of(config)
    if not lanes:
        raise ValueError(f"configuration {config} was not trained, so there is no length to train it for again")
    data = joined(*(parts or (sweep.train, sweep.dev)))
    trial = sweep.trials[lanes[0].founder]
    each = [batches_per_epoch(int(fold.train.rows), trial.batch_size) for fold in sweep.work.folds]
    steps = max(round(float(np.mean([max(r.best + 1, 1) * each[r.fold] for r in lanes]))), 1)
    batches = batches_per_epoch(len(data), trial.batch_size)
    epochs = max(round(steps / batches), 1)
    first = lanes[0]
    made = first.history["updates"][min(max(first.best, 0), len(first.history["updates"]) - 1)]
    alone = max(first.best + 1, 1) * each[first.fold]  # a mean over lanes where there are several: ``steps``
    lengths = Lengths(each[first.fold], steps, max(round(float(made) * steps / alone), 1), epochs * batches)
    tuned = {name: x for name, x in over_time(sweep, config).items() if name != STOP}  # the length is known
    hyper = stretched(tuned, trial, lengths, _scores(sweep, first))
    key = jax.random.fold_in(sweep.work.key, 0) if key is None else key
    return fit(sweep.model, data, hyper=hyper, epochs=epochs, key=key, progress=progress)


def stretched(hyper: Mapping[str, Any], trial: Trial, lengths: Lengths, scores: Any) -> dict[str, Any]:
    """A configuration whose schedules have, over the updates of the new run, the course that they had in the tuned one.

    The first update of the one has the numbers of the first of the other, the last those of the last. A plateau is the
    fixed course that it took under ``scores`` (one an epoch, better when higher): there may be no dev part to look at.
    """
    plain = {name: x for name, x in hyper.items() if not _has_schedule(x)}
    per_update = updates_of(trial, plain, lengths.batches)
    again = lengths.again
    if trial.optimizer.clock is not updates:
        again = max(int(lengths.again * per_update / lengths.batches), 1)

    def one(name: str, value: Any) -> Any:
        own = name not in fields_of(trial)
        per = lengths.batches if own else per_update
        tuned, new = (lengths.steps, lengths.again) if own else (lengths.updates, again)
        ages = per * np.arange(len(scores))

        def change(x: Any) -> Any:
            return _over(_settled(filled(x, per), scores, ages), tuned, new) if callable(x) else x

        return jax.tree.map(change, value, is_leaf=callable) if _has_schedule(value) else value

    return {name: one(name, value) for name, value in hyper.items()}


def _over(schedule: Schedule, tuned: int, new: int) -> Any:
    """The schedule's course over ``tuned`` steps as one over ``new``, both ends where they were."""
    if tuned == new:
        return schedule
    return float(schedule(0)) if min(tuned, new) == 1 else Stretched(schedule, (new - 1) / (tuned - 1)).checked()


def _settled(x: Any, scores: Any, ages: Any) -> Any:
    """A schedule with every plateau in it as the fixed values that it took.

    Args:
        x: a schedule that knows the length of an epoch, or a number.
        scores: shape=(epochs,), what a plateau saw after each, better when higher.
        ages: shape=(epochs,), the first step of each epoch in the time that ``x`` is called with.
    """
    if isinstance(x, Plateau):
        scales = over_epochs({"scale": replace(x.begin(), value=1.0)}, np.arange(1, len(scores) + 1), scores)["scale"]
        changes = np.flatnonzero(np.diff(scales)) + 1
        values = tuple(float(scales[k]) for k in (0, *changes))
        course = piecewise(tuple(float(max(ages[k], 0)) for k in changes), values)
        return Scaled(_settled(x.value, scores, ages), course).checked()
    if isinstance(x, Every):
        return replace(x, schedule=_settled(x.schedule, scores, ages / np.asarray(x.steps_per_epoch)))
    if isinstance(x, Then):
        second = _settled(x.second, scores, ages - np.asarray(x.after))
        return replace(x, first=_settled(x.first, scores, ages), second=second)
    if isinstance(x, Warmed):
        return replace(x, schedule=_settled(x.schedule, scores, ages - np.asarray(x.steps)))
    if isinstance(x, Stretched):
        return replace(x, schedule=_settled(x.schedule, scores, ages / np.asarray(x.by)))
    if isinstance(x, Scaled):
        return replace(x, schedule=_settled(x.schedule, scores, ages), by=_settled(x.by, scores, ages))
    return replace(x, schedule=_settled(x.schedule, scores, ages)) if isinstance(x, Clipped) else x


def _has_schedule(value: Any) -> bool:
    return not hasattr(value, "update") and any(callable(x) for x in jax.tree.leaves(value, is_leaf=callable))


def _scores(sweep: "Sweep", lane: LaneResult) -> Any:
    """The objective of a lane, epoch by epoch, better when higher."""
    part, metric = sweep.work.objective
    sign = 1.0 if sweep.work.objective.higher else -1.0
    shown = np.asarray(lane.history[part][metric])[:, None]
    return sign * in_unit((sweep.work.objective.score,), shown, 1 / sweep.work.unit)[:, 0]  # as the lane saw them
