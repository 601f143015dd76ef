"""kill -9 at random moments, then on to the end: the digest of all weights and curves is that of an unbroken run.

python -m benchmarks.kills [KILLS]
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax

import fnopt as fo
from benchmarks.bits import SPACE
from fnopt.run.store import curves_csv, table_csv
from fnopt.sweep.result import digest

RULES = {"none": None, "halving": fo.halving(eta=2), "hyperband": fo.hyperband()}


def sweep_of(path: str | None, rule: str) -> fo.Sweep:
    """A sweep with folds and merged structures that takes some seconds."""
    options = dict(n=48, epochs=40, folds=3, key=jax.random.key(5), stop=RULES[rule], path=path)
    return fo.caviar(fo.classifier(), SPACE, fo.data.wine(), **options)  # type: ignore[arg-type]


def told(sweep: fo.Sweep) -> tuple[str, str, str]:
    """All that a sweep came to, as digests and tables."""
    lanes = [r.digest for _, r in sorted(sweep.kept.lanes.items())]
    return digest([list(map(ord, "".join(lanes)))]), table_csv(sweep.table()), curves_csv(sweep)


def main(kills: int) -> None:
    """Break a sweep off so many times in all, some at a time, under each rule."""
    draw = random.Random(0)
    print("jax", jax.__version__)
    for k, rule in enumerate(RULES):
        mine = kills // len(RULES) + (k < kills % len(RULES))
        with tempfile.TemporaryDirectory() as folder:
            path, done = Path(folder) / "s", 0
            while done < mine:
                process = subprocess.Popen([sys.executable, "-m", "benchmarks.kills", "--child", str(path), rule])
                try:
                    process.wait(timeout=draw.uniform(2.0, 14.0))
                    break  # it came to its end before
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    done += 1
            start = time.perf_counter()
            broken = sweep_of(str(path), rule)
            print(f"{rule}: killed {done} times, then {time.perf_counter() - start:.1f} s to the end;", end=" ")
            print("equal in every bit:", told(broken) == told(sweep_of(None, rule)), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        sweep_of(sys.argv[2], sys.argv[3])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
