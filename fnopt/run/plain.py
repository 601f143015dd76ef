"""Plain files: written whole or not at all, read with a word on damage, no NaN in JSON."""

import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.run.generations import sync


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside, flush to disk, rename: the file is there whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
        sync(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Arrays by name as .npz, seen on the disk."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays by name from .npz; ValueError where it is missing or damaged. Nothing is unpickled."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:
        raise ValueError(f"{str(path)!r} is missing or damaged: {error}") from error


def read_json(path: Path) -> Any:
    """What a JSON file holds; ValueError where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}") from error


def plain(value: Any) -> Any:
    """A tree as JSON has it: NaN and the infinities, which JSON lacks, become null."""
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def curves(history: Any) -> Any:
    """Curves as arrays, in their order; null becomes NaN."""
    if isinstance(history, dict):
        return {name: curves(v) for name, v in history.items()}
    return np.asarray(history, np.float64)


def numbers(scores: Any) -> Any:
    """Scores as floats, in their order; null becomes NaN."""
    if isinstance(scores, dict):
        return {name: numbers(v) for name, v in scores.items()}
    return math.nan if scores is None else scores
