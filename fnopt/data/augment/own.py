"""Anyone's own pure function as an augmentation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt.data.augment.base import Augmentation, Strength
from fnopt.numbers import REAL


class Undeclared(KeyError):
    """A number that a function reads and that was not declared."""

    def __str__(self) -> str:
        return str(self.args[0])


class Numbers(dict[str, Any]):
    """The declared numbers by name; any other name raises with the cure."""

    def __missing__(self, name: str) -> Any:
        raise Undeclared(
            f"`hyper` has no number {name!r} (it has {', '.join(map(repr, self)) or 'none'}): declare it, "
            f"fo.data.augment.augmentation(f, dict({name}=…))"
        )


@dataclass(frozen=True)
class Own(Augmentation):
    """See :func:`augmentation`."""

    function: Callable[..., Any]
    numbers: tuple[tuple[str, float], ...] = ()
    evaluation: Callable[[Array], Any] | None = None

    @property
    def strengths(self) -> dict[str, Strength]:
        """The declared numbers, of any size."""
        return {name: Strength(default, REAL) for name, default in self.numbers}

    @property
    def resizes(self) -> bool:
        """Whether it says what a model sees outside training."""
        return self.evaluation is not None

    def evaluated(self, x: Array) -> Array:
        """What ``evaluation`` makes of x."""
        return x if self.evaluation is None else jnp.asarray(self.evaluation(x))

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """What the function makes of x."""
        made = self.function(key, x, Numbers({name: hyper[name] for name, _ in self.numbers}))
        if not isinstance(made, jax.Array):
            raise TypeError(f"an augmentation must return x, changed: one array, got a {type(made).__name__}")
        return made


def augmentation(
    function: Callable[..., Any],
    numbers: Mapping[str, float] | None = None,
    evaluation: Callable[[Array], Any] | None = None,
) -> Own:
    """A pure function ``(key, x, hyper) -> x`` of one's own.

    Args:
        function: x is a batch as the model sees it, shape=(b, …). What it returns has as many rows and the same type.
            Keep it at module level, or make it once: a lambda made anew is another program.
        numbers: what it reads of ``hyper``, with the values that they have unless given. They join the model's own.
        evaluation: ``x -> x``, what the model sees outside training, of the shape that ``function`` returns. None: x as
            it is; ``function`` then keeps the shape.

    Raises:
        TypeError: for what is no function, or not hashable.

    >>> def brighter(key, x, hyper):
    ...     return x + hyper["bright"] * jax.random.uniform(key)
    >>> augmentation(brighter, dict(bright=0.1)).strengths["bright"].default
    0.1
    """
    for name, given in (("function", function), ("evaluation", evaluation)):
        if not callable(given) and not (name == "evaluation" and given is None):
            raise TypeError(f"`{name}` must be a function, got {type(given).__name__}")
    made = Own(function, tuple(sorted((name, float(x)) for name, x in (numbers or {}).items())), evaluation)
    try:
        hash(made)
    except TypeError as error:
        raise TypeError(
            "an augmentation must be hashable, for it names a program: wrap it in a plain function"
        ) from error
    return made
