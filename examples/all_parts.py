"""The last step of a search: the winner is tested once, and then trained on all three parts for use."""

import tempfile
from pathlib import Path

import jax
import numpy as np

import fnopt as fo


def main(n=16, epochs=20):
    train, dev, test = fo.data.split(fo.data.wine(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), l2=fo.log_uniform(1e-6, 1e-2), hidden=fo.choice((8,), (16,)))
    sweep = fo.caviar(fo.classifier(), space, train, dev, n=n, epochs=epochs, key=jax.random.key(1))

    tested = sweep.refit(train, dev)  # the estimate: test has chosen nothing, and is looked at once
    accuracy = tested.evaluate(test)["accuracy"]
    error = np.sqrt(accuracy * (1 - accuracy) / len(test))
    print(f"test accuracy {accuracy:.3f} ± {error:.3f}, trained on {len(train) + len(dev)} examples")

    final = sweep.refit(train, dev, test)  # for use: the same numbers, as many updates, scaled by all of them
    with tempfile.TemporaryDirectory() as folder:
        path = final.save(Path(folder) / "wine.safetensors")
        same = np.array_equal(fo.load(path).predict(test.x), final.predict(test.x))
    rows = len(train) + len(dev) + len(test)
    print(f"for use: trained on all {rows} examples; the line above says what to expect of it, for no rows are left")
    return sweep, tested, final, same


if __name__ == "__main__":
    main()
