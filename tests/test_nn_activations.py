"""Activations against their formulas in float64, at the edges, in every dtype, and their numbers."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn
from fnopt.nn.activations import NUMBERED, TABLE

erf = np.vectorize(math.erf)


def _softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


FORMULA = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "arctan": np.arctan,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "softmax": _softmax,
    "hardmax": lambda z: np.eye(z.shape[-1])[z.argmax(axis=-1)],
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "silu": lambda z: z / (1 + np.exp(-z)),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "selu": lambda z: 1.05070098 * np.where(z > 0, z, 1.67326324 * (np.exp(np.minimum(z, 0)) - 1)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "prelu": lambda z: np.where(z > 0, z, np.array([0.1, 0.2, 0.3, 0.4]) * z),
}
SLOPES = jnp.array([0.1, 0.2, 0.3, 0.4])
NAMES = sorted(TABLE)


def apply(name, z):
    return nn.activate(name, z, SLOPES if name == "prelu" else None)


@jax.jit
def all_of_them(z, cotangent):
    """Value and pulled-back cotangent of every activation, in one program."""
    results = {}
    for name in NAMES:
        value, pull = jax.vjp(lambda z, name=name: apply(name, z), z)
        results[name] = value, pull(cotangent)[0]
    return results


def test_every_activation_has_a_formula():
    assert set(FORMULA) == set(TABLE)
    assert all(getattr(nn, name) is TABLE[name] for name in TABLE)


@pytest.mark.parametrize("name", NAMES)
def test_formula(name):
    z = np.random.default_rng(0).normal(0, 3, (20, 4)).astype(np.float32)
    value, _ = all_of_them(z, z)[name]
    np.testing.assert_allclose(value, FORMULA[name](z.astype(np.float64)), rtol=2e-5, atol=2e-6)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_two_sided_difference_of_the_formula(name):
    z = np.random.default_rng(1).normal(0, 2, (6, 4))
    cotangent = np.random.default_rng(2).normal(size=z.shape)
    _, gradient = all_of_them(z, cotangent)[name]
    expected = np.empty_like(z)
    for place in np.ndindex(*z.shape):
        up, down = z.copy(), z.copy()
        up[place] += 1e-6
        down[place] -= 1e-6
        expected[place] = np.sum(cotangent * (FORMULA[name](up) - FORMULA[name](down))) / 2e-6
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_finite_and_dtype_kept_at_the_edges(name, dtype):
    z = jnp.array([[-1e4, 1e4, 0.0, -0.0], [1e4, 1e4, -1e4, 50.0]], dtype)
    value, slope = all_of_them(z, jnp.ones_like(z))[name]
    assert value.dtype == slope.dtype == z.dtype
    assert bool(jnp.isfinite(value).all())
    assert bool(jnp.isfinite(slope).all())


@pytest.mark.parametrize("z", [-1e30, 1e30])
@pytest.mark.parametrize("name", NAMES)
def test_even_absurd_inputs_are_finite(name, z):
    z = np.full((2, 4), z, np.float32)
    value, slope = all_of_them(z, np.ones_like(z))[name]
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    ("name", "at_zero"),
    [("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0), ("selu", 1.7580993), ("softplus", 0.5), ("silu", 0.5)],
)
def test_derivative_at_zero_is_that_of_the_negative_side(name, at_zero):
    for zero in (0.0, -0.0):
        assert float(jax.grad(TABLE[name])(jnp.array(zero))) == pytest.approx(at_zero)


def test_half_types_compute_in_float32():
    z = jnp.linspace(-4, 4, 64, dtype=jnp.bfloat16)
    wide = nn.gelu(z.astype(jnp.float32)).astype(jnp.bfloat16)
    np.testing.assert_array_equal(np.asarray(nn.gelu(z), np.float32), np.asarray(wide, np.float32))


@pytest.mark.parametrize("name", NUMBERED)
def test_the_number_vmapped_is_a_loop_and_one_trace(name):
    z, values, traces = jnp.linspace(-3, 3, 12).reshape(3, 4), jnp.array([0.0, 0.3, 1.0]), []

    @jax.jit
    def f(slope):
        traces.append(slope)
        return jax.value_and_grad(lambda s: nn.activate(name, z, s).sum())(slope)

    loop = [f(v) for v in values]
    assert len(traces) == 1
    value, gradient = jax.vmap(f)(values)
    np.testing.assert_allclose(value, [a for a, _ in loop], rtol=1e-6)
    np.testing.assert_allclose(gradient, [b for _, b in loop], rtol=1e-6)
    below = np.minimum(np.asarray(z, np.float64), 0)
    expected = below.sum() if name == "leaky_relu" else np.expm1(below).sum()
    np.testing.assert_allclose(gradient, [expected] * 3, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(TABLE) - {*NUMBERED, "prelu"}))
def test_a_number_where_there_is_none_is_an_error(name):
    with pytest.raises(ValueError, match=f"'{name}' has no slope"):
        nn.activate(name, jnp.ones(2), 0.1)


def test_unknown_name_gets_the_nearest_and_a_schedule_a_cure():
    with pytest.raises(ValueError, match="did you mean 'sigmoid'"):
        nn.activate("sigmoyd", jnp.ones(2))
    with pytest.raises(TypeError, match="call the schedule with its step"):
        nn.leaky_relu(jnp.ones(2), lambda step: 0.1)


def test_against_torch():
    torch = pytest.importorskip("torch")
    z = np.random.default_rng(4).normal(0, 3, (8, 4)).astype(np.float32)
    f = torch.nn.functional
    theirs = {
        "leaky_relu": lambda t: f.leaky_relu(t, 0.01),
        "prelu": lambda t: f.prelu(t, torch.tensor(np.array(SLOPES))),
        "gelu": f.gelu,
        "silu": f.silu,
        "elu": f.elu,
        "selu": f.selu,
        "softplus": f.softplus,
        "softmax": lambda t: f.softmax(t, dim=-1),
    }
    for name, g in theirs.items():
        np.testing.assert_allclose(apply(name, jnp.asarray(z)), g(torch.tensor(z)), rtol=1e-5, atol=1e-6, err_msg=name)
