"""Our optimizers where optax's convention is spoken: ``init(params)``, ``update(grads, state, params)``."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._checks import same_structure
from fnopt._types import Optimizer, Params, State


class Transform(NamedTuple):
    """A pair of functions as ``optax.GradientTransformation`` is one; ``optax.chain`` takes it."""

    init: Callable[[Params], Any]  # init(params) -> state
    update: Callable[..., tuple[Params, Any]]  # update(grads, state, params=None, **extra) -> (updates, state)


class Transformed(NamedTuple):
    """What such a transform carries."""

    state: State  # ours: its params are exact, its hyper may be replaced
    shown: Params  # what the parameters are outside once the updates are added


def as_transform(optimizer: Optimizer, **numbers: Any) -> Transform:
    """One of our optimizers as a gradient transformation: ``params + updates`` are the parameters that it comes to.

    A sum of two rounded numbers need not be the number meant, so the exact parameters are kept in ``state.state``: they
    are ours to the bit, and those outside are a rounding away from them at most, which does not add up over the steps.
    An entry that is changed outside between two updates (a projection, weights that are tied) goes on from there.

    Args:
        optimizer: any Optimizer.
        numbers: its numbers, schedules included; ``state.state.hyper`` holds them, and may be replaced there.

    Returns:
        (init, update). ``update`` hands ``loss`` (or ``value``) and, to one that wants it, ``objective`` (or
        ``value_fn``) on; other keywords, which are for other parts of a chain, are passed over. ``params`` may be left
        out where nothing else changes them.

    Raises:
        TypeError, ValueError: from ``init``, for what the optimizer refuses.

    >>> from fnopt.optim import adam
    >>> transform = as_transform(adam, lr=0.5)
    >>> params = jnp.ones(2)
    >>> updates, state = transform.update(jnp.array([1.0, -2.0]), transform.init(params), params)
    >>> (params + updates).tolist()
    [0.5, 1.5]
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"as_transform takes an Optimizer, as fo.optim.adam is, got {optimizer!r}")

    def init(params: Params) -> Transformed:
        state = optimizer.init(params, **numbers)
        return Transformed(state, jax.tree.map(jnp.copy, state.params))

    def update(updates: Params, state: Transformed, params: Params | None = None, **extra: Any) -> tuple[Params, Any]:
        given = state.shown if params is None else params
        same_structure(state.state.params, given, "params")
        exact = jax.tree.map(_unless_changed, state.state.params, state.shown, given)
        new = optimizer.update(state.state._replace(params=exact), updates, **_told(optimizer, extra))
        steps = jax.tree.map(lambda p, q: q - jnp.asarray(p, q.dtype), given, new.params)
        shown = jax.tree.map(lambda p, u: jnp.asarray(p, u.dtype) + u, given, steps)
        return steps, Transformed(new, shown)

    return Transform(init, update)


def _unless_changed(exact: Array, shown: Array, given: Any) -> Array:
    given = jnp.asarray(given, exact.dtype)
    return jnp.where(given == shown, exact, given)


def _told(optimizer: Optimizer, extra: dict[str, Any]) -> dict[str, Any]:
    """What our update takes of the keywords that a loop hands to all transforms."""
    found = {"loss": extra.get("loss", extra.get("value"))}
    if optimizer.wants_objective:
        found["objective"] = extra.get("objective", extra.get("value_fn"))
    return {name: value for name, value in found.items() if value is not None}
