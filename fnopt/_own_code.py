"""Functions that a user wrote: what arguments they take, and what goes wrong inside them, in one message."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax

CAUGHT = (TypeError, ValueError, LookupError, AttributeError, NameError, AssertionError)  # of code, not of a device
LONG = 160  # letters of an error that a message repeats


def misfit(function: Callable[..., Any], count: int) -> str:
    """What a function takes, in words, where it cannot be called with ``count`` arguments by place; else "".

    >>> misfit(lambda y, outputs: 0.0, 3), misfit(lambda y, outputs, weight: 0.0, 3), misfit(max, 3)
    ('takes (y, outputs)', '', '')
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of C: only a call tells
        return ""
    try:
        signature.bind(*range(count))
    except TypeError:
        return f"takes ({', '.join(str(p.replace(annotation=p.empty)) for p in signature.parameters.values())})"
    return ""


@contextmanager
def inside(what: str, form: str, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """What goes wrong inside, as one error that begins with ``what`` and ends with the cure.

    Args:
        what: whose function it is, as "the score 'margin'".
        form: how such a function is written, as "f(y, outputs, weight) -> scalar".
        but: errors that already say what to write.

    Raises:
        TypeError: for a TypeError, which is its cause.
        ValueError: for another error of code, which is its cause.
    """
    try:
        yield
    except but:
        raise
    except CAUGHT as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        traced = isinstance(error, jax.errors.JAXTypeError | jax.errors.JAXIndexError)
        cure = "; its values are traced: jnp.mean for np.mean, jnp.where for if, no float()" if traced else ""
        raise kind(f"{what} failed with {_told(error)}: write {form}, in jax.numpy{cure}") from error


def _told(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    first = str(error).strip().split("\n", 1)[0]
    first = first if len(first) <= LONG else first[: LONG - 1] + "…"
    return f"{type(error).__name__} ({first})" if first else type(error).__name__
