"""All lanes of a sweep and where they stand: waiting, running, at a rung, ended. No threads here, only the rules.

A lane waits in a pool with those of its cohort and age. A chunk is taken from the fullest side: whole chunks first, of
the oldest pool, so that memory stays flat; a chunk with empty places only when there is no whole one. A chunk that
comes back with dead lanes gives its living ones to their pool again, where others fill it up. As a lane's bits depend
on neither neighbours nor place, no order of events changes a result.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fnopt.sweep.chunk import Chunk, Cohort, Place, Work
from fnopt.sweep.ledger import Ledger, Verdict
from fnopt.sweep.merge import Program
from fnopt.sweep.result import LaneResult, Trim, result_of


class Entry(NamedTuple):
    """A configuration made ready for training."""

    program: Program
    width: int  # C
    numbers: dict[str, Any]
    trim: Trim | None = None  # from padded to true widths


class Task(NamedTuple):
    """A chunk, and the age to which it trains."""

    chunk: Chunk
    until: int


class Counts(NamedTuple):
    """Lane-epochs, and lane-steps, that were of use and that were run."""

    live: int = 0
    executed: int = 0


class Field:
    """The lanes of a sweep; whoever uses it from several threads holds a lock."""

    def __init__(self, work: Work, entries: Sequence[Entry], seeds: int, ledger: Ledger, higher: bool):
        self.work, self.entries, self.ledger, self.higher = work, entries, ledger, higher
        self.replicas = [(seed, fold) for seed in range(seeds) for fold in range(len(work.folds))]
        self.pools: dict[tuple[Cohort, int], list[Place]] = defaultdict(list)
        self.running: dict[int, Sequence[Place]] = {}
        self.rung: dict[int, list[Place]] = defaultdict(list)  # config -> its lanes that reached their rung
        self.open = [len(self.replicas)] * len(entries)  # lanes of each configuration that have not ended
        self.failed: set[int] = set()  # configurations of which a lane diverged
        self.passed: set[tuple[int, int]] = set()  # (configuration, age): rungs after which it goes on
        self.counts = Counts()
        self._ids = 0

    def start(self, done: Collection[tuple[int, int, int]] = (), places: Sequence[Place] = ()) -> None:
        """Every lane that is neither done nor under way waits at age 0; the others wait where they were."""
        there = {(p.config, p.seed, p.fold) for p in places}
        for config, entry in enumerate(self.entries):
            for seed, fold in self.replicas:
                if (config, seed, fold) not in done and (config, seed, fold) not in there:
                    self._wait(Place(config, seed, fold, entry.numbers))

    def _cohort(self, place: Place) -> Cohort:
        entry = self.entries[place.config]
        structure = jax.tree.structure(place.numbers)
        return Cohort(entry.program, entry.width, structure, place.seed, place.fold)

    def _wait(self, place: Place) -> None:
        self.pools[self._cohort(place), place.age].append(place)

    def take(self, takable: Callable[[Cohort], bool], fresh: Callable[[Cohort], bool]) -> tuple[int, Task] | None:
        """The next chunk, or None where nothing can be taken now.

        ``takable`` says whether a cohort's program may run here now, ``fresh`` whether it has yet to be compiled.
        """
        best, choice = None, None
        for (cohort, age), pool in self.pools.items():
            if pool and takable(cohort):
                full = len(pool) >= cohort.width
                rank = (not fresh(cohort), not full, -age, pool[0].config)
                if best is None or rank < best:
                    best, choice = rank, (cohort, age)
        if choice is None:
            return None
        cohort, age = choice
        pool = self.pools[choice]
        # Members of one bracket train to the same age; those of another wait for their own chunk.
        until = self.ledger.until(pool[0].config, age)
        same = [p for p in pool if self.ledger.until(p.config, age) == until][: cohort.width]
        gone = {id(p) for p in same}
        rest = [p for p in pool if id(p) not in gone]
        if rest:
            self.pools[choice] = rest
        else:
            del self.pools[choice]
        self._ids += 1
        self.running[self._ids] = same
        return self._ids, Task(Chunk(cohort, tuple(same)), until)

    def publish(self, number: int, places: Sequence[Place]) -> None:
        """A running chunk's lanes, as they are after a segment."""
        self.running[number] = places

    def give_back(self, number: int, task: Task, places: Sequence[Place]) -> list[LaneResult]:
        """A chunk's lanes after training: results of those that ended, now or by what this decides."""
        del self.running[number]
        before = task.chunk.places[0].age
        self._count(task, places, before)
        ended: list[LaneResult] = []
        for place in places:
            ended += self._settle(place)
        return ended

    def _settle(self, place: Place) -> list[LaneResult]:
        """Where a lane goes from here: to its end, to a rung, or on."""
        assert place.lane is not None
        if _dead(place) or place.age >= self.work.epochs:
            return self._end(place)
        if place.age in self.ledger.ages(place.config) and (place.config, place.age) not in self.passed:
            self.rung[place.config].append(place)
            return self._at_rung(place.config)
        self._wait(place)
        return []

    def _end(self, place: Place, pruned: str = "") -> list[LaneResult]:
        entry = self.entries[place.config]
        result = result_of(self.work, entry.program, place, pruned, entry.trim)
        self.open[place.config] -= 1
        if result.status == "diverged":
            self.failed.add(place.config)
        return [result, *(() if pruned else self._at_rung(place.config))]

    def _at_rung(self, config: int) -> list[LaneResult]:
        """When all open lanes of a configuration are at their rung, or none is open, the ledger hears of it."""
        if self.open[config] == 0:
            return self._carry_out(self.ledger.leave(config))
        here = self.rung.get(config, [])
        if len(here) < self.open[config]:
            return []
        rows = [_row(self.work, place.seen, here[0].age) for place in here]
        return self._carry_out(self._judge(config, here[0].age, rows, config in self.failed))

    def _judge(self, config: int, age: int, rows: Sequence[Any], failed: bool) -> list[Verdict]:
        """Tell the ledger what a configuration scores at a rung: the mean over its lanes, none where one diverged."""
        names = ("loss", *self.entries[config].program.trial.metrics)
        score = float(np.mean([row[names.index(self.work.objective.metric)] for row in rows]))
        loss = float(np.mean([row[0] for row in rows]))
        return self.ledger.arrive(config, age, math.nan if failed else score, loss, self.higher)

    def _carry_out(self, verdicts: Sequence[Verdict]) -> list[LaneResult]:
        ended: list[LaneResult] = []
        for verdict in verdicts:
            if verdict.on:
                self.passed.add((verdict.config, verdict.age))
            for place in self.rung.pop(verdict.config, []):
                if verdict.on:
                    self._wait(place)
                else:
                    ended += self._end(place, verdict.why)
        return ended

    def _count(self, task: Task, places: Sequence[Place], before: int) -> None:
        """Lane-epochs that were of use, and that the chunk took with its empty and dead places."""
        live = 0
        for place in places:
            assert place.lane is not None
            live += self._trained(place) - before
        executed = (places[0].age - before) * task.chunk.cohort.width
        self.counts = Counts(self.counts.live + live, self.counts.executed + executed)

    def _trained(self, place: Place) -> int:
        """Epochs that a lane trained in, until it died."""
        lane = place.lane
        assert lane is not None
        if lane.patience is not None and not _waits(place):
            return min(int(lane.patience.memory.seen), place.age)
        return place.age

    def under_way(self) -> list[Place]:
        """Every lane between its first step and its end, as last heard of."""
        pools = [place for pool in self.pools.values() for place in pool]
        running = [place for places in self.running.values() for place in places]
        waiting = [place for places in self.rung.values() for place in places]
        return sorted((p for p in (*pools, *running, *waiting) if p.lane is not None), key=lambda p: p[:3])

    def restore(self, results: Sequence[LaneResult], places: Sequence[Place]) -> list[LaneResult]:
        """The sweep as it was when it was broken off, from its results and the lanes that were under way.

        The ledger hears again what it heard, from the curves, and decides the same; so nothing of it was stored.

        Returns:
            results of lanes whose end was decided when the sweep was broken off, and not yet taken down.
        """
        ended: dict[int, list[LaneResult]] = defaultdict(list)
        for r in results:
            ended[r.config].append(r)
            self.open[r.config] -= 1
            if r.status == "diverged":
                self.failed.add(r.config)
        taken = {(r.config, r.seed, r.fold) for r in results}
        places = [p for p in places if (p.config, p.seed, p.fold) not in taken]
        held: dict[int, list[Place]] = defaultdict(list)
        for place in places:
            held[place.config].append(place)
        new: list[LaneResult] = []
        for config in sorted({*ended, *held}):
            new += self._replay(config, ended[config], held)
        for some in held.values():
            for place in some:
                at_rung = place.age in self.ledger.ages(place.config)
                if at_rung and (place.config, place.age) not in self.passed:
                    self.rung[place.config].append(place)
                else:
                    self._wait(place)
        done = {(r.config, r.seed, r.fold) for r in (*results, *new)}
        self.start(done, places)
        return new

    def _replay(self, config: int, ended: Sequence[LaneResult], held: dict[int, list[Place]]) -> list[LaneResult]:
        """What the ledger heard of one configuration, once more."""
        new: list[LaneResult] = []
        if self.open[config] == 0:
            ages = [a for a in self.ledger.ages(config) if a <= max(r.epochs for r in ended)]
        else:
            ages = [a for a in self.ledger.ages(config) if all(p.age >= a for p in held[config])]
            if len(held[config]) < self.open[config]:
                return []
        for age in ages:
            lost = [r for r in ended if r.status == "diverged" and r.epochs <= age]
            if len(lost) == len(ended) and not held[config]:
                break
            rows = [_row(self.work, place.seen, age) for place in held[config]]
            rows += [_past(self.work, r, age) for r in ended if r.epochs >= age and r not in lost]
            for verdict in self._judge(config, age, rows, bool(lost)):
                new += self._carry_out_again(verdict, held)
        if self.open[config] == 0:
            for verdict in self.ledger.leave(config):
                new += self._carry_out_again(verdict, held)
        return new

    def _carry_out_again(self, verdict: Verdict, held: dict[int, list[Place]]) -> list[LaneResult]:
        if verdict.on:
            self.passed.add((verdict.config, verdict.age))
            return []
        over = held.pop(verdict.config, [])
        return [result for place in over for result in self._end(place, verdict.why)]


def _dead(place: Place) -> bool:
    """Whether a lane trains no more: it diverged, or its patience ran out."""
    assert place.lane is not None
    return int(place.lane.fault.step) >= 0 or not _waits(place)


def _row(work: Work, seen: Any, age: int) -> Any:
    """The scores of a lane after ``age`` epochs, on the objective's part."""
    return getattr(seen, work.objective.part)[age - 1]


def _past(work: Work, result: LaneResult, age: int) -> Any:
    """The same of a lane that has ended."""
    return [values[age - 1] for values in result.history[work.objective.part].values()]


def _waits(place: Place) -> bool:
    """Whether a lane's patience, if it has any, has not run out."""
    patience = None if place.lane is None else place.lane.patience
    if patience is None:
        return True
    waited = int(patience.memory.waited)
    return not (waited > 0 and waited >= float(patience.rule.patience))
