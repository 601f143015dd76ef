"""Scores of known float64 and 64-bit data lose nothing, whatever the offset, the unit and the type of the labels."""

import warnings
from decimal import Decimal, localcontext
from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from fnopt import metrics

sk = pytest.importorskip("sklearn.metrics")

M = 40
VALUES = ("mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "median_absolute_error", "max_error")
GAINS = ("r2", "explained_variance", "d2_absolute_error")
RELATIVE = ("mean_absolute_percentage_error", "mean_squared_log_error", "mean_poisson_deviance")
LABELS = ("accuracy", "zero_one", "balanced_accuracy", "matthews_corrcoef", "cohen_kappa", "confusion_matrix")
RATES = ("precision", "recall", "specificity", "false_positive_rate", "f1", "jaccard")
CHANCES = ("log_loss", "brier", "roc_auc")


def values(offset=0.0, unit=1.0, seed=0):
    """Truth and prediction that differ by whole 1024ths, so that an offset below 2^40 costs them no digit."""
    rng = np.random.default_rng(seed)
    y = np.round(rng.normal(size=M) * 1024) / 1024
    p = y + np.round(rng.normal(size=M) * 512) / 1024
    return unit * (offset + y), unit * (offset + p)


def theirs(name):
    """scikit-learn's score of that name."""
    other = {"r2": "r2_score", "explained_variance": "explained_variance_score"}
    return getattr(sk, other.get(name, "d2_absolute_error_score" if name.startswith("d2") else name))


@pytest.mark.parametrize("name", [*VALUES, *GAINS])
def test_an_offset_changes_no_score_of_known_values(name):
    score, plain = getattr(metrics, name), theirs(name)(*values())
    for offset in (0.0, 1e6, 1.7e9, 1e11):
        for kind in (np.asarray, np.ndarray.tolist):
            got = score(*(kind(x) for x in values(offset)))
            assert isinstance(got, np.float64)
            np.testing.assert_allclose(got, plain, rtol=1e-12)
    whole = [np.int64(1024 * x) for x in values()]
    for start in (0, 2**31, 2**61):  # where float64 itself has steps of 512
        power = {"mean_squared_error": 2}.get(name, name in VALUES)
        np.testing.assert_allclose(score(*(x + start for x in whole)), plain * 1024.0**power, rtol=1e-12)


@pytest.mark.parametrize("name", [*GAINS, "root_mean_squared_error"])
def test_a_unit_changes_no_score_without_one(name):
    score, plain = getattr(metrics, name), theirs(name)(*values())
    power = name not in GAINS
    for unit in (1e-25, 1e-22, 1e-19, 1e18, 1e22):
        y, p = values(unit=unit)
        np.testing.assert_allclose(score(y, p), plain * unit**power, rtol=1e-12)
        for f in (score, jax.jit(score)):
            got = f(y.astype(np.float32), p.astype(np.float32))
            np.testing.assert_allclose(got, plain * unit**power, rtol=2e-6)
    slopes = jax.jit(jax.grad(lambda p: score(jnp.float32(1e20) * y, p)))
    y = values()[0].astype(np.float32)
    assert np.isfinite(slopes(jnp.float32(1e20) * y)).all()


@pytest.mark.parametrize("name", RELATIVE)
def test_scores_in_shares_keep_their_digits_at_an_offset(name):
    formulas = {
        "mean_absolute_percentage_error": lambda y, p: abs(y - p) / abs(y),
        "mean_squared_log_error": lambda y, p: (np.log1p(y) - np.log1p(p)) ** 2,
        "mean_poisson_deviance": lambda y, p: 2 * (y * np.log(y / p) - y + p),
    }
    for offset in (10.0, 1e3, 1e6):
        y, p = values(offset)
        exact = formulas[name](*(x.astype(np.longdouble) for x in (y, p))).mean()
        np.testing.assert_allclose(getattr(metrics, name)(y, p), float(exact), rtol=1e-7 if offset > 1e3 else 1e-12)
        got = jax.jit(getattr(metrics, name))(y.astype(np.float32), p.astype(np.float32))
        exact = formulas[name](*(x.astype(np.float32).astype(np.longdouble) for x in (y, p))).mean()
        np.testing.assert_allclose(got, float(exact), rtol=3e-6)


def test_scores_are_ranked_and_taken_the_logarithm_of_before_any_cast():
    t = [1, 1, 0, 0]
    for s in (1 - np.array([1e-9, 2e-9, 3e-9, 4e-9]), 1e-60 * np.arange(4, 0, -1), 2**60 + np.arange(4, 0, -1)):
        assert metrics.roc_auc(t, s) == 1
        if s.dtype == float:  # a curve's thresholds are float64
            assert metrics.area(*metrics.roc_curve(t, s)[:2]) == 1
        assert metrics.top_k_accuracy([0, 0], np.stack([s, s]), k=1) == 1
    np.testing.assert_allclose(metrics.log_loss([0, 1], [1 - 1e-12, 0.5]), sk.log_loss([0, 1], [1 - 1e-12, 0.5]))
    np.testing.assert_allclose(metrics.brier([1, 1], [1 - 1e-9, 1.0]), 0.5e-18, rtol=1e-6)
    assert metrics.area(2**60 + np.array([0, 1, 3]), [2, 2, 4]) == 8


# ---- labels --------------------------------------------------------------------------------------------------------

KINDS = (bool, np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64, np.float16, np.float32, np.float64)
LARGE = (0, 1, 127, 2**24, 2**24 + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -1, -(2**31))


def held(kind):
    """The numbers that a type holds."""
    if np.issubdtype(kind, np.floating):
        return [x for x in LARGE if abs(x) <= int(np.finfo(kind).max) and int(kind(x)) == x]
    ends = (0, 1) if kind is bool else (np.iinfo(kind).min, np.iinfo(kind).max)
    return [x for x in LARGE if ends[0] <= x <= ends[1]]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_any_two_types_are_equal_only_where_their_numbers_are(kind):
    pairs, shares = [], []
    for other in KINDS:
        t, p = zip(*product(held(kind), held(other)), strict=True)
        right = sum(a == b for a, b in zip(t, p, strict=True)) / len(t)
        a, b = np.array(t, kind), np.array(p, other)
        assert float(metrics.accuracy(a, b)) == pytest.approx(right, rel=1e-6)
        assert float(metrics.zero_one(a, b)) == pytest.approx(1 - right, abs=1e-6)
        pairs.append((a, b))
        shares.append(right)
    if a.dtype.itemsize <= 4:  # the first may be traced: all of a kind in one program
        traced = jax.jit(lambda xs: [metrics.accuracy(x, b) for x, (_, b) in zip(xs, pairs, strict=True)])
        assert [float(x) for x in traced([a for a, _ in pairs])] == pytest.approx(shares, rel=1e-6)


def test_labels_that_are_no_class_are_refused_and_not_wrapped():
    for wrong in (2**32, 2**32 + 1, 2.0**40):
        for name in ("f1", "confusion_matrix", "cohen_kappa", "balanced_accuracy"):
            with pytest.raises(ValueError, match=r"np.unique\(x, return_inverse=True\)"):
                getattr(metrics, name)([0, 1, wrong], [0, 1, 1])
        with pytest.raises(ValueError, match="column of `score` each"):
            metrics.roc_auc(np.array([0, 1, wrong]), np.float32([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="whole numbers"):
        metrics.roc_auc([0, 1, 0.99999999999], np.float32([0.1, 0.2, 0.3]))


def test_counts_go_on_beyond_the_whole_numbers_of_float32():
    m = 17_000_001  # above 2^24
    ones, weight = jnp.ones(m, jnp.int32), jnp.full(m, 2.0)

    @jax.jit
    def got(t, w):
        return [
            metrics.confusion_matrix(t, t),
            metrics.confusion_matrix(t, t, weight=w),
            metrics.accuracy(t, t, weight=w),
        ]

    alike, matrix, share = got(ones, weight)
    np.testing.assert_allclose(alike, [[0, 0], [0, m]], rtol=1e-7)
    np.testing.assert_allclose(matrix, [[0, 0], [0, 2 * m]], rtol=1e-6)
    np.testing.assert_allclose(share, 1, rtol=1e-6)


@pytest.mark.slow
def test_every_count_goes_on_beyond_the_whole_numbers_of_float32():
    m = 17_000_001
    t, p = np.zeros(m, int), np.ones(m, int)
    t[-1] = 1
    assert metrics.precision(t, p) == metrics.accuracy(t, p) == metrics.rates([[0, m - 1], [0, 1]]).precision == 1 / m
    assert metrics.confusion_matrix(t, p).tolist() == [[0, m - 1], [0, 1]]


# ---- one type, traced or not ---------------------------------------------------------------------------------------


def narrow(name):
    """Arguments of at most 32 bits."""
    rng = np.random.default_rng(1)
    t = rng.integers(0, 2, M).astype(np.int32)
    if name in CHANCES or name == "roc_curve":
        return t, np.clip(t * 0.4 + rng.random(M) * 0.6, 0, 1).astype(np.float32)
    if name == "top_k_accuracy":
        return t, rng.random((M, 3)).astype(np.float32)
    if name == "area":
        return np.arange(M, dtype=np.float32), rng.random(M).astype(np.float32)
    if name == "rates":
        return (rng.integers(1, 9, (2, 2)).astype(np.float32),)
    if name in (*LABELS, *RATES):
        return t, np.where(rng.random(M) < 0.7, t, 1 - t).astype(np.int32)
    return tuple(np.abs(x).astype(np.float32) + np.float32(0.5) for x in values(seed=2))


EVERY = (*VALUES, *GAINS, *RELATIVE, *LABELS, *RATES, *CHANCES, "roc_curve", "top_k_accuracy", "area", "rates")


def test_jit_changes_neither_value_nor_type_nor_shape():
    scores = {name: getattr(metrics, name) for name in EVERY} | {"fbeta": partial(metrics.fbeta, beta=2.0)}
    given = {name: narrow("f1" if name == "fbeta" else name) for name in scores}
    together = jax.jit(lambda given: {name: score(*given[name]) for name, score in scores.items()})(given)
    for name, score in scores.items():
        data = given[name]
        for kind in (np.asarray, jnp.asarray):
            for got, traced in zip(
                *(jax.tree.leaves(x) for x in (score(*map(kind, data)), together[name])), strict=True
            ):
                assert isinstance(got, Array) and got.aval == traced.aval, name
                np.testing.assert_allclose(got, traced, rtol=1e-6, atol=1e-7, err_msg=name)


def test_labels_do_not_lift_scores_of_float32_and_nothing_known_lifts_what_is_traced():
    t, s = np.arange(4) % 2, np.float32([0.1, 0.9, 0.4, 0.6])
    for name in CHANCES:
        assert isinstance(getattr(metrics, name)(t, s), Array)
        assert isinstance(getattr(metrics, name)(t, s.astype(float)), np.float64)
    inside = jax.jit(lambda x: metrics.r2(1e9 + np.arange(4.0), 1e9 + np.array([0.0, 1, 2, 4])) + x)
    np.testing.assert_allclose(inside(1.0), 1.8, rtol=1e-6)
    assert isinstance(metrics.accuracy(jnp.arange(3), jnp.arange(3), weight=[0.5, 1.0, 2.0]), Array)


# ---- what is no data -----------------------------------------------------------------------------------------------

ODD = {
    "complex": (np.array([1 + 1j, 0]), TypeError, "complex128"),
    "object": (np.array([1, None]), TypeError, "object .*missing values"),
    "text": (np.array(["a", "b"]), TypeError, "must hold .* got dtype <U1"),
    "dates": (np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"), TypeError, "datetime64"),
    "masked": (np.ma.masked_array([1.0, 0.0], [False, True]), ValueError, "masked entries; leave these .* out"),
    "ragged": ([[1, 0], [1]], ValueError, "rows of one length"),
    "empty": (np.zeros(0), ValueError, "m > 0"),
    "one number": (1.0, ValueError, r"shape .*got \(\)"),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_data_is_refused_by_name(odd):
    x, error, message = ODD[odd]
    for name in EVERY:
        if name == "rates":
            continue
        first, second = ("x", "y") if name == "area" else ("truth", "prediction|score|probability")
        good = np.array([1.0, 0.0])
        with pytest.raises(error, match=f"`{first}` .*{message}"):
            getattr(metrics, name)(x, good)
        with pytest.raises(error, match=f"`({second})` .*{message}"):
            getattr(metrics, name)(good, x)
    if odd not in ("empty", "one number"):
        with pytest.raises(error, match=f"`weight` .*{message}".replace("must hold .*", "")):
            metrics.accuracy([1, 0], [1, 0], weight=x)


def test_a_mask_without_entries_and_a_column_of_a_frame_are_data():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"y": 1.7e9 + np.arange(4), "p": 1.7e9 + np.array([0.0, 1, 2, 4]), "k": [0, 1, 1, 0]})
    np.testing.assert_allclose(metrics.r2(frame["y"], frame["p"]), 0.8, rtol=1e-12)
    np.testing.assert_allclose(metrics.r2(np.ma.masked_array(frame["y"]), frame["p"].tolist()), 0.8, rtol=1e-12)
    assert metrics.accuracy(frame["k"].astype("Int64"), [0, 1, 1, 1]) == 0.75
    with pytest.raises(ValueError, match=r"`truth` must hold whole numbers; .* got nan in row 1"):
        metrics.accuracy(pd.Series([0, None, 1, 1], dtype="Int64"), frame["k"])


@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_rows_that_do_not_add_up_to_1_are_named(name):
    score = getattr(metrics, name)
    p = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score([0, 2], p)
        score([0, 2], (p + 1e-7).astype(np.float32))
        score([0, 2], jnp.asarray(p, jnp.bfloat16))
        score([0, 2], [[0.2, 0.3, 0.4], p[1]], weight=[0, 1])
    for wrong in (p * 0.9, p + 1e-5, (p * 1.01).astype(np.float32)):
        with pytest.warns(UserWarning, match=r"row 0 adds up to .* \(2 of 2 rows do not\); divide each row by its sum"):
            score([0, 2], wrong)


@pytest.mark.parametrize("power", [-1.0, 1.0, 1.0000001, 1.3, 1.9999999, 2.0, 2.5, 3.0, 7.0, 20.0])
def test_a_deviance_has_all_digits(power):
    """Against 60 digits: where prediction and truth, or the power and 1 or 2, are near, the plain form cancels."""
    with localcontext() as context:
        context.prec = 60
        for apart in ("1e-6", "1e-3", "0.09", "0.11", "0.4", "0.9", "-0.3", "2", "-0.9"):
            p = Decimal("0.75")
            y, a = p * (1 + Decimal(float(apart))), 2 - Decimal(power)
            y = Decimal(float(y))
            if power == 1:
                wanted = 2 * (y * (y / p).ln() - y + p)
            elif power == 2:
                wanted = 2 * ((p / y).ln() + y / p - 1)
            else:
                wanted = 2 * (y**a / ((a - 1) * a) - y * p ** (a - 1) / (a - 1) + p**a / a)
            found = metrics.mean_tweedie_deviance([float(y)], [float(p)], power=power)
            assert float(found) == pytest.approx(float(wanted), rel=2e-13 if power == 20 else 2e-14, abs=0)


def test_rates_of_a_rare_class_beside_a_heavy_one_keep_their_digits():
    """The rest of a float32 matrix is added up: as a difference it would lose what is small beside 1e8."""
    weight = jnp.float32([1e8, 1, 1, 2, 1])
    kappa = metrics.cohen_kappa(jnp.asarray([0, 0, 1, 1, 1]), jnp.asarray([0, 1, 0, 1, 1]), weight=weight)
    assert float(kappa) == pytest.approx(0.75, rel=1e-6)
    for matrix, wanted in (([[1e8, 1], [1, 3]], (0.75, 1)), ([[3e7, 5], [5, 3]], (0.375, 1))):
        found = metrics.rates(jnp.float32(matrix), average=None).specificity
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    rng = np.random.default_rng(0)
    matrix = rng.uniform(0, 1, (7, 7)) * 10.0 ** rng.integers(-6, 7, (7, 7))
    each = [np.delete(np.delete(matrix, k, 0), k, 1).sum() / np.delete(matrix, k, 0).sum() for k in range(7)]
    np.testing.assert_allclose(metrics.rates(jnp.float32(matrix), average=None).specificity, each, rtol=2e-6)


def test_deviances_of_numbers_of_any_size_are_those_of_larger_types():
    tiny, huge = jnp.float32([1e-30]), jnp.float32([1e30])
    assert float(metrics.mean_poisson_deviance(tiny, huge)) == pytest.approx(2e30, rel=1e-6)
    assert float(metrics.mean_gamma_deviance(tiny, huge)) == pytest.approx(274.3102, rel=1e-6)


def test_scores_below_the_normal_numbers_are_told_apart():
    """XLA takes them for 0; known ones are ranked before."""
    score = np.array([1e-310, 2e-310, 3e-310, -1e-310])
    assert metrics.roc_auc([0, 1, 1, 0], score) == 1 and metrics.average_precision([0, 1, 1, 0], score) == 1
