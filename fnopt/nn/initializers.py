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

from fnopt._checks import one_of

# The standard deviation of a standard normal cut at -2 and 2.
_TRUNCATED = 0.87962566103423978

_VARIANCES = {
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
}

NAMES = (*(name + kind for name in _VARIANCES for kind in ("", "_uniform", "_truncated")), "orthogonal", "zeros")
"""Every initialization that :func:`initialize` knows."""


def initialize(key: chex.PRNGKey, fan_in: int, fan_out: int, name: str = "he", dtype: Any = None) -> Array:
    """Initial weights of a layer, one column a unit.

    Column j is drawn from ``fold_in(key, j)``, so that the first 20 units of a layer of 32 are those of a layer of 20;
    and the draws of the first inputs are the same, before scaling, when there are more (``orthogonal`` apart).

    Args:
        key: what the draws depend on, with the shape and nothing else.
        fan_in: inputs of each unit, at least 1.
        fan_out: units, at least 1.
        name: one of ``NAMES``, see the module.
        dtype: of the weights; the default float type if None. Half types are drawn in float32.

    Returns:
        weights, shape=(fan_in, fan_out).

    Raises:
        ValueError: for an unknown name, with the nearest.

    >>> initialize(jax.random.key(0), 3, 2, "zeros").shape
    (3, 2)
    >>> narrow, wide = (initialize(jax.random.key(0), 3, units) for units in (2, 4))
    >>> bool((wide[:, :2] == narrow).all())
    True
    """
    one_of("init", name, NAMES)
    dtype = jnp.dtype(jnp.result_type(float) if dtype is None else dtype)
    draw = jnp.float64 if dtype == jnp.float64 else jnp.float32
    if name == "zeros":
        return jnp.zeros((fan_in, fan_out), dtype)
    if name == "orthogonal":
        return jax.nn.initializers.orthogonal()(key, (fan_in, fan_out), draw).astype(dtype)
    family, _, kind = name.partition("_")
    deviation = math.sqrt(_VARIANCES[family](fan_in, fan_out))

    def unit(j: Array) -> Array:
        return _standard(jax.random.fold_in(key, j), fan_in, kind, draw)

    return (deviation * jax.vmap(unit, out_axes=1)(jnp.arange(fan_out))).astype(dtype)


def _standard(key: chex.PRNGKey, n: int, kind: str, dtype: Any) -> Array:
    """Draws of mean 0 and variance 1."""
    if kind == "uniform":
        # 2u − 1 is exact, so that no compiler can round it in two ways for two widths
        return math.sqrt(3) * (2 * jax.random.uniform(key, (n,), dtype) - 1)
    if kind == "truncated":
        return jax.random.truncated_normal(key, -2, 2, (n,), dtype) / _TRUNCATED
    return jax.random.normal(key, (n,), dtype)
