"""Which columns of a table are used: names and shell patterns, asked for or left out."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from fnopt._checks import nearest
from fnopt.data._echo import listed, shown
from fnopt.data._header import NAMELESS
from fnopt.data._numbers import number


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
