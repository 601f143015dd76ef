"""One entry of a space: what it draws, what becomes of it when that is drawn, and back."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax

from fnopt.space.choice import Choice, When, is_space, normal, same
from fnopt.space.distributions import Distribution
from fnopt.space.path import Path, leaves

Values = Mapping[Path, Any]
Range = Distribution | Choice


class Picked(NamedTuple):
    """Which option of a choice, where the option holds ranges of its own."""

    option: int


def holds(conditions: Mapping[str, Any], hyper: Mapping[str, Any]) -> bool:
    """Whether a configuration fulfils some conditions; a list of values means any of them."""

    def meets(wanted: Any, got: Any) -> bool:
        got = getattr(got, "name", got)  # an optimizer goes by its name
        return any(got == getattr(w, "name", w) for w in (wanted if isinstance(wanted, list) else [wanted]))

    return all(name in hyper and meets(wanted, hyper[name]) for name, wanted in conditions.items())


def extremes(value: Any) -> list[Any]:
    """Concrete values of an entry in which every end of every range and every option of every choice occurs.

    >>> from fnopt.space import choice, uniform
    >>> extremes((uniform(0, 1), choice(5, 6, uniform(7, 8))))
    [(0.0, 5), (1.0, 6), (1.0, 7.0), (1.0, 8.0)]
    """
    if isinstance(value, Distribution):
        return list(value.bounds)
    if isinstance(value, Choice):
        return [x for option in value.options for x in extremes(option)]
    some, shape = jax.tree.flatten(value, is_leaf=_is_leaf)
    if not any(map(is_space, some)):
        return [value]
    each = [extremes(leaf) if is_space(leaf) else [leaf] for leaf in some]
    return [shape.unflatten([x[min(k, len(x) - 1)] for x in each]) for k in range(max(map(len, each)))]


def has_ranges(value: Any) -> bool:
    """Whether something in a value is still to be drawn."""
    return any(map(is_space, jax.tree.leaves(value, is_leaf=_is_leaf)))


def equal(one: Any, other: Any) -> bool:
    """Whether two entries of a space say the same."""
    (some, shape), (rest, wanted) = (jax.tree.flatten(normal(x), is_leaf=_is_leaf) for x in (one, other))
    return shape == wanted and all(map(_equal, some, rest))


def _equal(one: Any, other: Any) -> bool:
    one, other = normal(one), normal(other)
    if type(one) is not type(other):
        return False
    if isinstance(one, When):
        mine, theirs = dict(one.given), dict(other.given)
        return mine.keys() == theirs.keys() and all(equal(mine[k], theirs[k]) for k in mine)
    if isinstance(one, Choice):
        return len(one.options) == len(other.options) and all(map(equal, one.options, other.options))
    return one == other if isinstance(one, Distribution) else same(one, other)


def _is_leaf(x: Any) -> bool:
    return is_space(x) or x is None


def checked(name: str, value: Any) -> Any:
    """The value of a name; TypeError where a condition stands inside it."""
    if any(isinstance(leaf, When) for leaf in jax.tree.leaves(value, is_leaf=_is_leaf)):
        raise TypeError(f"{name}: when(…) stands as the value of a name in a space, not inside another value")
    return value


def ranges(value: Any, path: Path, place: Path) -> Iterator[tuple[Path, Path, Range]]:
    """What an entry draws: each with its own path, and its place in a configuration, which no option is part of."""
    for inner, leaf in leaves(value, _is_leaf):
        mine, there = (*path, *inner), (*place, *inner)
        if isinstance(leaf, Distribution | Choice):
            yield mine, there, leaf
        if isinstance(leaf, Choice):
            for k, option in enumerate(leaf.options):
                yield from ranges(option, (*mine, k), there)


def alternatives(value: Any) -> tuple[Any, ...]:
    """What an entry may be: all options of a choice, all whole numbers of a range, else the one value."""
    if isinstance(value, Choice):
        return tuple(x for option in value.options for x in alternatives(option))
    if isinstance(value, Distribution) and value.whole:
        return tuple(range(value.low, value.high + 1))
    return (value,)


def built(value: Any, path: Path, values: Values) -> Any:
    """An entry with drawn values in it."""
    if isinstance(value, Distribution):
        return values[path]
    if isinstance(value, Choice):
        k = values[path]
        return built(value.options[k.option], (*path, k.option), values) if isinstance(k, Picked) else k
    if not has_ranges(value):
        return value
    shape = jax.tree.structure(value, is_leaf=_is_leaf)
    return shape.unflatten([built(leaf, (*path, *inner), values) for inner, leaf in leaves(value, _is_leaf)])


def mapped(value: Any, path: Path, change: Callable[[Path, Range], Range]) -> Any:
    """An entry with its ranges changed; those inside options first."""
    if isinstance(value, Choice):
        value = Choice(tuple(mapped(option, (*path, k), change) for k, option in enumerate(value.options)))
        return change(path, value)
    if isinstance(value, Distribution):
        return change(path, value)
    if not has_ranges(value):
        return value
    shape = jax.tree.structure(value, is_leaf=_is_leaf)
    return shape.unflatten([mapped(leaf, (*path, *inner), change) for inner, leaf in leaves(value, _is_leaf)])


def found(value: Any, path: Path, got: Any) -> dict[Path, Any] | None:
    """What an entry drew where ``got`` came of it; None where it cannot have."""
    if isinstance(value, Distribution):
        got = normal(got)
        return {path: got} if isinstance(got, int | float) else None
    if isinstance(value, Choice):
        return _option(value, path, got)
    if not has_ranges(value):
        return {} if same(value, got) else None
    some, shape = leaves(value, _is_leaf), jax.tree.structure(value, is_leaf=_is_leaf)
    try:
        parts = shape.flatten_up_to(got)
    except (ValueError, TypeError):
        return None
    each = [found(leaf, (*path, *inner), part) for (inner, leaf), part in zip(some, parts, strict=True)]
    return None if None in each else {k: x for one in each if one is not None for k, x in one.items()}


def _option(value: Choice, path: Path, got: Any) -> dict[Path, Any] | None:
    """Which option was taken: one whose ranges hold what was drawn, where there is one."""
    candidates: list[dict[Path, Any]] = []
    for k, option in enumerate(value.options):
        inner = found(option, (*path, k), got)
        if inner is None:
            continue
        mine = {path: Picked(k) if has_ranges(option) else option, **inner}
        spaces = {at: leaf for at, _, leaf in ranges(option, (*path, k), ())}
        if all(_inside(spaces[at], x) for at, x in inner.items()):
            return mine
        candidates.append(mine)
    return candidates[0] if candidates else None


def _inside(space: Range, x: Any) -> bool:
    return isinstance(space, Choice) or space.bounds[0] <= x <= space.bounds[1]
