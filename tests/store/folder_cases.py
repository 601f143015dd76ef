"""Two tiny sweeps of one shape, each with a folder, which the tests of folders copy and alter."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import jax
import numpy as np

import fnopt as fo
from fnopt.run.store import table_csv

MODEL, SPACE = fo.classifier(hidden=4), dict(lr=fo.log_uniform(1e-3, 1e-1), batch_size=16, optimizer="sgd")
OTHER = {**SPACE, "lr": fo.log_uniform(1e-7, 1e-6)}


def parts():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60).astype(np.int32)
    x = rng.normal(size=(60, 4)).astype(np.float32) + 2 * np.eye(3, 4, dtype=np.float32)[y]
    return fo.data.split(fo.data.dataset(x, y), (0.6, 0.4), key=jax.random.key(1))


PARTS = parts()


def sweep_of(space=SPACE, n=3, epochs=2, **options):
    return fo.caviar(MODEL, space, *PARTS, n=n, epochs=epochs, key=jax.random.key(3), **options)


@cache
def stored(which="mine"):
    """A folder, and the table of its sweep: ``mine``, ``other`` (a longer sweep of other rates), ``unfinished``."""
    folder = Path(mkdtemp()) / "s"
    if which == "unfinished":
        sweep = sweep_of(path=folder, progress=Stops(2), threads=1)
    else:
        sweep = sweep_of(path=folder) if which == "mine" else sweep_of(OTHER, 4, 3, path=folder)
    return folder, table_csv(sweep.table())


class Stops:
    """A watch that ends a sweep after some results, as Ctrl-C does."""

    def __init__(self, after, act=None):
        self.left, self.act = after, act

    def start(self, lanes, epochs):
        pass

    def tick(self, epochs):
        pass

    def done(self, results):
        self.left -= len(results)
        if self.left <= 0 and self.act is None:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)
        elif self.left <= 0:
            act, self.act = self.act, lambda: None
            act()
