"""Search spaces: each is a number that is still to be drawn, a map from u in [0, 1] to its values.

One map serves every search: random and Sobol draw u, a grid places it. Bounds are leaves, so another sweep of the same
names with other bounds compiles nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import ndtri

TINY = 2.0**-24  # keeps u inside (0, 1) where a value would be infinite


@partial(jax.tree_util.register_dataclass, data_fields=["low", "high"], meta_fields=["kind", "points"])
@dataclass(frozen=True)
class Space:
    """A range of numbers: ``quantile(u)`` is its value at the share ``u`` of its draws."""

    kind: str
    low: Any
    high: Any
    points: int | None = None

    def quantile(self, u: Array) -> Array:
        """The value below which the share ``u`` of the draws lies; same shape as ``u``."""
        return QUANTILES[self.kind](u, self.low, self.high)

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        return self.kind in ("integer", "log_integer")

    def __repr__(self) -> str:
        low, high = (f"{float(x):g}" for x in (self.low, self.high))
        points = "" if self.points is None else f", points={self.points}"
        return f"{self.kind}({low}, {high}{points})"


def _integer(u: Array, low: Any, high: Any) -> Array:
    return jnp.clip(jnp.floor(low + u * (high - low + 1)), low, high)


def _log(u: Array, low: Any, high: Any) -> Array:
    return jnp.clip(jnp.exp(jnp.log(low) + u * (jnp.log(high) - jnp.log(low))), low, high)


def _log_integer(u: Array, low: Any, high: Any) -> Array:
    return jnp.clip(jnp.floor(_log(u, low, high + 1)), low, high)


def _normal(u: Array, mean: Any, std: Any) -> Array:
    return mean + std * ndtri(jnp.clip(u, TINY, 1 - TINY))


QUANTILES: dict[str, Callable[[Array, Any, Any], Array]] = {
    "uniform": lambda u, low, high: jnp.clip(low + u * (high - low), low, high),
    "log_uniform": _log,
    "one_minus_log_uniform": lambda u, low, high: jnp.clip(1 - _log(1 - u, 1 - high, 1 - low), low, high),
    "integer": _integer,
    "log_integer": _log_integer,
    "normal": _normal,
    "log_normal": lambda u, mean, std: jnp.exp(_normal(u, mean, std)),
}


def _number(name: str, what: str, x: Any) -> float:
    try:
        value = float(x)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: `{what}` must be a number, got {x!r}") from error
    if not np.isfinite(value):
        raise ValueError(f"{name}: `{what}` must be finite, got {value}")
    return value


def _range(kind: str, low: Any, high: Any, points: int | None, above: float | None = None) -> Space:
    low, high = _number(kind, "low", low), _number(kind, "high", high)
    if low > high:
        raise ValueError(f"{kind}({low:g}, {high:g}) is reversed; write {kind}({high:g}, {low:g})")
    if low == high:
        raise ValueError(f"{kind}({low:g}, {high:g}) holds one value; write the plain value {low:g}")
    if above is not None and low <= above:
        raise ValueError(f"{kind} needs bounds above {above:g}, got {low:g}; for a range from 0 use uniform")
    return Space(kind, low, high, _points(kind, points))


def _points(kind: str, points: int | None) -> int | None:
    if points is not None and (not isinstance(points, int) or points < 1):
        raise ValueError(f"{kind}: `points` must be a whole number ≥ 1, got {points!r}")
    return points


def uniform(low: float, high: float, *, points: int | None = None) -> Space:
    """Every value between ``low`` and ``high`` alike; ``points`` of them, ends included, in a grid.

    >>> float(uniform(0.0, 2.0).quantile(jnp.array(0.25)))
    0.5
    """
    return _range("uniform", low, high, points)


def log_uniform(low: float, high: float, *, points: int | None = None) -> Space:
    """10^r with r uniform: every order of magnitude alike; 0 < low < high.

    >>> round(float(log_uniform(0.001, 1.0).quantile(jnp.array(2 / 3))), 4)
    0.1
    """
    return _range("log_uniform", low, high, points, above=0.0)


def one_minus_log_uniform(low: float, high: float, *, points: int | None = None) -> Space:
    """1 − 10^r with r uniform: for decays, where what counts is the distance to 1; low < high < 1.

    >>> round(float(one_minus_log_uniform(0.9, 0.999).quantile(jnp.array(0.5))), 4)
    0.99
    """
    if _number("one_minus_log_uniform", "high", high) >= 1:
        raise ValueError(f"one_minus_log_uniform needs bounds below 1, got {high:g}")
    return _range("one_minus_log_uniform", low, high, points)


def integer(low: int, high: int, *, points: int | None = None) -> Space:
    """Whole numbers from ``low`` to ``high``, both included.

    >>> integer(1, 3).quantile(jnp.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    return _range("integer", *_whole("integer", low, high), points)


def log_integer(low: int, high: int, *, points: int | None = None) -> Space:
    """Whole numbers from ``low`` to ``high``, both included, every order of magnitude alike; low ≥ 1.

    >>> log_integer(8, 512).quantile(jnp.array([0.0, 1.0])).tolist()
    [8.0, 512.0]
    """
    return _range("log_integer", *_whole("log_integer", low, high), points, above=0.0)


def _whole(kind: str, low: Any, high: Any) -> tuple[int, int]:
    low, high = _number(kind, "low", low), _number(kind, "high", high)
    if int(low) != low or int(high) != high:
        raise ValueError(f"{kind} needs whole bounds, got {low:g} and {high:g}")
    return int(low), int(high)


def normal(mean: float, std: float, *, points: int | None = None) -> Space:
    """Normal with this mean and standard deviation, std > 0.

    >>> float(normal(1.0, 2.0).quantile(jnp.array(0.5)))
    1.0
    """
    return _bell("normal", mean, std, points)


def log_normal(mean: float, std: float, *, points: int | None = None) -> Space:
    """exp of a normal with this mean and standard deviation of the logarithm, std > 0.

    >>> float(log_normal(0.0, 1.0).quantile(jnp.array(0.5)))
    1.0
    """
    return _bell("log_normal", mean, std, points)


def _bell(kind: str, mean: Any, std: Any, points: int | None) -> Space:
    mean, std = _number(kind, "mean", mean), _number(kind, "std", std)
    if std <= 0:
        raise ValueError(f"{kind}: `std` must be above 0, got {std:g}")
    return Space(kind, mean, std, _points(kind, points))


@dataclass(frozen=True)
class Choice:
    """One of several values, each alike; a value may be structure, a number or a schedule."""

    options: tuple[Any, ...]

    def quantile(self, u: Any) -> Any:
        """Which option: floor(u K), shape of ``u``, integers."""
        k, lib = len(self.options), np if isinstance(u, np.ndarray) else jnp  # on the host, nothing to compile
        return lib.clip(lib.floor(u * k), 0, k - 1).astype(np.int32)

    def __repr__(self) -> str:
        return f"choice({', '.join(map(repr, self.options))})"


def choice(*options: Any) -> Choice:
    """One of the options, each alike.

    >>> choice(32, 64, 128).quantile(jnp.array([0.0, 0.5, 0.99])).tolist()
    [0, 1, 2]
    """
    if not options:
        raise ValueError("choice() is empty; name at least one option, as in choice(32, 64)")
    return Choice(tuple(tuple(o) if isinstance(o, list) else o for o in options))


@dataclass(frozen=True)
class When:
    """A name that exists only under certain choices."""

    given: tuple[tuple[str, Any], ...]

    def quantile(self, u: Array) -> Array:
        """Not a range itself: :func:`value_of` finds the one inside."""
        raise TypeError("when(…) stands as the value of a name in a space, not inside another value")

    def value_of(self, name: str) -> Any:
        """The space or value of ``name``, which ``when`` must give."""
        inside = dict(self.given)
        if name not in inside:
            given = ", ".join(f"{key}=…" for key in inside)
            raise ValueError(f"{name}=when({given}) must give {name} itself: {name}=when({given}, {name}=…)")
        return inside[name]

    def conditions(self, name: str) -> dict[str, Any]:
        """The names that must hold these values; a list means any of them."""
        return {key: value for key, value in self.given if key != name}

    def __repr__(self) -> str:
        return f"when({', '.join(f'{key}={value!r}' for key, value in self.given)})"


def when(**given: Any) -> When:
    """A number or a structure that exists only where other names have these values.

    >>> when(optimizer="adam", b1=one_minus_log_uniform(0.5, 0.999)).conditions("b1")
    {'optimizer': 'adam'}
    """
    return When(tuple(given.items()))


def is_space(x: Any) -> bool:
    """Whether this is still to be drawn."""
    return isinstance(x, Space | Choice | When)


def grid_points(space: Any, default: int) -> Iterable[Any]:
    """The values of one axis of a grid: ``points`` of a range, ends included, or all options."""
    if isinstance(space, Choice):
        return space.options
    if space.whole and space.points is None and space.high - space.low < default:
        return [int(v) for v in np.arange(space.low, space.high + 1)]
    k = space.points or default
    bell = space.kind in ("normal", "log_normal")
    u = (np.arange(k) + 0.5) / k if bell else np.linspace(0, 1, k) if k > 1 else np.array([0.5])
    values = np.asarray(space.quantile(jnp.asarray(u, jnp.result_type(float))))
    return list(dict.fromkeys(map(int if space.whole else float, values)))
