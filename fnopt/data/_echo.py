"""Cells and names from a file as a message shows them: escaped, and cut where they are long."""

from collections.abc import Iterable

LONGEST = 80  # characters of one cell or name in a message
MOST = 12  # names in one list


def shown(cell: object) -> str:
    """A cell in quotes, cut at 80 characters.

    >>> shown("red"), len(shown("x" * 5000))
    ("'red'", 82)
    """
    text = str(cell)
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def listed(names: Iterable[object], most: int = MOST) -> str:
    """Names with commas between, the first few.

    >>> listed(["a", "b", "c"], most=2)
    'a, b, … (3)'
    """
    names = [shown(name)[1:-1] for name in names]
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])}, … ({len(names)})"
