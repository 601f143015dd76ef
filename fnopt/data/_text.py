"""The cells of a text table, as text, with the line that each row starts on."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from math import inf
from pathlib import Path
from typing import NamedTuple

from fnopt.data._files import read_bytes

SEPARATORS = ",\t;"  # what is recognised; any other one character can be asked for
MISSING = frozenset(("", "NA", "N/A", "NaN", "nan", "NULL", "null", "?"))
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
COMMAS = re.compile(r"[+-]?\d+(,\d+)+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)  # 3,14 or 1,234.5


class Table(NamedTuple):
    """Columns of cells by name, stripped, and where they stand."""

    path: str
    lines: tuple[int, ...]
    columns: dict[str, tuple[str, ...]]

    def at(self, row: int, name: str) -> str:
        """Where a cell stands, for a message."""
        return f"{self.path}, line {self.lines[row]}, column {name!r}"


def number(cell: str) -> float | None:
    """The cell as a number, or None for text.

    >>> number("1e3"), number("1_000"), number("x")
    (1000.0, None, None)
    """
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def read_cells(path: str | Path, separator: str | None = None) -> Table:
    """Every cell of a table in a text file; ValueError with the line for what is no table."""
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        raise ValueError(f"`separator` must be one character or None, got {separator!r}")
    text = _decoded(path)
    separator = separator or _sniffed(text)
    header, *rows = list(_rows(text, separator, path)) or [(0, [])]
    line, names = header
    if not names:
        raise ValueError(f"{path} is empty; expected a header line with column names, then rows")
    _check_header(f"{path}, line {line}", names, separator.join(rows[0][1]) if rows else "")
    if not rows:
        raise ValueError(f"{path} holds a header and no rows; expected at least one row")
    for line, row in rows:
        if len(row) != len(names):
            cure = f"a cell that holds {separator!r} needs quotes" + ", decimals need a point" * (separator == ",")
            raise ValueError(f"{path}, line {line}: expected {len(names)} cells, got {len(row)}; {cure}")
    columns = dict(zip(names, zip(*(row for _, row in rows), strict=True), strict=True))
    return Table(str(path), tuple(line for line, _ in rows), columns)


def _decoded(path: str | Path) -> str:
    raw = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = raw[error.start]
        raise ValueError(f"{path}, line {line}: byte {byte:#04x} is not UTF-8; save the file as UTF-8 text") from error


def _rows(text: str, separator: str, path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    line = 1
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield line, [cell.strip() for cell in row]
            line = reader.line_num + 1
    except csv.Error as error:
        cure = "quotes must enclose a whole cell, and be doubled inside it"
        raise ValueError(f"{path}, line {line}: {error}; {cure}") from error


def _sniffed(text: str) -> str:
    """The separator under which the header has several cells and the first row as many."""

    def fit(separator: str) -> tuple[bool, bool, int]:
        try:
            widths = [len(row) for _, row in islice(_rows(text, separator, ""), 2)] or [0]
        except ValueError:
            widths = [0]
        return (widths[0] > 1, widths[0] == widths[-1], widths[0])

    return max(SEPARATORS, key=fit)


def _check_header(where: str, names: list[str], below: str) -> None:
    if len(names) == 1:
        _check_separator(where, names[0], below)
    if all(number(name) is not None for name in names):
        raise ValueError(f"{where} is all numbers; add a header line with the names of the columns above it")
    for k, name in enumerate(names):
        if not name:
            raise ValueError(f"{where}: column {k + 1} has no name; name it, or write the file without it")
        if name in names[:k]:
            first = names.index(name) + 1
            raise ValueError(f"{where}: columns {first} and {k + 1} are both called {name!r}; rename one")


def _check_separator(where: str, header: str, below: str) -> None:
    for other in f"{SEPARATORS}|: ":
        alike = len(header.split(other)) == len(below.split(other))
        if other in header and (alike or other not in ": "):
            cure = f"write separator={other!r} (--separator {other!r})"
            raise ValueError(f"{where}: one column, {header!r}, which holds {other!r}; {cure}")


def first_missing(table: Table, names: Iterable[str]) -> tuple[int, str] | None:
    """Row and column of the first missing cell, in the file's order."""
    at = inf, ""
    for name in names:
        row = next((i for i, cell in enumerate(table.columns[name]) if cell in MISSING), inf)
        at = min(at, (row, name), key=lambda place: place[0])
    return None if at[0] == inf else (int(at[0]), at[1])
