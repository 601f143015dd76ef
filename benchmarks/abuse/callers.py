"""Two callers that begin or continue a sweep in one folder at the same time, as threads and as processes."""

import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

import fnopt as fo
from benchmarks.abuse.studies import programs, scratch
from benchmarks.abuse.tally import Failed, Trial

LOW, HIGH = (1e-7, 1e-6), (1e-3, 1e-1)
PROCESS = """
import sys, time, jax, fnopt as fo
from benchmarks.abuse.callers import meet, one_call
path, low, high, me, slow, cache = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]
jax.config.update("jax_compilation_cache_dir", cache)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
if slow == "slow":
    import os
    write = os.replace
    def late(*a, **k):
        time.sleep(0.3)
        return write(*a, **k)
    os.replace = late
one_call((low, high), path, epochs=2)
meet(path, me)
try:
    print("ok" if one_call((low, high), path + "/both").finished else "unfinished")
except (ValueError, OSError) as error:
    print("refused", str(error)[:200].replace(chr(10), " "))
"""


def one_call(bounds: tuple[float, float], path: str | Path | None = None, epochs: int = 30) -> Any:
    """A small sweep of learning rates; ``path`` is the folder that two callers share."""
    train, dev, _ = fo.data.split(fo.data.load("iris"), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    space = {"lr": fo.log_uniform(*bounds)}
    where = None if path is None or epochs == 2 else path
    return fo.caviar(fo.classifier(hidden=(8,)), space, train, dev, n=4, epochs=epochs, path=where)


def meet(folder: str | Path, me: str) -> None:
    """Wait until both callers are ready, for a minute at most."""
    (Path(folder) / f"ready-{me}").touch()
    end = time.monotonic() + 60
    while len(list(Path(folder).glob("ready-*"))) < 2 and time.monotonic() < end:
        time.sleep(0.001)


def _truth(bounds: tuple[float, float]) -> list[float]:
    if bounds not in _TRUTHS:
        _TRUTHS[bounds] = [row["score"] for row in one_call(bounds).table()]
    return _TRUTHS[bounds]


_TRUTHS: dict[tuple[float, float], list[float]] = {}


def of_callers(rng: random.Random) -> Iterator[Trial]:
    """At most one caller of a pair is refused, and the folder holds the sweep of one that said ok."""
    for k in range(20):
        same, state = k % 2 == 0, ("new", "empty", "old", "new")[k % 4]
        bounds = (HIGH, HIGH) if same else (HIGH, LOW)
        name = f"{'equal' if same else 'different'} sweeps as threads, {state} folder, {k}"
        yield Trial(name, _threads(bounds, state, rng.random() * 0.02))
    for k in range(10):
        same = k % 2 == 0
        name = f"{'equal' if same else 'different'} sweeps as processes{', one slow' if k % 3 == 0 else ''}, {k}"
        yield Trial(name, _processes((HIGH, HIGH) if same else (HIGH, LOW), k % 3 == 0), 120.0)


def _threads(bounds: tuple[Any, Any], state: str, delay: float) -> Callable[[], None]:
    def do() -> None:
        folder = scratch() / "both"
        if state == "empty":
            folder.mkdir()
        if state == "old":
            one_call(bounds[0], folder)
        for one in bounds:
            _truth(one)
        barrier, said = threading.Barrier(2), {}

        def call(k: int) -> None:
            barrier.wait()
            time.sleep(k * delay)
            try:
                sweep = one_call(bounds[k], folder)
                said[k] = "ok" if [r["score"] for r in sweep.table()] == _truth(bounds[k]) else "wrong numbers"
            except (ValueError, OSError) as error:
                said[k] = f"refused {error}"

        threads = [threading.Thread(target=call, args=(k,)) for k in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _judge(bounds, [said.get(k, "an exception of another kind") for k in range(2)], folder)

    return do


def _processes(bounds: tuple[Any, Any], slow: bool) -> Callable[[], None]:
    def do() -> None:
        folder = scratch()
        words = [
            [str(folder), *map(str, bounds[k]), str(k), "slow" if slow and k == 0 else "usual", str(programs())]
            for k in range(2)
        ]
        started = [
            subprocess.Popen([sys.executable, "-c", PROCESS, *some], stdout=subprocess.PIPE, text=True)
            for some in words
        ]
        said = [process.communicate()[0].strip() for process in started]
        _judge(bounds, said, folder / "both")

    return do


def _judge(bounds: tuple[Any, Any], said: list[str], folder: Path) -> None:
    if not any(text == "ok" for text in said):
        raise Failed(f"no caller came to its end: {said}")
    odd = [text for text in said if text != "ok" and not text.startswith("refused")]
    if odd:
        raise Failed(f"{odd[0]!r} of {said}")
    if any(text.startswith("refused") and not _clear(text) for text in said):
        raise Failed(f"refused in other words: {said}")
    scores = [row["score"] for row in fo.open(folder).table()]
    if scores not in [_truth(one) for one, text in zip(bounds, said, strict=True) if text == "ok"]:
        raise Failed(f"the folder holds {scores} after {said}")
    shutil.rmtree(folder)


def _clear(text: str) -> bool:
    return "held" in text or "in use" in text or "holds another" in text
