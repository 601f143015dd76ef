"""From the rule of one leaf to an optimizer: what all elementwise optimizers share, written once.

A rule reads like its paper, ``(p, g, memory, h, t) -> (p, memory)`` for one array; here is everything around it: trees,
checks, dtypes, numbers and the count of steps.
"""

from collections.abc import Callable, Mapping
from re import sub
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._checks import same_structure, unknown_number
from fnopt._types import Optimizer, Params, State
from fnopt.numbers import Range, as_numbers, on_host, resolve
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

    def hyper(**given: Any) -> Any:
        return as_numbers(_given(name, numbers, given, fill or {}), ranges, on_host)

    def init(params: Params, *unnamed: Any, **given: Any) -> State:
        if unnamed:
            raise TypeError(f"numbers go by name: write {name}.init(params, lr={unnamed[0]!r})")
        params = _floating(params, "params")
        record = as_numbers(_given(name, numbers, given, fill or {}), ranges)
        zeros = pack([zeros_like(jax.tree.map(_one, params) if f in scalars else params) for f in fields])
        return State(step=jnp.zeros((), jnp.int32), params=params, hyper=record, memory=zeros)

    def update(state: State, grads: Params, *, loss: Array | None = None) -> State:
        del loss
        _own_state(name, numbers, state, grads)
        grads = _floating(grads, "grads")
        same_structure(state.params, grads, "grads")
        step = state.step + 1
        old, structure = jax.tree.flatten(state.params)
        prepared = _each_dtype(old, _scalars(name, resolve(state.hyper, state.step), ranges), step, at)
        params, memories = [], []
        for p, g, *parts in zip(old, *map(jax.tree.leaves, (grads, *state.memory)), strict=True):
            h, t = prepared[working_dtype(p)]
            new, carried = rule(p.astype(t.dtype), g.astype(t.dtype), pack(parts), h, t)
            params.append(new.astype(p.dtype))
            memories.append(carried)
        trees = [structure.unflatten([getattr(m, field) for m in memories]) for field in fields]
        return State(step=step, params=structure.unflatten(params), hyper=state.hyper, memory=pack(trees))

    optimizer = Optimizer(
        name=name, init=init, update=update, numbers=numbers, lr=lr, hyper=hyper, elementwise=by_entry
    )
    init.__doc__ = update.__doc__ = doc
    object.__setattr__(optimizer, "__doc__", doc)  # a frozen value, but help should speak of this optimizer
    return optimizer


def _one(leaf: Array) -> jax.ShapeDtypeStruct:
    """One number of the leaf's type."""
    return jax.ShapeDtypeStruct((), leaf.dtype)


def _given(name: str, numbers: type, given: Mapping[str, Any], fill: Mapping[str, str]) -> NamedTuple:
    """The record of numbers, with what was left out filled in; TypeError for an unknown or a missing name."""
    known: tuple[str, ...] = getattr(numbers, "_fields", ())
    for number in given:
        if number not in known:
            raise TypeError(unknown_number(name, number, known))
    values = {**getattr(numbers, "_field_defaults", {}), **given}
    for number, followed in fill.items():
        if values.get(number) is None:
            values[number] = values.get(followed)
    for number in known:
        if values.get(number) is None:
            raise TypeError(f"{name} needs `{number}`: write {name}.init(params, {number}=…)")
    return numbers(**values)


def _own_state(name: str, numbers: type, state: Any, grads: Any) -> None:
    """TypeError for arguments the wrong way round, and for a state that another optimizer began."""
    if isinstance(grads, State) or not isinstance(state, State):
        got = f"{type(state).__name__} and {type(grads).__name__}"
        raise TypeError(f"{name}'s update takes (state, grads), in this order, got {got}; state comes from {name}.init")
    theirs: Any = type(state.hyper)
    mine, found = (getattr(record, "_fields", ()) for record in (numbers, theirs))
    if mine != found:
        whose = sub(r"(?<=[a-z])(?=[A-Z])", "_", theirs.__name__.removesuffix("Hyper")).lower()
        raise TypeError(
            f"{name} got a state with the numbers of {whose} ({', '.join(found)}), and its own have {', '.join(mine)}: "
            f"begin with {name}.init(state.params, …)"
        )


def _floating(tree: Params, what: str) -> Params:
    """Every leaf as an array that never changes type; TypeError, naming the leaf, for what has no gradient."""

    def one(path: Any, leaf: Any) -> Array:
        got = getattr(leaf, "dtype", type(leaf).__name__)
        if isinstance(leaf, float) or (hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)):
            x = jnp.asarray(leaf)
            return x.astype(x.dtype)  # a Python float arrives weakly typed, and would turn strong on the way
        raise TypeError(
            f"{what}{jax.tree_util.keystr(path)} must be a floating array, got {got}; convert it with "
            "jnp.asarray(x, jnp.float32), or keep it out of the parameters if it is not to be learned"
        )

    return jax.tree_util.tree_map_with_path(one, tree)


def _scalars(name: str, h: Any, ranges: Mapping[str, Range]) -> Any:
    """The numbers of one step, in their ranges: a schedule or ``_replace`` brings what ``init`` never saw.

    Raises:
        ValueError: for one that is not one number, since several configurations want a vmap, and for a concrete one
            out of its range. A traced one becomes NaN there, as in ``init``.
    """
    for number, x in h._asdict().items():
        if x.ndim:
            raise ValueError(
                f"`{number}` of {name} must be one number at each step, got shape {x.shape}; for a state that holds "
                "several configurations write jax.vmap(optimizer.update)(states, grads)"
            )
    return as_numbers(h, ranges)


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
