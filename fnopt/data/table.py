"""Tables from CSV and TSV files: numbers and dates as numbers, text as one-hot, and the same again for new rows."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from fnopt._checks import one_of, printable
from fnopt._types import Column, Dataset
from fnopt.data._choose import Asked, Chosen, near, several
from fnopt.data._columns import Learned, encode, features, learn
from fnopt.data._columns import target as target_of
from fnopt.data._echo import listed, shown
from fnopt.data._files import stem
from fnopt.data._kinds import marks_of
from fnopt.data._leaks import copies
from fnopt.data._notes import first_hole, holes, say, say_columns, say_filled, say_no_target, say_unknown
from fnopt.data._numbers import USUAL
from fnopt.data._table import Table
from fnopt.data._text import read_cells
from fnopt.data.builtin import NAMES
from fnopt.data.dataset import dataset

FAULTS = 3  # columns whose faults are named beside the first
T = TypeVar("T")


def read_csv(
    path: str | Path,
    target: str | int,
    *,
    separator: str | None = None,
    text: str | Sequence[str] = (),
    missing: Literal["mean", "drop", "error"] | None = None,
    columns: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] = (),
    keep: str | Sequence[str] = (),
    missing_marks: str | Sequence[str] = (),
    header: bool | None = None,
    encoding: str | None = None,
) -> Dataset:
    """A dataset from a text table with a header line; UTF-8, plain or gzip, at most 2 GB and 100 million cells.

    A column is what most of its cells are: numbers; dates, which become year, month, day, weekday and hour; or text,
    which becomes one column of 0 and 1 for each category, sorted. A few texts among numbers, numbers with thousands
    signs, decimal commas, % or currency, and dates of mixed forms are errors. What is left out, filled or turned into
    something else is logged, a line each, to the logger "fnopt.data": columns without a name, rows without a target,
    columns whose texts nearly all differ, numbers that do so and are called an id, dates that can be read in two ways.

    Args:
        path: the file, a regular one.
        target: the column to predict. Whole numbers stay integers, other numbers are values, text becomes class
            numbers with ``classes`` sorted.
        separator: one character; None recognises comma, tab and semicolon.
        text: columns to read as text whatever they hold; only the empty cell is missing in them.
        missing: missing cells of inputs. "mean" keeps a number as NaN, to take the mean of the training part when a
            model is fitted, and gives a text no category (all zero); "drop" leaves the row out; "error" raises. None:
            as "mean" where there are missing cells.
        columns: the columns to use as inputs, in this order, names or shell patterns such as "*_code"; None takes all
            but the target. One that is named itself is never left out.
        ignore: columns to leave out, names or patterns.
        keep: columns to use even if they look like identifiers, names or patterns.
        missing_marks: texts that stand for a missing cell, beside the empty cell and the usual ones (NA, N/A, n/a, NaN,
            nan, NULL, null, None, <NA>, #N/A, NaT, - and ?).
        header: whether the first line holds names. None: it does, and an error is raised where it looks like data.
            False: columns are called "1", "2", …, also ``target``.
        encoding: of the text; None is UTF-8.

    Returns:
        A ``Dataset`` whose ``columns`` say how the table became ``x``; :func:`read_table` reads new rows by them.

    Raises:
        FileNotFoundError: where there is no file.
        ValueError: naming line, column and cell at fault, and the cure.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "pets.csv")
    ...     _ = path.write_text("weight,colour,kind\\n4.5,black,cat\\n30,brown,dog\\n3.5,brown,cat\\n")
    ...     data = read_csv(path, target="kind")
    >>> data.features, data.classes
    (('weight', 'colour=black', 'colour=brown'), ('cat', 'dog'))
    >>> data.x[0].tolist(), data.y.tolist()
    ([4.5, 1.0, 0.0], [0, 1, 0])
    """
    if missing is not None:
        one_of("missing", missing, ("mean", "drop", "error"))
    asked = Asked(
        str(target),
        several(text),
        None if columns is None else several(columns),
        several(ignore),
        several(keep),
        several(missing_marks),
    )
    _check_path(path)
    chosen = Chosen(asked)
    table = read_cells(path, chosen, separator=separator, header=header, encoding=encoding)
    table = _with_target(table, asked)
    learned, y = _understood(table, chosen.kept, asked)
    used = _used(table, learned)
    if missing == "error" and holes(table, used).any():
        raise ValueError(first_hole(table, used))
    say_columns(table, learned)
    if missing == "drop":
        table, used, y = _without_holes(table, used, y, asked)
    elif missing is None:
        say_filled(table, used, cost=True)
    _say_copies(table, used, asked.target, y)
    x = np.concatenate([encode(table, column) for column in used], axis=1)
    data = dataset(
        x,
        y.tolist() if y.dtype.kind == "U" else y,
        features=[feature for column in used for feature in features(column)],
        missing="mean" if missing == "mean" or np.isnan(x).any() else None,
        name=stem(path),
    )
    return data._replace(columns=tuple(used), target=asked.target)


def read_table(
    path: str | Path,
    columns: Sequence[Column],
    *,
    missing: str | None = None,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    unknown: Literal["error", "ignore"] = "error",
) -> np.ndarray:
    """The inputs of new rows, by the columns that a dataset or a model has kept; other columns are ignored.

    Missing cells, and with ``unknown="ignore"`` unknown categories, are counted to the logger "fnopt.data".

    Args:
        path: the file, as for :func:`read_csv`.
        columns: ``Dataset.columns`` of the training data.
        missing: ``Dataset.missing`` of the training data: "mean" lets missing numbers stand, None makes them an error.
            A missing text is no category (all zero).
        separator: as for :func:`read_csv`.
        header: as for :func:`read_csv`.
        encoding: as for :func:`read_csv`.
        unknown: "ignore" takes a category that training did not see as none (all zero), "error" raises.

    Returns:
        shape=(m, n_x), float64, as ``x`` of the training data; NaN where a number is missing.

    Raises:
        FileNotFoundError: where there is no file.
        ValueError: for a column that is not there, and for a category that training did not see.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "new.csv")
    ...     _ = path.write_text("colour;weight\\nbrown;2\\n")
    ...     read_table(path, [Column("weight"), Column("colour", ("black", "brown"))]).tolist()
    [[2.0, 0.0, 1.0]]
    """
    if missing is not None:
        one_of("missing", missing, ("mean",))
    one_of("unknown", unknown, ("error", "ignore"))
    names = list(dict.fromkeys(column.name for column in columns))

    def choose(where: str, there: list[str]) -> list[str]:
        del where
        for name in names:
            if name not in there:
                hint = near(there, name)
                raise ValueError(
                    f"{printable(path)} lacks the column {shown(name)} that the model was trained on{hint}"
                )
        return names

    table = read_cells(path, choose, separator=separator, header=header, encoding=encoding)
    parts = _faultless([lambda column=column: encode(table, column, unknown) for column in columns])
    numbers = [column for column in columns if column.categories is None]
    if missing is None and numbers and (gone := holes(table, numbers)).any():
        row = int(np.argmax(gone))
        name = next(c.name for c in numbers if holes(table, [c])[row])
        cure = 'fill it, or train with missing="mean" (--missing mean)'
        raise ValueError(f"{table.at(row, name)} is missing; {cure}: the model was trained without missing cells")
    say_filled(table, columns, cost=False)
    if unknown == "ignore":
        say_unknown(table, columns)
    return np.concatenate(parts, axis=1)


def _check_path(path: str | Path) -> None:
    if str(path) in NAMES and not Path(path).exists():
        raise ValueError(f"{str(path)!r} is built in: fo.data.load({str(path)!r}) gives it; read_csv reads a file")


def _with_target(table: Table, asked: Asked) -> Table:
    """The table without the rows that have no target, whatever is done with other missing cells."""
    as_text = asked.target in asked.text
    cells = table.columns[asked.target]
    marks = frozenset(marks_of(as_text, asked.marks) or USUAL)
    gone = cells.missing(marks)
    if not gone.any():
        return table
    if gone.all():
        raise ValueError(
            f"{printable(table.path)} has no target in any row: column {shown(asked.target)} is all missing"
        )
    say_no_target(table, asked.target, gone, marks)
    return table.keep(~gone)


def _understood(table: Table, kept: dict[str, bool], asked: Asked) -> tuple[list[Learned], np.ndarray]:
    """What becomes of each column, and the target; all faults in one error."""

    def target() -> tuple[Learned, np.ndarray]:
        y, note = target_of(table, asked.target, asked.target in asked.text, asked.marks)
        return Learned(None, note), np.asarray(y)

    jobs: list[Callable[[], Any]] = [*_learning(table, kept, asked), target]
    *columns, (note, y) = _faultless(jobs)
    return [*columns, note], y


def _learning(table: Table, kept: dict[str, bool], asked: Asked) -> list[Callable[[], Learned]]:
    return [partial(learn, table, name, name in asked.text, asked.marks, keep) for name, keep in kept.items()]


def _used(table: Table, learned: Sequence[Learned]) -> list[Column]:
    used = [some.column for some in learned if some.column is not None]
    if not used:
        left = listed(some.note[1] for some in learned if some.note is not None)
        cure = "keep=[…] (--keep NAME) takes one"
        raise ValueError(f"{printable(table.path)}: no column is left to learn from, left out are {left}; {cure}")
    return used


def _without_holes(
    table: Table, used: list[Column], y: np.ndarray, asked: Asked
) -> tuple[Table, list[Column], np.ndarray]:
    """Table, columns and target without the rows that have missing cells, which are counted in a log line."""
    gone = holes(table, used)
    if not gone.any():
        return table, used, y
    say(table.path, f"left out {gone.sum()} of {len(gone)} rows, which have missing cells")
    if gone.all():
        raise ValueError(f"{printable(table.path)} has a missing cell in every row; nothing is left to learn from")
    table, kept = table.keep(~gone), {column.name: True for column in used}
    return table, _used(table, _faultless(_learning(table, kept, asked))), y[~gone]


def _faultless(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """What each job returns; where several raise, one error: the first with its cure, the others in short."""
    done: list[T] = []
    faults: list[ValueError] = []
    for job in jobs:
        try:
            done.append(job())
        except ValueError as error:
            faults.append(error)
    if not faults:
        return done
    first, *others = map(str, faults)
    path = f"{first.partition(', line')[0]}, "
    short = [other.removeprefix(path).partition(";")[0] for other in others]
    more = "; ".join([*short[:FAULTS], *(["…"] if len(short) > FAULTS else [])])
    raise ValueError(first + (f"; {len(others)} more such: {more}" if others else ""))


def _say_copies(table: Table, columns: Sequence[Column], target: str, y: np.ndarray) -> None:
    found = copies(table, columns, target, y)
    if found:
        what = "says" if len(found) == 1 else "say"
        say(
            table.path,
            f"{listed(found)} {what} the target {shown(target)} in other words, row by row; "
            "ignore=[…] (--ignore NAME) leaves it out",
        )
