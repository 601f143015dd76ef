"""Curves by hand: precision and recall, detection errors, calibration, ranks, levels; and what is refused."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import metrics

sk = pytest.importorskip("sklearn.metrics")
calibration = pytest.importorskip("sklearn.calibration")

R = np.random.default_rng(0)
T = R.permutation(np.arange(80) % 2)
S = np.round(8 * (T + R.normal(size=80))) / 8  # with ties
P = np.float32(1 / (1 + np.exp(-2 * S))).astype(float)
W = R.integers(0, 4, 80) / 2


def distinct(*points):
    rows = np.stack([np.asarray(x) for x in points], axis=1)
    return rows[np.r_[True, (np.diff(rows, axis=0) != 0).any(axis=1)]]


@pytest.mark.parametrize("weight", [None, W], ids=["alike", "weighted"])
def test_precision_and_recall_are_scikit_learns(weight):
    curve = metrics.precision_recall_curve(T, S, weight=weight)
    keep = slice(None) if weight is None else weight > 0
    w = None if weight is None else weight[keep]
    precision, recall, _ = sk.precision_recall_curve(T[keep], S[keep], sample_weight=w)
    np.testing.assert_allclose(distinct(*curve[:2]), distinct(precision[::-1], recall[::-1]), rtol=1e-12)
    jitted = jax.jit(metrics.precision_recall_curve)(T, np.float32(S))
    assert [x.shape for x in jitted] == [(81,)] * 3


def test_detection_errors_are_those_of_the_roc_curve():
    det, roc = metrics.det_curve(T, S, weight=W), metrics.roc_curve(T, S, weight=W)
    np.testing.assert_allclose(det.fpr, roc.fpr)
    np.testing.assert_allclose(det.fnr, 1 - np.asarray(roc.tpr), atol=1e-12)
    fpr, fnr, _ = sk.det_curve(T, S)
    ours = {tuple(np.round(x, 9)) for x in distinct(*metrics.det_curve(T, S)[:2])}
    assert {tuple(np.round(x, 9)) for x in np.stack([fpr, fnr], axis=1)} <= ours


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_bins_of_calibration_are_scikit_learns(strategy):
    curve = metrics.calibration_curve(T, P, strategy=strategy, bins=6)
    truth, prediction = calibration.calibration_curve(T, P, n_bins=6, strategy=strategy)
    there = np.asarray(curve.weight) > 0
    np.testing.assert_allclose(np.asarray(curve.truth)[there], truth)
    np.testing.assert_allclose(np.asarray(curve.prediction)[there], prediction)
    assert float(np.sum(curve.weight)) == len(T)


def test_a_weight_of_two_is_two_examples_for_calibration():
    weight = np.where(np.arange(80) < 30, 2, 1)
    twice = np.r_[np.arange(80), np.arange(30)]
    for strategy in ("uniform", "quantile"):
        one = metrics.calibration_curve(T, P, weight=weight, bins=4, strategy=strategy)
        if strategy == "uniform":  # quantiles are those of the examples, each as one
            two = metrics.calibration_curve(T[twice], P[twice], bins=4)
            for a, b in zip(one, two, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6)
        assert float(np.sum(one.weight)) == weight.sum()
    one = metrics.expected_calibration_error(T, P, weight=weight)
    np.testing.assert_allclose(one, metrics.expected_calibration_error(T[twice], P[twice]), rtol=1e-12)


def test_perfect_calibration_has_no_error():
    t = np.r_[np.ones(3), np.zeros(1)].astype(int)
    np.testing.assert_allclose(metrics.expected_calibration_error(t, np.full(4, 0.75)), 0.0, atol=1e-15)
    np.testing.assert_allclose(metrics.expected_calibration_error(t, np.full(4, 1.0)), 0.25)


def test_scores_that_tell_nothing_have_the_precision_of_chance():
    np.testing.assert_allclose(metrics.average_precision(T, np.zeros(80)), T.mean())
    assert float(metrics.average_precision([0, 1, 1], [0.1, 0.5, 0.6])) == 1.0


@pytest.mark.parametrize("average", ["macro", "weighted", "micro", None])
def test_a_class_without_positives(average):
    t, s = np.array([0, 1, 0, 1]), np.array([[0.9, 0.2, 0.0], [0.1, 0.9, 0.5], [0.6, 0.1, 0.3], [0.3, 0.8, 0.1]])
    found = metrics.average_precision(t, s, average=average)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.average_precision_score(np.eye(3, dtype=int)[t], s, average=average)
    np.testing.assert_allclose(found, expected)
    if average == "macro":
        assert float(metrics.average_precision(t, s, zero_division=np.nan)) == 1.0


def test_absent_classes_are_as_in_scikit_learn():
    assert float(metrics.average_precision([0, 0], [0.1, 0.9])) == 0.0
    ratios = metrics.likelihood_ratios([0, 0, 1], [0, 0, 1])
    assert np.isnan(ratios.positive)
    assert float(ratios.negative) == 0.0
    assert all(np.isnan(metrics.likelihood_ratios([0, 0], [0, 1])))
    assert np.isnan(metrics.d2_log_loss([1, 1], [0.5, 0.6]))
    assert np.isnan(metrics.d2_brier([1, 1], [0.5, 0.6]))
    assert np.isnan(metrics.d2_tweedie([2.0, 2.0], [1.0, 2.0]))


def test_items_that_tie_share_their_gain():
    np.testing.assert_allclose(metrics.dcg([[1.0, 3.0]], [[0.5, 0.5]]), 2 * (1 + 1 / np.log2(3)))
    assert float(metrics.ndcg([[0.0, 0.0]], [[0.2, 0.1]])) == 0.0
    weighted = metrics.ndcg([[1.0, 0.0], [0.0, 1.0]], [[0.2, 0.1]] * 2, weight=[3, 1])
    np.testing.assert_allclose(weighted, (3 + 1 / np.log2(3)) / 4)


@pytest.mark.parametrize("power", [-1.0, 0.0, 1.0, 1.3, 2.0, 3.0])
def test_deviances_are_scikit_learns(power):
    y, p = np.exp(R.normal(size=(2, 50)))
    np.testing.assert_allclose(
        metrics.mean_tweedie_deviance(y, p, power=power), sk.mean_tweedie_deviance(y, p, power=power), rtol=1e-12
    )


def test_the_first_update_at_a_level():
    curve, made = [np.nan, 0.9, 0.5, 0.6, 0.1], [8, 16, 24, 32, 40]
    assert [float(x) for x in metrics.updates_to(curve, 0.5, updates=made)] == [3.0, 24.0]
    assert [float(x) for x in metrics.updates_to(curve, 0.0, updates=made)] == [np.inf, np.inf]
    assert [float(x) for x in metrics.updates_to(curve, 0.6, updates=made, higher=True)] == [2.0, 16.0]
    many = jax.jit(jax.vmap(lambda level: metrics.updates_to(jnp.float32(curve), level)))(jnp.float32([0.9, 0.5, 0.05]))
    assert many.epoch.tolist() == [2.0, 3.0, np.inf]
    stacked = metrics.updates_to(np.array([curve, curve[::-1]]), 0.5)
    assert stacked.epoch.tolist() == [3.0, 1.0]


def test_a_report_reads_as_a_table():
    report = metrics.classification_report([0, 1, 2, 2], [0, 2, 2, 2])
    lines = str(report).splitlines()
    assert lines[0].split() == ["precision", "recall", "f1", "support"]
    assert lines[3].split() == ["2", "0.667", "1.000", "0.800", "2"]
    assert lines[-1].split() == ["accuracy", "0.750"]
    assert report.table(["a", "b", "c"]).splitlines()[1].startswith("a ")
    several = metrics.classification_report([[0, 1], [1, 1]], [[0, 1], [1, 0]])
    assert float(several.accuracy) == 0.5
    with pytest.raises(ValueError, match="one name for each of 3 classes, got 1"):
        report.table(["a"])


REFUSED = {
    "a curve of columns": (lambda: metrics.precision_recall_curve([0, 1], [[0.1, 0.2]] * 2), "one column at a time"),
    "labels of three": (lambda: metrics.average_precision([0, 2], [0.1, 0.2]), "from 0 to 1"),
    "another average": (lambda: metrics.average_precision([0, 1], [[0.1, 0.2]] * 2, average="mean"), "macro"),
    "no bins": (lambda: metrics.calibration_curve([0, 1], [0.1, 0.2], bins=0), "at least 1"),
    "another strategy": (lambda: metrics.calibration_curve([0, 1], [0.1, 0.2], strategy="log"), "uniform"),
    "logits": (lambda: metrics.calibration_curve([0, 1], [-1.0, 2.0]), "take the sigmoid"),
    "probabilities of three": (lambda: metrics.calibration_curve([0, 1], [[0.1, 0.9]] * 2), "one column at a time"),
    "ranks of none": (lambda: metrics.dcg([[1, 0]], [[0.1, 0.2]], k=0), "at least 1"),
    "one axis": (lambda: metrics.ndcg([1, 0], [0.1, 0.2]), r"shapes \(m, items\)"),
    "a negative gain": (lambda: metrics.ndcg([[-1, 0]], [[0.1, 0.2]]), "must not be negative"),
    "a power between": (lambda: metrics.d2_tweedie([1.0], [1.0], power=0.5), "between 0 and 1"),
    "a truth of 0": (lambda: metrics.mean_gamma_deviance([0.0], [1.0]), "above 0"),
    "a level of 2": (lambda: metrics.d2_pinball([1.0], [1.0], level=2), "level"),
    "examples of one label": (lambda: metrics.f1([0, 1], [0, 1], average="samples"), "several labels an example"),
    "matrices of one label": (lambda: metrics.multilabel_confusion_matrix([0], [1], samplewise=True), "several labels"),
    "ratios of three": (lambda: metrics.likelihood_ratios([0, 2], [0, 1]), "from 0 to 1"),
    "hinge of columns": (lambda: metrics.hinge([[0, 1]], [[0.1, 0.2]]), "take one column"),
    "another number of epochs": (lambda: metrics.updates_to([1.0, 2.0], 1.0, updates=[1]), "each of 2 epochs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case):
    call, words = REFUSED[case]
    with pytest.raises((ValueError, TypeError), match=words):
        call()


def test_traced_faults_are_nan():
    assert jnp.isnan(jax.jit(metrics.ndcg)(jnp.array([[-1.0, 0.0]]), jnp.array([[0.1, 0.2]])))
    assert jnp.isnan(jax.jit(metrics.mean_gamma_deviance)(jnp.array([0.0]), jnp.array([1.0])))
    assert jnp.isnan(jax.jit(metrics.calibration_curve)(jnp.array([0, 1]), jnp.array([0.5, 2.0])).truth).all()
