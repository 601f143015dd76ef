"""A bar on the terminal, and above it the best so far."""

import math
from collections.abc import Mapping, Sequence
from heapq import nsmallest
from threading import Lock
from typing import Any

from fnopt._checks import require
from fnopt.run.leaderboard import text
from fnopt.sweep.result import LaneResult
from fnopt.train import Objective, higher_is_better


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


class Board(Bar):
    """The bar of a sweep, and above it, while it runs, the best configurations so far.

    ``configs`` are the values of each configuration by name, shown beside its score once they are told.
    """

    configs: Sequence[Mapping[str, Any]] = ()

    def __init__(self, task: str, objective: Objective, console: Any = None, shown: int = 5):
        super().__init__("sweep", console)
        self._objective, self._higher = objective, higher_is_better(task, objective.metric)
        self._shown, self._lock, self._over = shown, Lock(), False
        self._found: dict[int, list[tuple[float, int, bool]]] = {}  # of each lane: score, epochs, whether pruned
        self._screen = require("rich.live", "cli").Live(get_renderable=self._drawn, console=console)

    def start(self, lanes: int, epochs: int) -> None:
        """Draw the empty bar; nobody leads."""
        self._found, self._over = {}, False
        super().start(lanes, epochs)

    def done(self, results: Sequence[LaneResult]) -> None:
        """Take their scores down; who leads is looked at when it is drawn, a few times a second."""
        part, metric = self._objective
        with self._lock:
            for r in results:
                score = math.nan if r.status == "diverged" else r.scores[part][metric]
                self._found.setdefault(r.config, []).append((score, r.epochs, r.status == "pruned"))
        super().done(results)

    def stop(self) -> None:
        """Leave the bar as it stands, without the board."""
        self._over = True
        self._name_best(self.leaders())
        super().stop()

    def leaders(self) -> list[tuple[int, float, float]]:
        """The best so far, each as configuration, mean score and mean epochs; those that a rule stopped are last."""
        with self._lock:
            each = [(config, [*zip(*lanes, strict=True)]) for config, lanes in self._found.items()]
        means = [(c, sum(s) / len(s), sum(e) / len(e), any(pruned)) for c, (s, e, pruned) in each]
        better = -1 if self._higher else 1
        ranked = [((pruned, better * score, c), c, score, e) for c, score, e, pruned in means if math.isfinite(score)]
        return [(c, score, epochs) for _, c, score, epochs in nsmallest(self._shown, ranked)]

    def _name_best(self, leaders: Sequence[tuple[int, float, float]]) -> None:
        if self._task is not None and leaders:
            config, score, _ = leaders[0]
            self._bar.update(self._task, best=f"best {'/'.join(self._objective)} {brief(score)} ({config})")

    def _drawn(self) -> Any:
        leaders = [] if self._over else self.leaders()
        self._name_best(leaders)
        if not leaders:
            return self._bar
        told = [self.configs[c] if c < len(self.configs) else {} for c, _, _ in leaders]
        names = list(dict.fromkeys(name for values in told for name in values))
        table = require("rich.table", "cli").Table(box=None, padding=(0, 1), pad_edge=False)
        for name in ("rank", "config", "/".join(self._objective), "epochs", *names):
            table.add_column(name, justify="right", no_wrap=True)
        for rank, ((config, score, epochs), values) in enumerate(zip(leaders, told, strict=True), 1):
            cells = [rank, config, brief(score), f"{epochs:g}", *(text(values.get(name)) for name in names)]
            table.add_row(*map(str, cells))
        return require("rich.console", "cli").Group(table, self._bar)


def brief(score: float) -> str:
    """A score in four places, or a dash.

    >>> brief(0.98765)
    '0.9877'
    """
    return f"{score:.4f}" if math.isfinite(score) else "–"
