"""A choice between values, and a name that exists only under certain choices."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt.space.distributions import Distribution


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

    >>> from fnopt.space import one_minus_log_uniform
    >>> when(optimizer="adam", b1=one_minus_log_uniform(0.5, 0.999)).conditions("b1")
    {'optimizer': 'adam'}
    """
    return When(tuple(given.items()))


def is_space(x: Any) -> bool:
    """Whether this is still to be drawn."""
    return isinstance(x, Distribution | Choice | When)
