"""A field under population-based training: at each rung all lanes wait, and the worst become copies of the best."""

import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt.space.path import Path, keys, text
from fnopt.space.perturb import Ranges
from fnopt.sweep.chunk import Place, Work
from fnopt.sweep.field import Entry, Field, dead, mean, shown_at
from fnopt.sweep.ledger import Ledger, mark_of
from fnopt.sweep.lineage import Move
from fnopt.sweep.population import Population, decide, repeats
from fnopt.sweep.result import LaneResult, result_of
from fnopt.sweep.stop import Mark

Remake = Callable[[int, int, Mapping[Path, float]], dict[str, Any]]


class Evolving(Field):
    """The lanes of a population.

    A lane that diverged waits at its rung with the others and is replaced there; nobody ends before the last rung. Who
    descends from whom stands in the lanes themselves, so that lanes under way are all that a store must keep.
    """

    def __init__(
        self,
        work: Work,
        entries: Sequence[Entry],
        seeds: int,
        rule: Population,
        higher: bool,
        *,
        ranges: Ranges,
        numbers: Sequence[Mapping[Path, float]],
        remake: Remake,
    ):
        """``numbers`` is what each configuration begins with; ``remake(founder, fold, numbers)`` gives all of a lane's.

        ``remake`` raises ValueError where a model cannot take these numbers.
        """
        super().__init__(work, entries, seeds, Ledger(rule, len(entries), work.epochs), higher)
        self.rule, self.ranges, self.numbers, self.remake = rule, ranges, numbers, remake
        self.rungs = self.ledger.ages(0)  # the same for all
        self.named = False  # whether a warning said that copies repeat
        self.generation = 0  # how many were decided
        self.here = 0  # lanes at the rung

    def _settle(self, place: Place) -> list[LaneResult]:
        if self.generation == len(self.rungs):
            return super()._settle(place)
        return [*self._stand(place), *self._decide()]

    def _stand(self, place: Place) -> list[LaneResult]:
        """A lane to the rung that is next, or on its way."""
        if self.generation < len(self.rungs) and (dead(place) or place.age == self.rungs[self.generation]):
            self.rung[place.config].append(place)
            self.here += 1
        elif dead(place):
            return self._end(place)
        else:
            self._wait(place)
        return []

    def _at_rung(self, config: int) -> None:
        """That a lane has ended decides nothing here."""

    def _lived(self, place: Place, ended: Sequence[LaneResult]) -> int:
        return result_of(self.work, self.entries[place.founder].program, place).epochs

    def _decide(self) -> list[LaneResult]:
        """The next generation, when all lanes are at the rung."""
        if self.generation == len(self.rungs) or self.here < len(self.entries) * len(self.replicas):
            return []
        age, old = self.rungs[self.generation], self.rung
        marks = [self._mark(config, age) for config in range(len(self.entries))]
        self.rung, self.here, self.generation = defaultdict(list), 0, self.generation + 1
        if all(mark.bad for mark in marks):  # nobody is left to learn from
            self.generation, why = len(self.rungs), f"no configuration had a finite score at epoch {age}"
            places = [place for config in sorted(old) for place in old[config]]
            for place in places:
                if not dead(place):
                    self._stop(place, why)
            # At once: lanes of an earlier generation go on together or not at all.
            return [*(r for place in places if dead(place) for r in self._end(place)), *self._taken_over()]
        numbers = [self._now(old[config][0]) for config in range(len(self.entries))]

        def fits(donor: int, new: Mapping[Path, float]) -> bool:
            return self._takes(old[donor][0].founder, new)

        moves = decide(self.rule, marks, numbers, self.ranges, self.work.key, self.generation, age, fits)
        children = {move.config: self._children(move, old[move.donor]) for move in moves}
        self._name_repeats(moves, numbers)
        for config in range(len(self.entries)):
            for place in children.get(config, old[config]):
                self._stand(place._replace(generation=self.generation))
        return []

    def _mark(self, config: int, age: int) -> Mark:
        places = self.rung[config]
        if any(map(dead, places)):
            return mark_of(config, np.nan, np.nan, self.higher)
        trial = self.entries[config].program.trial
        shown = [shown_at(self.work, trial, place.seen, age) for place in places]
        return mark_of(config, mean([score for score, _ in shown]), mean([loss for _, loss in shown]), self.higher)

    def _now(self, place: Place) -> Mapping[Path, float]:
        return place.lineage[-1].numbers if place.lineage else self.numbers[place.config]

    def _name_repeats(self, moves: Sequence[Move], numbers: Sequence[Mapping[Path, float]]) -> None:
        """Warn, once a sweep, where copies train the same lane twice."""
        again = repeats(moves, numbers)
        if not again or self.named:
            return
        self.named, one = True, again[0]
        warnings.warn(
            f"population(): configuration {one.config} copied configuration {one.donor} at epoch {one.epoch} and has "
            f"the same numbers as it or as another copy of it, so both train the same ({len(again)} such copies in "
            f"this generation): {', '.join(map(text, self.ranges))} had no values left for n={len(self.entries)}; "
            "add options to a choice, or search a range, as in lr=fo.log_uniform(1e-4, 1e-1)",
            stacklevel=2,
        )

    def _takes(self, founder: int, numbers: Mapping[Path, float]) -> bool:
        """Whether the structure of a founder takes these numbers: what hangs on several may refuse some of them."""
        try:
            self.remake(founder, 0, numbers)
        except ValueError:
            return False
        return True

    def _children(self, move: Move, donors: Sequence[Place]) -> list[Place]:
        """What becomes of the donor's lanes under the name of the configuration that is replaced."""
        founder = donors[0].founder
        numbers = [self.remake(founder, fold, move.numbers) for fold in range(len(self.work.folds))]
        return [reborn(place, move, numbers[place.fold]) for place in donors]

    def restore(self, results: Sequence[LaneResult], places: Sequence[Place]) -> list[LaneResult]:
        """As of any field. Results may be newer than the lanes under way.

        There are none before the last generation, and where these lanes stand before it, all of them train again from
        here, to the same end.
        """
        whole = len(self.entries) * len(self.replicas)
        self.generation = max((place.generation for place in places), default=0)
        if not places and len(results) == whole:
            self.generation = len(self.rungs)
        if self.generation < len(self.rungs):
            results = []
        for r in results:
            self.open[r.config] -= 1
        done = {(r.config, r.seed, r.fold) for r in results}
        places = [p for p in places if (p.config, p.seed, p.fold) not in done]
        new = [result for place in places for result in self._stand(place)]
        self.start(done, places)
        return [*new, *self._decide()]


def reborn(place: Place, move: Move, numbers: dict[str, Any]) -> Place:
    """A donor's lane under the name of who is replaced, with these numbers; all else, its curves too, as it was.

    Written are the leaves in which ``numbers`` differs from the lane's first numbers and nothing else: what a schedule
    remembers stays.
    """
    lane, old = place.lane, dict(jax.tree_util.tree_leaves_with_path(place.numbers))
    assert lane is not None
    f = jnp.result_type(float)
    changed = {
        keys(path): np.asarray(new, f)
        for path, new in jax.tree_util.tree_leaves_with_path(numbers)
        if np.asarray(new, f) != np.asarray(old[path], f)
    }

    def put(some: Any) -> Any:
        return jax.tree_util.tree_map_with_path(lambda path, leaf: changed.get(keys(path), leaf), some)

    state = lane.state._replace(hyper=put(lane.state.hyper))
    return place._replace(
        config=move.config,
        numbers=numbers,
        lane=lane._replace(state=state, numbers=put(lane.numbers)),
        lineage=(*place.lineage, move),
    )
