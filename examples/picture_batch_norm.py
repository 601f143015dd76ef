"""Batch normalization: what it does to the range of good learning rates, to noise and to a shifted input.

python examples/picture_batch_norm.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

NORMS = {None: "without", "batch": "with batch norm"}
SIZES = (8, 16, 32, 64, 128, 256)


def digits(rows):
    """So many training images, and all others to score on."""
    data = fo.data.digits()
    data = data._replace(x=data.x / 16)
    share = rows / len(data.y)
    return fo.data.split(data, (share, 1 - share), key=jax.random.key(0), stratify=True)


def grid_of(parts, epochs, **space):
    """Every combination of a space, trained side by side: the rows of the sweep's table."""
    space = dict(dict(optimizer="momentum", batch_size=32, norm=fo.choice(*NORMS)), **space)
    model = fo.classifier(hidden=space.pop("hidden"), standardize=False)
    sweep = fo.caviar(
        model, space, *parts, epochs=epochs, search="grid", objective="dev/accuracy", key=jax.random.key(1)
    )
    return sweep.table()


def scores_of(rows, norm, **where):
    """The scores of these rows, 0.1 where one diverged: what chance gives."""
    some = [row for row in rows if row["norm"] == norm and all(row[k] == v for k, v in where.items())]
    return [row["score"] if np.isfinite(row["score"]) else 0.1 for row in some]


def rates(folder, parts, epochs, hidden, points):
    """Accuracy against the learning rate, and how many decades of it come within .1 of the best of all."""
    low, high = 1e-3, 10.0
    rows = grid_of(parts, epochs, hidden=hidden, lr=fo.log_uniform(low, high, points=points))
    lrs = sorted({row["lr"] for row in rows})
    found = {told: [scores_of(rows, norm, lr=lr)[0] for lr in lrs] for norm, told in NORMS.items()}
    best = max(map(max, found.values()))
    step = np.log10(high / low) / (points - 1)
    wide = {told: step * sum(score > best - 0.1 for score in scores) for told, scores in found.items()}
    labelled = {f"{told}: {wide[told]:.1f} decades": scores for told, scores in found.items()}
    names = ("learning rate α", "dev accuracy")
    fo.plot.trends(lrs, labelled, names=names, logarithmic="x", path=folder / "batch_norm_rates.png")
    return wide


@partial(jax.jit, static_argnames=("net", "size", "draws"))
def outputs_of_one(net, params, stats, x, size, draws):
    """The logits of the first example in batches with others, shape=(draws, outputs)."""

    def one(key):
        others = jax.random.randint(key, (size - 1,), 1, len(x))
        batch = jnp.concatenate([x[:1], x[others]])
        return net.forward(params, stats, batch, train=True)[0][0]

    return jax.vmap(one)(jax.random.split(jax.random.key(2), draws))


def noise(folder, x, draws):
    """The variance of one example's outputs over the batches that it may stand in: it falls as 1/b."""
    net = fo.nn.mlp(hidden=(32,), out=10, norm="batch")
    params, stats = net.init(jax.random.key(1), features=x.shape[1])
    variance = [float(outputs_of_one(net, params, stats, x, b, draws).var(axis=0).sum()) for b in SIZES]
    slope = float(np.polyfit(np.log(SIZES), np.log(variance), 1)[0])
    names = ("batch size b", "variance of one example's outputs")
    series = {f"slope {slope:.2f}".replace("-", "−"): variance}
    fo.plot.trends(SIZES, series, names=names, logarithmic="xy", path=folder / "batch_norm_noise.png")
    return slope


def moved(net, x, shifted):
    """By how many of its standard deviations the mean activation of each layer moves when the input is shifted."""
    params, stats = net.init(jax.random.key(0), features=x.shape[1])

    def seen(x):
        """The activations, under batch norm by the moments of these examples."""
        mine = net.forward(params, stats, x, train=True, norm_decay=0.0)[1] if net.norm else stats
        return net.activations(params, mine, x)

    before, after = seen(x), seen(shifted)
    each = [
        jnp.abs(after[n].mean(axis=0) - before[n].mean(axis=0)).mean() / before[n].std(axis=0).mean()
        for n in net.layers
    ]
    return [float(one) for one in each]


def shifts(folder, x, depth):
    """What a shifted and stretched input does to each layer."""
    shifted = 1.5 * x + 0.5
    found = {
        told: moved(fo.nn.mlp(hidden=(64,) * depth, out=10, norm=norm), x, shifted) for norm, told in NORMS.items()
    }
    names = ("hidden layer", "shift of the mean (standard deviations)")
    fo.plot.trends(np.arange(1, depth + 1), found, names=names, path=folder / "batch_norm_shift.png")
    return found


def main(folder=None, rows=500, epochs=5, hidden=(32,) * 3, points=9, draws=500):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    parts = digits(rows)
    x = parts[0].x
    wide = rates(folder, parts, epochs, hidden, points)
    print("range of good learning rates: " + ", ".join(f"{told} {w:.1f} decades" for told, w in wide.items()))
    assert wide["with batch norm"] > wide["without"]
    slope = noise(folder, x, draws)
    print(f"noise of batch norm: variance falls as b^{slope:.2f}")
    assert -1.2 < slope < -0.8
    shift = shifts(folder, x, 5)
    print("shift of the last layer: " + ", ".join(f"{told} {s[-1]:.3f}" for told, s in shift.items()))
    assert shift["with batch norm"][-1] < 0.1 * shift["without"][-1]
    print(f"written to {folder}")
    return wide, slope, shift


if __name__ == "__main__":
    main(*sys.argv[1:2])
