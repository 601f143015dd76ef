"""How columns of cells become numbers, learned from one table and applied to others."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fnopt._types import Column
from fnopt.data import _dates
from fnopt.data._cells import default_float
from fnopt.data._echo import listed, shown
from fnopt.data._kinds import kind_of, marks_of, not_a_number
from fnopt.data._numbers import INTEGER, USUAL, as_numbers, padded
from fnopt.data._table import Table

MOST = 1000  # categories of one text column
CODES = 100  # categories of a column of codes with leading zeros
WIDTH = 0.9  # of the cells of such a column that have one width
LEAST = 20  # different texts or rows below which nothing is taken for an identifier
IDENTIFIER = re.compile(r"(.*[_\s.-])?(id|uid|uuid|guid|ids)([_\s.-].*)?|index|row ?(number|no|id)?", re.IGNORECASE)


class Learned(NamedTuple):
    """A column as it is used, or None where it is left out; and what is to be said: (topic, words)."""

    column: Column | None
    note: tuple[str, str] | None = None


def learn(table: Table, name: str, as_text: bool, more: tuple[str, ...] = (), keep: bool = False) -> Learned:
    """What becomes of a column: numbers, the parts of its dates, or one input a category; or it is left out.

    Args:
        table: where it stands.
        name: the column.
        as_text: whether it is read as text whatever it holds.
        more: marks of missing cells beside the usual ones.
        keep: whether it is used even if it looks like an identifier.

    Raises:
        ValueError: naming the cell at fault where it is none of these.
    """
    marks = marks_of(as_text, more)
    cells, missing = table.columns[name], USUAL if marks is None else frozenset(marks)
    present = len(cells.codes) - int(cells.missing(missing).sum())
    if not present:
        return Learned(None, ("empty", shown(name)[1:-1]))
    kind = None if as_text else kind_of(table, name, missing)
    if kind is None or kind.name == "text":
        return _text(
            Column(name, _categories(cells.present(), missing), None, marks), present, kind and kind.note, keep
        )
    if kind.name == "date":
        if kind.form is None:
            return Learned(None, ("dates left out", f"{shown(name)[1:-1]} ({kind.note})"))
        parts = ", ".join(_dates.parts_of(kind.form))
        order = _dates.ORDERS.get(kind.form[:3], "")
        words = f"{shown(name)[1:-1]} ({f'{order} read as ' if kind.form[:3] in ('dmy', 'mdy') else ''}{parts})"
        return Learned(Column(name, None, kind.form, marks), ("dates", words))
    column = Column(name, None, None, marks)
    return _codes(column, table, missing, present) or _number(column, table, present, keep)


def features(column: Column) -> list[str]:
    """The names of the inputs that a column becomes."""
    if column.form is not None:
        return [f"{column.name}.{part}" for part in _dates.parts_of(column.form)]
    if column.categories is None:
        return [column.name]
    return [f"{column.name}={category}" for category in column.categories]


def missing_in(table: Table, column: Column) -> np.ndarray:
    """shape=(m,): whether each cell of a column is missing."""
    return table.columns[column.name].missing(_marks(column))


def unknown_in(table: Table, column: Column) -> np.ndarray:
    """shape=(m,): whether each cell is a category that the column does not have; none in a column of numbers."""
    cells = table.columns[column.name]
    if column.categories is None:
        return np.zeros(len(cells.codes), bool)
    known = _marks(column) | frozenset(column.categories)
    return np.fromiter((text not in known for text in cells.texts), bool, len(cells.texts))[cells.codes]


def encode(table: Table, column: Column, unknown: str = "error") -> np.ndarray:
    """shape=(m, inputs), float64: numbers or parts of dates, NaN where missing; one-hot for text, all 0 where missing.

    A category that the column does not have is an error, or all 0 with ``unknown="ignore"``.
    """
    cells = table.columns[column.name]
    if column.form is not None:
        return _of_dates(table, column)
    if column.categories is None:
        return numbers(table, column.name, _marks(column))[:, None]
    odd = np.flatnonzero(unknown_in(table, column))
    if len(odd) and unknown == "error":
        row = int(odd[0])
        known = listed(column.categories, 8)
        cure = "; unknown='ignore' (--unknown ignore) takes it as no category"
        at = table.at(row, column.name)
        raise ValueError(f"{at}: {shown(cells[row])} is not a category that the model knows: {known}{cure}")
    marks = _marks(column)
    places = {category: k for k, category in enumerate(column.categories)}
    codes = np.array([-1 if text in marks else places.get(text, -1) for text in cells.texts], np.int64)[cells.codes]
    return (codes[:, None] == np.arange(len(places))[None, :]).astype(np.float64)


def numbers(table: Table, name: str, marks: frozenset[str] = USUAL) -> np.ndarray:
    """A column of numbers in float64, NaN where missing; ValueError naming the first cell that is none or too large."""
    cells = table.columns[name]
    values = cells.numbers(marks)
    if values is None:
        values = np.array([_one(text, marks) for text in cells.texts])  # texts that stand in no row may be anything
        odd = np.flatnonzero(np.isnan(values[cells.codes]) & ~cells.missing(marks))
        if len(odd):
            raise not_a_number(table, name, int(odd[0]))
    limit = float(np.finfo(default_float()).max)
    bad = ~(np.abs(values) <= limit) & ~cells.marked(marks)
    if bad.any() and bad[cells.codes].any():
        row = int(np.argmax(bad[cells.codes]))
        at = table.at(row, name)
        raise ValueError(f"{at}: {shown(cells[row])} is not a finite number; correct it or leave the row out")
    return values[cells.codes]


def target(table: Table, name: str, as_text: bool, more: tuple[str, ...] = ()) -> tuple[Any, tuple[str, str] | None]:
    """Text cells, whole numbers or values: what ``dataset`` takes as ``y``; and what is to be said: (topic, words).

    Whole numbers of which some have leading zeros are text: 007 is not the label 7.
    """
    cells = table.columns[name]
    marks = frozenset(marks_of(as_text, more) or USUAL)
    kind = None if as_text else kind_of(table, name, marks, target=True)
    if kind is None or kind.name == "text":
        note = kind and kind.note
        return np.array(cells.texts)[cells.codes].tolist(), None if note is None else ("mixed", f"{name} ({note})")
    if kind.name == "date":
        at = table.at(0, name)
        raise ValueError(
            f"{at}: {shown(cells[0])} is a date; a target is a number or a class: text=[…] (--text) takes it"
        )
    values = numbers(table, name, marks)
    present = cells.present()
    if all(INTEGER.fullmatch(text) for text in present):
        first = next(filter(padded, present), None)
        if first is not None:
            note = f"{shown(name)[1:-1]} (labels such as {shown(first)})"
            return np.array(cells.texts)[cells.codes].tolist(), ("codes", note)
        whole = np.array([int(text) if INTEGER.fullmatch(text) else 0 for text in cells.texts], object)[cells.codes]
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= min(whole) and max(whole) <= np.iinfo(dtype).max:
                return whole.astype(dtype), None
        if len(np.unique(values)) < len(set(whole.tolist())):
            raise ValueError(
                f"{table.at(0, name)}: the target holds whole numbers of more than 64 bits, and rounded some of them "
                "are one: text=[…] (--text) takes them as classes"
            )
    return values, None


def _marks(column: Column) -> frozenset[str]:
    return USUAL if column.marks is None else frozenset(column.marks)


def _one(text: str, marks: frozenset[str]) -> float:
    values = as_numbers([text], marks)
    return float("nan") if values is None else float(values[0])


def _categories(texts: Sequence[str], missing: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts) - missing))


def _text(column: Column, present: int, note: str | None, keep: bool) -> Learned:
    """A text column; left out where most of its cells hold a text of their own, which one-hot cannot learn from."""
    name, different = shown(column.name)[1:-1], len(column.categories or ())
    if not keep and different > LEAST and (2 * different > present or different > MOST):
        return Learned(None, ("identifiers", f"{name} ({different} different texts in {present} cells)"))
    if different > MOST:
        raise ValueError(
            f"the text column {shown(column.name)} holds {different} different texts, at most {MOST} become one-hot; "
            f"leave it out: ignore=[{shown(column.name)}] (--ignore {name})"
        )
    if note:
        return Learned(column, ("mixed", f"{name} ({note})"))
    return Learned(
        column, ("many", f"{name} ({different} of {present} cells)") if 2 * different > present > LEAST else None
    )


def _number(column: Column, table: Table, present: int, keep: bool) -> Learned:
    """A column of numbers; left out where it is called an identifier and nearly all of its whole numbers differ."""
    if keep or present <= LEAST:
        return Learned(column)
    values = numbers(table, column.name, _marks(column))
    there = values[~np.isnan(values)]
    name = shown(column.name)[1:-1]
    if not (there == np.floor(there)).all():
        return Learned(column)
    if _days(there):
        return Learned(column, ("days", name))
    if len(np.unique(there)) < 0.95 * present:
        return Learned(column)
    if IDENTIFIER.fullmatch(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name)):
        return Learned(
            None, ("identifiers", f"{name} ({len(np.unique(there))} different whole numbers in {present} cells)")
        )
    if len(there) == len(values) and (np.diff(values) == 1).all():
        return Learned(column, ("counts", name))
    return Learned(column)


def _codes(column: Column, table: Table, missing: frozenset[str], present: int) -> Learned | None:
    """A column of whole numbers with leading zeros: text where it is few codes of one width, else numbers; both said.

    None where no cell has leading zeros.
    """
    cells = table.columns[column.name]
    texts = [text for text in cells.present() if text not in missing]
    first = next((text for text in texts if padded(text)), None)
    if first is None:
        return None
    bare = shown(column.name)[1:-1]
    counts = np.bincount(cells.codes, minlength=len(cells.texts)).tolist()
    widths: dict[int, int] = {}
    for text, count in zip(cells.texts, counts, strict=True):
        if text not in missing:
            widths[len(text)] = widths.get(len(text), 0) + count
    few = len(set(texts)) <= min(CODES, present // 3)
    if few and max(widths.values()) >= WIDTH * present and all(map(INTEGER.fullmatch, texts)):
        note = f"{bare} ({len(set(texts))} codes such as {shown(first)})"
        return Learned(column._replace(categories=_categories(texts, missing)), ("codes", note))
    return Learned(column, ("zeros", f"{bare} (such as {shown(first)})"))


def _days(values: np.ndarray) -> bool:
    """Whether whole numbers are dates without separators, such as 20201231."""
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    inside = (year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(inside.all())


def _of_dates(table: Table, column: Column) -> np.ndarray:
    """shape=(m, parts); ValueError naming the first cell that is no date of the column's form."""
    cells, marks = table.columns[column.name], _marks(column)
    assert column.form is not None
    parts, odd = _dates.encoded(cells.texts, column.form)
    wrong = cells.rows(k for k in odd if cells.texts[k] not in marks)
    if len(wrong):
        row = int(wrong[0])
        at, order = table.at(row, column.name), _dates.ORDERS.get(column.form[:3], column.form)
        time = " with a time" if " hms" in column.form else ""
        raise ValueError(
            f"{at}: {shown(cells[row])} is no date in the form of the others ({order}{time}); correct the cell"
        )
    return parts[cells.codes]
