"""Population-based training: the rule, and its decisions as a pure function of scores, numbers and a key."""

import math
from collections.abc import Mapping, Sequence
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
from fnopt.space.path import Path, salt
from fnopt.space.perturb import Ranges, perturbed
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
    a neighbour), inside its range, or drawn again with probability ``resample``. So numbers change over the training: a
    configuration is a lineage, and what it found is a schedule: ``sweep.best.hyper`` has each number that changed as
    ``fo.schedules.piecewise``, counted in epochs (one inside a schedule only as it was at the end).

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
) -> list[Move]:
    """Who is replaced by whom in a generation, and with which numbers, in the order of their numbers.

    Args:
        rule: the shares, and how numbers change.
        marks: what each configuration shows.
        numbers: what each has of the numbers that change, by path.
        ranges: what these were drawn from.
        key: of the sweep; configuration i draws from ``fold_in(fold_in(fold_in(key, PURPOSE), i), generation)``.
        generation: counted from 1.
        epoch: after which it is.
    """
    donors, worst = rule.split(marks)
    salts = jnp.asarray([salt(path) for path in ((), *ranges)], jnp.uint32)  # (): the donor
    moves = []
    for config in worst:
        rows = np.asarray(_draws(key, np.uint32(config), np.uint32(generation), salts)).tolist()
        donor = donors[min(int(rows[0][0] * len(donors)), len(donors) - 1)]
        shares = dict(zip(ranges, rows[1:], strict=True))
        change = partial(perturbed, factor=rule.factor, resample=rule.resample)
        mine = {name: change(ranges[name], x, shares[name]) for name, x in numbers[donor].items()}
        moves.append(Move(epoch, config, donor, mine))
    return moves


@jax.jit
def _draws(key: chex.PRNGKey, config: Any, generation: Any, salts: Any) -> Any:
    """Three shares in [0, 1) for the donor and for each number, shape=(1 + numbers, 3), whatever their order."""
    TRACES["population"] += 1
    mine = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(key, PURPOSE), config), generation)
    return jax.vmap(lambda two: jax.random.uniform(reduce(jax.random.fold_in, two, mine), (3,)))(salts)
