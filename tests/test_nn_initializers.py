"""Initial weights: the variance of each name, stability under a change of width, dtypes, symmetry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn
from fnopt.nn.initializers import NAMES

FAN_IN, FAN_OUT = 300, 200
VARIANCE = {"he": 2 / FAN_IN, "lecun": 1 / FAN_IN, "glorot": 1 / ((FAN_IN + FAN_OUT) / 2)}
RANDOM = [name for name in NAMES if name not in ("orthogonal", "zeros")]
KURTOSIS = {"": 3.0, "uniform": 9 / 5, "truncated": 2.366}  # of each distribution, from its density


@pytest.mark.parametrize("name", RANDOM)
def test_mean_variance_and_shape_of_the_distribution(name):
    family, _, kind = name.partition("_")
    w = np.asarray(nn.initialize(jax.random.key(0), FAN_IN, FAN_OUT, name), np.float64)
    assert w.shape == (FAN_IN, FAN_OUT)
    deviation = np.sqrt(VARIANCE[family])
    assert abs(w.mean()) < 4 * deviation / np.sqrt(w.size)
    assert w.var() == pytest.approx(VARIANCE[family], rel=0.03)
    assert np.mean((w / deviation) ** 4) == pytest.approx(KURTOSIS[kind], rel=0.05)
    bound = {"": np.inf, "uniform": np.sqrt(3), "truncated": 2 / 0.8796}[kind]
    assert np.abs(w).max() <= bound * deviation * 1.0001


def test_kurtosis_of_the_table_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    assert stats.truncnorm(-2, 2).stats("k") + 3 == pytest.approx(KURTOSIS["truncated"], abs=1e-3)
    assert stats.truncnorm(-2, 2).std() == pytest.approx(0.87962566)


@pytest.mark.parametrize("name", RANDOM)
def test_a_layer_of_20_is_the_beginning_of_one_of_32(name):
    key = jax.random.key(3)
    narrow, wide = (np.asarray(nn.initialize(key, 7, units, name)) for units in (20, 32))
    if name.startswith("glorot"):  # whose scale depends on the number of units
        narrow, wide = narrow * np.sqrt(27), wide * np.sqrt(39)
    np.testing.assert_allclose(wide[:, :20], narrow, rtol=2e-6)
    if not name.startswith("glorot"):
        np.testing.assert_array_equal(wide[:, :20], narrow)


@pytest.mark.parametrize("name", ["he", "lecun_uniform", "glorot_truncated"])
def test_more_inputs_keep_the_draws_of_the_first_up_to_scale(name):
    key = jax.random.key(3)
    few, many = (np.asarray(nn.initialize(key, fan_in, 9, name)) for fan_in in (20, 33))
    scale = np.sqrt((33 + 9) / (20 + 9)) if name.startswith("glorot") else np.sqrt(33 / 20)
    np.testing.assert_allclose(many[:20] * scale, few, rtol=2e-6)


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (6, 6)])
def test_orthogonal(shape):
    w = np.asarray(nn.initialize(jax.random.key(1), *shape, "orthogonal"))
    product = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_dtype_and_units_that_differ(name, dtype):
    w = nn.initialize(jax.random.key(1), 4, 3, name, dtype)
    assert w.dtype == jnp.dtype(dtype)
    assert bool(jnp.isfinite(w).all())
    alike = bool((w[:, 0] == w[:, 1]).all())
    assert alike == (name == "zeros")
    exact = nn.initialize(jax.random.key(1), 4, 3, name)
    np.testing.assert_allclose(np.asarray(w, np.float32), np.asarray(exact), rtol=2**-8)


@pytest.mark.usefixtures("x64")
def test_float64_is_drawn_in_float64():
    w = nn.initialize(jax.random.key(1), 4, 3)
    assert w.dtype == jnp.float64
    assert bool((w.astype(jnp.float32).astype(jnp.float64) != w).all())


def test_unknown_name_gets_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'glorot_uniform'"):
        nn.initialize(jax.random.key(0), 2, 2, "glorot_unifrom")


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_zeros_never_break_symmetry(activation):
    net = nn.mlp(hidden=(4,), out=1, activation=activation, init="zeros")
    x = jax.random.normal(jax.random.key(0), (16, 3))
    y = jnp.sin(x[:, :1]) + 1

    def spread(net, steps=20):
        params, stats = net.init(jax.random.key(1), features=3)
        gradient = jax.jit(jax.grad(lambda p: jnp.mean((net.forward(p, stats, x)[0] - y) ** 2)))
        for _ in range(steps):
            params = jax.tree.map(lambda p, g: p - 0.1 * g, params, gradient(params))
        assert float(params["output"]["bias"][0]) > 0.1  # it does learn something
        w = params["hidden_0"]["weight"]
        return float(jnp.abs(w - w[:, :1].repeat(4, axis=1)).max())

    assert spread(net) == 0
    assert spread(nn.mlp(hidden=(4,), out=1, activation=activation)) > 0.1
