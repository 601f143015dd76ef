"""How large activations and gradients are in each layer of a network, and what that says in words."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt._types import Stats
from fnopt.nn import MLP

LIMIT = 10.0  # times smaller or larger than at the other end of the network
FLAT = 0.01  # of the largest derivative of an activation: below, a unit is saturated
SLOPES: dict[str, Callable[[Array], Array]] = {  # derivative of a bounded activation from its value, in parts of 1
    "sigmoid": lambda a: 4 * a * (1 - a),
    "tanh": lambda a: 1 - jnp.square(a),
    "arctan": lambda a: jnp.square(jnp.cos(a)),
}


def layer_table(
    net: MLP, params: Any, stats: Stats, x: Array, loss: Callable[[Array], Array] | None = None
) -> list[dict[str, Any]]:
    """A row a layer: sizes of what goes forward and comes back, dead and saturated units.

    Args:
        net: from ``fo.nn.mlp``.
        params: as for ``net.forward``, and so ``stats``.
        x: shape=(m, features), a batch of some tens.
        loss: ``loss(outputs) -> scalar``; None sends random signs back, see ``fo.check.signals``, which says what the
            columns are.
    """
    seen, at_z, at_params = _looked_through(net, params, stats, x, loss)
    rows = []
    for name in (*net.layers, "output"):
        # The loss is a mean over m examples, so each one's own gradient is m times what stands here.
        back = len(x) * rms(jnp.linalg.norm(at_z[name].astype(jnp.float32), axis=1))
        weights = float(jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in at_params[name].values())))
        rows.append(_row(net, name, seen[name], back, weights))
    return rows


def findings_of(table: Sequence[Mapping[str, Any]], limit: float = LIMIT) -> list[str]:
    """What is wrong in the rows of a table of layers, a sentence each."""
    lost = [row["layer"] for row in table if not np.isfinite(row["activation"] + row["gradient"] + row["weights"])]
    if lost:
        return [f"not finite from {lost[0]} on: smaller weights, or a smaller learning rate before them"]
    hidden = list(table[:-1])
    found = [_fading("activations", "activation", hidden, limit), _fading("gradients", "gradient", hidden[::-1], limit)]
    for row in table:
        if row["dead"] > 0.5:
            found.append(f"{row['layer']}: {row['dead']:.0%} of the units are dead; try leaky_relu, or a smaller lr")
        if (row["saturated"] or 0) > 0.5:
            found.append(f"{row['layer']}: {row['saturated']:.0%} saturated; try smaller weights, norm='batch' or relu")
    return [sentence for sentence in found if sentence]


def rms(a: Array) -> float:
    """The root of the mean square of all entries."""
    return float(jnp.sqrt(jnp.mean(jnp.square(a))))


@partial(jax.jit, static_argnames=("net", "loss"))
def _looked_through(
    net: MLP, params: Any, stats: Stats, x: Array, loss: Callable[[Array], Array] | None
) -> tuple[dict[str, Array], dict[str, Array], dict[str, dict[str, Array]]]:
    """What each layer puts out, the gradient at its z (of what is added to it), and at its parameters."""
    signs = jax.random.rademacher(jax.random.key(0), (len(x), net.out), jnp.result_type(float))

    def of(added: Any) -> Array:
        """The loss with something of its own added to each example's z: its derivative there is that of z."""

        def outputs(x: Array, mine: Any) -> Array:
            moved = {name: {**layer, _bias(layer): layer[_bias(layer)] + mine[name]} for name, layer in params.items()}
            return net.forward(moved, stats, x)[0]

        out = jax.vmap(outputs)(x, added)
        return jnp.sum(signs.astype(out.dtype) * out) / len(x) if loss is None else loss(out)

    def whole(params: Any) -> Array:
        out = net.forward(params, stats, x)[0]
        return jnp.sum(signs.astype(out.dtype) * out) / len(x) if loss is None else loss(out)

    nothing = {n: jnp.zeros((len(x), *l[_bias(l)].shape), l[_bias(l)].dtype) for n, l in params.items()}  # noqa: E741
    return net.activations(params, stats, x), jax.grad(of)(nothing), jax.grad(whole)(params)


def _bias(layer: Any) -> str:
    """What is added to z in a layer."""
    return "bias" if "bias" in layer else "shift"


def _row(net: MLP, name: str, a: Array, back: float, weights: float) -> dict[str, Any]:
    hidden = name != "output"
    slope = SLOPES.get(net.activation if hidden else net.output)
    return {
        "layer": name,
        "units": a.shape[-1],
        "activation": rms(a),
        "gradient": back,
        "weights": weights,
        "dead": float(jnp.mean(jnp.all(a == 0, axis=0).astype(jnp.float32))) if hidden else 0.0,
        "saturated": None if slope is None else float(jnp.mean((slope(a) < FLAT).astype(jnp.float32))),
    }


def _fading(what: str, column: str, rows: Sequence[Mapping[str, Any]], limit: float) -> str:
    """Whether a signal fades or grows along these layers, and where it passes the limit."""
    for k, row in enumerate(rows[1:], 1):
        first = rows[0][column]
        ratio = row[column] / first if first else 1.0
        if not 1 / limit <= ratio <= limit:
            word = "vanish" if ratio < 1 else "explode"
            each = f"a factor of {ratio ** (1 / k):.3g} a layer" if ratio else "nothing is left"
            return (
                f"{what} {word}: {row['layer']} has {ratio:.3g} of {rows[0]['layer']}'s, {each}; "
                "try init='he' or norm='batch'"
            )
    return ""
