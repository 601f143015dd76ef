"""A whole run as one differentiable function of its numbers: weights drawn, k updates, the loss on the dev part.

Reverse mode needs what every update left behind, so updates go in about √k segments of √k: only the lane at the start
of each segment is kept, and a segment is run again when its turn comes. Memory grows with √k, for one more forward run.

Source: Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
differentiation", 1992, https://doi.org/10.1080/10556789208805505; here with one level of it.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Batch, Trial
from fnopt.numbers import resolve
from fnopt.train.evaluate import evaluate
from fnopt.train.lane import Keys, Lane, start
from fnopt.train.order import epoch_order
from fnopt.train.part import Part
from fnopt.train.segment import at_batch, gradient_at
from fnopt.train.step import attempt


def unrolled(
    trial: Trial,
    numbers: Mapping[str, Any],
    example: Batch,
    train: Part,
    dev: Part,
    keys: Keys,
    *,
    steps: int,
    batches: int,
    batch_size: int | None = None,
) -> Array:
    """The mean loss on ``dev`` (without penalty) after ``steps`` updates from the start; differentiable both ways.

    Weights, order and draws are those of a run from ``keys``. What is not finite stays so, for a run that diverged has
    no derivative.

    Args:
        trial: the structure.
        numbers: all numbers of the run by name, schedules filled in; what is differentiated.
        example: a batch of the kind to come.
        train: what to train on.
        dev: what to score on.
        keys: what the run draws from.
        steps: updates, ≥ 1.
        batches: updates an epoch takes.
        batch_size: examples an update, where they are taken in parts of as many as the trial's own has.
    """
    epochs = jnp.arange(-(-steps // batches), dtype=jnp.int32)
    room = train.x.shape[0]
    orders = jax.lax.map(lambda e: epoch_order(keys.order, e, train.rows, room, trial.shuffle), epochs)

    def update(lane: Lane) -> Lane:
        epoch = lane.state.step // batches
        at_step = resolve(lane.numbers, lane.state.step)
        i = lane.state.step - epoch * batches
        here = partial(gradient_at, trial, lane, at_step, train, keys, orders[epoch], epoch, i, batch_size)

        def moved(last: bool) -> Lane:
            at, _ = here(unrolled=True, last=last)
            return lane._replace(state=attempt(trial, lane, at_step, at), stats=at.stats)

        return at_batch(trial, train, i, moved)

    lane = _repeated(update, start(trial, keys.init, example, numbers), steps)
    at_end = resolve(lane.numbers, lane.state.step)
    weights = trial.optimizer.readout(lane.state), lane.stats
    return evaluate(replace(trial, metrics=()), *weights, at_end, dev)[0]


def _repeated(update: Any, lane: Lane, steps: int) -> Lane:
    """``update`` so many times, in segments that forget what is inside them."""
    length = math.isqrt(steps - 1) + 1
    segments = -(-steps // length)

    def one(lane: Lane, step: Array) -> tuple[Lane, None]:
        # The last segment may be shorter: what is past the end is skipped, not computed and masked.
        return jax.lax.cond(step < steps, update, lambda lane: lane, lane), None

    def segment(lane: Lane, first: Array) -> tuple[Lane, None]:
        return jax.lax.scan(one, lane, first + jnp.arange(length, dtype=jnp.int32))

    forgetful = jax.checkpoint(segment, prevent_cse=False)  # a scan keeps its body apart by itself
    return jax.lax.scan(forgetful, lane, length * jnp.arange(segments, dtype=jnp.int32))[0]
