"""Batch norm against its formula in float64 and against torch; padding, weights, numbers, edges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn

BATCHES = np.random.default_rng(0).normal(2.0, 3.0, (5, 8, 3))  # five batches of eight examples
SCALE, SHIFT = jnp.array([1.5, -0.5, 2.0]), jnp.array([0.1, 0.2, -0.3])


def collect(batches, weights=None, **numbers):
    """Outputs in training on each batch, and the stats after the last."""
    stats, outs = nn.init_stats(3), []
    for i, z in enumerate(batches):
        w = None if weights is None else np.asarray(weights[i], np.float32)
        out, stats = train(z.astype(np.float32), stats, w, numbers)
        outs.append(out)
    return outs, stats


@jax.jit
def train(z, stats, weight, numbers):
    return nn.batch_norm(z, SCALE, SHIFT, stats, train=True, weight=weight, **numbers)


@jax.jit
def evaluate(z, stats, numbers):
    return nn.batch_norm(z, SCALE, SHIFT, stats, train=False, **numbers)


def oracle(batches, eps, decay, unbiased, bias_correction, start, weights=None):
    """The same in float64, from the formulas of the notes."""
    mean, var, t, outs = np.zeros(3), np.zeros(3), 0, []
    start_mean, start_var = np.zeros(3), np.full(3, float(start))
    for i, z in enumerate(batches):
        w = np.ones(len(z)) if weights is None else np.asarray(weights[i], np.float64)
        mu = (w[:, None] * z).sum(0) / w.sum()
        sigma2 = (w[:, None] * (z - mu) ** 2).sum(0) / w.sum()
        outs.append(np.asarray(SCALE) * (z - mu) / np.sqrt(sigma2 + eps) + np.asarray(SHIFT))
        mean = decay * mean + (1 - decay) * mu
        var = decay * var + (1 - decay) * sigma2 * (1 + unbiased * (w.sum() / (w.sum() - 1) - 1))
        t += 1
    share = decay**t
    keep = (1 - bias_correction) * share
    return outs, (mean + keep * start_mean) / (1 - share + keep), (var + keep * start_var) / (1 - share + keep)


CASES = {
    "keras": dict(nn.KERAS),
    "torch": dict(nn.TORCH),
    "corrected": {"eps": 1e-3, "decay": 0.9, "unbiased": 0.0, "bias_correction": 1.0, "start": 1.0},
    "between": {"eps": 0.1, "decay": 0.5, "unbiased": 0.4, "bias_correction": 0.3, "start": 2.0},
    "no memory": {"eps": 1e-3, "decay": 0.0, "unbiased": 1.0, "bias_correction": 1.0, "start": 1.0},
}


@pytest.mark.parametrize("weights", [None, np.random.default_rng(1).uniform(0.5, 3, (5, 8))], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", CASES)
def test_against_the_formula_in_float64(case, weights):
    numbers = CASES[case]
    outs, stats = collect(BATCHES, weights, **{k: numbers[k] for k in ("eps", "decay", "unbiased")})
    expected, mean, var = oracle(BATCHES, **numbers, weights=weights)
    for out, right in zip(outs, expected, strict=True):
        np.testing.assert_allclose(out, right, rtol=1e-4, atol=1e-5)
    read = {k: numbers[k] for k in ("bias_correction", "start")}
    got_mean, got_var = nn.averages(stats, **read)
    np.testing.assert_allclose(got_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(got_var, var, rtol=1e-5)
    z = jnp.asarray(BATCHES[0], jnp.float32)
    out, same = evaluate(z, stats, {"eps": numbers["eps"], **read})
    right = np.asarray(SCALE) * (BATCHES[0] - mean) / np.sqrt(var + numbers["eps"]) + np.asarray(SHIFT)
    np.testing.assert_allclose(out, right, rtol=1e-4, atol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, same, stats)


def test_against_torch_in_training_and_outside():
    torch = pytest.importorskip("torch")
    layer = torch.nn.BatchNorm1d(3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(np.array(SCALE)))
        layer.bias.copy_(torch.tensor(np.array(SHIFT)))
    outs, stats = collect(BATCHES, **{k: nn.TORCH[k] for k in ("eps", "decay", "unbiased")})
    for z, out in zip(BATCHES, outs, strict=True):
        np.testing.assert_allclose(out, layer(torch.tensor(z, dtype=torch.float32)).detach(), rtol=1e-4, atol=1e-5)
    layer.eval()
    z = BATCHES[0].astype(np.float32)
    out, _ = nn.batch_norm(jnp.asarray(z), SCALE, SHIFT, stats, train=False, **nn.TORCH)
    np.testing.assert_allclose(out, layer(torch.tensor(z)).detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("filler", [0.0, 1e6, np.nan, np.inf])
def test_padding_never_counts(filler):
    padded = np.concatenate([BATCHES, np.full((5, 4, 3), filler)], axis=1)
    weights = np.concatenate([np.ones((5, 8)), np.zeros((5, 4))], axis=1)
    outs, stats = collect(BATCHES, unbiased=1.0)
    padded_outs, padded_stats = collect(padded, weights, unbiased=1.0)
    for a, b in zip(outs, padded_outs, strict=True):
        np.testing.assert_allclose(a, b[:8], rtol=1e-5, atol=1e-6)
    for name in stats:
        np.testing.assert_allclose(stats[name], padded_stats[name], rtol=1e-5)


def test_a_weight_of_two_is_the_example_twice():
    weights = np.tile([1, 2, 1, 3, 1, 1, 0, 1], (5, 1))
    _, weighted = collect(BATCHES, weights, unbiased=1.0)
    _, repeated = collect([np.repeat(z, w, axis=0) for z, w in zip(BATCHES, weights, strict=True)], unbiased=1.0)
    for name in weighted:
        np.testing.assert_allclose(weighted[name], repeated[name], rtol=1e-5)


def test_only_padding_leaves_the_stats_and_stays_finite():
    _, stats = collect(BATCHES)

    def f(z, weight):
        out, new = nn.batch_norm(z, SCALE, SHIFT, stats, train=True, weight=weight, unbiased=1.0)
        return out.sum(), (out, new)

    z = jnp.asarray(BATCHES[0], jnp.float32)
    gradient, (out, new) = jax.jit(jax.grad(f, has_aux=True))(z, jnp.zeros(8))
    assert bool(jnp.isfinite(out).all())
    assert bool(jnp.isfinite(gradient).all())
    jax.tree.map(np.testing.assert_array_equal, new, stats)


@pytest.mark.parametrize(("examples", "value"), [(1, 1.0), (8, 1.0), (8, 1e4)])
def test_no_variance_is_finite(examples, value):
    z = np.full((examples, 3), value)

    def f(z, scale, unbiased):
        out, new = nn.batch_norm(z, scale, SHIFT, nn.init_stats(3), train=True, unbiased=unbiased)
        return out.sum() + new["var"].sum(), out

    gradients, out = jax.jit(jax.grad(f, argnums=(0, 1, 2), has_aux=True))(jnp.asarray(z, jnp.float32), SCALE, 1.0)
    np.testing.assert_allclose(out, np.tile(SHIFT, (len(z), 1)), atol=1e-5)
    assert all(bool(jnp.isfinite(g).all()) for g in gradients)


@pytest.mark.parametrize("weight", [0.05, 0.4, 0.9, 1.0])
def test_weights_that_sum_to_little_never_give_a_negative_variance(weight):
    _, stats = collect(BATCHES, np.full((5, 8), weight / 8), unbiased=1.0)
    _, biased = collect(BATCHES, np.full((5, 8), weight / 8), unbiased=0.0)
    ratio = np.asarray(stats["var"]) / np.asarray(biased["var"])
    assert ratio.min() >= 0.999
    assert ratio.max() <= 3.001


def test_scale_of_the_deviation_and_shift_of_the_mean_give_z_back():
    z = jnp.asarray(BATCHES[0], jnp.float32)
    scale, shift = jnp.sqrt(z.var(axis=0) + 1e-3), z.mean(axis=0)
    out, _ = nn.batch_norm(z, scale, shift, nn.init_stats(3), train=True)
    np.testing.assert_allclose(out, z, rtol=1e-5, atol=1e-5)


def test_before_the_first_batch_the_start_is_in_use():
    out, _ = nn.batch_norm(
        jnp.ones((2, 3)), jnp.ones(3), jnp.zeros(3), nn.init_stats(3), train=False, start=4.0, eps=1e-6
    )
    np.testing.assert_allclose(out, 0.5, rtol=1e-5)


@pytest.mark.parametrize("where", ["train", "elsewhere"])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("eps", [1e-6, 1e-2, 1.0]),
        ("decay", [0.0, 0.5, 0.999]),
        ("unbiased", [0.0, 0.5, 1.0]),
        ("bias_correction", [0.0, 0.5, 1.0]),
        ("start", [0.0, 1.0, 2.0]),
    ],
)
def test_each_number_vmapped_is_a_loop_and_one_trace_with_finite_gradients(name, values, where):
    z, traces = jnp.asarray(BATCHES[0], jnp.float32), []
    _, before = collect(BATCHES)

    def f(x):
        traces.append(x)
        out, stats = nn.batch_norm(z, SCALE, SHIFT, before, train=where == "train", **{name: x})
        return jnp.square(out).sum() + sum(jnp.square(s).sum() for s in nn.averages(stats, 0.5))

    both = jax.jit(jax.value_and_grad(f))
    loop = [both(jnp.float32(x)) for x in values]
    assert len(traces) == 1
    value, gradient = jax.vmap(both)(jnp.array(values))
    np.testing.assert_allclose(value, [a for a, _ in loop], rtol=1e-5)
    np.testing.assert_allclose(gradient, [b for _, b in loop], rtol=1e-4, atol=1e-3)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("correction", [0.0, 0.5, 1.0])
def test_reading_before_the_first_batch_has_finite_gradients(correction):
    gradient = jax.grad(lambda c, s: nn.averages(nn.init_stats(2), c, s)[1].sum(), argnums=(0, 1))(correction, 1.0)
    assert bool(jnp.isfinite(jnp.stack(gradient)).all())
    assert float(gradient[1]) == 2  # one for each unit: the start alone is in use


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_dtypes_are_kept_and_statistics_are_float32(dtype):
    z, one, stats = jnp.ones((8, 3), dtype), jnp.ones(3, dtype), nn.init_stats(3, dtype)
    out, new = jax.eval_shape(lambda: nn.batch_norm(z, one, one, stats, train=True))
    assert out.dtype == z.dtype
    assert {a.dtype for a in (*stats.values(), *new.values())} == {jnp.dtype("float32")}


@pytest.mark.usefixtures("x64")
def test_float64_statistics_are_float64():
    z, one, stats = jnp.ones((8, 3)), jnp.ones(3), nn.init_stats(3)
    out, new = jax.eval_shape(lambda: nn.batch_norm(z, one, one, stats, train=True))
    assert {a.dtype for a in (out, *stats.values(), *new.values())} == {jnp.dtype("float64")}


def test_wrong_shapes_and_numbers():
    one = (jnp.ones(3), SCALE, SHIFT, nn.init_stats(3))
    with pytest.raises(ValueError, match=r"write x\[None, :\], or train=False"):
        nn.batch_norm(*one, train=True)
    assert nn.batch_norm(*one, train=False)[0].shape == (3,)
    batch = (jnp.ones((4, 3)), *one[1:])
    with pytest.raises(ValueError, match=r"`weight` .* shape \(4,\), got \(3,\)"):
        nn.batch_norm(*batch, train=True, weight=jnp.ones(3))
    with pytest.raises(ValueError, match=r"`decay` must be in \[0, 1\), got 1"):
        nn.batch_norm(*batch, train=True, decay=1.0)
    with pytest.raises(ValueError, match=r"`eps` must be in \(0, inf\), got 0"):
        nn.batch_norm(*batch, train=True, eps=0.0)
