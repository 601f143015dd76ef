"""Choosing C by a stopwatch: a few widths of each structure's chunk are timed, and the choice is written down."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from fnopt._types import Trial
from fnopt.run.programs import with_widths
from fnopt.sweep.chunk import Chunk, Cohort, Place, begin_lanes, run_draws, trainer
from fnopt.sweep.compiled import Exhausted
from fnopt.train import window

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

CPU, ACCELERATOR = (1, 2, 4, 8, 16), (32, 64, 128, 256, 512)
NEAR = 1.05  # a smaller C is taken where it costs no more than this many times the least: it wastes fewer places


class Measured(NamedTuple):
    """What one width of one structure took."""

    structure: int  # in the order in which they turn up
    width: int  # C
    seconds: float  # a lane-epoch, all threads at work; infinite where memory gave out


def measure(sweep: "Sweep", threads: int) -> list[Measured]:
    """Time candidates for each structure, and give the sweep the widths that were best."""
    first: dict[Trial, int] = {}
    for i, entry in enumerate(sweep.entries):
        first.setdefault(entry.program.trial, i)
    candidates = CPU if jax.devices()[0].platform == "cpu" else ACCELERATOR
    found, chosen = [], []
    for structure, config in enumerate(first.values()):
        times = [Measured(structure, width, _timed(sweep, config, width, threads)) for width in candidates]
        least = min(m.seconds for m in times)
        chosen.append(next(m.width for m in times if m.seconds <= NEAR * least))
        found += times
    with_widths(sweep, chosen)
    return found


def _timed(sweep: "Sweep", config: int, width: int, threads: int, epochs: int = 2, rounds: int = 3) -> float:
    """Seconds a lane-epoch, the least of some rounds, with all threads at work on chunks of this width."""
    entry, work = sweep.entries[config], sweep.work
    cohort = Cohort(entry.program, width, jax.tree.structure(entry.numbers), 0, 0)
    chunk = Chunk(cohort, (Place(config, 0, 0, entry.numbers),))
    draws = run_draws(work, entry.program.trial, 0, 0)
    epochs = min(epochs, window(work.folds[0].train.x.shape[0]))

    def one(lanes: Any) -> Any:
        return trainer(work, chunk, draws, epochs)(lanes, 0, epochs)[0]

    best = float("inf")
    try:
        crew: Sequence[Any] = [one(begin_lanes(work, chunk, draws))]
        crew = [begin_lanes(work, chunk, draws) for _ in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(rounds):
                start = time.perf_counter()
                crew = list(pool.map(one, crew))
                best = min(best, (time.perf_counter() - start) / (epochs * width * threads))
    except Exhausted:
        return float("inf")
    return best
