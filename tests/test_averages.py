"""The exponentially weighted average against its sums in float64, and the worked numbers of W5."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import averages

VALUES = np.random.default_rng(0).normal(size=(12, 3))


@jax.jit
def run(values, beta):
    def step(average, value):
        average = averages.update(average, value, beta)
        return average, averages.corrected(average)

    return jax.lax.scan(step, averages.init(jax.tree.map(lambda v: v[0], values)), values)


def weights(beta, t):
    return (1 - beta) * beta ** np.arange(t)  # of the newest value first


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999])
def test_sum_of_weighted_values_and_bias_correction_in_float64(beta, x64):
    average, corrected = run(jnp.asarray(VALUES), beta)
    for t in (1, 2, 5, 12):
        sums = weights(beta, t) @ VALUES[t - 1 :: -1][:t]
        np.testing.assert_allclose(corrected[t - 1], sums / (1 - beta**t), rtol=1e-12)
    np.testing.assert_allclose(average.value, weights(beta, 12) @ VALUES[::-1], rtol=1e-12)
    np.testing.assert_allclose(average.weight, 1 - beta**12, rtol=1e-12)


def test_weights_of_the_past_and_their_sum(x64):
    def last(values):
        return run(values, 0.9)[0].value

    slope = np.asarray(jax.jit(jax.grad(last))(np.zeros(20)))[::-1]
    np.testing.assert_allclose(slope[:3], [0.1, 0.09, 0.081], rtol=1e-12)
    np.testing.assert_allclose(slope.sum(), 1 - 0.9**20, rtol=1e-12)


@pytest.mark.parametrize(("beta", "points", "share"), [(0.5, 2, 0.25), (0.8, 5, 0.328), (0.9, 10, 0.349)])
def test_how_much_the_value_one_horizon_back_counts(beta, points, share):
    # β^(1/(1−β)), not (1−β)^(1/β): points = 1/(1−β) values back, relative to the newest
    slope = np.asarray(jax.jit(jax.grad(lambda values: run(values, beta)[0].value))(np.zeros(points + 1)))[::-1]
    assert round(1 / (1 - beta)) == points
    np.testing.assert_allclose(slope[points] / slope[0], share, atol=5e-4)


def test_the_horizon_tends_to_one_over_e():
    assert abs(0.9999 ** (1 / (1 - 0.9999)) - 1 / np.e) < 1e-4


def test_correction_vanishes_with_beta_to_the_t():
    # 1 − β^t tends to 1, and is never the 1 − βt that some notes print: that is negative from t = 2 on at β = 0.9
    average, corrected = run(jnp.ones(200), 0.9)
    np.testing.assert_allclose(corrected, 1, rtol=1e-6)
    np.testing.assert_allclose(average.weight, 1, rtol=1e-6)
    np.testing.assert_allclose(run(jnp.ones(2), 0.9)[0].weight, 0.19, rtol=1e-6)


def test_a_beta_that_changes_is_corrected_exactly():
    average = averages.init(0.0)
    for beta in (0.99, 0.5, 0.9, 0.0, 0.3):
        average = averages.update(average, 7.0, beta)
        assert float(averages.corrected(average)) == pytest.approx(7.0, rel=1e-6)


def test_vmap_over_beta_is_a_loop_and_one_trace():
    betas, traces = jnp.array([0.0, 0.9, 0.99]), []
    values = jnp.asarray(VALUES, jnp.float32)

    @jax.jit
    def final(beta):
        traces.append(beta)
        return run(values, beta)

    loop = [final(beta) for beta in betas]
    assert len(traces) == 1
    together = jax.vmap(final)(betas)
    for got, *each in zip(*map(jax.tree.leaves, (together, *loop)), strict=True):
        np.testing.assert_allclose(got, each, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.999])
def test_gradient_in_beta_is_the_finite_difference(beta, x64):
    @jax.jit
    def value(b):
        return run(VALUES, b)[1].sum()

    h = 1e-6
    above, below = value(beta + h), value(beta - h) if beta else value(0.0)
    slope = jax.jit(jax.grad(value))(beta)
    np.testing.assert_allclose(slope, (above - below) / (2 * h if beta else h), rtol=1e-4)


def test_before_the_first_value_it_is_0_with_finite_gradient():
    start = averages.init(jnp.ones(3))
    assert averages.corrected(start).tolist() == [0, 0, 0]
    slope = jax.grad(lambda a: averages.corrected(a).sum())(start)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_trees_are_kept_in_float32_from_the_first_step(dtype):
    tree = {"w": jnp.ones((2, 3), dtype), "b": (jnp.ones(2, dtype),)}
    start = averages.init(tree)
    after = averages.update(start, tree, 0.9)
    assert jax.tree.map(lambda a: (a.shape, a.dtype, a.weak_type), start) == jax.tree.map(
        lambda a: (a.shape, a.dtype, a.weak_type), after
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(after)} == {jnp.dtype(jnp.float32)}
    np.testing.assert_allclose(averages.corrected(after)["w"], 1, rtol=1e-6)


def test_float64_is_kept(x64):
    after = averages.update(averages.init(jnp.ones(2, jnp.float64)), jnp.ones(2), 0.9)
    assert (after.value.dtype, after.weight.dtype) == (jnp.float64, jnp.float64)


@pytest.mark.parametrize("beta", [-0.1, 1.0, np.nan])
def test_beta_out_of_range(beta):
    with pytest.raises(ValueError, match=r"`beta` must be in \[0, 1\)"):
        averages.update(averages.init(0.0), 1.0, beta)
    traced = jax.jit(lambda b: averages.update(averages.init(0.0), 1.0, b))(beta)
    assert np.isnan(traced.value)
    assert np.isnan(traced.weight)


def test_another_structure_or_shape_is_named():
    start = averages.init({"w": jnp.ones(2)})
    with pytest.raises(ValueError, match="value must have the structure"):
        averages.update(start, jnp.ones(2), 0.9)
    with pytest.raises(ValueError, match=r"\(2,\), got \(3,\)"):
        averages.update(start, {"w": jnp.ones(3)}, 0.9)
