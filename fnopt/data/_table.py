"""A table of cells by column: each different text once, and where it stands."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fnopt._checks import printable
from fnopt.data._echo import shown


class Cells(NamedTuple):
    """One column: row i holds ``texts[codes[i]]``, stripped of blanks around it; a text may stand in it twice."""

    texts: list[str]
    codes: np.ndarray  # shape=(rows,), int32

    def __getitem__(self, row: int) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.texts[self.codes[row]]

    def rows(self, chosen: Iterable[int]) -> np.ndarray:
        """The rows that hold one of these texts, by their places in ``texts``, in order."""
        mask = np.zeros(len(self.texts), bool)
        mask[list(chosen)] = True
        return np.flatnonzero(mask[self.codes])

    def holding(self, marks: frozenset[str]) -> np.ndarray:
        """shape=(rows,): whether each cell is one of these texts."""
        return np.array([text in marks for text in self.texts], bool)[self.codes]

    def present(self) -> list[str]:
        """The texts that stand in some row; after rows were left out some of ``texts`` may stand in none."""
        counts = np.bincount(self.codes, minlength=len(self.texts))
        return [text for text, count in zip(self.texts, counts.tolist(), strict=True) if count]


class Table(NamedTuple):
    """Columns of cells by name, and the line that each row starts on."""

    path: str
    lines: np.ndarray
    columns: dict[str, Cells]

    def at(self, row: int, name: str) -> str:
        """Where a cell stands, for a message."""
        return f"{printable(self.path)}, line {self.lines[row]}, column {shown(name)}"

    def keep(self, rows: np.ndarray) -> "Table":
        """The table with these rows alone, a mask."""
        columns = {name: Cells(cells.texts, cells.codes[rows]) for name, cells in self.columns.items()}
        return Table(self.path, self.lines[rows], columns)
