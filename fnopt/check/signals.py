"""Signals: how large activations and gradients are, layer by layer, and which units are dead or saturated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Params, Stats
from fnopt.analysis.signals import LIMIT, findings_of, layer_table, rms
from fnopt.check._table import shown
from fnopt.check._taps import back, walked
from fnopt.nn import MLP


@dataclass(frozen=True)
class Signals:
    """What :func:`signals` found; printed, one row a layer and what is wrong below.

    Each row of ``table``: ``activation``, the root mean square of what the layer puts out; ``gradient``, the norm of
    what comes back to its z, a root mean square over the examples; ``weights``, the norm of the gradient of its
    parameters; ``dead``, the share of units that are 0 on every example; ``saturated``, the share of outputs where a
    sigmoid, tanh or arctan is all but flat (None elsewhere).
    """

    table: list[dict[str, Any]]
    findings: tuple[str, ...]  # one sentence each; none where all is well

    @property
    def passed(self) -> bool:
        """Whether nothing vanishes, explodes or is mostly dead or saturated."""
        return not self.findings

    def __str__(self) -> str:
        return "\n".join([shown(self.table), *(self.findings or ("no signal vanishes or explodes",))])


def signals(
    net: MLP | Callable[[Params, Array], Array],
    params: Params,
    x: Any,
    stats: Stats | None = None,
    *,
    loss: Callable[[Array], Array] | None = None,
    limit: float = LIMIT,
) -> Signals:
    """Look through a network: is what goes forward, or what comes back, lost or blown up on its way?

    With layers that each multiply by about c, the signal after L of them is c^L of what it was: gone for c < 1, beyond
    all bounds for c > 1, and the same on the way back.

    Args:
        net: from ``fo.nn.mlp``, a module of flax.linen, or any function ``net(params, x) -> outputs``, of Flax, Equinox
            or written by hand: its layers are its products and convolutions of examples with parameters, outside of
            loops, and are called as the parameters are. What goes out of a layer is then what goes into the next one.
        params: as for ``net.forward``; a pytree.
        x: shape=(m, …), as the network sees it; a batch of some tens is enough.
        stats: as for ``net.forward``, under batch norm.
        loss: ``loss(outputs) -> scalar``, a mean over the examples, whose gradient goes back. Without one, each
            example's outputs are added up with random signs, which measures the network alone: at the end of training a
            loss' own gradient is small.
        limit: above 1; how many times smaller (or larger) than in the first hidden layer an activation, or than in the
            last one a gradient, may be before it counts as vanishing (or exploding).

    Raises:
        ValueError: for x that is no batch, for a limit of 1 or less, and as ``net.forward``; for a function without a
            product of examples with parameters.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    https://proceedings.mlr.press/v9/glorot10a.html.

    >>> from fnopt import nn
    >>> net = nn.mlp(hidden=(2,) * 9, out=1, activation="identity")
    >>> layer = {"weight": 0.5 * jnp.eye(2), "bias": jnp.zeros(2)}
    >>> params = {**dict.fromkeys(net.layers, layer), "output": {"weight": jnp.ones((2, 1)), "bias": jnp.zeros(1)}}
    >>> print(*signals(net, params, jnp.ones((4, 2))).findings, sep="\\n")
    activations vanish: hidden_4 has 0.0625 of hidden_0's, a factor of 0.5 a layer; try init='he' or norm='batch'
    gradients vanish: hidden_4 has 0.0625 of hidden_8's, a factor of 0.5 a layer; try init='he' or norm='batch'
    """
    x = jnp.asarray(x)
    if not limit > 1:
        raise ValueError(f"`limit` must be above 1, got {limit!r}")
    if not isinstance(net, MLP):
        net = _applied(net)
        if not callable(net):
            raise TypeError(f"`net` must be from fo.nn.mlp or a function of (params, x), got {type(net).__name__}")
        table = _of_function(net, params, x, loss)
        return Signals(table, tuple(findings_of(table, limit)))
    if x.ndim != 2 or not len(x):
        raise ValueError(f"`x` must be a batch, shape (m, features), got {x.shape}; for one example write x[None, :]")
    stats = () if stats is None else stats
    table = layer_table(net, params, stats, x, loss)
    return Signals(table, tuple(findings_of(table, limit)))


def _applied(net: Any) -> Any:
    """The function of a Flax module, whose parameters stand apart; TypeError for a module that holds its own."""
    homes = [base.__module__ for base in type(net).__mro__]
    if any(home.startswith("flax.linen") for home in homes):
        return net.apply
    name = type(net).__name__
    if any(home.startswith("equinox") for home in homes):
        raise TypeError(
            f"`net` is an Equinox module, {name}, which holds its own parameters: write "
            "arrays, rest = equinox.partition(net, equinox.is_array), then "
            "signals(lambda a, x: jax.vmap(equinox.combine(a, rest))(x), arrays, x)"
        )
    if any(home.startswith("flax.nnx") for home in homes):
        raise TypeError(
            f"`net` is a module of flax.nnx, {name}, which holds its own parameters: write graph, state = "
            "nnx.split(net), then signals(lambda s, x: nnx.merge(graph, s)(x), state, x)"
        )
    return net


def _of_function(
    apply: Callable[..., Any], params: Params, x: Array, loss: Callable[[Array], Array] | None
) -> list[dict[str, Any]]:
    """A row for each layer that is found in a function."""
    if not x.ndim or not len(x):
        raise ValueError(f"`x` must be a batch, shape (m, …), got {x.shape}")
    out, taps = walked(apply, params, x)
    if not taps:
        raise ValueError(
            "`net` has no product or convolution of examples with parameters outside of loops and branches: there is "
            "no layer to look at"
        )
    signs = jax.random.rademacher(jax.random.key(0), out.shape, out.dtype)
    at_z, at_params = back(apply, params, x, loss or (lambda out: jnp.sum(signs * out) / len(x)), taps)
    leaves = jax.tree.leaves(at_params)
    rows = []
    for k, (tap, g) in enumerate(zip(taps, at_z, strict=True)):
        last = k == len(taps) - 1
        a = out if last else taps[k + 1].data
        rows.append(
            {
                "layer": tap.name,
                "units": a.shape[-1] if a.ndim else 1,
                "activation": rms(a),
                "gradient": len(x) ** 0.5 * _norm([g]),  # each example's own is m times its part of the mean's
                "weights": _norm([leaves[i] for i in tap.leaves]),
                "dead": 0.0 if last else float(jnp.mean(jnp.all(a.reshape(-1, a.shape[-1]) == 0, axis=0))),
                "saturated": None,
            }
        )
    return rows


def _norm(leaves: Any) -> float:
    return float(jnp.sqrt(sum((jnp.sum(jnp.square(g.astype(jnp.float32))) for g in leaves), jnp.zeros(()))))
