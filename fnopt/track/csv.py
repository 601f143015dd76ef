"""Results as two tables that any program reads."""

import csv as tables
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fnopt.run.cells import csv_text, of_column
from fnopt.run.plain import write_atomically
from fnopt.run.tracking import About, Record, lane_name
from fnopt.track._lines import grown, lines_of

LANES, CURVES = "lanes.csv", "curves.csv"
NAME = ("sweep", "config", "seed", "fold")
END = ("epochs", "best_epoch", "status", "why")


@dataclass(frozen=True)
class Csv:
    """See :func:`csv`."""

    folder: Path

    def open(self, about: About) -> "Tables":
        """The two files, with what they hold of this sweep."""
        return Tables(self.folder, about)


def csv(folder: str | Path) -> Csv:
    """Two files in ``folder`` that grow as lanes end, each row written at once.

    ``lanes.csv`` has one row a configuration, seed and fold (its numbers, final scores, epochs, status and why it
    ended), ``curves.csv`` one for each of its epochs. Several sweeps may share them: a column that only some of them
    have is blank in the others' rows.

    Args:
        folder: made where it is missing.

    >>> csv("runs/tables").folder.name
    'tables'
    """
    return Csv(Path(folder))


class Tables:
    """The open files of one sweep."""

    def __init__(self, folder: Path, about: About):
        whole = {tuple(row[:4]) for row in _rows(folder / LANES)[1:]}
        self.there = {lane_name(int(c), int(s), int(f)) for name, c, s, f in whole if name == about.sweep}
        columns = (*NAME, *map(_column, about.numbers), *about.scores, *END)
        self._lanes = Table(folder / LANES, columns, {*whole, NAME})
        # A lane's curves come before its row: those without a row are of a lane that was broken off here.
        self._curves = Table(folder / CURVES, (*NAME, "epoch", *about.scores, "cost", "lr", "updates"), {*whole, NAME})

    def write(self, record: Record) -> None:
        """The curves, then the row."""
        name = dict(zip(NAME, (record.sweep, record.config, record.seed, record.fold), strict=True))
        curves = [{score: float(v[e]) for score, v in record.curves.items()} for e in range(record.epochs)]
        self._curves.widen(tuple(record.curves))
        self._curves.add({**name, "epoch": e, **row} for e, row in enumerate(curves, 1))
        numbers = {_column(n): value for n, value in record.hyper.items()}
        self._lanes.add([{**name, **numbers, **record.scores, **{n: getattr(record, n) for n in END}}])

    def close(self) -> None:
        """Close both files."""
        self._lanes.file.close()
        self._curves.file.close()


class Table:
    """One file, opened to append to; a column that it lacks is put at its end, blank so far."""

    def __init__(self, path: Path, columns: Sequence[str], keep: set[tuple[str, ...]]):
        self._path, self.columns = path, _widened(path, columns)
        self.file = grown(path, lambda line: tuple(line.split(",", 4)[:4]) in keep)
        if not path.stat().st_size:
            self._put(_text([self.columns]))

    def widen(self, columns: Sequence[str]) -> None:
        """Room for these columns too, as for a number that only some lanes change."""
        if not {*columns} <= {*self.columns}:
            self.file.close()
            self.columns = _widened(self._path, columns)
            self.file = grown(self._path)

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Some rows, by column; what a row lacks is blank."""
        self._put(_text([of_column(name, row.get(name)) for name in self.columns] for row in rows))

    def _put(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()


def _widened(path: Path, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a file and these; where it lacks some, it is written anew with blanks in its rows."""
    rows = _rows(path)
    there = tuple(rows[0]) if rows else ()
    whole = tuple(dict.fromkeys((*there, *columns)))
    if rows and there != whole:
        blank = [""] * (len(whole) - len(there))
        write_atomically(path, _text([whole, *([*row, *blank] for row in rows[1:])]).encode())
    return whole


def _rows(path: Path) -> list[list[str]]:
    """The head and the rows of a file, none where there is no file."""
    rows = list(tables.reader(lines_of(path)))
    if rows and tuple(rows[0][: len(NAME)]) != NAME:
        raise ValueError(f"{str(path)!r} is another table: choose another folder")
    return rows


def _column(number: str) -> str:
    """A number's column, which must not be that of something else."""
    return f"hyper/{number}" if number in (*NAME, *END) else number


def _text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as text, one a line; NaN is blank."""
    return csv_text([" ".join(value.split("\n")) if isinstance(value, str) else value for value in row] for row in rows)
