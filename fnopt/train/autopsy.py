"""What happened at the step at which a lane stopped being finite: the step once more, with everything shown."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt._types import State, Trial
from fnopt.numbers import resolve
from fnopt.train.lane import Keys, Lane
from fnopt.train.order import epoch_order
from fnopt.train.part import Part, seen_by
from fnopt.train.segment import at_batch, gradient_at, sizes
from fnopt.train.step import Gradient, attempt


class Leaf(NamedTuple):
    """One leaf of the parameters at the failing step."""

    name: str
    norm: float  # of the last finite weights
    gradient: float  # norm of the gradient there
    after: float  # norm of the weights that the step would have given

    @property
    def bad(self) -> bool:
        """Whether its gradient or what it would become is not finite."""
        return not (np.isfinite(self.gradient) and np.isfinite(self.after))


class Autopsy(NamedTuple):
    """Where a lane stopped being finite, leaf by leaf; printed, a table with the first bad leaf marked."""

    step: int  # the update that failed, counted from 0
    epoch: int  # counted from 1
    batch: int  # counted from 1
    cost: float
    gradient: float  # norm over all leaves
    leaves: tuple[Leaf, ...]
    number: str = ""  # what is wrong with a number of the optimizer there; "" where all are in their ranges

    @property
    def first(self) -> str:
        """The first bad leaf; "" where only the cost is not finite."""
        return next((leaf.name for leaf in self.leaves if leaf.bad), "")

    @property
    def line(self) -> str:
        """All of it but the table."""
        first = f", first in {self.first}" if self.first else ""
        return (
            f"step {self.step} (epoch {self.epoch}, batch {self.batch}): cost {self.cost:g}, "
            f"gradient norm {self.gradient:g}{self.number and ', ' + self.number}{first}"
        )

    def __str__(self) -> str:
        width = max(len(leaf.name) for leaf in self.leaves)
        rows = [
            f"{leaf.name:<{width}}  weights {leaf.norm:<11.4g} gradient {leaf.gradient:<11.4g} after "
            f"{leaf.after:<11.4g}{' <- first' if leaf.name == self.first else ''}"
            for leaf in self.leaves
        ]
        return "\n".join([self.line, *(row.rstrip() for row in rows)])


def autopsy(trial: Trial, lane: Lane, train: Part, keys: Keys, batch_size: Any = None) -> Autopsy:
    """The failing step of a lane that diverged, from the start of its epoch, where the lane was left.

    Raises:
        ValueError: for a lane that did not fail.
    """
    if int(lane.fault.step) < 0:
        raise ValueError("this lane never failed: every step was finite")
    train = seen_by(trial, train)
    step, epoch, batch, cost, norms, hyper = jax.device_get(_again(trial, lane, train, keys, batch_size))
    names = tree.names(lane.state.params)
    leaves = tuple(Leaf(name, *map(float, three)) for name, three in zip(names, zip(*norms, strict=True), strict=True))
    whole = float(np.sqrt(np.sum(np.square([leaf.gradient for leaf in leaves]))))
    wrong = _out_of_range(trial, hyper)
    return Autopsy(int(step), int(epoch) + 1, int(batch) + 1, float(cost), whole, leaves, wrong)


def _out_of_range(trial: Trial, hyper: Any) -> str:
    """What the optimizer says of its numbers at the failing step."""
    try:
        if trial.optimizer.hyper is not None:
            trial.optimizer.hyper(**{name: float(x) for name, x in hyper._asdict().items()})
    except ValueError as error:
        return str(error)
    return ""


@partial(jax.jit, static_argnums=0)
def _again(trial: Trial, lane: Lane, train: Part, keys: Keys, batch_size: Any) -> Any:
    _, batches = sizes(trial, train, batch_size)
    epoch = lane.state.step // batches
    order = epoch_order(keys.order, epoch, train.rows, train.x.shape[0], trial.shuffle)

    def tried(lane: Lane) -> tuple[Array, Gradient, State]:
        batch = lane.state.step - epoch * batches
        numbers = resolve(lane.numbers, lane.state.step)
        here = partial(gradient_at, trial, lane, numbers, train, keys, order, epoch, batch, batch_size)

        def step(last: bool) -> tuple[Gradient, State]:
            at, _ = here(last=last)
            return at._replace(objective=None), attempt(trial, lane, numbers, at)

        return batch, *at_batch(trial, train, batch, step)

    def sound(lane: Lane) -> Array:
        batch, at, after = tried(lane)
        return jnp.isfinite(at.cost) & jnp.isfinite(tree.total(after.params)) & (batch + 1 < batches)

    def on(lane: Lane) -> Lane:
        _, at, after = tried(lane)
        return lane._replace(state=after, stats=at.stats)

    lane = jax.lax.while_loop(sound, on, lane)
    batch, at, after = tried(lane)
    norms = [[_norm(leaf) for leaf in jax.tree.leaves(some)] for some in (lane.state.params, at.grads, after.params)]
    hyper = resolve(lane.state.hyper, trial.optimizer.clock(lane.state))
    return lane.state.step, epoch, batch, at.cost, norms, hyper


def _norm(leaf: Array) -> Array:
    """√(Σ x²), which is finite where all entries and the norm itself are: their squares need not be."""
    x = leaf.astype(jnp.result_type(float))
    largest = jnp.max(jnp.abs(x), initial=0)
    scale = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
    return scale * jnp.sqrt(jnp.sum(jnp.square(x / scale)))
