"""Polishing the best eight of a small sweep of digits by hypergradients.

python -m benchmarks.polish
"""

import jax
import numpy as np

import fnopt as fo

SPACE = dict(lr=fo.log_uniform(1e-4, 1e-1), b1=fo.one_minus_log_uniform(0.5, 0.999), l2=fo.log_uniform(1e-6, 1e-1))
EPOCHS = 5


def main() -> None:
    """64 configurations of 32 hidden units; dev loss and, as a fair judge, test loss before and after."""
    key = jax.random.key(0)
    train, dev, test = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=key, stratify=True)
    model = fo.classifier(hidden=(32,), batch_size=64)
    sweep = fo.caviar(model, SPACE, train, dev, n=64, epochs=EPOCHS, key=key, objective="dev/loss")
    polished = sweep.polish(k=8)
    print(polished)
    fold = jax.random.fold_in(sweep.work.key, 0)

    def judged(hyper: dict) -> float:
        return fo.fit(model, train, dev, hyper=hyper, epochs=EPOCHS, key=fold).evaluate(test)["loss"]

    pairs = [(judged(sweep.configs[row.config]), judged(row.hyper)) for row in polished.rows]
    better = sum(after < before for before, after in pairs)
    gain = np.mean([(row.before - row.after) / row.before for row in polished.rows])
    before, after = np.mean(pairs, axis=0)
    print(f"dev loss {gain:.1%} lower on average; test loss lower for {better} of 8, mean {before:.4f} -> {after:.4f}")


if __name__ == "__main__":
    main()
