"""Ranges of numbers, each a map from u in [0, 1] to its values; the one home of a range's scale.

One map serves every search. Bounds are leaves, so another sweep of the same names with other bounds compiles nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import ndtri

from fnopt._checks import real, whole

TINY = 2.0**-24  # keeps u inside (0, 1) where a value would be infinite
REACH = -NormalDist().inv_cdf(TINY)  # standard deviations: no draw of a bell lies further from its mean
USUAL = 3.0  # standard deviations of a bell that count as its range where a number is moved
WIDTH = 4.0  # standard deviations that count as the width of a bell
SMALLEST, LARGEST = 2.0**-126, float(np.finfo(np.float32).max)  # of float32, but for 0; what is smaller becomes 0
MOST = 2**31 - 1  # the largest whole number that can be drawn

BELLS = ("normal", "log_normal")
WHOLE = ("integer", "log_integer")
WRITTEN = 12  # characters of a number that was written by hand, at most
Map = Callable[[Any], Any]


def _same(x: Any) -> Any:
    return x


# To a range's own scale, in which its draws are alike, and back: on the host, and for arrays.
_LOG: tuple[Map, Map, Map, Map] = (math.log, math.exp, jnp.log, jnp.exp)
_FLAT: tuple[Map, Map, Map, Map] = (_same, _same, _same, _same)
_DECAY: tuple[Map, Map, Map, Map] = (
    lambda x: -math.log1p(-x),
    lambda s: -math.expm1(-s),
    lambda x: -jnp.log1p(-x),
    lambda s: -jnp.expm1(-s),
)
SCALES = {
    "uniform": _FLAT,
    "integer": _FLAT,
    "normal": _FLAT,
    "log_uniform": _LOG,
    "log_integer": _LOG,
    "log_normal": _LOG,
    "one_minus_log_uniform": _DECAY,
}


@partial(jax.tree_util.register_dataclass, data_fields=["low", "high"], meta_fields=["kind", "points"])
@dataclass(frozen=True)
class Distribution:
    """A range of numbers: ``quantile(u)`` is its value at the share ``u`` of its draws.

    With s the range's own scale (s = x for ``uniform``, ln x for ``log_uniform``, −ln(1 − x) for
    ``one_minus_log_uniform``) the value is s⁻¹((1 − u) s(low) + u s(high)); a bell's is s⁻¹(mean + std Φ⁻¹(u)).
    """

    kind: str
    low: Any  # of a bell the mean, in its own scale
    high: Any  # of a bell the standard deviation
    points: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        return self.kind in WHOLE

    @property
    def bell(self) -> bool:
        """Whether it is a normal distribution, without bounds of its own."""
        return self.kind in BELLS

    def quantile(self, u: Array) -> Array:
        """The value below which the share ``u`` of the draws lies; same shape as ``u``; jit-safe."""
        _, _, to, back = SCALES[self.kind]
        if self.bell:
            return back(self.low + self.high * ndtri(jnp.clip(u, TINY, 1 - TINY)))
        top = self.high + 1 if self.whole else self.high
        x = back(to(self.low) * (1 - u) + to(top) * u)
        return jnp.clip(jnp.floor(x) if self.whole else x, self.low, self.high)

    def from_words(self, words: Array) -> Array:
        """The values at shares of 32 random bits each: float32, or int32 where they are whole; shape of ``words``.

        Those of ``integer`` come by whole arithmetic, low + ⌊word (high − low + 1) / 2³²⌋: the same bits everywhere.
        """
        if self.kind == "integer":
            low, high = (jnp.asarray(x, jnp.int32).astype(jnp.uint32) for x in (self.low, self.high))
            return (low + high_word(words, high - low + 1)).astype(jnp.int32)
        f = jnp.float32
        u = (words >> 8).astype(f) * f(TINY)
        value = Distribution(self.kind, jnp.asarray(self.low, f), jnp.asarray(self.high, f)).quantile(u)
        return value.astype(jnp.int32) if self.whole else value

    def exact(self, x: Any) -> Any:
        """A drawn value as a Python number: what is a bound in float32 is the bound itself, and none lies outside."""
        if self.whole:
            return min(max(int(x), self.low), self.high)
        x = float(x)
        if not self.bell:
            x = next((end for end in (self.low, self.high) if np.float32(end) == np.float32(x)), x)
            x = min(max(x, self.low), self.high)
        return x

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The least and the greatest value that can be drawn."""
        return self._about(REACH)

    @property
    def usual(self) -> tuple[Any, Any]:
        """The same, but that a bell is taken for its mean ± 3 standard deviations."""
        return self._about(USUAL)

    def _about(self, deviations: float) -> tuple[Any, Any]:
        if not self.bell:
            return self.low, self.high
        return tuple(self.unscaled(self.low + k * self.high) for k in (-deviations, deviations))  # pyright: ignore[reportReturnType]

    def scaled(self, x: float) -> float:
        """``x`` in the range's own scale, which rises with x."""
        return SCALES[self.kind][0](x)

    def unscaled(self, s: float) -> float:
        """The x of which this is the value in the range's own scale."""
        return SCALES[self.kind][1](s)

    @property
    def width(self) -> float:
        """How wide the range is in its own scale: four standard deviations of a bell."""
        return WIDTH * self.high if self.bell else self.scaled(self.high) - self.scaled(self.low)

    def to_unit(self, x: float) -> float:
        """The share u of the draws that lie below ``x``, in [0, 1]: the inverse of ``quantile``, in float64."""
        if self.bell:
            return NormalDist(self.low, self.high).cdf(self.scaled(x))
        first = self.scaled(self.low)
        return min(max((self.scaled(min(max(x, self.low), self.high)) - first) / self.width, 0.0), 1.0)

    def from_unit(self, u: float) -> Any:
        """The value at the share ``u``, in float64: ``u`` is clipped to [0, 1], and whole numbers are rounded."""
        u = min(max(u, 0.0), 1.0)
        if self.bell:
            return self.unscaled(NormalDist(self.low, self.high).inv_cdf(min(max(u, TINY), 1 - TINY)))
        x = self.unscaled((1 - u) * self.scaled(self.low) + u * self.scaled(self.high))
        return min(max(math.floor(x + 0.5) if self.whole else x, self.low), self.high)

    def slope(self, x: float) -> float:
        """dx/du at ``x``, with u as in :meth:`to_unit`."""
        each = {"log": x, "one": 1 - x}.get(self.kind.split("_")[0], 1.0)
        if self.bell:
            return each / NormalDist(self.low, self.high).pdf(self.scaled(x))
        return each * self.width

    def __repr__(self) -> str:
        points = "" if self.points is None else f", points={self.points}"
        return f"{self.kind}({shown(self.low)}, {shown(self.high)}{points})"


def high_word(a: Array, b: Array) -> Array:
    """⌊a b / 2³²⌋ of two words of 32 bits, by products of their halves."""
    (a1, a0), (b1, b0) = ((x >> 16, x & 0xFFFF) for x in (a, b))
    cross = a1 * b0, a0 * b1
    middle = ((a0 * b0) >> 16) + (cross[0] & 0xFFFF) + (cross[1] & 0xFFFF)
    return a1 * b1 + (cross[0] >> 16) + (cross[1] >> 16) + (middle >> 16)


def shown(x: float) -> str:
    """A number in six figures, or in as many as one writes where these are few.

    >>> shown(0.1), shown(0.99999999), shown(1 / 3)
    ('0.1', '0.99999999', '0.333333')
    """
    short = f"{float(x):g}"
    return short if float(short) == x or len(repr(x)) > WRITTEN else repr(x)


def _range(kind: str, low: Any, high: Any, points: Any, above: float | None = None) -> Distribution:
    if kind in WHOLE:
        low, high = _whole(kind, "low", low), _whole(kind, "high", high)
    else:
        low, high = real(f"low of {kind}", low), real(f"high of {kind}", high)
    made = Distribution(kind, low, high, None if points is None else whole(f"points of {kind}", points))
    if low > high:
        raise ValueError(f"{made} is reversed; write {kind}({shown(high)}, {shown(low)})")
    if low == high:
        raise ValueError(f"{made} holds one value; write the plain value {shown(low)}")
    if above is not None and low <= above:
        raise ValueError(f"{kind} needs bounds above {above:g}, got {shown(low)}; for a range from 0 use uniform")
    if kind not in WHOLE:
        _in_float32(made, low, high)
    return made


def _in_float32(made: Distribution, *ends: float) -> None:
    """ValueError for ends that float32, in which values are drawn and trained, cannot tell from 0, infinity or 1."""
    for x in ends:
        if abs(x) > LARGEST:
            raise ValueError(f"{made}: {shown(x)} is infinite in float32, which ends at {LARGEST:.3g}")
        if made.kind.startswith("log_") and x < SMALLEST:
            raise ValueError(f"{made}: {shown(x)} is 0 in float32, whose smallest number is {SMALLEST:.3g}")
        if made.kind == "one_minus_log_uniform" and np.float32(x) == 1:
            raise ValueError(f"{made}: {shown(x)} is 1 in float32; write 0.9999999 or less")
    low, high = (float(np.float32(x)) if abs(x) >= SMALLEST else 0.0 for x in ends)
    if low == high:
        one = f"{low:.9g}"
        raise ValueError(f"{made} holds one value in float32, {one}; write the plain value, or a wider range")


def _whole(kind: str, what: str, x: Any) -> int:
    value = real(f"{what} of {kind}", x)
    if not value.is_integer():
        raise ValueError(f"{kind} needs whole bounds, got {shown(value)}")
    if abs(value) > MOST:
        raise ValueError(f"{kind} needs bounds up to 2**31 − 1 = {MOST}, got {shown(value)}")
    return int(value)


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
    if real("high of one_minus_log_uniform", high) >= 1:
        raise ValueError(f"one_minus_log_uniform needs bounds below 1, got {shown(high)}")
    return _range("one_minus_log_uniform", low, high, points)


def integer(low: int, high: int, *, points: int | None = None) -> Distribution:
    """Whole numbers from ``low`` to ``high``, both included.

    >>> integer(1, 3).quantile(jnp.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    return _range("integer", low, high, points)


def log_integer(low: int, high: int, *, points: int | None = None) -> Distribution:
    """Whole numbers from ``low`` to ``high``, both included, every order of magnitude alike; low ≥ 1.

    >>> log_integer(8, 512).quantile(jnp.array([0.0, 1.0])).tolist()
    [8.0, 512.0]
    """
    return _range("log_integer", low, high, points, above=0.0)


def normal(mean: float, std: float, *, points: int | None = None) -> Distribution:
    """Normal with this mean and standard deviation, std > 0; no draw is further than 5.4 std from the mean.

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


def _bell(kind: str, mean: Any, std: Any, points: Any) -> Distribution:
    mean, std = real(f"mean of {kind}", mean), real(f"std of {kind}", std)
    if std <= 0:
        raise ValueError(f"{kind}: `std` must be above 0, got {shown(std)}")
    made = Distribution(kind, mean, std, None if points is None else whole(f"points of {kind}", points))
    try:
        ends = made.bounds
    except OverflowError:
        ends = 0.0, math.inf
    if kind == "log_normal" and ends[0] < SMALLEST:
        raise ValueError(f"{made} reaches below {SMALLEST:.3g}, the smallest number of float32; take a smaller std")
    _in_float32(made, *ends)
    return made
