"""Which columns of a table are used: names and shell patterns, asked for or left out."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import NamedTuple

from fnopt._checks import nearest
from fnopt.data._echo import listed, shown
from fnopt.data._header import NAMELESS
from fnopt.data._notes import say
from fnopt.data._numbers import number


class Asked(NamedTuple):
    """What is asked of a table's columns."""

    target: str
    text: tuple[str, ...]
    columns: tuple[str, ...] | None
    ignore: tuple[str, ...]
    keep: tuple[str, ...]
    marks: tuple[str, ...]


class Chosen:
    """From the names in a file to the columns that are needed; remembers which of them stay whatever they hold."""

    def __init__(self, asked: Asked):
        self.asked = asked
        self.kept: dict[str, bool] = {}  # the inputs in order

    def __call__(self, where: str, names: list[str]) -> list[str]:
        asked, path = self.asked, where.rpartition(", line")[0]
        known(path, names, asked.target, "target column")
        for name in asked.text:
            known(path, names, name, "text column")
        keep = matching("keep", asked.keep, names, asked.target)
        ignore = matching("ignore", asked.ignore, names, asked.target)
        without = [k for k in nameless(names) if names[k] not in (asked.target, *keep, *(asked.columns or ()))]
        if asked.columns is None:
            gone = {names[k] for k in without}
            inputs = dict.fromkeys((name for name in names if name != asked.target and name not in gone), False)
            self._say_nameless(path, without)
        else:
            inputs = matching("columns", asked.columns, names, asked.target)
        self.kept = {name: exact or name in keep for name, exact in inputs.items() if name not in ignore}
        if not self.kept:
            target = shown(asked.target)
            raise ValueError(f"{path} has no column beside the target {target}; expected at least one input")
        return [*self.kept, asked.target]

    @staticmethod
    def _say_nameless(path: str, places: list[int]) -> None:
        if places == [0]:
            say(path, "left out the first column, an index without a name")
        elif places:
            say(path, f"left out columns without a name: number {listed(k + 1 for k in places)}")


def several(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name or several, as a tuple."""
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def matching(option: str, wanted: Sequence[str], names: Sequence[str], target: str) -> dict[str, bool]:
    """The columns that names and patterns mean, in their order, and whether each was named itself.

    Several may stand in one text with commas between. A pattern means each column that it fits but the target; a name
    is tried as it stands first.
    """
    found: dict[str, bool] = {}
    for one in [part for text in wanted for part in _split(text, names)]:
        if one in names:
            if one == target or (found.get(one) and option == "columns"):
                by = f"{option}=[…] (--{option})"
                raise ValueError(f"{by} names inputs, each once, and not the target {shown(target)}; got {shown(one)}")
            found[one] = True
            continue
        fit = [name for name in names if fnmatchcase(name, one) and name != target and name] if _pattern(one) else []
        if not fit:
            by = f"{option}=[…] (--{option})"
            raise ValueError(f"no column {shown(one)}, which {by} names{near(names, one)}")
        for name in fit:
            found.setdefault(name, False)
    return found


def known(where: str, names: Sequence[str], name: str, what: str) -> None:
    """ValueError with the nearest name, and the likely cause, where a column is not there."""
    if name not in names:
        raise ValueError(f"{where} has no {what} {shown(name)}{near(names, name)}")


def near(names: Sequence[str], name: str) -> str:
    """The nearest column, else a list of all, with a hint where the first line may be data."""
    names = [other for other in names if other]
    headless = sum(number(other) is not None for other in names) * 2 > len(names)
    hint = "; is the first line data? header=False (--no-header) reads it so" if headless else ""
    close = get_close_matches(name, names, n=1)
    if not close and len(names) > 12:
        return f"; known: {listed(names)}{hint}"
    return nearest(name, [shown(other)[1:-1] for other in names]) + hint


def nameless(names: Sequence[str]) -> list[int]:
    """The places of columns without a name."""
    return [k for k, name in enumerate(names) if NAMELESS.fullmatch(name)]


def _split(one: str, names: Sequence[str]) -> list[str]:
    """Names with commas between, unless one column is called so."""
    return [one] if one in names else [part.strip() for part in one.split(",") if part.strip()]


def _pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[")
