"""Who has reached which rung, and who goes on: the rule's decisions, taken in an order that repeats."""

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import NamedTuple

from fnopt.sweep.stop import Bracket, Mark, Rule


class Verdict(NamedTuple):
    """A decision on one configuration at one age."""

    config: int
    age: int
    on: bool
    why: str  # in words, where it stops


class Ledger:
    """Collects scores at rungs and gives decisions as soon as they are certain.

    What it decides is a function of the scores alone: the order in which they come in has no influence.
    """

    def __init__(self, rule: Rule | None, n: int, epochs: int, lengths: Sequence[int] | None = None):
        """``lengths`` is how long each configuration trains, ``epochs`` at most and unless given."""
        self.epochs, self.lengths = epochs, [epochs] * n if lengths is None else list(lengths)
        self.ordered = rule is not None and rule.ordered  # whether one waits for those of lower number alone
        brackets = [Bracket(range(n), ())] if rule is None else rule.brackets(n, epochs)
        self._bracket = {config: k for k, b in enumerate(brackets) for config in b.members}
        self._ages = [b.ages for b in brackets]
        self._reached: dict[int, int] = {}  # config -> age of the last rung that heard of it
        kind = None if rule is None else _Ordered if rule.ordered else _Whole
        self._rungs = {
            (k, age): kind(rule, b.members if lengths is None else [c for c in b.members if lengths[c] > age])
            for k, b in enumerate(brackets)
            for age in b.ages
            if kind and rule
        }

    def until(self, config: int, age: int) -> int:
        """To which age a configuration trains next: its next rung, or its end."""
        return min(self.rung(config, age), self.lengths[config])

    def rung(self, config: int, age: int) -> int:
        """The next rung of a configuration's bracket, whether or not it comes there; or the whole length."""
        ages = self._ages[self._bracket[config]]
        k = bisect_right(ages, age)
        return ages[k] if k < len(ages) else self.epochs

    def due(self, config: int) -> int:
        """The first rung that has not heard of a configuration; its length where all have."""
        return self.until(config, self._reached.get(config, 0))

    def ages(self, config: int) -> tuple[int, ...]:
        """The rungs of a configuration: those of its bracket, below its length."""
        ages = self._ages[self._bracket[config]]
        return ages[: bisect_left(ages, self.lengths[config])]

    def arrive(self, config: int, age: int, score: float, loss: float, higher: bool) -> list[Verdict]:
        """A configuration has reached a rung with this score: the decisions that are certain now."""
        return self._told(config, age, mark_of(config, score, loss, higher))

    def leave(self, config: int) -> list[Verdict]:
        """A configuration has ended: nobody waits for it any more at the rungs that it did not reach."""
        reached = self._reached.get(config, 0)
        later = [a for a in self.ages(config) if a > reached]
        return [v for age in later for v in self._told(config, age, None)]

    def _told(self, config: int, age: int, mark: Mark | None) -> list[Verdict]:
        """Tell a rung of a configuration, and the rungs after it of those who end here."""
        self._reached[config] = age
        verdicts = []
        for judged, on, rank, of in self._rungs[self._bracket[config], age].tell(config, mark):
            verdicts.append(Verdict(judged, age, on, "" if on else f"{_ordinal(rank)} of {of} at epoch {age}"))
            if not on:
                verdicts += self.leave(judged)
        return verdicts


def mark_of(config: int, score: float, loss: float, higher: bool) -> Mark:
    """What a configuration shows with this score, which is better when ``higher``."""
    bad = not math.isfinite(score)
    value = 0.0 if bad else -score if higher else score
    return Mark(bad, value, loss if math.isfinite(loss) else math.inf, config)


class _Whole:
    """A rung that is judged when all who will ever reach it are there."""

    def __init__(self, rule: Rule, members: Sequence[int]):
        self.rule, self.missing, self.marks = rule, len(members), []

    def tell(self, config: int, mark: Mark | None) -> list[tuple[int, bool, int, int]]:
        """(configuration, goes on, rank, of how many) for each who is judged now."""
        self.missing -= 1
        if mark is not None:
            self.marks.append(mark)
        if self.missing:
            return []
        ranked = sorted(self.marks)
        on = self.rule.going_on(ranked)
        return [(m.config, yes, k + 1, len(ranked)) for k, (m, yes) in enumerate(zip(ranked, on, strict=True))]


class _Ordered:
    """A rung whose members are judged one by one, each against those of lower number."""

    def __init__(self, rule: Rule, members: Sequence[int]):
        self.rule, self.others = rule, iter(members)
        self.next = next(self.others, None)
        self.told: dict[int, Mark | None] = {}
        self.before: list[Mark] = []

    def tell(self, config: int, mark: Mark | None) -> list[tuple[int, bool, int, int]]:
        """As above."""
        self.told[config] = mark
        judged = []
        while self.next is not None and self.next in self.told:
            mine = self.told.pop(self.next)
            self.next = next(self.others, None)
            if mine is None:
                continue
            better = bisect_left(self.before, mine._replace(config=-1) if self.rule.ties else mine)
            on = not mine.bad and self.rule.keeps(better, len(self.before))
            insort(self.before, mine)
            judged.append((mine.config, on, better + 1, len(self.before)))
        return judged


def _ordinal(k: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st.

    >>> [_ordinal(k) for k in (1, 2, 3, 4, 11, 21)]
    ['1st', '2nd', '3rd', '4th', '11th', '21st']
    """
    ending = "th" if k % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return f"{k}{ending}"
