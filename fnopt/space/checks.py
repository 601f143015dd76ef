"""The faults of a space, found before anything is drawn: names, conditions, and ranges by their bounds."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Protocol

import jax
import numpy as np

from fnopt._checks import one_of
from fnopt.space.choice import Choice, same
from fnopt.space.columns import refuse_reserved
from fnopt.space.distributions import Distribution
from fnopt.space.entry import extremes, has_ranges
from fnopt.space.epochs import NAME
from fnopt.space.stopping import STOP

STEPS = np.unique(np.concatenate([np.arange(9), 2 ** np.arange(4, 15)]))  # at which a schedule's values are looked at


class Declares(Protocol):
    """What a space must know of a model."""

    @property
    def structure(self) -> Mapping[str, Any]:
        """Every structural name with the value that it has unless said otherwise."""
        ...

    @property
    def numbers(self) -> Mapping[str, Any]:
        """Numbers given at the declaration."""
        ...

    def check_names(self, names: Sequence[str], optimizers: Sequence[Any]) -> None:
        """ValueError for a name that none of these optimizers, nor the model, has."""
        ...

    def used(self, structure: Mapping[str, Any], names: Sequence[str]) -> Sequence[str]:
        """All numbers that a structure has where these are given."""
        ...

    def check_values(self, structure: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
        """ValueError or TypeError for a structure or a number that cannot be."""
        ...

    def idle(self, structure: Mapping[str, Any]) -> frozenset[str]:
        """The names of structure that change nothing in this one."""
        ...

    def lacks(self, structure: Mapping[str, Any], name: str) -> str:
        """How to give a structure the number that it lacks, in words; or nothing."""
        ...


class Parsed(Protocol):
    """A space taken apart, as ``SearchSpace`` is."""

    entries: dict[str, Any]
    conditions: dict[str, dict[str, Any]]
    base: dict[str, Any]

    def options(self, name: str) -> tuple[Any, ...]:
        """What a name may be."""
        ...


def check(space: Parsed, model: Declares) -> None:
    """Raise for the first fault of a space."""
    for name in space.entries:
        refuse_reserved(name, "a space")
    rest = [name for name in space.entries if name not in (NAME, STOP)]
    for name in rest:
        if name not in model.structure:
            _not_none(name, space.entries[name])
    model.check_names(rest, _alternatives(space, "optimizer"))
    _check_conditions(space, model)
    structures = _structures(space, model)
    _check_idle(space, model, structures)
    for name in (name for name in rest if name in model.structure):
        for value in _alternatives(space, name):
            _try(space, model, name, {**structures[0], name: value}, {})
    numbers = [name for name in rest if name not in model.structure]
    used: set[str] = set()
    for group, given in _groups(space, model, numbers):
        missing = set(group)
        for structure in _under(structures, given):
            own = {*model.used(structure, group)}
            used |= own
            missing -= own
            _check_bounds(space, model, structure, [name for name in group if name in own])
        for name in (name for name in group if name in missing):
            _unused(space, model, structures, name, given, used)
    _declared(space, model, structures)


def _check_idle(space: Parsed, model: Declares, structures: Sequence[Mapping[str, Any]]) -> None:
    """ValueError for a name of structure that changes nothing in any structure of the space."""
    idle = frozenset.intersection(*(model.idle(structure) for structure in structures))
    for name in (name for name in space.entries if name in idle):
        raise ValueError(f"`{name}` is of hidden layers, and no structure of the space has one: leave it out")


def _declared(space: Parsed, model: Declares, structures: Sequence[Mapping[str, Any]]) -> None:
    """A number of the declaration that no structure of the space has changes nothing either."""
    left = [name for name in model.numbers if name not in space.entries]
    has = {n for structure in structures for n in model.used(structure, left)} if left else set()
    for name in (name for name in left if name not in has):
        _unused(space, model, structures, name, [{}], has)


def _not_none(name: str, value: Any) -> None:
    some = value.options if isinstance(value, Choice) else value if isinstance(value, tuple) else (value,)
    if any(x is None for x in some):
        raise ValueError(f"`{name}` must be a number, got {value!r}: leave the name out for its default")


def _alternatives(space: Parsed, name: str) -> list[Any]:
    """Values of a structural name that between them have every end of its ranges and every option."""
    if name not in space.entries:
        return [space.base[name]]
    value = space.entries[name]
    leaves = jax.tree.leaves(value, is_leaf=lambda x: isinstance(x, Distribution))
    for leaf in leaves:
        if isinstance(leaf, Distribution) and not leaf.whole:
            raise ValueError(
                f"`{name}` is structure, and {leaf!r} draws fractions: write "
                f"{'fo.integer(8, 64)' if name in ('hidden', 'batch_size') else 'fo.choice(…)'}"
            )
    default = [space.base[name]] if name in space.conditions and name in space.base else []
    return [*extremes(value), *default]


def _structures(space: Parsed, model: Declares) -> list[dict[str, Any]]:
    """Structures in which each alternative of each structural name occurs, the others being their first."""
    each = {name: _alternatives(space, name) for name in model.structure}
    base = {name: some[0] for name, some in each.items()}
    return [base, *({**base, name: x} for name, some in each.items() for x in some[1:])]


def _groups(space: Parsed, model: Declares, numbers: Sequence[str]) -> Iterator[tuple[list[str], list[dict[str, Any]]]]:
    """Numbers that exist under the same structures, with what these must be."""
    groups: dict[str, list[str]] = {}
    under: dict[str, list[dict[str, Any]]] = {}
    for name in numbers:
        wanted = {k: v for k, v in space.conditions.get(name, {}).items() if k in model.structure}
        key = repr(sorted(wanted.items(), key=lambda item: item[0]))
        groups.setdefault(key, []).append(name)
        lists = [[_option(space, k, one) for one in (v if isinstance(v, list) else [v])] for k, v in wanted.items()]
        under[key] = [dict(zip(wanted, some, strict=True)) for some in product(*lists)]
    yield from ((groups[key], under[key]) for key in groups)


def _option(space: Parsed, name: str, wanted: Any) -> Any:
    """The option that a condition means: an optimizer goes by its name."""
    called = getattr(wanted, "name", wanted)
    return next((o for o in space.options(name) if getattr(o, "name", o) == called), wanted)


def _under(structures: Sequence[dict[str, Any]], given: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for one in ({**structure, **some} for structure in structures for some in given):
        if not any(all(same(one[k], other[k]) for k in one) for other in made):
            made.append(one)
    return made


def _check_bounds(space: Parsed, model: Declares, structure: Mapping[str, Any], names: Sequence[str]) -> None:
    """Every end of every range and every option of these numbers, all of them at once."""
    each = {name: [y for x in extremes(space.entries[name]) for y in _courses(name, x, space)] for name in names}
    for k in range(max((len(some) for some in each.values()), default=0)):
        numbers = {name: some[min(k, len(some) - 1)] for name, some in each.items()}
        try:
            model.check_values(structure, numbers)
        except (ValueError, TypeError):
            for name, value in numbers.items():
                _try(space, model, name, structure, {name: value})
            raise


def _courses(name: str, value: Any, space: Parsed) -> list[Any]:
    """A value, and where it is a schedule that was drawn, the least and the greatest that it comes to."""
    if not has_ranges(space.entries[name]) or not any(map(callable, jax.tree.leaves(value, is_leaf=callable))):
        return [value]
    try:
        ends = [jax.tree.map(lambda x, end=end: _end(x, end), value, is_leaf=callable) for end in (np.min, np.max)]
    except (ValueError, TypeError) as error:
        raise type(error)(f"`{name}` of the space, {space.entries[name]!r}: {error}") from error
    return [value, *ends]


def _end(value: Any, end: Any) -> Any:
    if not callable(value):
        return value
    schedule: Any = value
    for ready in ("checked", "filled"):
        if hasattr(schedule, ready):
            schedule = getattr(schedule, ready)(*((1.0,) if ready == "filled" else ()))
    return float(end(np.asarray(schedule(STEPS))))


def _try(space: Parsed, model: Declares, name: str, structure: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
    """What a structure or a number cannot be, with the range or choice that goes there."""
    try:
        model.check_values(structure, numbers)
    except (ValueError, TypeError) as error:
        value = space.entries.get(name)
        if not has_ranges(value):
            raise
        far = isinstance(value, Distribution) and value.kind == "normal"
        cure = ": a smaller std keeps it away, and fo.log_normal is above 0 everywhere" if far else ""
        raise type(error)(f"{error}; {value!r} of the space goes there{cure}") from error


def _unused(
    space: Parsed,
    model: Declares,
    structures: Sequence[Mapping[str, Any]],
    name: str,
    given: Sequence[Mapping[str, Any]],
    used: set[str],
) -> None:
    """A number that no structure of the space has is a mistake: it would be searched for nothing."""
    for structure in structures:
        used |= {*model.used(structure, list(space.entries))}
    how = model.lacks({**structures[0], **given[0]}, name) or "leave it out, or choose a structure that has it"
    if given[0] and name in used:
        where = " or ".join(", ".join(f"{k}={v!r}" for k, v in some.items()) for some in given)
        raise ValueError(f"{name!r} is searched where {where}, and no such structure has this number: {how}")
    raise ValueError(f"no structure of this space has the number {name!r}; they have {', '.join(sorted(used))}: {how}")


def _check_conditions(space: Parsed, model: Declares) -> None:
    for name, conditions in space.conditions.items():
        if not conditions:
            raise ValueError(
                f"{name}=when({name}=…) names no condition: write {name}={space.entries[name]!r}, or name another, as "
                f'in when(optimizer="adam", {name}=…)'
            )
        for other, wanted in conditions.items():
            one_of(f"name in {name}=when(…)", other, {*space.entries, *model.structure})
            for one in wanted if isinstance(wanted, list) else [wanted]:
                _possible(space, model, name, other, one)
    _check_cycles({name: [n for n in given if n in space.conditions] for name, given in space.conditions.items()})


def _possible(space: Parsed, model: Declares, name: str, other: str, wanted: Any) -> None:
    """ValueError where a condition can never hold."""
    value = space.entries.get(other)
    if isinstance(value, Distribution):
        low, high = value.bounds
        if isinstance(wanted, int | float) and not low <= wanted <= high:
            raise ValueError(f"{name}=when({other}={wanted!r}, …) can never hold: {other} is {value!r}")
        return
    if other not in model.structure and not isinstance(value, Choice):
        return
    options = [getattr(o, "name", o) for o in space.options(other)]
    if not any(has_ranges(o) for o in options) and getattr(wanted, "name", wanted) not in options:
        listed = ", ".join(map(repr, options))
        raise ValueError(f"{name}=when({other}={wanted!r}, …) can never hold: {other} is one of {listed}")


def _check_cycles(needs: Mapping[str, Sequence[str]]) -> None:
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            circle = (*above[above.index(name) :], name)
            raise ValueError(
                f"the conditions of {', '.join(circle[:-1])} hang on each other ({' needs '.join(circle)}), so none of "
                "them would ever exist: take one out of its when(…)"
            )
        if name not in done:
            for other in needs[name]:
                visit(other, (*above, name))
            done.add(name)

    for name in needs:
        visit(name, ())
