"""A watch that may fail: its first error ends the run as Ctrl-C does, and what is done is kept."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any


class Guarded:
    """A watch around another one.

    Args:
        watch: whose errors are caught; it hears no more after the first.
        stop: called then, to end the run after its segment.
    """

    def __init__(self, watch: Any, stop: Callable[[], None]):
        self._watch, self._stop, self.error = watch, stop, None

    def start(self, lanes: int, epochs: int) -> None:
        """See ``Watch``."""
        self._call("start", lanes, epochs)

    def tick(self, epochs: int) -> None:
        """See ``Watch``."""
        self._call("tick", epochs)

    def done(self, results: Sequence[Any]) -> None:
        """See ``Watch``."""
        self._call("done", results)

    def __getattr__(self, name: str) -> Any:
        """What else the watch takes."""
        if name.startswith("_") or not hasattr(self._watch, name):
            raise AttributeError(name)
        return lambda *arguments: self._call(name, *arguments)

    def _call(self, name: str, *arguments: Any) -> None:
        if self.error is not None:
            return
        try:
            getattr(self._watch, name)(*arguments)
        except (Exception, KeyboardInterrupt) as error:
            self.error = error
            self._stop()

    def complain(self) -> None:
        """Warn of what it raised, if it did."""
        if self.error is not None:
            warnings.warn(
                f"`progress` raised {type(self.error).__name__}: {self.error}; training ended there as after Ctrl-C, "
                "and what was done is kept",
                stacklevel=3,
            )
