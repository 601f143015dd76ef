"""All lanes of a sweep and where they stand: waiting, running, at a rung, ended. No threads here, only the rules.

A lane waits in a pool with those of its cohort, its age and the rung to which it trains. Whole chunks are taken first,
of the oldest pool, so that memory stays flat; a chunk with empty places only when there is no whole one (the youngest,
as its lanes may fill up an older one), or when too many wait for a verdict. A chunk that comes back with dead lanes
gives its living ones to their pool again, where others fill it up. Lanes of unlike length share a chunk up to the end
of the shortest; long ones go together, so that no chunk ends with few. As a lane's bits depend on neither neighbours
nor place, no order of events changes a result.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import jax
import numpy as np

from fnopt._types import Trial
from fnopt.sweep.chunk import Chunk, Cohort, Place, Work, going_on, scored_each
from fnopt.sweep.ledger import Ledger, Verdict
from fnopt.sweep.merge import Program
from fnopt.sweep.result import LaneResult, Trim, result_of
from fnopt.train import EXACT, in_unit, reported


class Entry(NamedTuple):
    """A configuration made ready for training."""

    program: Program
    width: int  # C
    numbers: dict[str, Any]
    trim: Trim | None = None  # from padded to true widths
    by_fold: tuple[dict[str, Any], ...] = ()  # the numbers of each fold, where they are not the same

    def of(self, fold: int) -> dict[str, Any]:
        """The numbers in this fold."""
        return self.by_fold[fold] if self.by_fold else self.numbers


class Task(NamedTuple):
    """A chunk, and the age to which it trains."""

    chunk: Chunk
    until: int
    ends: bool  # whether a lane's training ends there; else a rule decides


class Pool(NamedTuple):
    """What lanes have in common that may share a chunk."""

    kind: int  # which program, width and structure of numbers
    seed: int
    fold: int
    age: int
    rung: int  # members of one bracket train to the same age, those of another wait for their own chunk


class Over(NamedTuple):
    """A lane that a rule ended, and why; its result is yet to be made."""

    place: Place
    why: str


class Counts(NamedTuple):
    """Lane-epochs, and lane-steps, that were of use and that were run."""

    live: int = 0
    executed: int = 0


class Field:
    """The lanes of a sweep; whoever uses it from several threads holds a lock."""

    def __init__(self, work: Work, entries: Sequence[Entry], seeds: int, ledger: Ledger, higher: bool):
        self.work, self.entries, self.ledger, self.higher = work, entries, ledger, higher
        self.replicas = [(seed, fold) for seed in range(seeds) for fold in range(len(work.folds))]
        self.pools: dict[Pool, list[tuple[int, Place]]] = defaultdict(list)  # heaps: see _wait
        self.running: dict[int, Sequence[Place]] = {}
        self.rung: dict[int, list[Place]] = defaultdict(list)  # config -> its lanes that reached their rung
        self.over: dict[tuple[int, int, int], Over] = {}  # (config, seed, fold) -> a lane whose result is to be taken
        self.open = [len(self.replicas)] * len(entries)  # lanes of each configuration that have not ended
        self.failed: dict[int, int] = {}  # configuration -> the epoch in which the first of its lanes diverged
        self.past: dict[int, list[LaneResult]] = defaultdict(list)  # lanes that had ended when the sweep was broken off
        self.passed: set[tuple[int, int]] = set()  # (configuration, age): rungs after which it goes on
        self.counts = Counts()
        # Pools go by a number for what is dear to hash and to ask about.
        kinds: dict[tuple[Program, int, Any], int] = {}
        structures = [jax.tree.structure(entry.numbers) for entry in entries]
        self._kind = [
            kinds.setdefault((e.program, e.width, s), len(kinds)) for e, s in zip(entries, structures, strict=True)
        ]
        self._kinds = list(kinds)
        self._room = sum(width for _, width, _ in kinds)
        self._ids = 0

    def start(self, done: Collection[tuple[int, int, int]] = (), places: Sequence[Place] = ()) -> None:
        """Every lane that is neither done nor under way waits at age 0; the others wait where they were."""
        there = {(p.config, p.seed, p.fold) for p in places}
        for config, entry in enumerate(self.entries):
            for seed, fold in self.replicas:
                if (config, seed, fold) not in done and (config, seed, fold) not in there:
                    self._wait(Place(config, seed, fold, entry.of(fold)))

    def waiting(self) -> dict[Any, tuple[int, int]]:
        """By program, width and structure of numbers: epochs of all waiting chunks, and those of the longest one."""
        found: dict[Any, tuple[int, int]] = {}
        for name, pool in self.pools.items():
            kind = self._kinds[name.kind]
            whole, longest = found.get(kind, (0, 0))
            left = sorted((self.ledger.lengths[place.config] - name.age for _, place in pool), reverse=True)
            found[kind] = whole + sum(left[:: kind[1]]), max(longest, left[0])
        return found

    def left(self) -> int:
        """Lane-epochs that are to be trained, if no lane ends before its time; while none is running."""
        whole = sum(lanes * epochs for lanes, epochs in zip(self.open, self.ledger.lengths, strict=True))
        return whole - sum(place.age for place in self.under_way())

    def _wait(self, place: Place) -> None:
        """Into its pool, behind those that train longer and those of lower number.

        Under a rule that judges one by one by number alone: it would wait for those that come last.
        """
        rung = self.ledger.rung(place.config, place.age)
        first = 0 if self.ledger.ordered else -self.ledger.lengths[place.config]
        heappush(self.pools[Pool(self._kind[place.founder], place.seed, place.fold, place.age, rung)], (first, place))

    def take(
        self, takable: Callable[[Cohort], bool], fresh: Callable[[Cohort], bool], idle: bool = True
    ) -> tuple[int, Task] | None:
        """The next chunk, or None where nothing can be taken now.

        ``takable`` says whether a cohort's program may run here now, ``fresh`` whether it has yet to be compiled; both
        are asked once of each program, whatever its seed (and fold, unless each has a program for its own rows). Where
        nothing is ``idle``, a chunk that is not full is left to wait for its sisters, once its program is there.
        """
        best, choice, crowded = None, None, self._crowded()
        asked: dict[tuple[int, int], tuple[bool, bool]] = {}
        for name, pool in self.pools.items():
            at = name.kind, name.fold if self._kinds[name.kind][0].trial.batch in EXACT else 0
            if at not in asked:
                cohort = Cohort(*self._kinds[name.kind], name.seed, name.fold)
                asked[at] = takable(cohort), not fresh(cohort)
            may, known = asked[at]
            if may:
                thin = not crowded and len(pool) < self._kinds[name.kind][1]
                if thin and known and not idle:
                    continue
                age = 0 if crowded else name.age if thin else -name.age
                rank = (known, thin, age, pool[0][1].config)
                if best is None or rank < best:
                    best, choice = rank, name
        if choice is None:
            return None
        cohort = Cohort(*self._kinds[choice.kind], choice.seed, choice.fold)
        pool = self.pools[choice]
        places = tuple(heappop(pool)[1] for _ in range(min(cohort.width, len(pool))))
        if not pool:
            del self.pools[choice]
        self._ids += 1
        self.running[self._ids] = places
        until = min(self.ledger.until(p.config, p.age) for p in places)
        ends = any(self.ledger.lengths[p.config] == until for p in places)
        return self._ids, Task(Chunk(cohort, places), until, ends)

    def _crowded(self) -> bool:
        """Whether so many wait for a verdict that those of lowest number must come first, in whole chunks or not.

        Under a rule that judges one by one, a single lane for which no sisters come would otherwise hold up all others.
        """
        return self.ledger.ordered and len(self.rung) > (2 + len(self.running)) * self._room

    def publish(self, number: int, places: Sequence[Place]) -> None:
        """A running chunk's lanes, as they are after a segment."""
        self.running[number] = places

    def give_back(self, number: int, task: Task, places: Sequence[Place]) -> tuple[list[LaneResult], list[Over]]:
        """A chunk's lanes after training.

        Returns:
            results of those that ended, and the lanes, of other chunks too, that a rule ended by what this decides.
            They can be many, and those that go on need not wait for their results: :meth:`result` makes one without
            a lock, and they are under way until :meth:`taken` hears of it.
        """
        del self.running[number]
        before, age, over = task.chunk.places[0].age, places[0].age, len(self.over)
        live = 0
        ended: list[LaneResult] = []
        for place in places:
            new = self._settle(place)
            # A lane that died did so before the chunk's end: its result, the first of these, knows when.
            live += (self._lived(place, new) if dead(place) else age) - before
            ended += new
        executed = (age - before) * task.chunk.cohort.width
        self.counts = Counts(self.counts.live + live, self.counts.executed + executed)
        return ended, list(self.over.values())[over:]

    def result(self, over: Over) -> LaneResult:
        """The result of a lane that a rule ended."""
        entry = self.entries[over.place.founder]
        return result_of(self.work, entry.program, over.place, over.why, entry.trim)

    def taken(self, over: Over) -> None:
        """Its result is taken down, and the lane forgotten."""
        del self.over[over.place[:3]]

    def _lived(self, place: Place, ended: Sequence[LaneResult]) -> int:
        """How many epochs a dead lane trained; ``ended`` is what came of it."""
        return ended[0].epochs

    def _settle(self, place: Place) -> list[LaneResult]:
        """Where a lane goes from here: to its end, to a rung, or on."""
        assert place.lane is not None
        if place.age >= self.ledger.lengths[place.config]:
            return self._end(place)
        # The chunk may have ended here for another lane, for whose sake the training part was scored.
        if self.work.objective.part == "dev" or place.age not in self.ledger.ages(place.config):
            place = _scored_alone(self.work, place)
        if dead(place):
            return self._end(place)
        if self._judged_here(place):
            self.rung[place.config].append(place)
            self._at_rung(place.config)
        else:
            self._wait(place)
        return []

    def _judged_here(self, place: Place) -> bool:
        return place.age in self.ledger.ages(place.config) and (place.config, place.age) not in self.passed

    def _end(self, place: Place) -> list[LaneResult]:
        """A lane that ended by itself."""
        result = self.result(Over(place, ""))
        self.open[place.config] -= 1
        self._note(result)
        self._at_rung(place.config)
        return [result]

    def _stop(self, place: Place, why: str) -> None:
        """A lane that a rule ends."""
        self.open[place.config] -= 1
        self.over[place[:3]] = Over(place, why)

    def _note(self, result: LaneResult) -> None:
        if result.status == "diverged":
            self.failed[result.config] = min(result.epochs, self.failed.get(result.config, result.epochs))

    def _at_rung(self, config: int) -> None:
        """When all open lanes of a configuration are at their rung, or none is open, the ledger hears of it."""
        here = self.rung.get(config, [])
        if len(here) == self.open[config]:
            self._carry_out(self._tell(config, here))

    def _tell(self, config: int, here: Sequence[Place]) -> list[Verdict]:
        """Tell the ledger of each rung that no lane of a configuration is still on its way to.

        Args:
            config: which.
            here: all of its lanes that have not ended.
        """
        verdicts: list[Verdict] = []
        end = self.ledger.lengths[config]
        least = min((place.age for place in here), default=end)
        while (age := self.ledger.due(config)) < end and age <= least:
            trial = self.entries[config].program.trial
            rows = [shown_at(self.work, trial, place.seen, age) for place in here]
            rows += [_past(self.work, r, age) for r in self.past[config] if _came_to(r, age)]
            if not rows:
                break
            verdicts += self._judge(config, age, rows)
        return verdicts if here else [*verdicts, *self.ledger.leave(config)]

    def _judge(self, config: int, age: int, rows: Sequence[Any]) -> list[Verdict]:
        """Tell the ledger what a configuration scores at a rung: the mean over its lanes, none where one diverged."""
        failed = self.failed.get(config, self.work.epochs) <= age
        score = math.nan if failed else mean([score for score, _ in rows])
        return self.ledger.arrive(config, age, score, mean([loss for _, loss in rows]), self.higher)

    def _carry_out(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            if verdict.on:
                self.passed.add((verdict.config, verdict.age))
            for place in self.rung.pop(verdict.config, []):
                if verdict.on:
                    self._wait(place)
                else:
                    self._stop(place, verdict.why)

    def under_way(self) -> list[Place]:
        """Every lane between its first step and its end, as last heard of."""
        pools = [place for pool in self.pools.values() for _, place in pool]
        running = [place for places in self.running.values() for place in places]
        waiting = [place for places in self.rung.values() for place in places]
        over = [over.place for over in self.over.values()]
        return sorted((p for p in (*pools, *running, *waiting, *over) if p.lane is not None), key=lambda p: p[:3])

    def restore(self, results: Sequence[LaneResult], places: Sequence[Place]) -> list[LaneResult]:
        """The sweep as it was when it was broken off, from its results and the lanes that were under way.

        The ledger hears again what it heard, from the curves, and decides the same; so nothing of it was stored.

        Returns:
            results of lanes whose end was decided when the sweep was broken off, and not yet taken down.
        """
        for r in results:
            self.past[r.config].append(r._replace(params=None, stats=None))
            self.open[r.config] -= 1
            self._note(r)
        done = {(r.config, r.seed, r.fold) for r in results}
        places = [p for p in places if (p.config, p.seed, p.fold) not in done]
        held: dict[int, list[Place]] = defaultdict(list)
        for place in places:
            held[place.config].append(place)
        verdicts: list[Verdict] = []
        for config in sorted({*self.past, *held}):
            if len(held[config]) == self.open[config]:  # else a lane has yet to begin
                verdicts += self._tell(config, held[config])
        self.passed |= {(v.config, v.age) for v in verdicts if v.on}
        for verdict in (v for v in verdicts if not v.on):
            for place in held.pop(verdict.config, []):
                self._stop(place, verdict.why)
        for place in (place for some in held.values() for place in some):
            if self._judged_here(place):
                self.rung[place.config].append(place)
            else:
                self._wait(place)
        self.start(done, places)
        return self._taken_over()

    def _taken_over(self) -> list[LaneResult]:
        """Results of all lanes that a rule ended, which are taken at once."""
        results = [self.result(over) for over in self.over.values()]
        self.over.clear()
        return results


def dead(place: Place) -> bool:
    """Whether a lane trains no more: it diverged, or its patience ran out."""
    assert place.lane is not None
    return not going_on(place.lane)


def _scored_alone(work: Work, place: Place) -> Place:
    """A lane that goes on from where its chunk ended: there the training part was scored for others, not for it."""
    assert place.lane is not None and place.seen is not None
    every = scored_each(work, place.lane)
    if every and place.age % every == 0:
        return place
    train = place.seen.train.copy()
    train[-1] = np.nan
    return place._replace(seen=place.seen._replace(train=train))


def shown_at(work: Work, trial: Trial, seen: Any, age: int) -> tuple[float, float]:
    """What ranks a lane after ``age`` epochs, and its loss on the objective's part, in the user's unit."""
    part, scores = work.objective.part, reported(trial)
    rows = in_unit(scores, getattr(seen, part)[:age], work.unit)
    named = {score.name: rows[:, k] for k, score in enumerate(scores)}
    return work.objective.value({part: named, "updates": seen.updates}, age), float(rows[-1, 0])


def _past(work: Work, result: LaneResult, age: int) -> Any:
    """The same of a lane that has ended."""
    return work.objective.value(result.history, age), float(result.history[work.objective.part]["loss"][age - 1])


def _came_to(result: LaneResult, age: int) -> bool:
    """Whether a lane that has ended came to a rung alive."""
    return result.epochs > age or (result.epochs == age and result.status == "pruned")


def mean(values: Sequence[Any]) -> float:
    """The mean, in exact arithmetic: it must not depend on which lane came first."""
    numbers = [float(value) for value in values]
    return math.fsum(numbers) / len(numbers) if all(map(math.isfinite, numbers)) else math.nan
