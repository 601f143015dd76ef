"""Standardization against scikit-learn, and at its edges."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import data

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", data.NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_scikit_learns(name, weighted):
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = data.load(name).x
    weight = RNG.integers(0, 4, len(x)).astype(np.float32) if weighted else None
    theirs = preprocessing.StandardScaler().fit(np.asarray(x, np.float64), sample_weight=weight)
    ours = data.standardizer(x, weight)
    varies = theirs.var_ > 0
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-6)
    np.testing.assert_allclose(ours.scale, np.sqrt(theirs.var_), rtol=1e-6)
    z = ours(x)
    assert z.dtype == jnp.float32
    expected = np.where(varies, theirs.transform(np.asarray(x, np.float64)), 0)
    np.testing.assert_allclose(z, expected, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(ours.inverse(z), x, rtol=2e-5, atol=2e-4)


def test_missing_cells_are_left_out_and_become_the_mean():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = RNG.normal(5, 3, (40, 3)).astype(np.float32)
    x[RNG.random(x.shape) < 0.3] = np.nan
    theirs = preprocessing.StandardScaler().fit(x.astype(np.float64))
    ours = data.standardizer(x)
    np.testing.assert_allclose(ours(x), np.nan_to_num(theirs.transform(x.astype(np.float64))), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("constant", [0.1, 1e6 + 0.1, -3e-30, 0.0])
def test_a_constant_feature_gives_zero(constant):
    x = np.stack([np.full(1000, constant), np.arange(1000.0)], axis=1)
    scale = data.standardizer(x)
    assert scale.scale[0] == 0
    np.testing.assert_array_equal(scale(x)[:, 0], np.zeros(1000))
    assert scale(np.array([[constant + 5, 0.0]]))[0, 0] == 0
    np.testing.assert_array_equal(scale.inverse(scale(x))[:, 0], np.full(1000, constant, np.float32))


def test_a_feature_that_is_always_missing_gives_zero():
    x = np.array([[np.nan, 1.0], [np.nan, 2.0]])
    np.testing.assert_array_equal(data.standardizer(x)(np.array([[np.nan, 1.5], [7.0, 1.5]])), np.zeros((2, 2)))


def test_a_large_mean_keeps_a_small_variance():
    x = (1e6 + np.arange(64.0) % 8 / 8).astype(np.float32)  # exact in float32; Σx² − (Σx)² would lose it all
    np.testing.assert_allclose(data.standardizer(x).scale, np.std(np.arange(8) / 8), rtol=1e-12)


@pytest.mark.parametrize("shape", [(30,), (30, 4), (30, 5, 4, 2)])
def test_any_number_of_axes(shape):
    x = RNG.normal(2, 3, shape)
    scale = data.standardizer(x)
    assert scale.mean.shape == shape[1:]
    np.testing.assert_allclose(scale(x), (x - x.mean(axis=0)) / x.std(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scale(x[3]), np.asarray(scale(x))[3], rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(scale)(jnp.asarray(x)), scale(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32, jnp.uint8, jnp.int32])
def test_results_are_at_least_float32(dtype):
    x = jnp.arange(12).reshape(4, 3).astype(dtype)
    scale = data.standardizer(x)
    assert scale(x).dtype == jnp.float32 and scale.mean.dtype == scale.scale.dtype == np.float64
    np.testing.assert_allclose(scale(x).std(axis=0), np.ones(3), rtol=1e-6)


def test_double_stays_double(x64):
    x = RNG.normal(size=(50, 2))
    scale = data.standardizer(x)
    assert scale(x).dtype == jnp.float64
    np.testing.assert_allclose(scale(x), (x - x.mean(axis=0)) / x.std(axis=0), rtol=1e-12, atol=1e-14)


def test_is_a_pytree_that_jit_and_vmap_take():
    x = jnp.asarray(data.wine().x)
    scale = data.standardizer(x)
    apply = jax.jit(lambda s, x: s(x))
    np.testing.assert_allclose(apply(scale, x), scale(x), rtol=1e-6, atol=1e-6)
    both = jax.tree.map(lambda *a: jnp.stack(a), scale, data.standardizer(2 * x))
    np.testing.assert_allclose(jax.vmap(apply, in_axes=(0, None))(both, x)[0], scale(x), rtol=1e-6, atol=1e-6)
    assert len(jax.tree.leaves(scale)) == 2


def test_traced_moments_are_the_concrete_ones():
    x = np.asarray(data.wine().x).copy()
    x[:, 2] = 4.2
    x[3, 1] = np.nan
    weight = RNG.integers(0, 3, len(x)).astype(np.float32)
    a, b = data.standardizer(x, weight), jax.jit(data.standardizer)(x, weight)
    np.testing.assert_allclose(b.mean, a.mean, rtol=1e-6)
    np.testing.assert_allclose(b.scale, a.scale, rtol=1e-5)
    assert b.scale[2] == 0


def test_gradient_at_missing_and_constant_is_zero():
    scale = data.standardizer(np.array([[1.0, 7.0, 1.0], [3.0, 7.0, 5.0]]))
    slope = jax.grad(lambda x: scale(x).sum())(jnp.array([2.0, 9.0, jnp.nan]))
    np.testing.assert_array_equal(slope, [1, 0, 0])


def test_blocks_of_rows_change_nothing_but_rounding(monkeypatch):
    x = RNG.normal(size=(20, 7))
    whole = data.standardizer(x)
    monkeypatch.setattr(sys.modules["fnopt.data._cells"], "BLOCK", 40)
    np.testing.assert_allclose(data.standardizer(x).scale, whole.scale, rtol=1e-14)


@pytest.mark.parametrize(
    ("x", "weight", "error", "words"),
    [
        (np.ones((0, 2)), None, ValueError, "at least one example"),
        (1.0, None, ValueError, "at least one example"),
        (np.array([["a"]]), None, TypeError, "real numbers"),
        (np.array([[1.0], [np.inf]]), None, ValueError, r"finite numbers, got inf at \[1 0\]"),
        (np.ones((2, 1)), [1.0], ValueError, "2 finite numbers"),
        (np.ones((2, 1)), [1.0, -1.0], ValueError, "2 finite numbers"),
        (np.ones((2, 1)), [0.0, 0.0], ValueError, "not all 0"),
    ],
)
def test_bad_input(x, weight, error, words):
    with pytest.raises(error, match=words):
        data.standardizer(x, weight)


@pytest.mark.parametrize("shape", [(2,), (5, 2), (5, 3, 3), ()])
def test_other_shapes_are_refused(shape):
    scale = data.standardizer(np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"examples of shape \(3,\) in rows"):
        scale(jnp.ones(shape))
