"""An exponential moving average of the weights: trained as ever, evaluated at the average.

u ← d u + (1 − d),  a ← a + (1 − d) / (1 − c + c u) (p − a) after each step, with d = ema_decay and c = ema_correction

from u = 0 and a = p. At c = 1 the average is bias-corrected: a_t = Σ_s (1 − d) d^(t−s) p_s / (1 − d^t), without the
weights before the first step; at c = 0 it is the plain one, which begins at them.

Numbers, beside those of the optimizer inside:
    ema_decay: in [0, 1); d, averages about 1/(1 − d) steps. 0: the weights themselves.
    ema_correction: in [0, 1]; c.

``readout(state)`` is a, which is what fits and sweeps evaluate, compare and keep; training goes on from
``state.params``. It averages the weights that the optimizer inside would evaluate, where a step is taken, in at least
float32. Decay and rates by path are in these weights, on whichever side they stand.

Elsewhere: torch's ``AveragedModel`` with ``get_ema_avg_fn`` begins at the weights after the first step; Keras's
``use_ema`` begins at the initial ones, c = 0.

Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992,
https://doi.org/10.1137/0330046; the correction is that of Kingma and Ba, 2015, https://arxiv.org/abs/1412.6980.

>>> import jax.numpy as jnp
>>> from fnopt.optim import ema, sgd
>>> state = ema(sgd).init(jnp.zeros(1), lr=1.0, ema_decay=0.5)
>>> for g in (-1.0, -3.0):
...     state = ema(sgd).update(state, jnp.full(1, g))
>>> state.params.tolist(), ema(sgd).readout(state).tolist()
([4.0], [3.0])
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import DECAY, FRACTION
from fnopt.optim.wrappers._wrapper import Inside, Parts, chosen, with_own, wrapper
from fnopt.tree import working_dtype


class EmaHyper(NamedTuple):
    """The numbers of the average; each may be traced, or a schedule of the step."""

    ema_decay: ArrayLike = 0.999  # in [0, 1)
    ema_correction: ArrayLike = 1.0  # in [0, 1]; 1: bias-corrected


class Averaged(NamedTuple):
    """The average so far."""

    average: Any  # shaped like the parameters, in at least float32
    seen: Array  # shape=(), 1 − the product of all decays


RANGES = {"ema_decay": DECAY, "ema_correction": FRACTION}


def remember(params: Params, weights: Params) -> Averaged:
    """The weights at the start, of which nothing is left after the first step where it is corrected."""
    del params
    average = jax.tree.map(lambda p: jnp.array(p, working_dtype(p)), weights)
    return Averaged(average, jnp.zeros((), jnp.result_type(float)))


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """A step, and the average after it."""
    own: Averaged = state.memory.own
    new, told = inner.take(state, grads)
    d, c = h.ema_decay.astype(own.seen.dtype), h.ema_correction.astype(own.seen.dtype)
    seen = d * own.seen + (1 - d)
    share = (1 - d) / ((1 - c) + c * seen)
    average = jax.tree.map(
        lambda a, p: a + share.astype(a.dtype) * (p.astype(a.dtype) - a), own.average, inner.weights(new)
    )
    moved = inner.count(new) > inner.count(state)
    return with_own(new, chosen(moved, Averaged(average, seen), own)), told


def readout(inner: Inside, state: State) -> Params:
    """The average, in the types of the parameters."""
    del inner
    return jax.tree.map(lambda a, p: a.astype(p.dtype), state.memory.own.average, state.params)


ema = wrapper(Parts("ema", EmaHyper, RANGES, rule, remember, readout=readout), __doc__)
