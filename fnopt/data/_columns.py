"""How columns of text cells become numbers, learned from one table and applied to others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fnopt._types import Column
from fnopt.data._cells import default_float
from fnopt.data._text import COMMAS, INTEGER, MISSING, Table, number

MOST = 1000  # categories of one text column; more is an identifier or a date, which one-hot cannot help


def learn(table: Table, name: str, as_text: bool) -> Column:
    """A column of numbers, or of text with its categories; ValueError naming the first cell where it is neither."""
    if not as_text and not all_text(table, name):
        return Column(name)
    categories = tuple(sorted(set(table.columns[name]) - MISSING))
    if len(categories) > MOST:
        raise ValueError(
            f"{table.path}: the text column {name!r} holds {len(categories)} different texts, at most {MOST} become "
            "one-hot; leave it out: columns=[…] names those to use"
        )
    return Column(name, categories)


def all_text(table: Table, name: str) -> bool:
    """Whether every cell that is not missing is text; mixed columns and decimal commas raise."""
    cells = table.columns[name]
    present = [i for i, cell in enumerate(cells) if cell not in MISSING]
    text = [i for i in present if number(cells[i]) is None]
    if not text or (len(text) == len(present) and not all(COMMAS.fullmatch(cells[i]) for i in text)):
        return bool(text)
    raise ValueError(f"{_mixed(table, text[0], name)}, or read the column as text: text=[{name!r}] (--text {name})")


def encode(table: Table, column: Column) -> np.ndarray:
    """shape=(m, 1) for numbers, (m, categories) one-hot for text; missing numbers are NaN, missing text all zero."""
    if column.categories is None:
        return numbers(table, column.name)[:, None].astype(default_float())
    places = {category: k for k, category in enumerate(column.categories)}
    cells = table.columns[column.name]
    codes = np.array([-1 if cell in MISSING else places.get(cell, len(places)) for cell in cells], np.int64)
    if (codes == len(places)).any():
        row = int(np.argmax(codes == len(places)))
        known = ", ".join(column.categories[:8]) + ", …" * (len(places) > 8)
        at = table.at(row, column.name)
        raise ValueError(f"{at}: {cells[row]!r} is not a category that the model knows: {known}")
    return (codes[:, None] == np.arange(len(places))[None, :]).astype(default_float())


def numbers(table: Table, name: str) -> np.ndarray:
    """A column of numbers in float64, NaN where missing; ValueError naming the first cell that is none or too large."""
    cells = table.columns[name]
    limit = float(np.finfo(default_float()).max)
    values = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if cell in MISSING:
            continue
        value = number(cell)
        if value is None:
            raise ValueError(_mixed(table, i, name))
        if not abs(value) <= limit:
            raise ValueError(f"{table.at(i, name)}: {cell!r} is not a finite number; correct it or leave the row out")
        values[i] = value
    return values


def target(table: Table, name: str, as_text: bool) -> Any:
    """Text cells, whole numbers or values: what ``dataset`` takes as ``y``."""
    cells: Sequence[str] = table.columns[name]
    if as_text or all_text(table, name):
        return list(cells)
    values = numbers(table, name)
    whole = all(INTEGER.fullmatch(cell) for cell in cells) and np.abs(values).max() < 2**31
    return values.astype(np.int64) if whole else values


def _mixed(table: Table, row: int, name: str) -> str:
    cell = table.columns[name][row]
    if COMMAS.fullmatch(cell):
        return f"{table.at(row, name)}: {cell!r} has a comma; write decimals with a point and thousands without a sign"
    return f"{table.at(row, name)}: {cell!r} is text in a column of numbers; correct the cell"
