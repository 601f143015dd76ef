"""A process that was forked after JAX was used: its threads are gone, and whatever waits for them waits for ever."""

import os
import sys

_forked = False


def _mark() -> None:
    """Remember, in a child, whether JAX had devices before the fork."""
    global _forked
    used = getattr(sys.modules.get("jax._src.xla_bridge"), "backends_are_initialized", None)
    _forked = _forked or (used is not None and bool(used()))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_mark)


def check_fork() -> None:
    """Raise RuntimeError in a child in which JAX would hang.

    >>> check_fork()
    """
    if _forked:
        raise RuntimeError(
            "this process was forked after JAX was used, and JAX cannot be used in it: start a new process, as "
            "multiprocessing.get_context('spawn') and joblib's loky do"
        )
