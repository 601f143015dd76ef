"""Configurations that the caller names one by one, in place of a search."""

from collections.abc import Mapping, Sequence
from typing import Any

from fnopt._checks import brief
from fnopt.model import Model
from fnopt.run.setup import check_hyper
from fnopt.space import Choice, Distribution, SearchSpace, choice
from fnopt.space.choice import normal, same
from fnopt.space.entry import found, has_ranges, ranges
from fnopt.space.epochs import NAME
from fnopt.space.search_space import Hyper
from fnopt.space.stopping import STOP

EXPLICIT = "explicit"  # what the search of such a sweep is called


def listed(search: Any) -> list[Hyper] | None:
    """The configurations of ``search=[{…}, …]`` as plain dicts; None where it is no list.

    Raises:
        ValueError, TypeError: for an empty list, and for what is no configuration in it.

    >>> listed([dict(lr=0.1, hidden=[8, 8])]), listed("random")
    ([{'lr': 0.1, 'hidden': (8, 8)}], None)
    """
    if isinstance(search, str | Mapping) or not isinstance(search, Sequence):
        return None
    if not search:
        raise ValueError("`search` lists no configuration: give dicts, as in search=[dict(lr=0.01), dict(lr=0.1)]")
    for i, hyper in enumerate(search):
        if not isinstance(hyper, Mapping):
            raise TypeError(f"`search[{i}]` must be a dict of name to value, got {brief(hyper)}")
        if STOP in hyper:
            raise ValueError(
                f"`search[{i}]` holds `stop`, which is an argument beside the configurations: leave it out, and write "
                "stop=fo.early_stopping(…)"
            )
        for name, value in hyper.items():
            if has_ranges(value):
                raise ValueError(f"`search[{i}]` holds a range, {name}={value!r}: a configuration has values alone")
    return [{name: normal(value) for name, value in hyper.items()} for hyper in search]


def covering(space: Mapping[str, Any], configs: Sequence[Hyper], model: Model) -> dict[str, Any]:
    """The space with what the configurations say of structure and length beside it: which of them share a program.

    A name that the space holds stays as it is there.

    >>> from fnopt.model import classifier
    >>> covering({}, [dict(hidden=(8,), lr=0.1), dict(hidden=(4,), lr=0.2)], classifier())
    {'hidden': choice((8,), (4,))}
    """
    if not isinstance(space, Mapping):
        return space
    names = dict.fromkeys(name for hyper in configs for name in hyper if name in model.structure or name == NAME)
    made = dict(space)
    for name in (name for name in names if name not in space):
        values: list[Any] = []
        for hyper in configs:
            value = hyper.get(name, model.structure.get(name))
            if (name in hyper or name != NAME) and not any(same(value, one) for one in values):
                values.append(value)
        made[name] = values[0] if len(values) == 1 else choice(*values)
    return made


def completed(
    configs: Sequence[Hyper], n: int | None, space: SearchSpace, named: Mapping[str, Any], model: Model
) -> list[Hyper]:
    """The configurations with the plain values of the space filled in, each checked against space and model.

    Args:
        configs: from :func:`listed`.
        n: how many the caller says that there are; None for all.
        space: the parsed one, of what :func:`covering` gave.
        named: the space as the caller wrote it: what it draws must be in every configuration.
        model: whose names and values they are.

    Raises:
        ValueError, TypeError: naming the configuration, and what is wrong with it.
    """
    if n not in (None, len(configs)):
        raise ValueError(f"`search` lists {len(configs)} configurations, and n={n} says otherwise: leave out n")
    if STOP in space:
        raise ValueError(
            "`search` lists configurations, and early_stopping(…) has a range to draw from: give it plain numbers"
        )
    made = []
    for i, hyper in enumerate(configs):
        try:
            filled = _filled(hyper, space, named)
            check_hyper(model, filled)
            model.check_values(*model.split(filled))
        except (ValueError, TypeError) as error:
            raise type(error)(f"`search[{i}]`: {error}") from error
        made.append(filled)
    return made


def _filled(hyper: Hyper, space: SearchSpace, named: Mapping[str, Any]) -> Hyper:
    """A configuration with the plain values of the space; ValueError where it is none of this space."""
    plain = {name: value for name, value in space.entries.items() if name in named and not has_ranges(value)}
    whole = {**plain, **hyper}
    kept = space.existing(whole)
    odd = [name for name in hyper if name not in kept]
    if odd:
        raise ValueError(f"{odd[0]!r} does not exist here: the space holds {odd[0]}={space[odd[0]]!r}")
    for name, value in ((name, space.entries[name]) for name in named if name in space.entries):
        if name not in kept and name in space.existing({**whole, name: value}):
            raise ValueError(f"{name!r} is missing, which the space draws from {value!r}")
        if name in kept and not _drawn_from(value, name, kept[name]):
            raise ValueError(f"{name}={brief(kept[name])} is not in {value!r} of the space")
    return kept


def _drawn_from(entry: Any, name: str, value: Any) -> bool:
    """Whether a value is one that an entry of a space can come to."""
    drew = found(entry, (name,), value)
    if drew is None:
        return False
    by_path = {path: leaf for path, _, leaf in ranges(entry, (name,), (name,))}
    return all(_inside(by_path[path], x) for path, x in drew.items())


def _inside(leaf: Distribution | Choice, x: Any) -> bool:
    if isinstance(leaf, Choice):
        return True  # ``found`` has looked
    return leaf.bounds[0] <= x <= leaf.bounds[1] and (not leaf.whole or x == int(x))
