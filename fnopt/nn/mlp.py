"""Feedforward networks of any depth and width: a^[0] = x, z^[l] = a^[l−1] W^[l] + b^[l], a^[l] = g(z^[l])."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from fnopt import tree
from fnopt._checks import one_of
from fnopt._types import Params, Stats
from fnopt.nn import activations, initializers
from fnopt.nn._structure import count, only, per_layer, same_layers, same_stats
from fnopt.nn.batch_norm import batch_norm, init_stats
from fnopt.nn.dense import dense
from fnopt.nn.dropout import dropout as drop
from fnopt.nn.masks import mask, real

PerLayer = ArrayLike | Sequence[ArrayLike | None] | None

_SLOPE = 0.25  # where the learned slope of a parametric ReLU starts
_WHOLE = ("softmax", "hardmax")  # activations that look at the whole layer, so that padding must be out of it before


@dataclass(frozen=True)
class MLP:
    """A network's structure, made by :func:`mlp`; hashable, and equal to another of the same structure.

    Parameters are ``{"hidden_0": {"weight", "bias"}, …, "output": {"weight", "bias"}}`` with weights of
    shape=(inputs, units); under batch norm a hidden layer has ``scale`` and ``shift`` for its ``bias``, and with
    parametric ReLU a ``slope``. Stats are ``{"hidden_0": {"mean", "var", "seen"}, …}`` under batch norm, else ``()``.
    """

    hidden: tuple[int, ...]
    out: int
    activation: str = "relu"
    norm: str | None = None
    initializer: str = "he"
    output: str = "identity"
    dtype: Any = field(default=None)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the hidden layers, in order."""
        return tuple(f"hidden_{index}" for index in range(len(self.hidden)))

    def init(self, key: chex.PRNGKey, features: int, units: PerLayer = None) -> tuple[Params, Stats]:
        """``(params, stats)`` at the start: random weights, biases 0.

        Args:
            key: layer l draws from ``fold_in(key, l)``, a unit from that and its own number.
            features: how many numbers an example has, at least 1.
            units: how many units of a hidden layer are real, in (0, its width], see ``masks``: one number, or one a
                hidden layer, None in it for all of a layer; each may be traced. The real ones start as in a network
                of that width, to the bit; all that belongs to the others is 0. None: no padding, and no cost.

        Raises:
            ValueError: for no features, for units out of range, and for units with orthogonal weights.

        >>> params, stats = mlp(hidden=(3,), out=1).init(jax.random.key(0), features=2)
        >>> jax.tree.map(jnp.shape, params)
        {'hidden_0': {'bias': (3,), 'weight': (2, 3)}, 'output': {'bias': (1,), 'weight': (3, 1)}}
        """
        dtype = jnp.result_type(float) if self.dtype is None else self.dtype
        some = (None, *self._real(units), None)
        params, stats = {}, {}
        sizes = (count("features", features), *self.hidden, self.out)
        for index, (name, keys) in enumerate(zip((*self.layers, "output"), _keys(key, sizes[1:]), strict=True)):
            (fan_in, width), (inputs, few) = sizes[index : index + 2], some[index : index + 2]
            layer = {"weight": initializers.drawn(*keys, fan_in, self.initializer, dtype, inputs, few)}
            if name == "output" or self.norm is None:
                layer["bias"] = jnp.zeros(width, dtype)
            else:
                layer |= {"scale": _masked(jnp.ones(width, dtype), few), "shift": jnp.zeros(width, dtype)}
                stats[name] = init_stats(width, dtype)
            if name != "output" and self.activation == "prelu":
                layer["slope"] = _masked(jnp.full(width, _SLOPE, dtype), few)
            params[name] = layer
        return params, stats if self.norm else ()

    def size(self, features: int) -> int:
        """How many parameters the network has.

        >>> mlp(hidden=(64,), out=10).size(100)
        7114
        """
        return tree.size(jax.eval_shape(lambda: self.init(jax.random.key(0), features)[0]))

    def forward(
        self,
        params: Params,
        stats: Stats,
        x: Array,
        *,
        dropout: PerLayer = None,
        key: chex.PRNGKey | None = None,
        train: bool = False,
        weight: Array | None = None,
        slope: ArrayLike | None = None,
        norm_decay: ArrayLike | None = None,
        norm_eps: ArrayLike | None = None,
        norm_unbiased: ArrayLike | None = None,
        norm_bias_correction: ArrayLike | None = None,
        norm_start: ArrayLike | None = None,
        units: PerLayer = None,
    ) -> tuple[Array, Stats]:
        """``(outputs, stats)``; outputs are logits, unless the network was given an ``output`` activation.

        Args:
            params: as from :meth:`init`.
            stats: as from :meth:`init`, or what the last training step gave back.
            x: shape=(batch, features), or (features,) for one example (in training not under batch norm).
            dropout: the rate, in [0, 1], at which hidden units are dropped: one number, or one a hidden layer, None
                in it for a layer without. None: no dropout at all, and no cost. Counts only in training.
            key: for dropout in training; layer l draws from ``fold_in(key, l)``.
            train: whether dropout drops and batch norm uses the batch, and collects.
            weight: shape=(batch,), how much each example counts in batch norm; 0 for padding.
            slope: of ``"leaky_relu"``, or alpha of ``"elu"``; None for the usual one.
            norm_decay: a number of batch norm, as the following, see ``batch_norm``; None for the usual one.
            norm_eps: as above.
            norm_unbiased: as above.
            norm_bias_correction: as above.
            norm_start: as above.
            units: how many units of each hidden layer are real, as for :meth:`init`; the others put out 0.

        Returns:
            outputs, shape=(batch, out) or (out,), in at least float32; and stats, new ones in training.

        Raises:
            ValueError: for x of other features than the weights, dropout without a key, as many rates or units as
                there are no layers, a number that this structure does not have, a concrete number out of range.

        >>> net = mlp(hidden=(8, 8), out=3)
        >>> params, stats = net.init(jax.random.key(0), features=4)
        >>> net.forward(params, stats, jnp.ones((5, 4)), dropout=0.5, key=jax.random.key(1), train=True)[0].shape
        (5, 3)
        """
        numbers = {
            "norm_decay": norm_decay,
            "norm_eps": norm_eps,
            "norm_unbiased": norm_unbiased,
            "norm_bias_correction": norm_bias_correction,
            "norm_start": norm_start,
        }
        rates = per_layer("dropout", dropout if train else None, len(self.hidden))
        if key is None and any(rate is not None for rate in rates):
            raise ValueError("dropout in training needs a key: write forward(…, dropout=…, key=key, train=True)")
        hidden, stats = self._hidden(params, stats, x, rates, key, train, weight, slope, numbers, units)
        return self._outputs(params, hidden[-1] if hidden else x), stats

    def activations(
        self,
        params: Params,
        stats: Stats,
        x: Array,
        *,
        slope: ArrayLike | None = None,
        norm_decay: ArrayLike | None = None,
        norm_eps: ArrayLike | None = None,
        norm_unbiased: ArrayLike | None = None,
        norm_bias_correction: ArrayLike | None = None,
        norm_start: ArrayLike | None = None,
        units: PerLayer = None,
    ) -> dict[str, Array]:
        """What each layer puts out, by its name, outside training: dead or saturated units, fading signals show here.

        Args:
            params: as for :meth:`forward`, and so all that follow.

        >>> net = mlp(hidden=(8,), out=3)
        >>> params, stats = net.init(jax.random.key(0), features=4)
        >>> jax.tree.map(jnp.shape, net.activations(params, stats, jnp.ones((5, 4))))
        {'hidden_0': (5, 8), 'output': (5, 3)}
        """
        numbers = {
            "norm_decay": norm_decay,
            "norm_eps": norm_eps,
            "norm_unbiased": norm_unbiased,
            "norm_bias_correction": norm_bias_correction,
            "norm_start": norm_start,
        }
        no_rates = (None,) * len(self.hidden)
        hidden, _ = self._hidden(params, stats, x, no_rates, None, False, None, slope, numbers, units)
        outputs = self._outputs(params, hidden[-1] if hidden else x)
        return dict(zip((*self.layers, "output"), (*hidden, outputs), strict=True))

    def _hidden(
        self,
        params: Any,
        stats: Any,
        x: Array,
        rates: Sequence[ArrayLike | None],
        key: chex.PRNGKey | None,
        train: bool,
        weight: Array | None,
        slope: ArrayLike | None,
        numbers: dict[str, ArrayLike | None],
        units: PerLayer,
    ) -> tuple[list[Array], Stats]:
        """The activations of the hidden layers, and the stats."""
        given = only(numbers, "norm='batch'", self.norm is not None)
        norm = {name.removeprefix("norm_"): x for name, x in given.items()}
        only({"slope": slope}, "activation='leaky_relu' or 'elu'", self.activation in activations.NUMBERED)
        same_layers({name: self._parts(name) for name in (*self.layers, "output")}, params)
        if self.norm:
            same_stats(self.layers, stats)
        hidden, collected = [], {}
        for index, (name, few) in enumerate(zip(self.layers, self._real(units), strict=True)):
            layer = params[name]
            z = dense(hidden[-1] if hidden else x, layer["weight"], layer.get("bias"))
            if self.norm:
                z, collected[name] = batch_norm(
                    z, layer["scale"], layer["shift"], stats[name], train=train, weight=weight, **norm
                )
            if self.activation in _WHOLE:
                z = _masked(z, few, -jnp.inf)
            a = _masked(activations.activate(self.activation, z, layer.get("slope", slope)), few)
            rate = rates[index]
            hidden.append(a if rate is None or key is None else drop(a, rate, jax.random.fold_in(key, index)))
        return hidden, collected if self.norm and train else stats

    def _outputs(self, params: Any, a: Array) -> Array:
        """The last layer, which has neither norm nor dropout."""
        return activations.activate(self.output, dense(a, params["output"]["weight"], params["output"]["bias"]))

    def _real(self, units: PerLayer) -> list[Array | None]:
        """How many units of each hidden layer are real, None where all of them are."""
        many = zip(per_layer("units", units, len(self.hidden)), self.hidden, strict=True)
        return [None if few is None else real("units", few, width) for few, width in many]

    def _parts(self, name: str) -> set[str]:
        """The names of a layer's parameters."""
        if name == "output":
            return {"weight", "bias"}
        parts = {"weight", "scale", "shift"} if self.norm else {"weight", "bias"}
        return {*parts, "slope"} if self.activation == "prelu" else parts


def _keys(key: chex.PRNGKey, widths: tuple[int, ...]) -> list[tuple[chex.PRNGKey, chex.PRNGKey]]:
    """Of each layer, what it draws from and what each of its units does: two loops in the program for all layers."""
    layers = initializers.unit_keys(key, len(widths))
    layer_of, number = np.repeat(np.arange(len(widths)), widths), np.concatenate([np.arange(w) for w in widths])
    units = jax.vmap(jax.random.fold_in)(layers[layer_of], number)
    ends = np.cumsum(widths)
    return [(layers[i], units[end - width : end]) for i, (end, width) in enumerate(zip(ends, widths, strict=True))]


def _masked(x: Array, units: Array | None, padding: float = 0.0) -> Array:
    return x if units is None else mask(x, units, padding)


def mlp(
    hidden: int | Sequence[int] = (),
    out: int = 1,
    activation: str = "relu",
    norm: str | None = None,
    init: str = "he",
    output: str = "identity",
    dtype: Any = None,
) -> MLP:
    """A feedforward network's structure; without hidden layers it is linear, logistic or softmax regression.

    Args:
        hidden: units of each hidden layer, each at least 1.
        out: outputs: a value, a logit for two classes, C logits, one logit a label.
        activation: of the hidden layers, a key of ``activations.TABLE``.
        norm: None, or ``"batch"`` for batch norm on z before the activation of each hidden layer.
        init: of the weights, one of ``initializers.NAMES``; biases are 0.
        output: an activation for the outputs. Leave ``"identity"`` for the losses that take logits, where sigmoid and
            softmax stand, stable.
        dtype: of the parameters; the default float type if None. Arithmetic is in at least float32.

    Raises:
        ValueError: for an unknown name, with the nearest; for a width below 1; for a dtype that is not floating.

    >>> net = mlp(hidden=(64, 64), out=10, norm="batch")
    >>> net.layers
    ('hidden_0', 'hidden_1')
    >>> mlp(hidden=(0,))
    Traceback (most recent call last):
        ...
    ValueError: `hidden` must be an integer of at least 1, got 0
    """
    widths = tuple(hidden) if isinstance(hidden, Sequence) else (hidden,)
    if dtype is not None and not jnp.issubdtype(jnp.dtype(dtype), jnp.floating):
        raise ValueError(f"`dtype` must be a floating type such as 'float32', got {jnp.dtype(dtype).name!r}")
    return MLP(
        hidden=tuple(count("hidden", width) for width in widths),
        out=count("out", out),
        activation=one_of("activation", activation, activations.TABLE),
        norm=None if norm is None else one_of("norm", norm, ("batch",)),
        initializer=one_of("init", init, initializers.NAMES),
        output=one_of("output", output, [name for name in activations.TABLE if name != "prelu"]),
        dtype=None if dtype is None else jnp.dtype(dtype),
    )
