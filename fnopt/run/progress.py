"""A bar on the terminal, and above it the best so far; where there is no terminal, a line now and then."""

import math
import sys
import time
from collections.abc import Mapping, Sequence
from heapq import nsmallest
from threading import Lock
from typing import Any, TextIO

import numpy as np

from fnopt._checks import require
from fnopt.run.drawn import tables_of
from fnopt.run.leaderboard import score_text, text, told_apart
from fnopt.sweep.ranking import Standing, order_of, score_of, status_of
from fnopt.sweep.result import LaneResult
from fnopt.train import Objective

TENTHS = 10  # lines of a run without a terminal


class Bar:
    """Progress in lane-epochs with the time left, drawn by rich; what ``progress=True`` shows."""

    def __init__(self, what: str = "training", console: Any = None):
        rich = require("rich.progress", "cli")
        self._task = None
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
        self._screen: Any = self._bar
        self._what, self._lanes, self._finished, self._diverged = what, 0, 0, 0

    def start(self, lanes: int, epochs: int) -> None:
        """Draw the empty bar."""
        self._lanes, self._finished, self._diverged = lanes, 0, 0
        if self._task is not None:  # it begins again, with fewer lanes a chunk
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(self._what, total=epochs, lanes="", best="")
        self._screen.start()

    def compiling(self, number: int, programs: int) -> None:
        """Say which program is compiled, as nothing moves on meanwhile; number 0 where none is."""
        if self._task is not None:
            what = f"compiling {number} of {programs}" if number else self._what
            self._bar.update(self._task, description=what)

    def stopping(self, compiles: bool) -> None:
        """Say that Ctrl-C was heard, and what is waited for."""
        if self._task is not None:
            self._bar.console.print(stopping_text(compiles), markup=False, highlight=False)

    def tick(self, epochs: int) -> None:
        """Move on by so many lane-epochs."""
        if self._task is not None:
            self._bar.advance(self._task, epochs)

    def done(self, results: Sequence[LaneResult]) -> None:
        """Count the lanes that came to their end."""
        if self._task is None:
            return
        self._finished += len(results)
        self._diverged += sum(r.status == "diverged" for r in results)
        lost = f", {self._diverged} diverged" if self._diverged else ""
        self._bar.update(self._task, lanes=f"{self._finished}/{self._lanes}{lost}")
        if self._finished == self._lanes:
            self.stop()

    def stop(self) -> None:
        """Leave the bar as it stands."""
        self._screen.stop()


def stopping_text(compiles: bool) -> str:
    """What is said when Ctrl-C is heard."""
    what = "this compile" if compiles else "this segment"
    return f"stopping after {what}, keeping what is done; Ctrl-C again ends at once"


class Leaders:
    """The best configurations so far, by the rule that ranks a sweep in the end: score, then loss, then number."""

    def __init__(self, objective: Objective):
        self.objective = objective
        self._lock = Lock()
        self._found: dict[int, list[tuple[float, float, int, str]]] = {}  # lanes: score, loss, epochs, status

    def forget(self) -> None:
        """No configuration leads."""
        self._found = {}

    def take(self, results: Sequence[LaneResult]) -> None:
        """Record scores; the ranking is computed when it is shown."""
        with self._lock:
            for r in results:
                lost = r.status == "diverged"
                score = math.nan if lost else score_of(self.objective, r)
                loss = math.nan if lost else r.scores[self.objective.part].get("loss", math.nan)
                self._found.setdefault(r.config, []).append((score, loss, r.epochs, r.status))

    def first(self, count: int) -> list[Standing]:
        """The best so far; those that a rule stopped are last, those without a score are left out."""
        with self._lock:
            each = [(config, [*zip(*lanes, strict=True)]) for config, lanes in self._found.items()]
        standings = [
            Standing(
                c, float(np.mean(score)), math.nan, float(np.mean(loss)), status_of(status), "", float(np.mean(age))
            )
            for c, (score, loss, age, status) in each
        ]
        there = [standing for standing in standings if standing.ranked]
        return nsmallest(count, there, key=lambda standing: order_of(standing, self.objective.higher))

    def best(self) -> str:
        """The first in words, or nothing."""
        return "".join(f"best {self.objective.title} {score_text(s.score)} ({s.config})" for s in self.first(1))


class Board(Bar):
    """The bar of a sweep, and above it, while it runs, the best configurations so far.

    ``configs`` are the values of each configuration by name, shown beside its score once they are told.
    """

    configs: Sequence[Mapping[str, Any]] = ()

    def __init__(self, objective: Objective, console: Any = None, shown: int = 5):
        super().__init__("sweep", console)
        self._leaders, self._shown, self._over = Leaders(objective), shown, False
        self._columns: tuple[Any, list[str], list[int]] = ((), [], [])  # of these configurations: names, widths
        self._screen = require("rich.live", "cli").Live(get_renderable=self._drawn, console=console)

    def start(self, lanes: int, epochs: int) -> None:
        """Draw the empty bar; nobody leads."""
        self._leaders.forget()
        self._over = False
        super().start(lanes, epochs)

    def done(self, results: Sequence[LaneResult]) -> None:
        """Take their scores down; who leads is looked at when it is drawn, a few times a second."""
        self._leaders.take(results)
        super().done(results)

    def stop(self) -> None:
        """Leave the bar as it stands, without the board."""
        self._over = True
        self._name_best()
        super().stop()

    def leaders(self) -> list[Standing]:
        """The best so far, the first first."""
        return self._leaders.first(self._shown)

    def _name_best(self) -> None:
        if self._task is not None:
            self._bar.update(self._task, best=self._leaders.best())

    def _drawn(self) -> Any:
        leaders = [] if self._over else self.leaders()
        if not leaders:
            return self._bar
        self._name_best()
        names, widths = self._of_columns()
        told = [self.configs[s.config] if s.config < len(self.configs) else {} for s in leaders]
        rows = [["rank", "config", self._leaders.objective.title, *names]]
        for rank, (standing, values) in enumerate(zip(leaders, told, strict=True), 1):
            cells = (text(values.get(name)) for name in names)
            rows.append([str(rank), str(standing.config), score_text(standing.score), *cells])
        table = tables_of(rows, self._bar.console.width, widths, first=True)
        return require("rich.console", "cli").Group(*table, self._bar)

    def _of_columns(self) -> tuple[list[str], list[int]]:
        """The names that tell configurations apart, and room for the longest value: columns stay in their places."""
        if self._columns[0] is not self.configs:
            names = told_apart(self.configs)
            widths = [max(len(text(values.get(name))) for values in self.configs) for name in names]
            self._columns = self.configs, names, [4, len(str(len(self.configs))), 6, *widths]
        return self._columns[1:]


class Lines:
    """Progress without a terminal: a line as each tenth is done, for logs and pipes."""

    def __init__(self, objective: Objective, file: TextIO | None = None):
        self._leaders, self._file = Leaders(objective), file
        self._lanes = self._epochs = self._finished = self._ticked = self._said = 0

    def start(self, lanes: int, epochs: int) -> None:
        """Nothing to say yet."""
        self._leaders.forget()
        self._lanes, self._epochs, self._begun = lanes, max(epochs, 1), time.monotonic()
        self._finished = self._ticked = self._said = 0

    def stopping(self, compiles: bool) -> None:
        """Say that Ctrl-C was heard, and what is waited for."""
        self._say(stopping_text(compiles))

    def tick(self, epochs: int) -> None:
        """Say so where a tenth is done."""
        self._ticked += epochs
        tenth = min(TENTHS * self._ticked // self._epochs, TENTHS)
        if tenth > self._said and tenth < TENTHS:
            self._said = tenth
            spent = time.monotonic() - self._begun
            left = spent * (self._epochs - self._ticked) / self._ticked
            best = self._leaders.best()
            done = f"{self._finished} of {self._lanes} trained" + (f", {best}" if best else "")
            self._say(f"{100 * tenth // TENTHS} %: {done}, {spent:.0f} s, about {left:.0f} s left")

    def done(self, results: Sequence[LaneResult]) -> None:
        """Count them."""
        self._leaders.take(results)
        self._finished += len(results)

    def _say(self, line: str) -> None:
        print(line, file=self._file or sys.stderr, flush=True)
