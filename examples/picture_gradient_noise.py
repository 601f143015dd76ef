"""Gradient noise: at fixed parameters the variance of a mini-batch gradient falls as 1/b.

python examples/picture_gradient_noise.py pictures        # the folder to write; a temporary one unless given
"""

import sys
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

SIZES = (1, 2, 4, 8, 16, 32, 64)
SHOWN = (1, 4, 16, 64)  # of which the region of the mini-batch gradients is drawn


def mini_batches(loss, params, x, y, sizes, draws):
    """Leaf to the gradients of mini-batches drawn with replacement, one array a size, shape=(draws, …).

    The gradient of a mini-batch is the mean of those of its examples, so these are computed once.
    """
    each = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))(params, x[:, None], y[:, None])
    rng = np.random.default_rng(1)
    rows = [rng.integers(0, len(x), (draws, size)) for size in sizes]
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): [np.asarray(g)[r].mean(axis=1) for r in rows]
        for path, g in jax.tree_util.tree_leaves_with_path(each)
    }


def variances(loss, params, x, y, sizes, draws):
    """Leaf to the variance of its gradient about the full one at each batch size, summed over its entries."""
    some, full = mini_batches(loss, params, x, y, sizes, draws), jax.tree.leaves(jax.grad(loss)(params, x, y))
    return {
        name: [float(((g - np.asarray(f)) ** 2).sum() / draws) for g in some[name]]
        for name, f in zip(some, full, strict=True)
    }


def line_loss(phi, x, y):
    return ((phi[0] + phi[1] * x - y) ** 2).mean()


def regions(axes, x, y, draws):
    """The gradients of mini-batches of a line's two parameters, an ellipse of two deviations around each size."""
    phi = jnp.array([0.0, 0.0])
    turn = np.linspace(0, 2 * np.pi, 100)
    [some] = mini_batches(line_loss, phi, x, y, SHOWN, draws).values()
    for size, g, colour in zip(SHOWN, some, fo.plot.COLOURS, strict=False):
        axes.plot(*g.T, ".", color=colour, markersize=2.5, alpha=0.5)
        root = np.linalg.cholesky(np.cov(g.T))
        ring = g.mean(axis=0) + 2 * np.stack([np.cos(turn), np.sin(turn)], axis=-1) @ root.T
        axes.plot(*ring.T, color=colour, linewidth=1.4, label=f"b = {size}")
    full = np.asarray(jax.grad(line_loss)(phi, x, y))
    axes.plot(*full, "*", color="gold", markeredgecolor="black", markersize=13, label="full gradient", zorder=5)
    axes.set_xlabel("∂L/∂φ₀")
    axes.set_ylabel("∂L/∂φ₁")
    fo.plot.legend_beside(axes, title="two deviations")


def main(folder=None, draws=1000):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.uniform(-1, 2, 256), jnp.float32)
    y = 1 + 0.8 * x + 0.5 * jnp.asarray(rng.normal(size=256), jnp.float32)
    data = fo.data.iris()
    inputs, labels = fo.data.standardizer(data.x)(data.x), data.y
    net = fo.nn.mlp(hidden=(8,), out=3)
    params, _ = net.init(jax.random.key(0), features=4)

    def loss(params, x, y):
        return fo.losses.softmax_cross_entropy(net.forward(params, (), x)[0], y).mean()

    found = variances(loss, params, inputs, labels, SIZES, draws)
    slopes = {name: float(np.polyfit(np.log(SIZES), np.log(v), 1)[0]) for name, v in found.items()}
    left, right = fo.plot.panels(2, columns=2, width=4.6, height=3.6)
    regions(left, x, y, min(draws, 400))
    labelled = {f"{name}, slope {slopes[name]:.2f}".replace("-", "−"): v for name, v in found.items()}
    names = ("batch size b", "variance of the gradient")
    fo.plot.trends(SIZES, labelled, names=names, logarithmic="xy", axes=right, path=folder / "gradient_noise.png")
    for name, slope in slopes.items():
        print(f"{name}: variance falls as b^{slope:.3f}")
        assert abs(slope + 1) < 0.05
    print(f"written to {folder}")
    return slopes


if __name__ == "__main__":
    main(*sys.argv[1:2])
