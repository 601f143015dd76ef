"""Initial weights: random with a variance that keeps signals alive through the layers, orthogonal, or zero.

Each name of a variance stands for a normal distribution; with ``_uniform`` or ``_truncated`` behind it, for a uniform
one or a normal one cut at two standard deviations, of the same variance.

    he          Var w = 2 / fan_in       for ReLU and its kin
    lecun       Var w = 1 / fan_in       for SELU, or where signals pass unchanged; some texts call it "Glorot"
    glorot      Var w = 1 / fan_avg      fan_avg = (fan_in + fan_out) / 2, for tanh and sigmoid; also "Xavier"
    orthogonal  rows or columns (the fewer) are orthonormal
    zeros       all units of a layer stay alike for ever: to be seen, not to be used in hidden layers

Sources: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015, https://arxiv.org/abs/1502.01852;
LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998; Glorot and Bengio, "Understanding the difficulty of training
deep feedforward neural networks", 2010, https://proceedings.mlr.press/v9/glorot10a.html; Saxe, McClelland and Ganguli,
"Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013,
https://arxiv.org/abs/1312.6120.
"""

import math
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import one_of
from fnopt.nn.masks import mask, real

_SPREAD = {"": 1.0, "uniform": 1 / math.sqrt(3), "truncated": 0.87962566103423978}
"""The standard deviation of what is drawn: N(0, 1), U(−1, 1), and N(0, 1) cut at −2 and 2."""

_VARIANCE = {"he": 2, "lecun": 1, "glorot": 2}
"""a of Var w = a / n, where n is fan_in, or fan_in + fan_out for Glorot's."""

NAMES = (*(name + kind for name in _VARIANCE for kind in ("", "_uniform", "_truncated")), "orthogonal", "zeros")
"""Every initialization that :func:`initialize` knows."""


def initialize(
    key: chex.PRNGKey,
    fan_in: int,
    fan_out: int,
    name: str = "he",
    dtype: Any = None,
    *,
    inputs: ArrayLike | None = None,
    units: ArrayLike | None = None,
) -> Array:
    """Initial weights of a layer, one column a unit.

    Column j is drawn from ``fold_in(key, j)``, so that the first 20 units of a layer of 32 are those of a layer of 20;
    and the draws of the first inputs are the same, before scaling, when there are more (``orthogonal`` apart).

    Args:
        key: what the draws depend on, with the shape and nothing else.
        fan_in: inputs of each unit, at least 1.
        fan_out: units, at least 1.
        name: one of ``NAMES``, see the module.
        dtype: of the weights; the default float type if None. Half types are drawn in float32.
        inputs: how many of the inputs are real, in (0, fan_in], see ``masks``; None for all of them. The weights of
            the others are 0, and the variance is that of a layer without them.
        units: how many of the units are real, in (0, fan_out]; None for all of them.

    Returns:
        weights, shape=(fan_in, fan_out); with ``inputs`` or ``units`` the real ones are those of the layer that has
        no others, to the bit.

    Raises:
        ValueError: for an unknown name, with the nearest; for ``orthogonal`` with ``inputs`` or ``units``; for a
            concrete number out of range. A traced one gives NaN.

    >>> initialize(jax.random.key(0), 3, 2, "zeros").shape
    (3, 2)
    >>> narrow, wide = (initialize(jax.random.key(0), 3, units) for units in (2, 4))
    >>> bool((wide[:, :2] == narrow).all())
    True
    """
    return drawn(key, unit_keys(key, fan_out), fan_in, name, dtype, inputs, units)


def unit_keys(key: chex.PRNGKey, count: int) -> chex.PRNGKey:
    """What each unit of a layer draws from, shape=(count,)."""
    return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, jnp.arange(count))


def drawn(
    key: chex.PRNGKey,
    keys: chex.PRNGKey,
    fan_in: int,
    name: str,
    dtype: Any,
    inputs: ArrayLike | None,
    units: ArrayLike | None,
) -> Array:
    """:func:`initialize` with the units' keys made: those of all layers at once compile once."""
    one_of("init", name, NAMES)
    fan_out = len(keys)
    dtype = jnp.dtype(jnp.result_type(float) if dtype is None else dtype)
    draw = jnp.float64 if dtype == jnp.float64 else jnp.float32
    if name == "zeros":
        return jnp.zeros((fan_in, fan_out), dtype)
    if name == "orthogonal":
        if inputs is not None or units is not None:
            raise ValueError(f"init 'orthogonal' works on whole layers and cannot leave units out; take {NAMES[0]!r}")
        return jax.nn.initializers.orthogonal()(key, (fan_in, fan_out), draw).astype(dtype)
    kind = name.partition("_")[2]

    # Apart from the scaling, so that no compiler can contract the two in one way for one width and not for another.
    draws = jax.lax.optimization_barrier(jax.vmap(lambda unit: _draws(unit, fan_in, kind, draw), out_axes=1)(keys))
    if inputs is None and units is None:
        return (_deviation(name, _fan(name, fan_in, fan_out)) * draws).astype(dtype)
    few_in = real("inputs", fan_in if inputs is None else inputs, fan_in)
    few_out = real("units", fan_out if units is None else units, fan_out)
    # Looked up, since a compiled division or root need not give the same bits.
    table = [_deviation(name, n) for n in range(1, _fan(name, fan_in, fan_out) + 1)]
    deviation = jnp.array(table, draw)[_fan(name, few_in, few_out).astype(jnp.int32) - 1]
    return mask(mask(deviation * draws, few_in, axis=0), few_out).astype(dtype)


def _fan(name: str, fan_in: Any, fan_out: Any) -> Any:
    """n of a name's variance a / n, from numbers or traced ones."""
    return fan_in + fan_out if name.startswith("glorot") else fan_in


def _deviation(name: str, n: int) -> float:
    """√(a / n), over the standard deviation of the draws."""
    family, _, kind = name.partition("_")
    return math.sqrt(_VARIANCE[family] / n) / _SPREAD[kind]


def _draws(key: chex.PRNGKey, n: int, kind: str, dtype: Any) -> Array:
    """Draws of mean 0 and standard deviation ``_SPREAD``."""
    if kind == "uniform":
        return 2 * jax.random.uniform(key, (n,), dtype) - 1  # which is exact
    if kind == "truncated":
        return jax.random.truncated_normal(key, -2, 2, (n,), dtype)
    return jax.random.normal(key, (n,), dtype)
