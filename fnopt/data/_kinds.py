"""What the cells of a column are: numbers, dates or text; and what is odd about one that is neither."""

from typing import NamedTuple

import numpy as np

from fnopt.data._dates import form_of, written
from fnopt.data._echo import shown
from fnopt.data._numbers import COMMAS, USUAL, as_numbers, formatted, number
from fnopt.data._table import Table

MOSTLY = 0.9  # of a column's cells: above it the rest are slips, below it the column is text
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


def kind_of(table: Table, name: str, marks: frozenset[str]) -> Kind:
    """What a column is by the majority of its cells; ValueError naming the odd cell where that may be a slip.

    Numbers that are written for people (thousands, decimal commas, %, currency) are refused: what they mean is a
    guess. So are dates of mixed forms, and a few texts in a column of numbers.
    """
    cells = table.columns[name]
    if as_numbers(cells.texts, marks) is not None:
        return Kind("number")
    counts = np.bincount(cells.codes, minlength=len(cells.texts))
    groups: dict[str, list[int]] = {"number": [], "formatted": [], "date": [], "text": []}
    for k, text in enumerate(cells.texts):
        if counts[k] and text not in marks:
            groups[_of(text)].append(k)
    sizes = {kind: int(counts[places].sum()) if places else 0 for kind, places in groups.items()}
    total = sum(sizes.values())
    numbers, others = sizes["number"] + sizes["formatted"], groups["date"] + groups["text"]
    if sizes["number"] == total:
        return Kind("number")
    if sizes["date"] == total:
        form, why = form_of([cells.texts[k] for k in groups["date"]])
        if form is None and why.startswith("mixed"):
            raise ValueError(f"{_place(table, name)} holds dates of more than one form, {why}; {_cure(name)}")
        return Kind("date", form, why)
    if 2 * sizes["date"] > total:
        row = int(cells.rows(k for kind in ("number", "formatted", "text") for k in groups[kind])[0])
        raise ValueError(f"{table.at(row, name)}: {shown(cells[row])} is no date as the others are; {_cure(name)}")
    if not others or (sizes["formatted"] and 2 * numbers >= total):
        raise ValueError(_formatted(table, name, int(cells.rows(groups["formatted"])[0])))
    if 2 * numbers >= total and (numbers >= MOSTLY * total or len({cells.texts[k] for k in others}) <= FEW):
        raise ValueError(_odd(table, name, cells.rows(others)))
    if not numbers:
        return Kind("text")
    row = int(cells.rows(groups["number"] + groups["formatted"])[0])
    return Kind(
        "text", note=f"{numbers} numbers such as {shown(cells[row])} (line {table.lines[row]}) of {total} cells"
    )


def not_a_number(table: Table, name: str, row: int) -> ValueError:
    """What is said of a cell that is to be a number and is none."""
    cell = table.columns[name][row]
    if formatted(cell):
        return ValueError(_formatted(table, name, row))
    return ValueError(f"{table.at(row, name)}: {shown(cell)} is text in a column of numbers; correct the cell")


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


def _formatted(table: Table, name: str, row: int) -> str:
    cell = table.columns[name][row]
    fault = "has a comma" if COMMAS.fullmatch(cell) else "is no plain number"
    how = "write decimals with a point and thousands without a sign"
    return f"{table.at(row, name)}: {shown(cell)} {fault}; {how}, no % and no currency; {_cure(name)}"


def _place(table: Table, name: str) -> str:
    return f"{table.at(0, name).partition(', line')[0]}, column {shown(name)}"


def _cure(name: str) -> str:
    bare = shown(name)[1:-1]
    as_text = f"text=[{shown(name)}] (--text {bare})"
    return f"or leave the column out: ignore=[{shown(name)}] (--ignore {bare}), or read it as text: {as_text}"
