"""Mutated CSV files: refused in words, or read to what an independent parse says."""

import contextlib
import csv
import io
import math
import random
import warnings
from collections.abc import Callable, Iterator

import numpy as np

import fnopt as fo
from benchmarks.abuse.outcome import Refused, called
from benchmarks.abuse.studies import scratch, table
from benchmarks.abuse.tally import Failed, Trial

PIECES = (
    b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b" ", b"nan", b"NA",
    b"inf", b"1e999", b"-", b"?", b"12,5", b"1.234,56", b"$3", b"17%", b"2020-01-01", b"\x1b[31m", b"#", b"'", b"\\",
    b"=1+1", b"None", b"n/a", b"<NA>", b"0x10", b"1_000", "１２".encode(), "½".encode(), b"\x85", "\u2028".encode(),
)  # fmt: skip


def of_csv(rng: random.Random) -> Iterator[Trial]:
    """250 files, each with one to four changes."""
    whole = table().read_bytes()
    for k in range(250):
        content, what = whole, []
        for _ in range(rng.choice((1, 1, 2, 4))):
            content, one = _mutated(content, rng)
            what.append(one)
        yield Trial(f"{k}: {', '.join(what)}", _read(content))


def _mutated(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    at, kind, piece = rng.randrange(len(content)), rng.randrange(8), rng.choice(PIECES)
    lines = content.split(b"\n")
    line = rng.randrange(len(lines))
    if kind < 3:
        return content[:at] + piece + content[at:], f"insert {piece!r} at {at}"
    if kind == 3:
        return content[:at] + content[at + 1 :], f"drop byte {at}"
    if kind == 4:
        cells = lines[line].split(b",")
        cells[rng.randrange(len(cells))] = piece
        lines[line] = b",".join(cells)
        return b"\n".join(lines), f"{piece!r} as a cell of line {line + 1}"
    if kind == 5:
        return b"\n".join([*lines[:line], lines[line], *lines[line:]]), f"line {line + 1} twice"
    if kind == 6:
        return content[:at], f"cut at {at}"
    end = rng.choice((b"\r\n", b"\r", b"\n\n"))
    return content.replace(b"\n", end), f"line ends {end!r}"


def _read(content: bytes) -> Callable[[], None]:
    def do() -> None:
        path = scratch() / "pets.csv"
        path.write_bytes(content)

        def read() -> fo.Dataset:
            with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                return fo.data.read_csv(path, target="kind")

        data = called(read)
        if isinstance(data, Refused):
            if len(data.why) > 400:
                raise Failed(f"a message of {len(data.why)} characters")
            return
        _compare(data, content)

    return do


def _compare(data: "fo.Dataset", content: bytes) -> None:
    """Every number of every numeric column is what Python's own parse of the same cell gives."""
    text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    rows = list(csv.reader(io.StringIO(text), skipinitialspace=True))
    rows = [row for row in rows if any(cell.strip() for cell in row)]  # a line that holds nothing is no row
    names, rows = [name.strip() for name in rows[0]], rows[1:]
    if len(data.x) > len(rows):
        raise Failed(f"{len(data.x)} rows of {len(rows)}")
    if len(data.x) < len(rows):
        rows = [row for row in rows if row[names.index("kind")].strip()]  # rows without a target are left out
    x = np.asarray(data.x, np.float64)
    if len(rows) != len(x):
        return
    features = data.features or ()
    for k, feature in enumerate(features):
        if feature not in names:
            continue
        for i, row in enumerate(rows):
            try:
                wanted = float(row[names.index(feature)])
            except ValueError:
                wanted = math.nan
            found = x[i, k]
            if math.isfinite(wanted) and math.isfinite(found) and not math.isclose(found, wanted, rel_tol=1e-6):
                raise Failed(f"row {i + 1}, {feature}: {found} for {row[names.index(feature)]!r}")
            if math.isfinite(wanted) != math.isfinite(found) and math.isfinite(found):
                raise Failed(f"row {i + 1}, {feature}: {found} for {row[names.index(feature)]!r}")
