"""A refit makes the updates of the tuned run, and over them every schedule has the course that it had."""

import jax
import numpy as np
import pytest

import fnopt as fo
from fnopt import schedules

KEY = jax.random.key(0)
TRAIN, DEV = fo.data.split(fo.data.iris(), (0.6, 0.4), key=KEY)  # 90 and 60 rows
MODEL = fo.classifier(hidden=(4,))

SPACE = {
    "lr": schedules.cosine(peak=0.05, steps=12),
    "l2": schedules.exponential(0.1, 0.5).every(),  # in whole epochs
    "b1": schedules.linear(0.9, 0.5, 4).every(staircase=0.0),  # in epochs, continuously
    "dropout": schedules.step_decay(0.4, 0.5, 6),
    "b2": schedules.linear(0.9, 0.99, 5).then(0.5, after=11).warmed(2, start=0.2),
}
FORMULAS = {  # at tuned step n, of 3 batches an epoch; by hand, float64
    "lr": lambda n: 0.05 * (1 + np.cos(np.pi * np.minimum(n, 12) / 12)) / 2,
    "l2": lambda n: 0.1 * 0.5 ** np.floor(n / 3 + 1e-9),
    "b1": lambda n: 0.9 - 0.4 * np.minimum(n / 3, 4) / 4,
    "dropout": lambda n: 0.4 * 0.5 ** np.floor(n / 6 + 1e-9),
    "b2": lambda n: np.where(
        n < 2,
        0.2 + (0.9 - 0.2) * n / 2,
        np.where(n < 13 - 1e-6, 0.9 + 0.09 * np.minimum(np.maximum(n - 2, 0) / 5, 1), 0.5),
    ),
}


def course(name, tuned, new, updates):
    """What a number was at the last update of each epoch of a run of ``new`` updates stretched from ``tuned``."""
    return FORMULAS[name]((np.asarray(updates, float) - 1) * (tuned - 1) / (new - 1))


@pytest.fixture(scope="module")
def sweep():
    return fo.caviar(MODEL, SPACE | {"batch_size": 30}, TRAIN, DEV, n=1, epochs=4, key=KEY)


@pytest.mark.parametrize("parts", [(TRAIN, DEV), (TRAIN,), (TRAIN, DEV, DEV)], ids=["more", "equal", "many"])
def test_updates_and_every_schedule_keep_their_course(sweep, parts):
    tuned = sweep.lanes(0)[0].history
    again = sweep.refit(*parts).history
    each = -(-sum(map(len, parts)) // 30)
    assert tuned["updates"][-1] == 12
    assert again["updates"].tolist() == [each * (k + 1) for k in range(max(round(12 / each), 1))]
    for name in FORMULAS:
        expected = course(name, 12, again["updates"][-1], again["updates"])
        np.testing.assert_allclose(again[name], expected, rtol=2e-5, atol=1e-7, err_msg=name)
        np.testing.assert_allclose(again[name][-1], tuned[name][-1], rtol=2e-5, atol=1e-7, err_msg=name)


def test_the_first_update_has_the_first_numbers(sweep):
    """The course begins where it began, by the schedules that the run holds."""
    run = sweep.refit(TRAIN, DEV)
    for name, formula in FORMULAS.items():
        filled = schedules.filled(run.hyper[name], 5)
        np.testing.assert_allclose(float(filled(0)), formula(0), rtol=1e-6, err_msg=name)


def test_a_searched_batch_size_is_that_of_the_configuration():
    space = {"lr": schedules.cosine(0.05, steps=3, floor=0.01).every(staircase=0.0), "batch_size": fo.choice(16, 45)}
    found = fo.caviar(MODEL, space, TRAIN, DEV, n=2, epochs=3, key=KEY, search="grid")
    for config, size in enumerate(row["batch_size"] for row in found.table()):
        tuned, run = found.lanes(config)[0].history, found.refit(config=config)
        made = 3 * -(-90 // size)
        assert tuned["updates"][-1] == made
        assert run.epochs == max(round(made / -(-150 // size)), 1)
        np.testing.assert_allclose(run.history["lr"][-1], tuned["lr"][-1], rtol=1e-4)


def test_early_stopping_gives_the_length_up_to_its_best():
    stop = fo.early_stopping(patience=1, min_delta=0.05)
    space = {"lr": schedules.cosine(0.2, steps=60), "batch_size": 30}
    found = fo.caviar(MODEL, space, TRAIN, DEV, n=1, epochs=20, key=KEY, stop=stop)
    (lane,), run = found.lanes(0), found.refit()
    assert lane.best + 1 < lane.epochs < 20
    assert run.epochs == max(round(3 * (lane.best + 1) / 5), 1)
    np.testing.assert_allclose(run.history["lr"][-1], lane.history["lr"][lane.best], rtol=1e-4)


@pytest.mark.slow  # the same course, counted in fewer updates
def test_an_accumulating_optimizer_counts_its_own_updates():
    model = fo.classifier(hidden=(4,), optimizer=fo.optim.accumulate(fo.optim.adam), batch_size=15)
    space = {"lr": schedules.cosine(0.05, steps=14), "every_k": 2.0}
    found = fo.caviar(model, space, TRAIN, DEV, n=1, epochs=4, key=KEY)
    tuned, run = found.lanes(0)[0].history, found.refit()
    assert tuned["updates"][-1] == 12 and run.history["updates"][-1] == 10
    np.testing.assert_allclose(run.history["lr"][-1], tuned["lr"][-1], rtol=1e-4)


def test_a_plateau_inside_other_schedules_takes_its_course_again():
    rule = schedules.plateau(0.1, factor=0.5, patience=1, min_delta=0.9)  # hardly ever better: it cuts and cuts
    space = {"lr": rule.warmed(3, start=0.01), "optimizer": "momentum", "batch_size": 30, "beta": rule.scaled(0.5)}
    found = fo.caviar(MODEL, space, TRAIN, DEV, n=1, epochs=5, key=KEY)
    tuned, run = found.lanes(0)[0].history, found.refit()
    assert len(set(tuned["lr"].tolist())) > 2
    assert (tuned["updates"][-1], run.history["updates"].tolist()) == (15, [5, 10, 15])
    at = np.array([4, 9, 14])  # equal updates: the value of the tuned epoch that each of them lies in
    for name in ("lr", "beta"):
        np.testing.assert_allclose(run.history[name], tuned[name][at // 3], rtol=1e-5, err_msg=name)
    assert "plateau" not in repr(run.hyper).lower()


@pytest.mark.slow  # one lane holds above
def test_folds_of_unlike_size_and_seeds_give_their_mean():
    data = fo.data.iris()
    space = {"lr": schedules.cosine(0.05, steps=4).every(), "batch_size": 25}
    found = fo.caviar(MODEL, space, data, folds=4, seeds=2, n=1, epochs=4, key=KEY)
    made = [lane.history["updates"][-1] for lane in found.lanes(0)]
    run = found.refit()
    assert run.history["updates"][-1] == 6 * max(round(np.mean(made) / 6), 1)
    np.testing.assert_allclose(run.history["lr"][-1], found.lanes(0)[0].history["lr"][-1], rtol=1e-4)


def test_a_population_has_the_course_of_its_lineage():
    rule = fo.population(every=1)
    space = {"lr": fo.log_uniform(1e-3, 1e-1), "l2": fo.log_uniform(1e-4, 1e-2), "batch_size": 30}
    found = fo.caviar(MODEL, space, TRAIN, DEV, n=6, epochs=4, key=KEY, stop=rule)
    config = max(range(6), key=lambda i: len(found.lineage(i)))
    lane, run = found.lanes(config)[0], found.refit(config=config)
    assert len(set(lane.history["lr"].tolist())) > 1
    updates = run.history["updates"]
    assert updates.tolist() == [5, 10]
    at = np.floor((updates - 1) * 11 / 9 / 3 + 1e-6).astype(int)
    for name in ("lr", "l2"):
        np.testing.assert_allclose(run.history[name], lane.history[name][at], rtol=1e-5)
