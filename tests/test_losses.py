"""Every loss × every property: formula, edges, dtypes, shapes, numbers; then what is special to each."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import losses

M, K = 7, 3
EDGES = (-1e4, -60.5, -1.0, -1e-4, 0.0, 0.5, 1.0, 30.0, 1e4)


def log_softmax(z):
    return z - z.max(-1, keepdims=True) - np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True))


def smoothed(z, y, smoothing=0.0, class_weight=None):
    y = (1 - smoothing) * y + smoothing * y.sum(-1, keepdims=True) / y.shape[-1]
    return -(y * log_softmax(z) * (1.0 if class_weight is None else class_weight)).sum(-1)


def log_sigmoid(z):
    return -np.logaddexp(0, -z)


def huber(f, y, delta=1.0):
    r = np.abs(f - y)
    return np.where(r <= delta, r**2 / 2, delta * (r - delta / 2))


class Row(NamedTuple):
    function: object
    oracle: object  # the same in NumPy, before the mean over outputs
    targets: object  # shape -> targets
    inside: dict  # three allowed values of each number
    outside: dict
    width: int | None = None  # classes, where the last axis is not outputs


def draws(*shape):
    return np.random.default_rng(0).normal(size=shape)


def reals(shape):
    return np.random.default_rng(1).normal(size=shape)


def bits(shape):
    return np.random.default_rng(1).integers(0, 2, size=shape)


def soft(shape):
    p = np.random.default_rng(1).uniform(size=shape)
    return p / p.sum(-1, keepdims=True)


TABLE = {
    "softmax_cross_entropy": Row(
        losses.softmax_cross_entropy,
        smoothed,
        soft,
        {"smoothing": (0.0, 0.1, 1.0)},
        {"smoothing": 1.1},
        width=4,
    ),
    "sigmoid_cross_entropy": Row(
        losses.sigmoid_cross_entropy, lambda z, y: -(y * log_sigmoid(z) + (1 - y) * log_sigmoid(-z)), bits, {}, {}
    ),
    "squared_error": Row(losses.squared_error, lambda f, y: (f - y) ** 2, reals, {}, {}),
    "absolute_error": Row(losses.absolute_error, lambda f, y: np.abs(f - y), reals, {}, {}),
    "huber": Row(losses.huber, huber, reals, {"delta": (1e-3, 1.0, 50.0)}, {"delta": 0.0}),
    "log_cosh": Row(losses.log_cosh, lambda f, y: np.logaddexp(f - y, y - f) - np.log(2), reals, {}, {}),
    "quantile": Row(
        losses.quantile,
        lambda f, y, level=0.5: np.where(y > f, level * (y - f), (1 - level) * (f - y)),
        reals,
        {"level": (0.0, 0.3, 1.0)},
        {"level": -0.1},
    ),
    "poisson": Row(losses.poisson, lambda z, y: np.exp(z) - y * z, bits, {}, {}),
    "hinge": Row(losses.hinge, lambda s, y: np.maximum(0, 1 - (2 * y - 1) * s), bits, {}, {}),
}
NAMES = sorted(TABLE)
PAIRS = [(name, number) for name in NAMES for number in TABLE[name].inside]


def shape_of(name, many=True):
    width = TABLE[name].width
    return (M, width) if width else (M, K) if many else (M,)


def example(name, many=True, dtype=None):
    shape = shape_of(name, many)
    targets = TABLE[name].targets(shape)
    return jnp.asarray(2 * draws(*shape), dtype), jnp.asarray(targets)


def expected(name, prediction, target, **numbers):
    values = TABLE[name].oracle(np.asarray(prediction, np.float64), np.asarray(target, np.float64), **numbers)
    return values if values.ndim == 1 else values.mean(-1)


@cache
def one(name):
    """Prediction, target and numbers to losses, compiled once."""
    return jax.jit(lambda f, y, numbers: TABLE[name].function(f, y, **numbers))


@cache
def slopes_of(name):
    """The sum of the losses, and its derivatives with respect to prediction and numbers."""
    return jax.jit(jax.value_and_grad(lambda f, y, numbers: one(name)(f, y, numbers).sum(), argnums=(0, 2)))


def usual(name):
    return {k: v[1] for k, v in TABLE[name].inside.items()}


def test_the_table_holds_every_loss():
    public = {name for name in dir(losses) if callable(getattr(losses, name)) and name[0] != "_"}
    assert public - {"weighted_mean"} == set(NAMES)


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_formula_in_float64(name, many, x64):
    prediction, target = example(name, many)
    for i in range(3):
        numbers = {k: v[i] for k, v in TABLE[name].inside.items()}
        got = one(name)(prediction, target, numbers)
        np.testing.assert_allclose(got, expected(name, prediction, target, **numbers), rtol=1e-12)
        assert (got.shape, got.dtype) == ((M,), jnp.float64)


@pytest.mark.parametrize("name", NAMES)
def test_half_types_are_computed_in_float32(name):
    for dtype in (jnp.bfloat16, jnp.float16, jnp.float32):
        prediction, target = example(name, dtype=dtype)
        got, pull = jax.jit(lambda f, y: jax.vjp(lambda f: TABLE[name].function(f, y), f))(prediction, target)
        assert (got.dtype, got.weak_type) == (jnp.float32, False)
        np.testing.assert_allclose(got, expected(name, np.float32(prediction), target), rtol=2e-5, atol=1e-6)
        assert pull(np.ones(M, np.float32))[0].dtype == dtype


@pytest.mark.parametrize("name", NAMES)
def test_one_example_at_a_time_is_the_batch(name):
    prediction, target = example(name, many=False)
    single = jax.jit(jax.vmap(TABLE[name].function))(prediction, target)
    np.testing.assert_allclose(single, one(name)(prediction, target, {}), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_finite_value_and_gradient_at_the_edges(name):
    width = TABLE[name].width or 1
    rows = np.array(EDGES)[:, None] * np.eye(width)[0][None, :]
    prediction = jnp.asarray(rows if TABLE[name].width else rows[:, 0], jnp.float32)
    for hot in (0, -1):
        target = jnp.zeros(prediction.shape).at[..., hot].set(1.0) if TABLE[name].width else jnp.full(len(EDGES), -hot)
        for i in range(3):
            numbers = {k: v[i] for k, v in TABLE[name].inside.items()}

            target = target.astype(jnp.float32)
            value, slopes = slopes_of(name)(prediction, target, numbers)
            assert np.isfinite(value)
            assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes))


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_finite_difference(name, x64):
    prediction, target = example(name)
    point = (prediction, {k: jnp.asarray(v) for k, v in usual(name).items()})
    toward = jax.tree.map(lambda x: jnp.asarray(np.random.default_rng(2).normal(size=x.shape)), point)

    @jax.jit
    def total(h):
        f, numbers = jax.tree.map(lambda x, d: x + h * d, point, toward)
        return one(name)(f, target, numbers).sum()

    np.testing.assert_allclose(jax.jit(jax.grad(total))(0.0), (total(1e-6) - total(-1e-6)) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_vmap_over_a_number_is_a_loop_with_one_trace(name, number):
    prediction, target = example(name)
    traces = []

    @jax.jit
    def value(x):
        traces.append(name)
        return TABLE[name].function(prediction, target, **{number: x})

    three = jnp.array(TABLE[name].inside[number])
    loop = [value(x) for x in three]
    assert len(traces) == 1
    np.testing.assert_allclose(jax.vmap(value)(three), loop, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_out_of_range_raises_when_concrete_and_is_nan_when_traced(name, number):
    prediction, target = example(name)
    wrong = TABLE[name].outside[number]
    with pytest.raises(ValueError, match=f"`{number}` must be in"):
        TABLE[name].function(prediction, target, **{number: wrong})
    assert np.isnan(one(name)(prediction, target, {number: wrong})).all()


@pytest.mark.parametrize("name", NAMES)
def test_shapes_that_would_broadcast_are_refused(name):
    if TABLE[name].width:
        for labels, cure in ((jnp.zeros((M, 1), int), r"write labels\[\.\.\., 0\]"), (jnp.zeros((M, 2)), "got")):
            with pytest.raises(ValueError, match=cure):
                TABLE[name].function(jnp.zeros((M, 4)), labels)
        return
    with pytest.raises(ValueError, match=r"write prediction\[\.\.\., 0\]"):
        TABLE[name].function(jnp.zeros((M, 1)), jnp.zeros(M))
    with pytest.raises(ValueError, match=r"shape \(7,\), got \(7, 1\); write (target|label)\[\.\.\., 0\]"):
        TABLE[name].function(jnp.zeros(M), jnp.zeros((M, 1)))
    with pytest.raises(ValueError, match=r"\(7,\), got \(3,\)$"):
        TABLE[name].function(jnp.zeros(M), jnp.zeros(K))


# ---- cross-entropy ---------------------------------------------------------------------------------------------------


softmax = jax.jit(losses.softmax_cross_entropy)
mean_and_slopes = jax.jit(jax.value_and_grad(losses.weighted_mean, argnums=(0, 1)))


def test_class_numbers_are_one_hot_labels():
    z = jnp.asarray(draws(5, 4), jnp.float32)
    y = np.array([0, 3, 1, 1, 2])
    by_number = softmax(z, y, smoothing=0.1)
    np.testing.assert_allclose(by_number, softmax(z, np.eye(4)[y], smoothing=0.1), rtol=1e-6)
    np.testing.assert_allclose(by_number, softmax(z, np.eye(4, dtype=int)[y], smoothing=0.1), rtol=1e-6)
    np.testing.assert_allclose(by_number, softmax(z, y.astype(np.uint8), smoothing=0.1), rtol=1e-6)
    images = softmax(z.reshape(5, 1, 4), y[:, None], smoothing=0.1)
    np.testing.assert_allclose(np.asarray(images)[:, 0], by_number, rtol=1e-6)


@pytest.mark.parametrize("total", [1.0, 0.0, 2.5])
def test_gradient_is_softmax_times_the_sum_of_the_labels_minus_them(total, x64):
    z, y = draws(5, 4), soft((5, 4)) * total
    slope = jax.grad(lambda z: softmax(z, y).sum())(z)
    chances = np.exp(log_softmax(z))
    np.testing.assert_allclose(slope, chances * y.sum(-1, keepdims=True) - y, atol=1e-12)


def test_sigmoid_gradient_is_a_minus_y(x64):
    z, y = np.array([0.39, -2.0, 0.0, 1e4, -1e4]), np.array([1, 0, 1, 1, 1])
    slope = jax.grad(lambda z: losses.sigmoid_cross_entropy(z, y).sum())(z)
    np.testing.assert_allclose(slope, [1 / (1 + np.exp(-0.39)) - 1, 1 / (1 + np.exp(2)), -0.5, 0, -1], atol=1e-12)


def test_the_second_example_of_xor_costs_minus_log_of_its_output():
    # output 0.596 with label 1 costs −log(.596) = .52; the printed −log(1 − .596) = .91 is a misprint
    first, second = losses.sigmoid_cross_entropy(jnp.array([0.0, 0.39]), jnp.array([0, 1]))
    np.testing.assert_allclose([first, second], [0.69, 0.52], atol=5e-3)
    np.testing.assert_allclose(second, -np.log(0.596), atol=1e-3)


def test_small_losses_keep_their_digits():
    confident = losses.sigmoid_cross_entropy(jnp.array([20.0, -20.0]), jnp.array([1, 0]))
    np.testing.assert_allclose(confident, np.log1p(np.exp(-20.0)), rtol=1e-6)
    near = losses.log_cosh(jnp.array([1e-4, -1e-3]), jnp.zeros(2))
    np.testing.assert_allclose(near, [5e-9, 5e-7], rtol=1e-5)


def test_class_weight_counts_each_example_by_its_class():
    z, y, c = (
        jnp.asarray(draws(5, 4), jnp.float32),
        np.array([0, 3, 1, 1, 2]),
        np.array([1.0, 0.0, 2.0, 5.0]),
    )
    plain = np.asarray(softmax(z, y))
    np.testing.assert_allclose(softmax(z, y, class_weight=c), plain * c[y], rtol=1e-6)
    both = softmax(z, y, class_weight=c, smoothing=0.2)
    np.testing.assert_allclose(both, smoothed(np.float64(z), np.eye(4)[y], 0.2, c), rtol=1e-5)
    many = jax.vmap(lambda c: softmax(z, y, class_weight=c))(np.stack([c, 2 * c]))
    np.testing.assert_allclose(many, [plain * c[y], 2 * plain * c[y]], rtol=1e-6)


def test_class_weight_is_checked():
    z, y = jnp.zeros((2, 3)), np.array([0, 2])
    with pytest.raises(ValueError, match=r"shape \(3,\), got \(2,\)"):
        losses.softmax_cross_entropy(z, y, class_weight=[1.0, 2.0])
    with pytest.raises(ValueError, match="must be ≥ 0, got -1"):
        losses.softmax_cross_entropy(z, y, class_weight=[1.0, 2.0, -1.0])
    traced = jax.jit(lambda c: losses.softmax_cross_entropy(z, y, class_weight=c))
    assert (
        np.isnan(traced(jnp.array([1.0, 1.0, -1.0]))).tolist() == [False, True]
        or np.isnan(traced(jnp.array([1.0, 1.0, -1.0]))).all()
    )


def test_unknown_class_numbers_are_nan_and_not_the_last_class():
    got = softmax(jnp.zeros((3, 2)), np.array([-1, 0, 2]))
    assert np.isnan(got).tolist() == [True, False, True]


def test_labels_that_are_no_class_numbers_are_refused():
    with pytest.raises(ValueError, match=r"must be integers, got dtype float32; write labels\.astype\(int\)"):
        losses.softmax_cross_entropy(jnp.zeros((3, 2)), jnp.zeros(3))
    with pytest.raises(ValueError, match="for one logit an example use sigmoid_cross_entropy"):
        losses.softmax_cross_entropy(jnp.zeros((3, 1)), np.zeros(3, int))


# ---- the others ------------------------------------------------------------------------------------------------------


def test_best_constants():
    y = np.sort(draws(101))

    def slope_at(function, constant, **numbers):
        return jax.jit(jax.grad(lambda c: function(jnp.full(101, c), y, **numbers).mean()))(np.float32(constant))

    assert abs(slope_at(losses.squared_error, y.mean())) < 1e-6
    assert abs(slope_at(losses.absolute_error, y[50])) < 1e-6
    between = (y[79] + y[80]) / 2
    assert abs(slope_at(losses.quantile, between, level=80 / 101)) < 1e-6


def test_subgradients_where_there_is_a_corner():
    zero = jnp.zeros(1)
    for name, slope in (("absolute_error", 0.0), ("huber", 0.0), ("log_cosh", 0.0), ("quantile", 0.0)):
        assert slopes_of(name)(zero, zero, {})[1][0].tolist() == [slope]
    assert slopes_of("hinge")(zero + 1, zero + 1, {})[1][0].tolist() == [-0.5]


def test_hinge_takes_both_kinds_of_labels():
    s = jnp.array([0.5, -2.0, 3.0])
    zero_one = losses.hinge(s, np.array([1, 0, 0]))
    assert zero_one.tolist() == losses.hinge(s, np.array([1, -1, -1])).tolist() == [0.5, 0.0, 4.0]


def test_poisson_goes_on_straight_beyond_e_to_the_60():
    value, slope = jax.value_and_grad(lambda z: losses.poisson(z, 0.0))(jnp.float32(61.0))
    np.testing.assert_allclose([value, slope], [2 * np.exp(60.0), np.exp(60.0)], rtol=1e-5)


# ---- the mean --------------------------------------------------------------------------------------------------------


def test_weighted_mean_and_its_gradients(x64):
    values, w = draws(9), np.abs(draws(9, 9)[0]) * (np.arange(9) % 3 > 0)
    mean, (by_value, by_weight) = mean_and_slopes(values, w)
    np.testing.assert_allclose(mean, np.average(values, weights=w), rtol=1e-12)
    np.testing.assert_allclose(by_value, w / w.sum(), rtol=1e-12)
    np.testing.assert_allclose(by_weight, (values - mean) / w.sum(), rtol=1e-12)
    np.testing.assert_allclose(losses.weighted_mean(values), values.mean(), rtol=1e-12)


def test_weights_that_sum_to_0_give_0_with_finite_gradient():
    mean, slopes = mean_and_slopes(jnp.ones(3), jnp.zeros(3))
    assert float(mean) == 0
    assert all(np.isfinite(leaf).all() for leaf in slopes)
    assert float(losses.weighted_mean(jnp.zeros(0))) == 0


def test_padding_stays_out_even_if_it_is_nan():
    def cost(scale):
        return losses.weighted_mean(scale * jnp.array([1.0, jnp.nan, jnp.inf]), jnp.array([2.0, 0.0, 0.0]))

    assert float(cost(3.0)) == 3
    mean, slopes = mean_and_slopes(np.array([1.0, np.nan]), np.array([2.0, 0.0]))
    assert float(mean) == 1
    assert all(np.isfinite(leaf).all() for leaf in slopes)
    assert np.isnan(losses.weighted_mean(jnp.array([1.0, jnp.nan]), jnp.array([2.0, 1e-9])))


def test_weighted_mean_dtype_and_shape():
    assert losses.weighted_mean(jnp.ones(3, jnp.bfloat16), jnp.ones(3, jnp.bfloat16)).dtype == jnp.float32
    assert losses.weighted_mean(jnp.ones(3), np.arange(3)).dtype == jnp.float32
    with pytest.raises(ValueError, match=r"shape \(3,\), got \(3, 1\)"):
        losses.weighted_mean(jnp.ones(3), jnp.ones((3, 1)))


# ---- another library -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("labels", ["numbers", "soft"])
def test_torch_has_the_same_cross_entropy(smoothing, labels):
    torch = pytest.importorskip("torch")
    z, c = draws(6, 4).astype(np.float32), np.array([1.0, 0.5, 2.0, 0.1], np.float32)
    y = np.array([0, 3, 1, 1, 2, 0]) if labels == "numbers" else soft((6, 4)).astype(np.float32)
    peer = torch.nn.functional.cross_entropy(
        torch.tensor(z), torch.tensor(y), weight=torch.tensor(c), label_smoothing=smoothing, reduction="none"
    )
    got = losses.softmax_cross_entropy(z, y, smoothing=smoothing, class_weight=c)
    np.testing.assert_allclose(got, peer.numpy(), rtol=1e-5)


PEERS = {
    "binary_cross_entropy_with_logits": (losses.sigmoid_cross_entropy, bits, {}, {}),
    "huber_loss": (losses.huber, reals, {"delta": 0.7}, {"delta": 0.7}),
    "poisson_nll_loss": (losses.poisson, bits, {}, {}),
    "mse_loss": (losses.squared_error, reals, {}, {}),
    "l1_loss": (losses.absolute_error, reals, {}, {}),
}


@pytest.mark.parametrize("name", sorted(PEERS))
def test_torch_has_the_same_losses(name):
    torch = pytest.importorskip("torch")
    function, targets, ours, theirs = PEERS[name]
    f, y = draws(8).astype(np.float32) * 2, targets(8).astype(np.float32)
    peer = getattr(torch.nn.functional, name)(torch.tensor(f), torch.tensor(y), reduction="none", **theirs)
    np.testing.assert_allclose(function(f, y, **ours), peer.numpy(), rtol=1e-5, atol=1e-6)


def test_scikit_learn_has_the_same_means():
    metrics = pytest.importorskip("sklearn.metrics")
    f, y = draws(20), reals(20)
    ours = losses.quantile(jnp.asarray(f), y, 0.3).mean()
    np.testing.assert_allclose(ours, metrics.mean_pinball_loss(y, f, alpha=0.3), rtol=1e-5)
    labels = bits(20)
    np.testing.assert_allclose(losses.hinge(f, labels).mean(), metrics.hinge_loss(labels, f), rtol=1e-5)
