"""Rules by path: patterns are structure, and each has a number of its own in the flat record."""

import re
from collections import namedtuple
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from fnopt import tree
from fnopt._types import Params
from fnopt.numbers import NONNEGATIVE, on_host

Rules = tuple[tuple[str, float], ...]  # (pattern, the default of its number), in the order of looking


def rules_of(what: str, rules: Mapping[str, float] | Iterable[tuple[str, float]]) -> Rules:
    """Pattern and default number, hashable; ValueError or TypeError for what cannot be one."""
    pairs = list(rules.items()) if isinstance(rules, Mapping) else [tuple(pair) for pair in rules]
    if not pairs:
        raise ValueError(f'{what} needs at least one rule, as in {{"*bias": 0.0, "*": 1.0}}')
    made = []
    for pattern, number in pairs:
        if not isinstance(pattern, str):
            raise TypeError(f"{what}: a pattern is text, got {pattern!r}")
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise TypeError(f"{what}: the rule {pattern!r} takes its default number, got {number!r}; others go to init")
        made.append((pattern, on_host(number_name(what, pattern), number, NONNEGATIVE)))
    return tuple(made)


def number_name(prefix: str, pattern: str) -> str:
    """What the number of a pattern is called: the prefix and the letters of the pattern; ``rest`` where it has none.

    >>> number_name("decay", "*.bias"), number_name("decay", "*")
    ('decay_bias', 'decay_rest')
    """
    letters = re.sub(r"\W+", "_", pattern, flags=re.ASCII).strip("_")
    return f"{prefix}_{letters or 'rest'}"


@lru_cache(maxsize=1024)
def record(prefix: str, rules: Rules, **more: float) -> type:
    """NamedTuple class of the numbers, one a rule, then some more; ValueError where two would have one name."""
    names = [number_name(prefix, pattern) for pattern, _ in rules]
    for k, name in enumerate(names):
        if name in [*names[:k], *more]:
            raise ValueError(f"the rule {rules[k][0]!r} would be the second number called `{name}`; write it otherwise")
    defaults = [*(number for _, number in rules), *more.values()]
    return namedtuple(f"{prefix.title()}Hyper", [*names, *more], defaults=defaults)


def places(rules: Rules, params: Params) -> list[int | None]:
    """For each leaf the first rule whose pattern its dotted path matches; None where none does.

    Raises:
        ValueError: for a pattern that no path matches.

    >>> places((("*bias", 0.0), ("*", 1.0)), {"layer": {"bias": 0, "weight": 1}})
    [0, 1]
    """
    names = tree.names(params)
    found = [_found(pattern, names) for pattern, _ in rules]
    for (pattern, _), places in zip(rules, found, strict=True):
        if names and not places:
            raise ValueError(f"no parameter's path matches {pattern!r}; there are {', '.join(names)}")
    return [next((k for k, places in enumerate(found) if i in places), None) for i in range(len(names))]


def _found(pattern: str, names: list[str]) -> set[int]:
    r"""The places of the names that match. A dot inside a key is ``\.`` in a name, and need not be in a pattern
    that matches none with it: torch's "layer.0.weight" may be written as it is.

    >>> _found("a.b", ["a.b", "a\\.b"]), _found(r"a\.b", ["a.b", "a\\.b"]), _found("a.*", ["a\\.b", "c"])
    ({0}, {1}, {0})
    """
    exact = {i for i, name in enumerate(names) if _matches(name, pattern)}
    return exact or {i for i, name in enumerate(names) if _matches(name.replace("\\.", "."), pattern)}


def by_leaf(rules: Rules, params: Params, h: Any) -> list[Any]:
    """For each leaf the number of its rule; None where it has none."""
    return [None if k is None else h[k] for k in places(rules, params)]


def _matches(path: str, pattern: str) -> bool:
    """A pattern may have dots, as paths have here, or slashes, as elsewhere.

    >>> _matches("hidden_0.bias", "*.bias"), _matches("hidden_0.bias", "*/bias"), _matches("hidden_0.bias", "bias")
    (True, True, False)
    """
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern.replace("/", "."))
