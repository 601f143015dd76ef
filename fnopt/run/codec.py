"""Hyperparameters as plain JSON and back: numbers, names, tuples and schedules; nothing executable."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import jax
import numpy as np

from fnopt import optim, schedules
from fnopt._checks import one_of, real, whole
from fnopt._types import Optimizer
from fnopt.space import Choice, Distribution, When
from fnopt.space.distributions import SCALES


def encode(value: Any) -> Any:
    """A value as JSON has it: tuples as ``{"tuple": …}``, schedules by name and fields, optimizers by name.

    A wrapped optimizer is described by the wrapper's name, the optimizer inside, and what else the wrapper was given.

    >>> decode(encode({"hidden": (64, 64), "lr": 0.1}))
    {'hidden': (64, 64), 'lr': 0.1}
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Optimizer):
        return _described(value)
    if isinstance(value, Distribution):
        return {"range": [value.kind, value.low, value.high, value.points]}
    if isinstance(value, Choice):
        return {"choice": [encode(option) for option in value.options]}
    if isinstance(value, When):
        return {"when": {name: _any(one) if isinstance(one, list) else encode(one) for name, one in value.given}}
    if isinstance(value, Unsaved):
        return {"unsaved": value.what}
    if isinstance(value, jax.Array | np.ndarray | np.generic) and np.ndim(value) == 0:
        return np.asarray(value).item()
    if isinstance(value, tuple | list):
        return {"tuple": [encode(v) for v in value]}
    if isinstance(value, Mapping):
        return {"dict": {str(k): encode(v) for k, v in value.items()}}
    if is_dataclass(value) and hasattr(schedules, type(value).__name__):
        return {
            "schedule": type(value).__name__,
            "fields": {f.name: encode(getattr(value, f.name)) for f in fields(value)},
        }
    raise ValueError(f"a {type(value).__name__} cannot be written to a file: {value!r}")


@dataclass(frozen=True)
class Unsaved:
    """In place of what was a user's own, in the configuration of a loaded model: a file holds no functions."""

    what: str

    def __repr__(self) -> str:
        return f"<{self.what}, not in the file>"


def encoded_or_named(value: Any) -> Any:
    """As :func:`encode`; what cannot be written, as an optimizer of the user's own, by its name alone.

    >>> decode(encoded_or_named(print))
    <builtin_function_or_method, not in the file>
    """
    try:
        return encode(value)
    except ValueError:
        return {"unsaved": str(getattr(value, "name", type(value).__name__))}


def decode(value: Any) -> Any:
    """The value that :func:`encode` wrote."""
    if not isinstance(value, dict):
        return value
    if "range" in value:
        kind, low, high, points = value["range"]
        one_of("kind of range", kind, SCALES)
        low, high = (x if type(x) is int else real("a bound", x) for x in (low, high))
        return Distribution(kind, low, high, None if points is None else whole("points", points))
    if "choice" in value:
        return Choice(tuple(decode(option) for option in value["choice"]))
    if "when" in value:
        return When(tuple((name, decode(one)) for name, one in value["when"].items()))
    if "any" in value:
        return [decode(one) for one in value["any"]]
    if "unsaved" in value:
        return Unsaved(str(value["unsaved"]))
    if "tuple" in value:
        return tuple(decode(v) for v in value["tuple"])
    if "dict" in value:
        return {k: decode(v) for k, v in value["dict"].items()}
    if "wrapper" in value:
        wrapper = optim.WRAPPERS.get(value["wrapper"])
        if wrapper is None:
            raise ValueError(f"unknown optimizer {value['wrapper']!r} in a file; was it written by a newer fnopt?")
        inside = decode(value["inside"])
        return wrapper(optim.by_name(inside) if isinstance(inside, str) else inside, *decode(value["settings"]))
    if "schedule" in value:
        kind = getattr(schedules, value["schedule"], None)
        if not (isinstance(kind, type) and is_dataclass(kind)):
            raise ValueError(f"unknown schedule {value['schedule']!r} in a file; was it written by a newer fnopt?")
        return kind(**{name: decode(v) for name, v in value["fields"].items()})
    raise ValueError(f"cannot read {value!r}; was it written by a newer fnopt?")


def _any(values: list[Any]) -> Any:
    return {"any": [encode(one) for one in values]}


def _described(optimizer: Optimizer) -> Any:
    """An optimizer by name, a wrapped one by the names that it is made of; ValueError for anybody's own."""
    if optimizer.name in optim.NAMES and optim.by_name(optimizer.name) == optimizer:
        return optimizer.name
    name, inside, settings = optimizer.recipe or ("", optimizer, ())
    if name in optim.WRAPPERS and optim.WRAPPERS[name](inside, *settings) == optimizer:
        return {"wrapper": name, "inside": _described(inside), "settings": encode(settings)}
    raise ValueError(f"optimizer {optimizer.name!r} is not one of fnopt's own and cannot be written to a file")
