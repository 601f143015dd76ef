"""Running a field of lanes: threads that train chunk after chunk, on each device, until nothing is left or asked to.

The interpreter lock is free while XLA compiles and runs, so plain threads use all cores. The first chunk of a program
compiles it; its sisters wait until then, so nothing is compiled twice.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax

from fnopt.sweep.chunk import Clock, Cohort, Pace, Place, Work, run_chunk
from fnopt.sweep.deadline import Deadline
from fnopt.sweep.debugging import settings, under
from fnopt.sweep.field import Field, Task
from fnopt.sweep.forecast import Forecast
from fnopt.sweep.guarded import Guarded
from fnopt.sweep.plan import cores
from fnopt.sweep.result import LaneResult
from fnopt.sweep.signals import INTERRUPTED, ending
from fnopt.train import EXACT

SEGMENT = 0.2  # seconds: a segment aims at this length
SHORT = 0.03  # the same where lanes stop on their own, and their places are worth having back soon
LATE = "out of time"
LOT = 32  # results taken down at once: others wait meanwhile


class Watch(Protocol):
    """What hears of a sweep's progress, called under a lock from the threads that run it.

    It may also have ``compiling(number, programs)``, which is called as a program begins to be compiled and with 0 as
    none is any more, and ``stopping(compiles)``, called when Ctrl-C was heard.
    """

    def start(self, lanes: int, epochs: int) -> None:
        """How much there is to do: so many lanes, and lane-epochs in all."""
        ...

    def tick(self, epochs: int) -> None:
        """So many lane-epochs more are done."""
        ...

    def done(self, results: Sequence[LaneResult]) -> None:
        """These lanes came to their end."""
        ...


class Silent:
    """A watch that says nothing."""

    def start(self, lanes: int, epochs: int) -> None:
        """Nothing to say."""

    def tick(self, epochs: int) -> None:
        """Nothing to say."""

    def done(self, results: Sequence[LaneResult]) -> None:
        """Nothing to say."""


def tell(watch: Watch, what: str, *about: Any) -> None:
    """Say what only some watches want to hear."""
    hear = getattr(watch, what, None)
    if hear is not None:
        hear(*about)


Save = Callable[[Sequence[Place]], None]  # writes a checkpoint of these lanes under way


class Spent(NamedTuple):
    """Where the time of a run went, in seconds; those of threads are added up."""

    wall: float
    working: float  # of all threads, while they had a chunk
    compiling: float
    device: float


class Ended(NamedTuple):
    """How a run ended."""

    why: str  # "" when nothing was left; "interrupted", "terminated" or "out of time"
    spent: Spent
    predicted: float | None = None  # seconds, said once each program was timed
    signal: int = 0  # the signal after which the process is to end; 0 for none


def run_field(
    field: Field,
    threads: int,
    collect: Callable[[list[LaneResult]], None],
    watch: Watch,
    *,
    devices: Sequence[Any] = (),
    deadline: Deadline | None = None,
    save: Save | None = None,
    every: float = 5.0,
) -> Ended:
    """Train until no lane is left; ``collect`` gets results as lanes end, under a lock.

    Args:
        field: the lanes.
        threads: how many chunks run at once, in all.
        devices: what they run on, by turns; the default device unless given.
        deadline: after it no new segment begins, and none at all where it has passed already.
        save: writes a checkpoint, now and then and at the end; called from this thread.
        every: seconds between checkpoints, at least; writing takes a twentieth of the time at most.
    """
    guarded = Guarded(watch, lambda: crew.stop(INTERRUPTED))
    crew = _Crew(field, collect, guarded, devices or (None,), save is not None)
    guarded.start(sum(field.open), field.left())
    deadline = deadline or Deadline(0.0)
    start = saved = time.perf_counter()
    if deadline.passed:
        crew.stop(LATE)
    wait = every
    with ending(crew.stop) as heard:
        crew.go(max(threads, 1), start)
        try:
            while not crew.home(0.05):
                crew.tell_stopping()
                now = time.perf_counter()
                if deadline.passed and not crew.stopping:
                    crew.stop(LATE)
                if save is not None and now - saved > wait:
                    save(crew.under_way())
                    saved = time.perf_counter()
                    wait = max(every, 20 * (saved - now))
        except Exception:  # as of a full disk: nobody trains on for a sweep that is over
            crew.stop("error")
            while not crew.home(0.05):
                pass
            raise
        if save is not None:
            save(crew.under_way())
    if heard.error is not None:
        raise heard.error
    if crew.errors:
        raise crew.errors[0]
    guarded.complain()
    wall = time.perf_counter() - start
    clocks = crew.clocks
    spent = Spent(wall, *(sum(getattr(c, name) for c in clocks) for name in ("working", "compiling", "device")))
    return Ended(crew.why if any(field.open) else "", spent, crew.forecast.seconds, heard.number)


PRECISION = "jax_default_matmul_precision"


class _Crew:
    """Threads that take chunks from a field and give their lanes back."""

    def __init__(
        self,
        field: Field,
        collect: Callable[[list[LaneResult]], None],
        watch: Watch,
        devices: Sequence[Any],
        publishes: bool,
    ):
        self.field, self.collect, self.watch, self.publishes = field, collect, watch, publishes
        self.devices = devices
        self.works = {device: field.work if device is None else field.work.on(device) for device in devices}
        self.rows = [tuple(int(p.rows) for p in data[:2] if p is not None) for data in field.work.folds]
        self.changed = threading.Condition()
        self.errors: list[BaseException] = []
        self.why, self.stopping, self.told = "", False, False
        self.compiled: set[Any] = set()
        self.compiling: set[Any] = set()
        self.homes: list[threading.Event] = []
        self.clocks: list[Clock] = []
        self.paces = {device: Pace(segment_of(field.work)) for device in devices}

    def go(self, threads: int, start: float) -> None:
        """Start the threads; ``start`` is when the run began."""
        self.start, self.at_once = start, self._at_once(threads)
        self.settings = settings()
        self.precision, self.x64 = getattr(jax.config, PRECISION), jax.config.read("jax_enable_x64")
        waiting = self.field.waiting()
        kinds = {(p.trial, p.batch_size is None, width, numbers) for p, width, numbers in waiting}
        self.programs = len(kinds) * len(self.devices)
        self.forecast = Forecast(waiting, self.at_once)
        for i in range(threads):
            # Events, since a join that Ctrl-C breaks off takes a running thread for ended (Python up to 3.12).
            home, clock = threading.Event(), Clock()
            self.homes.append(home)
            self.clocks.append(clock)
            arguments = self.devices[i % len(self.devices)], home, clock
            threading.Thread(target=self._work, args=arguments, daemon=True, name=f"fnopt-{i}").start()

    def _at_once(self, threads: int) -> int:
        """How many chunks can compute side by side."""
        platform = jax.default_backend() if self.devices[0] is None else self.devices[0].platform
        return min(threads, cores()) if platform == "cpu" else threads

    def home(self, seconds: float) -> bool:
        """Whether all threads have ended, waiting for so long at most."""
        return all(home.wait(seconds) for home in self.homes)

    def stop(self, why: str) -> None:
        """Ask the threads to end after their segment. Takes no lock: a signal may call it at any moment."""
        self.why, self.stopping = self.why or why, True

    def tell_stopping(self) -> None:
        """Say once that Ctrl-C was heard: not in the handler, which may come at any moment."""
        if self.why == INTERRUPTED and not self.told:
            self.told = True
            tell(self.watch, "stopping", bool(self.compiling))

    def _tell_compiling(self) -> None:
        """Which program is being compiled, of how many; under the lock."""
        tell(self.watch, "compiling", len(self.compiled) + 1 if self.compiling else 0, self.programs)

    def under_way(self) -> list[Place]:
        """All lanes between their first step and their end."""
        with self.changed:
            return self.field.under_way()

    def _work(self, device: Any, home: threading.Event, clock: Clock) -> None:
        try:
            # What a caller sets by `with` holds in its own thread alone.
            with under(self.settings), jax.default_matmul_precision(self.precision), jax.enable_x64(self.x64):
                while (taken := self._take(device)) is not None:
                    begun = time.perf_counter()
                    self._train(device, *taken, clock)
                    clock.working += time.perf_counter() - begun
        except BaseException as error:
            self.errors.append(error)
            self.stop("error")
        finally:
            home.set()
            with self.changed:
                self.changed.notify_all()

    def _take(self, device: Any) -> tuple[int, Task] | None:
        program = partial(self._program, device)

        with self.changed:
            while not self.stopping:
                taken = self.field.take(
                    lambda cohort: program(cohort) not in self.compiling,
                    lambda cohort: program(cohort) not in self.compiled,
                    len(self.field.running) < self.at_once,
                )
                if taken is not None:
                    name = program(taken[1].chunk.cohort)
                    if name not in self.compiled:
                        self.compiling.add(name)
                        self._tell_compiling()
                    return taken
                if not self.field.running:
                    return None
                self.changed.wait(0.1)
        return None

    def _program(self, device: Any, cohort: Cohort) -> Any:
        """What distinguishes compiled programs: where batches are exact, the number of rows too."""
        trial = cohort.program.trial
        rows = self.rows[cohort.fold] if trial.batch in EXACT else None
        return device, trial, cohort.program.batch_size is None, cohort.width, cohort.numbers, rows

    def _train(self, device: Any, number: int, task: Task, clock: Clock) -> None:
        cohort = task.chunk.cohort
        name = self._program(device, cohort)

        def tick(epochs: int) -> bool:
            with self.changed:
                if name in self.compiling:
                    self.compiling.discard(name)
                    self.compiled.add(name)
                    self._tell_compiling()
                    self.changed.notify_all()
                done, elapsed = epochs // len(task.chunk.places), time.perf_counter() - self.start
                self.forecast.took(cohort[:3], done, elapsed, [pace.epoch for pace in self.paces.values()])
                self.watch.tick(epochs)
            return not self.stopping

        def publish(places: Sequence[Place]) -> None:
            with self.changed:
                self.field.publish(number, places)

        places = run_chunk(
            self.works[device],
            task.chunk,
            task.until,
            tick,
            ends=task.ends,
            pace=self.paces[device],
            publish=publish if self.publishes else None,
            clock=clock,
        )
        with self.changed:
            ended, over = self.field.give_back(number, task, places)
            self._collect(ended)
            self.changed.notify_all()
        for lot in (over[k : k + LOT] for k in range(0, len(over), LOT)):
            results = [self.field.result(lane) for lane in lot]
            with self.changed:
                self._collect(results)
                for lane in lot:
                    self.field.taken(lane)

    def _collect(self, ended: list[LaneResult]) -> None:
        """Take results down; under the lock."""
        if ended:
            left = sum(self.field.ledger.lengths[r.config] - r.epochs for r in ended)
            if left:
                self.watch.tick(left)
            self.collect(ended)
            self.watch.done(ended)


def segment_of(work: Work) -> float:
    """The seconds at which a segment aims."""
    return SHORT if work.rule is not None else SEGMENT


def device_list(devices: Sequence[Any] | None) -> tuple[Any, ...]:
    """The devices of a sweep: those given, else all local accelerators, else the one CPU device."""
    if devices is not None:
        return tuple(devices)
    local = jax.local_devices()
    return (None,) if local[0].platform == "cpu" or len(local) == 1 else tuple(local)
