"""The rules that stop configurations: ages, brackets, and who goes on, against tables and definitions by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest

import fnopt as fo
from fnopt.sweep.stop import Bracket, Mark, hyperband_sizes

RULES = (fo.halving, fo.hyperband, fo.asynchronous_halving, fo.median)
HALVING = (fo.halving, fo.hyperband, fo.asynchronous_halving)


def marks(*scores, bad=()):
    return [Mark(i in bad, s, 0.0, i) for i, s in enumerate(scores)]


@pytest.mark.parametrize(
    ("eta", "least", "epochs", "ages"),
    [
        (3, 1, 81, (1, 3, 9, 27)),
        (3, 1, 243, (1, 3, 9, 27, 81)),
        (3, 2, 81, (3, 9, 27)),
        (2, 1, 100, (1, 3, 6, 12, 25, 50)),
        (10, 1, 1000, (1, 10, 100)),
        (math.sqrt(10), 1, 1000, (1, 3, 10, 31, 100, 316)),  # its square is a little above 10
        (1.5, 1, 10, (1, 2, 4, 6)),  # 10 / 1.5^k = 6.67, 4.44, 2.96, 1.98, 1.32
        (2.5, 1, 30, (1, 4, 12)),
        (3, 5, 4, ()),  # nobody is judged before 5 epochs, and there are 4
        (3, 4, 4, ()),
        (100, 1, 30, ()),
        (2, 1, 1, ()),
        (2, 1, 2, (1,)),
    ],
)
@pytest.mark.parametrize("rule", HALVING)
def test_rungs_are_the_length_divided_by_powers_of_eta(rule, eta, least, epochs, ages):
    assert rule(eta=eta, min_epochs=least).ages(epochs) == ages


@pytest.mark.parametrize("eta", [2, 3, 4, 7])
def test_exact_powers_lose_no_rung_to_rounding(eta):
    for k in range(1, 9):
        assert fo.halving(eta=eta).ages(eta**k) == tuple(eta**i for i in range(k))


@pytest.mark.parametrize("eta", [1.25, 1.5, 2.0, 2.75, 3.0])
@pytest.mark.parametrize("least", [1, 2, 5])
def test_rungs_rise_lie_inside_and_are_those_of_the_formula(eta, least):
    for epochs in range(1, 60):
        ages = fo.halving(eta=eta, min_epochs=least).ages(epochs)
        exact = {math.floor(epochs / Fraction(eta) ** k) for k in range(1, 40)}
        assert ages == tuple(sorted(a for a in exact if least <= a < epochs))


def test_the_median_rule_looks_every_so_many_epochs():
    assert fo.median(min_epochs=3, every=2).ages(8) == (3, 5, 7)
    assert fo.median(min_epochs=3, every=2).ages(7) == (3, 5)
    assert fo.median(min_epochs=9).ages(8) == fo.median(min_epochs=8).ages(8) == ()


def test_hyperband_is_the_table_of_the_paper():
    # Table 1 there, R = 81 and eta = 3: (how many start, after how many epochs they are first compared).
    assert hyperband_sizes(4, 3) == [81, 34, 15, 8, 5]
    brackets = fo.hyperband(eta=3).brackets(81 + 34 + 15 + 8 + 5, 81)
    assert [(len(b.members), b.ages[0] if b.ages else 81) for b in brackets] == [
        (81, 1),
        (34, 3),
        (15, 9),
        (8, 27),
        (5, 81),
    ]
    assert [b.ages for b in brackets] == [(1, 3, 9, 27), (3, 9, 27), (9, 27), (27,), ()]


@pytest.mark.parametrize("n", [1, 2, 26, 27, 28, 49, 50, 200])
@pytest.mark.parametrize("epochs", [1, 2, 30, 81])
@pytest.mark.parametrize("rule", [rule() for rule in RULES] + [fo.hyperband(eta=1.5), fo.hyperband(min_epochs=100)])
def test_each_configuration_is_in_one_bracket(rule, n, epochs):
    brackets = rule.brackets(n, epochs)
    assert [i for b in brackets for i in b.members] == list(range(n))
    assert all(len(b.members) > 0 and list(b.ages) == sorted(set(b.ages)) for b in brackets)
    assert all(1 <= a < epochs for b in brackets for a in b.ages)


def test_hyperband_begins_again_when_its_brackets_are_full():
    rule, epochs = fo.hyperband(), 30
    once = rule.brackets(49, epochs)
    again = rule.brackets(98, epochs)
    assert again == [*once, *(Bracket(range(b.members.start + 49, b.members.stop + 49), b.ages) for b in once)]
    assert rule.brackets(60, epochs)[-1] == Bracket(range(49, 60), (1, 3, 10))  # the last one is not filled


def test_hyperband_without_room_for_a_rung_trains_all():
    assert all(b.ages == () for b in fo.hyperband(min_epochs=50).brackets(7, 30))


@pytest.mark.parametrize("eta", [1.5, 2, 3, 4.0])
def test_the_best_share_goes_on(eta):
    rng, rule = np.random.default_rng(0), fo.halving(eta=eta)
    for m in range(1, 40):
        some = marks(*rng.permutation(m).astype(float))
        on = rule.going_on(some)
        share = math.ceil(m / Fraction(eta))
        assert [mark.config for mark, yes in zip(some, on, strict=True) if yes] == [
            mark.config for mark in some if mark.score < share
        ]


def test_ties_go_by_loss_then_by_number():
    rule = fo.halving(eta=2)
    assert rule.going_on(marks(0.5, 0.5, 0.5, 0.5)) == [True, True, False, False]
    some = [Mark(False, 0.5, loss, i) for i, loss in enumerate([0.4, 0.2, math.inf, 0.3])]
    assert rule.going_on(some) == [False, True, False, True]
    assert rule.going_on(some[::-1]) == [True, False, True, False]  # answers in the order of the question


def test_who_diverged_never_goes_on():
    rule = fo.halving(eta=2)
    assert rule.going_on(marks(0.1, 0.2, 0.3, 0.4, bad=(0, 1, 2))) == [False, False, False, True]
    assert rule.going_on(marks(0.1, 0.2, bad=(0, 1))) == [False, False]
    assert rule.going_on(marks(0.1, bad=(0,))) == [False]
    assert rule.going_on([]) == []


@pytest.mark.parametrize("rule", HALVING[:2])
def test_rules_of_whole_rungs_do_not_judge_one_by_one(rule):
    assert not rule().ordered
    with pytest.raises(TypeError, match="judges a whole rung at once"):
        rule().keeps(0, 0)


@pytest.mark.parametrize("eta", [1.5, 2, 3, 4.0])
def test_asynchronous_halving_keeps_the_best_share_so_far(eta):
    rule, rng = fo.asynchronous_halving(eta=eta), np.random.default_rng(1)
    scores = rng.permutation(60)
    for i in range(60):
        so_far = sorted(scores[: i + 1])
        best = so_far[: math.ceil((i + 1) / Fraction(eta))]
        assert rule.keeps(int((scores[:i] < scores[i]).sum()), i) == (scores[i] in best)


@pytest.mark.parametrize("warmup", [1, 2, 5])
def test_the_median_rule_keeps_who_is_no_worse_than_the_median(warmup):
    rule, rng = fo.median(warmup=warmup), np.random.default_rng(2)
    scores = rng.normal(size=60)
    for i in range(60):
        keeps = i < warmup or scores[i] <= np.median(scores[:i])
        if i % 2 or i < warmup:  # with an even number before it, the median is between two of them, and so may it be
            assert rule.keeps(int((scores[:i] < scores[i]).sum()), i) == keeps
        else:
            upper = np.sort(scores[:i])[i // 2]
            assert rule.keeps(int((scores[:i] < scores[i]).sum()), i) == (scores[i] <= upper)


@pytest.mark.parametrize("rule", HALVING)
@pytest.mark.parametrize("eta", [1, 1.0, 0, -3, 0.5, True, False, None, "3", math.nan, math.inf, [3]])
def test_eta_is_a_number_above_one(rule, eta):
    with pytest.raises(ValueError, match="`eta` must be a number above 1, got"):
        rule(eta=eta)


@pytest.mark.parametrize("eta", [np.float32(3), np.float64(3), np.int64(3), 3])
def test_eta_may_be_a_number_of_numpy(eta):
    assert fo.halving(eta=eta) == fo.halving(eta=3.0) and type(fo.halving(eta=eta).eta) is float


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("least", [0, -1, 1.5, True, None, "1"])
def test_min_epochs_is_a_whole_number(rule, least):
    with pytest.raises(ValueError, match="`min_epochs` must be a whole number ≥ 1, got"):
        rule(min_epochs=least)


@pytest.mark.parametrize("name", ["every", "warmup"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, None])
def test_the_median_rule_checks_its_numbers(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be a whole number ≥ 1, got"):
        fo.median(**{name: value})


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_values(rule):
    assert rule() == rule() and hash(rule()) == hash(rule()) and rule() != rule(min_epochs=7)
