"""Anyone's own pure function as an augmentation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt._own_code import inside, misfit
from fnopt.data.augment.base import Augmentation, Strength
from fnopt.numbers import REAL

FORM = "(key, batch, hyper) -> batch"


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
        if self.evaluation is None:
            return x
        with inside("`evaluation` of the augmentation", "batch -> batch"):
            return jnp.asarray(self.evaluation(x))

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """What the function makes of x."""
        numbers = Numbers({name: hyper[name] for name, _ in self.numbers})
        with inside(f"`augment` {_name(self.function)}", f"a function {FORM}", but=(Undeclared,)):
            made = self.function(key, x, numbers)
        if not isinstance(made, jax.Array):
            got = "None" if made is None else f"a {type(made).__name__}"
            raise TypeError(
                f"an augmentation must return x, changed: one array, got {got}; `augment` is a function {FORM}, in "
                "jax.numpy"
            )
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
        TypeError: for what is no function of these arguments, or not hashable.

    >>> def brighter(key, x, hyper):
    ...     return x + hyper["bright"] * jax.random.uniform(key)
    >>> augmentation(brighter, dict(bright=0.1)).strengths["bright"].default
    0.1
    """
    for name, given in (("function", function), ("evaluation", evaluation)):
        if not callable(given) and not (name == "evaluation" and given is None):
            raise TypeError(f"`{name}` must be a function, got {type(given).__name__}")
    if taken := misfit(function, 3):
        raise TypeError(f"`augment` must be a function {FORM}; {_name(function)} {taken}")
    if evaluation is not None and (taken := misfit(evaluation, 1)):
        raise TypeError(f"`evaluation` must be a function batch -> batch; {_name(evaluation)} {taken}")
    made = Own(function, tuple(sorted((name, float(x)) for name, x in (numbers or {}).items())), evaluation)
    try:
        hash(made)
    except TypeError as error:
        raise TypeError(
            "an augmentation must be hashable, for it names a program: wrap it in a plain function"
        ) from error
    return made


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
