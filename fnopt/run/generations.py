"""Generations of a state that grows: each one file, there whole or not at all, the newest two kept.

``folder/checkpoint-000007.bin`` is generation 7. Format 1, every number little-endian:

    bytes      what
    8          b"fnoptgen"
    8          format, unsigned: 1
    8          H: length of the header, unsigned
    8          length of the whole file, unsigned: 64 + H + the lengths of all arrays
    32         SHA-256 of the 32 bytes before it and the H bytes after it
    H          header, JSON in ASCII: {"generation": 7, "meta": {…},
               "arrays": [{"name": …, "dtype": "float32", "shape": [3, 4], "sha256": "…"}, …]}
    the rest   the arrays in the header's order, in C order, nothing between them

A later format keeps the first 64 bytes, so that a file from a newer fnopt is told from a damaged one. Nothing in it is
executable. The name appears by one rename, after the bytes are on the disk; that rename is the only mark of a commit.
"""

import hashlib
import json
import math
import os
import re
import struct
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import jax.numpy as jnp
import numpy as np

from fnopt.store.atomic import Folder, Irregular, leftover, make_folder, put, remove_all
from fnopt.store.schema import check_depth

MAGIC, FORMAT = b"fnoptgen", 1
FIXED = struct.Struct("<8sQQQ")
FIRST = FIXED.size + 32
CHUNK = 1 << 20  # bytes hashed and written while they are in the cache
DEEP = 100  # levels of lists and dicts in a header, at most
DTYPES = {
    np.dtype(kind).name: np.dtype(kind)
    for kind in (
        *(np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
        *(np.float16, jnp.bfloat16, np.float32, np.float64, np.complex64, np.complex128, jnp.int4, jnp.uint4),
        *(getattr(jnp, name) for name in sorted(vars(jnp)) if name.startswith("float8_")),
    )
}

Contents = tuple[int, dict[str, Any], dict[str, np.ndarray]]


class Damaged(ValueError):
    """A file that was cut off or altered after it was written."""


def write(folder: str | Path | Folder, meta: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> int:
    """Write the next generation; then remove those that are older than the newest two.

    Whatever stops it, at whatever moment, the folder holds the earlier generation whole, or the new one. No more than
    one array is copied at a time, and that only where it is not contiguous. It takes one writer a folder:
    ``fnopt.run.lock.locked``.

    Args:
        folder: an open one; or a path, where a missing folder is created.
        meta: what JSON has: dicts with str keys, lists, str, int, finite float, bool, None; it comes back equal.
        arrays: by name, in the order in which they come back; bool, int8 to int64, uint8 to uint64, float16,
            bfloat16, float32, float64, complex64, complex128, of any shape.

    Returns:
        The number of the generation, from 1.

    Raises:
        OSError: where the disk refuses (full, removed); the earlier generations stay as they were.
        ValueError: where ``meta`` does not come back equal from JSON, or something that is no regular file stands in
            the place of a generation.
        TypeError: where an array has another type.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(folder, {"epoch": 3}, {"w": np.ones(2, np.float32)})
    ...     read(folder)
    1
    ({'epoch': 3}, {'w': array([1., 1.], dtype=float32)})
    """
    records = [_record(name, array) for name, array in arrays.items()]
    _check(meta)
    if not isinstance(folder, Folder):
        make_folder(folder)
        with Folder(folder) as opened:
            return write(opened, meta, arrays)
    earlier = _generations(folder)
    generation = max(earlier, default=0) + 1
    name = _name(generation)
    try:
        with folder.new(name, leftover()) as handle:
            _fill(handle, generation, meta, records, arrays)
    except OSError as error:
        raise OSError(
            error.errno,
            f"could not write {str(folder.path / name)!r}: {error.strerror or error}; the earlier generations are as "
            "they were. Free some space or mend the disk, then resume from there",
        ) from error
    # The one before must be fit to fall back on: where it is cut off, the newest sound one before it stays as well.
    before = sorted(earlier, reverse=True)
    sound = next((i for i, g in enumerate(before) if _is_sound(folder, g)), len(before))
    remove_all(folder, [_name(g) for g in before[sound + 1 :]])
    return generation


def read(
    folder: str | Path | Folder, check: Callable[[dict[str, Any], dict[str, np.ndarray]], Any] = lambda *found: found
) -> Any:
    """The newest generation that is whole: ``meta`` and the arrays, every byte checked; None where there is none.

    A damaged one is named in a warning, and the one before it is used.

    Args:
        folder: an open one, or a path.
        check: looks at ``meta`` and the arrays, and raises :class:`Damaged` where they are not what belongs here; what
            it returns is returned.

    Raises:
        ValueError: where there are generations and none is whole, or the newest was written by a newer fnopt.
    """
    if not isinstance(folder, Folder):
        if not Path(folder).is_dir():
            return None
        with Folder(folder) as opened:
            return read(opened, check)
    damaged: list[str] = []
    for generation in sorted(_generations(folder), reverse=True):
        path = folder.path / _name(generation)
        try:
            with folder.open(path.name) as opened:
                found, meta, arrays = parse(opened)
            _check_number(generation, found)
            taken = check(meta, arrays)
        except (Damaged, Irregular, OSError) as error:
            if isinstance(error, FileNotFoundError) and generation not in _generations(folder):
                return read(folder, check)  # a writer elsewhere has gone on and removed it: look again
            what = f"{str(path)!r} {'is damaged' if isinstance(error, Damaged) else 'cannot be read'}: {error}"
            damaged.append(str(error) if isinstance(error, Irregular) else what)
            continue
        except ValueError as error:
            raise ValueError(f"{str(path)!r}: {error}") from error
        if damaged:
            warnings.warn(f"{'; '.join(damaged)}. The earlier {path.name!r} is used instead", stacklevel=2)
        return taken
    if damaged:
        raise ValueError(
            f"no whole generation is left in {str(folder.path)!r}: {'; '.join(damaged)}. "
            "Put back a copy of one of them, or move them elsewhere and the same call begins again"
        )
    return None


def parse(opened: BinaryIO) -> Contents:
    """One generation from an open file: its number, ``meta`` and the arrays.

    Raises:
        Damaged: where any byte is not as it was written.
        ValueError: where the format is another one.
    """
    generation, meta, records = _described(opened)
    return generation, meta, {record["name"]: _array(opened, record) for record in records}


def _generations(folder: Folder) -> list[int]:
    found = (re.fullmatch(r"checkpoint-([0-9]{6,15})\.bin", name) for name in folder.names())
    return [int(match[1]) for match in found if match and match[0] == _name(int(match[1]))]


def _name(generation: int) -> str:
    return f"checkpoint-{generation:06d}.bin"


def _record(name: str, array: np.ndarray) -> dict[str, Any]:
    if not isinstance(name, str):
        raise TypeError(f"an array's name is a str, got {name!r}")
    dtype, shape = getattr(array, "dtype", None), getattr(array, "shape", None)
    kind = getattr(dtype, "name", type(array).__name__)
    if shape is None or kind not in DTYPES:
        raise TypeError(f"array {name!r} is of {kind}, which cannot be written; these can: {', '.join(DTYPES)}")
    return {"name": name, "dtype": kind, "shape": [int(n) for n in shape], "sha256": "0" * 64}


def _check(meta: dict[str, Any]) -> None:
    """What would come back otherwise than it went in is refused: NaN, tuples, keys that are not str."""
    try:
        same = isinstance(meta, dict) and json.loads(json.dumps(meta, allow_nan=False)) == meta
    except (TypeError, ValueError) as error:
        raise ValueError(f"`meta` cannot be JSON: {error}; put it in `arrays`, or as null or text") from error
    if not same:
        raise ValueError("`meta` must come back equal from JSON: a dict with str keys, lists in place of tuples")


def _length(record: Mapping[str, Any]) -> int:
    return math.prod(record["shape"]) * DTYPES[record["dtype"]].itemsize


def _header(generation: int, meta: dict[str, Any], records: list[dict[str, Any]]) -> bytes:
    text = json.dumps({"generation": generation, "meta": meta, "arrays": records}, allow_nan=False).encode("ascii")
    fixed = FIXED.pack(MAGIC, FORMAT, len(text), FIRST + len(text) + sum(map(_length, records)))
    return fixed + hashlib.sha256(fixed + text).digest() + text


def _fill(
    handle: int, generation: int, meta: dict[str, Any], records: list[dict[str, Any]], arrays: Mapping[str, np.ndarray]
) -> None:
    """Fill a file: arrays, hashed as they go, then the header into the room before them."""
    os.lseek(handle, len(_header(generation, meta, records)), os.SEEK_SET)
    for record, array in zip(records, arrays.values(), strict=True):
        record["sha256"] = _put_array(handle, array, DTYPES[record["dtype"]])
    os.lseek(handle, 0, os.SEEK_SET)
    put(handle, memoryview(_header(generation, meta, records)))


def _put_array(handle: int, array: np.ndarray, dtype: np.dtype) -> str:
    """Write an array and return its digest; a copy, where it takes one, is gone before the next array's is made."""
    digest = hashlib.sha256()
    for chunk in _chunks(_little_endian(np.asarray(array, dtype, order="C"))):
        digest.update(chunk)
        put(handle, chunk)
    return digest.hexdigest()


def _chunks(array: np.ndarray) -> Iterator[memoryview]:
    """The bytes of an array in C order, as views of it."""
    view = array.reshape(-1).view(np.uint8).data
    return (view[i : i + CHUNK] for i in range(0, len(view), CHUNK))


def _little_endian(array: np.ndarray) -> np.ndarray:
    """Between this machine's order of bytes and the file's."""
    return array if sys.byteorder == "little" else array.byteswap()


def _described(opened: BinaryIO) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    """What stands before the arrays, checked: generation, ``meta``, and name, dtype, shape and digest of each array."""
    size = opened.seek(0, os.SEEK_END)
    opened.seek(0)
    first = opened.read(FIRST)
    if len(first) < FIRST:
        raise Damaged(f"it is cut off after {size} bytes")
    magic, version, length, total = FIXED.unpack_from(first)
    text = opened.read(min(length, size))  # an altered length must not ask for more than there is
    if magic != MAGIC or hashlib.sha256(first[: FIXED.size] + text).digest() != first[FIXED.size :]:
        raise Damaged("its header is cut off or was altered")
    if version != FORMAT:
        raise ValueError(f"it has format {version}, this fnopt reads {FORMAT}; open it with the fnopt that wrote it")
    if size != total:
        raise Damaged(f"it has {size} bytes and was written with {total}")
    try:
        header = json.loads(text)
        check_depth(header, DEEP)
        generation, meta, records = header["generation"], header["meta"], header["arrays"]
        names = {record["name"] for record in records}
        natural = all(type(n) is int and n >= 0 for record in records for n in record["shape"])
        if len(names) != len(records) or not natural or FIRST + length + sum(map(_length, records)) != total:
            raise Damaged("its header does not describe what follows it")
    except Damaged:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Damaged(f"its header is not one that fnopt writes: {type(error).__name__}") from error
    if type(generation) is not int or not isinstance(meta, dict):
        raise Damaged("its header is not one that fnopt writes")
    return generation, meta, records


def _array(opened: BinaryIO, record: Mapping[str, Any]) -> np.ndarray:
    try:
        array = np.empty(record["shape"], DTYPES[record["dtype"]])
    except (ValueError, OverflowError) as error:  # more axes or longer ones than an array may have
        raise Damaged(f"array {record['name']!r} has a shape that cannot be: {error}") from error
    digest = hashlib.sha256()
    for chunk in _chunks(array):
        if opened.readinto(chunk) != len(chunk):  # pyright: ignore
            raise Damaged(f"array {record['name']!r} is cut off")
        digest.update(chunk)
    if digest.hexdigest() != record["sha256"]:
        raise Damaged(f"the bytes of array {record['name']!r} were altered")
    return _little_endian(array)


def _is_sound(folder: Folder, generation: int) -> bool:
    """Whether the header and the length are right: cheap, and what a crash of the machine spoils first."""
    try:
        with folder.open(_name(generation)) as opened:
            return _described(opened)[0] == generation
    except (ValueError, OSError):
        return False


def _check_number(expected: int, found: int) -> None:
    if found != expected:
        raise Damaged(f"it holds generation {found}; was it renamed?")
