"""A chunk: up to C configurations of one structure and one seed, from their first step to their last."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from fnopt._types import Batch, Params, Stats
from fnopt.sweep.lanes import advance, begin, finish, stack
from fnopt.sweep.merge import Program
from fnopt.train import LENGTH, EarlyStopping, Keys, Lane, Objective, Part, Records, active, batches_per_epoch, keys_of


class Work(NamedTuple):
    """What every chunk of a sweep has in common."""

    train: Part
    dev: Part | None
    example: Batch
    objective: Objective
    rule: EarlyStopping | None
    epochs: int
    key: chex.PRNGKey  # that the seeds come from


class Chunk(NamedTuple):
    """Lanes that share a program, the data order and all draws."""

    program: Program
    width: int  # C
    seed: int
    configs: tuple[int, ...]  # at most C of them
    numbers: tuple[dict[str, Any], ...]  # the numbers of each


class LaneResult(NamedTuple):
    """One configuration under one seed, as plain arrays on the host."""

    config: int
    seed: int
    history: dict[str, Any]  # "train" and "dev": {score: one value an epoch}; "cost", "lr"
    scores: dict[str, dict[str, float]]  # at the weights that count
    epochs: int  # epochs trained
    best: int  # the epoch whose weights count, from 0
    status: str  # "done", "stopped" or "diverged"
    why: str
    digest: str  # of the weights that count
    params: Params
    stats: Stats


def seed_key(key: chex.PRNGKey, seed: int) -> chex.PRNGKey:
    """The key of one seed: all that its lanes draw comes from it."""
    return jax.random.fold_in(key, seed)


def run_chunk(
    work: Work, chunk: Chunk, tick: Callable[[int], bool] = lambda epochs: True
) -> tuple[list[LaneResult], Lane] | None:
    """Train a chunk to its end: its lanes' results, and the lanes themselves.

    ``tick`` hears how many lane-epochs are done, between segments; when it answers False the chunk ends with None.
    """
    keys = keys_of(seed_key(work.key, chunk.seed))
    made = train_lanes(work, chunk, begin_lanes(work, chunk, keys), keys, 0, work.epochs, tick)
    if made is None:
        return None
    lanes, seen = made
    return results_of(work, chunk, lanes, seen), lanes


def train_lanes(
    work: Work, chunk: Chunk, lanes: Lane, keys: Keys, first: int, epochs: int, tick: Callable[[int], bool]
) -> tuple[Lane, Records] | None:
    """``epochs`` more from epoch ``first``, segment by segment; ends early when no lane trains any more."""
    done, records = 0, []
    for count in segments(epochs):
        lanes, seen = continue_lanes(work, chunk, lanes, keys, first + done, count)
        records.append(jax.tree.map(lambda a, n=count: np.asarray(a)[:, :n], seen))
        done += count
        over = work.rule is not None and not np.asarray(active_lanes(lanes)).any()
        if not tick((epochs - done + count if over else count) * len(chunk.configs)):
            return None
        if over:
            break
    return lanes, jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *records)


def begin_lanes(work: Work, chunk: Chunk, keys: Keys, weights: tuple[Params, Stats] | None = None) -> Lane:
    """The chunk's lanes before their first step, filled up to C with copies of the first."""
    hyper = stack(list(chunk.numbers), chunk.width)
    which = jnp.asarray(chunk.program.which, jnp.int32)
    return begin(keys.init, work.example, hyper, work.rule, which, weights, trial=chunk.program.trial)


def results_of(work: Work, chunk: Chunk, lanes: Lane, seen: Records) -> list[LaneResult]:
    """What each configuration of a chunk came to, after all its epochs; ``seen`` holds them all."""
    weights = jax.device_get(finish(lanes, jnp.asarray(chunk.program.which, jnp.int32), trial=chunk.program.trial))
    host = jax.device_get(lanes._replace(state=None, stats=None))
    return [lane_result(work, chunk, i, host, seen, weights) for i in range(len(chunk.configs))]


def continue_lanes(work: Work, chunk: Chunk, lanes: Lane, keys: Keys, first: int, count: int) -> tuple[Lane, Records]:
    """``count`` more epochs from epoch ``first``, waited for."""
    trial, which, batch_size = chunk.program
    choices = [jnp.asarray(k, jnp.int32) for k in (first, count, which)]
    size = None if batch_size is None else jnp.asarray(batch_size, jnp.int32)
    return jax.block_until_ready(
        advance(lanes, work.train, work.dev, keys, *choices, size, trial=trial, objective=work.objective)
    )


def segments(epochs: int) -> list[int]:
    """Epochs of each segment: short ones first, so that progress shows early, then as long as they go.

    >>> segments(30)
    [2, 8, 20]
    """
    lengths, size = [], 2
    while epochs > 0:
        lengths.append(min(size, epochs, LENGTH))
        epochs -= lengths[-1]
        size *= 4
    return lengths


@jax.jit
def active_lanes(lanes: Lane) -> Any:
    """Which lanes still train."""
    return jax.vmap(active)(lanes)


def lane_result(
    work: Work, chunk: Chunk, place: int, lanes: Lane, seen: Records, weights: tuple[Params, Stats]
) -> LaneResult:
    """What one lane of a chunk came to; ``seen`` holds all its epochs, ``lanes`` and ``weights`` are on the host."""
    epochs, status, why = seen.cost.shape[1], "done", ""
    best = epochs - 1
    failed = int(lanes.fault.step[place])
    per_epoch = batches_per_epoch(work.train.rows, chunk.program.batch_size or chunk.program.trial.batch_size)
    if lanes.patience is not None:
        memory = lanes.patience.memory
        best, waited = int(memory.epoch[place]), int(memory.waited[place])
        if waited > 0 and waited >= float(np.asarray(lanes.patience.rule.patience)[place]):
            epochs, status = int(memory.seen[place]), "stopped"
            why = f"no improvement for {waited} epochs"
    if failed >= 0:
        epochs = min(epochs, failed // per_epoch + 1)
        best, status = min(best, epochs - 1), "diverged"
        last = float(lanes.fault.last[place])
        before = f"{last:g} before" if np.isfinite(last) else "the first"
        why = f"not finite at step {failed} (cost {lanes.fault.cost[place]:g}, {before})"
    if best < 0:  # the objective was never a number: the last weights are kept
        best = epochs - 1
    names = ("loss", *chunk.program.trial.metrics)
    history = {
        part: {name: np.asarray(values[place, :epochs, k]) for k, name in enumerate(names)}
        for part, values in (("train", seen.train), ("dev", seen.dev))
        if values is not None
    }
    params, stats = jax.tree.map(lambda a: np.asarray(a)[place], weights)
    return LaneResult(
        config=chunk.configs[place],
        seed=chunk.seed,
        history={**history, "cost": seen.cost[place, :epochs], "lr": seen.lr[place, :epochs]},
        scores={part: {name: float(values[best]) for name, values in rows.items()} for part, rows in history.items()},
        epochs=epochs,
        best=best,
        status=status,
        why=why,
        digest=digest(params, stats),
        params=params,
        stats=stats,
    )


def digest(*trees: Any) -> str:
    """SHA-256 over the bytes, shapes and types of all leaves, in order."""
    sha = hashlib.sha256()
    for leaf in jax.tree.leaves(trees):
        a = np.ascontiguousarray(leaf)
        sha.update(f"{a.dtype.name}{a.shape}".encode())
        sha.update(a.tobytes())
    return sha.hexdigest()
