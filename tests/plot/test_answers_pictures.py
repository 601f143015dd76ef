"""Confusion, curves over thresholds, calibration, residuals, boundaries: the data in their axes."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from statistics import NormalDist

import fnopt as fo
from fnopt import metrics


def some(m=60, classes=3):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, m)
    score = rng.uniform(size=(m, classes)) + 0.3 * (truth[:, None] == np.arange(classes))
    return truth, score / score.sum(axis=1, keepdims=True)


def a_model(**more):
    """A model of two classes named otherwise than the data number them, and its data."""
    x = np.linspace(-1, 1, 20)[:, None].repeat(2, axis=1)
    data = fo.data.dataset(x, (x[:, 0] < 0.1).astype(np.int32), classes=("yes", "no"))
    chance = lambda x: np.stack([np.asarray(x)[:, 0] < 0.2, np.asarray(x)[:, 0] >= 0.2], axis=1) * 0.8 + 0.1  # noqa: E731
    model = SimpleNamespace(
        classes=("no", "yes"),
        predict=lambda x: np.array(["no", "yes"], object)[chance(x).argmax(axis=1)],
        predict_proba=chance,
        **more,
    )
    return model, data


def test_confusion_of_arrays_a_matrix_and_a_model():
    truth, score = some()
    said = score.argmax(axis=1)
    expected = np.asarray(metrics.confusion_matrix(truth, said))
    for axes in (fo.plot.confusion(truth, said), fo.plot.confusion(expected)):
        assert [float(text.get_text()) for text in axes.texts] == expected.ravel().tolist()
        shares = expected / expected.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(axes.images[0].get_array(), shares)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    model, data = a_model()
    axes = fo.plot.confusion(model, data, shares=True)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["no", "yes"]
    np.testing.assert_allclose([float(text.get_text()) for text in axes.texts], [100, 0, 11, 89])  # 11 and 1, 8 of 9


def test_roc_of_each_class():
    truth, score = some()
    axes = fo.plot.roc(truth, score, classes=("a", "b", "c"))
    for k, line in enumerate(axes.lines[:3]):
        curve = metrics.roc_curve((truth == k).astype(np.int32), score[:, k])
        np.testing.assert_allclose(line.get_xdata(), curve.fpr)
        np.testing.assert_allclose(line.get_ydata(), curve.tpr)
        area = float(metrics.roc_auc((truth == k).astype(np.int32), score[:, k]))
        assert line.get_label() == f"class {'abc'[k]}: area {area:.3g}"
    model, data = a_model()
    [line, _] = fo.plot.roc(model, data).lines
    assert line.get_label().startswith("class yes: area")
    assert max(line.get_ydata()[line.get_xdata() == 0]) == pytest.approx(8 / 9)


def test_roc_of_labels():
    truth = np.array([[0, 1], [1, 1], [1, 0], [0, 0]])
    axes = fo.plot.roc(truth, np.array([[0.1, 0.2], [0.9, 0.9], [0.8, 0.3], [0.2, 0.1]]))
    assert [line.get_label() for line in axes.lines] == ["label 0: area 1", "label 1: area 0.75", "chance"]


def test_precision_recall_and_its_chance():
    truth, score = some(classes=2)
    axes = fo.plot.precision_recall(truth, score)
    curve = metrics.precision_recall_curve(truth, score[:, 1])
    np.testing.assert_allclose(axes.lines[0].get_xdata(), curve.recall)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), curve.precision)
    assert axes.lines[1].get_ydata()[0] == pytest.approx(truth.mean())


def test_det_stands_on_normal_quantiles():
    truth, score = some(classes=2)
    axes = fo.plot.det(truth, score[:, 1])
    curve = metrics.det_curve(truth, score[:, 1])
    inside = (curve.fpr > 0) & (curve.fpr < 1) & (curve.fnr > 0) & (curve.fnr < 1)
    expected = [NormalDist().inv_cdf(float(x)) for x in np.asarray(curve.fnr)[np.asarray(inside)]]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), expected)


def test_calibration_leaves_out_empty_bins():
    axes = fo.plot.calibration([0, 0, 1, 1], [0.1, 0.2, 0.15, 0.9], bins=5)
    line, dots = axes.lines[0], axes.collections[0]
    np.testing.assert_allclose(np.array(line.get_data()).T, [(0.15, 1 / 3), (0.9, 1.0)], rtol=1e-6)
    sizes = dots.get_sizes()
    assert sizes[0] == pytest.approx(3 * sizes[1])


def test_residuals():
    truth, said = np.array([1.0, 2.0, 4.0, 8.0]), np.array([2.0, 2.0, 3.0, 9.0])
    axes = fo.plot.residuals(truth, said)
    np.testing.assert_allclose(axes.collections[0].get_offsets(), np.stack([said, truth - said], axis=1))
    model = SimpleNamespace(predict=lambda x: np.asarray(x)[:, 0])
    data = fo.data.dataset(said[:, None], truth)._replace(target="price")
    axes = fo.plot.residuals(model, data)
    assert axes.get_ylabel() == "residual of price: truth − prediction"


def test_boundary_of_a_function_and_a_model():
    x = np.array([[-1.0, -1.0], [1.0, 1.0], [0.5, -0.5]])
    axes = fo.plot.decision_boundary(lambda p: np.stack([-p[:, 0], p[:, 0]], axis=1), x, [0, 1, 1])
    assert axes.lines[0].get_xydata().tolist() == [[-1, -1]] and len(axes.lines[1].get_xdata()) == 2
    [region] = [c for c in axes.collections if len(c.get_paths()) == 1]  # the line between the two regions
    np.testing.assert_allclose(region.get_paths()[0].vertices[:, 0], 0, atol=0.011)
    model, data = a_model()
    axes = fo.plot.decision_boundary(model, data)
    assert [line.get_label() for line in axes.lines] == ["yes", "no"]
    [region] = [c for c in axes.collections if len(c.get_paths()) == 1]
    np.testing.assert_allclose(region.get_paths()[0].vertices[:, 0], 0.2, atol=0.02)


MODEL, DATA = a_model()
VALUES = SimpleNamespace(predict=lambda x: np.zeros(len(x)))
MISTAKES = {
    "confusion, text": (lambda: fo.plot.confusion(["a"], ["a"]), ValueError, "`truth` must be class numbers"),
    "confusion, lengths": (lambda: fo.plot.confusion([0, 1], [0]), ValueError, "each of the 2 of `truth`, got 1"),
    "confusion, names": (lambda: fo.plot.confusion([0, 1], [0, 1], classes="a"), ValueError, "2 classes, got 1 names"),
    "confusion, matrix": (lambda: fo.plot.confusion([[1, 2]]), ValueError, "square and not negative, got shape"),
    "confusion, values": (lambda: fo.plot.confusion(VALUES, DATA), ValueError, "needs a model of classes"),
    "confusion, no data": (lambda: fo.plot.confusion(MODEL, [1.0]), TypeError, "there must be a dataset"),
    "confusion, label": (
        lambda: fo.plot.confusion(MODEL, DATA._replace(classes=("yes", "perhaps"))),
        ValueError,
        "labels that the model does not know: perhaps",
    ),
    "roc, one class": (lambda: fo.plot.roc([1, 1], [0.1, 0.2]), ValueError, "needs examples of both kinds"),
    "roc, NaN": (lambda: fo.plot.roc([0, 1], [0.1, np.nan]), ValueError, "needs examples of both kinds with finite"),
    "roc, lengths": (lambda: fo.plot.roc([0, 1], [0.1]), ValueError, "must have shapes"),
    "det, perfect": (lambda: fo.plot.det([0, 1], [0.1, 0.9]), ValueError, r"draw roc\(…\) instead"),
    "calibration, logits": (lambda: fo.plot.calibration([0, 1], [-3.0, 3.0]), ValueError, "in \\[0, 1\\]"),
    "residuals, classes": (lambda: fo.plot.residuals(MODEL, DATA), ValueError, "residuals are of values"),
    "residuals, lengths": (lambda: fo.plot.residuals([1.0, 2.0], [1.0]), ValueError, "must have one shape"),
    "boundary, inputs": (
        lambda: fo.plot.decision_boundary(MODEL, np.zeros((4, 3)), [0, 1, 0, 1]),
        ValueError,
        "two inputs an example, shape .* choose two columns",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, text = MISTAKES[name]
    with pytest.raises(error, match=text):
        call()
