"""Gradient accumulation: one step of the optimizer inside for k batches, with the mean of their gradients.

S ← S + g,  c ← c + 1;  where c ≥ every_k: a step with S/c, then S ← 0, c ← 0; else the weights stay

Batches of equal size under a mean loss give the step of one batch k times as large, to rounding.

Numbers, beside those of the optimizer inside:
    every_k: in (0, inf); k. A fraction counts as the next whole number.

``state.step`` counts calls. The optimizer inside, and with it every schedule of the record, counts the steps that are
taken, so that a schedule, ``every_k`` may be one too, is that of the large batches. Where k is lowered in between, the
mean is that of the batches there were. What is left over at the end of training is not used. The sums are kept in at
least float32. The optimizer inside gets the mean of ``loss``, and an ``objective`` of the last batch alone.

Around or inside: ``accumulate(clip_by_global_norm(adam))`` clips the mean, ``clip_by_global_norm(accumulate(adam))``
each batch. ``ema``, ``lookahead`` and decay act where a step is taken, on whichever side they stand.

Elsewhere: optax's ``MultiSteps`` is the same, for a k that is no leaf of its state.

>>> import jax.numpy as jnp
>>> from fnopt.optim import accumulate, sgd
>>> state = accumulate(sgd).init(jnp.zeros(2), lr=1.0, every_k=2)
>>> for g in (1.0, 3.0, 5.0):
...     state = accumulate(sgd).update(state, jnp.full(2, g))
...     print(state.params.tolist(), end=" ")
[0.0, 0.0] [-2.0, -2.0] [-2.0, -2.0]
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import POSITIVE
from fnopt.optim.wrappers._wrapper import Inside, Parts, chosen, with_own, wrapper
from fnopt.tree import zeros_like


class AccumulateHyper(NamedTuple):
    """The number of gradient accumulation; it may be traced, or a schedule of the steps taken."""

    every_k: ArrayLike = 4.0  # > 0; batches a step


class Accumulated(NamedTuple):
    """What has come in since the last step."""

    sums: Any  # shaped like the parameters, in at least float32
    loss: Array  # shape=(), sum of the losses that were given
    batches: Array  # shape=(), int32; those since the last step
    done: Array  # shape=(), int32; steps taken


RANGES = {"every_k": POSITIVE}


def remember(params: Params, weights: Params) -> Accumulated:
    """Nothing yet."""
    del weights
    zero = jnp.zeros((), jnp.int32)
    return Accumulated(zeros_like(params), jnp.zeros((), jnp.result_type(float)), zero, jnp.zeros_like(zero))


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """One more batch, and the step where it was the last of its k."""
    own: Accumulated = state.memory.own
    count = own.batches + 1
    sums = jax.tree.map(lambda s, g: s + g.astype(s.dtype), own.sums, grads)
    given = inner.extra.get("loss")
    loss = own.loss if given is None else own.loss + jnp.asarray(given).astype(own.loss.dtype)
    mean = jax.tree.map(lambda s, g: (s / count.astype(s.dtype)).astype(g.dtype), sums, grads)
    more: dict[str, Any] = {} if given is None else {"loss": loss / count.astype(loss.dtype)}
    more |= {"objective": None} if "objective" in inner.extra else {}  # it is that of one batch, the last
    ready = ~(count.astype(h.every_k.dtype) < h.every_k)  # so that a NaN shows
    new, told = inner.take(state, mean, **more)
    stepped = chosen(ready, State(new.step, *new[1:]), State(new.step, *state[1:]))
    started = remember(state.params, state.params)._replace(done=own.done + 1)
    return with_own(stepped, chosen(ready, started, Accumulated(sums, loss, count, own.done))), told


def done(state: State) -> Array:
    """Steps taken so far."""
    return state.memory.own.done


accumulate = wrapper(Parts("accumulate", AccumulateHyper, RANGES, rule, remember, done), __doc__)
