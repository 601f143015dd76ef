"""The folder of a sweep: where no option names it, one that is free; what cannot be written is refused early."""

import os
from collections.abc import Iterator
from pathlib import Path

MOST = 10_000  # folders of one name


def folders(out: Path | None, name: str) -> Iterator[Path]:
    """The folder that was asked for, or ``runs/NAME``, ``runs/NAME-2`` and so on, until one is taken.

    >>> [str(folder) for folder, _ in zip(folders(None, "iris"), range(3))]
    ['runs/iris', 'runs/iris-2', 'runs/iris-3']
    """
    if out is not None:
        yield out
        return
    yield Path("runs") / name
    yield from (Path("runs") / f"{name}-{k}" for k in range(2, MOST))


def check_writable(folder: Path) -> None:
    """OSError, with the path as it was typed, where no folder can be created there."""
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"cannot write {str(folder)!r}: it is a file; choose another folder with --out")
    above = folder if folder.is_dir() else Path(os.path.abspath(folder)).parent
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise NotADirectoryError(f"cannot write {str(folder)!r}: {str(above)!r} is a file")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {str(folder)!r}: no permission to write in {str(above)!r}")


def as_typed(error: OSError, folder: Path) -> OSError:
    """An error of the file system in words that name the path as it was typed, and no file that nobody asked for."""
    if error.strerror is None:
        return error
    return OSError(f"cannot write {str(folder)!r}: {error.strerror.lower()}")
