"""The chunk kernel: C lanes of one cohort through one compiled program.

All lanes of a chunk share data, order and random draws; only the lane axis is vmapped, so each batch is gathered and
each mask drawn once. The width C is part of a program, and a chunk with fewer lanes is filled with copies: so the bits
of a lane depend on neither its place nor its neighbours.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt._compile import TRACES
from fnopt._types import Batch, Params, Stats, Trial
from fnopt.sweep.merge import bound, plain
from fnopt.train import (
    EarlyStopping,
    Keys,
    Lane,
    Objective,
    Part,
    Records,
    When,
    segment,
    start,
    weights_of,
)


@partial(jax.jit, static_argnames=("trial",))
def draw(key: Any, example: Batch, *, trial: Trial) -> tuple[Params, Stats]:
    """The initial weights of a structure whose numbers have no part in them, see ``drawn_alike``."""
    TRACES["draw"] += 1
    return trial.init(key, example, plain(trial))


@partial(jax.jit, static_argnames=("trial",))
def begin(
    key: Any,
    example: Batch,
    hyper: dict[str, Any],
    rule: EarlyStopping | None,
    which: Any,
    weights: Any = None,
    *,
    trial: Trial,
) -> Lane:
    """Lanes before their first step, with weights drawn unless given; ``hyper`` has a lane axis, all else is shared."""
    TRACES["begin"] += 1

    def one(numbers: dict[str, Any]) -> Lane:
        return start(bound(trial, which), key, example, numbers, rule, weights)

    return jax.vmap(one)(hyper)


@partial(jax.jit, static_argnames=("trial", "objective"), donate_argnames=("lanes",))
def advance(
    lanes: Lane,
    train: Part,
    dev: Part | None,
    keys: Keys,
    orders: Array,
    first: Array,
    count: Array,
    when: When,
    which: Array,
    batch_size: Array | None,
    *,
    trial: Trial,
    objective: Objective,
) -> tuple[Lane, Records]:
    """``count`` epochs of every lane, from epoch ``first``; one executable serves every count up to LENGTH.

    ``which`` chooses among the optimizers that share the program, ``batch_size`` is None where it is the trial's own.
    Neither has a lane axis, so the choice stays a branch and only the chosen one is run.
    """
    TRACES["advance"] += 1

    def one(lane: Lane) -> tuple[Lane, Records]:
        return segment(bound(trial, which), objective, lane, train, dev, keys, orders, first, count, when, batch_size)

    if lanes.fault.step.shape[0] == 1:  # an axis of one lane makes the compiler transpose each gradient and moment
        return jax.tree.map(lambda a: a[None], one(jax.tree.map(lambda a: a[0], lanes)))
    return jax.vmap(one)(lanes)


@partial(jax.jit, static_argnames=("trial",))
def finish(lane: Lane, which: Array, *, trial: Trial) -> tuple[Params, Stats]:
    """The weights of one lane that count, where the optimizer keeps others than those it moves."""
    TRACES["finish"] += 1
    return weights_of(bound(trial, which), lane)


def stack(hypers: list[dict[str, Any]], width: int) -> dict[str, Any]:
    """Numbers of several configurations with a leading lane axis, filled up to ``width`` with copies of the first."""
    filled = [*hypers, *[hypers[0]] * (width - len(hypers))]
    f = jnp.result_type(float)
    return jax.tree.map(lambda *leaves: np.asarray(leaves, f), *filled)


def packed(lanes: list[Lane], width: int) -> Lane:
    """Lanes on the host as the lanes of one chunk, filled up to ``width`` with copies of the first."""
    filled = [*lanes, *[lanes[0]] * (width - len(lanes))]
    structure = jax.tree.structure(lanes[0])
    return structure.unflatten([np.array(leaves) for leaves in zip(*map(jax.tree.leaves, filled), strict=True)])


def apart(lanes: Any, count: int) -> list[Any]:
    """The first ``count`` lanes of a chunk, each on the host as arrays of its own."""
    leaves, structure = jax.tree.flatten(lanes)
    host = [np.asarray(leaf) for leaf in leaves]
    return [structure.unflatten([np.array(leaf[i]) for leaf in host]) for i in range(count)]
