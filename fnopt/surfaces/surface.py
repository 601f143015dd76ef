"""A function of the plane to be minimised, with what is known about it."""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from jax import Array

Pair = tuple[float, float]


class Function(Protocol):
    """``f(point) -> value``; ``point`` is shape=(n,), the value a scalar. It may be differentiated."""

    def __call__(self, point: Array, /) -> Array:
        """The value at one point."""
        ...


class Known(NamedTuple):
    """A critical point, from the literature or by algebra."""

    point: Pair
    kind: str  # "minimum", "maximum", "saddle" or "degenerate"


@dataclass(frozen=True)
class Surface:
    """A frozen value: called with a point, shape=(2,), it gives the height there.

    >>> import jax.numpy as jnp
    >>> from fnopt.surfaces import rosenbrock
    >>> float(rosenbrock(jnp.array([1.0, 1.0])))
    0.0
    """

    name: str
    function: Function = field(repr=False)
    domain: tuple[Pair, Pair]  # (left, right), (bottom, top): what to draw
    start: Pair  # where a descent that is to be seen begins
    critical: tuple[Known, ...] = field(repr=False)  # all critical points in the domain

    def __call__(self, point: Array) -> Array:
        """The height at one point."""
        return self.function(point)
