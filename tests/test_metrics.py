"""Every score × every property: a new score is one more row of the table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import metrics

sk = pytest.importorskip("sklearn.metrics")

M = 60


def binary(rng, m=M):
    t = np.arange(m) % 2
    t = rng.permutation(t)
    return t, np.where(rng.random(m) < 0.7, t, 1 - t)


def several(rng, m=M):
    t = rng.permutation(np.arange(m) % 4)
    return t, np.where(rng.random(m) < 0.6, t, rng.integers(0, 4, m))


def columns(rng, m=M):
    t = (rng.random((m, 3)) < 0.4).astype(int)
    t[:2] = [[0, 0, 0], [1, 1, 1]]
    return t, np.where(rng.random((m, 3)) < 0.7, t, 1 - t)


def scores(rng, m=M):  # few distinct scores, so that many tie
    t = rng.permutation(np.arange(m) % 2)
    return t, np.clip(np.round((t + rng.normal(size=m)) * 4), -8, 8) / 8


def class_scores(rng, m=M):
    t = rng.permutation(np.arange(m) % 4)
    p = np.exp(np.round(rng.normal(size=(m, 4)) + 1.5 * np.eye(4)[t], 1))
    return t, p / p.sum(axis=1, keepdims=True)


def class_margins(rng, m=M):  # few distinct scores, in float32 and float64 alike
    t = rng.permutation(np.arange(m) % 4)
    return t, np.round(4 * (rng.normal(size=(m, 4)) + 1.5 * np.eye(4)[t])) / 4


def column_scores(rng, m=M):
    t = columns(rng, m)[0]
    return t, np.round(t + rng.normal(size=(m, 3)), 1)


def probabilities(rng, m=M):
    t = rng.permutation(np.arange(m) % 2)
    return t, 1 / (1 + np.exp(-(2 * t - 1) - rng.normal(size=m)))


def values(rng, m=M, outputs=()):
    y = 3 + 2 * rng.normal(size=(m, *outputs))
    return y, y + rng.normal(size=y.shape)


def positive(rng, m=M, outputs=()):
    y = rng.poisson(3.0, size=(m, *outputs)).astype(float)
    return y, np.abs(y + rng.normal(size=y.shape)) + 0.1


def strictly_positive(rng, m=M):
    y = np.exp(rng.normal(size=m))
    return y, y * np.exp(0.5 * rng.normal(size=m))


def gains(rng, m=M):  # few distinct scores, so that many tie; an example without any gain
    t = rng.integers(0, 4, (m, 5))
    t[0] = 0
    return t, np.round(t + rng.normal(size=(m, 5)))


values_of_3, positive_of_3 = partial(values, outputs=(3,)), partial(positive, outputs=(3,))


@dataclass(frozen=True)
class Row:
    """A score, its oracle and its data; rows with one kind of data share a program, which saves compiling."""

    ours: Callable
    theirs: Callable  # (truth, other, sample_weight=) in float64
    data: Callable
    empty: float = np.nan  # the value where no example counts
    scale: bool = False  # whether it grows with the weights

    def __call__(self, truth, other, weight=None):
        return self.ours(truth, other, weight=weight)


def joined(f, averages):
    """The score under each average, end to end."""

    def score(truth, other, **more):
        parts = [f(truth, other, average=average, **more) for average in averages]
        return (jnp if isinstance(parts[0], jax.Array) else np).hstack(parts)

    return score


def _specificity(t, p, sample_weight=None):
    n = sk.confusion_matrix(t, p, sample_weight=sample_weight)
    return n[0, 0] / n[0].sum()


def _brier(t, p, sample_weight=None):
    return sk.brier_score_loss(t, p, sample_weight=sample_weight)


def _max(t, p, sample_weight=None):
    return np.abs(t - p)[... if sample_weight is None else sample_weight > 0].max(axis=0).mean()


def _poisson(t, p, sample_weight=None):
    each = [sk.mean_poisson_deviance(t[:, j], p[:, j], sample_weight=sample_weight) for j in range(t.shape[1])]
    return np.mean(each)


def _stacked(f):
    """A tuple of scores as one array."""
    return lambda *data, **more: (lambda parts: (jnp if isinstance(parts[0], jax.Array) else np).stack(parts))(
        f(*data, **more)
    )


def _one_hot(score):
    """scikit-learn's score of columns, of labels and a column of scores a class."""
    return lambda t, s, **more: score(np.eye(s.shape[1], dtype=int)[t], s, **more)


def _calibration_error(t, p, sample_weight=None):
    """Guo et al., 2017, equation 3, with 15 bins (k / 15, (k + 1) / 15]."""
    w = np.ones(len(t)) if sample_weight is None else sample_weight
    p = p if p.ndim == 2 else np.stack([1 - p, p], axis=1)
    sure, right = p.max(axis=1), p.argmax(axis=1) == t
    place = np.ceil(sure * 15).astype(int)
    bins = [place == k for k in range(16)]
    return sum(abs((w * right)[b].sum() - (w * sure)[b].sum()) for b in bins) / w.sum()


def _report(t, p, weight=None, **more):
    r = metrics.classification_report(t, p, weight=weight, **more)
    wide = (jnp if isinstance(r.accuracy, jax.Array) else np).hstack
    return wide([*(x for rates in (r.each, r.micro, r.macro, r.weighted) for x in rates[:3]), r.accuracy])


def _their_report(t, p, sample_weight=None):
    parts = [
        sk.precision_recall_fscore_support(t, p, sample_weight=sample_weight, average=average, zero_division=0)[:3]
        for average in (None, "micro", "macro", "weighted")
    ]
    return np.hstack([*(x for some in parts for x in some), sk.accuracy_score(t, p, sample_weight=sample_weight)])


LEVELS, POWERS = (0.3, 0.5), (0.0, 1.0, 1.5, 2.0, 3.0)


def _each_of(f, name, choices):
    return _stacked(lambda *data, **more: [f(*data, **{name: x}, **more) for x in choices])


TABLE = {
    "average_precision": Row(metrics.average_precision, sk.average_precision_score, scores),
    "average_precision of 4": Row(
        joined(metrics.average_precision, ("micro", "macro", "weighted", None)),
        joined(_one_hot(sk.average_precision_score), ("micro", "macro", "weighted", None)),
        class_margins,
    ),
    "average_precision of columns": Row(
        joined(metrics.average_precision, ("micro", "macro", "weighted", None)),
        joined(sk.average_precision_score, ("micro", "macro", "weighted", None)),
        column_scores,
    ),
    "expected_calibration_error": Row(metrics.expected_calibration_error, _calibration_error, probabilities),
    "expected_calibration_error of 4": Row(metrics.expected_calibration_error, _calibration_error, class_scores),
    "dcg": Row(_each_of(metrics.dcg, "k", (None, 2)), _each_of(sk.dcg_score, "k", (None, 2)), gains),
    "ndcg": Row(_each_of(metrics.ndcg, "k", (None, 2)), _each_of(sk.ndcg_score, "k", (None, 2)), gains),
    "likelihood_ratios": Row(_stacked(metrics.likelihood_ratios), _stacked(sk.class_likelihood_ratios), binary),
    "hamming": Row(metrics.hamming, sk.hamming_loss, several),
    "hamming of columns": Row(metrics.hamming, sk.hamming_loss, columns),
    "hinge": Row(metrics.hinge, sk.hinge_loss, scores),
    "hinge of 4": Row(metrics.hinge, partial(sk.hinge_loss, labels=[0, 1, 2, 3]), class_scores),
    "mean_pinball": Row(
        _each_of(metrics.mean_pinball, "level", LEVELS), _each_of(sk.mean_pinball_loss, "alpha", LEVELS), values
    ),
    "d2_pinball": Row(
        _each_of(metrics.d2_pinball, "level", LEVELS), _each_of(sk.d2_pinball_score, "alpha", LEVELS), values
    ),
    "d2_pinball of 3": Row(
        _each_of(metrics.d2_pinball, "level", LEVELS), _each_of(sk.d2_pinball_score, "alpha", LEVELS), values_of_3
    ),
    "mean_tweedie_deviance": Row(
        _each_of(metrics.mean_tweedie_deviance, "power", POWERS),
        _each_of(sk.mean_tweedie_deviance, "power", POWERS),
        strictly_positive,
    ),
    "mean_gamma_deviance": Row(metrics.mean_gamma_deviance, sk.mean_gamma_deviance, strictly_positive),
    "d2_tweedie": Row(
        _each_of(metrics.d2_tweedie, "power", POWERS), _each_of(sk.d2_tweedie_score, "power", POWERS), strictly_positive
    ),
    "d2_log_loss": Row(metrics.d2_log_loss, sk.d2_log_loss_score, probabilities),
    "d2_log_loss of 4": Row(metrics.d2_log_loss, sk.d2_log_loss_score, class_scores),
    "d2_brier": Row(metrics.d2_brier, sk.d2_brier_score, probabilities),
    "d2_brier of 4": Row(metrics.d2_brier, sk.d2_brier_score, class_scores),
    "multilabel_confusion_matrix": Row(
        partial(metrics.multilabel_confusion_matrix, classes=4), sk.multilabel_confusion_matrix, several, 0.0, True
    ),
    "multilabel_confusion_matrix of columns": Row(
        metrics.multilabel_confusion_matrix, sk.multilabel_confusion_matrix, columns, 0.0, True
    ),
    "classification_report": Row(partial(_report, classes=4), _their_report, several, None),
    "accuracy": Row(metrics.accuracy, sk.accuracy_score, several),
    "accuracy of columns": Row(metrics.accuracy, sk.accuracy_score, columns),
    "zero_one": Row(metrics.zero_one, sk.zero_one_loss, several),
    "balanced_accuracy": Row(partial(metrics.balanced_accuracy, classes=4), sk.balanced_accuracy_score, several),
    "confusion_matrix": Row(partial(metrics.confusion_matrix, classes=4), sk.confusion_matrix, several, 0.0, True),
    "matthews_corrcoef": Row(metrics.matthews_corrcoef, sk.matthews_corrcoef, binary, 0.0),
    "matthews_corrcoef of 4": Row(partial(metrics.matthews_corrcoef, classes=4), sk.matthews_corrcoef, several, 0.0),
    "specificity": Row(metrics.specificity, _specificity, binary, 0.0),
    "false_positive_rate": Row(metrics.false_positive_rate, lambda *a, **k: 1 - _specificity(*a, **k), binary, 0.0),
    "roc_auc": Row(metrics.roc_auc, sk.roc_auc_score, scores),
    "roc_auc of 4": Row(
        joined(metrics.roc_auc, ("macro", "weighted")),
        joined(partial(sk.roc_auc_score, multi_class="ovr"), ("macro", "weighted")),
        class_scores,
    ),
    "roc_auc of columns": Row(
        joined(metrics.roc_auc, ("macro", "weighted", None)),
        joined(sk.roc_auc_score, ("macro", "weighted", None)),
        column_scores,
    ),
    "log_loss": Row(metrics.log_loss, sk.log_loss, probabilities),
    "log_loss of 4": Row(metrics.log_loss, sk.log_loss, class_scores),
    "brier": Row(metrics.brier, _brier, probabilities),
    "brier of 4": Row(metrics.brier, _brier, class_scores),
    "top_k_accuracy": Row(metrics.top_k_accuracy, sk.top_k_accuracy_score, class_scores),
    "d2_absolute_error": Row(metrics.d2_absolute_error, sk.d2_absolute_error_score, values),
    "max_error": Row(metrics.max_error, _max, values),
    "mean_poisson_deviance": Row(metrics.mean_poisson_deviance, sk.mean_poisson_deviance, positive),
    "mean_poisson_deviance of 3": Row(metrics.mean_poisson_deviance, _poisson, positive_of_3),
}
for _name in ("precision", "recall", "f1", "jaccard"):
    TABLE[f"{_name} of examples of columns"] = Row(
        partial(getattr(metrics, _name), average="samples"),
        partial(getattr(sk, f"{_name}_score"), average="samples", zero_division=0),
        columns,
        0.0,
    )
for _distance, _weights in (("equal", None), ("linear", "linear"), ("quadratic", "quadratic")):
    TABLE[f"cohen_kappa {_distance}"] = Row(
        partial(metrics.cohen_kappa, classes=4, distance=_distance),
        partial(sk.cohen_kappa_score, weights=_weights),
        several,
        0.0,
    )
for _name in ("precision", "recall", "f1", "fbeta", "jaccard"):
    _more = {"beta": 0.5} if _name == "fbeta" else {}
    _ours = partial(getattr(metrics, _name), **_more)
    _theirs = partial(getattr(sk, f"{_name}_score"), zero_division=0, **_more)
    TABLE[_name] = Row(_ours, _theirs, binary, 0.0)
    for _kind, _data, _more in (("of 4", several, {"classes": 4}), ("of columns", columns, {})):
        _averages = ("micro", "macro", "weighted", None)
        TABLE[f"{_name} {_kind}"] = Row(
            joined(partial(_ours, **_more), _averages), joined(_theirs, _averages), _data, 0.0
        )
for _name, _data in (
    ("explained_variance", (values, values_of_3)),
    ("mean_absolute_error", (values, values_of_3)),
    ("mean_squared_error", (values, values_of_3)),
    ("root_mean_squared_error", (values, values_of_3)),
    ("median_absolute_error", (values, values_of_3)),
    ("mean_absolute_percentage_error", (values, values_of_3)),
    ("mean_squared_log_error", (positive, positive_of_3)),
    ("r2", (values, values_of_3)),
):
    _theirs = getattr(sk, f"{_name}_score" if _name in ("r2", "explained_variance") else _name)
    TABLE[_name] = Row(getattr(metrics, _name), _theirs, _data[0])
    TABLE[f"{_name} of 3"] = Row(getattr(metrics, _name), _theirs, _data[1])

every = pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
_single = {name: row for name, row in TABLE.items() if not name.endswith(("of 3", "of columns"))}
each = pytest.mark.parametrize("row", _single.values(), ids=_single.keys())  # more columns add no path of their own


def draw(row, seed=0):
    """Data with all classes, and a thirteenth of the rows at weight 0."""
    rng = np.random.default_rng(seed)
    return *row.data(rng), rng.permutation(np.resize(np.array([0, *([1, 2, 3, 4] * 3)]) / 2, M))


def arrays(*data):
    return tuple(jnp.asarray(x, jnp.int32 if np.issubdtype(x.dtype, np.integer) else jnp.float32) for x in data)


def peers(row):
    """The rows with the same kind of data, whose program they share."""
    return [other for other in TABLE.values() if other.data is row.data]


@cache
def _program(data):
    rows = [row for row in TABLE.values() if row.data is data]
    return jax.jit(jax.vmap(lambda truth, other, weight: [row(truth, other, weight) for row in rows]))


def lanes(row, *cases):
    """Each case through one vmapped and jitted program, four lanes wide."""
    wide = [*cases, *[cases[0]] * (4 - len(cases))]
    return _program(row.data)(*(jnp.stack(x) for x in zip(*wide, strict=True)))[peers(row).index(row)]


@cache
def _slopes(data):
    rows = [row for row in TABLE.values() if row.data is data]
    grads = [jax.grad(lambda p, t, w, row=row: jnp.sum(row(t, p, w))) for row in rows]
    return jax.jit(lambda truth, other, weight: [grad(other, truth, weight) for grad in grads])


def without(weight, *data):
    return tuple(x[weight > 0] for x in data)


@every
def test_equals_scikit_learn(row):
    cases = [draw(row, seed) for seed in (1, 2, 3)]
    truth, other, _ = unweighted = (*draw(row, 4)[:2], np.ones(M))
    got = lanes(row, *(arrays(*case) for case in [*cases, unweighted]))
    for x, (t, p, w) in zip(got, cases, strict=False):
        t, p, w = without(w, t, p, w)
        np.testing.assert_allclose(x, row.theirs(t, p, sample_weight=w), rtol=3e-5, atol=1e-6)
    np.testing.assert_allclose(got[3], row.theirs(truth, other), rtol=3e-5, atol=1e-6)
    np.testing.assert_allclose(row(truth, other), got[3], rtol=1e-6, atol=1e-6)  # no weights, classes from the labels


@each
def test_equals_scikit_learn_in_float64(row, x64):
    truth, other, weight = draw(row, 5)
    got = lanes(row, tuple(jnp.asarray(x) for x in (truth, other, weight)))
    t, p, w = without(weight, truth, other, weight)
    assert got.dtype == jnp.float64
    np.testing.assert_allclose(got[0], row.theirs(t, p, sample_weight=w), rtol=1e-12, atol=1e-13)


@each
def test_lanes_equal_the_loop(row):
    cases = [arrays(*draw(row, seed)) for seed in range(4)]
    loop, together = jnp.stack([row(*case) for case in cases]), lanes(row, *cases)
    np.testing.assert_allclose(together, loop, rtol=1e-6, atol=1e-6)
    assert loop.dtype == together.dtype == jnp.float32


def _spoilt(x, weight, junk):
    """``junk``, as far as the type holds it, where the weight is 0."""
    junk = junk if np.issubdtype(x.dtype, np.floating) or abs(junk) < 100 else 1234
    return np.where((weight == 0).reshape(-1, *(1,) * (x.ndim - 1)), np.array(junk).astype(x.dtype), x)


@every
def test_rows_of_weight_0_never_count(row):
    truth, other, weight = draw(row, 6)
    junk = (99, np.nan, -np.inf)
    rows = [arrays(_spoilt(truth, weight, x), _spoilt(other, weight, x), weight) for x in junk]
    straight, *got = lanes(row, arrays(truth, other, weight), *rows)
    for x in (*got, row(*rows[1])):
        np.testing.assert_allclose(x, straight, rtol=1e-6, atol=1e-6)


@each
def test_order_and_scale_of_weights_do_not_matter(row):
    truth, other, weight = draw(row, 7)
    order = np.random.default_rng(8).permutation(M)
    factor = 1 if row.scale else 0.3
    one, two = arrays(truth, other, weight), arrays(truth[order], other[order], factor * weight[order])
    one, two = lanes(row, one, two)[:2]
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@each
def test_no_example_that_counts_is_defined(row):
    case = arrays(*draw(row, 9)[:2], np.zeros(M))
    for got in (row(*case), lanes(row, case)[0]):
        if row.empty is not None:
            np.testing.assert_array_equal(got, np.full(got.shape, row.empty))


@each
def test_a_traced_fault_is_nan_and_a_known_one_an_error(row):
    truth, other, weight = draw(row, 10)
    cases = []
    for bad in (-1.0, np.nan, np.inf):
        wrong = weight.copy()
        wrong[3] = bad
        cases.append(arrays(truth, other, wrong))
        with pytest.raises(ValueError, match=r"`weight` must be finite and not negative; got .* in row 3"):
            row(*cases[-1])
    got = lanes(row, arrays(truth, other, weight), *cases)
    assert np.isnan(got[1:]).all()
    assert np.isfinite(got[0]).all()


@each
def test_a_nan_prediction_that_counts_is_nan(row):
    truth, other, weight = draw(row, 11)
    if np.issubdtype(other.dtype, np.integer):
        return  # such a label is no number, and refused: tested by its message
    other[np.argmax(weight > 0)] = np.nan
    assert np.isnan(lanes(row, arrays(truth, other, weight))[0]).all()


@each
def test_lengths_must_fit(row):
    truth, other, weight = arrays(*draw(row, 12))
    for f in (row, jax.jit(row)):
        with pytest.raises(ValueError, match=r"`truth` and .* must have .*got \(60,.*\(59,"):
            f(truth, other[:-1], weight)
        with pytest.raises(ValueError, match=r"`weight` must have one number for each of 60 examples.*got \(59,\)"):
            f(truth, other, weight[:-1])
        with pytest.raises(ValueError, match="m > 0"):
            f(truth[:0], other[:0], weight[:0])


@each
@pytest.mark.parametrize("kind", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_results_have_the_default_type(row, kind):
    rows = [x.astype(kind) if x.dtype == jnp.float32 else x for x in arrays(*draw(row, 13))]
    assert jax.eval_shape(row, *rows).dtype == jnp.float32


@each
def test_derivatives_are_finite_at_the_edges(row):
    truth, other, weight = arrays(*draw(row, 14))
    if other.dtype != jnp.float32:
        return
    perfect = truth.astype(jnp.float32) if truth.shape == other.shape else other
    if row.data is positive:
        perfect = jnp.maximum(perfect, 0.001)  # predicted rates are above 0
    hidden = jnp.where((weight == 0).reshape(-1, *(1,) * (other.ndim - 1)), jnp.nan, other)
    for p in (other, perfect, hidden):
        assert np.isfinite(_slopes(row.data)(truth, p, weight)[peers(row).index(row)]).all()
