"""The bytes of a file, gzip or plain, with clear words where there are none."""

import gzip
import zlib
from difflib import get_close_matches
from pathlib import Path


def read_bytes(path: str | Path) -> bytes:
    """All bytes of a file, decompressed where they are gzip (whatever the file is called)."""
    path = existing(path)
    raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is a damaged gzip file ({error}); fetch it again") from error


def existing(path: str | Path) -> Path:
    """The path, if a file stands there."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; expected a file")
    if not path.exists():
        near = get_close_matches(path.name, _siblings(path), n=1)
        raise FileNotFoundError(f"no file {str(path)!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return path


def stem(path: str | Path) -> str:
    """The file's name without folder, .gz and the last ending.

    >>> stem("here/houses.csv.gz")
    'houses'
    """
    return Path(Path(path).name.removesuffix(".gz")).stem


def _siblings(path: Path) -> list[str]:
    return [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
