"""A lane: everything that one training run carries from step to step, as one pytree."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt import tree
from fnopt._types import Batch, Params, State, Stats, Trial
from fnopt.numbers import resolve
from fnopt.train.early_stopping import EarlyStopping, Waiting, begin, stopped


class Fault(NamedTuple):
    """When a lane stopped being finite; its state is that of the start of the epoch, which was finite."""

    step: Array  # shape=(), int32; the update that failed, counted from 0; -1: never
    cost: Array  # shape=(), the cost at that update
    last: Array  # shape=(), the last finite cost, 0 before any


def last_cost(fault: Fault) -> float:
    """The last finite cost of a lane that failed, on the host; NaN where its first step did."""
    return math.nan if int(fault.step) == 0 else float(fault.last)


class Patience(NamedTuple):
    """Early stopping in a lane: the rule, what it remembers, and the best weights."""

    rule: EarlyStopping
    memory: Waiting
    params: Params
    stats: Stats


class Lane(NamedTuple):
    """One training run between two steps."""

    state: State
    stats: Stats
    numbers: dict[str, Any]  # the model's own numbers: scalars or schedules
    fault: Fault
    patience: Patience | None  # None where the run has no early stopping


class Keys(NamedTuple):
    """What a run draws from, one key a purpose; shared by all configurations of one seed and fold."""

    init: chex.PRNGKey
    order: chex.PRNGKey
    noise: chex.PRNGKey
    augment: Any = None  # None, and so no argument of a program, where nothing is augmented


def keys_of(key: chex.PRNGKey, augment: bool = False) -> Keys:
    """Split one key by purpose; the fourth, of augmentation, where it is asked for."""
    return Keys(*(jax.random.fold_in(key, purpose) for purpose in range(4 if augment else 3)))


def start(
    trial: Trial,
    key: chex.PRNGKey,
    example: Batch,
    hyper: Mapping[str, Any],
    rule: EarlyStopping | None = None,
    weights: tuple[Params, Stats] | None = None,
) -> Lane:
    """A lane before its first step: weights drawn from ``key`` (or given), the optimizer's numbers and the model's."""
    numbers = {name: hyper[name] for name in trial.numbers}
    at_first = resolve(numbers, jnp.zeros((), jnp.int32))
    params, stats = trial.init(key, example, at_first) if weights is None else weights
    mine = {name: hyper[name] for name in trial.optimizer.numbers._fields if name in hyper}  # pyright: ignore
    state = trial.optimizer.init(params, **mine)
    scalar = jnp.zeros((), jnp.result_type(float))
    never = jnp.full((), -1, jnp.int32)
    fault = Fault(step=never, cost=scalar, last=scalar)
    own = hyper.get("stop")  # numbers of the rule that are this lane's own
    rule = rule if rule is None or own is None else EarlyStopping(**own)
    patience = None if rule is None else Patience(rule, begin(), params, stats)
    return Lane(state, stats, numbers, fault, patience)


def active(lane: Lane) -> Array:
    """Whether the lane still trains: finite, and its patience not run out."""
    alive = lane.fault.step < 0
    return alive if lane.patience is None else alive & ~stopped(lane.patience.rule, lane.patience.memory)


def weights_of(trial: Trial, lane: Lane) -> tuple[Params, Stats]:
    """The weights to evaluate: the best seen under early stopping, else the optimizer's readout."""
    if lane.patience is None:
        return trial.optimizer.readout(lane.state), lane.stats
    seen = lane.patience.memory.epoch >= 0
    current = (trial.optimizer.readout(lane.state), lane.stats)
    return tree.where(seen, (lane.patience.params, lane.patience.stats), current)
