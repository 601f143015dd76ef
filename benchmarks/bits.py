"""Replay in a fresh process: some configurations of sweeps of N = 1, C, 10·C and 257, compared bit by bit.

python -m benchmarks.bits
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import jax

import fnopt as fo
from fnopt.sweep.plan import lanes_per_chunk

SPACE = dict(
    lr=fo.log_uniform(1e-4, 1e-1),
    b1=fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.999)),
    l2=fo.log_uniform(1e-6, 1e-1),
    dropout=fo.uniform(0.0, 0.6),
    batch_size=fo.choice(32, 64, 128),
    hidden=fo.choice((32,), (64, 64)),
    optimizer=fo.choice("momentum", "rmsprop", "adam"),
)
WIDER = {**SPACE, "hidden": fo.choice((32,), (64, 64), (512, 128))}  # of which the last goes one lane at a time
REPLAY = """
import sys
import jax
import numpy as np
import fnopt as fo
sweep = fo.open(sys.argv[1])
for i in map(int, sys.argv[2:]):
    run, kept = sweep.replay(i), sweep.kept.lanes[i, 0, 0]
    pairs = zip(jax.tree.leaves(run.history), jax.tree.leaves(kept.history), strict=True)
    curves = all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)  # NaN: the training part is not scored
    print(i, "equal" if curves and run.going.result.digest == kept.digest else "DIFFERENT")
"""


def main() -> None:
    """Train, write, and replay elsewhere."""
    train, dev, _ = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    print("jax", jax.__version__, "on", fo.sweep.fingerprint()["device"])
    first: dict[int, list[str]] = {}
    c = lanes_per_chunk(0, jax.devices()[0].platform)
    with tempfile.TemporaryDirectory() as folder:
        for n in (1, c, 10 * c, 257):
            path = Path(folder) / str(n)
            sweep = fo.caviar(fo.classifier(), WIDER, train, dev, n=n, epochs=10, key=jax.random.key(5), path=path)
            first[n] = [sweep.kept.lanes[i, 0, 0].digest for i in range(min(n, 10 * c))]
            wide = [i for i, config in enumerate(sweep.configs) if config["hidden"] == (512, 128)][:2]
            which = [str(i) for i in sorted({0, min(5, n - 1), n - 1, *wide})]
            command = [sys.executable, "-c", REPLAY, str(path), *which]
            said = ", ".join(subprocess.check_output(command, text=True).splitlines())
            print(f"N = {n} (C of the structures: {sorted({*sweep.widths})}):", said, flush=True)
    same = [first[257][:n] == first[n] for n in (1, c, 10 * c)]
    print(f"the first 1, {c} and {10 * c} of 257 are those of so many:", *same)


if __name__ == "__main__":
    main()
