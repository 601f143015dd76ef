"""Weight decay by path: a strength for each group of parameters, decoupled from the gradient, coupled, or in between.

g ← g + c λ p,  a step of the optimizer inside,  p ← p − (1 − c) lr λ p  with the p before the step

where λ is the number of the first rule whose pattern the parameter's path matches, and c is ``decay_coupling``. The
path is dotted, as in ``fo.tree.names``: "hidden_0.bias", and ``*`` matches any part of it. Without a rule: no decay.

Numbers, beside those of the optimizer inside:
    decay_NAME: in [0, inf); λ of a rule. NAME are the letters of its pattern, ``rest`` where it has none:
        {"*bias": 0.0, "*": 1e-4} has ``decay_bias`` and ``decay_rest``, with these defaults.
    decay_coupling: in [0, 1]; c. 0: decoupled, as in AdamW; 1: coupled, the slope of (λ/2) p² in the gradient.

It acts where a step is taken, before the step is averaged: around ``ema``, ``lookahead`` and ``schedule_free``, whose p
is y, as inside them. The optimizer inside must have a learning rate, ``lr``.

Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, https://arxiv.org/abs/1711.05101.

>>> import jax.numpy as jnp
>>> from fnopt.optim import decay_by_path, sgd
>>> optimizer = decay_by_path(sgd, {"*bias": 0.0, "*": 0.5})
>>> state = optimizer.init({"bias": jnp.ones(1), "weight": jnp.ones(1)}, lr=0.5)
>>> {k: p.tolist() for k, p in optimizer.update(state, {"bias": jnp.zeros(1), "weight": jnp.zeros(1)}).params.items()}
{'bias': [1.0], 'weight': [0.75]}
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Optimizer, Params, State
from fnopt.numbers import FRACTION, NONNEGATIVE
from fnopt.optim.wrappers._paths import Rules, by_leaf, places, record, rules_of
from fnopt.optim.wrappers._wrapper import Inside, Parts, fields, wrap
from fnopt.tree import working_dtype


def decay_by_path(inner: Optimizer, rules: Mapping[str, float] | Iterable[tuple[str, float]]) -> Optimizer:
    """Weight decay by path, see the module.

    Args:
        inner: the optimizer inside.
        rules: pattern to the default of its number, in the order of looking.

    Raises:
        ValueError, TypeError: for rules that cannot be, and, from ``init``, for a pattern that matches no path.

    >>> from fnopt.optim import adam
    >>> decay_by_path(adam, {"*bias": 0.0, "*": 1e-4}).hyper(lr=0.1)[-3:]
    (0.0, 0.0001, 0.0)
    """
    pairs = rules_of("decay", rules)
    if isinstance(inner, Optimizer) and "lr" not in fields(inner.numbers):
        raise ValueError(f"decay goes by the learning rate, and {inner.name} has no number `lr`")
    numbers = record("decay", pairs, decay_coupling=0.0)
    ranges = {**dict.fromkeys(fields(numbers), NONNEGATIVE), "decay_coupling": FRACTION}

    def remember(params: Params, weights: Params) -> tuple[()]:
        del weights
        places(pairs, params)  # a pattern that matches nothing is a mistake
        return ()

    def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
        return _step(pairs, inner, state, grads, h)

    return wrap(inner, Parts("decay_by_path", numbers, ranges, rule, remember), (pairs,))


def _step(rules: Rules, inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    strengths, c, lr = by_leaf(rules, state.params, h), h.decay_coupling, inner.lr(state)
    at, structure = jax.tree.flatten(state.params)

    def plus(a: Array, s: Array, p: Array) -> Array:
        """a + s p, in the working type."""
        dtype = working_dtype(a)
        return (a.astype(dtype) + s.astype(dtype) * p.astype(dtype)).astype(a.dtype)

    coupled = [
        g if s is None else plus(g, c * s, p) for g, s, p in zip(jax.tree.leaves(grads), strengths, at, strict=True)
    ]

    def decayed(old: Params, new: Params) -> tuple[Params, Any]:
        after = [
            q if s is None else plus(q, -(1 - c) * lr * s, p)
            for q, s, p in zip(jax.tree.leaves(new), strengths, at, strict=True)
        ]
        return inner.edit(old, structure.unflatten(after))

    more = _with_decay(inner.extra, state.params, strengths, c)
    return inner.take(state, structure.unflatten(coupled), decayed, **more)


def _with_decay(extra: Mapping[str, Any], start: Params, strengths: Any, c: Array) -> dict[str, Any]:
    """Objective and loss with ½ c Σ s p² on top, where there is an objective: one that is searched must have it too."""
    objective = extra.get("objective")
    if objective is None:
        return {}

    def decay(params: Params) -> Array:
        terms = [
            c * s * jnp.sum(jnp.square(p.astype(s.dtype))) / 2
            for p, s in zip(jax.tree.leaves(params), strengths, strict=True)
            if s is not None
        ]
        return functools.reduce(jnp.add, terms, jnp.zeros((), c.dtype))

    def whole(params: Params) -> Array:
        value = objective(params)
        return value + decay(params).astype(value.dtype)

    loss = extra.get("loss")
    return {"objective": whole} | ({} if loss is None else {"loss": loss + decay(start).astype(loss.dtype)})
