"""Narrowing a space to where its best configurations lie: the step from a coarse search to a fine one."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from fnopt.space.choice import Choice, When, is_space
from fnopt.space.distributions import Distribution

SHARE = 1 / 5  # of the configurations are taken for the good ones
FEWEST = 3  # so many at least
MARGIN = 0.1  # of the given width, on either side of the good ones

Map = Callable[[float], float]


def _same(x: float) -> float:
    return x


SCALES: dict[str, tuple[Map, Map]] = {  # to a range's own scale, where its draws are alike (rising), and back
    "uniform": (_same, _same),
    "integer": (_same, _same),
    "normal": (_same, _same),
    "log_uniform": (math.log, math.exp),
    "log_integer": (math.log, math.exp),
    "log_normal": (math.log, math.exp),
    "one_minus_log_uniform": (lambda x: -math.log1p(-x), lambda r: -math.expm1(-r)),
}
FLAT = {"normal": "uniform", "log_normal": "log_uniform"}  # a bell has no bounds; narrowed, it has


def narrow(space: Mapping[str, Any], ranked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
    >>> narrow(dict(lr=log_uniform(1e-4, 1.0), a=choice("p", "q", "r")), ranked)
    {'lr': log_uniform(0.00398107, 0.0753566), 'a': choice('p', 'q')}
    """
    best = ranked[: max(FEWEST, math.ceil(SHARE * len(ranked)))]
    return {
        name: _value(name, value, [hyper[name] for hyper in best if name in hyper]) for name, value in space.items()
    }


def _value(name: str, value: Any, found: Sequence[Any]) -> Any:
    """The space or value of one name; where it is a tree that holds spaces, each of them."""
    if isinstance(value, When):
        inside = _value(name, value.value_of(name), found)
        return When(tuple((key, inside if key == name else other) for key, other in value.given))
    if not found or not any(map(is_space, jax.tree.leaves(value, is_leaf=is_space))):
        return value
    return jax.tree.map(_leaf, value, *found, is_leaf=is_space)


def _leaf(leaf: Any, *found: Any) -> Any:
    if isinstance(leaf, Choice):
        return Choice(tuple(option for option in leaf.options if any(_equal(option, x) for x in found)))
    return _range(leaf, [float(x) for x in found]) if isinstance(leaf, Distribution) else leaf


def _equal(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))  # 1, 1.0 and True are different options


def _range(space: Distribution, found: Sequence[float]) -> Distribution:
    to, back = SCALES[space.kind]
    low, high = float(space.low), float(space.high)
    if space.kind in FLAT:  # here the two are mean and standard deviation
        low, high, width = -math.inf, math.inf, 4 * high
    else:
        width = to(high) - to(low)
    inside = [min(max(x, low), high) for x in found]  # a drawn bound may lie a float32 rounding outside
    first = back(to(min(inside)) - MARGIN * width)
    last = back(to(max(inside)) + MARGIN * width)
    if space.whole:
        first, last = math.floor(first), math.ceil(last)
    return Distribution(FLAT.get(space.kind, space.kind), max(low, first), min(high, last), space.points)
