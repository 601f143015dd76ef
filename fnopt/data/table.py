"""Tables from CSV and TSV files: numbers as they are, text as one-hot, and the same again for new rows."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jax import Array

from fnopt._checks import nearest, one_of
from fnopt._types import Column, Dataset
from fnopt.data._columns import encode, learn
from fnopt.data._columns import target as target_of
from fnopt.data._files import stem
from fnopt.data._text import MISSING, Table, first_missing, number, read_cells
from fnopt.data.dataset import dataset
from fnopt.tree import on_device

log = logging.getLogger("fnopt.data")


def read_csv(
    path: str | Path,
    target: str,
    *,
    separator: str | None = None,
    text: Sequence[str] = (),
    missing: Literal["mean", "drop"] | None = None,
    columns: Sequence[str] | None = None,
) -> Dataset:
    """A dataset from a text table with a header line; UTF-8, plain or gzip.

    A column is text only if every cell that is not missing is text; it becomes one column of 0 and 1 for each of its
    categories, sorted. A column of both is an error. Missing cells are empty, NA, N/A, NaN, nan, NULL, null or ?.

    Args:
        path: the file.
        target: the column to predict. Whole numbers stay integers, other numbers are values, text becomes class
            numbers with ``classes`` sorted.
        separator: one character; None recognises comma, tab and semicolon.
        text: columns to read as text whatever they hold.
        missing: None makes a missing cell an error. "mean" keeps a missing number as NaN, to take the mean of the
            training part when a model is fitted, and gives a missing text no category (all zero). "drop" leaves the
            row out and logs how many went to the logger "fnopt.data".
        columns: the columns to use as inputs, in this order; None takes all but the target.

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
        one_of("missing", missing, ("mean", "drop"))
    table = read_cells(path, separator)
    names = _inputs(table, target, columns)
    text = (text,) if isinstance(text, str) else text
    for name in text:
        _known(table, name, "text column")
    table = _complete(table, names, target, missing)
    learned = tuple(learn(table, name, name in text) for name in names)
    data = dataset(
        np.concatenate([encode(table, column) for column in learned], axis=1),
        target_of(table, target, target in text),
        features=[feature for column in learned for feature in _features(column)],
        missing="mean" if missing == "mean" else None,
        name=stem(path),
    )
    return data._replace(columns=learned, target=target)


def read_table(
    path: str | Path,
    columns: Sequence[Column],
    *,
    missing: str | None = None,
    separator: str | None = None,
) -> Array:
    """The inputs of new rows, by the columns that a dataset or a model has kept; other columns are ignored.

    Args:
        path: the file, as for :func:`read_csv`.
        columns: ``Dataset.columns`` of the training data.
        missing: ``Dataset.missing`` of the training data: "mean" lets missing cells stand, None makes them an error.
        separator: as for :func:`read_csv`.

    Returns:
        shape=(m, n_x), as ``x`` of the training data.

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
    table = read_cells(path, separator)
    names = [column.name for column in columns]
    for name in names:
        if name not in table.columns:
            raise ValueError(f"{path} lacks the column {name!r} that the model was trained on{_near(table, name)}")
    if missing is None and (hole := first_missing(table, names)):
        raise ValueError(f"{table.at(*hole)} is missing; fill it: the model was trained without missing cells")
    return on_device(np.concatenate([encode(table, column) for column in columns], axis=1))


def _inputs(table: Table, target: str, columns: Sequence[str] | None) -> list[str]:
    _known(table, target, "target column")
    if columns is None:
        names = [name for name in table.columns if name != target]
    else:
        names = [columns] if isinstance(columns, str) else list(columns)
    for k, name in enumerate(names):
        _known(table, name, "column")
        if name == target or name in names[:k]:
            raise ValueError(f"`columns` must name each input once and not the target {target!r}, got {name!r}")
    if not names:
        raise ValueError(f"{table.path} has no column beside the target {target!r}; expected at least one input")
    return names


def _known(table: Table, name: Any, what: str) -> None:
    if name not in table.columns:
        raise ValueError(f"{table.path} has no {what} {name!r}{_near(table, name)}")


def _near(table: Table, name: Any) -> str:
    headless = sum(number(other) is not None for other in table.columns) * 2 > len(table.columns)
    hint = "; is the first line data? add a header line with the names of the columns" if headless else ""
    return nearest(str(name), table.columns) + hint


def _complete(table: Table, names: list[str], target: str, missing: str | None) -> Table:
    """The table without missing cells that ``missing`` does not allow: rows go, or the first one raises."""
    hole = first_missing(table, [target] if missing == "mean" else [*names, target])
    if hole is None:
        return table
    if missing != "drop":
        cure = "" if hole[1] == target else ' or missing="mean" (--missing mean)'
        raise ValueError(f'{table.at(*hole)} is missing; fill it, or say missing="drop" (--missing drop){cure}')
    used = [table.columns[name] for name in (*names, target)]
    keep = [i for i in range(len(table.lines)) if not any(cells[i] in MISSING for cells in used)]
    if not keep:
        raise ValueError(f"{table.path} has a missing cell in every row; nothing is left to learn from")
    gone = len(table.lines) - len(keep)
    log.warning("%s: left out %d of %d rows, which have missing cells", table.path, gone, len(table.lines))
    columns = {name: tuple(cells[i] for i in keep) for name, cells in table.columns.items()}
    return Table(table.path, tuple(table.lines[i] for i in keep), columns)


def _features(column: Column) -> list[str]:
    if column.categories is None:
        return [column.name]
    return [f"{column.name}={category}" for category in column.categories]
