"""A bar on the terminal, and the best so far beside it."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from fnopt._checks import require
from fnopt.sweep.result import LaneResult


class Bar:
    """Progress in lane-epochs with the time left, drawn by rich; what ``progress=True`` shows.

    ``best`` turns the results so far into a short text that is shown beside the bar.
    """

    def __init__(self, what: str = "training", best: Callable[[], str] | None = None, console: Any = None):
        rich = require("rich.progress", "cli")
        self._best, self._task = best, None
        self._bar = rich.Progress(
            rich.TextColumn("{task.description}"),
            rich.BarColumn(),
            rich.TaskProgressColumn(),
            rich.TextColumn("{task.fields[lanes]}"),
            rich.TimeElapsedColumn(),
            rich.TimeRemainingColumn(),
            rich.TextColumn("{task.fields[best]}"),
            console=console,
        )
        self._what, self._lanes, self._finished, self._diverged = what, 0, 0, 0

    def start(self, lanes: int, epochs: int) -> None:
        """Draw the empty bar."""
        self._lanes, self._finished, self._diverged = lanes, 0, 0
        self._task = self._bar.add_task(self._what, total=epochs, lanes="", best="")
        self._bar.start()

    def tick(self, epochs: int) -> None:
        """Move on by so many lane-epochs."""
        if self._task is not None:
            self._bar.advance(self._task, epochs)

    def done(self, results: Sequence[LaneResult]) -> None:
        """Count the lanes that came to their end, and look who leads."""
        if self._task is None:
            return
        self._finished += len(results)
        self._diverged += sum(r.status == "diverged" for r in results)
        lost = f", {self._diverged} diverged" if self._diverged else ""
        best = "" if self._best is None else self._best()
        self._bar.update(self._task, lanes=f"{self._finished}/{self._lanes}{lost}", best=best)
        if self._finished == self._lanes:
            self.stop()

    def stop(self) -> None:
        """Leave the bar as it stands."""
        self._bar.stop()


def brief(score: float) -> str:
    """A score in four places, or a dash.

    >>> brief(0.98765)
    '0.9877'
    """
    return f"{score:.4f}" if math.isfinite(score) else "–"
