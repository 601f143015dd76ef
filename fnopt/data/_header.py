"""The first line of a table: whether it holds names at all, and what is wrong with them."""

import re
from collections.abc import Sequence

from fnopt.data._echo import listed, shown
from fnopt.data._numbers import number

SEPARATORS = ",\t;"  # what is recognised; any other one character can be asked for
NAMELESS = re.compile(r"(Unnamed: \d+)?")  # "" or what pandas calls a column without a name
CURE = (
    "header=False (--no-header) takes it as the first row and calls the columns 1, 2, …; else add a line of names, or "
    "header=True (--header) if these are names"
)


def check(where: str, names: Sequence[str], below: Sequence[Sequence[str]], separator: str) -> None:
    """ValueError where the first line is data, a comment or a title, or has another separator."""
    if len(names) == 1:
        _check_separator(where, names[0], separator.join(below[0]) if below else "")
    _check_comment(where, names, below)
    why = like_data(names, below)
    if why:
        raise ValueError(f"{where} looks like data, not like names: {why}; {CURE}")


def check_names(where: str, names: Sequence[str], needed: Sequence[str]) -> None:
    """ValueError where a name that is needed stands twice."""
    for name in needed:
        if names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            raise ValueError(f"{where}: columns {first + 1} and {second + 1} are both called {shown(name)}; rename one")


def like_data(names: Sequence[str], below: Sequence[Sequence[str]]) -> str | None:
    """Why names look like cells of a row: numbers, a mark of a missing cell, or texts that stand below them again.

    Whole numbers that count by one, and years, may be names.

    >>> like_data(["M", "0.455", "15"], [["F", "0.53", "9"]]), like_data(["", "2019", "2020"], [["x", "1", "2"]])
    ("'0.455' is a number", None)
    """
    values = {k: value for k, name in enumerate(names) if name and (value := number(name)) is not None}
    under = [[row[k] for row in below if k < len(row)] for k in range(len(names))]
    numeric = [k for k in values if not under[k] or any(number(cell) is not None for cell in under[k])]
    odd = next((k for k in numeric if not re.fullmatch(r"\d+", names[k])), None)
    if odd is not None:
        return f"{shown(names[odd])} is a number"
    if "?" in names:
        return "'?' stands for a missing cell"
    if len(numeric) * 3 >= len(names) and not _countable([int(values[k]) for k in numeric]):
        return f"{shown(names[numeric[0]])} is a number"
    if values and len(values) == len(names):
        return "all of it is numbers"
    again = [k for k, name in enumerate(names) if name and number(name) is None and name in under[k]]
    if len(again) > 1 and 2 * len(again) > len(names) - len(numeric):
        return f"{listed(shown(names[k]) for k in again[:2])} stand below again as cells"
    return None


def _countable(values: Sequence[int]) -> bool:
    """Whether whole numbers are years, or count by one from 0 or 1."""
    years = all(1900 <= value <= 2100 for value in values)
    return not values or years or list(values) in (list(range(len(values))), list(range(1, len(values) + 1)))


def _check_comment(where: str, names: Sequence[str], below: Sequence[Sequence[str]]) -> None:
    width = max((len(row) for row in below), default=1)
    comment = names[0][:1] in ("#", "%") or names[0].startswith("//")
    title = len([name for name in names if name]) == 1 and width > 1
    if title or (comment and len(names) < width):
        kind = "a comment" if comment else "a title"
        raise ValueError(
            f"{where} looks like {kind}, {shown(next(filter(None, names), ''))}, above {width} columns; delete it: the "
            "first line names the columns"
        )


def _check_separator(where: str, header: str, below: str) -> None:
    for other in f"{SEPARATORS}|: ":
        alike = len(header.split(other)) == len(below.split(other))
        if other in header and (alike or other not in ": "):
            cure = f"write separator={other!r} (--separator {other!r})"
            raise ValueError(f"{where}: one column, {shown(header)}, which holds {other!r}; {cure}")
