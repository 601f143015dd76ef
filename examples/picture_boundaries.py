"""Four classes: without a hidden layer all boundaries are straight, with one they bend.

python examples/picture_boundaries.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
from pathlib import Path

import jax
import numpy as np

import fnopt as fo


def classes(m=240):
    """Four classes in the plane, one of them in the middle of the others' noise."""
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [2.4, 0.4], [-1.4, 2.0], [-1.2, -2.1]])
    y = np.arange(m) % 4
    x = centres[y] + rng.normal(size=(m, 2)) * np.array([0.75, 0.75, 0.75, 0.75])[y][:, None]
    return fo.data.dataset(x.astype(np.float32), y.astype(np.int32))


def convex(run, data, pairs=4000):
    """The share of pairs of points of one region whose midpoint is of that region: 1 where all regions are convex.

    Regions with straight boundaries, where the largest of some linear scores decides, are convex; bent ones are not.
    """
    rng = np.random.default_rng(1)
    low, high = np.asarray(data.x).min(axis=0), np.asarray(data.x).max(axis=0)
    ends = rng.uniform(low, high, (2, pairs, 2)).astype(np.float32)
    first, second, middle = (run.predict(p) for p in (*ends, ends.mean(axis=0)))
    same = first == second
    return float((middle[same] == first[same]).mean())


def main(folder=None, epochs=40, hidden=(32,)):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    data = classes()
    found = {}
    for name, widths, count in (("straight", (), epochs), ("bent", hidden, 4 * epochs)):
        model = fo.classifier(hidden=widths)
        run = fo.fit(model, data, hyper=dict(lr=0.05, batch_size=60), epochs=count, key=jax.random.key(1))
        axes = fo.plot.decision_boundary(run, data)
        axes.set_title("no hidden layer" if not widths else f"a hidden layer of {widths[0]}", fontsize=9)
        axes.figure.savefig(folder / f"boundaries_{name}.png")
        sums = np.asarray(run.predict_proba(data.x)).sum(axis=1)
        assert np.allclose(sums, 1, atol=1e-6)
        found[name] = convex(run, data)
        print(f"{name}: accuracy {run.scores['train']['accuracy']:.3f}, {found[name]:.2%} of the midpoints inside")
    assert found["straight"] == 1.0
    assert found["bent"] < 1.0
    print(f"written to {folder}")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:2])
