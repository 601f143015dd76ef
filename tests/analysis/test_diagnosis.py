"""Diagnosis: gaps and their noise by hand, four built cases named right, each sentence with its number and row."""

import math
import re

import jax
import numpy as np
import pytest
from scipy import stats

import fnopt as fo
from fnopt.analysis import diagnose
from fnopt.analysis.divergence import divergence_of
from fnopt.analysis.gaps import gaps_of
from fnopt.analysis.headroom import headroom_of
from fnopt.analysis.learning_curves import rises_of, turn_of, value_at

CURVES = dict(
    train=dict(loss=[0.9, 0.5, 0.2, 0.1], accuracy=[0.6, 0.8, 0.9, 0.99]),
    dev=dict(loss=[0.9, 0.6, 0.5, 0.9], accuracy=[0.6, 0.75, 0.85, 0.9]),
    cost=[1.0, 0.6, 0.3, 0.2],
)
HYPER = dict(optimizer="sgd", batch_size=32, l2=0.1, dropout=0.5)


def test_gaps_of_one_run_by_hand():
    found = diagnose(CURVES, target=0.002, examples=dict(train=400, dev=100))
    assert (found.metric, found.target, found.dominant) == ("accuracy", 0.002, "variance")
    assert found.errors == pytest.approx(dict(train=0.01, dev=0.1))
    assert (found.bias.value, found.variance.value) == pytest.approx((0.008, 0.09))
    train, dev = 0.01 * 0.99 / 400, 0.1 * 0.9 / 100
    assert (found.bias.error, found.variance.error) == pytest.approx((train**0.5, (train + dev) ** 0.5))
    assert found.variance.beyond == pytest.approx(2 * (train + dev) ** 0.5) and found.bias.beyond == 0.01
    assert found.mismatch is None


def test_a_train_dev_part_tells_mismatch_from_variance():
    found = diagnose(CURVES, train_dev=0.97, examples=dict(train=400, dev=100, train_dev=100))
    assert (found.variance.value, found.mismatch.value) == pytest.approx((0.02, 0.07))
    assert found.dominant == "mismatch" and "(D7, D2, D5)" in str(found)


def test_several_repeats_are_paired_and_judged_by_students_t():
    train, dev = np.array([0.01, 0.02, 0.03]), np.array([0.05, 0.05, 0.09])
    gap = gaps_of(dict(train=train, dev=dev), 0.0).variance
    assert gap.error == pytest.approx(stats.sem(dev - train))
    assert gap.counts == (stats.ttest_rel(dev, train).pvalue < 0.05) and gap.counts
    assert gap.beyond == pytest.approx(stats.t.ppf(0.975, 2) * gap.error)
    assert not gaps_of(dict(train=train, dev=[0.02, 0.09, 0.03]), 0.0).variance.counts
    far = [dict(train=[0.1 * k], dev=[0.5 - 0.2 * k]) for k in range(2)]
    assert "none is beyond its noise; more repeats or examples would decide (D7, G9)" in str(diagnose(far))


def test_without_noise_and_examples_the_tolerance_decides():
    curves = dict(train=[1.0, 0.5], dev=[1.0, 0.52])
    assert diagnose(curves, target=0.5).dominant == "none"
    assert diagnose(curves, target=0.5, tolerance=0.01).dominant == "variance"
    assert math.isnan(diagnose(curves).variance.error) and "±" not in str(diagnose(curves))


def test_the_spread_of_single_examples_is_the_noise_of_a_mean():
    each = dict(train=np.zeros(4), dev=np.array([0.0, 1.0, 2.0, 3.0]))
    found = diagnose(dict(train=[0.0], dev=[1.5]), each=each)
    assert found.variance.error == pytest.approx(stats.sem(each["dev"]))
    assert "over 4 dev examples" in str(found)


def test_without_a_dev_part_it_says_what_it_can():
    found = diagnose(dict(train=dict(accuracy=[0.6, 0.992])), examples=400)
    assert found.variance is None and found.turn is None and found.dominant == "none"
    said = "Avoidable bias at most 0.8 % ± 0.4 %: it fits its own data; variance wants a dev part"
    assert str(found).startswith(said)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (dict(), "The dev loss turned at epoch 3 of 4, 0.5 there, 0.9 at the end; stop there"),
        (dict(epoch=3), "these are the weights that count"),
        (dict(parameters=4000, examples=400), "4,000 parameters for 400 training examples, 10 each"),
        (dict(headroom=2.0), "diverge from 2 times this learning rate on"),
        (
            dict(hyper=HYPER, metric="loss", target=-1.0),
            "more neurons or layers, weaker l2 0.1 and dropout 0.5 or Adam",
        ),
        (dict(hyper=HYPER), "a stronger L2 than 0.1 first"),
        (dict(hyper=dict(batch_size=512)), "batches of 32 or 64 for 512"),
        (dict(target=0.2, examples=dict(train=400, dev=400)), "19.0 % below the target"),
    ],
)
def test_each_sentence_has_its_number_and_its_row(options, sentence):
    text = str(diagnose(CURVES, **options))
    assert sentence in text
    assert sentence not in str(diagnose(dict(train=[0.5, 0.4], dev=[0.5, 0.41])))
    for one in re.split(r"(?<=\.) (?=[A-Z0-9])", text):
        assert re.search(r"\d", one) and re.search(r"\(([A-Z]\d+(, )?)+\)\.$", one), one


def test_a_full_batch_cost_that_rises_is_said_and_a_jump_too():
    curves = dict(train=[1.0, 0.5], dev=[1.0, 0.5], cost=[1.0, 0.5, 0.6, 0.4])
    assert "the full-batch cost rose in 1 of 3 epochs, by up to 20.0%" in str(diagnose(curves, full_batch=True)).lower()
    assert "rose" not in str(diagnose(curves))
    for worst, what in ((2.0, "grew 4 times at epoch 3"), (math.nan, "diverged in epoch 3")):
        assert what in str(diagnose({**curves, "cost": [1.0, 0.5, worst]}))


def test_layers_and_zeros_are_reported():
    row = dict(layer="hidden_0", units=4, activation=1.0, gradient=1.0, weights=1.0, dead=0.75, saturated=None)
    last = dict(row, layer="output", dead=0.0)
    weights = {"hidden_0": {"bias": np.zeros(2), "weight": np.array([[0.0, 0.0], [1.0, 0.0]])}}
    text = str(diagnose(CURVES, signals=[row, last], weights=weights))
    assert "Hidden_0: 75% of the units are dead; try leaky_relu, or a smaller lr (N9, G2)." in text
    assert "75% of the weights are exactly 0, and 1 of 2 inputs are unused: 4 parameters are left (L5)." in text
    assert "exactly 0" not in str(diagnose(CURVES, weights=jax.tree.map(np.ones_like, weights)))


@pytest.mark.parametrize(
    ("curves", "options", "words"),
    [
        ({}, {}, "training part"),
        (dict(train=dict(f1=[0.5])), {}, "metric="),
        (dict(train=dict(f1=[0.5])), dict(metric="f1"), "higher="),
        (CURVES, dict(metric="f1", higher=True), "no curve of 'f1'"),
        (dict(train=[math.nan]), {}, "nowhere finite"),
        (CURVES, dict(train_dev=[0.9, 0.9]), "one score a repeat, 1, got 2"),
        (CURVES, dict(train_dev=3.0), "`train_dev` must be a number from 0 to 1, the accuracy .*, got 3.0"),
        (CURVES, dict(train_dev="high"), "`train_dev` must be a number from 0 to 1, .* got 'high'"),
        (CURVES, dict(target=97.0), "`target` must be a number from 0 to 1, the error .1 − accuracy.*, got 97.0"),
        (CURVES, dict(target=-0.1), "`target` must be a number from 0 to 1"),
        (CURVES, dict(target=math.nan), "`target` must be .* got nan"),
        (CURVES, dict(target="low"), "`target` must be .* got 'low'"),
        (CURVES, dict(target=math.inf, metric="loss"), "`target` must be a finite number, got inf"),
        (dict(train=dict(r2=[0.5])), dict(target=-0.1), "`target` must be a number ≥ 0"),
        (CURVES, dict(examples=0), "`examples` must be a whole number ≥ 1, got 0"),
        (CURVES, dict(examples=1.5), "`examples` must be a whole number ≥ 1, got 1.5"),
        (CURVES, dict(examples=dict(train=-5, dev=10)), r"`examples\['train'\]` must be a whole number ≥ 1, got -5"),
        (CURVES, dict(epoch=1.5), "`epoch` must be a whole number ≥ 1, got 1.5"),
        (CURVES, dict(epoch=0), "`epoch` must be a whole number ≥ 1, got 0"),
        (CURVES, dict(epoch=-1), "`epoch` must be a whole number ≥ 1, got -1"),
        (CURVES, dict(epoch=99), "`epoch` must be one of the 4 epochs of the curves, from 1, got 99"),
        (CURVES, dict(epoch=[1, 2]), "`epoch` must be one epoch a repeat, 1, got 2"),
        (CURVES, dict(tolerance=math.nan), "`tolerance` must be a number ≥ 0, got nan"),
        (CURVES, dict(tolerance=-1), "`tolerance` must be a number ≥ 0, got -1"),
        (CURVES, dict(parameters=-1), "`parameters` must be a whole number ≥ 0, got -1"),
        (dict(train=dict(accuracy=[0.5, 1.5])), {}, "'accuracy' of the train part must be from 0 to 1, got 1.5: give"),
        (dict(train=dict(f1_macro=[50.0])), dict(metric="f1_macro", higher=True), "must be from 0 to 1, got 50"),
        (dict(train=dict(r2=[1.5])), {}, "'r2' of the train part must be up to 1, got 1.5"),
        (dict(train=dict(accuracy="high")), {}, "must be numbers, one an epoch, got 'high'"),
    ],
)
def test_what_cannot_be_diagnosed(curves, options, words):
    with pytest.raises(ValueError, match=words):
        diagnose(curves, **options)


@pytest.mark.parametrize("curves", [[1, 2], 3, "train", [CURVES, None]])
def test_curves_are_dictionaries(curves):
    with pytest.raises(TypeError, match="`curves` must be dict"):
        diagnose(curves)


@pytest.mark.parametrize(
    ("curves", "options", "epoch", "why"),
    [
        (dict(train=[1.5e3, 1.4e11, 3.3e35, math.inf]), {}, 4, "; the train loss is inf"),
        (dict(train=[1.5e3, 1.4e11, 3.3e35]), {}, 2, "; the train loss is 2.2e+32 times that of epoch 1"),
        (dict(train=dict(r2=[0.1, -1e9])), {}, 2, "; the train 1 − r2 is 1.11e+09 times that of epoch 1"),
        (dict(train=[1.0, 0.5, 0.4], dev=[1.0, math.nan, math.nan]), {}, 2, "; the dev loss is nan"),
        (dict(train=[1e13], cost=[2e3]), {}, 1, "; the train loss is 5e+09 times the first training cost"),
        (
            dict(train=[1.0, 0.9], cost=[1.0, math.nan]),
            dict(diverged="not finite at step 7"),
            2,
            "; not finite at step 7",
        ),
        (dict(train=[math.nan]), dict(diverged=""), 1, ""),
        ([CURVES, dict(CURVES, cost=[1.0, 2.0, 3.0, math.inf])], {}, 4, "; the training cost is inf"),
    ],
)
def test_of_a_training_that_diverged_nothing_else_is_said(curves, options, epoch, why):
    found = diagnose(curves, parameters=9, examples=dict(train=400, dev=100), **options)
    assert str(found) == f"Training diverged in epoch {epoch}: lower the learning rate, tenfold first{why} (G4)."
    assert found.bias is found.variance is found.mismatch is None and found.dominant == "none"


@pytest.mark.parametrize(
    ("train", "dev", "cost"),
    [
        ([math.nan, 0.5, math.nan], None, None),  # taken at every second epoch
        ([0.9, math.nan, math.nan], None, [1.0, 0.9, 0.8]),  # the cost says that training was sound
        ([0.9, 0.5, math.nan], [0.9, 0.5, 0.4], None),  # so does the dev part
        ([1.0, 1e6], [0.0, 5.0], [1.0, 1e6]),
        ([], None, []),
    ],
)
def test_what_was_not_taken_did_not_diverge(train, dev, cost):
    parts = {"train loss": train} if dev is None else {"train loss": train, "dev loss": dev}
    assert divergence_of(parts, cost) is None


def test_of_a_constant_target_there_are_no_gaps():
    curves = dict(train=dict(loss=[3.0, 1.8], r2=[0.0, 0.0]))
    found = diagnose(curves, constant="train", examples=80)
    assert str(found).startswith("The target is constant in all 80 train examples: there is nothing to explain, and r2")
    assert found.bias is None and found.errors == dict(train=1.0) and len(found.findings) == 1
    assert "bias" in str(diagnose(curves, constant="train", metric="loss"))


def test_curves():
    falling = np.geomspace(1.0, 0.1, 40)
    assert turn_of(falling).improving and not turn_of(falling).turned
    assert not turn_of(np.r_[falling, np.full(40, 0.1)]).improving
    assert turn_of([math.nan, 1.0, math.inf]).epoch == 2 and turn_of([math.nan]) is None and turn_of([]) is None
    assert rises_of([1.0]).steps == 0 and rises_of([1.0, 1.0 + 1e-7]).times == 0
    assert rises_of([1.0, 0.01, 0.09]).jump == 1 and rises_of([1.0, 0.01, 0.1]).jump == pytest.approx(10)
    assert value_at([math.nan, 2.0], 1) == 2.0 and math.isnan(value_at([], None))
    assert headroom_of([0.1, 1.0], [False, False], 0.1) == math.inf
    few = [False, True, False, False, True]  # at 0.2 one diverged by chance: of those above most did not
    assert headroom_of([0.1, 0.2, 0.3, 0.4, 1.0], few, 0.1) == pytest.approx(10.0)


KEY = jax.random.key(0)
MODEL = fo.classifier(hidden=(32,), optimizer="adam")


def built(case, seed):
    """Two far classes in 20 dimensions, changed so that one thing is wrong: the parts, numbers, and the target."""
    draws = np.random.default_rng(seed)

    def rows(noise=0.0, shift=0.0):
        y = draws.integers(2, size=256)
        x = draws.normal(size=(256, 20))
        x[:, :4] += 1.6 * (2 * y[:, None] - 1) + shift
        return fo.data.dataset(x.astype(np.float32), np.where(draws.random(256) < noise, 1 - y, y))

    if case == "variance":
        return (rows(0.2), None, rows(0.2)), dict(l2=0.0, lr=0.02), 0.0
    parts = rows(), rows(), rows(shift=2.5 if case == "mismatch" else 0.0)
    return parts, dict(l2=30.0 if case == "bias" else 1e-3, lr=0.01), 0.0


@pytest.mark.parametrize("case", ["bias", "variance", "mismatch", "none"])
def test_four_built_cases_are_named_right_in_ten_draws_each(case):
    found = []
    for seed in range(10):
        (train, train_dev, dev), hyper, target = built(case, seed)
        run = fo.fit(MODEL, train, dev, hyper=hyper, epochs=40, key=jax.random.fold_in(KEY, seed))
        found.append(run.diagnose(target=target, train_dev=train_dev).dominant)
    assert found == [case] * 10
