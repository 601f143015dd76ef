"""Deep nets with and without batch normalization: twenty layers, and which activations gain most.

python examples/picture_deep.py pictures        # the folder to write; a temporary one unless given

Sigmoid, whose slope is 1/4 at most, gains most: without batch norm nothing comes back through twenty layers. Arctan is
next, and ReLU, started by He's rule, keeps its signals without help. That order is one of twenty layers: at twelve, and
trained for eight epochs, ReLU gained more than arctan (.26 and .08).

All hidden layers but the first are alike, so the net is a scan over stacked weights and compiles as fast as a shallow
one; a training of every learning rate and seed side by side is one program.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

NORMS = {False: "without", True: "with batch norm"}
KINDS = ("relu", "sigmoid", "arctan")
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
BATCH = 32


def digits(rows):
    """So many training images, and all others to score on, with pixels in [0, 1]."""
    data = fo.data.digits()
    share = rows / len(data.y)
    data = data._replace(x=data.x / 16)
    return fo.data.split(data, (share, 1 - share), key=jax.random.key(0), stratify=True)


def begun(key, features, width, depth, norm):
    """Weights (He) and statistics: of the first layer, of the stacked others, of the output."""

    def layer(key, fan_in, out=width):
        weight = jnp.sqrt(2 / fan_in) * jax.random.normal(key, (fan_in, out))
        return {"weight": weight, "shift": jnp.zeros(out), "scale": jnp.ones(out)}

    first, rest, last = jax.random.split(key, 3)
    stack = jax.vmap(lambda key: layer(key, width))(jax.random.split(rest, depth - 1))
    params = {"first": layer(first, features), "rest": stack, "output": layer(last, width, 10)}
    one = fo.nn.init_stats(width) if norm else ()
    return params, (one, jax.tree.map(lambda a: jnp.zeros((depth - 1, *a.shape)), one))


def forward(params, stats, x, kind, norm, train):
    """The logits and the statistics that were collected."""

    def layer(h, given):
        p, s = given
        z = h @ p["weight"]
        if norm:
            z, s = fo.nn.batch_norm(z, p["scale"], p["shift"], s, train=train, decay=0.9)
        else:
            z = z + p["shift"][None]
        return fo.nn.activate(kind, z), s

    h, first = layer(x, (params["first"], stats[0]))
    h, rest = jax.lax.scan(layer, h, (params["rest"], stats[1]))
    return h @ params["output"]["weight"] + params["output"]["shift"][None], (first, rest)


@partial(jax.jit, static_argnames=("kind", "norm", "depth", "width", "epochs"))
def accuracies(train, dev, rates, seeds, *, kind, norm, depth, width, epochs):
    """The dev accuracy of every rate and seed, shape=(seeds, rates)."""

    def one(lr, seed):
        key = jax.random.fold_in(jax.random.key(3), seed)
        params, stats = begun(key, train.x.shape[1], width, depth, norm)

        def loss(params, stats, rows):
            logits, stats = forward(params, stats, train.x[rows], kind, norm, True)
            return fo.losses.softmax_cross_entropy(logits, train.y[rows]).mean(), stats

        def step(carry, rows):
            state, stats = carry
            slope, stats = jax.grad(loss, has_aux=True)(state.params, stats, rows)
            return (fo.optim.adam.update(state, slope), stats), None

        each = len(train.y) // BATCH
        orders = jax.vmap(lambda k: jax.random.permutation(k, len(train.y)))(jax.random.split(key, epochs))
        rows = orders[:, : each * BATCH].reshape(-1, BATCH)
        (state, stats), _ = jax.lax.scan(step, (fo.optim.adam.init(params, lr=lr), stats), rows)
        logits, _ = forward(state.params, stats, dev.x, kind, norm, False)
        return (logits.argmax(axis=1) == dev.y).mean()

    return jax.vmap(jax.vmap(one, in_axes=(0, None)), in_axes=(None, 0))(rates, seeds)


def swept(parts, kind, seeds, **settings):
    """With and without batch norm: accuracies, shape=(seeds, rates)."""
    rates, seeds = jnp.array(RATES), jnp.arange(seeds)
    return {
        told: np.asarray(accuracies(*parts, rates, seeds, kind=kind, norm=norm, **settings))
        for norm, told in NORMS.items()
    }


def best_of(found):
    """The best mean accuracy over the rates."""
    return {told: float(scores.mean(axis=0).max()) for told, scores in found.items()}


def bars(best, path):
    """The best accuracy under each activation, with and without."""
    (axes,) = fo.plot.panels(1, width=5.0, height=3.4)
    at = np.arange(len(best))
    for k, told in enumerate(NORMS.values()):
        scores = [one[told] for one in best.values()]
        axes.bar(at + 0.4 * (k - 0.5), scores, 0.36, color=fo.plot.COLOURS[k], label=told)
    axes.set_xticks(at, list(best))
    axes.set_xlabel("activation")
    axes.set_ylabel("best dev accuracy")
    axes.set_ylim(0, 1)
    fo.plot.legend_beside(axes)
    axes.figure.savefig(path)


def main(folder=None, rows=500, epochs=6, seeds=2, depth=20, width=16, kinds=KINDS):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    parts = digits(rows)
    found = {kind: swept(parts, kind, seeds, depth=depth, width=width, epochs=epochs) for kind in kinds}
    names = ("learning rate α", f"dev accuracy of {depth} layers of sigmoid")
    fo.plot.trends(RATES, found["sigmoid"], names=names, logarithmic="x", path=folder / "deep_layers.png")
    best = {kind: best_of(scores) for kind, scores in found.items()}
    bars(best, folder / "deep_activations.png")
    for kind, one in best.items():
        print(f"{depth} layers of {kind}: {one['without']:.3f} without, {one['with batch norm']:.3f} with batch norm")
    gains = {kind: one["with batch norm"] - one["without"] for kind, one in best.items()}
    assert best["sigmoid"]["without"] < 0.2 < 0.4 < best["sigmoid"]["with batch norm"]
    if "relu" in gains:
        assert gains["sigmoid"] > gains["arctan"] > gains["relu"]
    print(f"written to {folder}")
    return best


if __name__ == "__main__":
    main(*sys.argv[1:2])
