"""How long a run will take, said once each of its programs has been timed for the first time."""

from collections.abc import Iterable, Mapping
from typing import Any


class Forecast:
    """Seconds of the whole run, from the chunk-epochs that are left of each program and what one of them takes.

    It is made once and then stays, to be held against what the run took. It supposes that no lane ends early, so a rule
    that stops lanes makes a run shorter than its forecast.
    """

    def __init__(self, left: Mapping[Any, tuple[int, int]], at_once: int):
        """``left``: by program, width and numbers, the epochs of all waiting chunks, and those of the longest one.

        ``at_once`` is how many chunks can compute side by side.
        """
        self.left = {kind: whole for kind, (whole, _) in left.items()}
        self.longest = {kind: longest for kind, (_, longest) in left.items()}
        self.at_once, self.seconds = at_once, None

    seconds: float | None

    def took(self, kind: Any, epochs: int, elapsed: float, paces: Iterable[Mapping[Any, float]]) -> None:
        """A chunk of ``kind`` came ``epochs`` further; ``paces`` are seconds an epoch of a chunk, by device.

        >>> forecast = Forecast({"a": (12, 4), "b": (2, 1)}, at_once=2)
        >>> forecast.took("a", 1, 0.5, [{"a": 0.1}])
        >>> forecast.seconds  # program b is not known yet
        >>> forecast.took("b", 1, 1.0, [{"a": 0.1, "b": 0.3}])
        >>> round(forecast.seconds, 3)  # 1.0 + (11 × 0.1 + 1 × 0.3) / 2
        1.7
        """
        if self.seconds is not None:
            return
        self.left[kind] = self.left.get(kind, 0) - epochs
        each = {kind: min(times) for kind in self.left if (times := [p[kind] for p in paces if kind in p])}
        if len(each) == len(self.left):
            work = sum(max(epochs, 0) * each[kind] for kind, epochs in self.left.items())
            alone = max((self.longest.get(kind, 0) - 1) * each[kind] for kind in each)  # a chunk has one thread
            self.seconds = elapsed + max(work / self.at_once, alone)
