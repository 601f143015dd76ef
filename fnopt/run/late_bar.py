"""A bar for a training that lasts, on a terminal."""

import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec

from fnopt.run.notebook import in_notebook
from fnopt.run.run import watch_of
from fnopt.sweep.drive import Silent, Watch
from fnopt.sweep.result import LaneResult

LASTS = 2.0  # seconds that are still to come when a bar is drawn


def late_bar() -> Watch:
    """A bar that is drawn once training turns out to last; nothing where there is no terminal, or no rich."""
    shown = in_notebook() or (sys.stdout.isatty() and find_spec("rich") is not None)
    return LateBar() if shown else Silent()


class LateBar:
    """Silent until the epochs so far say that more than two seconds are still to come, then a ``Bar``."""

    def __init__(self) -> None:
        self._bar: Watch | None = None
        self._begun = 0.0
        self._lanes = self._epochs = self._made = 0

    def start(self, lanes: int, epochs: int) -> None:
        """Remember how much there is to do; the clock starts with the first epochs that are done."""
        self._lanes, self._epochs, self._made, self._begun = lanes, epochs, 0, 0.0

    def tick(self, epochs: int) -> None:
        """Count ``epochs`` more as done; draw the bar where many seconds are left."""
        now, self._made = time.monotonic(), self._made + epochs
        if self._bar is not None:
            self._bar.tick(epochs)
        elif not self._begun:  # the first step compiled; what comes is quicker
            self._begun, self._first = now, self._made
        elif (now - self._begun) * (self._epochs - self._made) > LASTS * (self._made - self._first):
            self._bar = watch_of(True)
            self._bar.start(self._lanes, self._epochs)
            self._bar.tick(self._made)

    def done(self, results: Sequence[LaneResult]) -> None:
        """Leave the bar as it stands, if there is one."""
        if self._bar is not None:
            self._bar.done(results)
