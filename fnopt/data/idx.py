"""IDX files, the format of MNIST and its kin: a magic number, the sizes, then the numbers, all big-endian."""

import struct
from pathlib import Path

import numpy as np

from fnopt._types import Dataset
from fnopt.data._files import read_bytes, stem
from fnopt.data.dataset import dataset

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(images: str | Path, labels: str | Path) -> Dataset:
    """A dataset from two IDX files, gzip or plain.

    Args:
        images: the file of inputs, two or more axes; each example is flattened to a row, its scale stays as it is.
        labels: the file of labels, one axis of integers.

    Returns:
        ``x`` of shape=(m, n) in the default float type, ``y`` of shape=(m,), int32.

    Raises:
        FileNotFoundError: where there is no file.
        ValueError: for another format, a file that is cut off or too long, and counts that differ.

    Source: LeCun, Cortes and Burges, "The MNIST database", 1998, http://yann.lecun.com/exdb/mnist/.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pixels, digits = Path(folder, "pixels"), Path(folder, "digits")
    ...     _ = pixels.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9, 8, 7, 255]))
    ...     _ = digits.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 5]))
    ...     data = read_idx(pixels, digits)
    >>> data.x.tolist(), data.y.tolist()
    ([[9.0, 8.0, 7.0, 255.0]], [5])
    """
    x, y = _array(images), _array(labels)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError(f"{labels} must hold one whole-number label an example, got shape {y.shape} of {y.dtype}")
    if x.ndim < 2:
        raise ValueError(f"{images} must hold examples of one or more axes, got shape {x.shape}; are the two swapped?")
    if not x.size:
        raise ValueError(f"{images} holds no numbers, shape {x.shape}; expected at least one example")
    if len(x) != len(y):
        raise ValueError(f"{images} holds {len(x)} examples, {labels} holds {len(y)} labels; they must be as many")
    return dataset(x.reshape(len(x), -1), y, name=stem(images))


def _array(path: str | Path) -> np.ndarray:
    raw = read_bytes(path)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in KINDS or not raw[3]:
        raise ValueError(
            f"{path} is not an IDX file: expected the bytes 0, 0, type (8, 9, 11 to 14), axes, got {[*raw[:4]]}"
        )
    axes, kind = raw[3], np.dtype(KINDS[raw[2]])
    start = 4 + 4 * axes
    if len(raw) < start:
        raise ValueError(f"{path} is cut off: expected {start} bytes of header, got {len(raw)}")
    shape = struct.unpack(f">{axes}I", raw[4:start])
    wanted = start + int(np.prod(shape, dtype=object)) * kind.itemsize
    if len(raw) != wanted:
        fault = "is cut off" if len(raw) < wanted else "goes on after its end"
        raise ValueError(f"{path} {fault}: expected {wanted} bytes for shape {shape}, got {len(raw)}")
    return np.frombuffer(raw, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))
