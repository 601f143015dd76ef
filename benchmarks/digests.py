"""Digests of what a fixed list of trainings and searches gives: two versions of the library compared bit by bit.

    python -m benchmarks.digests [--out FILE] [--only NAMES]

prints a line a case: its name and a digest of its weights, curves and table. Run it in a checkout of each version, with
the same Python, and compare the two files: equal lines are equal bits. It uses public names alone, so that it runs
before and after the inside is moved.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

SPACE = dict(
    lr=fo.log_uniform(1e-3, 1e-1),
    b1=fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.999)),
    l2=fo.log_uniform(1e-6, 1e-2),
    dropout=fo.uniform(0.0, 0.4),
    batch_size=fo.choice(16, 32),
    hidden=fo.choice((8,), (12,), (8, 8)),
    optimizer=fo.choice("momentum", "adam"),
)
MODES = ("reverse", "forward")
NARROW = dict(lr=fo.log_uniform(1e-3, 1e-1, points=4), l2=fo.log_uniform(1e-5, 1e-2, points=2), batch_size=32)
WHILE_KILLED = """
import sys
from benchmarks.digests import killed
killed(sys.argv[1])
"""


def parts(name: str = "iris") -> tuple[fo.Dataset, fo.Dataset]:
    """A training and a dev part of data inside the package."""
    train, dev = fo.data.split(fo.data.load(name), (0.7, 0.3), key=jax.random.key(0))
    return train, dev


def digest(*trees: Any) -> str:
    """SHA-256 of all leaves, their types and shapes, in order."""
    found = hashlib.sha256()
    for leaf in jax.tree.leaves(trees):
        x = np.asarray(leaf)
        found.update(f"{x.dtype} {x.shape}".encode())
        found.update(np.ascontiguousarray(x).tobytes())
    return found.hexdigest()[:32]


def as_bytes(table: Any) -> np.ndarray:
    """A table of plain values as an array of bytes."""
    return np.frombuffer(json.dumps(table, default=str, sort_keys=True).encode(), np.uint8)


def of_run(run: fo.Run) -> str:
    """Weights, stats, scores and curves of one model."""
    return digest(run.params, run.stats, run.scores, run.history)


def of_sweep(sweep: fo.Sweep, replayed: int = 0) -> str:
    """The table, all curves of the dev loss, and one configuration trained again."""
    again = sweep.replay(replayed)
    return digest(as_bytes(sweep.table()), sweep.curves("dev/loss"), again.params, again.history)


def fitted(model: fo.Model, data: str = "iris", **hyper: Any) -> Callable[[], str]:
    """A single training."""

    def case() -> str:
        train, dev = parts(data)
        asked = {"lr": 1e-2, "batch_size": 32, **hyper}
        return of_run(fo.fit(model, train, dev, hyper=asked, epochs=6, key=jax.random.key(2)).more(epochs=2))

    return case


def searched(space: Any = SPACE, model: fo.Model | None = None, data: str = "iris", **how: Any) -> Callable[[], str]:
    """A search."""

    def case() -> str:
        train, dev = parts(data)
        held = {} if "folds" in how else {"dev": dev}
        asked = {"n": 10, "epochs": 6, "key": jax.random.key(3), **how}
        asked = {name: value for name, value in asked.items() if value is not None}
        return of_sweep(fo.caviar(model or fo.classifier(), space, train, **held, **asked))

    return case


def own() -> fo.Model:
    """A linear model of functions of one's own, with stats."""
    return fo.supervised(
        init=lambda key, example, hyper: ({"w": 0.1 * jax.random.normal(key, (4, 3))}, {"seen": jnp.float32(0)}),
        loss=lambda params, stats, batch, hyper, key, train: (
            fo.losses.softmax_cross_entropy(batch.x @ params["w"], batch.y) * (1 + hyper["extra"]),
            {"seen": stats["seen"] + 1.0},
        ),
        predict=lambda params, stats, x, hyper: x @ params["w"],
        task="classes",
        numbers=dict(extra=0.0),
        optimizer="adam",
    )


def refitted() -> str:
    """The winner on both parts, and the best of a search polished."""
    train, dev = parts()
    sweep = fo.caviar(fo.classifier(), NARROW, train, dev, n=6, epochs=6, key=jax.random.key(3))
    model, polished = sweep.refit(train, dev), sweep.polish(k=2, steps=2)
    return digest(model.params, as_bytes(polished.table()))


def slopes() -> str:
    """Hypergradients in both modes."""
    train, dev = parts()
    asked = dict(hyper=dict(lr=1e-2, l2=1e-4, batch_size=32), epochs=2, key=jax.random.key(0))
    found = [fo.hypergrad(fo.classifier(hidden=(8,)), train, dev, wrt=("lr", "l2"), mode=m, **asked) for m in MODES]
    return digest(found)


def killed(path: str | Path) -> fo.Sweep:
    """A search in a folder."""
    train, dev = parts("digits")
    asked = dict(n=24, epochs=8, seeds=2, key=jax.random.key(3), stop=fo.halving())
    return fo.caviar(fo.classifier(), SPACE, train, dev, path=path, **asked)


def resumed() -> str:
    """The same after kill -9 in its middle."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep"
        child = subprocess.Popen([sys.executable, "-c", WHILE_KILLED, str(path)], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while child.poll() is None and time.monotonic() < end and not list(path.glob("checkpoint-*")):
            time.sleep(0.05)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait()
        return of_sweep(killed(path))


CASES: dict[str, Callable[[], str]] = {
    "fit adam": fitted(fo.classifier(hidden=(8,), optimizer="adam"), l2=1e-4, dropout=0.2),
    "fit batch norm": fitted(fo.classifier(hidden=(8, 8), norm="batch"), l1=1e-4),
    "fit lbfgs": fitted(fo.classifier(hidden=(4,), optimizer="lbfgs"), batch_size=105),
    "fit values": fitted(fo.regressor(hidden=(8,), optimizer="momentum"), "diabetes", beta=0.8),
    "fit schedule": fitted(fo.classifier(hidden=(8,)), lr=fo.schedules.cosine(1e-2, steps=12).every()),
    "fit own": fitted(own(), extra=0.5),
    "fit bare": lambda: of_run(fo.fit(fo.classifier(), parts("wine")[0], key=jax.random.key(2))),
    "random": searched(),
    "sobol": searched(search="sobol", n=8),
    "grid": searched(NARROW, search="grid", n=None),
    "coarse to fine": searched(NARROW, search="coarse_to_fine"),
    "explicit": searched({}, search=[dict(lr=1e-2, hidden=(8,)), dict(lr=3e-2, hidden=(8, 8))], n=None),
    "halving": searched(stop=fo.halving()),
    "hyperband": searched(stop=fo.hyperband()),
    "asynchronous halving": searched(stop=fo.asynchronous_halving()),
    "median": searched(stop=fo.median()),
    "population": searched(NARROW, stop=fo.population(every=2)),
    "early stopping": searched(stop=fo.early_stopping(patience=2)),
    "folds and seeds": searched(folds=3, seeds=2, n=4),
    "widths": searched(dict(lr=fo.log_uniform(1e-3, 1e-1), hidden=fo.choice((5,), (9,), (14,), (30,)))),
    "lengths": searched(dict(lr=fo.log_uniform(1e-3, 1e-1), epochs=fo.integer(2, 8)), epochs=None),
    "values": searched(NARROW, fo.regressor(hidden=(8,)), "diabetes"),
    "own": searched(dict(lr=fo.log_uniform(1e-3, 1e-1), extra=fo.uniform(0, 1), batch_size=32), own()),
    "refit and polish": refitted,
    "hypergradients": slopes,
    "resumed": resumed,
}


def main() -> int:
    """The lines of all cases, or of those asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="a file to write as well")
    parser.add_argument("--only", help="names of cases, with commas")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = [f"jax {jax.__version__}"]
    for name in args.only.split(",") if args.only else CASES:
        lines.append(f"{name:<22} {CASES[name]()}")
        print(lines[-1], flush=True)
    if args.out:
        args.out.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
