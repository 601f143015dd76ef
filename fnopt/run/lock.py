"""One writer a folder: a lock that the system takes back when the process ends, however it ends."""

import errno
import json
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

BUSY = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)

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
def locked(folder: str | Path) -> Iterator[None]:
    """Hold a folder for the length of a ``with``; nobody else, in this process or another, holds it meanwhile.

    The lock is on ``folder/.lock``, which stays there and says who took it last. A process that died holds nothing
    (but a child that it forked may). Where the disk has no locks, a warning says so and the work goes on.

    Raises:
        Locked: where it is held; a ValueError that says by whom.
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
    folder, me = Path(folder), {"pid": os.getpid(), "host": platform.node()}
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    try:
        held = _try(handle, folder, me)
        try:
            yield
        finally:
            # A forked child shares the lock: only the process that took it may give it back.
            if held and os.getpid() == me["pid"]:
                _release(handle)
    finally:
        os.close(handle)


def _try(handle: int, folder: Path, me: dict[str, Any]) -> bool:
    """Take the lock and sign it; False where the disk has no locks."""
    try:
        _take(handle)
    except OSError as error:
        if error.errno in BUSY:
            raise Locked(_refusal(folder, _holder(handle), me)) from None
        warnings.warn(
            f"the disk of {str(folder)!r} has no locks ({error.strerror}); see that only one process writes there",
            stacklevel=4,
        )
        return False
    with suppress(OSError):  # a full disk: the lock holds, only the name in it is missing
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(me).encode())
    return True


def _holder(handle: int) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, TypeError):
        os.lseek(handle, 0, os.SEEK_SET)
        return {"pid": None, "host": None, **json.loads(os.read(handle, 4096))}
    return None


def _refusal(folder: Path, holder: dict[str, Any] | None, me: dict[str, Any]) -> str:
    if holder == me:
        return f"{str(folder)!r} is held by this process, pid {me['pid']}; end the first use, or choose another folder"
    who = "another process" if holder is None else f"process {holder['pid']} on {holder['host']}"
    return (
        f"{str(folder)!r} is held by {who}, which writes there; wait until it ends, stop it, or choose another folder "
        "(.lock need not be removed: when the process ends, it is free)"
    )
