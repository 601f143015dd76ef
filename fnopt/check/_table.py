"""Rows of a report as plain text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def shown(rows: Sequence[Mapping[str, Any]], most: int = 40) -> str:
    """One line a row under the names of the columns; what is past ``most`` rows is counted.

    >>> print(shown([{"leaf": "w", "error": 0.5}, {"leaf": "bias", "error": None}]))
    leaf  error
    w       0.5
    bias      –
    """
    if not rows:
        return "(nothing to show)"
    names = list(rows[0])
    cells = [names, *([text(row[name]) for name in names] for row in rows[:most])]
    left = [all(isinstance(row[name], str | None) for row in rows) for name in names]
    widths = [max(len(line[k]) for line in cells) for k in range(len(names))]
    lines = [
        "  ".join(c.ljust(w) if words else c.rjust(w) for c, w, words in zip(line, widths, left, strict=True)).rstrip()
        for line in cells
    ]
    return "\n".join([*lines, *([f"… and {len(rows) - most} more"] if len(rows) > most else [])])


def text(value: Any) -> str:
    """A cell: a dash for nothing, floats in five figures, yes or NO."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.5g}" if isinstance(value, float) else str(value)
