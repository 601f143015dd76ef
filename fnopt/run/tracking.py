"""What trackers hear of a sweep or a run: each lane once, when it has ended, from a thread of its own.

Lanes end under a lock that all training threads share, and a tracker may be slow: so results only go into a queue
there. A tracker is a value, ``open`` makes what it writes with, and what is there already is not written again.
"""

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import uuid4

import jax
import numpy as np

from fnopt._types import Dataset, Trial
from fnopt.run.manifest import arrays_of, manifest, text_digest
from fnopt.sweep.chunk import Work
from fnopt.sweep.drive import Watch, tell
from fnopt.sweep.result import LaneResult, digest
from fnopt.train import reported

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep


class About(NamedTuple):
    """What a tracker knows before the first lane ends."""

    sweep: str  # a short name, the same whenever the same sweep, or fit, is run
    numbers: tuple[str, ...]  # all columns of its configurations
    scores: tuple[str, ...]  # "train/loss", "dev/accuracy", …


class Record(NamedTuple):
    """One configuration under one seed and fold, as it ended."""

    sweep: str
    config: int
    seed: int
    fold: int
    hyper: dict[str, Any]  # by column; a number that the configuration lacks is not there
    scores: dict[str, float]  # by "part/score", of the weights that count
    curves: dict[str, Any]  # by "part/score", "cost", "lr", …: shape=(epochs,), NaN where it was not scored
    epochs: int
    best_epoch: int  # how many epochs the weights that count have seen
    status: str
    why: str

    @property
    def lane(self) -> str:
        """Its name within the sweep, as in ``c0017-s0-f0``."""
        return lane_name(self.config, self.seed, self.fold)


class Writer(Protocol):
    """What a tracker writes with, between ``open`` and ``close``, in one thread at a time."""

    there: set[str]  # lanes of this sweep that were written whole, in this process or before it

    def write(self, record: Record) -> None:
        """Take one lane down."""
        ...

    def close(self) -> None:
        """See all of it written."""
        ...


class Tracker(Protocol):
    """Where results go: a plain value."""

    def open(self, about: About) -> Writer:
        """Make ready to write; what is there of this sweep stays, and is named by ``Writer.there``."""
        ...


class Tracking:
    """A watch that hands results on to trackers, beside another watch.

    A tracker that fails is named in a warning and left out from then on: no disk and no server can end a sweep.
    """

    def __init__(
        self,
        watch: Watch,
        trackers: Sequence[Tracker],
        about: About,
        columns: Sequence[Mapping[str, Any]],
        changing: Callable[[LaneResult], Mapping[str, Any]] = lambda result: {},
    ):
        self.watch, self._about, self._columns, self._changing = watch, about, columns, changing
        self._queue: SimpleQueue[Record | None] = SimpleQueue()
        self._loud: list[Warning] = []  # warnings that were turned into errors, for the thread that can be heard
        self._writers: dict[int, tuple[Tracker, Writer]] = {}
        for k, tracker in enumerate(trackers):
            try:
                self._writers[k] = tracker, tracker.open(about)
            except Exception as error:
                self._tell(tracker, error)
        self._thread = threading.Thread(target=self._work, daemon=True, name="fnopt-track")
        self._thread.start()

    def start(self, lanes: int, epochs: int) -> None:
        """See ``Watch``."""
        self.watch.start(lanes, epochs)

    def tick(self, epochs: int) -> None:
        """See ``Watch``."""
        self.watch.tick(epochs)

    def compiling(self, number: int, programs: int) -> None:
        """See ``Watch``."""
        tell(self.watch, "compiling", number, programs)

    def stopping(self, compiles: bool) -> None:
        """See ``Watch``."""
        tell(self.watch, "stopping", compiles)

    def done(self, results: Sequence[LaneResult]) -> None:
        """See ``Watch``."""
        self.watch.done(results)
        self.take(results)

    def take(self, results: Iterable[LaneResult]) -> None:
        """Hand results on."""
        for result in results:
            result = result._replace(history={**self._changing(result), **result.history})
            self._queue.put(record_of(self._about.sweep, self._columns[result.config], result))

    def close(self) -> None:
        """Wait until all is written."""
        self._queue.put(None)
        self._thread.join()
        for k, (tracker, writer) in list(self._writers.items()):
            self._try(k, tracker, writer.close)
        self._writers = {}
        if self._loud:
            raise self._loud[0]

    def _work(self) -> None:
        while (record := self._queue.get()) is not None:
            for k, (tracker, writer) in list(self._writers.items()):
                if record.lane not in writer.there and self._try(k, tracker, writer.write, record):
                    writer.there.add(record.lane)

    def _try(self, k: int, tracker: Tracker, call: Any, *arguments: Any) -> bool:
        try:
            call(*arguments)
        except Exception as error:
            del self._writers[k]
            self._tell(tracker, error)
            return False
        return True

    def _tell(self, tracker: Tracker, error: Exception) -> None:
        try:
            warnings.warn(
                f"{tracker!r} failed and is left out from here on, training goes on: {type(error).__name__}: {error}",
                stacklevel=2,
            )
        except Warning as loud:
            self._loud.append(loud)


@contextmanager
def tracked_sweep(sweep: "Sweep", watch: Watch, track: Any) -> Iterator[Watch]:
    """A watch that also feeds ``track``; in the end it gets what it has not heard, as of lanes from a folder."""
    from fnopt.run.lineage import course_of
    from fnopt.space.columns import columns_of

    trackers = trackers_of(track)
    if not trackers:
        yield watch
        return
    columns = [columns_of(config, sweep.names) for config in sweep.configs]
    names = tuple(dict.fromkeys(name for row in columns for name in row))
    about = About(_name(sweep), names, _scores(sweep.work, sweep.trials[0]))
    tracking = Tracking(watch, trackers, about, columns, lambda result: course_of(sweep, result))
    try:
        yield tracking
        tracking.take(r for _, r in sorted(sweep.kept.lanes.items()) if r.status != "cut")
    finally:
        tracking.close()


@contextmanager
def tracked_fit(
    trial: Trial, hyper: Mapping[str, Any], work: Work, data: tuple[Dataset, Dataset | None], watch: Watch, track: Any
) -> Iterator[Watch]:
    """The same for one run."""
    from fnopt.space.columns import columns_of

    trackers = trackers_of(track)
    if not trackers:
        yield watch
        return
    columns = columns_of(hyper)
    bits = np.asarray(jax.random.key_data(work.key)).tolist()
    mine = digest(*(a for part in data for a in arrays_of(part, "x").values()))
    named = text_digest([{n: str(v) for n, v in columns.items()}, mine, bits, work.epochs, str(work.rule)])[:8]
    tracking = Tracking(watch, trackers, About(named, tuple(columns), _scores(work, trial)), [columns])
    try:
        yield tracking
    finally:
        tracking.close()


def trackers_of(track: Any) -> tuple[Tracker, ...]:
    """One tracker or several as a tuple; TypeError, with what to write, for anything else."""
    some = () if track is None else tuple(track) if isinstance(track, list | tuple) else (track,)
    for tracker in some:
        if not callable(getattr(tracker, "open", None)) or isinstance(tracker, type):
            raise TypeError(
                f"`track` must be trackers as fo.track.csv(folder), fo.track.tensorboard(folder), got {tracker!r}"
            )
    return some


def lane_name(config: int, seed: int, fold: int) -> str:
    """How a lane is called where there are many.

    >>> lane_name(17, 0, 2)
    'c0017-s0-f2'
    """
    return f"c{config:04d}-s{seed}-f{fold}"


def record_of(sweep: str, columns: Mapping[str, Any], result: LaneResult) -> Record:
    """A lane's result as trackers get it."""
    parts = {part: some for part, some in result.history.items() if part in ("train", "dev")}
    curves = {f"{part}/{name}": values for part, some in parts.items() for name, values in some.items()}
    return Record(
        sweep=sweep,
        config=result.config,
        seed=result.seed,
        fold=result.fold,
        hyper={name: value for name, value in columns.items() if value is not None},
        scores={f"{part}/{name}": v for part, some in result.scores.items() for name, v in some.items()},
        curves={**curves, **{n: np.asarray(v) for n, v in result.history.items() if n not in ("train", "dev")}},
        epochs=result.epochs,
        best_epoch=result.best + 1,
        status=result.status,
        why=result.why,
    )


def _name(sweep: "Sweep") -> str:
    """Of a sweep that no file can describe, as of one with an optimizer of the user's own, a new name each time."""
    try:
        return manifest(sweep)["identity"][:8]
    except (TypeError, ValueError):
        return uuid4().hex[:8]


def _scores(work: Work, trial: Trial) -> tuple[str, ...]:
    parts = ("train",) if work.folds[0].dev is None else ("train", "dev")
    names = [score.name for score in reported(trial)]
    return tuple(f"{part}/{name}" for part in parts for name in names)
