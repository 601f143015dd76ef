"""A progress bar in a notebook: a piece of HTML that is drawn again a few times a second."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from fnopt import _html as html
from fnopt.run.progress import Leaders, stopping_text
from fnopt.sweep.result import LaneResult
from fnopt.train import Objective

EVERY = 0.25  # seconds between two drawings


def in_notebook() -> bool:
    """Whether this process runs the cells of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


class NotebookBar:
    """Progress, the time left and, in a sweep, the best configuration so far."""

    def __init__(self, objective: Objective | None = None, display: Any = None):
        self._leaders = None if objective is None else Leaders(objective)
        self._display, self._handle, self._note = display, None, ""
        self._begun = self._drawn = 0.0
        self._lanes = self._epochs = self._finished = self._ticked = 0

    def start(self, lanes: int, epochs: int) -> None:
        """Draw the empty bar."""
        if self._leaders is not None:
            self._leaders.forget()
        self._lanes, self._epochs, self._finished, self._ticked = lanes, max(epochs, 1), 0, 0
        self._begun, self._note = time.monotonic(), ""
        self._draw(True)

    def compiling(self, number: int, programs: int) -> None:
        """Say which program is compiled; number 0 where none is."""
        self._note = f"compiling {number} of {programs}" if number else ""
        self._draw()

    def stopping(self, compiles: bool) -> None:
        """Say that the interruption was heard."""
        self._note = stopping_text(compiles)
        self._draw(True)

    def tick(self, epochs: int) -> None:
        """Count epochs that are done."""
        self._ticked += epochs
        self._draw()

    def done(self, results: Sequence[LaneResult]) -> None:
        """Count the trials that ended, and take their scores."""
        if self._leaders is not None:
            self._leaders.take(results)
        self._finished += len(results)
        self._draw(self._finished == self._lanes)

    def text(self) -> str:
        """The line beside the bar."""
        spent = time.monotonic() - self._begun
        left = spent * (self._epochs - self._ticked) / self._ticked if self._ticked else 0.0
        over = self._finished == self._lanes
        parts = [f"{self._finished} of {self._lanes} trained" if self._lanes > 1 else "trained" * over]
        parts += [self._note, "" if self._leaders is None else self._leaders.best(), f"{spent:.0f} s"]
        parts += ["" if over or not self._ticked else f"about {left:.0f} s left"]
        return ", ".join(part for part in parts if part)

    def _draw(self, now: bool = False) -> None:
        if not now and time.monotonic() - self._drawn < EVERY:
            return
        self._drawn = time.monotonic()
        share = 1.0 if self._finished == self._lanes else min(self._ticked / self._epochs, 1.0)
        drawn = _Html(html.page(f'<progress value="{share:.4f}" max="1"></progress> ', html.paragraph(self.text())))
        if self._handle is None:
            display = self._display or sys.modules["IPython"].display.display
            self._handle = display(drawn, display_id=True)
        else:
            self._handle.update(drawn)


class _Html:
    """Something that a notebook draws."""

    def __init__(self, text: str):
        self._text = text

    def _repr_html_(self) -> str:
        return self._text
