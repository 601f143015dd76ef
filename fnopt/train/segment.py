"""A segment: some epochs of one lane, as one pure function with a traced trip count."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from fnopt import tree
from fnopt._types import Batch, Trial
from fnopt.numbers import resolve
from fnopt.schedules import follow, follows
from fnopt.train.early_stopping import look
from fnopt.train.evaluate import evaluate, evaluate_both
from fnopt.train.lane import Fault, Keys, Lane, Patience, active
from fnopt.train.order import LENGTH
from fnopt.train.part import BLOCK, Part
from fnopt.train.scores import higher_is_better
from fnopt.train.step import Gradient, attempt, gradient, gradient_in_parts, kept, look_at


class Objective(NamedTuple):
    """The score that decides, as ``part/metric``; hashable, for it is part of a program with early stopping."""

    part: str
    metric: str


CURVES = ("cost", "lr", "updates")
"""What a segment records of each epoch beside the scores."""


class When(NamedTuple):
    """Which epochs score the training part, which costs a forward pass over it; the dev part is scored after each."""

    every: Any  # shape=(), int32; each so many epochs; 0: never in between
    last: Any  # shape=(), int32; and after this many in all, where the training ends; 0: not this time


class Records(NamedTuple):
    """What a segment saw, one row an epoch; rows past its end hold NaN."""

    train: Any  # shape=(LENGTH, 1 + metrics): loss, then the trial's metrics, dropout off; NaN where not scored
    dev: Any
    cost: Any  # shape=(LENGTH,): mean training cost over the epoch's batches, penalty and dropout included
    lr: Any  # shape=(LENGTH,): the learning rate at the epoch's last update
    updates: Any  # shape=(LENGTH,): what the optimizer had made by the epoch's end, which its schedules count


def segment(
    trial: Trial,
    objective: Objective,
    lane: Lane,
    train: Part,
    dev: Part | None,
    keys: Keys,
    orders: Array,
    first: Array,
    count: Array,
    when: When,
    batch_size: Array | None = None,
) -> tuple[Lane, Records]:
    """Epochs ``first`` to ``first + count`` of one lane (counted from 0, at most LENGTH); scores after each.

    ``orders`` is the table that holds them, see ``epoch_orders``; it begins at a multiple of its length.
    Nothing but ``lane`` belongs to one configuration, so a vmap over it alone gathers each batch and draws each mask
    once for all lanes. A traced ``batch_size`` is taken in parts of the trial's own, of a block at most.
    """
    width = 1 + len(trial.metrics)
    empty = jnp.full((LENGTH, width), jnp.nan, jnp.result_type(float))
    records = Records(
        train=empty, dev=None if dev is None else empty, cost=empty[:, 0], lr=empty[:, 0], updates=empty[:, 0]
    )

    def one_epoch(i: Array, carry: tuple[Lane, Records]) -> tuple[Lane, Records]:
        lane, records = carry
        epoch = first + i
        lane, cost = run_epoch(
            trial,
            lane,
            train,
            keys,
            orders[jax.lax.rem(epoch, jnp.asarray(orders.shape[0], epoch.dtype))],
            epoch,
            batch_size,
        )
        numbers = resolve(lane.numbers, lane.state.step)
        weights = trial.optimizer.readout(lane.state), lane.stats
        age = epoch + 1
        due = (age == when.last) | ((when.every > 0) & (jax.lax.rem(age, jnp.maximum(when.every, 1)) == 0))
        if dev is None:
            nothing = jnp.full((width,), jnp.nan, empty.dtype)
            on_train = jax.lax.cond(due, lambda: evaluate(trial, *weights, numbers, train), lambda: nothing)
            on_dev = None
        else:
            on_train, on_dev = evaluate_both(trial, *weights, numbers, train, dev, due)
        watched = on_train if objective.part == "train" or on_dev is None else on_dev
        lane = _watch(trial, objective, lane, watched, epoch)
        made = trial.optimizer.clock(lane.state)
        last = jnp.maximum(made - 1, 0)
        seen = Records(on_train, on_dev, cost, resolve(lane.state.hyper, last).lr, made)
        return _follow(trial, objective, lane, watched), tree.put(records, seen, i)

    return jax.lax.fori_loop(0, count, one_epoch, (lane, records))


def run_epoch(
    trial: Trial, lane: Lane, train: Part, keys: Keys, order: Array, epoch: Array, batch_size: Array | None = None
) -> tuple[Lane, Array]:
    """One pass of mini-batches, the short last one with its true size; the size-weighted mean cost.

    A lane that is over, or that turns out not to be finite, keeps the state from before the epoch. Asking once an epoch
    and not at every step makes a small network's step half as dear.
    """

    def one_batch(i: Array, carry: tuple[Lane, Array, Fault]) -> tuple[Lane, Array, Fault]:
        lane, total, seen = carry
        numbers = resolve(lane.numbers, lane.state.step)
        at, rows = gradient_at(trial, lane, numbers, train, keys, order, epoch, i, batch_size)
        new = lane._replace(state=attempt(trial, lane, numbers, at), stats=at.stats)
        cost = at.cost.astype(total.dtype)
        return new, total + cost * rows.astype(total.dtype), look_at(seen, cost, lane.state.step)

    zero = jnp.zeros((), jnp.result_type(float))
    _, batches = sizes(trial, train, batch_size)
    new, total, seen = jax.lax.fori_loop(0, batches, one_batch, (lane, zero, lane.fault))
    return kept(lane, new, seen), total / train.rows.astype(total.dtype)


def sizes(trial: Trial, train: Part, batch_size: Array | None) -> tuple[Array, Array]:
    """Examples of a batch, and batches of an epoch."""
    piece = min(trial.batch_size, train.x.shape[0])
    size = jnp.minimum(piece if batch_size is None else batch_size, train.rows)
    return size, _pieces(train.rows, size)


def _pieces(rows: Array, size: Array | int) -> Array:
    """In how many pieces of ``size`` so many rows come; a plain quotient, since ``//`` looks at signs besides."""
    size = jnp.asarray(size, rows.dtype)
    return jax.lax.div(rows + size - 1, size)


def gradient_at(
    trial: Trial,
    lane: Lane,
    numbers: dict[str, Array],
    train: Part,
    keys: Keys,
    order: Array,
    epoch: Array,
    i: Array,
    batch_size: Any,
    *,
    unrolled: bool = False,
) -> tuple[Gradient, Array]:
    """The gradient at batch ``i`` of an epoch, and how many examples that batch has.

    A batch of more than a block is taken in blocks, so that its bits do not depend on the number of cores; but not
    where the loss or the optimizer looks at a batch as one. ``unrolled``, with a ``batch_size`` that is not traced,
    their number is that of a whole batch, for a traced one has no derivative in reverse mode; those past the end of a
    short batch are empty.
    """
    room = train.x.shape[0]
    size, batches = sizes(trial, train, batch_size)
    piece = min(trial.batch_size, room)
    blocks = trial.splits and not trial.optimizer.wants_objective
    in_parts = batch_size is not None or (blocks and piece > BLOCK)
    if blocks:
        piece = min(piece, BLOCK)
    places = jnp.arange(piece, dtype=jnp.int32)

    def take(begin: Array, end: Array) -> Batch:
        """The examples at these places of the order; a place past the end holds some row and does not count."""
        at = begin + places
        rows = order[jnp.minimum(at, room - 1)]
        return Batch(x=train.x[rows], y=train.y[rows], weight=train.pull[rows] * (at < end).astype(train.pull.dtype))

    begin = i * size
    end = jnp.minimum(begin + size, train.rows)
    noise = jax.random.fold_in(keys.noise, epoch * batches + i)
    if not in_parts:
        return gradient(trial, lane, numbers, take(begin, end), end - begin, noise), end - begin
    whole = trial.batch_size if batch_size is None else batch_size
    parts = -(-min(whole, room) // piece) if unrolled else _pieces(end - begin, piece)
    piecewise = partial(gradient_in_parts, trial, lane, numbers)
    return piecewise(lambda j: take(begin + j * piece, end), parts, end - begin, noise), end - begin


def _watch(trial: Trial, objective: Objective, lane: Lane, scores: Array, epoch: Array) -> Lane:
    """Show the epoch's score to early stopping, and keep the weights where they are the best so far."""
    if lane.patience is None:
        return lane
    rule, memory, params, stats = lane.patience
    going = active(lane)
    seen, improved = look(rule, memory, _score(trial, objective, scores), -scores[0], epoch)
    current = trial.optimizer.readout(lane.state), lane.stats
    best = tree.where(going & improved, current, (params, stats))
    return lane._replace(patience=Patience(rule, tree.where(going, seen, memory), *best))


def _follow(trial: Trial, objective: Objective, lane: Lane, scores: Array) -> Lane:
    """Show the epoch's score to the numbers that look at it, where there are any and the lane still trains."""
    numbers = lane.state.hyper, lane.numbers
    if not follows(numbers):
        return lane
    new = follow(numbers, _score(trial, objective, scores))
    hyper, own = tree.where(active(lane), new, numbers)
    return lane._replace(state=lane.state._replace(hyper=hyper), numbers=own)


def _score(trial: Trial, objective: Objective, scores: Array) -> Array:
    """The objective's score, better when higher."""
    sign = 1.0 if higher_is_better(trial.task, objective.metric) else -1.0
    return sign * scores[0 if objective.metric == "loss" else 1 + trial.metrics.index(objective.metric)]
