"""Several optimizers in one program: one state that fits each of them, and a traced number that says which it is.

Compiling is what small networks cost, and most of a program does not depend on the optimizer. Members whose memory
fits into the largest one's leaves share its place; a branch takes out what is its own and puts it back.
"""

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Optimizer, Params, State, parameters, updates


@dataclass(frozen=True)
class Family:
    """Optimizers that share a program; ``at(which)`` is one of them as seen from inside."""

    members: tuple[Optimizer, ...]

    @property
    def numbers(self) -> type:
        """The record of all members' numbers."""
        return _union(tuple(dict.fromkeys(n for m in self.members for n in _fields(m.numbers))))

    def at(self, which: Array) -> Optimizer:
        """Member ``which``, a traced index, over the shared state. For use inside a program only.

        ``init`` takes all members' numbers; those that are not the member's own are carried and not read.
        """

        def init(params: Params, **numbers: Any) -> State:
            hyper = self.numbers(**numbers)
            templates = [_memory(m, params, numbers) for m in self.members]
            room = max(templates, key=lambda leaves: len(leaves))

            def member(k: int) -> Callable[[], list[Array]]:
                return lambda: [*_memory(self.members[k], params, numbers), *room[len(templates[k]) :]]

            leaves = jax.lax.switch(which, [member(k) for k in range(len(self.members))])
            return State(step=jnp.zeros((), jnp.int32), params=params, hyper=hyper, memory=tuple(leaves))

        def update(state: State, grads: Params, *, loss: Array | None = None) -> State:
            def member(k: int) -> Callable[[], tuple[Params, tuple[Array, ...]]]:
                return lambda: _as_member(self.members[k], state, grads, loss)

            params, memory = jax.lax.switch(which, [member(k) for k in range(len(self.members))])
            return State(step=state.step + 1, params=params, hyper=state.hyper, memory=memory)

        return Optimizer(name="family", init=init, update=update, numbers=self.numbers)


def shares(optimizer: Optimizer) -> bool:
    """Whether an optimizer may share a state at all: each entry moves by itself, and its weights are evaluated."""
    usual = optimizer.readout is parameters and optimizer.clock is updates
    return optimizer.elementwise and usual and not optimizer.wants_objective


def fits(members: tuple[Optimizer, ...], params: Params) -> bool:
    """Whether these optimizers can share a state: the memory of each begins as the largest one's does."""
    if not all(map(shares, members)):
        return False
    shapes = [jax.eval_shape(lambda p, m=m: _memory(m, p, {}), params) for m in members]
    largest = max(shapes, key=len)
    return all((a.shape, a.dtype) == (b.shape, b.dtype) for s in shapes for a, b in zip(s, largest, strict=False))


def _as_member(
    optimizer: Optimizer, state: State, grads: Params, loss: Array | None
) -> tuple[Params, tuple[Array, ...]]:
    own = {name: getattr(state.hyper, name) for name in _fields(optimizer.numbers)}
    shape = jax.eval_shape(lambda p: optimizer.init(p, **_plain(optimizer)).memory, state.params)
    structure, size = jax.tree.structure(shape), jax.tree.structure(shape).num_leaves
    memory = jax.tree.unflatten(structure, state.memory[:size])
    mine = State(step=state.step, params=state.params, hyper=optimizer.numbers(**own), memory=memory)
    new = optimizer.update(mine, grads, loss=loss)
    return new.params, (*jax.tree.leaves(new.memory), *state.memory[size:])


def _memory(optimizer: Optimizer, params: Params, numbers: dict[str, Any]) -> list[Array]:
    """The leaves of a member's memory at the start."""
    own = {name: numbers[name] for name in _fields(optimizer.numbers) if name in numbers}
    return jax.tree.leaves(optimizer.init(params, **{**_plain(optimizer), **own}).memory)


def _plain(optimizer: Optimizer) -> dict[str, Any]:
    """Stand-ins for the numbers that have no default, where only shapes are asked for."""
    defaults = cast(Any, optimizer.numbers)._field_defaults
    return {name: 0.5 for name in _fields(optimizer.numbers) if name not in defaults}


def _fields(numbers: type) -> tuple[str, ...]:
    return cast(Any, numbers)._fields


@lru_cache(maxsize=1024)
def _union(names: tuple[str, ...]) -> type:
    return namedtuple("FamilyHyper", names)
