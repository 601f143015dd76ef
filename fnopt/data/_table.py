"""A table of cells by column: each different text once, and where it stands."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from fnopt._checks import printable
from fnopt.data._echo import shown
from fnopt.data._numbers import as_numbers


class Cells:
    """One column: row i holds ``texts[codes[i]]``, stripped of blanks around it; a text may stand in it twice."""

    def __init__(self, texts: list[str], codes: np.ndarray, known: "dict[Any, Any] | None" = None):
        self.texts, self.codes = texts, codes  # codes: shape=(rows,), int32
        self._known = {} if known is None else known  # what was found out of the texts, which never change

    def __getitem__(self, row: int) -> str:
        return self.texts[self.codes[row]]

    def __len__(self) -> int:
        return len(self.codes)

    def keep(self, rows: np.ndarray) -> "Cells":
        """These rows alone, a mask."""
        return Cells(self.texts, self.codes[rows], self._known)

    def numbers(self, marks: frozenset[str]) -> np.ndarray | None:
        """shape=(texts,): the texts as numbers, NaN for the marks; None where one is neither."""
        if marks not in self._known:
            self._known[marks] = as_numbers(self.texts, marks)
        return self._known[marks]

    def marked(self, marks: frozenset[str]) -> np.ndarray:
        """shape=(texts,): whether each text is one of the marks."""
        if ("marked", marks) not in self._known:
            values = self.numbers(marks)
            if values is None:
                mask = np.fromiter((text in marks for text in self.texts), bool, len(self.texts))
            else:
                mask = np.isnan(values)
                mask[mask] = [self.texts[k] in marks for k in np.flatnonzero(mask)]
            self._known["marked", marks] = mask
        return self._known["marked", marks]

    def missing(self, marks: frozenset[str]) -> np.ndarray:
        """shape=(rows,): whether each cell is one of the marks."""
        return self.marked(marks)[self.codes]

    def rows(self, chosen: Iterable[int]) -> np.ndarray:
        """The rows that hold one of these texts, by their places in ``texts``, in order."""
        mask = np.zeros(len(self.texts), bool)
        mask[list(chosen)] = True
        return np.flatnonzero(mask[self.codes])

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
        return Table(self.path, self.lines[rows], {name: cells.keep(rows) for name, cells in self.columns.items()})
