"""A choice between values, and a name that exists only under certain choices."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from fnopt._checks import brief
from fnopt.space.distributions import Distribution


@dataclass(frozen=True)
class Choice:
    """One of several values, each alike; a value may be structure, a number, a range, or a schedule that holds some."""

    options: tuple[Any, ...]

    def quantile(self, u: Any) -> Any:
        """Which option: floor(u K), shape of ``u``, integers."""
        k, lib = len(self.options), np if isinstance(u, np.ndarray) else jnp  # on the host, nothing to compile
        return lib.clip(lib.floor(u * k), 0, k - 1).astype(np.int32)

    def from_words(self, words: np.ndarray) -> np.ndarray:
        """Which option at shares of 32 random bits each: ⌊word K / 2³²⌋, shape of ``words``."""
        return (words.astype(np.uint64) * np.uint64(len(self.options))) >> np.uint64(32)

    @property
    def numeric(self) -> bool:
        """Whether all options are numbers; True and False are, as a switch has them."""
        return all(type(option) in (bool, int, float) for option in self.options)

    def __repr__(self) -> str:
        return f"choice({', '.join(map(brief, self.options))})"


def choice(*options: Any) -> Choice:
    """One of the options, each alike.

    An option may be a number, a name, an optimizer, a tuple of widths, a range, or a schedule that holds ranges, which
    are drawn where that option is.

    Raises:
        ValueError: without options, and for one that holds the options inside, as ``choice([32, 64])``.
        TypeError: for an option that is a set, a dict or a condition.

    >>> choice(32, 64, 128).quantile(jnp.array([0.0, 0.5, 0.99])).tolist()
    [0, 1, 2]
    """
    if not options:
        raise ValueError("choice() is empty; name at least one option, as in choice(32, 64)")
    if len(options) == 1 and (inside := _inside(options[0])) is not None:
        raise ValueError(
            f"choice of one option; it takes its options one by one: write choice({inside}), or leave choice out if it "
            "is one value"
        )
    for option in options:
        if isinstance(option, Mapping):
            raise TypeError(
                f"choice takes values, and {option!r} is a dict: write each name of it beside the choice, as in "
                'optimizer=choice("adam", "sgd"), b1=when(optimizer="adam", b1=uniform(0.5, 0.99))'
            )
        if isinstance(option, When):
            raise TypeError(
                f"{option!r} stands inside a choice; `when` is the value of a name, as in "
                'b1=when(optimizer="adam", b1=uniform(0.5, 0.99))'
            )
        if isinstance(option, Set | range) or (hasattr(option, "__next__")):
            raise TypeError(f"choice takes its options one by one, and {option!r} is several: write choice(*…)")
    return Choice(tuple(map(normal, options)))


def _inside(option: Any) -> str | None:
    """What stands inside an option that holds several, as one would write it; None where it is one value."""
    if isinstance(option, str | bytes | Mapping) or is_space(option) or callable(option):
        return None
    if isinstance(option, range):
        return f"*{option!r}"
    if not isinstance(option, Iterable) or getattr(option, "ndim", 1) == 0:
        return None
    if hasattr(option, "__next__"):
        return "*…"
    some = list(option)
    parts = [repr(normal(x)) for x in (sorted(some, key=repr) if isinstance(option, Set) else some)]
    return ", ".join(parts[:6]) + (", …" if len(parts) > 6 else "")


def normal(value: Any) -> Any:
    """A value with the scalars of NumPy and JAX as Python numbers that are equal to them, and lists as tuples.

    >>> normal([np.float64(0.5), np.int8(3), "a"])
    (0.5, 3, 'a')
    """
    if isinstance(value, list) or type(value) is tuple:
        return tuple(map(normal, value))
    if isinstance(value, Tracer) or not isinstance(value, np.generic | np.ndarray | jax.Array):
        return value
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        return value
    if value.ndim == 0:
        item = np.asarray(value).item()
        return float(item) if isinstance(item, np.floating) else item
    return tuple(map(normal, np.asarray(value))) if value.ndim == 1 else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are one option: 1, 1.0 and True are different ones.

    >>> same(1, np.int64(1)), same(1, 1.0)
    (True, False)
    """
    (some, shape), (rest, wanted) = (jax.tree.flatten(normal(x)) for x in (one, other))
    return shape == wanted and all(map(_same, some, rest))


def _same(one: Any, other: Any) -> bool:
    one, other = normal(one), normal(other)
    return one is other or (type(one) is type(other) and bool(np.all(one == other)))


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

    >>> from fnopt.space import one_minus_log_uniform
    >>> when(optimizer="adam", b1=one_minus_log_uniform(0.5, 0.999)).conditions("b1")
    {'optimizer': 'adam'}
    """
    plain = {k: [normal(x) for x in v] if isinstance(v, list) else normal(v) for k, v in given.items()}
    return When(tuple(plain.items()))


def is_space(x: Any) -> bool:
    """Whether this is still to be drawn."""
    return isinstance(x, Distribution | Choice | When)
