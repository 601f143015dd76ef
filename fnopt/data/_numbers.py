"""Single cells: the marks of a missing one, plain numbers, and numbers that are written for people."""

import re
from collections.abc import Iterable

import numpy as np

MARKS = (
    # what pandas takes for missing
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null"),
    # and what else stands for it in tables that people share
    *("NaT", "NAN", "-", "--", "?"),
)
USUAL = frozenset(MARKS)
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
PADDED = re.compile(r"[+-]?0\d+", re.ASCII)
COMMAS = re.compile(r"[+-]?\d+(,\d+)+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)  # 3,14 or 1,234.5
_SIGN = r"(?:[$€£¥₹₽₩¢₺₴₫฿₪]|USD|EUR|GBP|CHF|JPY|INR|kr\.?|R\$|US\$)"
_GROUPED = r"[+\-−]?\d[\d.,'’ \u00a0\u2009\u202f]*"
FORMATTED = re.compile(
    rf"\(?\s*(?:[+\-−]?\s*{_SIGN}\s*)?{_GROUPED}(?:[.,][-–])?\s*(?:[%‰]|{_SIGN})?\s*\)?",
)


def number(cell: str) -> float | None:
    """The cell as a number, or None for text.

    >>> number("1e3"), number("1_000"), number("x")
    (1000.0, None, None)
    """
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def padded(cell: str) -> bool:
    """Whether the cell is a whole number with leading zeros, as codes have them.

    >>> [padded(cell) for cell in ("007", "-01", "00", "0", "0.5", "10")]
    [True, True, True, False, False, False]
    """
    return "0" in cell[:2] and PADDED.fullmatch(cell) is not None


def as_numbers(texts: list[str], marks: frozenset[str]) -> np.ndarray | None:
    """All texts as float64, NaN for the marks; None where one is neither."""
    numeric = any(value == value for mark in marks if (value := number(mark)) is not None)  # a mark such as -999
    values = None if numeric else _floats(texts, texts)
    if values is None:
        values = _floats(texts, ("nan" if text in marks else text for text in texts))
    if values is None or ("_" in "".join(texts) and any("_" in text and text not in marks for text in texts)):
        return None
    return values


def _floats(texts: list[str], cells: Iterable[str]) -> np.ndarray | None:
    try:
        return np.fromiter(map(float, cells), np.float64, len(texts))
    except ValueError:
        return None


def formatted(cell: str) -> bool:
    """Whether a cell that is no plain number holds digits, signs, separators, % and currency alone.

    >>> [formatted(cell) for cell in ("1.234,56", "12,5", "10%", "$1", "1'234", "1 234", "A1", "18-25")]
    [True, True, True, True, True, True, False, False]
    """
    return FORMATTED.fullmatch(cell) is not None
