"""Lines and tables for a terminal: broken at blanks under their column, tables whole, whatever its width."""

import re
from collections.abc import Sequence
from typing import Any

from fnopt._checks import printable, require

LEADING = 2  # columns that each part of a table begins with: rank and configuration


def folded(text: str, width: int | None, margin: int = 0) -> list[str]:
    """``text`` as lines of at most ``width`` cells, broken at blanks; lines after the first begin under ``margin``.

    A word that is longer than a line stands alone and whole. No width, no break.

    >>> folded("name    some words", 12, margin=8)
    ['name    some', '        words']
    """
    if width is None or _cells(text) <= width:
        return [text]
    lines, line = [], ""
    for word in re.findall(r" *[^ ]+", text):
        if line.strip() and _cells(line + word) > width:
            lines.append(line)
            line = " " * margin + word.lstrip(" ")
        else:
            line += word
    return [*lines, line]


def _cells(text: str) -> int:
    return len(text) if text.isascii() else require("rich.cells", "cli").cell_len(text)


def paragraph(text: str, width: int) -> str:
    """Several lines, each broken at blanks and continued two cells in."""
    return "\n".join(line for one in text.split("\n") for line in folded(one, width, margin=2))


def tables_of(rows: Sequence[Sequence[str]], width: int, widest: Sequence[int] = (), first: bool = False) -> list[Any]:
    """A table, its names first, as rich draws it; in several parts of whole columns where it is wider than ``width``.

    Args:
        rows: text, the names of the columns first.
        width: cells of a line.
        widest: of each column, the cells that it is to have at least, so that it does not move while rows change.
        first: True for the first part alone.

    Returns:
        the parts, each with rank and configuration before it; none where not even one more column fits.
    """
    names, *body = [[printable(cell) for cell in row] for row in rows]
    titles = [re.sub("[/_]", r"\g<0>\n", name) for name in names]  # on two lines where a name has two words
    cells = [[*title.split("\n"), *column] for title, *column in zip(titles, *body, strict=True)]
    least = [*widest, *[0] * (len(names) - len(widest))]
    widths = [max(low, *map(_cells, some)) for low, some in zip(least, cells, strict=True)]
    parts = _parts(widths, width)
    if parts is None:
        return []
    return [_table(titles, body, widths, part) for part in (parts[:1] if first else parts)]


def _parts(widths: Sequence[int], width: int) -> list[list[int]] | None:
    """Which columns stand together; None where one does not fit beside the leading ones."""
    leading, parts = sum(w + 1 for w in widths[:LEADING]), [list(range(min(LEADING, len(widths))))]
    used = leading
    for k in range(LEADING, len(widths)):
        if leading + widths[k] > width:
            return None
        if used + widths[k] > width:
            parts.append(list(range(LEADING)))
            used = leading
        parts[-1].append(k)
        used += widths[k] + 1
    return parts


def _table(titles: Sequence[str], body: Sequence[Sequence[str]], widths: Sequence[int], part: Sequence[int]) -> Any:
    rich, text = require("rich.table", "cli"), require("rich.text", "cli").Text
    table = rich.Table(box=require("rich.box", "cli").SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for k in part:
        table.add_column(text(titles[k]), justify="right", no_wrap=True, min_width=widths[k])
    for k, row in enumerate(body):
        table.add_row(*(text(row[c]) for c in part), style="bold green" if k == 0 else None)
    return table
