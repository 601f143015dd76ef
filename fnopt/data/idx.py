"""IDX files, the format of MNIST and its kin: a magic number, the sizes, then the numbers, all big-endian."""

import struct
from pathlib import Path

import numpy as np

from fnopt._checks import printable
from fnopt._types import Dataset
from fnopt.data._files import LARGEST, MB, opened, stem
from fnopt.data.dataset import dataset

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(images: str | Path, labels: str | Path) -> Dataset:
    """A dataset from two IDX files, gzip or plain.

    Args:
        images: the file of inputs, two or more axes; each example is flattened to a row, its scale stays as it is.
        labels: the file of labels, one axis of integers.

    Returns:
        ``x`` of shape=(m, n), floating, ``y`` of shape=(m,), int32.

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
    x, y = read_idx_array(images), read_idx_array(labels)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError(f"{labels} must hold one whole-number label an example, got shape {y.shape} of {y.dtype}")
    if x.ndim < 2:
        raise ValueError(f"{images} must hold examples of one or more axes, got shape {x.shape}; are the two swapped?")
    if not x.size:
        raise ValueError(f"{images} holds no numbers, shape {x.shape}; expected at least one example")
    if len(x) != len(y):
        raise ValueError(f"{images} holds {len(x)} examples, {labels} holds {len(y)} labels; they must be as many")
    pixels = x.reshape(len(x), -1).astype(np.float32 if x.dtype.itemsize <= 2 else np.float64)  # exact in either
    return dataset(pixels, y, name=stem(images))


def read_idx_array(path: str | Path) -> np.ndarray:
    """The array of one IDX file; what its header claims is compared with the file before memory is taken."""
    path = Path(path)
    with opened(path) as stream:
        raw = stream.read(4)
        if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in KINDS or not raw[3]:
            wanted = "the bytes 0, 0, type (8, 9, 11 to 14), axes"
            raise ValueError(f"{printable(path)} is not an IDX file: expected {wanted}, got {[*raw]}")
        axes, kind = raw[3], np.dtype(KINDS[raw[2]])
        raw += stream.read(4 * axes)
        start = 4 + 4 * axes
        if len(raw) < start:
            raise ValueError(f"{printable(path)} is cut off: expected {start} bytes of header, got {len(raw)}")
        shape = struct.unpack(f">{axes}I", raw[4:])
        wanted = int(np.prod(shape, dtype=object)) * kind.itemsize
        rest = b"" if wanted > LARGEST else stream.read(wanted + 1)
    if len(rest) != wanted:
        fault = "goes on after its end" if len(rest) > wanted else "is cut off"
        got = start + len(rest) if rest else path.stat().st_size
        raise ValueError(
            f"{printable(path)} {fault}: expected {start + wanted} bytes for shape {shape}, got {got}; at most "
            f"{LARGEST // MB} MB are read"
        )
    return np.frombuffer(rest, kind).reshape(shape).astype(kind.newbyteorder("="))
