"""A word on the terminal while Python imports JAX, which takes a second or two."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting() -> Iterator[None]:
    """Show ``starting …`` on a terminal's stderr within, and take it away again; nothing elsewhere."""
    shown = sys.stderr is not None and sys.stderr.isatty()
    if shown:
        print("starting …", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r          \r", end="", file=sys.stderr, flush=True)
