"""MNIST from its IDX files: 32 random configurations of one hidden layer, the winner trained again on all 60,000.

python -m benchmarks.mnist FOLDER
"""

import sys
import time
from pathlib import Path

import jax

import fnopt as fo


def main(folder: Path) -> None:
    """Search on 50,000 + 10,000 of the training images, then test once."""
    whole = fo.data.read_idx(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")
    test = fo.data.read_idx(folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz")
    whole, test = (part._replace(x=part.x / 255) for part in (whole, test))
    train, dev = fo.data.split(whole, (5 / 6, 1 / 6), key=jax.random.key(0), stratify=True)
    space = dict(
        lr=fo.log_uniform(3e-4, 3e-3),
        dropout=fo.uniform(0.1, 0.5),
        hidden=fo.choice((128,), (256,)),
        batch_size=128,
    )
    model = fo.classifier(standardize=False)
    start = time.perf_counter()
    sweep = fo.caviar(model, space, train, dev, n=32, epochs=8, key=jax.random.key(1), progress=sys.stderr.isatty())
    searched = time.perf_counter() - start
    print(sweep)
    print(sweep.plan)
    best = sweep.refit(train, dev)
    error = 1 - best.evaluate(test)["accuracy"]
    print(f"search {searched:.0f} s, with the winner trained again {time.perf_counter() - start:.0f} s")
    print(f"test error {error:.2%} of {len(test)} images")
    assert error <= 0.025


if __name__ == "__main__":
    main(Path(sys.argv[1]))
