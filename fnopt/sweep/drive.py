"""Running chunks: one thread a core, each training whole chunks of compiled programs, compiling as it goes.

The interpreter lock is free while XLA compiles and runs, so plain threads use all cores. The first chunk of a program
compiles it; its sisters wait until then, so nothing is compiled twice.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from fnopt._types import Trial
from fnopt.sweep.chunk import Chunk, LaneResult, Work, run_chunk
from fnopt.sweep.merge import Program
from fnopt.sweep.plan import lanes_per_chunk


class Watch(Protocol):
    """What hears of a sweep's progress, called under a lock from the threads that run it."""

    def start(self, lanes: int, epochs: int) -> None:
        """How much there is to do."""
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


def cohorts(
    programs: Sequence[Program], numbers: Sequence[dict[str, Any]], seeds: int, width: Callable[[Trial], int]
) -> list[Chunk]:
    """Configurations of one program and seed, in order, C at a time."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for i, program in enumerate(programs):
        groups[program, jax.tree.structure(numbers[i])].append(i)
    chunks = []
    for (program, _), members in groups.items():
        lanes = width(program.trial)
        for k in range(0, len(members), lanes):
            some = tuple(members[k : k + lanes])
            numbered = tuple(numbers[i] for i in some)
            chunks += [Chunk(program, lanes, seed, some, numbered) for seed in range(seeds)]
    return chunks


def width_of(work: Work, trial: Trial) -> int:
    """C of a structure, from the number of its parameters and the kind of device."""
    plain = {name: jnp.asarray(0.5) for name in trial.numbers}
    shapes = jax.eval_shape(lambda key: trial.init(key, work.example, plain), work.key)[0]
    return lanes_per_chunk(sum(leaf.size for leaf in jax.tree.leaves(shapes)), jax.devices()[0].platform)


def run_all(
    work: Work,
    chunks: Sequence[Chunk],
    threads: int,
    collect: Callable[[list[LaneResult]], None],
    watch: Watch,
) -> bool:
    """Run every chunk; ``collect`` gets each one's results, under a lock. False if Ctrl-C ended it early."""
    queue = _Queue(chunks)
    lock, stop = threading.Lock(), threading.Event()
    errors: list[BaseException] = []
    watch.start(sum(len(chunk.configs) for chunk in chunks), work.epochs)

    def tick(epochs: int) -> bool:
        with lock:
            watch.tick(epochs)
        return not stop.is_set()

    def worker(home: threading.Event) -> None:
        try:
            while not stop.is_set() and (chunk := queue.take()) is not None:
                made = run_chunk(work, chunk, tick)
                queue.compiled(chunk)
                if made is None:
                    return
                with lock:
                    collect(made[0])
                    watch.done(made[0])
        except BaseException as error:
            errors.append(error)
            stop.set()
            queue.wake()
        finally:
            home.set()

    # Events, since a join that Ctrl-C breaks off takes a running thread for ended (Python up to 3.12).
    homes = [threading.Event() for _ in range(max(threads, 1))]
    for i, home in enumerate(homes):
        threading.Thread(target=worker, args=(home,), daemon=True, name=f"fnopt-{i}").start()
    finished = True
    try:
        for home in homes:
            while not home.wait(0.2):
                pass
    except KeyboardInterrupt:
        finished = False
        stop.set()
        queue.wake()
        for home in homes:
            home.wait()
    if errors:
        raise errors[0]
    return finished


class _Queue:
    """Chunks in order, but a program's first chunk before its sisters, which wait until it is compiled."""

    def __init__(self, chunks: Sequence[Chunk]):
        self.waiting: dict[Any, list[Chunk]] = defaultdict(list)
        first: dict[Any, Chunk] = {}
        for chunk in chunks:
            if first.setdefault(_program(chunk), chunk) is not chunk:
                self.waiting[_program(chunk)].append(chunk)
        self.compiling = set()
        self.fresh = deque(first.values())
        self.ready: deque[Chunk] = deque()
        self.changed = threading.Condition()
        self.closed = False

    def take(self) -> Chunk | None:
        """The next chunk to run, waiting while others compile; None when there are no more."""
        with self.changed:
            while not self.closed:
                if self.fresh:
                    chunk = self.fresh.popleft()
                    self.compiling.add(_program(chunk))
                    return chunk
                if self.ready:
                    return self.ready.popleft()
                if not self.compiling:
                    return None
                self.changed.wait(0.5)
            return None

    def compiled(self, chunk: Chunk) -> None:
        """This chunk's program exists now: its sisters may run."""
        with self.changed:
            self.compiling.discard(_program(chunk))
            self.ready.extend(self.waiting.pop(_program(chunk), ()))
            self.changed.notify_all()

    def wake(self) -> None:
        """Let every waiting thread go home."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()


def _program(chunk: Chunk) -> Any:
    return chunk.program.trial, chunk.width, jax.tree.structure(chunk.numbers[0])
