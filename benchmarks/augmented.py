"""Augmentation where examples are few: 1,000 images of MNIST, plain and augmented, each with numbers of its own search.

python -m benchmarks.augmented FOLDER [--configurations 24] [--epochs 60] [--draws 10]

FOLDER holds the four IDX files. Both searches have the same configurations to spend, the same epochs and the same
numbers of the net; the augmented one searches the strengths besides. The two winners are then trained on other draws of
1,000 images each, the same for both, and scored on all 10,000 test images.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

import fnopt as fo

ROWS, DEV = 1000, 5000
SHAPE = (28, 28)
NET = dict(
    lr=fo.log_uniform(3e-4, 1e-2),
    dropout=fo.uniform(0.0, 0.5),
    l2=fo.log_uniform(1e-6, 1e-3),
    hidden=(256,),
    batch_size=50,
)
STRENGTHS = dict(crop=fo.uniform(0.0, 0.15), zoom=fo.uniform(0.0, 0.4), noise=fo.uniform(0.0, 0.4))
AUGMENT = fo.data.augment.chain(fo.data.augment.zoom, fo.data.augment.crop, fo.data.augment.noise, shape=SHAPE)
MODELS = {
    "plain": (fo.classifier(standardize=False), NET),
    "augmented": (fo.classifier(standardize=False, augment=AUGMENT), {**NET, **STRENGTHS}),
}


def images(folder: Path) -> tuple[fo.Dataset, fo.Dataset]:
    """The 60,000 and the 10,000, pixels from 0 to 1."""
    parts = []
    for part in ("train", "t10k"):
        files = (folder / f"{part}-images-idx3-ubyte.gz", folder / f"{part}-labels-idx1-ubyte.gz")
        read = fo.data.read_idx(*files)
        parts.append(read._replace(x=np.asarray(read.x) / np.float32(255)))
    return parts[0], parts[1]


def rows_of(data: fo.Dataset, rows: np.ndarray) -> fo.Dataset:
    """These rows."""
    return data._replace(x=np.asarray(data.x)[rows], y=np.asarray(data.y)[rows])


def searched(whole: fo.Dataset, n: int, epochs: int) -> dict[str, dict[str, Any]]:
    """The best configuration of each model; what it reached on the dev part is printed."""
    order = np.random.default_rng(0).permutation(len(whole))
    train, dev = rows_of(whole, order[:ROWS]), rows_of(whole, order[ROWS : ROWS + DEV])
    found = {}
    for name, (model, space) in MODELS.items():
        begun = time.perf_counter()
        sweep = fo.caviar(model, space, train, dev, n=n, epochs=epochs, key=jax.random.key(1), search="sobol")
        found[name] = sweep.best.hyper
        seconds, error = time.perf_counter() - begun, 1 - sweep.best.scores["dev"]["accuracy"]
        numbers = ", ".join(f"{k} {v:.3g}" for k, v in sweep.best.hyper.items() if isinstance(v, float))
        print(f"{name}: {n} configurations × {epochs} epochs in {seconds:.0f} s, best dev error {error:.2%}: {numbers}")
    return found


def main() -> None:
    """Search, train the winners on other draws of the images, compare draw by draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    for name, usual in (("configurations", 24), ("epochs", 60), ("draws", 10)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    whole, test = images(asked.folder)
    best = searched(whole, asked.configurations, asked.epochs)
    errors: dict[str, list[float]] = {name: [] for name in MODELS}
    for draw in range(asked.draws):
        rows = np.random.default_rng(100 + draw).permutation(len(whole))[:ROWS]
        for name, (model, _) in MODELS.items():
            run = fo.fit(model, rows_of(whole, rows), hyper=best[name], epochs=asked.epochs, key=jax.random.key(draw))
            errors[name].append(1 - run.evaluate(test)["accuracy"])
    for name, each in errors.items():
        print(f"{name}: test error {np.mean(each):.2%} ± {_error(each):.2%} over {asked.draws} draws of {ROWS} images")
    gain = np.subtract(errors["plain"], errors["augmented"])
    many = gain.mean() / _error(gain)
    print(f"plain − augmented: {gain.mean():.2%}, standard error {_error(gain):.2%}, {many:.1f} of them")
    assert gain.mean() > 2 * _error(gain)


def _error(values: Any) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


if __name__ == "__main__":
    main()
