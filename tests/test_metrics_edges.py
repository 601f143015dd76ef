"""Scores by hand: the worked example, 0/0, ties, and what a wrong call is told."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnopt import metrics

TRUTH, CALLED = [0, 1, 0, 1], [1, 1, 1, 0]
quick = settings(derandomize=True, deadline=None, max_examples=25)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recall", 0.5),
        ("sensitivity", 0.5),
        ("specificity", 0.0),
        ("precision", 1 / 3),
        ("accuracy", 0.25),
        ("f1", 0.4),
        ("false_positive_rate", 1.0),
        ("matthews_corrcoef", -1 / 3**0.5),  # (1·0 - 2·1) / √(3·2·2·1)
        ("jaccard", 0.25),
        ("zero_one", 0.75),
        ("balanced_accuracy", 0.25),
    ],
)
def test_the_worked_example(name, expected):
    np.testing.assert_allclose(getattr(metrics, name)(TRUTH, CALLED), expected, rtol=1e-6)
    if name in metrics.Rates._fields:
        got = getattr(metrics.rates(metrics.confusion_matrix(TRUTH, CALLED)), name)
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_rows_of_the_confusion_matrix_are_the_truth():
    assert metrics.confusion_matrix(TRUTH, CALLED).ravel().tolist() == [0, 2, 1, 1]  # tn, fp, fn, tp


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
def test_rates_of_a_matrix_are_the_scores(average):
    rng = np.random.default_rng(0)
    t, p, w = rng.integers(0, 3, 50), rng.integers(0, 3, 50), rng.random(50)
    got = metrics.rates(metrics.confusion_matrix(t, p, weight=w), average=average)
    for name in ("sensitivity", "specificity", "precision", "false_positive_rate", "f1"):
        expected = getattr(metrics, name)(t, p, weight=w, average=average)
        np.testing.assert_allclose(getattr(got, name), expected, rtol=1e-5)
    np.testing.assert_allclose(got.matthews_corrcoef, metrics.matthews_corrcoef(t, p, weight=w), rtol=1e-5)


# ---- 0/0 -----------------------------------------------------------------------------------------------------------

RATES = {  # truth and prediction with 0/0
    "precision": ([0, 1], [0, 0]),
    "recall": ([0, 0], [0, 1]),
    "f1": ([0, 0], [0, 0]),
    "jaccard": ([0, 0], [0, 0]),
    "specificity": ([1, 1], [0, 1]),
    "false_positive_rate": ([1, 1], [0, 1]),
    "matthews_corrcoef": ([1, 1], [0, 1]),
    "cohen_kappa": ([1, 1], [1, 1]),
}


@pytest.mark.parametrize("name", RATES)
def test_nothing_over_nothing_is_what_zero_division_says(name):
    f = getattr(metrics, name)
    wanted = np.float32([0, 1, 0.5, np.nan])
    for value in (0, 1, 0.5, np.nan):
        np.testing.assert_array_equal(f(*RATES[name], zero_division=value), np.float32(value))
    t, p = (jnp.array(x) for x in RATES[name])
    np.testing.assert_array_equal(jax.vmap(lambda v: f(t, p, zero_division=v))(wanted), wanted)


def test_a_class_that_nobody_has_counts_in_the_mean_unless_left_out():
    t, p = [0, 1, 2, 2], [0, 1, 2, 2]
    assert float(metrics.f1(t, p, classes=4, average="macro")) == 0.75
    assert float(metrics.f1(t, p, classes=4, average="macro", zero_division=1)) == 1
    assert float(metrics.f1(t, p, classes=4, average="macro", zero_division=np.nan)) == 1
    assert float(metrics.f1(t, p, classes=4, average="weighted")) == 1
    assert float(metrics.balanced_accuracy(t, p, classes=4)) == 1


@pytest.mark.parametrize("zero_division", [0, 1, np.nan])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_averages_over_absent_classes_are_those_of_scikit_learn(average, zero_division):
    sk = pytest.importorskip("sklearn.metrics")
    t, p = np.array([0, 1, 1, 3, 3]), np.array([0, 2, 1, 3, 1])
    for name in ("precision", "recall", "f1"):
        more = {"average": average, "zero_division": zero_division}
        expected = getattr(sk, f"{name}_score")(t, p, labels=range(5), **more)
        np.testing.assert_allclose(getattr(metrics, name)(t, p, classes=5, **more), expected, rtol=1e-6)


def test_weighted_by_no_support_is_the_plain_mean():
    none, called = np.zeros((3, 2), int), np.array([[1, 0], [0, 0], [1, 0]])
    assert float(metrics.precision(none, called, average="weighted", zero_division=1)) == 0.5


@pytest.mark.parametrize("name", ["r2", "explained_variance", "d2_absolute_error"])
def test_a_constant_truth_scores_1_or_0(name):
    f, same = getattr(metrics, name), np.full(7, 0.1)
    assert float(f(same, same)) == 1
    assert float(f(same, same + np.arange(7))) == 0


@pytest.mark.parametrize("name", ["r2", "explained_variance"])
def test_an_offset_costs_no_digits(name):
    rng = np.random.default_rng(0)
    y = 4096 + np.round(rng.normal(size=50) * 64) / 256  # exact in float32
    p = y + np.round(rng.normal(size=50) * 16) / 256
    exact = 1 - (np.var(y - p) if name == "explained_variance" else np.mean((y - p) ** 2)) / np.var(y)
    np.testing.assert_allclose(getattr(metrics, name)(y, p), exact, rtol=1e-5)


def test_percentage_error_of_nothing():
    assert float(metrics.mean_absolute_percentage_error([0.0], [0.0])) == 0
    assert np.isfinite(metrics.mean_absolute_percentage_error([0.0], [3.0]))


def test_log_loss_of_a_sure_mistake_is_finite():
    for kind, bits in ((np.float32, 23), (np.float64, 52)):  # the clip is the step at 1 of the data's own type
        got = metrics.log_loss([0, 1], np.array([1.0, 0.0], kind))
        assert float(got) == pytest.approx(bits * np.log(2), rel=1e-6)


@pytest.mark.parametrize("weight", [None, [0.1] * 6])
def test_the_median_of_an_even_number_is_the_mean_of_two(weight):
    errors = [0.0, 1.0, 2.0, 4.0, 5.0, 9.0]
    assert float(metrics.median_absolute_error([0.0] * 6, errors, weight=weight)) == 3


# ---- curves --------------------------------------------------------------------------------------------------------


def test_a_curve_by_hand():
    # scores 3 | 2 2 | 1: one positive; a positive and a negative tied; one negative
    curve = metrics.roc_curve([1, 1, 0, 0], [3.0, 2.0, 2.0, 1.0])
    assert curve.tpr.tolist() == [0, 0.5, 1, 1, 1]
    assert curve.fpr.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.thresholds.tolist() == [np.inf, 3, 2, 2, 1]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_curve_is_that_of_scikit_learn(weighted):
    sk = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    t, s = rng.integers(0, 2, 80), rng.integers(0, 20, 80) / 4
    w = rng.integers(1, 4, 80) / 2 if weighted else None
    curve = metrics.roc_curve(t, s, weight=w)
    assert curve.fpr.shape == (81,)
    keep = np.append(np.flatnonzero(np.diff(curve.thresholds)), 80)
    for got, expected in zip(curve, sk.roc_curve(t, s, sample_weight=w, drop_intermediate=False), strict=True):
        np.testing.assert_allclose(np.asarray(got)[keep], expected, rtol=1e-6)
    np.testing.assert_allclose(metrics.area(curve.fpr, curve.tpr), metrics.roc_auc(t, s, weight=w), rtol=1e-6)


def test_padding_repeats_the_last_point_of_a_curve():
    plain = metrics.roc_curve([1, 0, 1], [0.5, -2.0, -3.0])
    padded = metrics.roc_curve([7, 1, 0, 1, 0], [9.0, 0.5, -2.0, -3.0, np.nan], weight=[0, 1, 1, 1, 0])
    for short, long in zip(plain, padded, strict=True):
        assert long[:4].tolist() == short.tolist()
        assert long[4:].tolist() == [short[-1]] * 2


def test_curves_under_jit_and_vmap():
    rng = np.random.default_rng(2)
    t, s = jnp.asarray(rng.integers(0, 2, (3, 20))), jnp.asarray(np.round(rng.normal(size=(3, 20)), 1), jnp.float32)
    together = jax.jit(jax.vmap(metrics.roc_curve))(t, s)
    for i in range(3):
        for a, b in zip(together, metrics.roc_curve(t[i], s[i]), strict=True):
            np.testing.assert_array_equal(a[i], b)


@pytest.mark.parametrize("m", [2, 7, 100])
@pytest.mark.parametrize("weighted", [False, True])
def test_ties_and_perfection_are_exact(m, weighted):
    t = np.arange(m) % 2
    w = np.random.default_rng(m).random(m) if weighted else None
    assert float(metrics.roc_auc(t, np.full(m, 0.3), weight=w)) == 0.5
    close = pytest.approx(1, abs=1e-6) if weighted else 1
    assert float(metrics.roc_auc(t, t * 2.0 - 5, weight=w)) == close
    assert float(metrics.roc_auc(1 - t, t * 2.0, weight=w)) == pytest.approx(0, abs=1e-6 if weighted else 0)


def test_infinite_scores_are_ranked():
    assert float(metrics.roc_auc([0, 0, 1, 1], [-np.inf, 0.0, 0.0, np.inf])) == 0.875
    assert float(metrics.roc_auc([0, 1], [-0.0, 0.0])) == 0.5


def test_one_class_absent_is_nan_and_left_out_of_a_mean():
    assert np.isnan(metrics.roc_auc([1, 1], [0.2, 0.3]))
    curve = metrics.roc_curve([1, 1], [0.2, 0.3])
    assert np.isnan(curve.fpr).all()
    assert curve.tpr.tolist() == [0, 0.5, 1]
    two_of_three = [[0.9, 0.0, 0.1], [0.8, 0.0, 0.2], [0.1, 0.0, 0.9], [0.0, 0.0, 1.0]]
    each = metrics.roc_auc([0, 0, 2, 2], two_of_three, average=None)
    np.testing.assert_array_equal(each, [1, np.nan, 1])
    assert float(metrics.roc_auc([0, 0, 2, 2], two_of_three)) == 1
    assert np.isnan(metrics.roc_auc([2, 2, 2, 2], two_of_three))


def test_area_reads_falling_curves_from_their_end():
    assert float(metrics.area([0, 1, 1, 3], [2, 2, 4, 0])) == 6
    assert float(metrics.area([3, 1, 1, 0], [0, 4, 2, 2])) == 6
    assert float(metrics.area([1.0], [5.0])) == 0
    assert np.isnan(jax.jit(metrics.area)(jnp.array([0, 2, 1]), jnp.array([0, 2, 1])))


# ---- the number of classes -----------------------------------------------------------------------------------------


def test_classes_come_from_labels_that_are_known_and_count():
    assert metrics.confusion_matrix([0, 0], [0, 0]).shape == (2, 2)
    assert metrics.confusion_matrix([0, 2], [0, 1]).shape == (3, 3)
    assert metrics.confusion_matrix([0, 9], [0, 1], weight=[1, 0]).shape == (2, 2)
    assert jax.jit(metrics.confusion_matrix)(jnp.array([0, 1]), jnp.array([0, 1])).shape == (2, 2)
    spoilt = jax.jit(lambda w: metrics.f1(np.array([0, np.nan]), [0, 1], weight=w))
    assert np.isnan(spoilt(jnp.ones(2)))
    assert np.isfinite(spoilt(jnp.array([1.0, 0.0])))
    t = np.array([0, 2])
    assert jax.jit(lambda p: metrics.confusion_matrix(t, p))(jnp.array([0, 1])).shape == (3, 3)


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy", "confusion_matrix", "matthews_corrcoef", "cohen_kappa"])
def test_traced_labels_out_of_range_are_nan_not_a_wrong_number(name):
    f = jax.jit(getattr(metrics, name))
    assert np.isnan(f(jnp.array([0, 1, 2]), jnp.array([0, 1, 2]))).all()
    assert np.isfinite(f(jnp.array([0, 1, 1]), jnp.array([0, 1, 0]))).all()


def test_a_traced_fault_shows_also_in_a_class_that_nobody_was_called():
    assert np.isnan(jax.jit(metrics.precision)(jnp.array([0, 2]), jnp.array([0, 0])))


def test_labels_may_be_booleans_bytes_and_whole_floats():
    for kind in (bool, np.uint8, np.float64, np.int64):
        assert float(metrics.f1(np.array(TRUTH, kind), np.array(CALLED, kind))) == pytest.approx(0.4)
    assert float(metrics.accuracy(np.array(TRUTH, bool), np.array(CALLED, float))) == 0.25


# ---- what a wrong call is told -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.f1([0, 1, 2], [0, 1, 2]), ValueError, r'two classes, got 3 classes; say average="macro"'),
        (lambda: metrics.f1([[0, 1]], [[0, 1]]), ValueError, "got 2 labels an example"),
        (lambda: metrics.f1([0, 1], [0, 1], average="marco"), ValueError, "did you mean 'macro'"),
        (lambda: metrics.f1([0, 3], [0, 1], classes=2), ValueError, r"`truth` .* from 0 to 1 .*got 3 in row 1"),
        (lambda: metrics.f1([0, -1], [0, 1]), ValueError, "got -1 in row 1"),
        (lambda: metrics.f1([[0, 2]], [[0, 1]]), ValueError, "labels that hold or not"),
        (lambda: metrics.f1([[0, 1]], [[0, 1]], classes=3), ValueError, "number 2, got 3"),
        (lambda: metrics.f1([0, 1], [0.2, 0.9]), ValueError, r"whole numbers; .*`p > 0.5`"),
        (lambda: metrics.accuracy([0, 1], [0.2, 0.9]), ValueError, r"got 0.2.* in row 0"),
        (lambda: metrics.accuracy([0, 1], [[0.2, 0.9], [0.1, 0.8]]), ValueError, "argmax"),
        (lambda: metrics.accuracy(["a", "b"], ["a", "b"]), TypeError, "np.unique"),
        (lambda: metrics.accuracy([0, 1], [np.inf, np.nan]), ValueError, "got inf in row 0"),
        (lambda: metrics.f1([0, np.nan], [0, 1]), ValueError, "got nan in row 1"),
        (lambda: metrics.accuracy(1, 1), ValueError, "shape"),
        (lambda: metrics.fbeta(TRUTH, CALLED, beta=-1.0), ValueError, "`beta` must be in"),
        (lambda: metrics.confusion_matrix([[0, 1]], [[0, 1]]), ValueError, "one label an example"),
        (lambda: metrics.confusion_matrix(TRUTH, CALLED, classes=1), ValueError, "at least 2"),
        (lambda: metrics.matthews_corrcoef([[0, 1]], [[0, 1]]), ValueError, "one label an example"),
        (lambda: metrics.balanced_accuracy([[0, 1]], [[0, 1]]), ValueError, "one label an example"),
        (lambda: metrics.cohen_kappa(TRUTH, CALLED, distance="square"), ValueError, "unknown distance"),
        (lambda: metrics.rates([[1, 2, 3]]), ValueError, r"got \(1, 3\)"),
        (lambda: metrics.rates([[1, -2], [0, 1]]), ValueError, "in row 0"),
        (lambda: metrics.rates(np.ones((3, 3))), ValueError, "3 classes"),
        (lambda: metrics.roc_auc([0, 1, 2], [0.1, 0.2, 0.3]), ValueError, "column of `score` each"),
        (lambda: metrics.roc_auc([0, 1], [[0.1], [0.2]]), ValueError, r"got \(2,\) and \(2, 1\)"),
        (lambda: metrics.roc_auc([0, 1], [[0.1, 0.9], [0.2, 0.8]], average="micro"), ValueError, "unknown average"),
        (lambda: metrics.roc_curve([0, 1], [[0.1, 0.9], [0.2, 0.8]]), ValueError, "one column at a time"),
        (lambda: metrics.area([0, 2, 1], [0, 1, 2]), ValueError, "sort the points"),
        (lambda: metrics.area([0, 2, 1], [0, 1]), ValueError, r"got \(3,\) and \(2,\)"),
        (lambda: metrics.log_loss([0, 1], [0.1, 1.2]), ValueError, "sigmoid or softmax"),
        (lambda: metrics.brier([0, 1], [0.1, -0.2]), ValueError, r"\[0, 1\]"),
        (lambda: metrics.log_loss([0, 2], [0.1, 0.2]), ValueError, "column of `probability` each"),
        (lambda: metrics.top_k_accuracy([0, 1], [[0.1, 0.9], [0.2, 0.8]], k=0), ValueError, "`k` must be in"),
        (lambda: metrics.mean_squared_error([1.0, 2.0], [[1.0], [2.0]]), ValueError, "reshape"),
        (lambda: metrics.r2([1.0, 2.0], [1j, 2j]), TypeError, "real numbers"),
        (lambda: metrics.mean_squared_log_error([1.0, -2.0], [1.0, 2.0]), ValueError, "`truth` must be above -1"),
        (
            lambda: metrics.mean_poisson_deviance([1.0, 2.0], [1.0, 0.0]),
            ValueError,
            r"`prediction` .*got \[0.0\] in row 1",
        ),
        (lambda: metrics.mean_poisson_deviance([-1.0, 2.0], [1.0, 1.0]), ValueError, "`truth` must not be negative"),
    ],
)
def test_a_wrong_call_is_told_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_classes_may_not_be_traced():
    with pytest.raises(ValueError, match="not traced"):
        jax.jit(lambda k: metrics.f1(TRUTH, CALLED, classes=k))(2)


def test_beta_and_k_may_be_traced():
    t, p = jnp.array(TRUTH), jnp.array(CALLED)
    betas = jnp.array([0.0, 1.0, 2.0])
    got = jax.vmap(lambda b: metrics.fbeta(t, p, beta=b))(betas)
    np.testing.assert_allclose(got, [1 / 3, 0.4, 5 / (5 + 4 + 2)], rtol=1e-6)
    s = jnp.array([[3.0, 2.0, 1.0]] * 3)
    top = jax.vmap(lambda k: metrics.top_k_accuracy(jnp.arange(3), s, k=k))(jnp.array([1, 2, 3, 0]))
    np.testing.assert_allclose(top, [1 / 3, 2 / 3, 1, np.nan], rtol=1e-6)


# ---- laws ----------------------------------------------------------------------------------------------------------

M = 12


@cache
def score(name):
    """One program a score: laws are tried on many examples of one shape."""
    f = jax.jit(lambda t, s, w: getattr(metrics, name)(t, s, weight=w))
    return lambda t, s, w: np.asarray(f(jnp.asarray(t), jnp.asarray(s), jnp.asarray(w)))


label = st.lists(st.integers(0, 2), min_size=M, max_size=M)
level = st.lists(st.integers(-5, 5), min_size=M, max_size=M)
amount = st.lists(st.integers(0, 8), min_size=M, max_size=M)


@quick
@given(label, label, amount)
def test_a_confusion_matrix_adds_up_and_turns_over(t, p, w):
    n = np.asarray(metrics.confusion_matrix(t, p, weight=w, classes=3))
    assert n.sum() == sum(w)
    np.testing.assert_array_equal(n.T, metrics.confusion_matrix(p, t, weight=w, classes=3))
    np.testing.assert_array_equal(n.sum(axis=1), np.bincount(t, weights=w, minlength=3))
    if sum(w):
        np.testing.assert_allclose(metrics.accuracy(t, p, weight=w), np.trace(n) / n.sum(), rtol=1e-6)


@quick
@given(label, level, amount)
def test_the_area_is_the_chance_that_a_positive_stands_above(t, s, w):
    t, s, w = np.array(t) % 2, np.array(s, float), np.array(w, float)
    pairs = w[t == 1][:, None] * w[t == 0][None, :]
    won = np.sign(s[t == 1][:, None] - s[t == 0][None, :]) / 2 + 0.5
    expected = np.sum(pairs * won) / pairs.sum() if pairs.sum() else np.nan
    got = score("roc_auc")(t, s, w)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_array_equal(got, score("roc_auc")(t, np.exp(s / 2) - 7, w))  # only the order counts
    np.testing.assert_allclose(1 - got, score("roc_auc")(t, -s, w), atol=1e-6)


@quick
@given(label, level, amount, st.permutations(range(M)))
def test_the_order_of_examples_does_not_matter(t, s, w, order):
    t, s, w, order = np.array(t) % 2, np.array(s, float), np.array(w, float), np.array(order)
    for name in ("roc_auc", "median_absolute_error", "max_error", "r2", "cohen_kappa"):
        other = (t + s).astype(int) % 2 if name == "cohen_kappa" else s
        one, two = score(name)(t, other, w), score(name)(t[order], other[order], w[order])
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@quick
@given(level, amount)
def test_the_median_halves_the_weight(s, w):
    s, w = np.array(s, float), np.array(w, float)
    got = score("median_absolute_error")(np.zeros(M), s, w)
    spread = np.repeat(np.abs(s), w.astype(int))
    np.testing.assert_array_equal(got, np.median(spread) if len(spread) else np.nan)


@quick
@given(label, label, amount)
def test_rates_agree_with_each_other(t, p, w):
    t, p = np.array(t) % 2, np.array(p) % 2
    r = metrics.rates(metrics.confusion_matrix(t, p, weight=w), zero_division=np.nan)
    swapped = metrics.rates(metrics.confusion_matrix(1 - t, 1 - p, weight=w), zero_division=np.nan)
    np.testing.assert_allclose(r.false_positive_rate, 1 - r.specificity, atol=1e-6)
    np.testing.assert_array_equal(r.specificity, swapped.sensitivity)
    np.testing.assert_allclose(r.matthews_corrcoef, swapped.matthews_corrcoef, atol=1e-6)
    np.testing.assert_allclose(
        r.matthews_corrcoef, metrics.matthews_corrcoef(t, p, weight=w, zero_division=np.nan), atol=1e-6
    )
