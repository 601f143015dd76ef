"""Optax's gradient transformations as optimizers of ours, their numbers as leaves."""

import inspect
import re
from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Optimizer, Params, State
from fnopt.numbers import REAL, resolve
from fnopt.optim._frame import begin, gradients_of, numbers_at
from fnopt.tree import working_dtype

OURS = {"learning_rate": "lr"}  # what a number of theirs is called here


def from_transform(factory: Callable[..., Any], *, numbers: Mapping[str, float], name: str | None = None) -> Optimizer:
    """An optimizer of theirs as one of ours: it is fitted, swept, wrapped and vmapped as ours are.

    The transform is made anew inside each update, from the numbers of that step: they are leaves, may be traced and
    scheduled, and are never captured by it.

    p ← p + u with (u, memory) = factory(**numbers).update(g, memory, p)

    Args:
        factory: from numbers by name to ``(init, update)``, as ``optax.adam`` is. It is part of the value: give a
            function of a module, for a lambda made anew is another optimizer.
        numbers: name to default, as ``factory`` calls them; ``learning_rate`` is called ``lr`` here, and must be there
            under one of the two names. What is not a number goes into the factory, by ``functools.partial``.
        name: what it is called; the factory's name unless given.

    Returns:
        an Optimizer, equal for equal arguments. Its memory keeps the types that it began with. It cannot be written to
        a file, since functions are not.

    Raises:
        TypeError, ValueError: for a factory that cannot be hashed, numbers that are none, and no learning rate.

    >>> def descent(learning_rate):
    ...     return lambda params: (), lambda g, memory, params=None: (jax.tree.map(lambda x: -learning_rate * x, g), ())
    >>> optimizer = from_transform(descent, numbers=dict(learning_rate=0.1))
    >>> optimizer.update(optimizer.init(jnp.ones(2), lr=0.5), jnp.ones(2)).params.tolist()
    [0.5, 0.5]
    """
    if not callable(factory):
        raise TypeError(f"`factory` must make (init, update) from numbers, as optax.adam does, got {factory!r}")
    try:
        hash(factory)
    except TypeError as error:
        raise TypeError("`factory` must be hashable, for it names a program: wrap it in a plain function") from error
    name = name or getattr(factory, "__name__", None) or getattr(getattr(factory, "func", None), "__name__", "theirs")
    for number, default in numbers.items():
        if not isinstance(default, int | float) or isinstance(default, bool):
            raise TypeError(f"`{number}` must be a number, got {default!r}; others: functools.partial(factory, …)")
    if not {"lr", "learning_rate"} & {*numbers}:
        raise ValueError(f"`numbers` must hold the learning rate, as learning_rate=1e-3; got {', '.join(numbers)}")
    return _made(factory, tuple((number, float(default)) for number, default in numbers.items()), name)


@lru_cache(maxsize=1024)
def _made(factory: Callable[..., Any], numbers: tuple[tuple[str, float], ...], name: str) -> Optimizer:
    theirs = sorted(dict(numbers), key=lambda number: OURS.get(number, number) != "lr")  # lr first, the rest as given
    ours = [OURS.get(number, number) for number in theirs]
    record: Any = namedtuple(
        re.sub(r"\W", "", name) + "Hyper", ours, defaults=[dict(numbers)[number] for number in theirs]
    )
    ranges = dict.fromkeys(ours, REAL)

    def made(h: Any, params: Params) -> Any:
        """Their transform at these numbers, which take no leaf to another type."""
        types = {working_dtype(p) for p in jax.tree.leaves(params)}
        dtype = types.pop() if len(types) == 1 else jnp.result_type(float)
        init_update = factory(**{number: x.astype(dtype) for number, x in zip(theirs, h, strict=True)})
        return tuple(init_update)

    def memory(params: Params, h: Any) -> Any:
        at_first = resolve(h, jnp.zeros((), jnp.int32))
        return jax.tree.map(_strong, made(at_first, params)[0](params))

    init, hyper = begin(name, record, ranges, None, memory)

    def update(state: State, grads: Params, *, loss: Array | None = None, **extra: Any) -> State:
        grads = gradients_of(name, record, state, grads)
        one = made(numbers_at(name, state.hyper, state.step, ranges), state.params)[1]
        told = {**extra, "loss": loss, "value": loss} if loss is not None else extra
        steps, memory = one(grads, state.memory, state.params, **_accepted(one, told))
        return State(
            step=state.step + 1,
            params=jax.tree.map(lambda p, u: (p + u).astype(p.dtype), state.params, steps),
            hyper=state.hyper,
            memory=jax.tree.map(lambda old, new: jnp.asarray(new, old.dtype), state.memory, memory),
        )

    lr = dict(numbers).get("learning_rate", dict(numbers).get("lr", 1e-3))
    maker = _made, (factory, numbers, name)
    return Optimizer(
        name=name, init=init, update=update, numbers=record, lr=lr, hyper=hyper, elementwise=False, maker=maker
    )


def _strong(leaf: Any) -> Array:
    """An array whose type does not change on the way."""
    x = jnp.asarray(leaf)
    return x.astype(x.dtype)


def _accepted(update: Callable[..., Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What their update takes of the keywords that ours was given."""
    parameters = inspect.signature(update).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return dict(told)
    return {name: value for name, value in told.items() if name in parameters}
