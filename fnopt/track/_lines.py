"""Text files that grow by whole lines: what a kill left of a last line is cut off before more is written."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO


def lines_of(path: Path) -> list[str]:
    """The whole lines of a file, none where there is no file."""
    return path.read_bytes().decode("utf-8").split("\n")[:-1] if path.exists() else []


def grown(path: Path, keep: Callable[[str], bool] = lambda line: True) -> IO[str]:
    """A file opened to append to, after its last whole line that is to be kept; what stands after that is cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    end = place = 0
    for line in lines_of(path):
        place += len(line.encode()) + 1
        if keep(line):
            end = place
    if path.exists():
        os.truncate(path, end)
    return path.open("a", encoding="utf-8", newline="")
