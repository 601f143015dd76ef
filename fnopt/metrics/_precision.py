"""The type that a score is computed in: that of its data, so that no cast loses what the data tell apart."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np
from jax import Array
from jax.core import Tracer

from fnopt.metrics._inputs import known

P = ParamSpec("P")
R = TypeVar("R")

COUNTED = 2**24  # float32 counts up to here one by one


def exact(*data: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The score in float64 where its data are known and wider than float32, else as it is.

    Lists, and NumPy's float64 and 64-bit integers, give a number or an array of NumPy's in float64, from the CPU.
    JAX's arrays, traced ones, and NumPy's of at most 32 bits are left to the score, in the default floating type.

    Args:
        data: the arguments whose types decide; ``weight`` does too, unless all of these are JAX's arrays.
    """

    def decorated(score: Callable[P, R]) -> Callable[P, R]:
        positional = [name for name, p in signature(score).parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]

        @wraps(score)
        def scored(*args: P.args, **kwargs: P.kwargs) -> R:
            given = {**dict(zip(positional, args, strict=False)), **kwargs}
            if not _wide(given, data):
                return score(*args, **kwargs)
            with ExitStack() as stack:
                for setting in (jax.ensure_compile_time_eval(), jax.enable_x64(True), *_on_cpu()):
                    stack.enter_context(setting)
                return jax.tree.map(_of_numpy, score(*args, **kwargs))

        return scored

    return decorated


def _wide(given: dict[str, Any], data: tuple[str, ...]) -> bool:
    """Whether float64 is needed, and possible: nothing is traced."""
    if any(isinstance(x, Tracer) for x in given.values()):
        return False
    deciding = {name: given[name] for name in data if name in given}
    if given.get("weight") is not None and not all(isinstance(x, Array) for x in deciding.values()):
        deciding["weight"] = given["weight"]
    return any(_is_wide(name, x) for name, x in deciding.items())


def _is_wide(name: str, x: Any) -> bool:
    """Whether the values are known and may not fit float32 and int32, one by one or in number."""
    if isinstance(x, Array):
        return x.shape[:1] > (COUNTED,)
    listed, x = not hasattr(x, "dtype"), known(name, x)
    if isinstance(x, Tracer):  # a list of traced numbers
        return False
    return listed or x.dtype.itemsize > 4 or x.dtype == np.uint32 or x.shape[:1] > (COUNTED,)


def _on_cpu() -> list[Any]:
    """What makes the CPU the default device, where there is one to speak to."""
    try:
        return [jax.default_device(jax.devices("cpu")[0])]
    except RuntimeError:
        return []


def _of_numpy(x: Any) -> Any:
    return np.asarray(x, np.float64)[()]
