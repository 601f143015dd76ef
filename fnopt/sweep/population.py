"""Population-based training: the rule, and its decisions as a pure function of scores, numbers and a key."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any
from zlib import crc32

import chex
import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import real, whole
from fnopt._compile import TRACES
from fnopt.space.apart import TRIES, seen, unlike
from fnopt.space.path import Path, salt
from fnopt.space.perturb import Ranges
from fnopt.sweep.lineage import Move
from fnopt.sweep.stop import Bracket, Mark, Rule

PURPOSE = crc32(b"population")  # keeps these draws apart from all others that come from a sweep's key


@dataclass(frozen=True, repr=False)
class Population(Rule):
    """See :func:`population`."""

    every: int = 5
    share: float = 0.25
    factor: float = 1.2
    resample: float = 0.1

    def ages(self, epochs: int) -> tuple[int, ...]:
        """Each so many epochs, below the whole length.

        >>> population(every=5).ages(20)
        (5, 10, 15)
        """
        return tuple(range(self.every, epochs, self.every))

    def brackets(self, n: int, epochs: int) -> list[Bracket]:
        """All in one; one alone has nobody to learn from."""
        return [Bracket(range(n), self.ages(epochs) if n > 1 else ())]

    def split(self, marks: Sequence[Mark]) -> tuple[list[int], list[int]]:
        """Who gives and who is replaced, each in the order of their numbers.

        Of n the best ⌊share n⌋ (one at least) give, and as many of the worst are replaced; who diverged never gives and
        always is. None of either where all diverged.

        >>> population(share=0.25).split([Mark(i == 2, s, 0.0, i) for i, s in enumerate([0.3, 0.1, 0.0, 0.4])])
        ([1], [2])
        """
        ranked, k = sorted(marks), max(math.floor(len(marks) * self.share + 1e-9), 1)
        donors = [mark.config for mark in ranked[:k] if not mark.bad]
        worst = [mark.config for i, mark in enumerate(ranked) if mark.bad or i >= len(ranked) - k]
        return sorted(donors), sorted(worst) if donors else []

    def __repr__(self) -> str:
        return (
            f"Population(every={self.every}, share={self.share:g}, factor={self.factor:g}, resample={self.resample:g})"
        )


def population(every: int = 5, share: float = 0.25, factor: float = 1.2, resample: float = 0.1) -> Population:
    """Population-based training: the worst take over the weights of the best, and go on with slightly other numbers.

    Every so many epochs all configurations are ranked by the mean score over seeds and folds. Each of the worst
    ``share``, and each that diverged, becomes a copy of one drawn from the best ``share``: weights, optimizer state,
    statistics and structure (``hidden``, ``optimizer``, ``batch_size``, …). Then each number that the space draws is
    multiplied or divided by ``factor`` (for ``one_minus_log_uniform`` its distance to 1 is; a choice of numbers goes to
    a neighbour), inside its range, or drawn again with probability ``resample``. Two copies of one configuration never
    continue with equal numbers, nor does a copy with those of what it copies: then the factor is drawn between
    1/``factor`` and ``factor``. A warning says it where choices are too few for that. So numbers change over the
    training: a configuration is a lineage, and what it found is a schedule: ``sweep.best.hyper`` has each number that
    changed as ``fo.schedules.piecewise``, counted in epochs (one inside a schedule only as it was at the end).

    Draws come from a key for each configuration and generation. ``sweep.lineage(i)`` lists a configuration's
    ancestors, ``sweep.replay(i)`` trains its lineage again from the first step, with the same bits. Curves are those of
    the lineage.

    Args:
        every: ≥ 1; epochs between generations. From ``epochs`` on there is none, and the sweep is a plain one.
        share: in (0, 0.5]; the share replaced, and the share that may give; one configuration at least.
        factor: > 1; how far a number moves.
        resample: in [0, 1]; how often a number is drawn anew instead.

    Returns:
        a rule for ``fo.caviar(…, stop=…)``. A sweep under it cannot be extended to a larger n: all are compared.

    Raises:
        ValueError: for a number out of its range.

    Source: Jaderberg, Dalibard, Osindero, Czarnecki, Donahue, Razavi, Vinyals, Green, Dunning, Simonyan, Fernando and
    Kavukcuoglu, "Population Based Training of Neural Networks", 2017, https://arxiv.org/abs/1711.09846.

    >>> population(every=2, share=0.5)
    Population(every=2, share=0.5, factor=1.2, resample=0.1)
    """
    return Population(
        every=whole("every", every),
        share=real("share", share, "in (0, 0.5]", lambda x: 0 < x <= 0.5),
        factor=real("factor", factor, "above 1", lambda x: x > 1),
        resample=real("resample", resample, "in [0, 1]", lambda x: 0 <= x <= 1),
    )


def decide(
    rule: Population,
    marks: Sequence[Mark],
    numbers: Sequence[Mapping[Path, float]],
    ranges: Ranges,
    key: chex.PRNGKey,
    generation: int,
    epoch: int,
    fits: Callable[[int, Mapping[Path, float]], bool] = lambda donor, numbers: True,
) -> list[Move]:
    """Which configurations a generation replaces, by which and with which numbers, in order.

    A copy has other numbers than its donor and than the donor's other copies, as far as there are any: equal ones
    would train the same lane, since order, dropout and noise come from seed and fold alone.

    Args:
        rule: the shares, and how numbers change.
        marks: what each configuration shows.
        numbers: what each has of the numbers that change, by path.
        ranges: what these were drawn from.
        key: of the sweep; configuration i draws from ``fold_in(fold_in(fold_in(key, PURPOSE), i), generation)``.
        generation: counted from 1.
        epoch: after which it is.
        fits: whether the model of a donor takes some numbers; others are drawn where it does not.
    """
    donors, worst = rule.split(marks)
    salts = jnp.asarray([salt(path) for path in ((), *ranges)], jnp.uint32)  # (): the donor
    taken: dict[int, list[Mapping[Path, float]]] = {donor: [numbers[donor]] for donor in donors}
    moves = []
    for config in worst:
        rows = np.asarray(_draws(key, np.uint32(config), np.uint32(generation), salts)).tolist()
        donor = donors[min(int(rows[0][0][0] * len(donors)), len(donors) - 1)]
        draws = dict(zip(ranges, rows[1:], strict=True))
        mine = unlike(
            numbers[donor],
            ranges,
            draws,
            taken=taken[donor],
            fits=partial(fits, donor),
            factor=rule.factor,
            resample=rule.resample,
        )
        taken[donor].append(mine)
        moves.append(Move(epoch, config, donor, mine))
    return moves


def repeats(moves: Sequence[Move], numbers: Sequence[Mapping[Path, float]]) -> list[Move]:
    """The moves of a generation whose copy has the numbers of its donor or of an earlier copy of it: one lane, twice.

    >>> at = ("l2",)
    >>> moves = [Move(2, 3, 0, {at: 0.1}), Move(2, 4, 0, {at: 0.1}), Move(2, 5, 1, {at: 0.1})]
    >>> [move.config for move in repeats(moves, [{at: 0.0}, {at: 0.1}])]
    [4, 5]
    """
    known = {(move.donor, seen(numbers[move.donor])) for move in moves}
    again = []
    for move in moves:
        mine = (move.donor, seen(move.numbers))
        again += [move] if mine in known else []
        known.add(mine)
    return again


@jax.jit
def _draws(key: chex.PRNGKey, config: Any, generation: Any, salts: Any) -> Any:
    """Shares in [0, 1) for the donor and for each number, shape=(1 + numbers, TRIES, 3), whatever their order."""
    TRACES["population"] += 1
    mine = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(key, PURPOSE), config), generation)
    return jax.vmap(lambda two: jax.random.uniform(reduce(jax.random.fold_in, two, mine), (TRIES, 3)))(salts)
