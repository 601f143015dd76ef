"""A fault at each file operation of a sweep and of a prediction, and the same call again after it."""

import contextlib
import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.abuse.outcome import command
from benchmarks.abuse.studies import copy_of, finished, predictions, scratch, sweep_arguments, test_lines
from benchmarks.abuse.tally import Failed, Trial

CALLS = ("open", "write", "fsync", "replace", "rename", "mkdir", "unlink", "link", "chmod", "rmdir", "fchmod")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


class _Faulty:
    """Counts calls of ``os`` that concern a folder, and fails at one of them."""

    def __init__(self, below: Path, at: int | None, error: int) -> None:
        self.below, self.at, self.error, self.seen = str(below), at, error, 0

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if self._concerns(name, arguments, options):
                self.seen += 1
                if self.at == self.seen:
                    raise OSError(self.error, os.strerror(self.error), self.below)
            return real(*arguments, **options)

        return call

    def _concerns(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> bool:
        if name in ("write", "fsync", "fchmod"):
            try:
                return os.readlink(f"/proc/self/fd/{arguments[0]}").startswith(self.below)
            except OSError:
                return False
        if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return False
        directory = options.get("dir_fd") or options.get("src_dir_fd")
        if directory is not None:
            with contextlib.suppress(OSError):
                return os.readlink(f"/proc/self/fd/{directory}").startswith(self.below)
        return any(isinstance(a, str | Path) and os.path.abspath(a).startswith(self.below) for a in arguments)


@contextlib.contextmanager
def faulty(below: Path, at: int | None, error: int = errno.EIO) -> Iterator[_Faulty]:
    """The operating system fails at the ``at``-th call that concerns ``below``; None only counts."""
    faults = _Faulty(below, at, error)
    real = {name: getattr(os, name) for name in CALLS}
    for name, function in real.items():
        setattr(os, name, faults.wrap(name, function))
    try:
        yield faults
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def of_faults(rng: random.Random) -> Iterator[Trial]:
    """Sweeps into a new folder, resumes that mend a folder, predictions into a file: 140 faults at least."""
    number = 0
    while number < 140:
        for what, prepare in WORK.items():
            folder = scratch()
            act = prepare(folder)
            with faulty(folder, None) as counted:
                act()
            shutil.rmtree(folder)
            for at in range(1, counted.seen + 1):
                number += 1
                yield Trial(f"fault {at} of {counted.seen}, {what}", _planted(prepare, at, rng.choice(ERRORS)))


def _planted(prepare: Callable[[Path], Callable[[], None]], at: int, error: int) -> Callable[[], None]:
    def do() -> None:
        folder = scratch()
        act = prepare(folder)
        with faulty(folder, at, error), contextlib.suppress(_Refused):
            act()
        act()
        left = [p.name for p in folder.iterdir() if p.name.startswith(".") and p.name != ".sweep.lock" and p.is_dir()]
        if left:
            raise Failed(f"left behind: {left}")
        shutil.rmtree(folder)

    return do


class _Refused(Exception):
    """The command ended with one line."""


def _run(*arguments: str) -> Any:
    shown = command(*arguments)
    if shown.code:
        raise _Refused(shown.err)
    return shown


def _new(folder: Path) -> Callable[[], None]:
    def act() -> None:
        shown = _run(*sweep_arguments(folder / "sweep"))
        _same(folder / "sweep", shown.out)

    return act


def _mend(folder: Path) -> Callable[[], None]:
    shutil.move(copy_of(finished()), folder / "sweep")
    for name in ("results.csv", "curves.csv", "model.json", "test.json"):
        (folder / "sweep" / name).unlink()

    def act() -> None:
        shown = _run("resume", str(folder / "sweep"))
        _same(folder / "sweep", shown.out)

    return act


def _predict(folder: Path) -> Callable[[], None]:
    from benchmarks.abuse.studies import table

    out = folder / "p.csv"

    def act() -> None:
        _run("predict", str(finished().folder), str(table()), "--proba", "--out", str(out))
        if out.read_bytes() != finished().predictions:
            raise Failed("other predictions")

    return act


WORK = {"new sweep": _new, "a folder is mended": _mend, "predict --out": _predict}


def _same(folder: Path, out: str) -> None:
    truth = finished()
    for name, content in (("results.csv", truth.results), ("curves.csv", truth.curves)):
        if (folder / name).read_bytes() != content:
            raise Failed(f"{name} differs from that of the undisturbed sweep")
    if test_lines(out) != truth.test:
        raise Failed(f"shows {test_lines(out)} for {truth.test}")
    if predictions(folder) != truth.predictions:
        raise Failed("the model predicts something else")
