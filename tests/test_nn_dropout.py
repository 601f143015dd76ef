"""Dropout: exact at both ends, right in the mean, one draw for all rates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn

KEY = jax.random.key(7)
X = jax.random.normal(jax.random.key(0), (64, 33))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_rate_0_is_the_identity_and_rate_1_is_0_both_with_finite_gradients(dtype):
    x = X.astype(dtype)

    def total(x, rate):
        return nn.dropout(x, rate, KEY).astype(jnp.float32).sum()

    for rate, output, slope in ((0.0, x, 1.0), (1.0, 0 * x, 0.0)):
        out = nn.dropout(x, rate, KEY)
        assert out.dtype == x.dtype
        np.testing.assert_array_equal(np.asarray(out, np.float32), np.asarray(output, np.float32))
        by_x, by_rate = jax.jit(jax.grad(total, argnums=(0, 1)))(x, np.float32(rate))
        np.testing.assert_array_equal(np.asarray(by_x, np.float32), np.full(x.shape, slope))
        assert bool(jnp.isfinite(by_rate))


@pytest.mark.parametrize("rate", [0.003, 0.1, 0.5, 0.9, 0.99])
def test_share_dropped_survivors_and_mean(rate):
    x = jnp.ones((400, 501))
    out = np.asarray(nn.dropout(x, rate, KEY), np.float64)
    n = out.size
    dropped = (out == 0).mean()
    assert abs(dropped - rate) < 4 * np.sqrt(rate * (1 - rate) / n)
    np.testing.assert_allclose(out[out != 0], 1 / (1 - rate), rtol=1e-5)
    assert abs(out.mean() - 1) < 4 * np.sqrt(rate / (1 - rate) / n)


def test_examples_units_and_halves_of_a_word_are_independent():
    kept = np.asarray(nn.dropout(jnp.ones((20_000, 6)), 0.4, KEY)) != 0
    correlation = np.corrcoef(kept.T)
    np.testing.assert_allclose(correlation, np.eye(6), atol=0.03)
    rows = np.corrcoef(kept[:-1].ravel(), kept[1:].ravel())[0, 1]
    assert abs(rows) < 0.02


@pytest.mark.parametrize("shape", [(5,), (4, 3), (4, 1), (2, 3, 5), ()])
def test_any_shape(shape):
    out = nn.dropout(jnp.ones(shape), 0.5, KEY)
    assert out.shape == shape
    assert set(np.asarray(out).ravel().tolist()) <= {0.0, 2.0}


def test_a_higher_rate_drops_what_a_lower_one_drops():
    low, high = (np.asarray(nn.dropout(X, rate, KEY)) == 0 for rate in (0.2, 0.6))
    assert (high | ~low).all()
    assert high.sum() > low.sum()


def test_many_rates_share_one_draw():
    rates = jnp.array([0.0, 0.3, 1.0])
    program = jax.make_jaxpr(jax.vmap(nn.dropout, in_axes=(None, 0, None)))(X, rates, KEY)
    draws = [e for e in program.jaxpr.eqns if e.primitive.name == "random_bits"]
    assert len(draws) == 1
    assert draws[0].outvars[0].aval.shape == (32, 33)  # two draws a word, none an extra axis of rates


def test_rate_vmapped_is_a_loop_and_one_trace():
    rates, traces = jnp.array([0.0, 0.3, 1.0]), []

    @jax.jit
    def f(rate):
        traces.append(rate)
        return nn.dropout(X, rate, KEY)

    loop = np.stack([f(rate) for rate in rates])
    assert len(traces) == 1
    np.testing.assert_array_equal(jax.vmap(f)(rates), loop)


def test_keys_differ_and_repeat():
    a, b, again = (nn.dropout(X, 0.5, jax.random.key(k)) for k in (1, 2, 1))
    assert not bool((a == b).all())
    assert bool((a == again).all())


def test_out_of_range():
    for rate in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"`dropout` must be in \[0, 1\]"):
            nn.dropout(X, rate, KEY)
    assert bool(jnp.isnan(jax.jit(nn.dropout)(X, 1.5, KEY)).all())


def test_the_mean_is_right_near_both_ends():
    """The count of survivors is binomial and each survivor is 1 / (1 − rate): not in steps of 2⁻¹⁶."""
    rates = np.float32([1e-9, 3e-6, 7e-6, 2e-5, 0.99, 0.999, 0.9999, 0.99999, 0.999995])
    x, n = jnp.ones((1000, 4000)), 4_000_000

    @jax.jit
    @jax.vmap
    def kept(rate):
        out = nn.dropout(x, rate, KEY)
        return jnp.sum(out != 0), jnp.max(out)

    for rate, count, largest in zip(rates.astype(float), *map(np.asarray, kept(rates)), strict=True):
        deviation = np.sqrt(n * rate * (1 - rate))
        assert abs(count - n * (1 - rate)) <= 4 * deviation + 1, rate
        np.testing.assert_allclose(largest, 1 / (1 - rate), rtol=1e-6)
        if rate >= 1e-5:
            np.testing.assert_allclose(count * largest / n, 1, atol=4 * deviation / n / (1 - rate) + 1e-6)


def test_slopes_by_the_rate_are_finite_and_right():
    x = jnp.ones((40, 50))
    value = jax.jit(lambda rate: nn.dropout(x, rate, KEY).sum())
    for rate in (0.0, 1e-8, 0.3, 0.9999, 0.999999, 1.0):
        kept = float((nn.dropout(x, rate, KEY) != 0).sum())
        rate = np.float32(rate)
        slope = kept / (1 - float(rate)) ** 2 if rate < 1 else 0.0
        np.testing.assert_allclose(jax.grad(value)(rate), slope, rtol=1e-5)
    assert (np.asarray(nn.dropout(x, 1.0, KEY)) == 0).all()
    curvature = jax.hessian(value)(np.float32(0.3))
    np.testing.assert_allclose(curvature, 2 * float((nn.dropout(x, 0.3, KEY) != 0).sum()) / 0.7**3, rtol=1e-5)
