"""Rows as a table on the terminal; a row is a plain dict, so that it is JSON as it stands."""

import math
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]  # "ok" False is a failed check; a nested value stays out of the table


def show(title: str, rows: Sequence[Row]) -> str:
    """One line a row, the columns of all of them in the order of their first appearance.

    >>> print(show("speed", [dict(lanes=32, us=1.234567, ok=True), dict(lanes=256, us=None, ok=False)]))
    speed
      lanes    us  ok
         32  1.23 yes
        256     –  NO
    """
    names = [n for n in dict.fromkeys(name for row in rows for name in row) if not _nested(rows, n)]
    cells = [names, *([_text(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(names))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([title, *("  " + line.rstrip() for line in lines)])


def _nested(rows: Sequence[Row], name: str) -> bool:
    return any(isinstance(row.get(name), dict | list) for row in rows)


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def plain(value: Any) -> Any:
    """The same without what JSON has no word for: NaN and infinity become None, tuples lists."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | bool | int | float | None) else str(value)
