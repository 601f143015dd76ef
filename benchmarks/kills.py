"""kill -9 at random moments, then on to the end: the digest of all weights and curves is that of an unbroken run.

python -m benchmarks.kills [KILLS]
"""

import random
import signal
import subprocess
import sys
import tempfile
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
    return fo.caviar(fo.classifier(), SPACE, fo.data.digits(), **options)  # type: ignore[arg-type]


def told(sweep: fo.Sweep) -> tuple[str, str, str]:
    """All that a sweep came to, as digests and tables."""
    lanes = [r.digest for _, r in sorted(sweep.kept.lanes.items())]
    return digest([list(map(ord, "".join(lanes)))]), table_csv(sweep.table()), curves_csv(sweep)


def main(kills: int) -> None:
    """Break sweeps off, so many times in all; one that comes to its end is compared, and another begun."""
    draw = random.Random(0)
    print("jax", jax.__version__)
    for k, rule in enumerate(RULES):
        mine, whole, equal = kills // len(RULES) + (k < kills % len(RULES)), told(sweep_of(None, rule)), []
        with tempfile.TemporaryDirectory() as folder:
            done, ends = 0, 0
            while done < mine:
                path = str(Path(folder) / str(ends))
                process = subprocess.Popen([sys.executable, "-m", "benchmarks.kills", "--child", path, rule])
                try:
                    process.wait(timeout=draw.uniform(1.0, 9.0))
                    equal.append(told(fo.open(path)) == whole)
                    ends += 1
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    done += 1
            equal.append(told(sweep_of(str(Path(folder) / str(ends)), rule)) == whole)
        print(
            f"{rule}: killed {done} times, came to its end {len(equal)} times, equal in every bit: {equal}", flush=True
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        sweep_of(sys.argv[2], sys.argv[3])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
