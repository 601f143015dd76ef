"""One writer a folder: a lock that the system takes back when the process ends, however it ends."""

import errno
import json
import os
import platform
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fnopt.store.atomic import FLAGS, NOFOLLOW, NONBLOCK, TRIES, Folder

BUSY = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
NAME, MOST = ".lock", 4096  # of the file, and bytes in it

if sys.platform == "win32":
    import msvcrt

    BEYOND = 1 << 20  # a locked byte cannot be read by others: one beyond the text

    def _take(handle: int) -> None:
        os.lseek(handle, BEYOND, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _release(handle: int) -> None:
        os.lseek(handle, BEYOND, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


class Locked(ValueError):
    """A folder that another holds."""


@contextmanager
def locked(folder: str | Path | Folder) -> Iterator[Folder]:
    """Hold a folder for the length of a ``with``; nobody else, in this process or another, holds it meanwhile.

    The lock is on ``folder/.lock``, which stays there and says which process took it last. A process that died holds
    nothing (but a child that it forked may). Where the disk has no locks, a warning says so and the work continues.

    Returns:
        The folder, open: what is written through it goes into the folder that was locked.

    Raises:
        Locked: where it is held; a ValueError that says by which process.
        Irregular: where ``.lock`` is no regular file.
        OSError: where there is no such folder, or nothing can be written in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(folder):
    ...     try:
    ...         with locked(folder):
    ...             pass
    ...     except Locked as error:
    ...         print(error)
    '...' is held by this process, pid ...; end the first use, or choose another folder
    """
    opened = folder if isinstance(folder, Folder) else Folder(folder)
    me = {"pid": os.getpid(), "host": platform.node()}
    try:
        handle, held = _locked(opened, me)
        try:
            yield opened
        finally:
            # A forked child shares the lock: only the process that took it may give it back.
            if held and os.getpid() == me["pid"]:
                with suppress(OSError):
                    _release(handle)
            os.close(handle)
    finally:
        if opened is not folder:
            opened.close()


def _locked(folder: Folder, me: dict[str, Any]) -> tuple[int, bool]:
    """The open file and whether it is locked. Where a caller that ends has removed the file: try again."""
    for _ in range(TRIES):
        folder.regular(NAME)
        target, more = folder.at(NAME)
        try:
            handle = os.open(target, os.O_RDWR | os.O_CREAT | NOFOLLOW | NONBLOCK | FLAGS, 0o666, **more)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(folder.path)) from None
        try:
            held = _try(handle, folder.path, me)
            there = folder.status(NAME)
            if there is not None and os.path.samestat(there, os.fstat(handle)):
                _sign(handle, me)
                return handle, held
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    raise Locked(f"{str(folder.path)!r} is created and removed by another process; choose another folder")


def _try(handle: int, folder: Path, me: dict[str, Any]) -> bool:
    """Take the lock; False where the disk has no locks."""
    try:
        _take(handle)
    except OSError as error:
        if error.errno in BUSY:
            raise Locked(_refusal(folder, _holder(handle), me)) from None
        warnings.warn(
            f"the disk of {str(folder)!r} has no locks ({error.strerror}); see that only one process writes there",
            stacklevel=5,
        )
        return False
    return True


def _sign(handle: int, me: dict[str, Any]) -> None:
    """Say which process holds it, in a file that is empty or was signed before; any other content is not ours."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or (found.st_size and _holder(handle) is None):
        return
    with suppress(OSError):  # a full disk: the lock holds, only the name in it is missing
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(me).encode())


def _holder(handle: int) -> dict[str, Any] | None:
    """Which process signed it; None where it holds anything else."""
    with suppress(OSError, ValueError, RecursionError):
        os.lseek(handle, 0, os.SEEK_SET)
        told = json.loads(os.read(handle, MOST + 1))
        if isinstance(told, dict) and set(told) == {"pid", "host"} and type(told["pid"]) is int:
            return told
    return None


def _refusal(folder: Path, holder: dict[str, Any] | None, me: dict[str, Any]) -> str:
    if holder == me:
        return f"{str(folder)!r} is held by this process, pid {me['pid']}; end the first use, or choose another folder"
    who = "another process" if holder is None else f"process {holder['pid']} on {holder['host']!s:.80}"
    return (
        f"{str(folder)!r} is held by {who}, which writes there; wait until it ends, stop it, or choose another folder "
        "(.lock need not be removed: when the process ends, it is free)"
    )
