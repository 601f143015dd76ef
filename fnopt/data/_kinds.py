"""What the cells of a column are: numbers, dates or text; and what is odd about one that is neither."""

import re
from typing import NamedTuple

import numpy as np

from fnopt.data._dates import form_of, written
from fnopt.data._echo import shown
from fnopt.data._numbers import COMMAS, USUAL, formatted, number
from fnopt.data._table import Cells, Table

MOSTLY = 0.9  # of a column's cells: above it the rest are slips, below it the column is text
MANY = 20  # different numbers with a unit; fewer may be categories, such as 36 months
UNIT = re.compile(r"[+-]?\d[\d.,]*\s*([^\W\d_]{1,12}[²³.]?)")
FEW = 2  # different texts beside numbers that look like marks of a missing cell


class Kind(NamedTuple):
    """number, date or text; the form of its dates; and what there is to say of it."""

    name: str
    form: str | None = None
    note: str | None = None


def marks_of(as_text: bool, more: tuple[str, ...]) -> tuple[str, ...] | None:
    """The texts that stand for a missing cell, as a ``Column`` keeps them: None for the usual ones.

    In a column that is read as text only the empty cell is missing, so that NA can be a category.
    """
    if as_text:
        return tuple(dict.fromkeys(("", *more)))
    return tuple(dict.fromkeys((*sorted(USUAL), *more))) if more else None


def kind_of(table: Table, name: str, marks: frozenset[str], target: bool = False) -> Kind:
    """What a column is by the majority of its cells; ValueError naming the odd cell where that may be a slip.

    Numbers that are written for people (thousands, decimal commas, %, currency, units) are refused: what they mean is
    a guess. So are dates of mixed forms, and a few texts in a column of numbers.
    """
    cells = table.columns[name]
    if cells.numbers(marks) is not None:
        return Kind("number")
    places, sizes = _sorted(cells, marks)
    total, numbers = sum(sizes.values()), sizes["number"] + sizes["formatted"]
    others = places["date"] + places["text"]
    if sizes["number"] == total:
        return Kind("number")
    if 2 * sizes["date"] > total:
        return _dates_of(table, name, [cells.texts[k] for k in places["date"]], marks, target)
    if not others or (sizes["formatted"] and 2 * numbers >= total):
        raise ValueError(f"{_formatted(table, name, _first(cells, places['formatted']))}; {_cure(name, target)}")
    if 2 * numbers >= total and (numbers >= MOSTLY * total or len({cells.texts[k] for k in others}) <= FEW):
        raise ValueError(_odd(table, name, cells.rows(others)))
    if not numbers:
        texts = [cells.texts[k] for k in places["text"]]
        if _with_unit(texts):
            fault = f"{shown(texts[0])} and the like are numbers with a unit; write the numbers alone"
            raise ValueError(f"{_place(table, name)}: {fault}, {_cure(name, target)}")
        return Kind("text")
    row = _first(cells, places["number"] + places["formatted"])
    such = f"{numbers} number{'s' * (numbers > 1)} such as {shown(cells[row])} (line {table.lines[row]})"
    return Kind("text", note=f"{such} of {total} cells")


def not_a_number(table: Table, name: str, row: int) -> ValueError:
    """What is said of a cell that is to be a number and is none."""
    cell = table.columns[name][row]
    if formatted(cell):
        return ValueError(_formatted(table, name, row))
    return ValueError(f"{table.at(row, name)}: {shown(cell)} is text in a column of numbers; correct the cell")


def _sorted(cells: Cells, marks: frozenset[str]) -> tuple[dict[str, list[int]], dict[str, int]]:
    """The places of texts that are not missing, by what each is; and how many rows hold them."""
    counts = np.bincount(cells.codes, minlength=len(cells.texts))
    places: dict[str, list[int]] = {"number": [], "formatted": [], "date": [], "text": []}
    for k, text in enumerate(cells.texts):
        if counts[k] and text not in marks:
            places[_of(text)].append(k)
    return places, {kind: int(counts[some].sum()) if some else 0 for kind, some in places.items()}


def _dates_of(table: Table, name: str, dates: list[str], marks: frozenset[str], target: bool) -> Kind:
    """The one form of a column of dates; ValueError where a cell is none, or where there are several."""
    cells, known = table.columns[name], {*dates, *marks}
    odd = [k for k, text in enumerate(cells.texts) if text not in known]
    rows = cells.rows(odd)
    if len(rows):
        row = int(rows[0])
        fault = f"{shown(cells[row])} is no date as the others are; correct it"
        raise ValueError(f"{table.at(row, name)}: {fault}, {_cure(name, target)}")
    form, why = form_of(dates)
    if form is None and why.startswith("mixed"):
        fault = f"holds dates of more than one form, {why}; write one"
        raise ValueError(f"{_place(table, name)} {fault}, {_cure(name, target)}")
    return Kind("date", form, why)


def _first(cells: Cells, places: list[int]) -> int:
    return int(cells.rows(places)[0])


def _of(text: str) -> str:
    if number(text) is not None:
        return "number"
    if written(text) is not None:
        return "date"
    return "formatted" if formatted(text) else "text"


def _odd(table: Table, name: str, rows: np.ndarray) -> str:
    row = int(rows[0])
    cell = table.columns[name][row]
    again = f", with {len(rows) - 1} more such cells" if len(rows) > 1 else ""
    return (
        f"{table.at(row, name)}: {shown(cell)} is text in a column of numbers{again}; correct the cell, or say that it "
        f"stands for a missing one: missing_marks=[{shown(cell)}] (--missing-marks {shown(cell)}), or read the column "
        f"as text: text=[{shown(name)}] (--text {shown(name)[1:-1]})"
    )


def _with_unit(texts: list[str]) -> bool:
    """Whether many different texts are numbers before one and the same word, as in 12 kg; few may be categories."""
    units = {match and match[1] for match in map(UNIT.fullmatch, texts)}
    return len(units) == 1 and None not in units and len(set(texts)) > MANY


def _formatted(table: Table, name: str, row: int) -> str:
    cell = table.columns[name][row]
    fault = "has a comma" if COMMAS.fullmatch(cell) else "is no plain number"
    how = "write decimals with a point and thousands without a sign"
    return f"{table.at(row, name)}: {shown(cell)} {fault}; {how}, no % and no currency"


def _place(table: Table, name: str) -> str:
    return f"{table.at(0, name).partition(', line')[0]}, column {shown(name)}"


def _cure(name: str, target: bool) -> str:
    bare = shown(name)[1:-1]
    if target:
        return f"or read it as text: text=[{shown(name)}] (--text {bare})"
    as_text = f"text=[{shown(name)}] (--text {bare})"
    return f"or leave the column out: ignore=[{shown(name)}] (--ignore {bare}), or read it as text: {as_text}"
