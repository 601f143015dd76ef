"""Importance: variance split exactly, planted rankings and interactions found, conditional and log names handled."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from fnopt.analysis import expected_best, importance, rank_correlation, spearman, within_noise
from fnopt.analysis.column_basis import column_basis, products
from fnopt.analysis.functional_anova import chosen_pairs, fit_parts
from fnopt.analysis.notes_ranking import agreement, notes_rank


def planted(n, noise, seed):
    """y = 4 a + 2 log b + 12 (c − ½)(d − ½) in uniform units, with the variance of each part; e has none."""
    draws = np.random.default_rng(seed)
    u = draws.random((n, 5))
    each = 4 * u[:, 0], 2 * u[:, 1], 12 * (u[:, 2] - 0.5) * (u[:, 3] - 0.5)
    variance = np.array([np.var(each[0]), np.var(each[1]), 0, 0, 0]), np.var(each[2])
    y = sum(each) + noise * np.std(sum(each)) * draws.normal(size=n)
    columns = dict(a=u[:, 0], b=10 ** (-4 + 3 * u[:, 1]), c=u[:, 2], d=u[:, 3], e=u[:, 4])
    return columns, y, variance


@pytest.mark.parametrize("noise", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_ranking_and_an_interaction_are_found(noise, seed):
    columns, y, (main, pair) = planted(400, noise, seed)
    found = importance(columns, y, bootstraps=0, seed=seed)
    assert found.order[:2] == ("a", "b") and found.top_pairs(1)[0][:2] == ("c", "d")
    total = np.var(y)
    np.testing.assert_allclose(found.main, main / total, atol=0.06)
    assert found.pairs[2, 3] == pytest.approx(pair / total, abs=0.08)
    others = np.triu(found.pairs, 1)
    others[2, 3] = 0
    assert others.max() < 0.03


def test_variances_are_those_of_a_known_function():
    """Orthogonal parts of exact variances: 2 x + z + 3 x z with x, z = ±1; then with noise of variance 1."""
    x, z = (np.repeat(side, 32) for side in ([-1.0, -1, 1, 1], [-1.0, 1, -1, 1]))
    draws = np.random.default_rng(0)
    parts = [x[:, None], z[:, None], (x * z)[:, None]]
    exact = fit_parts(parts, 2 * x + z + 3 * x * z)
    np.testing.assert_allclose(exact.variance, [4, 1, 9])
    assert exact.unseen == pytest.approx(1)
    found = np.mean([fit_parts(parts, z + draws.normal(size=128)).variance for _ in range(400)], axis=0)
    assert abs(found[1] - 1) < 0.04
    np.testing.assert_allclose(found[[0, 2]], 0, atol=0.003)  # the noise of a coefficient, 1/128, is taken out


def test_a_weight_is_a_row_drawn_so_often():
    """Twice all rows say no more than once, and no less noise is taken out; a row of weight 0 is not there."""
    draws = np.random.default_rng(0)
    x, y = draws.normal(size=(40, 3)), draws.normal(size=40)
    once = fit_parts([x], y)
    np.testing.assert_allclose(fit_parts([x], y, np.full(40, 2.0)).variance, once.variance)
    some = np.r_[np.ones(39), 0]
    np.testing.assert_allclose(fit_parts([x], y, some).variance, fit_parts([x[:39]], y[:39]).variance)


def test_a_row_left_out_is_foretold_as_by_fitting_without_it():
    draws = np.random.default_rng(0)
    x = draws.normal(size=(30, 3))
    y = x[:, 0] + draws.normal(size=30)
    errors = []
    for k in range(30):
        rest = np.delete(np.arange(30), k)
        full = np.c_[np.ones(30), x]
        beta = np.linalg.lstsq(full[rest], y[rest], rcond=None)[0]
        errors.append((y[k] - full[k] @ beta) ** 2)
    wanted = 1 - np.mean(errors) / np.var(y)
    assert fit_parts([x], y).unseen == pytest.approx(wanted)


def test_the_functions_of_a_column_are_orthonormal_where_it_exists():
    draws = np.random.default_rng(0)
    numbers = [None if k % 3 == 0 else float(x) for k, x in enumerate(draws.lognormal(size=90))]
    for values, count in ((numbers, 4), (list("abca") * 20, 2), ([32, 64, 128] * 20, 2), ([True, False] * 9, 1)):
        basis = column_basis("x", values, 4)
        there = np.array([x is not None for x in values])
        assert basis.values.shape == (len(values), count) and not basis.values[~there].any()
        gram = basis.values.T @ basis.values / there.sum()
        np.testing.assert_allclose(gram, np.eye(count), atol=1e-12)
        np.testing.assert_allclose(basis.values.sum(axis=0), 0, atol=1e-9)


def test_pairs_without_effect_are_not_chosen():
    draws = np.random.default_rng(0)
    chosen = 0
    for _ in range(40):
        bases = [column_basis(name, draws.random(100), 2) for name in "abcd"]
        mains = [one.values for one in bases]
        pairs = [products(a, b, 2) for a, b in itertools.combinations(bases, 2)]
        y = mains[0][:, 0] + draws.normal(size=100)
        chosen += len(chosen_pairs(mains, pairs, y))
        assert chosen_pairs(mains, pairs, y + 2 * pairs[3][:, 0])[0] == 3
        assert chosen_pairs(mains, [mains[0]], y) == []
        near = pairs[3][:, :1] + 1e-3 * pairs[0][:, :1]  # without the first nothing but a new function is left of it
        assert len(chosen_pairs(mains, [pairs[3][:, :1], near], y + 9 * pairs[3][:, 0] + 2 * pairs[0][:, 0])) == 2
    assert chosen <= 8  # 5 % of 40 are 2


def test_bars_say_how_sure_the_ranking_is():
    columns, y, _ = planted(200, 0.2, 0)
    found = importance(columns, y, bootstraps=20)
    assert found.bars.shape == (20, 5) and found.first["a"] > 0.9
    assert 0 < found.errors[0] < 0.15 and sum(found.first.values()) == pytest.approx(1)
    chance = importance(columns, np.random.default_rng(0).random(200), bootstraps=0)
    assert found.explained > 0.5 and chance.explained < 0.1
    again = importance(columns, y, bootstraps=20)
    np.testing.assert_array_equal(found.bars, again.bars)
    lines = str(found).splitlines()
    assert lines[1].split()[0] == "a" and "c × d" in lines[6] and "200 configurations" in lines[-1]


def test_a_scale_of_a_range_does_not_matter_as_it_was_drawn():
    columns, y, _ = planted(100, 0.0, 0)
    found = importance(columns, y, bootstraps=0)
    logs = importance({**columns, "b": np.log10(columns["b"])}, y, bootstraps=0)
    np.testing.assert_array_equal(found.main, logs.main)


def test_a_conditional_name_counts_by_its_effect_and_not_by_being_there():
    draws = np.random.default_rng(0)
    adam = draws.random(300) < 0.5
    b1, lr = draws.random(300), draws.random(300)
    columns = dict(
        optimizer=np.where(adam, "adam", "sgd").tolist(),
        b1=[x if here else None for x, here in zip(b1, adam, strict=True)],
        lr=lr,
    )
    presence = importance(columns, 3.0 * adam + lr, bootstraps=0)
    share = dict(zip(presence.names, presence.main, strict=True))
    assert share["optimizer"] > 0.75 and share["b1"] < 0.02
    effect = importance(columns, np.where(adam, 4 * b1, 2.0) + lr, bootstraps=0)
    share = dict(zip(effect.names, effect.main, strict=True))
    variance = np.array([adam.mean() * np.var(4 * b1[adam]), np.var(lr)]) / np.var(np.where(adam, 4 * b1, 2.0) + lr)
    assert effect.order[0] == "b1"
    np.testing.assert_allclose([share["b1"], share["lr"]], variance, atol=0.05)


def test_failures_count_as_the_worst_and_do_not_hide_the_rest():
    columns, y, _ = planted(200, 0.0, 0)
    lost = columns["e"] > 0.99
    y = np.where(lost, 1e9, y)
    found = importance(columns, y, higher=False, bootstraps=0)
    assert found.order[0] == "a"
    nan = importance(columns, np.where(lost, np.nan, y), higher=False, bootstraps=0)
    assert nan.order[0] == "a" and np.isfinite(nan.main).all()


def test_draws_whose_scores_are_alike_are_left_out_of_the_bars():
    """One score of 16 stands out: a draw without it has no variance to share out."""
    x, y = np.random.default_rng(0).random(16), np.eye(16)[3]
    found = importance({"lr": x}, y)
    lost = np.isnan(found.bars[:, 0])
    assert found.bars.shape == (100, 1) and 20 < lost.sum() < 50  # of each draw (15/16)^16 = .36
    np.testing.assert_allclose(found.errors, np.std(np.clip(found.bars[~lost], 0, 1), axis=0, ddof=1))
    assert found.first == {"lr": 1.0} and found.errors[0] < 10 and "inf" not in str(found)
    none = next(one for seed in range(99) if np.isnan((one := importance({"lr": x}, y, bootstraps=1, seed=seed)).bars))
    assert np.isnan(none.errors).all() and none.first == {}
    assert str(none).splitlines()[1].split() == ["lr", "0.0", "±", "–", "%", "–", "1"]
    assert "±" not in str(importance({"lr": x}, y, bootstraps=0))


def test_a_fit_that_foretells_nothing_says_so():
    found = importance({"lr": np.random.default_rng(0).random(16)}, np.eye(16)[3], bootstraps=0)
    assert found.explained < 0
    assert str(found).endswith("the fit explains nothing of scores that it did not see")


@pytest.mark.parametrize("size", [1.7e308, 1e-300, 5e-324])
def test_the_unit_of_the_scores_does_not_matter(size):
    x = np.random.default_rng(0).random(20)
    wanted = importance({"lr": x}, np.where(x > 0.5, 1.0, -1.0), bootstraps=3)
    found = importance({"lr": x}, np.where(x > 0.5, size, -size), bootstraps=3)
    assert found.main == pytest.approx(wanted.main) and found.bars == pytest.approx(wanted.bars)
    assert found.explained == pytest.approx(wanted.explained)


@pytest.mark.parametrize(
    ("columns", "scores", "words"),
    [
        (dict(a=range(15)), range(15), "at least 16"),
        (dict(a=range(20)), range(19), "20 values for 19"),
        (dict(a=[1] * 20), range(20), "no name varies"),
        (dict(a=range(20)), [1.0] * 20, "alike"),
        (dict(a=range(20)), [math.nan] * 20, "finite"),
    ],
)
def test_what_has_no_importance(columns, scores, words):
    with pytest.raises(ValueError, match=words):
        importance(columns, np.array(scores, float))


def test_the_notes_ranking():
    assert [notes_rank(x) for x in ("lr", "lr.schedule.peak", "beta", "batch_size", "lr.0", "lr.steps", "l2")] == [
        *(1, 1, 2, 2, 1, 3, None)
    ]
    assert agreement(dict(lr=0.1, b1=0.2, layers=0.3)) == -1 and math.isnan(agreement(dict(l2=1.0, lr=0.1)))


def test_spearman_is_scipys():
    draws = np.random.default_rng(0)
    for n in (2, 5, 30):
        a, b = draws.integers(6, size=n).astype(float), draws.normal(size=n)
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, nan_ok=True)
    assert math.isnan(spearman([1.0, 1.0], [1.0, 2.0])) and math.isnan(spearman([1.0, math.nan], [1.0, 2.0]))
    with pytest.raises(ValueError, match="one length"):
        spearman([1.0], [1.0, 2.0])
    curves = np.array([[1.0, 3.0], [2.0, 1.0], [3.0, math.nan], [0.0, 0.0]])
    wanted = stats.spearmanr([1.0, 2.0, 0.0], [3.0, 1.0, 0.0]).statistic
    assert rank_correlation(curves, (1, 2))[0, 1] == pytest.approx(wanted)
    with pytest.raises(ValueError, match="2 epochs"):
        rank_correlation(curves, (3,))


def test_expected_best_is_the_mean_over_all_choices():
    scores = np.random.default_rng(0).normal(size=7)
    for higher, best in ((True, max), (False, min)):
        wanted = [np.mean([best(some) for some in itertools.combinations(scores, k)]) for k in range(1, 8)]
        np.testing.assert_allclose(expected_best(scores, higher=higher), wanted)
    assert expected_best([1.0, math.nan, 3.0], [1]) == pytest.approx(5 / 3)
    assert np.isfinite(expected_best(np.arange(5000.0), [1, 2500, 5000])).all()
    with pytest.raises(ValueError, match="3 configurations"):
        expected_best([1.0, 2.0, 3.0], [4])
    with pytest.raises(ValueError, match="none is finite"):
        expected_best([math.nan])


def test_noise_of_pairs_is_a_paired_t_test():
    table = np.random.default_rng(0).normal(size=(40, 4)) + np.linspace(0, 3, 40)[:, None]
    found = within_noise(table, 39)
    for i in range(39):
        assert found.within[i] == (stats.ttest_rel(table[i], table[39]).pvalue >= 0.05)
    assert not found.within[39] and 0 < found.within.sum() < 39
    one = within_noise([0.9, 0.85, 0.5, math.nan], 0, examples=100)
    assert one.error[1] == pytest.approx(math.sqrt(0.9 * 0.1 / 100 + 0.85 * 0.15 / 100))
    assert one.within.tolist() == [False, True, False, False]
    assert not within_noise([0.9, 0.9], 0).within.any()
    with pytest.raises(ValueError, match="row 5"):
        within_noise([0.9, 0.9], 5)
