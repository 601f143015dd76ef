"""A segment: some epochs of one lane, as one pure function with a traced trip count."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt._types import Batch, Trial
from fnopt.numbers import resolve
from fnopt.schedules import follow, follows
from fnopt.train.augmented import augmented
from fnopt.train.early_stopping import look
from fnopt.train.evaluate import evaluate, evaluate_both
from fnopt.train.lane import Fault, Keys, Lane, Patience, active
from fnopt.train.objective import Objective
from fnopt.train.order import LENGTH
from fnopt.train.part import BLOCK, Part
from fnopt.train.scores import reported
from fnopt.train.step import Gradient, attempt, gradient, gradient_in_parts, kept, look_at

CURVES = ("cost", "lr", "updates")
"""What a segment records of each epoch beside the scores."""


class When(NamedTuple):
    """Which epochs score the training part, which costs a forward pass over it; the dev part is scored after each."""

    every: Any  # shape=(), int32; each so many epochs; 0: never in between
    last: Any  # shape=(), int32; and after this many in all, where the training ends; 0: not this time


class Records(NamedTuple):
    """What a segment saw, one row an epoch; rows past its end hold 0.

    So do scores that were not taken, within a program: a NaN is a fault there, and whoever debugs wants no other.
    :func:`with_gaps` puts NaN in their places.
    """

    train: Any  # shape=(LENGTH, 1 + metrics): loss, then the trial's metrics, dropout off
    dev: Any
    cost: Any  # shape=(LENGTH,): mean training cost over the epoch's batches, penalty and dropout included
    lr: Any  # shape=(LENGTH,): the learning rate at the epoch's last update
    updates: Any  # shape=(LENGTH,): what the optimizer had made by the epoch's end, which its schedules count


def with_gaps(seen: Records, age: int, count: int, when: When) -> Records:
    """Records on the host, the last axis but one being ``count`` epochs from ``age``; NaN where nothing was scored."""
    host = jax.tree.map(np.asarray, seen)
    ages = age + 1 + np.arange(count)
    due = (ages == when.last) | ((when.every > 0) & (ages % max(int(when.every), 1) == 0))
    train = np.array(host.train)
    train[..., :count, :][..., ~due, :] = np.nan
    return host._replace(train=train)


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
    empty = jnp.zeros((LENGTH, width), jnp.result_type(float))
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
            nothing = jnp.zeros((width,), empty.dtype)
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

    def one_batch(i: Any, carry: tuple[Lane, Array, Fault], last: bool = False) -> tuple[Lane, Array, Fault]:
        lane, total, seen = carry
        numbers = resolve(lane.numbers, lane.state.step)
        at, rows = gradient_at(trial, lane, numbers, train, keys, order, epoch, i, batch_size, last=last)
        new = lane._replace(state=attempt(trial, lane, numbers, at), stats=at.stats)
        cost = at.cost.astype(total.dtype)
        return new, total + cost * rows.astype(total.dtype), look_at(seen, cost, lane.state.step)

    carry = lane, jnp.zeros((), jnp.result_type(float)), lane.fault
    if train.exact is None:
        rows, (_, batches) = train.rows, sizes(trial, train, batch_size)
        new, total, seen = jax.lax.fori_loop(0, batches, one_batch, carry)
    else:
        size, whole, rest = exact_sizes(trial, train)
        rows = train.rows if rest or trial.batch == "short" else jnp.asarray(whole * size, jnp.int32)
        carry = jax.lax.fori_loop(0, jax.lax.div(train.rows, jnp.asarray(size, train.rows.dtype)), one_batch, carry)
        new, total, seen = one_batch(whole, carry, last=True) if rest else carry
    return kept(lane, new, seen), total / rows.astype(total.dtype)


def sizes(trial: Trial, train: Part, batch_size: Array | None) -> tuple[Array, Array]:
    """Examples of a batch, and batches of an epoch."""
    if train.exact is not None:
        size, whole, rest = exact_sizes(trial, train)
        return jnp.asarray(size, jnp.int32), jnp.asarray(whole + (rest > 0), jnp.int32)
    piece = min(trial.batch_size, train.x.shape[0])
    size = jnp.minimum(piece if batch_size is None else batch_size, train.rows)
    return size, _pieces(train.rows, size)


def exact_sizes(trial: Trial, train: Part) -> tuple[int, int, int]:
    """Examples of a batch, whole batches of an epoch, and the examples of one more; 0 where there is none.

    A batch larger than the data is all of them, for "drop" too: else an epoch were empty.
    """
    assert train.exact is not None
    size = min(trial.batch_size, train.exact)
    whole, rest = divmod(train.exact, size)
    return size, whole, 0 if trial.batch == "drop" else rest


def at_batch(trial: Trial, train: Part, i: Array, of: Callable[[bool], Any]) -> Any:
    """``of(last)`` for batch ``i`` of an epoch, ``last`` being whether it has the shape of a last one that is short."""
    _, whole, rest = (0, 0, 0) if train.exact is None else exact_sizes(trial, train)
    return jax.lax.cond(i < whole, lambda: of(False), lambda: of(True)) if rest else of(False)


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
    i: Any,
    batch_size: Any,
    *,
    unrolled: bool = False,
    last: bool = False,
) -> tuple[Gradient, Array]:
    """The gradient at batch ``i`` of an epoch, and how many examples that batch has.

    A batch of more than a block is taken in blocks, so that its bits do not depend on the number of cores; but not
    where the loss or the optimizer looks at a batch as one. ``unrolled``, with a ``batch_size`` that is not traced,
    their number is that of a whole batch, for a traced one has no derivative in reverse mode; those past the end of a
    short batch are empty. Where batches are exact, ``last`` says that this is the one that is not whole.
    """
    if train.exact is not None:
        return _exact_gradient(trial, lane, numbers, train, keys, order, epoch, i, last)
    room = train.x.shape[0]
    size, batches = sizes(trial, train, batch_size)
    piece = min(trial.batch_size, room)
    blocks = trial.splits and not trial.optimizer.wants_objective
    in_parts = batch_size is not None or (blocks and piece > BLOCK)
    if blocks:
        piece = min(piece, BLOCK)
    places = jnp.arange(piece, dtype=jnp.int32)

    def take(begin: Array, end: Array, *part: Array) -> Batch:
        """The examples at these places of the order; a place past the end holds some row and does not count."""
        at = begin + places
        rows, there = order[jnp.minimum(at, room - 1)], at < end
        weight = train.pull[rows] * there.astype(train.pull.dtype)
        x = augmented(trial, keys, numbers, train.x[rows], step, *part)
        return Batch(x=x, y=train.y[rows], weight=weight, mask=there)

    begin = i * size
    end = jnp.minimum(begin + size, train.rows)
    step = epoch * batches + i
    noise = jax.random.fold_in(keys.noise, step)
    if not in_parts:
        return gradient(trial, lane, numbers, take(begin, end), end - begin, noise), end - begin
    whole = trial.batch_size if batch_size is None else batch_size
    parts = -(-min(whole, room) // piece) if unrolled else _pieces(end - begin, piece)
    piecewise = partial(gradient_in_parts, trial, lane, numbers)
    return piecewise(lambda j: take(begin + j * piece, end, j), parts, end - begin, noise), end - begin


def _exact_gradient(
    trial: Trial,
    lane: Lane,
    numbers: dict[str, Array],
    train: Part,
    keys: Keys,
    order: Array,
    epoch: Array,
    i: Any,
    last: bool,
) -> tuple[Gradient, Array]:
    """The gradient at batch ``i``, of exactly the rows that it has."""
    size, whole, rest = exact_sizes(trial, train)
    count = rest if last else size
    rows = jax.lax.dynamic_slice_in_dim(order, i * size, count)
    batch = Batch(x=train.x[rows], y=train.y[rows], weight=train.pull[rows])
    step = epoch * (whole + (rest > 0)) + i
    noise = jax.random.fold_in(keys.noise, step)
    batch = batch._replace(x=augmented(trial, keys, numbers, batch.x, step))
    many = jnp.asarray(count, jnp.int32)
    return gradient(trial, lane, numbers, batch, many, noise), many


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
    return (1.0 if objective.higher else -1.0) * scores[reported(trial).index(objective.score)]
