"""Pictures of one model: curves and where it stopped, its answers, what its layers make of the data.

python examples/picture_scores.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
from pathlib import Path

import jax
import numpy as np

import fnopt as fo


def main(folder=None, rows=300, epochs=60, methods=("pca",)):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    data = fo.data.digits()
    data = data._replace(x=data.x / 16)  # pixels in [0, 1]; those at the edges are nearly constant and stay so
    shares = (rows / len(data.y), 0.3, 0.3)
    train, dev, test, _ = fo.data.split(data, (*shares, 1 - sum(shares)), key=jax.random.key(0), stratify=True)
    run = fo.fit(
        fo.classifier(hidden=(32, 32), standardize=False),
        train,
        dev,
        hyper=dict(lr=0.01, optimizer="adam"),
        epochs=epochs,
        stop=fo.early_stopping(patience=10),
        objective="dev/loss",
        key=jax.random.key(1),
    )
    fo.plot.curves(run, "loss", logarithmic=True, path=folder / "curves.png")
    fo.plot.confusion(run, test, path=folder / "confusion.png")
    for picture in (fo.plot.roc, fo.plot.precision_recall, fo.plot.det, fo.plot.calibration):
        picture(run, test, path=folder / f"{picture.__name__}.png")
    fo.plot.weights(run, path=folder / "weights.png")
    fo.plot.activations(run, dev, path=folder / "activations.png")
    for method in methods:
        for layer, dimensions in ((0, 2), ("hidden_1", 2), ("hidden_1", 3)):
            path = folder / f"embedding_{method}_{layer}_{dimensions}d.png"
            fo.plot.embedding(run, dev, layer=layer, method=method, dimensions=dimensions, path=path)
    net = fo.nn.mlp(hidden=(32,) * 12, out=10, activation="sigmoid")
    params, _ = net.init(jax.random.key(0), features=64)
    fo.plot.signals(fo.check.signals(net, params, np.asarray(run.encoding.scaled(dev.x))), path=folder / "signals.png")
    diabetes = fo.data.diabetes()
    line = fo.fit(fo.regressor(hidden=(16,)), diabetes, hyper=dict(lr=0.01), epochs=20)
    fo.plot.residuals(line, diabetes, path=folder / "residuals.png")

    losses = np.asarray(run.history["dev"]["loss"])
    print(f"stopped at epoch {run.best_epoch} of {run.epochs}: dev loss {losses[run.best_epoch - 1]:.3f}")
    assert run.best_epoch == 1 + int(np.argmin(losses))  # early stopping is at the minimum, not the inflexion
    print(f"written to {folder}")
    return run, test


if __name__ == "__main__":
    main(*sys.argv[1:2])
