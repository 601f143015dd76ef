"""The variance of a mini-batch gradient falls as 1/b, and is that of the single examples' gradients over b."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

KEY = jax.random.key(0)
SIZES = (1, 8, 64)


def small():
    """A linear model of 64 examples: its loss, parameters and data."""
    x = jax.random.normal(jax.random.fold_in(KEY, 1), (64, 3))
    y = jax.random.normal(jax.random.fold_in(KEY, 2), (64,))
    params = {"bias": jnp.zeros(()), "weight": jnp.array([1.0, -1.0, 0.5])}
    return lambda p, batch: jnp.mean(jnp.square(batch[0] @ p["weight"] + p["bias"] - batch[1])), params, (x, y)


def test_the_slope_is_minus_one_in_every_leaf():
    loss, params, data = small()
    noise = fo.check.gradient_noise(loss, params, data, SIZES, KEY, draws=1000)
    np.testing.assert_allclose(noise.slopes, -1, atol=0.05)
    each = jax.vmap(lambda x, y: jax.grad(loss)(params, (x[None], y[None])))(*data)
    exact = [float(jnp.sum(jnp.var(g, axis=0))) for g in jax.tree.leaves(each)]
    for k, size in enumerate(SIZES):
        np.testing.assert_allclose(noise.variance[:, k] * size, exact, rtol=0.25)
    full = jax.tree.leaves(jax.grad(loss)(params, data))
    np.testing.assert_allclose(noise.full, [float(jnp.linalg.norm(g)) for g in full], rtol=1e-5)
    assert (noise.bias < 6).all() and noise.leaves == ("bias", "weight")
    row = noise.table[1]
    assert row["critical"] == pytest.approx(exact[1] / noise.full[1] ** 2, rel=0.2)
    assert "b=64" in str(noise) and len(str(noise).splitlines()) == 4


def test_a_loss_that_looks_at_the_batch_as_a_whole_shows():
    """(mean x)² w: at b = 1 its gradient has the mean of x², which is not the square of the mean."""
    x = jax.random.normal(KEY, (64, 1))
    noise = fo.check.gradient_noise(lambda w, x: jnp.sum(w * jnp.square(jnp.mean(x))), jnp.ones(1), x, (1, 8), KEY)
    assert noise.bias[0] > 6 and noise.slopes[0] < -1.4


def test_a_dataset_will_do_and_mistakes_are_named():
    data = fo.data.dataset(np.ones((4, 2), np.float32), np.zeros(4, np.float32))
    noise = fo.check.gradient_noise(lambda w, batch: jnp.mean(batch.x @ w - batch.y), jnp.ones(2), data, (2,), KEY)
    assert noise.variance.max() == 0 and np.isnan(noise.slopes).all()
    with pytest.raises(ValueError, match="is empty"):
        fo.check.gradient_noise(lambda w, x: jnp.sum(w), jnp.ones(1), jnp.ones(3), (), KEY)
    with pytest.raises(ValueError, match=r"\[2, 3\] rows"):
        fo.check.gradient_noise(lambda w, x: jnp.sum(w), jnp.ones(1), (jnp.ones(3), jnp.ones(2)), (1,), KEY)
    with pytest.raises(ValueError, match="`draws` must be a whole number ≥ 200"):
        fo.check.gradient_noise(lambda w, x: jnp.sum(w), jnp.ones(1), jnp.ones(3), (1,), KEY, draws=10)
