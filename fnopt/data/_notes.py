"""What is to be known of how a table was read: one line a thing, to the logger "fnopt.data"."""

import logging
from collections.abc import Iterable, Sequence

import numpy as np

from fnopt._checks import printable
from fnopt._types import Column
from fnopt.data._columns import Learned, missing_in, unknown_in
from fnopt.data._echo import listed, shown
from fnopt.data._numbers import USUAL
from fnopt.data._table import Table

log = logging.getLogger("fnopt.data")

TOPICS = {  # the topic of a column's note: the words before the columns, and after them
    "identifiers": ("left out ", ": most of their cells differ; keep=[…] (--keep NAME) takes them"),
    "empty": ("left out ", ": all of their cells are missing"),
    "dates left out": ("left out dates ", ": write them as 2020-12-31"),
    "dates": ("dates become numbers: ", ""),
    "mixed": ("read as text, though numbers stand in them: ", ""),
    "codes": (
        "read as text, as numbers would lose their leading zeros: ",
        "; numbers are written without leading zeros",
    ),
    "zeros": ("read as numbers without their leading zeros: ", ": text=[…] (--text NAME) keeps them as categories"),
    "many": ("kept, though most of their cells differ: ", ""),
    "days": ("kept as numbers, though they look like dates: ", ": write them as 2020-12-31"),
    "counts": ("", " counts the rows by one; ignore=[…] (--ignore NAME) leaves it out"),
}


def say(path: object, words: str) -> None:
    """One thing, after the file's name."""
    log.warning("%s: %s", printable(path), words)


def say_columns(table: Table, learned: Iterable[Learned]) -> None:
    """What became of columns, those of one topic together."""
    notes = [some.note for some in learned if some.note is not None]
    for topic, (before, after) in TOPICS.items():
        about = [words for kind, words in notes if kind == topic]
        if about:
            say(table.path, f"{before}{listed(about)}{after}")


def say_filled(table: Table, columns: Sequence[Column], cost: bool) -> None:
    """How many missing cells are filled, in which columns, and what leaving out their rows would cost."""
    numbers = _counted(table, [column for column in columns if column.categories is None])
    text = _counted(table, [column for column in columns if column.categories is not None])
    drop = ""
    if cost:
        rows = int(holes(table, columns).sum())
        drop = f'; missing="drop" (--missing drop) would leave out {rows} of {len(table.lines)} rows'
    if numbers:
        say(table.path, f"missing numbers, filled by the mean of the training part: {numbers}{drop}")
    if text:
        say(table.path, f"missing texts, taken as no category (all zero): {text}{'' if numbers else drop}")


def say_unknown(table: Table, columns: Sequence[Column]) -> None:
    """How many cells hold a category that the model does not know, and which."""
    for column in columns:
        odd = np.flatnonzero(unknown_in(table, column))
        if len(odd):
            cells = table.columns[column.name]
            texts = dict.fromkeys(cells[int(row)] for row in odd[:1000])
            what = f"{len(odd)} cells of column {shown(column.name)}, {listed(texts, 5)}"
            say(table.path, f"unknown to the model, taken as no category (all zero): {what}")


def holes(table: Table, columns: Iterable[Column]) -> np.ndarray:
    """shape=(m,): whether a cell of these columns is missing in the row."""
    return np.any([missing_in(table, column) for column in columns], axis=0)


def first_hole(table: Table, columns: Sequence[Column]) -> str:
    """What is said where a missing cell is an error: the first of them, and what each cure costs."""
    row = int(np.argmax(holes(table, columns)))
    name = next(column.name for column in columns if missing_in(table, column)[row])
    gone, left = int(holes(table, columns).sum()), _counted(table, columns)
    return (
        f'{table.at(row, name)} is missing; fill it, or say missing="drop" (--missing drop), which leaves out {gone} '
        f'of {len(table.lines)} rows, or missing="mean" (--missing mean), which keeps all; missing are {left}'
    )


def _counted(table: Table, columns: Iterable[Column]) -> str:
    """The columns that have missing cells, with how many, the most first."""
    counts = [(int(missing_in(table, column).sum()), column.name) for column in columns]
    counts = sorted((c for c in counts if c[0]), key=lambda c: -c[0])
    return listed(f"{name} {count}" for count, name in counts)


def say_no_target(table: Table, name: str, gone: np.ndarray, marks: frozenset[str]) -> None:
    """How many rows have no target, and by which mark; which may be a class where the others are text."""
    cells, row = table.columns[name], int(np.argmax(gone))
    mark = cells[row]
    such = f", as in line {table.lines[row]} ({shown(mark)})" if mark else ""
    if mark in USUAL and such and cells.numbers(marks) is None:
        such += f"; text=[{shown(name)}] (--text {shown(name)[1:-1]}) makes it a class"
    say(table.path, f"left out {gone.sum()} of {len(gone)} rows, which have no target {shown(name)}{such}")
