"""Stopping the poor configurations early: pure rules from scores to who goes on.

A rule sorts configurations into brackets, and each bracket has rungs: ages (in epochs) at which its members are
compared. Who goes on continues from where it is. Every rule depends on scores and configuration numbers alone, not on
the clock, so a sweep that is run again, or goes on after a break, decides the same.

Rules: :func:`halving`, :func:`hyperband`, :func:`asynchronous_halving`, :func:`median`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fnopt._checks import real, whole


class Bracket(NamedTuple):
    """Configurations that are compared with each other."""

    members: range
    ages: tuple[int, ...]  # of its rungs, rising, each below the whole length of training


class Mark(NamedTuple):
    """What a configuration shows at a rung; smaller sorts first and is better."""

    bad: bool  # diverged
    score: float  # lower is better
    loss: float  # decides among equal scores
    config: int


@dataclass(frozen=True)
class Rule:
    """Common to all rules: the share that goes on is 1/eta, and nobody is judged before ``min_epochs``."""

    eta: float = 3.0
    min_epochs: int = 1

    ties = False  # True: who is exactly as good as another is not outdone by it; False: the lower number goes first
    ordered = False  # True: members are judged one by one in their order; False: all of a rung at once

    def ages(self, epochs: int) -> tuple[int, ...]:
        """Rungs at ⌊epochs / eta^k⌋ down to ``min_epochs``.

        >>> halving(eta=3).ages(30)
        (1, 3, 10)
        """
        ages: list[int] = []
        k = 1
        while (age := math.floor(epochs / self.eta**k + 1e-9)) >= self.min_epochs:
            ages.append(age)
            k += 1
        return tuple(sorted({age for age in ages if age < epochs}))

    def brackets(self, n: int, epochs: int) -> list[Bracket]:
        """All configurations in one bracket."""
        return [Bracket(range(n), self.ages(epochs))]

    def going_on(self, marks: Sequence[Mark]) -> list[bool]:
        """Who of a rung goes on: the best ⌈m / eta⌉, nobody who diverged.

        >>> halving(eta=2).going_on([Mark(False, s, 0.0, i) for i, s in enumerate([0.3, 0.1, 0.2, 0.4])])
        [False, True, True, False]
        """
        best = {mark.config for mark in sorted(marks)[: math.ceil(len(marks) / self.eta - 1e-9)] if not mark.bad}
        return [mark.config in best for mark in marks]

    def keeps(self, better: int, before: int) -> bool:
        """Of an ordered rule: whether one goes on that ``better`` of the ``before`` before it at this rung outdo."""
        raise TypeError(f"{type(self).__name__} judges a whole rung at once")


@dataclass(frozen=True)
class Halving(Rule):
    """See :func:`halving`."""


@dataclass(frozen=True)
class Hyperband(Rule):
    """See :func:`hyperband`."""

    def brackets(self, n: int, epochs: int) -> list[Bracket]:
        """The brackets of Hyperband one after another, from the most to the least eager to stop, then over again."""
        ages = self.ages(epochs)
        sizes = hyperband_sizes(len(ages), self.eta)
        made: list[Bracket] = []
        first = 0
        while first < n:
            for k, size in enumerate(sizes):
                if first < n:
                    made.append(Bracket(range(first, min(first + size, n)), ages[k:]))
                first += size
        return made


def hyperband_sizes(rungs: int, eta: float) -> list[int]:
    """How many configurations start in each bracket: ⌈(s_max + 1)/(s + 1) · eta^s⌉ for s = s_max, …, 0.

    >>> hyperband_sizes(3, 3)
    [27, 12, 6, 4]
    """
    return [math.ceil((rungs + 1) / (s + 1) * eta**s - 1e-9) for s in range(rungs, -1, -1)]


@dataclass(frozen=True)
class AsynchronousHalving(Rule):
    """See :func:`asynchronous_halving`."""

    ordered = True

    def keeps(self, better: int, before: int) -> bool:
        """Whether it is among the best 1/eta of those before it and itself."""
        return better < math.ceil((before + 1) / self.eta - 1e-9)


@dataclass(frozen=True)
class Median(Rule):
    """See :func:`median`."""

    every: int = 1
    warmup: int = 5

    ordered = True
    ties = True

    def ages(self, epochs: int) -> tuple[int, ...]:
        """Each so many epochs from ``min_epochs`` on."""
        return tuple(range(self.min_epochs, epochs, self.every))

    def keeps(self, better: int, before: int) -> bool:
        """Whether it is at least as good as the median of those before it, of which there must be ``warmup``."""
        return before < self.warmup or 2 * better <= before


def halving(eta: float = 3.0, min_epochs: int = 1) -> Halving:
    """Successive halving: at each rung the best 1/eta go on, eta times as long, and the others stop.

    Rungs stand at ⌊epochs/eta^k⌋ for k = 1, 2, … as long as that is ≥ ``min_epochs``; of m at a rung ⌈m/eta⌉ go on. By
    the mean score over seeds and folds; ties go by loss, then by number; who diverged never goes on.

    Args:
        eta: > 1; 256 configurations with ``eta=2`` become 128, 64, 32, …
        min_epochs: ≥ 1; no rung comes before so many epochs. Above epochs/eta there is none, and nobody stops early.

    Returns:
        a rule for ``fo.caviar(…, stop=…)``. A sweep under it cannot be extended to a larger n: all are compared.

    Raises:
        ValueError: for an ``eta`` that is no number of at least 1.01, or a ``min_epochs`` that is no whole number ≥ 1.

    Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", 2016,
    https://arxiv.org/abs/1502.07943.

    >>> halving(eta=2, min_epochs=2).ages(32)
    (2, 4, 8, 16)
    """
    return Halving(*_checked(eta, min_epochs))


def hyperband(eta: float = 3.0, min_epochs: int = 1) -> Hyperband:
    """Hyperband: successive halving in several brackets, some of which start fewer configurations and stop later.

    A poor start is not always a poor end: brackets hedge. The configurations of a sweep fill the brackets in their
    order, and when all are full, the next round of brackets. Bracket s = S, …, 0 (S: how many rungs there are) takes
    ⌈(S + 1)/(s + 1) · eta^s⌉ configurations and skips the first S − s rungs. So a sweep of fewer than the first bracket
    takes (27 of 49 at 30 epochs) is plain halving: take n of a round or more.

    Args:
        eta: > 1; the share that goes on at a rung is 1/eta.
        min_epochs: ≥ 1; no rung comes before so many epochs.

    Returns:
        a rule for ``fo.caviar(…, stop=…)``. A sweep under it cannot be extended to a larger n.

    Raises:
        ValueError: as :func:`halving`.

    Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband", 2018, https://arxiv.org/abs/1603.06560.

    >>> [(len(b.members), b.ages) for b in hyperband().brackets(49, 30)]
    [(27, (1, 3, 10)), (12, (3, 10)), (6, (10,)), (4, ())]
    """
    return Hyperband(*_checked(eta, min_epochs))


def asynchronous_halving(eta: float = 3.0, min_epochs: int = 1) -> AsynchronousHalving:
    """Asynchronous halving, stopping variant: at a rung a configuration goes on if it is among the best 1/eta so far.

    Nobody waits for a whole rung, and memory stays flat however many configurations there are. "So far" means the
    configurations of lower number that reached the rung, whatever finishes first, so that the decisions repeat. A sweep
    with more configurations decides the same for those it shares with a smaller one.

    Args:
        eta: > 1; the first to reach a rung goes on. Of k so far, itself among them, the best ⌈k/eta⌉ do.
        min_epochs: ≥ 1; no rung comes before so many epochs.

    Returns:
        a rule for ``fo.caviar(…, stop=…)``; a larger n extends a sweep under it.

    Raises:
        ValueError: as :func:`halving`.

    Source: Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and Talwalkar, "A System for Massively Parallel
    Hyperparameter Tuning", 2020, https://arxiv.org/abs/1810.05934 (there: promotion; here: stopping).

    >>> [asynchronous_halving(eta=2).keeps(better, before) for better, before in ((0, 0), (1, 1), (0, 2), (2, 3))]
    [True, False, True, False]
    """
    return AsynchronousHalving(*_checked(eta, min_epochs))


def median(min_epochs: int = 3, every: int = 1, warmup: int = 5) -> Median:
    """The median rule: a configuration stops when its score is worse than the median of those before it, at that age.

    "Before it" are the configurations of lower number that reached the rung; it goes on while no more than half of them
    are better.

    Args:
        min_epochs: ≥ 1; the first rung.
        every: ≥ 1; epochs from rung to rung.
        warmup: ≥ 1; so many reach a rung before any is stopped there.

    Returns:
        a rule for ``fo.caviar(…, stop=…)``; a larger n extends a sweep under it.

    Raises:
        ValueError: for a number that is no whole number ≥ 1.

    Source: Golovin, Solnik, Moitra, Kochanski, Karro and Sculley, "Google Vizier", 2017, section 3.2.1 (there with
    averages over the curve).

    >>> median(min_epochs=3, every=2).ages(8)
    (3, 5, 7)
    """
    return Median(2.0, whole("min_epochs", min_epochs), whole("every", every), whole("warmup", warmup))


def _checked(eta: float, min_epochs: int) -> tuple[float, int]:
    eta = real("eta", eta, "above 1", lambda x: x > 1)
    if eta < 1.01:
        raise ValueError(f"`eta` must leave rungs apart, so at least 1.01, got {eta!r}")
    return eta, whole("min_epochs", min_epochs)
