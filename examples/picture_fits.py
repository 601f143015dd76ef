"""Fits: a line after each step of its descent; and what is too stiff, right and too bent, as polynomials and as nets.

python examples/picture_fits.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np

import fnopt as fo

DEGREES = (1, 4, 15)
PENALTIES = (0.3, 1e-3, 0.0)  # of a net, on the mean loss: λ too large underfits


def truth(x):
    return np.cos(1.5 * np.pi * x)


def noisy(m, seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 1, m))
    return x, truth(x) + 0.15 * rng.normal(size=m)


def line_steps(x, y, steps=12, lr=0.01):
    """φ₀ and φ₁ before the first step and after each, of L = Σ (φ₀ + φ₁ x − y)²; and the losses."""

    def loss(phi):
        return ((phi[0] + phi[1] * x - y) ** 2).sum()

    path = np.asarray(fo.surfaces.descend(loss, fo.optim.sgd, (0.0, 0.0), steps, lr=lr))
    return path, [float(loss(phi)) for phi in path]


def polynomials(x, y):
    return {f"degree {d}": np.polynomial.Polynomial.fit(x, y, d) for d in DEGREES}


def nets(x, y, epochs, hidden):
    """The same net under three strengths of L2, trained side by side."""
    train = fo.data.dataset(x[:, None].astype(np.float32), y.astype(np.float32))
    space = dict(l2=fo.choice(*PENALTIES), lr=0.01, batch_size=len(x), optimizer="adam")
    model = fo.regressor(hidden=hidden, activation="tanh")
    sweep = fo.caviar(model, space, train, train, n=3, epochs=epochs, search="grid", key=jax.random.key(0))
    runs = [sweep.replay(i) for i in range(3)]
    order = sorted(runs, key=lambda run: -run.hyper["l2"])
    return {
        f"net, l2 = {run.hyper['l2']:g}": lambda at, run=run: run.predict(np.asarray(at, np.float32)[:, None])
        for run in order
    }


def errors(fitted, x, y):
    """The mean squared error of each fit."""
    return [float(np.mean((np.asarray(f(x)) - y) ** 2)) for f in fitted.values()]


def main(folder=None, epochs=4000, hidden=(64, 64)):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 2, 20)
    y = 1 + 0.8 * x + 0.3 * rng.normal(size=20)
    steps, losses = line_steps(x, y)
    fo.plot.fitted_lines(x, y, steps, path=folder / "fitted_lines.png")
    print(f"line: loss {losses[0]:.3g} at first, {losses[-1]:.3g} after {len(steps) - 1} steps")
    assert all(after < before for before, after in pairwise(losses))
    assert np.allclose(steps[-1], np.polyfit(x, y, 1)[::-1], atol=0.1)

    train, dev = noisy(22, 1), noisy(200, 5)
    dev = tuple(a[(dev[0] > train[0].min()) & (dev[0] < train[0].max())] for a in dev)
    made = {"polynomials": polynomials(*train), "nets": nets(*train, epochs, hidden)}
    found = {}
    for name, fitted in made.items():
        fo.plot.fits(*train, fitted, truth=truth, path=folder / f"fits_{name}.png")
        on_train, on_dev = errors(fitted, *train), errors(fitted, *dev)
        found[name] = (on_train, on_dev)
        for label, *row in zip(fitted, on_train, on_dev, strict=True):
            print("{}: error {:.3f} on the points, {:.3f} on new ones".format(label, *row))
        assert on_train[0] > on_train[1] > on_train[2]  # the freer, the nearer to the points
        assert on_dev[1] < on_dev[0] and on_dev[1] < on_dev[2]  # but the middle one tells new ones best
        assert on_dev[2] > 1.2 * on_train[2]  # a gap: variance
    print(f"written to {folder}")
    return dict(losses=losses, **found)


if __name__ == "__main__":
    main(*sys.argv[1:2])
