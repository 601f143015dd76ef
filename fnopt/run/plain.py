"""Plain files: arrays by name, JSON without NaN."""

import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from fnopt.store.atomic import Folder, Irregular
from fnopt.store.atomic import write_file as write_atomically  # noqa: F401

HEADER = 1 << 16  # bytes of an array's description, at most


def save_arrays(handle: int, arrays: Mapping[str, Any]) -> None:
    """Arrays by name as .npz, into an open file."""
    with open(handle, "wb", closefd=False) as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_arrays(folder: Folder, name: str) -> dict[str, np.ndarray]:
    """Arrays by name from the .npz that :func:`save_arrays` wrote. Nothing is unpickled or unpacked.

    Raises:
        ValueError: where it is missing or damaged, or claims more than its own bytes.
        MemoryError: where the memory is too small for it.
    """
    path = str(folder.path / name)
    try:
        with folder.open(name) as opened, zipfile.ZipFile(opened) as archive:
            return dict(_array(archive, member) for member in archive.infolist())
    except (Irregular, MemoryError):
        raise
    except Exception as error:  # of the archive, which raises what it likes
        raise ValueError(f"{path!r} is missing or damaged: {error}") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[str, np.ndarray]:
    """One array of an archive; its claim is compared with the bytes that are there before memory is taken for it."""
    if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
        raise ValueError(f"{member.filename!r} is not as fnopt writes it")
    with archive.open(member) as file:
        shape, fortran, dtype = _described(file)
        left = member.file_size - file.tell()
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != left:
            raise ValueError(f"{member.filename!r} claims {math.prod(shape):,} numbers and has {left:,} bytes")
        array = np.frombuffer(bytearray(file.read()), dtype).reshape(shape, order="F" if fortran else "C")
    return member.filename.removesuffix(".npy"), array


def _described(file: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read:
        raise ValueError(f"an array of version {version}")
    return read[version](file, max_header_size=HEADER)


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
