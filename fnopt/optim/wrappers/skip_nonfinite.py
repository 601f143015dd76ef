"""Skipping: a step whose gradient holds a NaN or an infinity is not taken.

where every entry of g is finite: a step of the optimizer inside; else weights and memory stay, and the skip is counted

Numbers, beside those of the optimizer inside:
    max_skips: in [0, inf]; after so many in a row the next one is taken as it is, so that a run that is lost shows.
        0: none is skipped; inf: all are.

``state.step`` counts calls; the optimizer inside, its bias correction and all schedules count the steps that are taken.
``state.memory.own`` tells how many were skipped in all, and in a row. It is the gradient that is looked at: in
``fit`` and ``caviar`` a cost that is not finite still ends the run.

Elsewhere: optax's ``apply_if_finite`` is the same, but looks at the update and not at the gradient; torch's
``GradScaler`` skips the step where its scaled gradient is not finite.

>>> import jax.numpy as jnp
>>> from fnopt.optim import sgd, skip_nonfinite
>>> state = skip_nonfinite(sgd).init(jnp.zeros(2), lr=1.0)
>>> state = skip_nonfinite(sgd).update(state, jnp.array([1.0, jnp.nan]))
>>> state.params.tolist(), int(state.memory.own.skipped)
([0.0, 0.0], 1)
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import Range
from fnopt.optim.wrappers._wrapper import Inside, Parts, chosen, with_own, wrapper


class SkipNonfiniteHyper(NamedTuple):
    """The number of skipping; it may be traced, or a schedule of the steps taken."""

    max_skips: ArrayLike = 10.0  # >= 0, inf allowed; in a row


class Skips(NamedTuple):
    """What has been skipped."""

    skipped: Array  # shape=(), int32; in all
    running: Array  # shape=(), int32; in a row, up to now


RANGES = {"max_skips": Range(0, float("inf"), open_high=False)}


def remember(params: Params, weights: Params) -> Skips:
    """Nothing yet."""
    del params, weights
    return Skips(jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """The step, where it is one."""
    own: Skips = state.memory.own
    sound = jnp.ones((), bool)
    for g in jax.tree.leaves(grads):
        sound = sound & jnp.all(jnp.isfinite(g))
    taken = sound | ~(own.running.astype(h.max_skips.dtype) < h.max_skips)
    new, told = inner.take(
        state, jax.tree.map(lambda g: jnp.where(taken, g, 0), grads)
    )  # 0: its derivatives stay finite
    stepped = chosen(taken, new, State(new.step, *state[1:]))
    running = jnp.where(sound, 0, own.running + 1)
    return with_own(stepped, Skips(own.skipped + (~taken).astype(jnp.int32), running)), told


def done(state: State) -> Array:
    """Steps taken so far."""
    return state.step - state.memory.own.skipped


skip_nonfinite = wrapper(
    Parts("skip_nonfinite", SkipNonfiniteHyper, RANGES, rule, remember, done, elementwise=False), __doc__
)
