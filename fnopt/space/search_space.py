"""A space: what is drawn, by path, and how drawn values become a configuration."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from fnopt.space.checks import Declares, check
from fnopt.space.choice import When, normal
from fnopt.space.entry import Range, Values, alternatives, built, checked, equal, found, holds, mapped, ranges
from fnopt.space.path import Path, labels, order

Hyper = dict[str, Any]


class SearchSpace(Mapping[str, Any]):
    """A space, name by name as it was given, and what it draws, by path; equal to another with the same content.

    The path of a range inside option k of a choice holds k after the choice's own: ``("lr", 1, "peak")``.
    """

    def __init__(self, space: Mapping[str, Any], base: Mapping[str, Any] | None = None):
        """A space as it is; ``base`` says what names are that it does not hold, for conditions."""
        if not isinstance(space, Mapping):
            raise TypeError(f"`space` must be a dict of name to range, choice or value, got {type(space).__name__}")
        self.entries: dict[str, Any] = {}
        self.conditions: dict[str, dict[str, Any]] = {}
        self.base = dict(base or {})
        for name, value in space.items():
            if isinstance(value, When):
                self.conditions[name] = value.conditions(name)
                value = value.value_of(name)
            self.entries[name] = checked(name, normal(value))
        found = [one for name, value in self.entries.items() for one in ranges(value, (name,), (name,))]
        found.sort(key=lambda one: order(one[0]))
        self.drawn: dict[Path, Range] = {path: leaf for path, _, leaf in found}
        self.places: dict[Path, Path] = {path: place for path, place, _ in found}

    @classmethod
    def parse(cls, space: Mapping[str, Any], model: Declares) -> "SearchSpace":
        """A space for a model, checked: every fault of a space shows here, before anything is drawn.

        Raises:
            ValueError, TypeError: for names that the model lacks, numbers that no structure of the space has, ranges
                that go beyond what their number may be, conditions that can never hold or hang on each other.
        """
        made = cls(space, model.structure)
        check(made, model)
        return made

    def __getitem__(self, name: str) -> Any:
        value = self.entries[name]
        return value if name not in self.conditions else When((*self.conditions[name].items(), (name, value)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping) or self.keys() != other.keys():
            return False
        return all(equal(self[name], other[name]) for name in self)

    def __hash__(self) -> int:
        return hash(frozenset(self.entries))

    def __repr__(self) -> str:
        return f"SearchSpace({', '.join(f'{name}={self[name]!r}' for name in self)})"

    @cached_property
    def labels(self) -> dict[Path, str]:
        """A text for people for each path that is drawn, no two alike."""
        return labels({**self.drawn, **{(name,): None for name in self.entries}})

    def options(self, name: str) -> tuple[Any, ...]:
        """What a name may be: all options of a choice, all whole numbers of a range, else its one value.

        A name under a condition may be its default too. A name that the space does not hold is what ``base`` says.
        """
        if name not in self.entries:
            return (self.base[name],)
        default = (self.base[name],) if name in self.conditions and name in self.base else ()
        return (*alternatives(self.entries[name]), *default)

    def configuration(self, values: Values) -> Hyper:
        """Drawn values put in their places; a name whose condition does not hold is left out."""
        return self.existing({name: built(value, (name,), values) for name, value in self.entries.items()})

    def existing(self, hyper: Hyper) -> Hyper:
        """The names whose conditions hold; one that does not exist takes with it those that depend on it."""
        while self.conditions:
            given = {**{k: v for k, v in self.base.items() if k not in self.entries}, **hyper}
            kept = {name: value for name, value in hyper.items() if holds(self.conditions.get(name, {}), given)}
            if len(kept) == len(hyper):
                break
            hyper = kept
        return hyper

    def values_of(self, hyper: Mapping[str, Any]) -> dict[Path, Any]:
        """What a configuration of this space drew, by path: the inverse of :meth:`configuration`.

        A name whose condition does not hold drew nothing, though a model may have a number of its own for it.
        """
        drew: dict[Path, Any] = {}
        for name, value in self.existing({name: hyper[name] for name in self.entries if name in hyper}).items():
            drew |= found(self.entries[name], (name,), value) or {}
        return drew

    def changed(self, hyper: Mapping[str, Any], values: Values) -> Hyper:
        """A configuration of this space with some of its drawn values replaced; what it holds besides stays."""
        tops = {path[0] for path in values}
        all_of = {**self.values_of(hyper), **values}
        return {
            name: built(self.entries[name], (name,), all_of) if name in tops else value for name, value in hyper.items()
        }

    def replaced(self, change: Callable[[Path, Range], Range]) -> "SearchSpace":
        """The same names with each range and choice that is drawn put through ``change``."""
        entries = {name: mapped(value, (name,), change) for name, value in self.entries.items()}
        made = {
            name: When((*self.conditions[name].items(), (name, value))) if name in self.conditions else value
            for name, value in entries.items()
        }
        return SearchSpace(made, self.base)

    def to_json(self, encode: Callable[[Any], Any]) -> dict[str, Any]:
        """The space as JSON, exactly; ``encode`` turns a value, range, choice or condition into JSON."""
        return {name: encode(self[name]) for name in self}

    @classmethod
    def from_json(
        cls, plain: Mapping[str, Any], decode: Callable[[Any], Any], base: Mapping[str, Any] | None = None
    ) -> "SearchSpace":
        """The space that :meth:`to_json` wrote."""
        return cls({name: decode(value) for name, value in plain.items()}, base)
