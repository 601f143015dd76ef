"""Pictures of searches: where they looked, coarse then dense, what they found, and who survived.

python examples/picture_search.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
import warnings
from pathlib import Path

import jax
import numpy as np

import fnopt as fo

SPACE = dict(
    lr=fo.log_uniform(1e-4, 1.0),
    l2=fo.log_uniform(1e-7, 1e-1),
    b1=fo.one_minus_log_uniform(0.5, 0.999),
    batch_size=fo.choice(16, 32, 64),
    hidden=(16,),
)


def spread(sweep, name):
    """The standard deviation of the logarithms of a number over the configurations of a sweep."""
    return float(np.std(np.log10([row[name] for row in sweep.table()])))


def main(folder=None, n=27, epochs=9):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    train, dev = fo.data.split(fo.data.iris(), (0.6, 0.4), key=jax.random.key(0), stratify=True)
    model, shared = fo.classifier(), dict(epochs=epochs, objective="dev/loss", key=jax.random.key(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the best lie at an edge, which the picture shows
        fine = fo.caviar(model, SPACE, train, dev, n=n, search="coarse_to_fine", **shared)
    halved = fo.caviar(model, SPACE, train, dev, n=n, stop=fo.halving(eta=3), **shared)
    evolved = fo.caviar(model, SPACE, train, dev, n=12, stop=fo.population(every=2), **shared)

    fo.plot.points(fine, names=("lr", "l2"), path=folder / "search_square.png")
    fo.plot.points(fine, names=("lr", "l2", "b1"), path=folder / "search_cube.png")
    fo.plot.curves(fine, logarithmic=True, path=folder / "search_curves.png")
    fo.plot.slices(fine.coarse, path=folder / "search_slices.png")
    fo.plot.parallel(fine, path=folder / "search_parallel.png")
    fo.plot.rungs(halved, logarithmic=True, path=folder / "search_rungs.png")
    fo.plot.lineage(evolved, path=folder / "search_lineage.png")
    both = {"all to the end": fine, "successive halving": halved}
    fo.plot.anytime(both, logarithmic=True, path=folder / "search_anytime.png")

    coarse, dense = (spread(sweep, "lr") for sweep in (fine.coarse, fine))
    print(f"learning rates: ± {coarse:.2f} decades in the coarse part, ± {dense:.2f} in the dense one")
    assert dense < coarse
    ends = [int(row["epochs"]) for row in halved.table()]
    print(f"halving: {n} start, " + ", ".join(f"{sum(e > age for e in ends)} go beyond epoch {age}" for age in (1, 3)))
    assert sum(e > 1 for e in ends) == n // 3
    print(f"written to {folder}")
    return fine, halved, evolved


if __name__ == "__main__":
    main(*sys.argv[1:2])
