"""The one place that opens files for writing, and that reads the files of a folder.

A file is written beside its name and gets the name by one rename: it is there whole or not at all. No link is followed,
and nothing but a regular file is replaced. What is written goes into the folder that was opened, wherever it is by now.
"""

import errno
import os
import re
import secrets
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where what a dead process left beside a file stays
    fcntl = None

BY_HANDLE = {os.open, os.stat, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd
FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
NOFOLLOW, NONBLOCK = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)
KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
TRIES = 20


class Irregular(ValueError):
    """Something stands in the place of a file that is none."""


class Folder:
    """An open folder. It stays the same folder when it is moved, and when its name comes to mean another one.

    Args:
        path: where it is now; FileNotFoundError where it is not, NotADirectoryError where it is none.
    """

    def __init__(self, path: str | Path):
        self.path = Path(os.path.abspath(path))
        self.handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | FLAGS) if BY_HANDLE else -1

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def at(self, name: str) -> tuple[str, dict[str, int]]:
        """How calls of ``os`` name a file in this folder."""
        return (name, {"dir_fd": self.handle}) if BY_HANDLE else (str(self.path / name), {})

    def names(self) -> list[str]:
        """What is in it."""
        return os.listdir(self.handle if BY_HANDLE else self.path)

    def status(self, name: str) -> os.stat_result | None:
        """What stands under a name, links not followed; None where nothing does."""
        target, more = self.at(name)
        try:
            return os.stat(target, **more, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def regular(self, name: str) -> os.stat_result | None:
        """The same of a regular file.

        Raises:
            Irregular: where something else stands there.
        """
        found = self.status(name)
        if found is not None and not stat.S_ISREG(found.st_mode):
            raise Irregular(
                f"{str(self.path / name)!r} is {KINDS.get(stat.S_IFMT(found.st_mode), 'no regular file')}, and fnopt "
                "reads and writes regular files alone: put the file itself in its place, or name another one"
            )
        return found

    def named(self) -> bool:
        """Whether its path still leads to it."""
        if not BY_HANDLE:
            return self.path.is_dir()
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self.handle))
        except OSError:
            return False

    def open(self, name: str) -> BinaryIO:
        """A regular file, to be read.

        Raises:
            FileNotFoundError: where there is none.
            Irregular: where something else stands there.
        """
        self.regular(name)
        target, more = self.at(name)
        try:
            handle = os.open(target, os.O_RDONLY | NOFOLLOW | NONBLOCK | FLAGS, **more)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path / name)) from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):  # it was put there after the look
            os.close(handle)
            raise Irregular(f"{str(self.path / name)!r} is no regular file")
        return os.fdopen(handle, "rb")

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a regular file, at most ``most``.

        Raises:
            FileNotFoundError: where there is none.
            Irregular: where something else stands there.
            ValueError: where there are more.
        """
        with self.open(name) as file:
            return _read(file, most, str(self.path / name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; see :meth:`new`."""
        with self.new(name) as handle:
            put(handle, memoryview(content))

    @contextmanager
    def new(self, name: str, stale: re.Pattern[str] | None = None) -> Iterator[int]:
        """A handle to write to; the file has its name, and is on the disk, when the block ends without an error.

        A new file gets the mode that the umask leaves of 0666, one that is there keeps its own. What a process that
        died has left of such a file is removed first: it is proved by its name, by its owner and by a lock on it, which
        lives as long as its writer.

        Args:
            name: of the file.
            stale: names of temporary files that may be removed; those of ``name`` unless given.

        Raises:
            Irregular: where something stands there that is no regular file.
            OSError: where the disk refuses; what was there stays as it was.
        """
        before = self.regular(name)
        self.remove_stale(stale or leftover(name))
        temporary, handle = self._temporary(name)
        source, more = self.at(temporary)
        try:
            if before is not None and hasattr(os, "fchmod"):
                os.fchmod(handle, stat.S_IMODE(before.st_mode) & 0o777)
            yield handle
            os.fsync(handle)
            if fcntl is None:
                os.close(handle)  # which Windows wants before a rename
                handle = -1
            target, _ = self.at(name)
            where = {"src_dir_fd": self.handle, "dst_dir_fd": self.handle} if BY_HANDLE else {}
            os.replace(source, target, **where)
            self.sync()
        except BaseException:
            with suppress(OSError):
                os.unlink(source, **more)
            raise
        finally:
            if handle >= 0:
                with suppress(OSError):  # all of it is on the disk
                    os.close(handle)

    def _temporary(self, name: str) -> tuple[str, int]:
        """A new file beside ``name``, locked as long as it is open."""
        for _ in range(TRIES):
            temporary = f".{name}.{secrets.token_hex(8)}.tmp"
            target, more = self.at(temporary)
            try:
                handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | NOFOLLOW | FLAGS, 0o666, **more)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(self.path / name)) from None
            try:
                if _lock(handle) is not False and os.fstat(handle).st_nlink:
                    return temporary, handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # another took it for a dead process's before it was locked
        raise OSError(errno.EAGAIN, f"another process removes new files of {str(self.path)!r}")

    def remove_stale(self, pattern: re.Pattern[str]) -> None:
        """Remove temporary files that a dead process left."""
        if fcntl is None:
            return
        for name in self.names():
            if pattern.fullmatch(name):
                with suppress(OSError, Irregular):
                    self._remove_dead(name)

    def _remove_dead(self, name: str) -> None:
        with self.open(name) as file:
            found = os.fstat(file.fileno())
            if found.st_uid == os.geteuid() and _lock(file.fileno()):
                self.unlink(name)

    def unlink(self, name: str) -> None:
        """Remove a file; a link, never what it leads to."""
        target, more = self.at(name)
        with suppress(FileNotFoundError):
            os.unlink(target, **more)

    def sync(self) -> None:
        """See its names on the disk, where the system can."""
        if not BY_HANDLE:
            return
        try:
            os.fsync(self.handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks have no such call for folders
                raise


def leftover(name: str = "") -> re.Pattern[str]:
    """The names of temporary files of a file; of any file where none is named."""
    return re.compile(rf"\.{re.escape(name) if name else '.+'}\.[0-9a-f]{{16}}\.tmp", re.DOTALL)


def write_file(path: str | Path, content: bytes) -> None:
    """Write one file anywhere, whole or not at all; see :meth:`Folder.new`.

    Raises:
        Irregular: for a link, a device, and whatever else is no regular file.
        OSError: where there is no such folder, or the disk refuses; it names the path as it was given.
    """
    try:
        with Folder(Path(path).parent) as folder:
            folder.write(Path(path).name, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def read_file(path: str | Path, most: int) -> bytes:
    """The bytes of a file, at most ``most``; a link to a regular file is followed.

    Raises:
        Irregular: for a device, a pipe, a folder.
        ValueError: where there are more bytes.
    """
    found = os.stat(path)  # before it is opened: opening a pipe waits, opening a device may do something
    if not stat.S_ISREG(found.st_mode):
        raise Irregular(f"{str(path)!r} is {KINDS.get(stat.S_IFMT(found.st_mode), 'no regular file')}, not a file")
    with open(path, "rb") as file:
        return _read(file, most, str(path))


def _read(file: BinaryIO, most: int, path: str) -> bytes:
    size = os.fstat(file.fileno()).st_size
    if size > most:
        raise ValueError(f"{path!r} has {size:,} bytes; such a file has at most {most:,}")
    return file.read(min(size + 1, most))  # room is taken for all that is asked for


def put(handle: int, chunk: memoryview) -> None:
    """Write all of it."""
    while chunk:
        chunk = chunk[os.write(handle, chunk) :]  # may take less than it is given


def _lock(handle: int) -> bool | None:
    """Lock an open file; False where another holds it, None where the disk has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK) else None
    return True


def make_folder(path: str | Path) -> bool:
    """Make a folder and those above it, with the mode that the umask leaves of 0777; whether it was not there.

    Raises:
        OSError: where it cannot be created; it names the path as it was given.
    """
    path = Path(path)
    try:
        above = Path(os.path.abspath(path)).parent
        if not above.is_dir():
            os.makedirs(above, exist_ok=True)
        os.mkdir(path)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(path)) from None
        return False
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    with suppress(OSError), Folder(above) as folder:
        folder.sync()
    return True


def remove_all(folder: Folder, names: list[str]) -> None:
    """Remove files of a folder; one that resists is named and left."""
    for name in names:
        try:
            folder.unlink(name)
        except OSError as error:
            path = str(folder.path / name)
            warnings.warn(f"could not remove {path!r}, which is not needed any more: {error}", stacklevel=3)
