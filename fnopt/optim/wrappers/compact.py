"""Compact moments: what an optimizer remembers of gradients, in bfloat16, 2 bytes a number instead of 4.

m ← up(M),  a step of the optimizer inside with m, in float32,  M ← down(m)

where ``down`` rounds to one of the two neighbours in bfloat16, at random, so that its mean is m: (m − low)/(high − low)
is the chance of the upper one. To the nearest, a second moment would stand still: at b2 = 0.999 a step changes it by
0.1 % of its distance from g², and neighbours in bfloat16 are 0.4 to 0.8 % apart.

Number, beside those of the optimizer inside:
    rounding_seed: in [0, inf); what the draws come from, with the step and the place of the moment; its whole part
        counts. Runs of one seed round alike.

Compact are the arrays that begin at 0 and gather gradients, where they are float32: Adam's 8 bytes a parameter become
4, AMSGrad's 12 become 6. Single numbers and weights (the sequences of schedule_free, Prodigy's start, averages) stay as
they are, so ``readout`` is what it was; so do the pairs of L-BFGS, the moments of float64 parameters, and the memory of
an optimizer from elsewhere. All arithmetic is in float32, so ε never rounds to 0. A moment is off by at most 0.8 % a
step, and by nothing on average. A step costs a hash more for each moment, which shows on a CPU. Derivatives with
respect to numbers pass through bfloat16 as the moments do, unrounded by chance: finite, but not exact, those by the
decays least (10 to 25 % between forward and reverse mode over a few steps); take them without ``compact``.

Source: Gupta et al., "Deep learning with limited numerical precision", 2015, https://arxiv.org/abs/1502.02551,
section 3.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adam, compact
>>> state = compact(adam).init(jnp.ones(2), lr=0.5)
>>> state = compact(adam).update(state, jnp.array([1.0, -2.0]))
>>> state.params.tolist(), state.memory.inner.v.dtype.name
([0.5, 1.5], 'bfloat16')
"""

import math
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Optimizer, Params, State
from fnopt.numbers import NONNEGATIVE
from fnopt.optim.wrappers._wrapper import Inside, Parts, Wrapped, wrapper
from fnopt.tree import working_dtype


class CompactHyper(NamedTuple):
    """The number of compact moments; it may be traced, or a schedule of the step."""

    rounding_seed: ArrayLike = 0.0  # >= 0


Change = Callable[[Array, Array, int], Array]  # of a moment, by its parameter and its place among all moments
RANGES = {"rounding_seed": NONNEGATIVE}


def keep(inner: Optimizer, state: State) -> Any:
    """The memory at the start, compact: zeros, which need no key."""
    return _with_moments(inner, state.memory, state.params, lambda m, p, place: m.astype(_kept_type(m)))


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """A step with the moments in full, which are rounded after it; where none was taken they round to themselves."""
    seed = jax.lax.stop_gradient(h.rounding_seed).astype(jnp.uint32)
    key = jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), state.step)  # by name: rbg is no key for lanes

    def up(m: Array, p: Array, place: int) -> Array:
        del place
        return m.astype(working_dtype(p))

    def down(m: Array, p: Array, place: int) -> Array:
        del p
        return rounded(m, jax.random.fold_in(key, place)) if m.dtype == jnp.float32 else m

    def with_inner(state: State, change: Change) -> State:
        memory = _with_moments(inner.optimizer, state.memory.inner, state.params, change)
        return State(state.step, state.params, state.hyper, Wrapped(memory, state.memory.own))

    new, told = inner.take(with_inner(state, up), grads)
    return with_inner(new, down), told


def rounded(x: Array, key: Any) -> Array:
    """A float32 array in bfloat16, each entry one of its two neighbours, with mean ``x``; the same where it is one.

    bfloat16 is the upper half of float32: adding a random lower half carries over as often as it should. The derivative
    is 1, as if nothing had been rounded.

    >>> x = jnp.full(10000, 1 + 1 / 512)
    >>> kept = rounded(x, jax.random.key(0)).astype(jnp.float32)
    >>> sorted({*kept.tolist()}), round(float(kept.mean()), 3)
    ([1.0, 1.0078125], 1.002)
    """
    return _carried(x, _scattered(jax.random.bits(key, (), jnp.uint32), x.shape))


def _scattered(word: Array, shape: tuple[int, ...]) -> Array:
    """16 bits an entry, from one drawn word and the entry's place, by a hash of Wellons, "Hash prospector", 2018.

    A word of threefry each would be most of a step's time; what is asked of these bits is to be even and unlike.
    """
    x = jnp.arange(math.prod(shape), dtype=jnp.uint32).reshape(shape) * jnp.uint32(0x9E3779B9) + word
    x = (x ^ (x >> 16)) * jnp.uint32(0x21F0AAAD)
    x = (x ^ (x >> 15)) * jnp.uint32(0xD35A2D97)
    return (x ^ (x >> 15)) & jnp.uint32(0xFFFF)


@jax.custom_jvp
def _carried(x: Array, lower: Array) -> Array:
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32) + lower
    up = jax.lax.bitcast_convert_type((bits >> 16).astype(jnp.uint16), jnp.bfloat16)
    return jnp.where(jnp.isfinite(x), up, x.astype(jnp.bfloat16))


@_carried.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
    # The value as x plus a constant, so that a second derivative, which may go through it, is that of x too.
    near = primals[0].astype(jnp.bfloat16)
    return near + jax.lax.stop_gradient(_carried(*primals) - near), tangents[0].astype(jnp.bfloat16)


def _with_moments(optimizer: Optimizer, memory: Any, params: Params, change: Change) -> Any:
    """The memory of this optimizer with each leaf of its moments changed; that of other wrappers stays."""
    if isinstance(memory, Wrapped):
        return Wrapped(_with_moments(optimizer, memory.inner, params, change), memory.own)
    places = count()
    changed = {
        name: jax.tree.map(lambda m, p: change(m, p, next(places)), getattr(memory, name), params)
        for name in optimizer.moments
    }
    return memory._replace(**changed) if changed else memory


def _kept_type(m: Array) -> Any:
    return jnp.bfloat16 if m.dtype == jnp.float32 else m.dtype


compact = wrapper(Parts("compact", CompactHyper, RANGES, rule, elementwise=False, keep=keep), __doc__)
