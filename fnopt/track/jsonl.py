"""Results as JSON, one lane a line."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.run.cells import short
from fnopt.run.plain import plain
from fnopt.run.tracking import About, Record, lane_name
from fnopt.track._lines import grown, lines_of


@dataclass(frozen=True)
class Jsonl:
    """See :func:`jsonl`."""

    path: Path

    def open(self, about: About) -> "Lines":
        """The file, with what it holds of this sweep."""
        return Lines(self.path, about.sweep)


def jsonl(path: str | Path) -> Jsonl:
    """One file that grows by a line for each configuration, seed and fold that ends; several sweeps may share it.

    A line is an object with ``sweep``, ``config``, ``seed``, ``fold``, ``hyper``, ``scores``, ``curves`` (a list an
    epoch), ``epochs``, ``best_epoch``, ``status`` and ``why``. NaN, which JSON lacks, is null.

    Args:
        path: the file, made with its folder where it is missing.

    >>> jsonl("runs/lanes.jsonl").path.name
    'lanes.jsonl'
    """
    return Jsonl(Path(path))


class Lines:
    """The open file of one sweep."""

    def __init__(self, path: Path, sweep: str):
        self.there: set[str] = set()
        for line in map(json.loads, lines_of(path)):
            if line["sweep"] == sweep:
                self.there.add(lane_name(line["config"], line["seed"], line["fold"]))
        self._file = grown(path)

    def write(self, record: Record) -> None:
        """One line."""
        text = json.dumps(plain(_listed(record._asdict())), allow_nan=False)
        self._file.write(text + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _listed(value: Any) -> Any:
    """The same with arrays as lists, numbers of float32 in few figures, and as text what JSON has no word for."""
    if isinstance(value, dict):
        return {name: _listed(v) for name, v in value.items()}
    if isinstance(value, np.ndarray):
        return [_listed(float(v)) for v in value]
    if isinstance(value, float):
        return float(short(value))
    return value if isinstance(value, str | int | float | None) else str(value)
