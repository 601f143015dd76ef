"""Arrays from NumPy's .npz files."""

import zipfile
from pathlib import Path

import numpy as np

from fnopt._checks import one_of
from fnopt._types import Dataset
from fnopt.data._files import existing, stem
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
    path = existing(path)
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is not an .npz file; write one with numpy.savez(path, x=…, y=…)")
    try:
        with np.load(path, allow_pickle=False) as kept:
            names = [name for name in (x, y, weight) if name is not None]
            arrays = {name: kept[one_of(f"array in {path}:", name, kept.files)] for name in names}
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError(f"{path} is damaged ({error}); write it again") from error
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(f"{path} holds Python objects; save arrays of numbers or text only") from error
    return dataset(arrays[x], arrays[y], None if weight is None else arrays[weight], name=stem(path))
