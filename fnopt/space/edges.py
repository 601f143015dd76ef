"""Where the best configurations sit at an edge of their ranges, and ranges that reach beyond it."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fnopt._checks import printable
from fnopt.space import distributions
from fnopt.space.checks import Declares
from fnopt.space.choice import Choice
from fnopt.space.distributions import Distribution, shown
from fnopt.space.entry import Range
from fnopt.space.epochs import NAME
from fnopt.space.narrow import best_of
from fnopt.space.path import Path
from fnopt.space.search_space import Hyper, SearchSpace
from fnopt.space.stopping import STOP

NEAR = 0.1  # of a range's width: what lies so close to an end lies at it
OUTER = 0.2  # the same where nothing that was tried lies beyond
FEW, MANY = 5, 200  # configurations: of fewer nothing is said, and of no more all values are looked at
OPTIONS = 3  # of two options the best is always the least or the greatest
BEYOND = 0.5  # of a range's width: how far it is widened, at most
HALVINGS = 20  # of that, where the number cannot go so far


class Edge(NamedTuple):
    """A number whose best value lies at an end of what it was drawn from."""

    path: Path
    name: str
    leaf: Range
    value: Any
    upper: bool

    def __str__(self) -> str:
        """The number, its value and the edge, in words."""
        value = shown(self.value) if isinstance(self.value, float) else repr(self.value)
        what = f"the best {printable(self.name)}, {value},"
        if isinstance(self.leaf, Choice):
            return f"{what} is the {'greatest' if self.upper else 'least'} of {self.leaf!r}"
        return f"{what} lies at the {'upper' if self.upper else 'lower'} edge of {self.leaf!r}"


def edges(space: SearchSpace, ranked: Sequence[Hyper], lost: Sequence[Hyper] = ()) -> list[Edge]:
    """The numbers of a space whose best value lies at an edge, in the order of the space.

    A value sits at an edge if it lies within a tenth of the range's width (in the range's own scale; four standard
    deviations of a bell) of it, or within a fifth where no configuration lies beyond it; of a choice between numbers
    if it is the least or the greatest of three options at least. Most of the best fifth must lie on the same side, and
    no configuration beyond it may have failed.

    Args:
        space: what the configurations were drawn from.
        ranked: those with a score, best first.
        lost: those without one.

    >>> from fnopt.space import log_uniform
    >>> space = SearchSpace(dict(lr=log_uniform(1e-5, 1e-3)))
    >>> str(edges(space, [dict(lr=x) for x in (9e-4, 6e-4, 3e-4, 1e-4, 2e-5)])[0])
    'the best lr, 0.0009, lies at the upper edge of log_uniform(1e-05, 0.001)'
    """
    if len(ranked) < FEW:
        return []
    every = len(ranked) + len(lost) <= MANY
    good = [space.values_of(hyper) for hyper in best_of(ranked)[:MANY]]
    others = [space.values_of(hyper) for hyper in ranked] if every else []
    failed = [space.values_of(hyper) for hyper in lost[:MANY]]
    found = []
    for path, leaf in space.drawn.items():
        if path[0] in (NAME, STOP) or path not in good[0] or not _is_number(leaf):
            continue
        share = _share_of(leaf)
        mine, best, tried, bad = (
            [share(values[path]) for values in some if path in values] for some in (good, good[:1], others, failed)
        )
        for upper in (False, True):
            u = [x if upper else 1 - x for x in (best[0], *mine, *tried)]
            near = u[0] >= (1 if isinstance(leaf, Choice) else 1 - NEAR)
            last = bool(tried) and not isinstance(leaf, Choice) and u[0] >= max(1 - OUTER, *u)
            beyond = any((x if upper else 1 - x) > u[0] for x in bad)
            most = sum(x > 0.5 for x in u[1 : 1 + len(mine)]) > len(mine) / 2
            if (near or last) and most and not beyond:
                found.append(Edge(path, space.labels[path], leaf, good[0][path], upper))
    return found


def widened(narrowed: SearchSpace, edge: Edge, model: Declares) -> SearchSpace | None:
    """A narrowed space with one range going beyond the edge where its best value sits; None where it cannot.

    Half of the given range's width is added, in its own scale, or as much of that as the model's number may be.
    """
    if isinstance(edge.leaf, Choice):
        return None
    share, step = 1.0, 0.5
    made = _with(narrowed, edge, share, model)
    if made is not None:
        return made
    share = 0.0
    for _ in range(HALVINGS):
        tried = _with(narrowed, edge, share + step, model)
        share, made = (share, made) if tried is None else (share + step, tried)
        step /= 2
    return made


def _with(narrowed: SearchSpace, edge: Edge, share: float, model: Declares) -> SearchSpace | None:
    """The space with this share of the widening; None where no such range or number can be, or it changes nothing."""
    given: Any = edge.leaf
    old: Any = narrowed.drawn[edge.path]
    low, high = _ends(given)
    try:
        far = given.unscaled((high if edge.upper else low) + (1 if edge.upper else -1) * share * BEYOND * given.width)
        far = (math.ceil(far) if edge.upper else math.floor(far)) if given.whole else far
        if (far <= old.high) if edge.upper else (far >= old.low):
            return None
        new = getattr(distributions, old.kind)(
            old.low if edge.upper else far, far if edge.upper else old.high, points=old.points
        )
        made = narrowed.replaced(lambda path, leaf: new if path == edge.path else leaf)
        return SearchSpace.parse(made, model)
    except (ValueError, TypeError, OverflowError):
        return None


def _is_number(leaf: Range) -> bool:
    """Whether it is a range, or a choice between enough numbers."""
    if isinstance(leaf, Distribution):
        return True
    return len({*map(repr, leaf.options)}) >= OPTIONS and all(type(x) in (int, float) for x in leaf.options)


def _ends(space: Distribution) -> tuple[float, float]:
    """The ends of a range in its own scale; of a bell two standard deviations from its mean."""
    if space.bell:
        return space.low - space.width / 2, space.low + space.width / 2
    return space.scaled(space.low), space.scaled(space.high)


def _share_of(leaf: Range) -> Callable[[Any], float]:
    """Where a value stands between the ends, from 0 to 1; of a choice among its options in order."""
    if isinstance(leaf, Choice):
        options = sorted(set(leaf.options))
        return lambda x: options.index(x) / max(len(options) - 1, 1)
    low, _ = _ends(leaf)
    return lambda x: (leaf.scaled(float(x)) - low) / leaf.width
