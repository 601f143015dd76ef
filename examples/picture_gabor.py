"""Several minima: a Gabor function fitted to points, and which descents leave a local minimum or a saddle.

python examples/picture_gabor.py pictures        # the folder to write; a temporary one unless given

Full-batch descent stays in the minimum that it starts in, whatever its learning rate below the edge of divergence, and
leaves a saddle only as fast as the saddle is steep. The noise of small batches at a large rate carries it out of both.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

RATES = (0.003, 0.01, 0.03, 0.1, 0.3)  # on the loss Σ (f − y)² of all points
SIZES = (1, 5, 28)
WIDTHS = np.array([20.0, 20.0])  # of the picture, in φ₀ and φ₁
NEAR = 0.05  # of these widths: still at the same point


def points(m=28):
    """Noisy points of the Gabor function with φ = (0, 16.6)."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-15, 15, m)
    clean = np.asarray(fo.surfaces.gabor_curve(jnp.array([0.0, 16.6]), jnp.asarray(x, jnp.float32)))
    return x, clean + 0.15 * rng.normal(size=m)


@partial(jax.jit, static_argnames=("size", "steps", "whole"))
def descents(x, y, starts, rates, key, size, steps, whole=False):
    """Where descents end whose batches are drawn with replacement, shape=(rates, starts, 2); or their whole paths.

    A batch of all points is no draw: each point stands in it once. The loss of a batch is scaled to that of all points.
    """
    m = len(x)

    def one(start, rate, key):
        def loss(phi, rows):
            return m / size * jnp.sum((fo.surfaces.gabor_curve(phi, x[rows]) - y[rows]) ** 2)

        def step(phi, rows):
            phi = phi - rate * jax.grad(loss)(phi, rows)
            return phi, phi if whole else None

        rows = jax.random.randint(key, (steps, size), 0, m) if size < m else jnp.tile(jnp.arange(m), (steps, 1))
        end, path = jax.lax.scan(step, start, rows)
        return path if whole else end

    keys = jax.random.split(key, len(starts))
    each = jax.vmap(one, in_axes=(0, None, 0))
    return jax.vmap(each, in_axes=(None, 0, None))(starts, rates, keys)


def near(kind, surface, count):
    """Starts a hair beside the minima that are not the lowest, or beside the saddles, and those points."""
    some = [k.point for k in surface.critical if k.kind == kind][kind == "minimum" :]
    at = np.array(some)[np.arange(count) % len(some)]
    return at, at + 1e-3 * WIDTHS * np.random.default_rng(0).normal(size=at.shape)


def shares(x, y, surface, kind, count, steps):
    """Batch size to the share of starts that have left the point that they began beside, at each rate."""
    at, starts = near(kind, surface, count)
    found = {}
    x, y, starts = (jnp.asarray(a, jnp.float32) for a in (x, y, starts))
    for size in SIZES:
        ends = descents(x, y, starts, jnp.array(RATES), jax.random.key(1), size, steps)
        if kind == "minimum":  # where quiet descent takes them: into which minimum they have come
            flat = ends.reshape(-1, 2)
            ends = descents(x, y, flat, jnp.array([0.01]), jax.random.key(2), len(x), 200)[0].reshape(ends.shape)
        away = np.abs(np.asarray(ends) - at[None]) / WIDTHS
        found[f"b = {size}"] = (~(away < NEAR).all(axis=-1)).mean(axis=1)
    return found


def picture_of_surface(surface, x, y, path):
    """The surface, where full-batch descent goes from three starts, and single examples from the first of them."""
    starts = [(-7.0, 17.0), (2.5, 5.0), (7.0, 12.0)]
    figure = fo.plot.paths(surface, {"sgd": 0.02}, start=starts, steps=300)
    given = (jnp.asarray(a, jnp.float32) for a in (x, y, starts[:1]))
    noisy = np.asarray(descents(*given, jnp.array([0.03]), jax.random.key(5), 1, 300, whole=True))[0, 0]
    (axes,) = figure.axes
    style = {"color": fo.plot.COLOURS[1], "linewidth": 0.8, "marker": ".", "markersize": 3}
    axes.plot(*noisy.T, label="one example at a time (lr 0.03)", zorder=3, **style)
    axes.set_title("full batches stay in the minimum nearby; single examples leave it (300 steps)", fontsize=9)
    axes.set_xlabel("offset φ₀")
    axes.set_ylabel("frequency φ₁")
    figure.legends.clear()
    fo.plot.legend_beside(axes)
    figure.savefig(path)


def main(folder=None, count=1000, steps=300):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    x, y = points()
    surface = fo.surfaces.gabor(x, y)
    minima = [k.point for k in surface.critical if k.kind == "minimum"]
    losses = [float(surface(jnp.array(p))) for p in minima]
    print(f"{len(minima)} minima, {sum(k.kind == 'saddle' for k in surface.critical)} saddles in the picture")
    picture_of_surface(surface, x, y, folder / "gabor_surface.png")

    def curve(point):
        return lambda at: np.asarray(fo.surfaces.gabor_curve(jnp.array(point), jnp.asarray(at, jnp.float32)))

    best = {f"φ = ({p[0]:.1f}, {p[1]:.1f}): loss {v:.2f}": curve(p) for p, v in zip(minima[:6], losses, strict=False)}
    best = {told.replace("-", "−"): one for told, one in best.items()}
    fo.plot.fits(x, y, best, truth=curve((0.0, 16.6)), path=folder / "gabor_fits.png")
    both = fo.plot.panels(2, columns=2, width=4.4, height=3.4)
    made = {}
    for axes, kind in zip(both, ("minimum", "saddle"), strict=True):
        made[kind] = found = shares(x, y, surface, kind, count, steps)
        names = ("learning rate α", f"share that left a {'local minimum' if kind == 'minimum' else kind}")
        fo.plot.trends(RATES, found, names=names, logarithmic="x", axes=axes)
        for size, row in found.items():
            print(f"{kind}, {size}: " + ", ".join(f"{s:.1%} at {r:g}" for s, r in zip(row, RATES, strict=True)))
    both[0].figure.savefig(folder / "gabor_escapes.png")
    print(f"written to {folder}")
    return surface, losses, made


if __name__ == "__main__":
    main(*sys.argv[1:2])
