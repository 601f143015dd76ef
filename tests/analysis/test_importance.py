"""Importance: variance split exactly, planted rankings and interactions found, conditional and log names handled."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import fnopt as fo
from fnopt.analysis import expected_best, importance, rank_correlation, spearman, within_noise
from fnopt.analysis.forest import LEAST, grow
from fnopt.analysis.functional_anova import split_variance
from fnopt.analysis.notes_ranking import agreement, notes_rank


def planted(n, noise, seed):
    """y = 4 a + 2 log b + 12 (c − ½)(d − ½) in uniform units, e without effect: variances 16/12, 4/12, and 1 of a pair."""
    draws = np.random.default_rng(seed)
    u = draws.random((n, 5))
    y = 4 * u[:, 0] + 2 * u[:, 1] + 12 * (u[:, 2] - 0.5) * (u[:, 3] - 0.5)
    variance = np.array([16 / 12, 4 / 12, 0, 0, 0]), 1.0
    y = y + noise * math.sqrt(variance[0].sum() + variance[1]) * draws.normal(size=n)
    columns = dict(a=u[:, 0], b=10 ** (-4 + 3 * u[:, 1]), c=u[:, 2], d=u[:, 3], e=u[:, 4])
    return columns, y, variance


@pytest.mark.parametrize("noise", [0.0, 0.25])
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_ranking_and_an_interaction_are_found(noise, seed):
    columns, y, (main, pair) = planted(400, noise, seed)
    found = importance(columns, y, bootstraps=0, seed=seed)
    total = main.sum() + pair
    assert found.order[:2] == ("a", "b") and found.top_pairs(1)[0][:2] == ("c", "d")
    np.testing.assert_allclose(found.main, main / total, atol=0.12)
    assert found.pairs[2, 3] == pytest.approx(pair / total, abs=0.15)
    others = np.triu(found.pairs, 1)
    others[2, 3] = 0
    assert others.max() < 0.25 * found.pairs[2, 3]


def test_variance_is_split_as_on_a_grid():
    """Boxes of a tree, every cell of the grid of all their edges averaged by plain NumPy."""
    draws = np.random.default_rng(0)
    codes = draws.integers(6, size=(1, 80, 3))
    leaves = grow(codes, np.ones((1, 80), int), draws.normal(size=80), np.full(3, 6), draws, 6)
    grid = np.empty((6, 6, 6))
    for low, high, value in zip(leaves.low, leaves.high, leaves.value, strict=True):
        grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = value
    found = split_variance(leaves.low / 6, leaves.high / 6, leaves.value)
    assert found.total == pytest.approx(grid.var())
    means = [grid.mean(axis=tuple({0, 1, 2} - {d})) for d in range(3)]
    np.testing.assert_allclose(found.main, [m.var() for m in means])
    for a, b in itertools.combinations(range(3), 2):
        joint = grid.mean(axis=({0, 1, 2} - {a, b}).pop())
        assert found.pairs[a, b] == pytest.approx(joint.var() - found.main[a] - found.main[b])
        assert found.pairs[a, b] == found.pairs[b, a] and found.pairs[a, a] == 0


def test_every_row_lies_in_its_box_and_boxes_hold_the_mean():
    draws = np.random.default_rng(1)
    codes, y = draws.integers(9, size=(3, 50, 4)), draws.normal(size=50)
    counts = draws.multinomial(50, np.full(50, 0.02), size=3)
    leaves = grow(codes, counts, y, np.full(4, 9), draws, 4)
    for t in range(3):
        inside = leaves.of[t]
        assert (leaves.tree[inside] == t).all()
        assert ((leaves.low[inside] <= codes[t]) & (codes[t] < leaves.high[inside])).all()
        for leaf in np.flatnonzero(leaves.tree == t):
            w = counts[t] * (inside == leaf)
            assert w.sum() >= LEAST and leaves.value[leaf] == pytest.approx(w @ y / w.sum())
    volume = np.prod((leaves.high - leaves.low) / 9, axis=1)
    np.testing.assert_allclose(np.bincount(leaves.tree, volume), 1.0)


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


def test_with_its_range_a_share_is_over_the_range_and_not_over_where_a_search_looked():
    """|lr − ½| looked at near ½ alone has no slope there: over the range what lies outside counts by its width."""
    draws = np.random.default_rng(0)
    near = np.r_[draws.uniform(0.45, 0.55, 200), draws.uniform(0, 1, 40)]
    other = draws.random(240)
    y = 10 * np.abs(near - 0.5) + 0.5 * other
    looked = importance(dict(lr=near, other=other), y, bootstraps=0)
    over = importance(dict(lr=near, other=other), y, bootstraps=0, units=dict(lr=fo.uniform(0.0, 1.0).to_unit))
    assert over.main[0] > looked.main[0] + 0.02 and over.main[0] > 0.9


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
    assert effect.order[0] == "b1" and set(effect.top_pairs(1)[0][:2]) == {"optimizer", "b1"}


def test_failures_count_as_the_worst_and_do_not_hide_the_rest():
    columns, y, _ = planted(200, 0.0, 0)
    lost = columns["e"] > 0.95
    y = np.where(lost, 1e9, y)
    found = importance(columns, y, higher=False, bootstraps=0)
    assert found.order[0] == "a"
    nan = importance(columns, np.where(lost, np.nan, y), higher=False, bootstraps=0)
    assert nan.order[0] == "a" and np.isfinite(nan.main).all()


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
