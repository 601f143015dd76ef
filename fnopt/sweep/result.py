"""What a lane came to: curves, scores, why it ended, and the weights that count."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from fnopt._types import Params, Stats, parameters
from fnopt.optim.family import Family
from fnopt.sweep.chunk import Place, Work
from fnopt.sweep.lanes import finish
from fnopt.sweep.lineage import Lineage, founder_of
from fnopt.sweep.merge import Program
from fnopt.train import CURVES, Lane, batches_per_epoch, in_unit, last_cost, reported, stopped


class LaneResult(NamedTuple):
    """One configuration under one seed and fold, as plain arrays on the host."""

    config: int
    seed: int
    fold: int
    history: dict[
        str, Any
    ]  # "train" and "dev": {score: one value an epoch, in the user's unit}; "cost", "lr", "updates"
    scores: dict[str, dict[str, float]]  # at the weights that count
    epochs: int  # epochs trained
    best: int  # the epoch whose weights count, from 0; -1 for those before the first
    status: str  # "done", "stopped", "pruned" or "diverged"
    why: str
    digest: str  # of the weights that count
    params: Any  # pytree of arrays; None where they are not kept
    stats: Any
    lineage: Lineage = ()  # whom it descends from, in a population

    @property
    def founder(self) -> int:
        """The configuration whose structure it has: its own, but in a population."""
        return founder_of(self.config, self.lineage)


Trim = Callable[[Params, Stats], tuple[Params, Stats]]


def result_of(work: Work, program: Program, place: Place, pruned: str = "", trim: Trim | None = None) -> LaneResult:
    """The result of a lane that has ended.

    ``pruned`` is why, where a rule ended it; ``trim`` cuts the weights to their true width, where they were padded.
    """
    assert place.lane is not None and place.seen is not None
    lane, seen = place.lane, place.seen
    epochs, status, why = len(seen.cost), ("pruned" if pruned else "done"), pruned
    best, failed = -1, int(lane.fault.step)
    if lane.patience is not None:
        memory = lane.patience.memory
        best = int(memory.epoch)
        if stopped(lane.patience.rule, memory):
            epochs, status = int(memory.seen), "stopped"
            why = f"no improvement for {int(memory.waited)} epochs"
    if failed >= 0:
        rows = int(work.folds[place.fold].train.rows)
        size = program.batch_size or program.trial.batch_size
        epochs = min(epochs, failed // batches_per_epoch(rows, size, program.trial.batch) + 1)
        best, status, why = min(best, epochs - 1), "diverged", fault_of(lane, failed)
    if best < 0:  # no early stopping, or its objective was never a number: the last weights, of the last whole epoch
        best = epochs - 1 - (failed >= 0)
    scores = reported(program.trial)
    parts = {"train": seen.train} if seen.dev is None else {"train": seen.train, "dev": seen.dev}
    rows = {part: in_unit(scores, values[:epochs], work.unit) for part, values in parts.items()}
    history = {part: {score.name: values[:, k] for k, score in enumerate(scores)} for part, values in rows.items()}
    params, stats = _weights(program, lane)
    if trim is not None:
        params, stats = trim(params, stats)
    return LaneResult(
        config=place.config,
        seed=place.seed,
        fold=place.fold,
        history={**history, **{name: getattr(seen, name)[:epochs] for name in CURVES}},
        scores={p: {name: float(v[max(best, 0)]) for name, v in rows.items()} for p, rows in history.items()},
        epochs=epochs,
        best=best,
        status=status,
        why=why,
        digest=digest(params, stats),
        params=params,
        stats=stats,
        lineage=place.lineage,
    )


def fault_of(lane: Lane, step: int) -> str:
    """Where a lane stopped being finite, in words: the update, its cost and the cost before."""
    last = last_cost(lane.fault)
    before = f"{last:g} before" if np.isfinite(last) else "the first"
    return f"not finite at step {step} (cost {float(lane.fault.cost):g}, {before})"


def _weights(program: Program, lane: Lane) -> tuple[Params, Stats]:
    """The best seen under early stopping, else what the optimizer would have evaluated."""
    optimizer = program.trial.optimizer
    if not isinstance(optimizer, Family) and optimizer.readout is not parameters:
        return jax.device_get(finish(lane, np.int32(program.which), trial=program.trial))
    if lane.patience is not None and int(lane.patience.memory.epoch) >= 0:
        return lane.patience.params, lane.patience.stats
    return lane.state.params, lane.stats


def digest(*trees: Any) -> str:
    """SHA-256 over the bytes, shapes and types of all leaves, in order."""
    sha = hashlib.sha256()
    for leaf in jax.tree.leaves(trees):
        a = np.ascontiguousarray(leaf)
        if a.dtype.byteorder == ">":
            a = a.astype(a.dtype.newbyteorder("<"))  # else its numbers, read in the other order, had the same digest
        sha.update(f"{a.dtype.name}{a.shape}".encode())
        sha.update(a.tobytes())
    return sha.hexdigest()
