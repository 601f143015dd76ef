"""Sweeps under every rule that three signals end, one after another, and that come to the unbroken result."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.abuse.outcome import PYTHON
from benchmarks.abuse.studies import programs, scratch
from benchmarks.abuse.tally import Failed, Trial

RULES = {
    "no rule": "None",
    "early stopping": "fo.early_stopping(patience=30)",
    "halving": "fo.halving()",
    "hyperband": "fo.hyperband()",
    "asynchronous halving": "fo.asynchronous_halving()",
    "median": "fo.median()",
    "population": "fo.population(every=10)",
    "coarse to fine": "None",
}
TWICE = ("halving", "hyperband", "asynchronous halving", "median", "population", "coarse to fine")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
EPOCHS = 300
SCRIPT = """
import sys, warnings, jax, fnopt as fo
warnings.simplefilter("ignore")
jax.config.update("jax_compilation_cache_dir", sys.argv[2])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
train, dev, _ = fo.data.split(fo.data.load("iris"), (.6, .2, .2), key=jax.random.key(0), stratify=True)
space = dict(lr=fo.log_uniform(1e-4, 1e-1), hidden=fo.choice((4,), (8,)))
how = dict(n=27, epochs={epochs}, key=1, stop={rule}, search={search!r}, path=sys.argv[1])
sweep = fo.caviar(fo.classifier(), space, train, dev, **how)
print("finished" if sweep.finished else sweep.ended)
"""


def of_signals(rng: random.Random) -> Iterator[Trial]:
    """Fourteen sweeps: each rule once, and all but two of them twice."""
    for name in (*RULES, *TWICE):
        script = SCRIPT.format(
            rule=RULES[name], search="coarse_to_fine" if name == "coarse to fine" else "random", epochs=EPOCHS
        )
        signals = rng.sample(SIGNALS, 3)
        waits = [rng.random() for _ in SIGNALS]
        yield Trial(f"{name}: {', '.join(s.name for s in signals)}", _broken(script, signals, waits), 300.0)


def _broken(script: str, signals: list[signal.Signals], waits: list[float]) -> Callable[[], None]:
    def do() -> None:
        folder, cache = scratch(), str(programs())
        whole, broken = folder / "whole", folder / "broken"
        first = subprocess.Popen([sys.executable, "-c", script, str(whole), cache], stdout=subprocess.DEVNULL)
        _wait_for(whole, first)
        start, early = time.monotonic(), 0
        if first.wait():
            raise Failed("the unbroken sweep fails")
        span = time.monotonic() - start
        for one, wait in zip(signals, waits, strict=True):
            process = subprocess.Popen(
                [sys.executable, "-c", script, str(broken), cache], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            _wait_for(broken, process)
            time.sleep(0.4 * span * wait)
            process.send_signal(one)
            said, err = process.communicate()
            early += said.strip() != b"finished"
            if one == signal.SIGINT and PYTHON.search(err.decode()) and "KeyboardInterrupt" not in err.decode():
                raise Failed(f"after {one.name}: {err.decode()[-200:]!r}")
        if not early:
            raise Failed("no signal came before the end, so nothing was broken off")
        end = subprocess.run(
            [sys.executable, "-c", script, str(broken), cache], capture_output=True, text=True, check=False
        )
        if end.stdout.strip() != "finished":
            raise Failed(f"ends with {end.stdout!r} {end.stderr[-300:]!r}")
        for name in ("results.csv", "curves.csv"):
            if (broken / name).read_bytes() != (whole / name).read_bytes():
                raise Failed(f"{name} differs from that of the unbroken sweep")
        left = [path.name for path in folder.iterdir() if path.name not in ("whole", "broken") and path.is_dir()]
        if left:
            raise Failed(f"left behind: {left}")

    return do


def _wait_for(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    """Until the folder is there: before it no work can be lost."""
    while process.poll() is None and not (folder / "sweep.json").exists():
        time.sleep(0.005)
