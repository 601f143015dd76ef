"""From the bytes of a text table to cells by column, read once and in bounds."""

import csv
import io
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from fnopt._checks import printable
from fnopt.data import _header
from fnopt.data._echo import shown
from fnopt.data._files import HEAD, head, opened
from fnopt.data._formats import narrow_encoding, other_format, wide_encoding
from fnopt.data._table import Cells, Table

Choose = Callable[[str, list[str]], Sequence[str]]  # (place of the header, all names) -> the names that are needed
MOST_CELLS = 100_000_000  # rows × columns of one table, all of its columns counted
MOST_LINE = 2**24  # characters of one line
BLOCK = 8192  # rows that are put into columns at once
SAMPLE = 200  # rows that the first look takes


def read_cells(
    path: str | Path,
    choose: Choose,
    *,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
) -> Table:
    """The needed columns of a text table; ValueError with the line for what is no table.

    The first look takes 64 kB: the format, the separator, the names and what is asked of them are checked before the
    rest is read.
    """
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        raise ValueError(f"`separator` must be one character or None, got {separator!r}")
    sample = _sample(path, encoding)
    separator = separator or _sniffed(sample)
    try:
        with opened(path) as raw, io.TextIOWrapper(raw, encoding=encoding or "utf-8", newline="") as text:
            return _parsed(path, _rows(text, separator, path), _sampled(sample, separator), choose, separator, header)
    except UnicodeDecodeError as error:
        raise _undecodable(path, encoding or "utf-8") from error


def names_in(path: str | Path, separator: str | None, header: bool | None, encoding: str | None) -> list[str]:
    """The names of all columns, by a first look; ValueError where the first line holds none."""
    sample = _sample(path, encoding)
    separator = separator or _sniffed(sample)
    first, *below = [[cell.strip() for cell in row] for row in _sampled(sample, separator)] or [[]]
    if header is None and first:
        _header.check(f"{printable(path)}, line 1", first, below, separator)
    return _numbered(first, header)


def _parsed(
    path: str | Path,
    rows: Iterator[tuple[int, list[str]]],
    sample: list[list[str]],
    choose: Choose,
    separator: str,
    header: bool | None,
) -> Table:
    line, first = next(rows, (0, []))
    if not first:
        what = "rows of cells" if header is False else "a header line with column names, then rows"
        raise ValueError(f"{printable(path)} is empty; expected {what}")
    first = [cell.strip() for cell in first]
    where = f"{printable(path)}, line {line}"
    names = _numbered(first, header)
    if header is None:
        _header.check(where, names, [[cell.strip() for cell in row] for row in sample[1:]], separator)
    needed = list(choose(where, names))
    _header.check_names(where, names, needed)
    columns = {name: _Column() for name in needed}
    places = [(column, names.index(name)) for name, column in columns.items()]
    lines = _gather(path, chain([(line, first)], rows) if header is False else rows, places, len(names), separator)
    if not lines:
        raise ValueError(f"{printable(path)} holds a header and no rows; expected at least one row")
    cells = {name: column.cells() for name, column in columns.items()}
    table = Table(str(path), np.frombuffer(lines, np.int64), cells)
    _check_nul(table)
    return table


def _check_nul(table: Table) -> None:
    """ValueError for a cell with a NUL character: arrays of text drop it at the end, and two cells would be one."""
    for name, cells in table.columns.items():
        odd = [k for k, text in enumerate(cells.texts) if "\0" in text]
        if odd:
            row = int(cells.rows(odd)[0])
            where = f"{table.at(row, name)}: {shown(cells[row])}"
            raise ValueError(f"{where} holds a NUL character; take it out of the cell")


def _gather(
    path: str | Path,
    rows: Iterator[tuple[int, list[str]]],
    places: Sequence[tuple["_Column", int]],
    width: int,
    separator: str,
) -> "array[int]":
    """Put all rows into their columns; the line that each starts on."""
    lines = array("q")
    while some := list(islice(rows, BLOCK)):
        odd = next(((line, row) for line, row in some if len(row) != width), None)
        if odd is not None:
            raise ValueError(_ragged(f"{printable(path)}, line {odd[0]}", odd[1], width, separator))
        lines.extend(line for line, _ in some)
        if len(lines) * width > MOST_CELLS:
            most = f"{MOST_CELLS // 1_000_000} million cells, the most that is read"
            raise ValueError(f"{printable(path)} holds more than {most}; keep fewer rows or columns")
        by_column = list(zip(*(row for _, row in some), strict=True))
        for column, place in places:
            column.extend(by_column[place])
    return lines


class _Column:
    """One column while it grows: each text once, for as long as texts come again."""

    def __init__(self) -> None:
        self._places: defaultdict[str, int] | None = defaultdict()
        self._places.default_factory = self._places.__len__
        self._texts: list[str] = []
        self._codes = array("i")

    def extend(self, cells: Sequence[str]) -> None:
        if self._places is None:
            self._codes.extend(range(len(self._texts), len(self._texts) + len(cells)))
            self._texts.extend(cells)
            return
        self._codes.extend(map(self._places.__getitem__, cells))
        if len(self._codes) >= BLOCK and 2 * len(self._places) > len(self._codes):
            self._texts, self._places = list(self._places), None

    def cells(self) -> Cells:
        texts = self._texts if self._places is None else list(self._places)
        return Cells([text.strip() for text in texts], np.frombuffer(self._codes, np.int32))


def _numbered(first: list[str], header: bool | None) -> list[str]:
    return [str(k + 1) for k in range(len(first))] if header is False else first


def _ragged(where: str, row: list[str], width: int, separator: str) -> str:
    cure = f"a cell that holds {separator!r} needs quotes" + ", decimals need a point" * (separator == ",")
    if len(row) == width + 1 and not row[-1].strip():
        cure = f"it ends with {separator!r}, the first line does not"
    return f"{where}: expected {width} cells, got {len(row)}; {cure}"


def _sample(path: str | Path, encoding: str | None) -> str:
    """The text that the first look needs; ValueError for what is no text in this encoding."""
    raw = head(path)
    if encoding is None:
        other = other_format(raw)
        if other:
            raise ValueError(f"{printable(path)} {other}")
        wide = wide_encoding(raw)
        if wide:
            kind = wide.upper().replace("-LE", ", little-endian").replace("-BE", ", big-endian")
            cure = f"save it as UTF-8, or say encoding={wide!r} (--encoding {wide})"
            raise ValueError(f"{printable(path)} is text in {kind}; {cure}")
        if b"\x00" in raw:
            raise ValueError(f"{printable(path)} is no text, it holds bytes of zero; expected a text table in UTF-8")
    try:
        text = raw.decode(encoding or "utf-8", errors="replace")
    except LookupError as error:
        raise ValueError(f"unknown encoding {encoding!r}; known: utf-8, latin-1, cp1252, utf-16 and more") from error
    cut = max(text.rfind("\n"), text.rfind("\r")) if len(raw) == HEAD else -1
    return (text if cut < 0 else text[:cut]).lstrip("\ufeff")


def _sampled(sample: str, separator: str) -> list[list[str]]:
    """The first rows as they look before quotes are judged."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, skipinitialspace=True)
    rows: list[list[str]] = []
    with suppress(csv.Error):  # a cell beyond the limit: the parser says where
        rows.extend(islice((row for row in reader if not _blank(row)), SAMPLE))
    return rows


def _sniffed(sample: str) -> str:
    """The separator under which the first line has several cells and the next as many; or most lines have several."""

    def fit(separator: str) -> tuple[bool, bool, int, int]:
        widths = [len(row) for row in _sampled(sample, separator)] or [0]
        usual = Counter(widths).most_common(1)[0][0]
        several = widths[0] > 1
        return (several, widths[0] == widths[min(1, len(widths) - 1)] if several else usual > 1, widths[0], usual)

    return max(_header.SEPARATORS, key=fit)


def _rows(text: io.TextIOWrapper, separator: str, path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it starts on."""
    reader = csv.reader(_lines(text, path), delimiter=separator, strict=True, skipinitialspace=True)
    line, alone = 1, None  # in a table of one column a blank cell is a row
    try:
        for row in reader:
            if len(row) > 1 or (row and alone) or not _blank(row):
                yield line, row
                alone = len(row) == 1 if alone is None else alone
            line = reader.line_num + 1
    except csv.Error as error:
        limit = csv.field_size_limit()
        if "field larger" in str(error):
            raise ValueError(f"{printable(path)}, line {line}: a cell of more than {limit} characters") from error
        cure = "quotes must enclose a whole cell, and be doubled inside it"
        raise ValueError(f"{printable(path)}, line {line}: {error}; {cure}") from error


def _blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


def _lines(text: io.TextIOWrapper, path: str | Path) -> Iterator[str]:
    """The lines of a text without its byte order marks."""
    lines = iter(partial(text.readline, MOST_LINE), "")
    first = next(lines, "").lstrip("\ufeff")
    for line in chain([first] if first else [], lines):
        if len(line) == MOST_LINE:
            raise ValueError(f"{printable(path)} holds a line of more than {MOST_LINE // 2**20} million characters")
        yield line


def _undecodable(path: str | Path, encoding: str) -> ValueError:
    """Where the first bytes stand that are not in the encoding, and which they may be in."""
    line, raw = 1, b""
    with opened(path) as stream:
        for raw in iter(partial(stream.readline, MOST_LINE), b""):
            try:
                raw.decode(encoding)
            except UnicodeDecodeError as error:
                byte, line = raw[error.start], line + raw.count(b"\r", 0, error.start) * (b"\n" not in raw)
                other = narrow_encoding(raw)
                part = raw[max(0, error.start - 20) : error.end + 20].decode(other, errors="replace").strip()
                cure = "write the encoding that the file has"
                if encoding == "utf-8":
                    cure = f"save the file as UTF-8 text, or say encoding={other!r} (--encoding {other}) if it is that"
                name = "UTF-8" if encoding == "utf-8" else encoding
                return ValueError(
                    f"{printable(path)}, line {line}: byte {byte:#04x} is not {name}, near {shown(part)}; {cure}"
                )
            line += 1
    return ValueError(f"{printable(path)} is not text in {encoding}")
