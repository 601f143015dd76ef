"""What a run and a sweep give to the analysis: the same as from their arrays, and printed in two lines a topic."""

import math
import time

import jax
import numpy as np
import pytest

import fnopt as fo
from fnopt._types import Column
from fnopt.analysis import diagnose, importance
from fnopt.run.importance import groups_of
from fnopt.run.remarks import about_importance, remarks

KEY = jax.random.key(0)
TRAIN, DEV = fo.data.split(fo.data.iris(), (0.6, 0.4), key=KEY, stratify=True)
SPACE = dict(
    lr=fo.log_uniform(1e-4, 1e10),
    b1=fo.when(optimizer="adam", b1=fo.uniform(0.5, 0.99)),
    batch_size=fo.choice(8, 16, 32),
    optimizer=fo.choice("momentum", "adam"),
)


@pytest.fixture(scope="module")
def sweep():
    return fo.caviar(fo.classifier(hidden=(4,)), SPACE, TRAIN, DEV, n=40, epochs=4, key=KEY)


@pytest.fixture(scope="module")
def run():
    return fo.fit(fo.classifier(hidden=(4,)), TRAIN, DEV, hyper=dict(lr=0.05, prox_l1=0.1), epochs=40, key=KEY)


def test_a_run_is_diagnosed_by_its_curves_data_and_network(run):
    found = run.diagnose(target=0.02)
    dev, train = (1 - run.scores[part]["accuracy"] for part in ("dev", "train"))
    assert found.errors == pytest.approx(dict(train=train, dev=dev))
    assert found.bias.value == pytest.approx(train - 0.02)
    errors = [math.sqrt(p * (1 - p) / n) for p, n in ((dev or 1 / 62, 60), (train or 1 / 92, 90))]
    assert found.variance.error == pytest.approx(math.hypot(*errors))
    assert "35 parameters for 90 training examples" in str(found) and "exactly 0" in str(found)
    mismatch = run.diagnose(train_dev=DEV).mismatch
    assert mismatch.value == 0 and mismatch.error == pytest.approx(2**0.5 * errors[0])
    assert run.diagnose(train_dev=DEV, metric="loss").mismatch.error > 0
    assert run.diagnose(train_dev=run.scores["dev"]["accuracy"]).mismatch.value == pytest.approx(0, abs=1e-7)


def test_of_a_loss_the_noise_is_that_of_single_examples(run):
    found = run.diagnose(metric="loss")
    logits = run.outputs(DEV.x)
    each = np.asarray(fo.losses.softmax_cross_entropy(logits, np.asarray(DEV.y)))
    assert found.errors["dev"] == pytest.approx(each.mean(), rel=1e-4)
    assert "60 dev examples" in str(found)
    with pytest.raises(ValueError, match="no curve of 'f1'"):
        run.diagnose(metric="f1")


def test_a_regression_counts_what_is_not_explained():
    data = fo.data.dataset(np.linspace(-1, 1, 80)[:, None], np.linspace(-2, 2, 80))
    run = fo.fit(fo.regressor(hidden=(4,)), data, data, hyper=dict(lr=0.01, batch_size=80), epochs=5, key=KEY)
    found = run.diagnose()
    assert found.metric == "r2" and found.errors["dev"] == pytest.approx(1 - run.scores["dev"]["r2"])
    assert found.bias.error > 0 and found.variance.value == pytest.approx(0, abs=1e-6)


def test_a_run_that_diverged_says_so():
    run = fo.fit(fo.classifier(hidden=(4,)), TRAIN, DEV, hyper=dict(lr=1e30, optimizer="sgd"), epochs=4, key=KEY)
    assert run.status == "diverged" and "Training diverged in epoch 1: lower the learning rate" in str(run.diagnose())
    assert str(run.diagnose()).endswith(f"tenfold first; {run.why} (G4).") and run.diagnose().bias is None


@pytest.mark.parametrize(("lr", "epochs", "said"), [(1e38, 2, "not finite at step 0"), (3.0, 1, "the train loss is ")])
def test_a_regression_that_diverged_has_no_gaps(lr, epochs, said):
    x = np.random.default_rng(0).normal(size=(80, 3))
    data = fo.data.dataset(x, x @ np.array([1.0, 2.0, 3.0]))
    run = fo.fit(fo.regressor(hidden=(4,), optimizer="sgd"), data, data, epochs=epochs, hyper=dict(lr=lr), key=KEY)
    text = str(run.diagnose())
    assert text.startswith(f"Training diverged in epoch 1: lower the learning rate, tenfold first; {said}")
    assert text.endswith(" (G4).") and "bias" not in text


@pytest.mark.filterwarnings("ignore:y is 1 in every example")
def test_a_constant_target_has_nothing_to_explain():
    data = fo.data.dataset(np.linspace(-1, 1, 80)[:, None], np.ones(80))
    run = fo.fit(fo.regressor(hidden=(4,)), data, data, hyper=dict(lr=0.01), epochs=2, key=KEY)
    assert str(run.diagnose()).startswith(
        "The target is constant in all 80 train examples: there is nothing to explain"
    )
    assert run.diagnose().bias is None and "bias" in str(run.diagnose(metric="loss"))


@pytest.mark.parametrize("target", [math.nan, "low", 97.0, -0.1])
def test_a_target_that_cannot_be_is_named(run, sweep, target):
    for one in (run, sweep):
        with pytest.raises(ValueError, match=r"`target` must be a number from 0 to 1, the error \(1 − accuracy\)"):
            one.diagnose(target=target)


def test_a_train_dev_part_is_data_or_its_score(run, sweep):
    with pytest.raises(ValueError, match=r"`train_dev` must be a number from 0 to 1, the accuracy of .*, got 3.0"):
        run.diagnose(train_dev=3.0)
    for one in ("high", (DEV.x, DEV.y), True):
        with pytest.raises((TypeError, ValueError), match="`train_dev` must be a "):
            run.diagnose(train_dev=one)
    for one in (3.0, 0.9, (DEV.x, DEV.y)):
        with pytest.raises(TypeError, match="`train_dev` must be a Dataset"):
            sweep.diagnose(train_dev=one)


def test_a_loaded_run_is_diagnosed_by_its_curves(run, tmp_path):
    found = fo.load(run.save(tmp_path / "run.safetensors")).diagnose(target=0.02)
    assert found.errors == pytest.approx(run.diagnose(target=0.02).errors) and math.isnan(found.bias.error)


def test_the_inputs_of_a_run(run):
    assert "inputs:" not in str(run)
    found = run.input_importance(DEV, repeats=2)
    assert str(run).endswith("(how much worse the loss is with one shuffled)") and found.order[0] in str(run)
    assert set(found.names) == set(fo.data.iris().features) and found.drops.shape == (4, 2)
    assert found.score == pytest.approx(run.evaluate(DEV)["loss"])
    assert max(found.mean) > 0.05 and "petal" in found.order[0]
    assert run.input_importance(DEV, metric="accuracy", repeats=1).score == run.evaluate(DEV)["accuracy"]


def test_columns_of_one_category_are_one_input():
    columns = (Column("size"), Column("kind", ("a", "b")), Column("day", None, "ymd"))
    features = ("size", "kind=a", "kind=b", "day.year")
    assert groups_of(features, columns, (4,)) == {"size": [0], "kind": [1, 2], "day": [3]}
    assert groups_of(None, None, (2, 2)) == {"0,0": (0,), "0,1": (1,), "1,0": (2,), "1,1": (3,)}


def test_importances_are_those_of_the_columns(sweep):
    rows = sweep.table()
    columns = {name: [row[name] for row in rows] for name in ("lr", "b1", "batch_size", "optimizer")}
    columns["b1"] = [row["b1"] if row["optimizer"] == "adam" else None for row in rows]
    ordered = {name: columns[name] for name in (sweep.space.labels[path] for path in sweep.space.drawn)}
    scores = [row["score"] for row in rows]
    wanted = importance(ordered, scores, bootstraps=2)
    found = sweep.importances(bootstraps=2)
    assert found.names == wanted.names and found.order[0] == "lr"
    np.testing.assert_array_equal(found.main, wanted.main)


def test_the_winner_is_diagnosed_with_its_noise(sweep):
    found = sweep.diagnose(target=0.0)
    best = sweep.kept.of(sweep.best.config)[0]
    wanted = diagnose(best.history, target=0.0, epoch=best.best + 1, examples=dict(train=90, dev=60))
    assert found.bias == wanted.bias and found.variance == wanted.variance and found.turn == wanted.turn
    assert sweep.best.config not in found.within and found.within
    assert f"the winner is inside the noise: {len(found.within)} of" in str(found).lower()
    alike = [line.split()[1] for line in str(sweep).splitlines() if line.lstrip().startswith("≈")]
    assert alike and {int(config) for config in alike} <= set(found.within)
    assert f"≈ {len(found.within)} within the noise of the first" in str(sweep)
    assert sweep.diagnose(train_dev=DEV).mismatch.value == pytest.approx(0, abs=1e-6)


def test_seeds_are_the_noise_where_there_are_several():
    sweep = fo.caviar(fo.classifier(hidden=(4,)), dict(lr=fo.choice(0.01, 0.02)), TRAIN, DEV, n=2, epochs=2, seeds=3)
    found, lanes = sweep.diagnose(), sweep.kept.of(sweep.best.config)
    gaps = [r.scores["train"]["accuracy"] - r.scores["dev"]["accuracy"] for r in lanes]
    assert found.variance.value == pytest.approx(np.mean(gaps))
    assert found.variance.error == pytest.approx(np.std(gaps, ddof=1) / 3**0.5)
    assert "over 3 seeds and folds" in str(found)
    assert about_importance(sweep) == []


def test_a_fit_that_foretells_nothing_says_so_below_the_leaderboard(sweep, monkeypatch):
    chance = importance({"lr": np.random.default_rng(0).random(16)}, np.eye(16)[3], bootstraps=0)
    monkeypatch.setattr("fnopt.run.remarks.importances", lambda sweep, bootstraps: chance)
    assert about_importance(sweep)[1].startswith("the fit behind it explains nothing of scores that it did not see")


def test_topics_come_in_order_with_two_lines_at_most(sweep):
    lines = remarks(sweep)
    topics = ["importance: lr ", "config ", "occupancy "]
    starts = [next(k for k, line in enumerate(lines) if line.startswith(topic)) for topic in topics]
    assert starts == sorted(starts) and len(lines) <= 8
    assert "variance of dev/accuracy" in lines[0] and "rank correlation with the notes' order" in lines[1]
    assert str(sweep).endswith("\n".join(lines))


def test_rungs_and_the_expected_best(sweep):
    found = sweep.rank_correlation()
    assert list(found) == [1, 2, 4] and found[4][4] == 1 and found[1][4] == found[4][1]
    assert -1 <= found[2][4] <= 1 and list(sweep.rank_correlation((4,))) == [4]
    halved = fo.caviar(fo.classifier(hidden=(4,)), SPACE, TRAIN, DEV, n=6, epochs=4, key=KEY, stop=fo.halving(eta=4))
    assert list(halved.rank_correlation()) == [1, 4]
    curve = sweep.expected_best()
    assert len(curve) == 40 and curve[-1] == sweep.best.score and (np.diff(curve) >= -1e-12).all()
    assert isinstance(sweep.edges(), list)


@pytest.mark.slow
def test_printing_is_quick():
    space = dict(SPACE, l2=fo.log_uniform(1e-6, 1e-1), dropout=fo.uniform(0, 0.5), label_smoothing=fo.uniform(0, 0.2))
    sweep = fo.caviar(fo.classifier(hidden=(4,)), space, TRAIN, DEV, n=256, epochs=1)
    about_importance(sweep)
    times = []
    for _ in range(5):
        start = time.thread_time()
        about_importance(sweep)
        times.append(time.thread_time() - start)
    assert min(times) < 0.1
