"""One model: fit, look at the curves, go on from there, predict, save and load."""

import tempfile
from pathlib import Path

import jax
import numpy as np

import fnopt as fo


def main():
    train, dev, test = fo.data.split(fo.data.load("wine"), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    run = fo.fit(
        fo.classifier(hidden=(32, 16), norm="batch", optimizer="adam"),
        train,
        dev,
        hyper=dict(lr=1e-2, l2=1e-4, dropout=0.2, batch_size=32),
        epochs=10,
        key=jax.random.key(2),
    )
    print(run)
    print("dev loss by epoch:", np.round(run.history["dev"]["loss"], 3))
    run = run.more(epochs=5)  # bit for bit what 15 epochs at once give
    print(f"after {run.epochs} epochs: test accuracy {run.evaluate(test)['accuracy']:.4f}")

    with tempfile.TemporaryDirectory() as folder:
        run.save(Path(folder) / "wine.safetensors")
        again = fo.load(Path(folder) / "wine.safetensors")
    same = bool((again.predict_proba(test.x) == run.predict_proba(test.x)).all())
    print(f"saved and loaded: the same predictions: {same}; the first three: {again.predict(test.x[:3]).tolist()}")
    return run, same


if __name__ == "__main__":
    main()
