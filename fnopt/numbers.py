"""Numbers as leaves: checked when concrete, NaN when traced and out of range, resolved where they are schedules."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from fnopt._checks import as_float
from fnopt._types import Searchable

T = TypeVar("T")


class Range(NamedTuple):
    """The values that a number may take: ``[low, high)`` unless said otherwise."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = True

    def __str__(self) -> str:
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def holds(self, x: Any) -> Any:
        """Whether ``x`` lies inside; NaN never does."""
        above = x > self.low if self.open_low else x >= self.low
        below = x < self.high if self.open_high else x <= self.high
        return above & below


REAL = Range(-math.inf, math.inf, open_low=True)
NONNEGATIVE = Range(0, math.inf)
POSITIVE = Range(0, math.inf, open_low=True)
DECAY = Range(0, 1)
FRACTION = Range(0, 1, open_high=False)


def as_number(name: str, x: Any, within: Range = REAL) -> Any:
    """One number as a scalar array; a schedule or a space stays what it is.

    A Python number becomes weakly typed, so that replacing it by another never retraces.

    Raises:
        ValueError: for a vector, and for a concrete value out of range. A traced one becomes NaN there, which the
            fault detector of a run records.
        TypeError: for what is no number: text, a complex one, True where it is not a switch's 1.

    >>> as_number("lr", 0.1, NONNEGATIVE).weak_type
    True
    """
    if isinstance(x, Searchable) or callable(x):
        return x if isinstance(x, Searchable) else _schedule(name, x)
    if isinstance(x, bool | int | float):
        return jnp.asarray(on_host(name, x, within))
    x = _array(name, x, within)
    if isinstance(x, Tracer):
        return jnp.where(within.holds(x), x, jnp.nan)
    if not within.holds(float(x)):  # on the host: inside a jitted function any operation on `x` would be traced
        raise ValueError(f"`{name}` must be in {within}, got {float(x):g}")
    return x


def _schedule(name: str, x: Any) -> Any:
    """A schedule, whose numbers are leaves; TypeError for a plain function, which no compiled program can be given."""
    if any(callable(leaf) for leaf in jax.tree.leaves(x)):
        raise TypeError(
            f"`{name}` is a plain function, and a schedule here is a pytree of numbers that can be called: take one of "
            f"fo.schedules, or register a class of yours with jax.tree_util.register_dataclass; got {x!r}"
        )
    return x


def _array(name: str, x: Any, within: Range) -> Array:
    """One number as a scalar of the default float type, in range or not."""
    try:
        x = jnp.asarray(x)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`{name}` must be a number, a schedule or a space, got {x!r}") from error
    if x.dtype == bool:
        _switch(name, x, within)
    elif not jnp.issubdtype(x.dtype, jnp.integer) and not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"`{name}` must be a real number, a schedule or a space, got dtype {x.dtype}")
    if not jnp.issubdtype(x.dtype, jnp.floating) or x.dtype != jnp.result_type(float):
        x = x.astype(jnp.result_type(float))
    if x.ndim:
        raise ValueError(f"`{name}` is one number, got shape {x.shape}; to train with several, vmap over `init`")
    return x


def spoiling(hyper: T, ranges: Mapping[str, Range], spoilt: Sequence[str]) -> T:
    """:func:`as_numbers` at less cost: where a traced number is out of its range, those named ``spoilt`` become NaN.

    The compiler copies a check into whatever uses the number. Here it copies nothing: all checks come to one factor, 1
    or NaN, that it takes for dear to compute, a root. (It must be one that gives NaN for NaN: some of exp do not.)
    """
    fields = hyper._asdict()  # pyright: ignore[reportAttributeAccessIssue]
    traced = {n: _array(n, x, ranges[n]) for n, x in fields.items() if isinstance(x, Tracer)}
    made = {n: traced[n] if n in traced else as_number(n, x, ranges[n]) for n, x in fields.items()}
    if traced:
        inside = reduce(jnp.logical_and, [ranges[n].holds(x) for n, x in traced.items()])
        factor = jnp.sqrt(jnp.where(inside, 1, jnp.nan).astype(jnp.result_type(float)))
        made |= {n: made[n] * factor for n in spoilt}
    return type(hyper)(**made)


def on_host(name: str, x: Any, within: Range = REAL) -> Any:
    """:func:`as_number` where a Python number may stay one: a sweep checks very many, and needs no array of each.

    >>> on_host("lr", 0.1, NONNEGATIVE)
    0.1
    """
    if not isinstance(x, bool | int | float):
        return as_number(name, x, within)
    if isinstance(x, bool):
        _switch(name, x, within)
    x = as_float(x)
    rounded = float(np.float64(x) if jax.config.read("jax_enable_x64") else np.float32(x))
    if not within.holds(rounded):
        raise ValueError(f"`{name}` must be in {within}, got {rounded:g}")
    if x < within.high == rounded:  # a rate that keeps something would keep nothing
        raise ValueError(f"`{name}` is {rounded:g} in float32, got {x!r}; write {rounded:g}, or 0.9999999 at most")
    return x


def _switch(name: str, x: Any, within: Range) -> None:
    """TypeError for a truth value, but where the number goes from off to on, or may be anything."""
    if within not in (FRACTION, REAL):
        raise TypeError(f"`{name}` must be a number in {within}, got {x!r}; True stands for 1 in a switch alone")


def scalar(name: str, x: Any, within: Range, dtype: Any) -> Array:
    """One number as a scalar of ``dtype``, checked as in :func:`as_number`, for a function that has no step.

    Raises:
        TypeError: for a schedule or a space, besides what :func:`as_number` raises.

    >>> scalar("strength", 0.5, NONNEGATIVE, jnp.bfloat16)
    Array(0.5, dtype=bfloat16)
    """
    number = x if callable(x) else as_number(name, x, within)
    if not isinstance(number, Array):
        raise TypeError(f"`{name}` must be a number here, got {x!r}; call a schedule with its step, draw from a space")
    return number.astype(dtype)


def as_numbers(hyper: T, ranges: Mapping[str, Range], check: Callable[[str, Any, Range], Any] = as_number) -> T:
    """Each field of a NamedTuple of numbers through :func:`as_number`, or through :func:`on_host`."""
    fields = hyper._asdict()  # pyright: ignore[reportAttributeAccessIssue]
    return type(hyper)(**{name: check(name, x, ranges[name]) for name, x in fields.items()})


def resolve(hyper: T, step: Array) -> T:
    """The numbers at ``step`` (updates already done), as arrays: schedules called, scalars as they are."""
    return jax.tree.map(lambda h: jnp.asarray(h(step) if callable(h) else h), hyper, is_leaf=callable)
