"""An optimizer as the checks see it, whoever wrote it, and a small problem to run it on."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt._types import Optimizer, Params
from fnopt.tree import working_dtype

START = {
    "b": np.array([0.3, -0.2]),
    "w": np.array([[0.5, -0.4], [0.2, 0.7], [-0.6, 0.1]]),
    "z_dead": np.array([1.0, -1.0]),  # the last leaf's gradient is always 0
}
GUESS = {"lr": 0.01, "learning_rate": 0.01}


class Subject(NamedTuple):
    """``init`` and ``update`` with the numbers that the first takes, and parameters to start from."""

    name: str
    init: Callable[..., Any]
    update: Callable[..., Any]
    numbers: dict[str, float]
    params: Params  # floating arrays
    extra: tuple[str, ...]  # of "loss" and "objective" what ``update`` takes
    program: Callable[[Any], Any] = lambda state: state  # ``step``, compiled once for all checks
    traced: tuple[int, ...] | list[int] = ()  # how often that was traced, one number

    def begin(self, **changes: Any) -> Any:
        """The state at the start, with some numbers changed."""
        return self.init(self.params, **{**self.numbers, **changes})

    def step(self, state: Any, alive: Any = 1.0) -> Any:
        """One update on the problem; ``alive`` 0 makes all gradients 0."""

        def cost(params: Params) -> Array:
            return jnp.asarray(alive, jnp.result_type(float)) * bowl(params)

        return self.descend(state, cost)

    def descend(self, state: Any, cost: Callable[[Params], Array]) -> Any:
        """One update on any cost."""
        value, grads = jax.value_and_grad(cost)(state.params)
        more = {"loss": value, "objective": cost}
        return self.update(state, grads, **{name: more[name] for name in self.extra})

    def compiled(self) -> "Subject":
        """The same with a compiled step that counts its traces."""
        count = [0]

        def counted(state: Any) -> Any:
            count[0] += 1
            return self.step(state)

        return self._replace(program=jax.jit(counted), traced=count)

    def values(self, number: str) -> list[float]:
        """Two other values of a number that ``init`` takes, near its own."""
        v = self.numbers[number]
        tried = [1e-3, 0.5, 1.0, 2.0] if v == 0 or not math.isfinite(v) else [0.5 * v, 0.9 * v, 1.5 * v, 0.5]
        found: list[float] = []
        for value in tried:
            if len(found) < 2 and _accepted(self, number, value):
                found.append(value)
        return found


def bowl(params: Params) -> Array:
    """½ Σ c (p − t)² over all leaves but the last, in at least float32."""
    leaves = jax.tree.leaves(params)
    total = jnp.zeros((), jnp.result_type(float))
    for k, leaf in enumerate(leaves[:-1] if len(leaves) > 1 else leaves):
        ramp = jnp.linspace(0.5, 1.5, leaf.size).reshape(leaf.shape).astype(total.dtype)
        total = total + jnp.sum(ramp * jnp.square(leaf.astype(total.dtype) - (0.1 * k - ramp))) / 2
    return total


def well(params: Params, target: Params) -> Array:
    """½ Σ (p − t)² over all leaves, in at least float32."""
    squares = jax.tree.map(lambda p, t: jnp.sum(jnp.square(p - t).astype(jnp.result_type(float))), params, target)
    return sum(jax.tree.leaves(squares), jnp.zeros((), jnp.result_type(float))) / 2


def subject_of(optimizer: Any, numbers: Mapping[str, float] | None, params: Params | None) -> Subject:
    """What is to be checked; raises for what is no optimizer at all.

    Raises:
        TypeError: for what has no ``init`` and ``update``.
        ValueError: for numbers without a value.
    """
    if isinstance(optimizer, tuple) and len(optimizer) == 2 and all(map(callable, optimizer)):
        init, update = optimizer
    else:
        init, update = getattr(optimizer, "init", None), getattr(optimizer, "update", None)
    if isinstance(optimizer, str):
        raise TypeError(f"an optimizer is a value, not its name: write check.optimizer(fo.optim.{optimizer})")
    if not callable(init) or not callable(update):
        raise TypeError(
            "an optimizer has init(params, **numbers) -> state and update(state, grads) -> state, got "
            f"{type(optimizer).__name__}; write check.optimizer((init, update))"
        )
    weights: Any = jax.tree.map(lambda p: jnp.asarray(p, jnp.float32), START if params is None else params)
    name = getattr(optimizer, "name", None) or type(optimizer).__name__
    init, update = _as_ours(init, update)
    if isinstance(optimizer, Optimizer):
        found = _of_ours(optimizer, weights, dict(numbers or {}))
    else:
        found = _of_signature(init, dict(numbers or {}))
    name = name if name != "tuple" else "optimizer"
    return Subject(name, init, update, found, weights, _extra(update)).compiled()


class Held(NamedTuple):
    """A state of another form than ours, with the parameters where the checks look for them."""

    params: Params
    theirs: Any


def _as_ours(init: Callable[..., Any], update: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The pair as ``update(state, grads) -> state`` with ``state.params``, whichever of three forms it came in.

    The others are optax's, ``update(updates, state, params) -> (updates, state)``, and a state that is a dict.
    """
    names = [p.name for p in inspect.signature(update).parameters.values() if p.kind != p.VAR_KEYWORD]
    if names[1:] and "state" not in names[0] and "state" in names[1]:  # `state`, or `opt_state`

        def begin(params: Params, **numbers: Any) -> Held:
            return Held(params, init(params, **numbers))

        def step(state: Held, grads: Params) -> Held:
            moves, memory = update(grads, state.theirs, state.params)
            return Held(jax.tree.map(_moved, state.params, moves), memory)

        return _signed(begin, init), step

    def unwrapped(state: Any) -> Any:
        return {**state.theirs, "params": state.params} if isinstance(state, Held) else state

    def wrapped(state: Any) -> Any:
        if not isinstance(state, dict) or "params" not in state:
            return state
        return Held(state["params"], {name: part for name, part in state.items() if name != "params"})

    def begun(params: Params, **numbers: Any) -> Any:
        return wrapped(init(params, **numbers))

    def stepped(state: Any, grads: Params, **more: Any) -> Any:
        return wrapped(update(unwrapped(state), grads, **more))

    return _signed(begun, init), _signed(stepped, update)


def _moved(p: Array, u: Array) -> Array:
    f = working_dtype(p)
    return (p.astype(f) + u.astype(f)).astype(p.dtype)


def _signed(function: Callable[..., Any], like: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the arguments that another one is seen to take."""
    function.__signature__ = inspect.signature(like)  # pyright: ignore[reportFunctionMemberAccess]
    return function


def _of_ours(optimizer: Optimizer, params: Params, given: dict[str, Any]) -> dict[str, float]:
    fields: tuple[str, ...] = optimizer.numbers._fields  # pyright: ignore[reportAttributeAccessIssue]
    if "lr" in fields:
        given.setdefault("lr", optimizer.lr)
    hyper = optimizer.init(params, **given).hyper
    return {name: float(getattr(hyper, name)) for name in fields}


def _of_signature(init: Callable[..., Any], given: dict[str, Any]) -> dict[str, float]:
    """Every number that ``init`` takes by name, with its default, a guess for a learning rate, or what was given."""
    parameters = list(inspect.signature(init).parameters.values())[1:]
    named = {p.name: p.default for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    found: dict[str, Any] = {}
    for name in {**named, **given}:
        default = named.get(name, inspect.Parameter.empty)
        value = given.get(name, GUESS.get(name) if default in (inspect.Parameter.empty, None) else default)
        if value is None:
            raise ValueError(f"`{name}` of init has no value to try: write check.optimizer(…, numbers=dict({name}=…))")
        if isinstance(value, bool | int | float):
            found[name] = float(value)
    return found


def _extra(update: Callable[..., Any]) -> tuple[str, ...]:
    parameters = inspect.signature(update).parameters.values()
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        return ("loss",)
    return tuple(name for name in ("loss", "objective") if any(p.name == name for p in parameters))


def _accepted(subject: Subject, number: str, value: float) -> bool:
    try:
        subject.begin(**{number: value})
    except (TypeError, ValueError):
        return False
    return True
