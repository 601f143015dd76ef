"""Lookahead: k fast steps forward, one step back, towards slow weights.

every sync_every steps of the optimizer inside, where the step leads to p: s ← s + slow_rate (p − s),  p ← s

with s at the weights at the start.

Numbers, beside those of the optimizer inside:
    sync_every: in (0, inf); k, in steps. A fraction counts as the next whole number.
    slow_rate: in [0, 1]; α in the paper. 1: the slow weights are where the fast ones have come, 0: they stay.

``readout(state)`` is s, which is what fits and sweeps evaluate, compare and keep: for up to k − 1 steps older than
``state.params``. The memory of the optimizer inside goes on over the syncs. s is kept in at least float32.

Around an optimizer that evaluates weights of its own, a sync is of its steps before they are averaged, and
``readout(state)`` is that optimizer's: ``lookahead(ema(adam))`` evaluates the average of the fast weights with their
syncs, ``ema(lookahead(adam))`` that of the slow weights. Decay and rates by path act on the fast steps, on whichever
side they stand, and so does a frozen group's rate of 0.

Elsewhere: optax has the same with pairs of parameters.

Source: Zhang, Lucas, Hinton and Ba, "Lookahead optimizer: k steps forward, 1 step back", 2019,
https://arxiv.org/abs/1907.08610, algorithm 1.

>>> import jax.numpy as jnp
>>> from fnopt.optim import lookahead, sgd
>>> state = lookahead(sgd).init(jnp.zeros(1), lr=1.0, sync_every=2)
>>> for _ in range(3):
...     state = lookahead(sgd).update(state, -jnp.ones(1))
...     print(state.params.tolist(), lookahead(sgd).readout(state).tolist())
[1.0] [0.0]
[1.0] [1.0]
[2.0] [1.0]
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import FRACTION, POSITIVE
from fnopt.optim.wrappers._wrapper import Inside, Parts, chosen, with_own, wrapper
from fnopt.tree import working_dtype


class LookaheadHyper(NamedTuple):
    """The numbers of Lookahead; each may be traced, or a schedule of the step."""

    sync_every: ArrayLike = 6.0  # > 0; steps between two syncs
    slow_rate: ArrayLike = 0.5  # in [0, 1]


class Slow(NamedTuple):
    """The slow weights."""

    weights: Any  # shaped like the parameters, in at least float32
    since: Array  # shape=(), int32; steps since the last sync


RANGES = {"sync_every": POSITIVE, "slow_rate": FRACTION}


def remember(params: Params, weights: Params) -> Slow:
    """Slow weights begin where the fast ones do."""
    del weights
    return Slow(jax.tree.map(lambda p: jnp.array(p, working_dtype(p)), params), jnp.zeros((), jnp.int32))


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """A fast step, which ends at the slow weights where it is time."""
    own: Slow = state.memory.own
    due = ~((own.since + 1).astype(h.sync_every.dtype) < h.sync_every)

    def synced(old: Params, new: Params) -> tuple[Params, Any]:
        new, told = inner.edit(old, new)  # first, for decay and rates are of the fast step
        slow = jax.tree.map(lambda s, p: s + h.slow_rate.astype(s.dtype) * (p.astype(s.dtype) - s), own.weights, new)
        return jax.tree.map(lambda s, p: jnp.where(due, s.astype(p.dtype), p), slow, new), (slow, told)

    new, (slow, told) = inner.take(state, grads, synced)
    on = Slow(chosen(due, slow, own.weights), jnp.where(due, 0, own.since + 1))
    return with_own(new, chosen(inner.count(new) > inner.count(state), on, own)), told


def readout(inner: Inside, state: State) -> Params:
    """The slow weights, in the types of the parameters, or what the optimizer inside makes of the fast ones."""
    if not inner.evaluates_params:
        return inner.weights(state)
    return jax.tree.map(lambda s, p: s.astype(p.dtype), state.memory.own.weights, state.params)


lookahead = wrapper(Parts("lookahead", LookaheadHyper, RANGES, rule, remember, readout=readout), __doc__)
