"""From the rule of one leaf to an optimizer: what all elementwise optimizers share, written once.

A rule reads like its paper, ``(p, g, memory, h, t) -> (p, memory)`` for one array; here is everything around it: trees,
checks, dtypes, numbers and the count of steps.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
from jax import Array

from fnopt._types import Optimizer, Params, State
from fnopt.numbers import Range
from fnopt.optim._frame import begin, described, gradients_of, numbers_at
from fnopt.tree import working_dtype, zeros_like


class Rule(Protocol):
    """``rule(p, g, memory, h, t) -> (p, memory)`` for one leaf, all in its working type.

    ``h`` holds the numbers at this step and ``t`` the number of this step, counted from 1.
    """

    def __call__(self, p: Array, g: Array, memory: Any, h: Any, t: Array) -> tuple[Array, Any]: ...


def elementwise(
    name: str,
    numbers: type,
    ranges: Mapping[str, Range],
    memory: type | None,
    rule: Rule,
    *,
    lr: float = 1e-3,
    fill: Mapping[str, str] | None = None,
    at: Callable[[Any, Array], Any] | None = None,
    scalars: tuple[str, ...] = (),
    by_entry: bool = True,
    doc: str | None = None,
) -> Optimizer:
    """The optimizer that applies ``rule`` to every leaf.

    Args:
        name: what it is called.
        numbers: NamedTuple class of its numbers, with their defaults.
        ranges: the range of each number.
        memory: NamedTuple class of what the rule carries for one leaf, all zeros at first; None where it carries
            nothing. In the state each field is a tree shaped like the parameters.
        rule: one step for one leaf.
        lr: the learning rate to try first.
        fill: number left out -> the number that it follows, in the order of filling.
        at: what the rule takes for ``h``, from the numbers and the step: what is the same for all leaves is computed
            once, and not once a leaf, which for small networks is a third of a step.
        scalars: the fields of ``memory`` that are one number a leaf, and not an array of the leaf's shape.
        by_entry: whether each entry moves by itself; not so where the rule takes lengths of whole leaves.
        doc: what ``help`` shows.
    """
    fields: tuple[str, ...] = getattr(memory, "_fields", ())

    def pack(parts: Any) -> Any:
        return memory(*parts) if memory is not None else ()

    def zeros(params: Params, _: Any) -> Any:
        return pack([zeros_like(jax.tree.map(_one, params) if f in scalars else params) for f in fields])

    init, hyper = begin(name, numbers, ranges, fill, zeros)

    def update(state: State, grads: Params, *, loss: Array | None = None) -> State:
        del loss
        grads = gradients_of(name, numbers, state, grads)
        step = state.step + 1
        old, structure = jax.tree.flatten(state.params)
        prepared = _each_dtype(old, numbers_at(name, state.hyper, state.step, ranges), step, at)
        params, memories = [], []
        for p, g, *parts in zip(old, *map(jax.tree.leaves, (grads, *state.memory)), strict=True):
            h, t = prepared[working_dtype(p)]
            new, carried = rule(p.astype(t.dtype), g.astype(t.dtype), pack(parts), h, t)
            params.append(new.astype(p.dtype))
            memories.append(carried)
        trees = [structure.unflatten([getattr(m, field) for m in memories]) for field in fields]
        return State(step=step, params=structure.unflatten(params), hyper=state.hyper, memory=pack(trees))

    optimizer = Optimizer(
        name=name,
        init=init,
        update=update,
        numbers=numbers,
        lr=lr,
        hyper=hyper,
        elementwise=by_entry,
        moments=tuple(field for field in fields if field not in scalars),
    )
    return described(optimizer, doc)


def _one(leaf: Array) -> jax.ShapeDtypeStruct:
    """One number of the leaf's type."""
    return jax.ShapeDtypeStruct((), leaf.dtype)


def _each_dtype(
    leaves: list[Any], h: Any, step: Array, at: Callable[[Any, Array], Any] | None
) -> dict[Any, tuple[Any, Array]]:
    """What the rule takes of numbers and step, in each working type that occurs: once, not once a leaf."""
    found = {}
    for dtype in dict.fromkeys(working_dtype(leaf) for leaf in leaves):  # a dict, since a set has no fixed order
        cast, t = jax.tree.map(lambda x, d=dtype: x.astype(d), h), step.astype(dtype)
        # The barrier keeps the compiler from copying these scalars' arithmetic into every leaf's.
        found[dtype] = (cast if at is None else jax.lax.optimization_barrier(at(cast, t))), t
    return found
