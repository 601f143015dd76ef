"""From one rule to an optimizer around an optimizer: what all wrappers share, written once.

A rule sees the state from outside and a handle of the optimizer inside, and reads as what it does: change the gradient,
take the step, look at what came. What is to change where a step leads goes in with it, as an edit, so that all averages
inside see it. Here is everything around it: the flat record of numbers, nested memory, checks, the count of updates.
"""

from collections import namedtuple
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, NamedTuple, Protocol, cast

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._checks import unknown_number
from fnopt._types import Edit, Optimizer, Params, State, as_it_is, parameters, updates
from fnopt.numbers import Range, as_numbers, on_host, resolve
from fnopt.optim._frame import gradients_of, numbers_at, only_by_name


class Wrapped(NamedTuple):
    """The memory of a wrapped optimizer: that of the one inside, and the wrapper's own."""

    inner: Any
    own: Any


class Rule(Protocol):
    """``rule(inner, state, grads, h) -> (state, told)``: one step of the whole; ``h`` holds the wrapper's numbers.

    ``told`` is what ``inner.edit`` told, the edit of the wrappers around.
    """

    def __call__(self, inner: "Inside", state: State, grads: Params, h: Any) -> tuple[State, Any]: ...


class Readout(Protocol):
    """``readout(inner, state) -> params``: the weights to evaluate."""

    def __call__(self, inner: "Inside", state: State) -> Params: ...


class Remember(Protocol):
    """``remember(params, weights) -> memory`` at the start; ``weights`` are what the one inside would evaluate."""

    def __call__(self, params: Params, weights: Params) -> Any: ...


class Parts(NamedTuple):
    """What a wrapper consists of."""

    name: str
    numbers: type  # NamedTuple class of its own numbers, each with a default
    ranges: Mapping[str, Range]
    rule: Rule
    remember: Remember | None = None  # None where it carries nothing
    done: Callable[[State], Array] | None = None  # updates of the one inside, where not every call is one
    readout: Readout | None = None  # None: the weights that the one inside would evaluate
    elementwise: bool = True  # whether it treats every entry by itself
    keep: Callable[[Optimizer, State], Any] | None = (
        None  # the memory inside at the start; None: as the one inside has it
    )


@dataclass(frozen=True)
class Inside:
    """The optimizer inside, as a rule sees it; all states are those of the whole."""

    optimizer: Optimizer
    done: Callable[[State], Array]
    extra: Mapping[str, Any]  # what else the update was given, such as the loss
    edit: Edit = as_it_is  # what the wrappers around do to a step

    def take(self, state: State, grads: Params, edit: Edit | None = None, **more: Any) -> tuple[State, Any]:
        """One step of the optimizer inside, and what the edit told; the wrapper's own memory stays.

        An ``edit`` of the wrapper's own calls ``self.edit``, before or after what it does itself.
        """
        new, told = self._stepped(self.seen(state), grads, edit or self.edit, {**self.extra, **more})
        whole = State(
            step=state.step + 1,
            params=new.params,
            hyper=state.hyper._replace(**new.hyper._asdict()),
            memory=Wrapped(inner=new.memory, own=state.memory.own),
        )
        return whole, told

    def _stepped(self, old: State, grads: Params, edit: Edit, extra: Mapping[str, Any]) -> tuple[State, Any]:
        if self.optimizer.edited is not None:
            return self.optimizer.edited(old, grads, edit, **extra)
        new = self.optimizer.update(old, grads, **extra)
        params, told = edit(old.params, new.params)
        if self.optimizer.clock is not updates:
            params = chosen(self.optimizer.clock(new) > self.optimizer.clock(old), params, new.params)
        return State(new.step, params, new.hyper, new.memory), told

    @property
    def evaluates_params(self) -> bool:
        """Whether the optimizer inside evaluates ``params``, and no weights of its own."""
        return self.optimizer.readout is parameters

    def seen(self, state: State) -> State:
        """The state as the optimizer inside knows it."""
        names = fields(self.optimizer.numbers)
        own = self.optimizer.numbers(**{name: getattr(state.hyper, name) for name in names})
        return State(step=self.done(state), params=state.params, hyper=own, memory=state.memory.inner)

    def weights(self, state: State) -> Params:
        """What the optimizer inside would evaluate."""
        return self.optimizer.readout(self.seen(state))

    def count(self, state: State) -> Array:
        """Updates that were really made, however deep: what every schedule counts."""
        return self.optimizer.clock(self.seen(state))

    def lr(self, state: State) -> Array:
        """The learning rate of the next update."""
        return resolve(self.seen(state).hyper, self.count(state)).lr


_MADE: dict[Hashable, Any] = {}  # equal arguments give one value, so that equal optimizers name one program


def wrap(inner: Optimizer, parts: Parts, settings: tuple[Any, ...] = ()) -> Optimizer:
    """The wrapped optimizer; the same value for an equal optimizer inside and equal settings.

    Args:
        inner: what is wrapped.
        parts: the wrapper; equal names and settings mean equal parts.
        settings: what else the wrapper was made from, hashable and plain, so that a file can hold it.

    Raises:
        TypeError: where ``inner`` is no Optimizer.
        ValueError: where it has a number of the same name.
    """
    if not isinstance(inner, Optimizer):
        cure = f"write {parts.name}(fo.optim.{inner if isinstance(inner, str) else 'adam'})"
        raise TypeError(f"{parts.name} wraps an Optimizer, got {inner!r}; {cure}; numbers go to init")
    key = (parts.name, inner, settings)
    return _MADE[key] if key in _MADE else _MADE.setdefault(key, _made(inner, parts, settings))


def wrapper(parts: Parts, doc: str | None) -> Callable[[Optimizer], Optimizer]:
    """The public function of a wrapper that has no settings."""

    def around(inner: Optimizer, *unnamed: Any, **named: Any) -> Optimizer:
        if unnamed or named:
            given = {**dict(zip(fields(parts.numbers), unnamed, strict=False)), **named}
            shown = "".join(f", {number}={value!r}" for number, value in given.items())
            cure = f"write {parts.name}(fo.optim.{getattr(inner, 'name', 'adam')}).init(params, lr=…{shown})"
            raise TypeError(f"{parts.name} takes the optimizer alone, and its numbers go to init: {cure}")
        return wrap(inner, parts)

    parameter = Parameter("inner", Parameter.POSITIONAL_OR_KEYWORD, annotation=Optimizer)
    vars(around)["__signature__"] = Signature([parameter], return_annotation=Optimizer)
    around.__name__ = around.__qualname__ = parts.name
    around.__doc__ = doc
    return around


def with_own(state: State, own: Any) -> State:
    """The state with another memory of the wrapper's own."""
    return State(state.step, state.params, state.hyper, Wrapped(inner=state.memory.inner, own=own))


def chosen(condition: Array, new: Any, old: Any) -> Any:
    """Leaf by leaf ``new`` where the scalar condition holds, else ``old``; a leaf that is the same stays itself."""
    return jax.tree.map(lambda a, b: a if a is b else jnp.where(condition, a, b), new, old)


def fields(numbers: type) -> tuple[str, ...]:
    """The names of a record of numbers."""
    return cast(Any, numbers)._fields


def _made(inner: Optimizer, parts: Parts, settings: tuple[Any, ...]) -> Optimizer:
    name, own, record = f"{parts.name}({inner.name})", parts.numbers, _record(inner, parts)
    done = parts.done or updates

    def split(given: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """The numbers of the one inside, and the wrapper's own record."""
        _known(name, given, record)
        rest = {number: value for number, value in given.items() if number not in fields(own)}
        return rest, own(**{number: value for number, value in given.items() if number in fields(own)})

    def hyper(**given: Any) -> Any:
        rest, mine = split(given)
        theirs = inner.hyper(**rest) if inner.hyper else inner.init({"w": jnp.zeros((1, 1))}, **rest).hyper
        return record(*theirs, *as_numbers(mine, parts.ranges, on_host))

    def init(params: Params, *unnamed: Any, **given: Any) -> State:
        only_by_name(name, unnamed)
        rest, mine = split(given)
        state = inner.init(params, **rest)
        kept = parts.keep(inner, state) if parts.keep else state.memory
        memory = parts.remember(state.params, inner.readout(state)) if parts.remember else ()
        numbers = record(*state.hyper, *as_numbers(mine, parts.ranges))
        return State(step=state.step, params=state.params, hyper=numbers, memory=Wrapped(kept, memory))

    def update(state: State, grads: Params, **extra: Any) -> State:
        return edited(state, grads, as_it_is, **extra)[0]

    def edited(state: State, grads: Params, edit: Edit, **extra: Any) -> tuple[State, Any]:
        grads = gradients_of(name, record, state, grads)
        inside = Inside(inner, done, extra, edit)
        mine = own(**{number: getattr(state.hyper, number) for number in fields(own)})
        h = numbers_at(name, mine, inside.count(state), parts.ranges)
        new, told = parts.rule(inside, state, grads, h)
        return State(new.step, _spoilt(new.params, h), new.hyper, new.memory), told

    def readout(state: State) -> Params:
        inside = Inside(inner, done, {})
        return parts.readout(inside, state) if parts.readout else inside.weights(state)

    def clock(state: State) -> Array:
        return Inside(inner, done, {}).count(state)

    return Optimizer(
        name=name,
        init=init,
        update=update,
        numbers=record,
        readout=parameters if parts.readout is None and inner.readout is parameters else readout,
        lr=inner.lr,
        hyper=hyper,
        wants_objective=inner.wants_objective,
        elementwise=inner.elementwise and parts.elementwise,
        clock=updates if parts.done is None and inner.clock is updates else clock,
        moments=() if parts.keep else inner.moments,
        edited=edited,
        recipe=(parts.name, inner, settings),
    )


def _record(inner: Optimizer, parts: Parts) -> type:
    """The flat record of all numbers, those of the optimizer inside first; one class for each combination."""
    theirs, own = fields(inner.numbers), fields(parts.numbers)
    clash = [number for number in own if number in theirs]
    if clash:
        twice = parts.name in _around(inner)
        cure = f"write {parts.name} once" if twice else f"rename it in the class of numbers of {inner.name}"
        raise ValueError(
            f"{parts.name}'s number `{clash[0]}` is one of {inner.name}'s too, and all numbers stand in one record: "
            f"{cure}"
        )
    key = (inner.numbers, parts.numbers)
    if key not in _MADE:
        defaults = {**inner.numbers._field_defaults, **parts.numbers._field_defaults}  # pyright: ignore
        title = parts.numbers.__name__.removesuffix("Hyper") + inner.numbers.__name__
        names = (*theirs, *own)
        given = [defaults[number] for number in names if number in defaults]
        _MADE.setdefault(key, namedtuple(title, names, defaults=given, module=__name__))
    return _MADE[key]


def _around(optimizer: Optimizer) -> list[str]:
    """The names of the wrappers that an optimizer is in already."""
    if optimizer.recipe is None:
        return []
    name, inner, _ = optimizer.recipe
    return [name, *_around(inner)]


def _known(name: str, given: Mapping[str, Any], record: type) -> None:
    for number in given:
        if number not in fields(record):
            raise TypeError(unknown_number(name, number, fields(record)))


def _spoilt(params: Params, h: Any) -> Params:
    """The weights, NaN where one of the numbers is: out of its range must show, whatever the rules inside do."""
    bad = jnp.zeros((), bool)
    for x in h:
        bad = bad | jnp.isnan(x)
    return jax.tree.map(lambda p: jnp.where(bad, jnp.nan, p), params)
