"""Pictures: optimizers on error surfaces, batches of three sizes, normalization, schedules.

python examples/pictures.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import fnopt as fo

# Learning rates at which each optimizer does well on the surface, so that the shapes of the paths can be compared.
RATES = {
    "ravine": dict(sgd=0.095, momentum=0.3, rmsprop=0.2, adam=0.5),
    "saddle": dict(sgd=0.1, momentum=0.3, rmsprop=0.05, adam=0.1),
    "beale": dict(sgd=0.02, momentum=0.02, rmsprop=0.05, adam=0.2),
    "rosenbrock": dict(sgd=0.001, momentum=0.003, rmsprop=0.01, adam=0.05),
    "himmelblau": dict(sgd=0.01, momentum=0.03, rmsprop=0.1, adam=0.3),
    "rastrigin": dict(sgd=0.002, momentum=0.01, rmsprop=0.02, adam=0.1),
}

STARTS = {  # where there are many minima, which of them is found depends on the start
    "himmelblau": [(-4.5, 0.3), (0.3, 3.6), (1.0, -3.5)],
    "rastrigin": [(-1.3, 1.45), (0.45, 0.2), (0.4, -1.2)],
}


def surfaces(folder, steps, names):
    """Each surface with the paths of four optimizers."""
    for name in names:
        optimizers = {kind: dict(lr=lr) for kind, lr in RATES[name].items()}
        long = 10 * steps if name == "rosenbrock" else steps  # its valley is nearly level
        yield fo.plot.paths(name, optimizers, start=STARTS.get(name), steps=long, path=folder / f"{name}.png")


def line_data(m=36):
    """Noisy examples of a line whose inputs are not centred."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.5, 1.5, m)
    return x, 2 * x + 1 + 0.5 * rng.normal(size=m)


def wide_data(m=100):
    """Two inputs of very different size."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(m, 2)) * np.array([1.0, 5.0]) + np.array([1.0, 3.0])
    return x, x @ np.array([1.0, 0.6]) + 0.3 * rng.normal(size=m)


def several_schedules():
    """One of each kind, all from 0.1 at most, over 200 steps."""
    s = fo.schedules
    return {
        "inverse_time": s.inverse_time(0.1, 0.05),
        "exponential, staircase": s.exponential(0.1, 0.7).every(20),
        "inverse_sqrt": s.inverse_sqrt(0.1, 1.0),
        "cosine, warmed": s.cosine(0.1, 180).warmed(20),
        "one_cycle": s.one_cycle(0.1, 200),
        "warmup_stable_decay": s.warmup_stable_decay(0.09, 200, 30, 60),
        "warm_restarts": s.warm_restarts(0.08, 25, 2.0),
        "constant, then cyclic": s.constant(0.05).then(s.cyclic(0.02, 0.06, 15), after=110),
    }


def main(folder=None, steps=80, names=tuple(RATES)):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    figures = [
        *surfaces(folder, steps, names),
        fo.plot.batches(*line_data(), epochs=12, lr=0.2, start=(-1.0, -1.0), path=folder / "batches.png"),
        fo.plot.normalization(*wide_data(), path=folder / "normalization.png"),
        fo.plot.schedule(several_schedules(), 200, path=folder / "schedules.png"),
    ]
    print(f"{len(figures)} pictures in {folder}: {', '.join(sorted(p.name for p in folder.glob('*.png')))}")
    return figures


if __name__ == "__main__":
    main(*sys.argv[1:2])
