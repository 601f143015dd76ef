"""JAX's own debuggers: programs run step by step where they ask for it, and a thread follows its caller's settings."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

FOLLOWED: Mapping[str, Any] = {  # settings that a caller may enter by ``with``, which hold in its own thread alone
    "jax_disable_jit": jax.disable_jit,
    "jax_debug_nans": jax.debug_nans,
    "jax_debug_infs": jax.debug_infs,
    "jax_check_tracer_leaks": lambda on: jax.checking_leaks() if on else nullcontext(),
    "jax_numpy_dtype_promotion": jax.numpy_dtype_promotion,
    "jax_numpy_rank_promotion": jax.numpy_rank_promotion,
}


def settings() -> dict[str, Any]:
    """What holds in this thread."""
    return {name: _setting(name) for name in FOLLOWED}


@contextmanager
def under(some: Mapping[str, Any]) -> Iterator[None]:
    """These settings in this thread, where it has others: JAX traces again under an equal one too."""
    with ExitStack() as stack:
        for name, value in some.items():
            if _setting(name) != value:
                stack.enter_context(FOLLOWED[name](value))
        yield


def _setting(name: str) -> Any:
    """What holds in this thread; ``jax.config.read`` refuses those that a ``with`` can set."""
    return getattr(jax.config, name)


def eager() -> bool:
    """Whether nothing is to be compiled."""
    return bool(_setting("jax_disable_jit"))


def watched() -> tuple[bool, ...]:
    """Whether NaN, and whether infinities are looked for; () where neither is."""
    looking = bool(_setting("jax_debug_nans")), bool(_setting("jax_debug_infs"))
    return looking if any(looking) else ()


def step_by_step(function: Any, *arguments: Any, **static: Any) -> Any:
    """A jitted function's result without compiling it: each operation by itself, from the user's own line."""
    with jax.disable_jit():
        return function(*jax.tree.map(jnp.asarray, arguments), **static)


def explained(run: Callable[..., Any], again: Callable[..., Any], *arguments: Any) -> Any:
    """``run(*arguments)``; where that holds what is looked for, step by step again, so that the line is known."""
    try:
        return run(*arguments)
    except Exception as error:
        if "FloatingPoint" not in type(error).__name__:
            raise
        again(*arguments)  # which raises where it happens
        raise FloatingPointError(f"{error}: only in the compiled program, and not step by step") from error


STATIC = {"draw": ("trial",), "begin": ("trial",), "advance": ("trial", "objective")}


@cache
def undonated(function: Any) -> Any:
    """A jitted function that leaves its arguments alone, so that it can run again."""
    return jax.jit(function.__wrapped__, static_argnames=STATIC[function.__name__])
