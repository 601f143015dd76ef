"""What regularization does to the weights and units of a net: norms, zeros, saturation, influence, the linear region.

python examples/picture_regularization.py pictures        # the folder to write; a temporary one unless given

One net of tanh units is trained under each strength and seed side by side, in one program a kind of regularization.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo

STRENGTHS = {
    "l2": (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 6e-3),
    "l1": (0.01, 0.03, 0.1, 0.3, 0.6, 1.0, 1.5),
    "dropout": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
}
SATURATED = 0.9  # |tanh z| above which a unit is saturated
LINEAR = 0.5  # |z| below which tanh z is z to 8 %
NORM = "squared norm of the weights"
NOTHING = 0.01  # a unit that moves the output by less, in standard deviations over the examples, has no influence


def problem(m=160, features=8):
    """Two classes that a few of the inputs tell apart, with some labels wrong: there is something to overfit."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(m, features)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + 0.5 * x[:, 2] > 0).astype(np.int32)
    flipped = rng.uniform(size=m) < 0.1
    return jnp.asarray(x), jnp.asarray(np.where(flipped, 1 - y, y))


@partial(jax.jit, static_argnames=("kind", "steps", "hidden"))
def trained(x, y, strength, seed, kind, steps, hidden):
    """The parameters after full-batch Adam under one kind of regularization of one strength."""
    net = fo.nn.mlp(hidden=(hidden,), out=1, activation="tanh", init="lecun")
    params, _ = net.init(jax.random.key(seed), features=x.shape[1])

    def loss(params, key):
        rate = strength if kind == "dropout" else None
        logits = net.forward(params, (), x, dropout=rate, key=key, train=True)[0][:, 0]
        cost = fo.losses.sigmoid_cross_entropy(logits, y.astype(logits.dtype)).mean()
        return cost + (fo.penalties.l2(params, strength) if kind == "l2" else 0.0)

    def step(state, key):
        state = fo.optim.adam.update(state, jax.grad(loss)(state.params, key))
        if kind == "l1":  # the proximal step: exact zeros
            state = state._replace(params=fo.penalties.shrink(state.params, 0.01 * strength))
        return state, None

    keys = jax.random.split(jax.random.fold_in(jax.random.key(7), seed), steps)
    return jax.lax.scan(step, fo.optim.adam.init(params, lr=0.01), keys)[0].params


def measured(params, x):
    """What regularization is to change, of one net."""
    weights = [layer["weight"] for layer in params.values()]
    z = x @ params["hidden_0"]["weight"] + params["hidden_0"]["bias"][None]
    a = jnp.tanh(z)
    moved = a.std(axis=0) * jnp.linalg.norm(params["output"]["weight"], axis=1)
    flat = jnp.concatenate([w.ravel() for w in weights])
    return {
        NORM: (flat**2).sum(),
        "share of zeros": (flat == 0).mean(),
        "share of saturated outputs": (jnp.abs(a) > SATURATED).mean(),
        "share of outputs in the linear region": (jnp.abs(z) < LINEAR).mean(),
        "share of units without influence": (moved < NOTHING).mean(),
    }


def swept(kind, strengths, seeds, steps, hidden):
    """Measure to its values, shape=(seeds, strengths)."""
    x, y = problem()
    one = lambda strength, seed: measured(trained(x, y, strength, seed, kind, steps, hidden), x)  # noqa: E731
    every = jax.vmap(jax.vmap(one, in_axes=(0, None)), in_axes=(None, 0))
    return {k: np.asarray(v) for k, v in every(jnp.array(strengths), jnp.arange(seeds)).items()}


def picture(kind, strengths, found, path):
    """The squared norm on a logarithmic axis, the shares beside it."""
    name = {"l2": "strength of L2", "l1": "strength of L1", "dropout": "dropout rate"}[kind]
    log = "" if kind == "dropout" else "x"
    norm, rest = fo.plot.panels(2, columns=2, width=4.4, height=3.4)
    fo.plot.trends(strengths, found[NORM], names=(name, NORM), logarithmic=log, axes=norm)
    others = {k.removeprefix("share of "): v for k, v in found.items() if k != NORM}
    fo.plot.trends(strengths, others, names=(name, "share (of weights, outputs or units)"), logarithmic=log, axes=rest)
    rest.set_ylim(-0.04, 1.04)
    rest.figure.savefig(path)


def main(folder=None, seeds=5, steps=800, hidden=24):
    folder = Path(folder or tempfile.mkdtemp(prefix="fnopt-pictures-"))
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for kind, strengths in STRENGTHS.items():
        made[kind] = found = swept(kind, strengths, seeds, steps, hidden)
        picture(kind, strengths, found, folder / f"regularization_{kind}.png")
        for label, values in found.items():
            print(f"{kind}, {label}: " + " ".join(f"{v:.3g}" for v in np.median(values, axis=0)))
    print(f"written to {folder}")
    return made


if __name__ == "__main__":
    main(*sys.argv[1:2])
