"""How optimizers are pickled and copied: by name or by what builds them, so that what comes back is equal."""

import copyreg
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from fnopt._types import Optimizer
from fnopt.optim._table import NAMES, TABLE
from fnopt.optim.wrappers import WRAPPERS


def reduced(optimizer: Optimizer) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A function of a module and arguments that give this optimizer; its fields, where it is a user's own.

    >>> from fnopt.optim import adam, clip_by_global_norm
    >>> make, arguments = reduced(clip_by_global_norm(adam))
    >>> make(*arguments) == clip_by_global_norm(adam)
    True
    """
    if TABLE.get(optimizer.name) == optimizer:
        return named, (optimizer.name,)
    name, inside, settings = optimizer.recipe or ("", optimizer, ())
    if name in WRAPPERS and WRAPPERS[name](inside, *settings) == optimizer:
        return wrapped, (name, inside, settings)
    if optimizer.maker is not None:
        make, arguments = optimizer.maker
        return make, arguments
    return Optimizer, tuple(getattr(optimizer, f.name) for f in fields(optimizer))


def named(name: str) -> Optimizer:
    """The optimizer of this name."""
    if name not in NAMES:
        raise ValueError(f"unknown optimizer {name!r}; was it pickled by another fnopt?")
    return TABLE[name]


def wrapped(name: str, inside: Optimizer, settings: tuple[Any, ...]) -> Optimizer:
    """The wrapper of this name around an optimizer."""
    return WRAPPERS[name](inside, *settings)


copyreg.pickle(Optimizer, reduced)
