"""Tables as CSV text: any reader reads what was written, and numbers are as short as they can be."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

QUOTED = frozenset(',;|\t"\r\n\v\f\0\x1c\x1d\x1e\x85\u2028\u2029')  # separators, and what some reader ends a line at
SCORES = ("score", "standard_error", "cost")  # columns of scores, beside those of a part, as dev/loss


def short(value: float) -> str:
    """The shortest text that gives the float32 back, or the double where no float32 is meant.

    >>> short(0.9555555582046509), short(0.1), short(1e-10), short(float("nan"))
    ('0.95555556', '0.1', '1e-10', 'nan')
    """
    with np.errstate(over="ignore"):
        single = np.float32(value)
    return str(single if float(single) == value else float(value))


def figures(value: float) -> str:
    """A score, which was computed in float32, however it was averaged or scaled since: nine figures at most.

    >>> figures(0.9555555582046509), figures(4712.801234567891)
    ('0.95555556', '4712.80123')
    """
    text = short(value)
    return text if len(text) <= 12 or not math.isfinite(value) else min(text, repr(float(f"{value:.9g}")), key=len)


def in_unit(value: float, scale: float) -> str:
    """A double that was predicted in steps of float32 of ``scale``: as many places as these have.

    >>> in_unit(303.20440673828125, 50.0), in_unit(1_000_000_000.123456, 1.0), in_unit(0.0, 1e-20)
    ('303.204407', '1000000000.123456', '0.0')
    """
    if math.isfinite(value) and 0 < scale < math.inf:
        value = round(value, 7 - math.floor(math.log10(scale)))
    return repr(float(value))


def cell(value: Any) -> str:
    r"""One cell: blank for None and NaN, quoted where a reader could take it for more or less than one cell.

    >>> print(cell(None), cell(3), cell(0.5), cell("plain"), cell(" a"), cell('a "b", c'), sep="|")
    |3|0.5|plain|" a"|"a ""b"", c"
    """
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return ""
    if isinstance(value, float | np.floating):
        return short(float(value))
    text = str(value)
    quoted = text != text.strip() or not QUOTED.isdisjoint(text)
    return '"' + text.replace('"', '""') + '"' if quoted else text


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    r"""Rows as lines of cells with commas between; a row of one blank cell is written so that it is seen.

    >>> csv_text([["a", "b"], [1, None], ["x\ry", 0.1]])
    'a,b\n1,\n"x\ry",0.1\n'
    """
    lines = (",".join(map(cell, row)) for row in rows)
    return "".join(f"{line or chr(34) * 2}\n" for line in lines)


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows by column as CSV; a blank cell for what a row lacks, scores in nine figures at most."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text([columns, *([of_column(name, row.get(name)) for name in columns] for row in rows)])


def of_column(name: str, value: Any) -> Any:
    """A value for the column of that name: a score as text in nine figures at most, all else as it is."""
    scored = name in SCORES or name.startswith(("train/", "dev/"))
    return figures(value) if scored and isinstance(value, float) and not math.isnan(value) else value
