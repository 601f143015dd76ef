"""Regular files, read in bounds: gzip or plain, with clear words where there is none."""

import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO

from fnopt._checks import printable

MB = 2**20
LARGEST = 2048 * MB  # bytes of one file, unpacked; a file that claims more is refused before memory is taken
HEAD = 64 * 1024  # bytes that the first look at a file needs
GZIP = b"\x1f\x8b"
DENSEST = 1032  # bytes that one packed byte can stand for
PACKED = 300  # and that it stands for in no table of use
LOOK = 128 * MB  # of a gzip file's beginning, to tell


class _Bounded(io.RawIOBase):
    """A stream that raises where a file holds more than it may, and words of a damaged gzip file of its own."""

    def __init__(self, path: Path, inner: BinaryIO, most: int):
        self._path, self._inner, self._left, self._most = path, inner, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        try:
            some = self._inner.read(len(buffer))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{printable(self._path)} is a damaged gzip file ({error}); fetch it again") from error
        self._left -= len(some)
        if self._left < 0:
            raise too_large(self._path, self._most)
        buffer[: len(some)] = some
        return len(some)


@contextmanager
def opened(path: str | Path, most: int = LARGEST) -> Iterator[io.BufferedReader]:
    """The bytes of a regular file as a stream, unpacked where they are gzip, whatever the file is called.

    Raises:
        FileNotFoundError, ValueError: where there is no regular file, or one of more than ``most`` bytes.
    """
    path = existing(path)
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
        if (_claimed(raw) if packed else path.stat().st_size) > most:
            raise too_large(path, most)
        raw.seek(0)
        if packed and _bomb(raw, path.stat().st_size):
            times = f"{PACKED} times its size, which no table of use does"
            raise ValueError(f"{printable(path)} unpacks to more than {times}; look into it")
        raw.seek(0)
        with gzip.GzipFile(fileobj=raw) if packed else raw as inner:
            yield io.BufferedReader(_Bounded(path, inner, most), HEAD)  # pyright: ignore[reportArgumentType]


def _claimed(raw: BinaryIO) -> int:
    """How large a gzip file says that it is, unpacked; 0 where it is too short to say, or says what cannot be."""
    size = raw.seek(0, io.SEEK_END)
    if size < 18:
        return 0
    raw.seek(-4, io.SEEK_END)
    claimed = int.from_bytes(raw.read(4), "little")
    return claimed if claimed <= DENSEST * size else 0  # the end of a damaged file is no claim


def _bomb(raw: BinaryIO, size: int) -> bool:
    """Whether the beginning of a gzip file unpacks to much more than any table; unpacking alone is fast."""
    if size * DENSEST < LOOK:
        return False
    left = LOOK
    with suppress(OSError, EOFError, zlib.error):  # what is damaged is found where it is read
        stream = gzip.GzipFile(fileobj=raw)
        while left > 0 and (some := len(stream.read(MB))):
            left -= some
    return left <= 0 and PACKED * raw.tell() < LOOK


def too_large(path: str | Path, most: int) -> ValueError:
    """What is said of a file beyond the limit."""
    return ValueError(
        f"{printable(path)} holds more than {most // MB} MB unpacked, the most that is read; keep fewer rows or columns"
    )


def head(path: str | Path, size: int = HEAD) -> bytes:
    """The first bytes of a file, unpacked; no more of it is read."""
    with opened(path) as stream:
        return stream.read(size)


def existing(path: str | Path) -> Path:
    """The path, if a regular file stands there; a device or a pipe could be read for ever."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{printable(path)} is a folder; expected a file")
    if not path.exists():
        near = get_close_matches(path.name, _siblings(path), n=1)
        hint = f"; did you mean {printable(near[0])!r}?" if near else ""
        raise FileNotFoundError(f"no file {str(path)!r}{hint}")
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(
            f"{printable(path)} is no regular file (a pipe, a device or a socket); copy it to a file first"
        )
    return path


def stem(path: str | Path) -> str:
    """The file's name without folder, .gz and the last ending.

    >>> stem("here/houses.csv.gz")
    'houses'
    """
    return Path(Path(path).name.removesuffix(".gz")).stem


def _siblings(path: Path) -> list[str]:
    return [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
