"""Arrays from NumPy's .npz files."""

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fnopt._checks import one_of, printable
from fnopt._types import Dataset
from fnopt.data._files import LARGEST, existing, stem, too_large
from fnopt.data.dataset import dataset


def read_npz(path: str | Path, x: str = "x", y: str = "y", weight: str | None = None) -> Dataset:
    """A dataset from the arrays of one .npz file; nothing in it is executed.

    Args:
        path: a file written by ``numpy.savez`` or ``numpy.savez_compressed``.
        x: the name of the array of inputs.
        y: the name of the array of targets.
        weight: the name of the array of example weights, where there is one.

    Returns:
        As :func:`fnopt.data.dataset` makes it.

    Raises:
        FileNotFoundError: where there is no file.
        ValueError: for what is no .npz file, for a name that it does not hold, and for arrays of Python objects.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/toy.npz", x=np.eye(3), y=np.arange(3))
    ...     data = read_npz(f"{folder}/toy.npz")
    >>> data.name, data.x.shape
    ('toy', (3, 3))
    """
    names = [name for name in (x, y, weight) if name is not None]
    arrays = read_arrays(path, names)
    return dataset(arrays[x], arrays[y], None if weight is None else arrays[weight], name=stem(path))


def read_arrays(path: str | Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Arrays of an .npz file by name; what it claims is compared with its size before memory is taken."""
    path = existing(path)
    where = printable(path)
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{where} is not an .npz file; write one with numpy.savez(path, x=…, y=…)")
    try:
        with zipfile.ZipFile(path) as archive:
            there = [name.removesuffix(".npy") for name in archive.namelist()]
            for name in names:
                one_of(f"array in {where}:", name, there)
            _check_claims(archive, path, names)
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(f"{where} is damaged ({error}); write it again") from error
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(f"{where} holds Python objects; save arrays of numbers or text only") from error


def _check_claims(archive: zipfile.ZipFile, path: Path, names: Sequence[str]) -> None:
    """ValueError where the arrays are larger than is read, or a header claims another size than its array has."""
    sizes = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if sum(sizes[name].file_size for name in names) > LARGEST:
        raise too_large(path, LARGEST)
    if sum(sizes[name].compress_size for name in names) > path.stat().st_size:
        raise ValueError(f"{printable(path)} is damaged (its arrays claim more bytes than it has); write it again")
    for name in names:
        with archive.open(sizes[name]) as member:
            version = np.lib.format.read_magic(member)
            reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = reader(member)
            if not dtype.hasobject and math.prod(shape) * dtype.itemsize + member.tell() != sizes[name].file_size:
                raise ValueError(
                    f"{printable(path)} is damaged (array {name!r} is not of its shape {shape}); write it again"
                )
