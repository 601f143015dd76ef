"""What every optimizer has around its rule, written once: numbers by name, a state to begin with, checks of a call."""

from collections.abc import Callable, Mapping
from re import sub
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._checks import same_structure, unknown_number
from fnopt._types import InitState, Optimizer, Params, State
from fnopt.numbers import Range, as_numbers, on_host, resolve, spoiling


class Begin(NamedTuple):
    """How an optimizer begins."""

    init: InitState
    hyper: Callable[..., Any]  # all numbers of those given, checked, as plain as they came


def begin(
    name: str,
    numbers: type,
    ranges: Mapping[str, Range],
    fill: Mapping[str, str] | None,
    memory: Callable[[Params, Any], Any],
) -> Begin:
    """``init`` and ``hyper`` of an optimizer.

    Args:
        name: what it is called.
        numbers: NamedTuple class of its numbers, with their defaults.
        ranges: the range of each number.
        fill: number left out -> the number that it follows, in the order of filling.
        memory: the memory at the start, from parameters and numbers.
    """

    def record(given: Mapping[str, Any]) -> Any:
        return _complete(name, numbers, given, fill or {})

    def hyper(**given: Any) -> Any:
        return as_numbers(record(given), ranges, on_host)

    def init(params: Params, *unnamed: Any, **given: Any) -> State:
        only_by_name(name, unnamed)
        params, h = floating(params, "params"), as_numbers(record(given), ranges)
        return State(step=jnp.zeros((), jnp.int32), params=params, hyper=h, memory=memory(params, h))

    return Begin(init, hyper)


def only_by_name(name: str, unnamed: tuple[Any, ...]) -> None:
    """TypeError for numbers without a name."""
    if unnamed:
        raise TypeError(f"numbers go by name: write {name}.init(params, lr={unnamed[0]!r})")


def gradients_of(name: str, numbers: type, state: State, grads: Params) -> Params:
    """The gradients of a call, once it is one that can be: this optimizer's state, and a tree like its parameters."""
    _own_state(name, numbers, state, grads)
    grads = floating(grads, "grads")
    same_structure(state.params, grads, "grads")
    return grads


def numbers_at(name: str, hyper: Any, step: Array, ranges: Mapping[str, Range]) -> Any:
    """The numbers of one step, in their ranges: a schedule or ``_replace`` brings what ``init`` never saw.

    Raises:
        ValueError: for one that is not one number, since several configurations want a vmap, and for a concrete one
            out of its range. Where a traced one is, the learning rates become NaN, for every parameter is to show it:
            the number itself may have nothing to act on, or be hidden, as 1 to the power of NaN is 1.
    """
    h = resolve(hyper, step)
    for number, x in h._asdict().items():
        if x.ndim:
            raise ValueError(
                f"`{number}` of {name} must be one number at each step, got shape {x.shape}; for a state that holds "
                "several configurations write jax.vmap(optimizer.update)(states, grads)"
            )
    rates = [number for number in h._fields if number == "lr" or number.endswith("_lr")]
    return spoiling(h, ranges, rates) if rates else as_numbers(h, ranges)


def described(optimizer: Optimizer, doc: str | None) -> Optimizer:
    """The optimizer with its own text in ``help``, which a frozen value would not have."""
    optimizer.init.__doc__ = optimizer.update.__doc__ = doc
    object.__setattr__(optimizer, "__doc__", doc)
    return optimizer


def floating(tree: Params, what: str) -> Params:
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


def _complete(name: str, numbers: type, given: Mapping[str, Any], fill: Mapping[str, str]) -> NamedTuple:
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
