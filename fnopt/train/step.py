"""One update of one lane: the piece that fit, sweeps and replay share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt import tree
from fnopt._types import Batch, Cost, Params, State, Stats, Trial
from fnopt.numbers import resolve
from fnopt.train.lane import Fault, Lane, active


class Gradient(NamedTuple):
    """The cost of a batch (mean loss plus penalty), its gradient, and what the forward pass collected."""

    cost: Array  # shape=()
    grads: Params
    stats: Stats
    objective: Cost | None = None  # the cost of this batch at other weights; None where it came in parts


def gradient(
    trial: Trial, lane: Lane, numbers: dict[str, Array], batch: Batch, rows: Array, key: chex.PRNGKey
) -> Gradient:
    """∇ [(1/rows) Σ w_i loss_i + penalty] at the lane's weights."""

    def cost(params: Params) -> tuple[Array, Stats]:
        total, stats = _total(trial, lane, numbers, params, batch, key)
        mean = total / rows.astype(total.dtype)
        return (mean if trial.penalty is None else mean + trial.penalty(params, numbers).astype(mean.dtype)), stats

    (value, stats), grads = jax.value_and_grad(cost, has_aux=True)(lane.state.params)
    return Gradient(value, grads, stats, lambda params: cost(params)[0])


def gradient_in_parts(
    trial: Trial,
    lane: Lane,
    numbers: dict[str, Array],
    part: Callable[[Array], Batch],
    parts: Array | int,
    rows: Array,
    key: chex.PRNGKey,
) -> Gradient:
    """The same gradient from ``parts`` pieces of a batch, one after another: sums first, the mean at the end.

    For trials whose loss is a sum over examples; the number of parts is traced, so one program serves every batch size.
    """
    params = lane.state.params

    def add(j: Array, carry: Any) -> Any:
        batch, noise = part(j), jax.random.fold_in(key, j)
        more = jax.value_and_grad(lambda p: _total(trial, lane, numbers, p, batch, noise)[0])(params)
        return jax.tree.map(lambda a, b: a + b.astype(a.dtype), carry, more)

    zero = jnp.zeros((), jnp.result_type(float))
    sums = jax.lax.fori_loop(0, parts, add, (zero, tree.zeros_like(params)))
    value, grads = jax.tree.map(lambda a: a / rows.astype(a.dtype), sums)
    if trial.penalty is not None:
        more = jax.value_and_grad(trial.penalty)(params, numbers)
        value, grads = jax.tree.map(lambda a, b: a + b.astype(a.dtype), (value, grads), more)
    return Gradient(value, jax.tree.map(lambda g, p: g.astype(p.dtype), grads, params), lane.stats)


def _total(
    trial: Trial, lane: Lane, numbers: dict[str, Array], params: Params, batch: Batch, key: chex.PRNGKey
) -> tuple[Array, Stats]:
    """Σ w_i loss_i; an example of weight 0 is absent, whatever its loss."""
    losses, stats = trial.loss(params, lane.stats, batch, numbers, key, True)
    weight = batch.weight.astype(losses.dtype)
    return jnp.sum(jnp.where(weight > 0, losses * weight, 0)), stats


def attempt(trial: Trial, lane: Lane, numbers: dict[str, Array], at: Gradient) -> State:
    """The state after the optimizer's step, finite or not."""
    update: Any = trial.optimizer.update
    more = {"objective": at.objective} if trial.optimizer.wants_objective else {}
    state = update(lane.state, at.grads, loss=at.cost, **more)
    if trial.project is None:
        return state
    before, after = (trial.optimizer.clock(s) for s in (lane.state, state))
    lr = resolve(lane.state.hyper, before).lr
    lr = jnp.where(after > before, lr, 0)  # no update, as in between accumulated batches: nothing to follow it
    return state._replace(params=trial.project(state.params, numbers, lr))


def look_at(fault: Fault, cost: Array, step: Array) -> Fault:
    """The fault record after a step: its first cost that is not finite, or the last one that is."""
    sound = jnp.isfinite(cost)
    now = ~sound & (fault.step < 0)
    return Fault(
        step=jnp.where(now, step, fault.step),
        cost=jnp.where(now, cost, fault.cost),
        last=jnp.where(sound & (fault.step < 0), cost, fault.last),
    )


def kept(before: Lane, after: Lane, seen: Fault) -> Lane:
    """A lane after some steps: as it was before them, where it was over already, or where they were not finite.

    Weights that are not finite although every cost was are the doing of the last step.
    """
    going = active(before)
    sound = jnp.isfinite(tree.total(after.state.params))
    late = ~sound & (seen.step < 0)
    fault = seen._replace(
        step=jnp.where(late, after.state.step - 1, seen.step), cost=jnp.where(late, seen.last, seen.cost)
    )
    moved = going & (fault.step < 0)
    return before._replace(
        state=tree.where(moved, after.state, before.state),
        stats=tree.where(moved, after.stats, before.stats),
        fault=tree.where(going, fault, before.fault),
    )
