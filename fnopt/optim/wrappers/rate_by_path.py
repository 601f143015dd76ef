"""Learning rates by path: the step of each group of parameters times a number; at 0 the group is frozen.

p ← p + m (q − p), where q is where the optimizer inside would go and m the number of the first rule whose pattern the
parameter's path matches. The path is dotted, as in ``fo.tree.names``: "hidden_0.bias", and ``*`` matches any part of
it. Without a rule, and at m = 1: q, to the bit.

At m = 0 the parameter keeps its bits, and its gradient, which may be NaN, counts as 0 for the optimizer inside: its
moments die out, and global norms do not see it. So the derivative by m is 0 there. With schedules,
layers thaw one after another.

Numbers, beside those of the optimizer inside:
    rate_NAME: in [0, inf); m of a rule. NAME are the letters of its pattern, ``rest`` where it has none:
        {"*bias": 2.0, "*": 1.0} has ``rate_bias`` and ``rate_rest``, with these defaults.

Where the step is proportional to the learning rate, this is a learning rate of the group's own. It scales decay inside
it too, as a learning rate does. The step is scaled before it is averaged: around ``ema``, ``lookahead`` and
``schedule_free``, whose z it is, as inside them; what they evaluate of a frozen group keeps its bits too.

Elsewhere: torch's parameter groups with an ``lr`` each; optax's ``multi_transform`` with ``set_to_zero``.

>>> import jax.numpy as jnp
>>> from fnopt.optim import rate_by_path, sgd
>>> optimizer = rate_by_path(sgd, {"*bias": 2.0, "hidden_0*": 0.0})
>>> params = {"hidden_0": {"weight": jnp.ones(1)}, "output": {"bias": jnp.ones(1), "weight": jnp.ones(1)}}
>>> after = optimizer.update(optimizer.init(params, lr=0.25), params).params
>>> after["hidden_0"]["weight"].tolist(), after["output"]["bias"].tolist(), after["output"]["weight"].tolist()
([1.0], [0.5], [0.75])
"""

from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Optimizer, Params, State
from fnopt.numbers import NONNEGATIVE
from fnopt.optim.wrappers._paths import Rules, by_leaf, places, record, rules_of
from fnopt.optim.wrappers._wrapper import Inside, Parts, fields, wrap
from fnopt.tree import working_dtype


def rate_by_path(inner: Optimizer, rules: Mapping[str, float] | Iterable[tuple[str, float]]) -> Optimizer:
    """Learning rates by path, see the module.

    Args:
        inner: the optimizer inside.
        rules: pattern to the default of its number, in the order of looking.

    Raises:
        ValueError, TypeError: for rules that cannot be, and, from ``init``, for a pattern that matches no path.

    >>> from fnopt.optim import adam
    >>> rate_by_path(adam, {"hidden_0*": 0.0, "*": 1.0}).hyper(lr=0.1, rate_hidden_0=0.5)[-2:]
    (0.5, 1.0)
    """
    pairs = rules_of("rate", rules)
    numbers = record("rate", pairs)

    def remember(params: Params, weights: Params) -> tuple[()]:
        del weights
        places(pairs, params)  # a pattern that matches nothing is a mistake
        return ()

    def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
        return _step(pairs, inner, state, grads, h)

    ranges = dict.fromkeys(fields(numbers), NONNEGATIVE)
    return wrap(inner, Parts("rate_by_path", numbers, ranges, rule, remember), (pairs,))


def _step(rules: Rules, inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    rates, structure = by_leaf(rules, state.params, h), jax.tree.structure(state.params)

    def heard(g: Array, m: Array | None) -> Array:
        return g if m is None else jnp.where(m == 0, 0, g)

    heeded = [heard(g, m) for g, m in zip(jax.tree.leaves(grads), rates, strict=True)]

    def scaled(old: Params, new: Params) -> tuple[Params, Any]:
        steps = zip(jax.tree.leaves(old), jax.tree.leaves(new), rates, strict=True)
        return inner.edit(old, structure.unflatten([q if m is None else _between(p, q, m) for p, q, m in steps]))

    new, told = inner.take(state, structure.unflatten(heeded), scaled)
    ends = zip(jax.tree.leaves(state.params), jax.tree.leaves(new.params), rates, strict=True)
    kept = [q if m is None else jnp.where(m == 0, p, q) for p, q, m in ends]  # −0 too, where a step is not of params
    return State(new.step, structure.unflatten(kept), new.hyper, new.memory), told


def _between(p: Array, q: Array, m: Array) -> Array:
    """p + m (q − p), exact at both ends."""
    dtype = working_dtype(p)
    a, b, m = p.astype(dtype), q.astype(dtype), m.astype(dtype)
    return jnp.where(m == 0, p, (b + (m - 1) * (b - a)).astype(p.dtype))
