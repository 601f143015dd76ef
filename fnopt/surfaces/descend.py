"""The path that an optimizer takes on a surface."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Optimizer, State
from fnopt.surfaces.surface import Function


def descend(function: Function, optimizer: Optimizer, start: Any, steps: int, **numbers: Any) -> Array:
    """Where an optimizer is before its first step and after each, shape=(steps + 1, n): one compiled scan.

    Args:
        function: a ``Surface``, or ``f(point) -> value``.
        optimizer: any of ``fo.optim``, wrapped or not.
        start: shape=(n,).
        steps: how many updates, ≥ 0.
        numbers: the optimizer's, ``lr`` and so on; to compare several, vmap over them.

    Returns:
        the points, as the optimizer would have them evaluated (its ``readout``).

    >>> from fnopt import optim
    >>> from fnopt.surfaces import ravine
    >>> descend(ravine, optim.sgd, (1.0, 0.0), 2, lr=0.5)[:, 0].tolist()
    [1.0, 0.5, 0.25]
    """
    state = optimizer.init(jnp.asarray(start, jnp.result_type(float)), **numbers)
    return _path(function, optimizer, steps, state)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _path(function: Function, optimizer: Optimizer, steps: int, state: State) -> Array:
    def step(state: State, _: None) -> tuple[State, Any]:
        value, slope = jax.value_and_grad(function)(state.params)
        more = {"objective": function} if optimizer.wants_objective else {}
        new = optimizer.update(state, slope, loss=value, **more)
        return new, optimizer.readout(new)

    first: Any = optimizer.readout(state)
    return jnp.concatenate([first[None], jax.lax.scan(step, state, None, steps)[1]])
