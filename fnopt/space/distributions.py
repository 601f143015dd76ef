"""Ranges of numbers: each is a number that is still to be drawn, a map from u in [0, 1] to its values.

One map serves every search: random and Sobol draw u, a grid places it. Bounds are leaves, so another sweep of the same
names with other bounds compiles nothing.
"""

from collections.abc import Callable
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
class Distribution:
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


def _range(kind: str, low: Any, high: Any, points: int | None, above: float | None = None) -> Distribution:
    low, high = _number(kind, "low", low), _number(kind, "high", high)
    if low > high:
        raise ValueError(f"{kind}({low:g}, {high:g}) is reversed; write {kind}({high:g}, {low:g})")
    if low == high:
        raise ValueError(f"{kind}({low:g}, {high:g}) holds one value; write the plain value {low:g}")
    if above is not None and low <= above:
        raise ValueError(f"{kind} needs bounds above {above:g}, got {low:g}; for a range from 0 use uniform")
    return Distribution(kind, low, high, _points(kind, points))


def _points(kind: str, points: int | None) -> int | None:
    if points is not None and (not isinstance(points, int) or points < 1):
        raise ValueError(f"{kind}: `points` must be a whole number ≥ 1, got {points!r}")
    return points


def uniform(low: float, high: float, *, points: int | None = None) -> Distribution:
    """Every value between ``low`` and ``high`` alike; ``points`` of them, ends included, in a grid.

    >>> float(uniform(0.0, 2.0).quantile(jnp.array(0.25)))
    0.5
    """
    return _range("uniform", low, high, points)


def log_uniform(low: float, high: float, *, points: int | None = None) -> Distribution:
    """10^r with r uniform: every order of magnitude alike; 0 < low < high.

    >>> round(float(log_uniform(0.001, 1.0).quantile(jnp.array(2 / 3))), 4)
    0.1
    """
    return _range("log_uniform", low, high, points, above=0.0)


def one_minus_log_uniform(low: float, high: float, *, points: int | None = None) -> Distribution:
    """1 − 10^r with r uniform: for decays, where what counts is the distance to 1; low < high < 1.

    >>> round(float(one_minus_log_uniform(0.9, 0.999).quantile(jnp.array(0.5))), 4)
    0.99
    """
    if _number("one_minus_log_uniform", "high", high) >= 1:
        raise ValueError(f"one_minus_log_uniform needs bounds below 1, got {high:g}")
    return _range("one_minus_log_uniform", low, high, points)


def integer(low: int, high: int, *, points: int | None = None) -> Distribution:
    """Whole numbers from ``low`` to ``high``, both included.

    >>> integer(1, 3).quantile(jnp.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    return _range("integer", *_whole("integer", low, high), points)


def log_integer(low: int, high: int, *, points: int | None = None) -> Distribution:
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


def normal(mean: float, std: float, *, points: int | None = None) -> Distribution:
    """Normal with this mean and standard deviation, std > 0.

    >>> float(normal(1.0, 2.0).quantile(jnp.array(0.5)))
    1.0
    """
    return _bell("normal", mean, std, points)


def log_normal(mean: float, std: float, *, points: int | None = None) -> Distribution:
    """exp of a normal with this mean and standard deviation of the logarithm, std > 0.

    >>> float(log_normal(0.0, 1.0).quantile(jnp.array(0.5)))
    1.0
    """
    return _bell("log_normal", mean, std, points)


def _bell(kind: str, mean: Any, std: Any, points: int | None) -> Distribution:
    mean, std = _number(kind, "mean", mean), _number(kind, "std", std)
    if std <= 0:
        raise ValueError(f"{kind}: `std` must be above 0, got {std:g}")
    return Distribution(kind, mean, std, _points(kind, points))
