"""Narrowing a space to where its best configurations lie: the step from a coarse search to a fine one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fnopt.space.choice import Choice, same
from fnopt.space.distributions import Distribution
from fnopt.space.entry import Picked, Range
from fnopt.space.path import Path
from fnopt.space.search_space import SearchSpace

SHARE = 1 / 5  # of the configurations are taken for the good ones
FEWEST = 3  # candidates, at least
MARGIN = 0.1  # of the given width, on either side of the good ones

FLAT = {"normal": "uniform", "log_normal": "log_uniform"}  # a bell has no bounds; narrowed, it has


def narrow(space: Mapping[str, Any], ranked: Sequence[Mapping[str, Any]]) -> SearchSpace:
    """The part of a space that its best configurations cover, a margin around them included.

    The best are the first fifth, three at least. With s a range's own scale (s = x for ``uniform``, ln x for
    ``log_uniform``, −ln(1 − x) for ``one_minus_log_uniform``) and w its width there, it becomes

        s⁻¹(min s(x) − w/10)  to  s⁻¹(max s(x) + w/10),  x over the best,

    never beyond the given bounds; whole numbers are rounded outwards. A bell becomes flat over that range, w being
    four standard deviations. A choice keeps the options that occur among the best. A name that none of them has
    (``when``) stays as it is, and so does the whole space where there are none.

    Args:
        space: name to space or value, as for ``caviar``; a schedule or a tuple may hold spaces.
        ranked: configurations as ``propose`` drew them from this space, best first.

    Returns:
        A space of the same names.

    >>> from fnopt.space import choice, log_uniform
    >>> ranked = [{"lr": 0.01, "a": "p"}, {"lr": 0.03, "a": "q"}, {"lr": 0.02, "a": "p"}, {"lr": 1e-4, "a": "r"}]
    >>> dict(narrow(dict(lr=log_uniform(1e-4, 1.0), a=choice("p", "q", "r")), ranked))
    {'lr': log_uniform(0.00398107, 0.0753566), 'a': choice('p', 'q')}
    """
    made = space if isinstance(space, SearchSpace) else SearchSpace(space)
    best = [made.values_of(hyper) for hyper in best_of(ranked)]

    def change(path: Path, leaf: Range) -> Range:
        found = [values[path] for values in best if path in values]
        if not found:
            return leaf
        return _options(leaf, found) if isinstance(leaf, Choice) else _range(leaf, [float(x) for x in found])

    return made.replaced(change)


def best_of(ranked: Sequence[Any]) -> Sequence[Any]:
    """The first fifth of a ranking, three at least.

    >>> len(best_of(range(5))), len(best_of(range(100)))
    (3, 20)
    """
    return ranked[: max(FEWEST, math.ceil(SHARE * len(ranked)))]


def _options(leaf: Choice, found: Sequence[Any]) -> Choice:
    """The options that occur; all where one holds ranges of its own, whose paths go by the options' numbers."""
    if any(isinstance(x, Picked) for x in found):
        return leaf
    return Choice(tuple(option for option in leaf.options if any(same(option, x) for x in found)))


def _range(space: Distribution, found: Sequence[float]) -> Distribution:
    low, high = (-math.inf, math.inf) if space.bell else (space.low, space.high)
    inside = [min(max(x, low), high) for x in found]
    first = space.unscaled(space.scaled(min(inside)) - MARGIN * space.width)
    last = space.unscaled(space.scaled(max(inside)) + MARGIN * space.width)
    if space.whole:
        first, last = math.floor(first), math.ceil(last)
    return Distribution(FLAT.get(space.kind, space.kind), max(low, first), min(high, last), space.points)
