"""Small sweeps that the trials alter: a table of pets, and folders of it, finished and broken off."""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.abuse.outcome import command
from benchmarks.abuse.tally import Failed

COLOURS = ("black", "brown", "white")
SPACE = 'lr = {log_uniform = [1e-3, 1e-1]}\nhidden = [4]\noptimizer = "momentum"\nbatch_size = 16\n'


def scratch() -> Path:
    """A new folder of its own, below one that the run removes at its end."""
    return Path(tempfile.mkdtemp(dir=_root()))


@cache
def _root() -> Path:
    return Path(tempfile.mkdtemp(prefix="fnopt-abuse-"))


def clear() -> None:
    """Remove every scratch folder."""
    shutil.rmtree(_root(), ignore_errors=True)


def programs() -> Path:
    """Where the processes that a run starts keep their compiled programs; it is removed at the end, too."""
    path = _root() / "programs"
    path.mkdir(exist_ok=True)
    return path


@cache
def table() -> Path:
    """A table with numbers, a text column and two classes."""
    rng, lines = np.random.default_rng(0), ["weight,colour,age,kind"]
    for k in range(60):
        weight = rng.normal(4 if k % 2 else 20, 2)
        lines.append(f"{weight:.3f},{COLOURS[k % 3]},{rng.integers(1, 15)},{'cat' if k % 2 else 'dog'}")
    path = _root() / "pets.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@cache
def space_file() -> Path:
    """A space of one structure."""
    path = _root() / "space.toml"
    path.write_text(SPACE, encoding="utf-8")
    return path


def sweep_arguments(out: Path, n: int = 4, epochs: int = 3, *more: str) -> tuple[str, ...]:
    """The command of a small sweep of the table, ranked by the loss, in which no two configurations are equal."""
    fixed = ("sweep", str(table()), "--target", "kind", "--space", str(space_file()), "--out", str(out))
    return (*fixed, "--n", str(n), "--epochs", str(epochs), "--objective", "dev/loss", *more)


@dataclass(frozen=True)
class Study:
    """A folder, and what its unbroken sweep says."""

    folder: Path
    results: bytes
    curves: bytes
    predictions: bytes
    test: tuple[str, ...]  # the lines that show test scores
    scores: dict[int, float]  # by configuration


@cache
def finished() -> Study:
    """A finished sweep."""
    return _study(_root() / "finished", 4)


@cache
def another() -> Study:
    """A finished sweep of another length over the same space, whose files a stranger may put in another's place."""
    return _study(_root() / "another", 5, epochs=4)


def _study(folder: Path, n: int, epochs: int = 3) -> Study:
    command(*sweep_arguments(folder, n, epochs))
    return truth_of(folder)


def truth_of(folder: Path) -> Study:
    """What an undisturbed folder says."""
    import fnopt as fo

    shown = command("resume", str(folder))
    scores = {row["config"]: row["score"] for row in fo.open(folder).table()}
    if not test_lines(shown.out) or len(set(scores.values())) < len(scores):
        raise RuntimeError(f"trials would compare nothing: {shown.out} {shown.err} {scores}")
    return Study(
        folder,
        (folder / "results.csv").read_bytes(),
        (folder / "curves.csv").read_bytes(),
        predictions(folder),
        test_lines(shown.out),
        scores,
    )


def test_lines(text: str) -> tuple[str, ...]:
    """The lines of a command that show the winner and its test scores."""
    lines = text.splitlines()
    at = next((k for k, line in enumerate(lines) if line.startswith("test")), len(lines))
    return tuple(line.rstrip() for line in lines[at : at + 2])


def predictions(folder: Path) -> bytes:
    """What ``fnopt predict`` writes for the table: labels and probabilities, in which every weight shows."""
    shown = command("predict", str(folder), str(table()), "--proba")
    if shown.code:
        raise Failed(f"predict on a sound folder: {shown.err!r}")
    return shown.out.encode()


@cache
def unfinished() -> Study:
    """A sweep that was interrupted with some results and some lanes under way, and what it comes to in the end."""
    folder = _root() / "unfinished"
    arguments = sweep_arguments(folder, 12, 400, "--stop", "halving")
    whole = _root() / "unbroken"
    command(*(str(whole) if a == str(folder) else a for a in arguments))
    truth = truth_of(whole)
    for tries in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        with interrupted_after(folder, 0.02 * (1 + tries)):
            command(*arguments)
        if (folder / "sweep.json").exists() and _under_way(folder):
            return Study(folder, truth.results, truth.curves, truth.predictions, truth.test, truth.scores)
    raise RuntimeError("no sweep could be interrupted between its first checkpoint and its end")


def _under_way(folder: Path) -> bool:
    import fnopt as fo

    return any(folder.glob("checkpoint-*.bin")) and not fo.open(folder).finished


@contextmanager
def interrupted_after(folder: Path, seconds: float) -> Iterator[None]:
    """One Ctrl-C, some seconds after ``folder`` appears."""
    ended = threading.Event()

    def watch() -> None:
        while not (folder / "sweep.json").exists():
            if ended.wait(0.002):
                return
        if not ended.wait(seconds):
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
        time.sleep(0.01)
    except KeyboardInterrupt:
        pass
    finally:
        ended.set()
        thread.join()


def copy_of(study: Study) -> Path:
    """A copy of a study's folder that a trial may spoil."""
    target = scratch() / "sweep"
    shutil.copytree(study.folder, target)
    return target
