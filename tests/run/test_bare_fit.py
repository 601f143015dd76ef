"""A call of fit that says no epochs: filled in from the recipe, and nothing else is."""

import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.model import recipes
from fnopt.run import late_bar as bars
from fnopt.run.held_out import hold_out
from fnopt.run.unsaid import completed, epochs_of_search, still_falling
from fnopt.space import SearchSpace

KEY = jax.random.key(3)
IRIS = fo.data.iris()


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


@pytest.fixture(scope="module")
def bare():
    return fo.fit(fo.classifier(), IRIS, key=KEY)


def test_it_learns(bare):
    """The usual 20 epochs are 100 updates on this table, and name a third of it."""
    assert bare.evaluate(IRIS)["accuracy"] > 0.9


def test_values_written_out_give_the_same_bits(bare):
    values = fo.recipes.default("classes", rows=150, columns=4)
    rows = 150 - len(bare.plan["held_out"])
    told = fo.recipes.arguments(values, rows)
    again = fo.fit(fo.classifier(), IRIS, key=KEY, holdout=values["holdout"], **told)
    assert equal(bare.params, again.params) and bare.scores == again.scores
    assert bare.hyper.keys() == again.hyper.keys()


def test_the_weights_are_those_of_the_best_epoch_by_dev_loss(bare):
    loss = bare.history["dev"]["loss"]
    assert bare.best_epoch == int(np.argmin(loss)) + 1
    assert bare.scores["dev"]["loss"] == loss.min()
    held = bare.plan["held_out"]
    rows = fo.data.dataset(np.asarray(IRIS.x)[held], np.asarray(IRIS.y)[held], classes=IRIS.classes)
    assert bare.evaluate(rows)["loss"] == pytest.approx(float(loss.min()), rel=1e-4)
    assert len(held) == round(0.15 * 150) and len(set(held.tolist())) == len(held)


def test_the_plan_and_the_print_say_what_was_filled_in(bare):
    values = recipes.default("classes", 150, 4)
    del values["cites"]
    assert {name: bare.plan[name] for name in values} == values
    assert bare.plan["chosen_by"] == "dev/loss" and bare.plan["rows"] == 128
    assert "22 rows held out" in str(bare) and f"weights of epoch {bare.best_epoch}" in str(bare)
    rate = bare.hyper["lr"].filled(4)
    whole = recipes.epochs_of(values, 128) * 4
    assert whole >= 2000 and float(rate(0)) == pytest.approx(values["lr"]) and float(rate(whole)) == 0.0


def test_explicit_calls_mean_what_they_meant():
    run = fo.fit(fo.classifier(), IRIS, epochs=1, key=KEY)
    assert run.plan == {} and run.epochs == 1 and list(run.scores) == ["train"]
    assert (run.hyper["optimizer"], run.hyper["batch_size"], run.hyper["lr"]) == ("adam", 32, 1e-3)
    also = fo.fit(fo.classifier(), IRIS, hyper={"epochs": 1}, key=KEY)
    assert equal(run.params, also.params)
    notes = completed_of(fo.classifier(recipe="notes"))
    assert notes.epochs == 20 and notes.dev is None and notes.stop is None
    told = {name: x for name, x in notes.hyper.items() if name != "hidden"}
    assert equal(run.params, fo.fit(fo.classifier(), IRIS, hyper=told, epochs=1, key=KEY).params)


def completed_of(model, train=IRIS, dev=None, hyper=None, stop=None, objective=None, holdout=None):
    return completed(model, train, dev, hyper=hyper, key=KEY, stop=stop, objective=objective, holdout=holdout)


def test_what_is_said_goes_over_the_recipe():
    """Names of the call and of the declaration; the rate of another optimizer is its own, and falls too."""
    call = completed_of(fo.classifier(hidden=(8,), dropout=0.4), hyper={"lr": 0.05, "batch_size": 50})
    assert call.hyper.keys() >= {"lr", "batch_size", "optimizer", "weight_decay", "label_smoothing"}
    assert not {"hidden", "dropout"} & call.hyper.keys() and call.hyper["lr"] == 0.05
    assert call.epochs == -(-recipes.default("classes", 150, 4)["updates"] // 3)  # 128 rows in batches of 50
    other = completed_of(fo.classifier(optimizer="momentum"))
    assert "weight_decay" not in other.hyper and "optimizer" not in other.hyper
    assert float(other.hyper["lr"].schedule.peak) == pytest.approx(fo.optim.momentum.lr)
    assert "dropout" not in completed_of(fo.classifier(hidden=())).hyper
    assert "label_smoothing" not in completed_of(fo.regressor(), fo.data.diabetes()).hyper
    stop = fo.early_stopping(patience=3)
    assert completed_of(fo.classifier(), stop=stop, objective="dev/accuracy")[4:6] == (stop, "dev/accuracy")
    assert completed_of(fo.classifier(), objective="dev/f1").watched == "dev/loss"


def test_a_model_of_ones_own_keeps_its_structure():
    model = fo.supervised(
        init=lambda key, example, hyper: (jnp.zeros(example.x.shape[1]), ()),
        loss=lambda w, stats, batch, hyper, key, train: ((batch.x @ w - batch.y) ** 2, stats),
        predict=lambda w, stats, x, hyper: x @ w,
        task="values",
    )
    call = completed_of(model, fo.data.diabetes())
    assert call.hyper.keys() == {"lr"} and len(call.dev) == round(0.15 * 442)


def test_dev_parts_given_held_out_and_none():
    part = fo.data.split(IRIS, (0.5, 0.5), key=KEY)
    given, none = completed_of(fo.classifier(), *part), completed_of(fo.classifier(), holdout=0)
    assert len(given.train) == 75 and given.dev is part[1] and len(given.plan["held_out"]) == 0
    assert len(none.train) == 150 and none.dev is None and none.stop is None
    for wrong in (1, -0.1, float("nan"), True, "0.2"):
        with pytest.raises(ValueError, match="share of the rows"):
            fo.fit(fo.classifier(), IRIS, holdout=wrong)
    with pytest.raises(ValueError, match="leave out `holdout`"):
        fo.fit(fo.classifier(), *part, holdout=0.2)


def test_mistakes_are_named_by_the_rows_that_were_given():
    x = np.asarray(IRIS.x).copy()
    x[120, 2] = np.inf
    with pytest.raises(ValueError, match=r"row 120"):
        fo.fit(fo.classifier(), IRIS._replace(x=x))
    for train, hyper in ((IRIS, [1]), ([1], None)):
        with pytest.raises(TypeError, match="must be a"):
            fo.fit(fo.classifier(), train, hyper=hyper)


COUNTS = {
    "even": [40, 40],
    "ten rows": [5, 5],
    "one of a class": [30, 1],
    "all alone": [1, 1, 1, 1],
    "rare": [190, 8, 2],
    "two rows": [1, 1],
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
def test_held_out_rows_keep_the_shares_of_the_classes(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    data = fo.data.dataset(np.arange(len(labels), dtype=float)[:, None], labels)
    found = hold_out(data, 0.15, KEY, "classes")
    if max(counts) == 1:
        assert found is None
        return
    taken = np.bincount(np.asarray(found.dev.y), minlength=len(counts))
    assert found.rows.tolist() == np.asarray(found.dev.x)[:, 0].astype(int).tolist()
    assert sorted([*np.asarray(found.train.x)[:, 0], *found.rows]) == list(range(len(labels)))
    assert taken.sum() == max(round(0.15 * len(labels)), 1)
    assert np.all(taken < counts) and np.all(np.abs(taken - 0.15 * np.array(counts)) <= 1)


def test_rows_of_weight_zero_are_not_held_out():
    weight = np.tile([0.0, 2.0, 1.0], 20)
    data = fo.data.dataset(np.arange(60.0)[:, None], np.arange(60) % 2, weight=weight)
    for task in ("classes", "values"):
        rows = hold_out(data, 0.2, KEY, task).rows
        assert len(rows) == 8 and np.all(weight[rows] > 0)
    assert hold_out(data, 0.0, KEY, "values") is None


@pytest.mark.parametrize("rows", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_a_table_of_few_rows_trains(rows):
    x = np.linspace(-1.0, 1.0, rows)
    run = fo.fit(fo.regressor(hidden=(4,), batch_size=256), fo.data.dataset(x[:, None], 3 * x), key=KEY)
    assert len(run.plan["held_out"]) == 0 and np.isfinite(run.scores["train"]["r2"])
    with pytest.raises(ValueError, match="learning rate of this run is 0 from here on"):
        run.more(1)


def test_more_says_that_a_rate_that_ended_is_zero():
    data = fo.data.dataset(np.asarray(IRIS.x), np.asarray(IRIS.y))
    told = dict(hyper={"lr": fo.schedules.linear(0.1, 0.0, steps=10), "hidden": 4}, key=KEY)
    run = fo.fit(fo.classifier(), data, epochs=1, **told)
    assert run.more(1).epochs == 2  # not yet
    with pytest.raises(ValueError, match="by update 10, and more epochs would change nothing"):
        run.more(1).more(3)


def test_a_loss_that_still_falls_is_said_in_one_line():
    def run(loss, **rest):
        history = {"dev": {"loss": np.array(loss)}, "updates": np.arange(1, len(loss) + 1) * 4}
        plan = {"chosen_by": "dev/loss", "updates": 400, "rows": 128, "holdout": 0.15, "held_out": np.arange(22)}
        best = int(np.argmin(loss)) + 1
        return SimpleNamespace(history=history, plan=plan, status="done", best_epoch=best, **rest)

    line = still_falling(run(np.linspace(2.0, 0.5, 100)))
    assert "still falling" in line and "updates=800" in line and "holdout=0.15" in line and "\n" not in line
    assert still_falling(run(np.concatenate([np.linspace(2.0, 0.5, 60), np.linspace(0.6, 0.7, 40)]))) == ""
    assert still_falling(run(np.concatenate([np.linspace(2.0, 0.5, 60), np.linspace(0.5, 0.499, 40)]))) == ""


def test_a_bar_comes_where_training_lasts(monkeypatch):
    pytest.importorskip("rich")
    assert type(bars.late_bar()).__name__ == "Silent"  # no terminal here
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    heard: list = []
    shown = SimpleNamespace(start=lambda *a: heard.append(a), tick=heard.append, done=lambda results: None)
    monkeypatch.setattr("fnopt.run.progress.Bar", lambda: shown)
    for each, drawn in ((0.001, False), (0.1, True)):
        clock = iter(np.arange(1, 100) * each)
        monkeypatch.setattr(bars.time, "monotonic", lambda clock=clock: next(clock))
        bar = bars.late_bar()
        bar.start(1, 50)
        for _ in range(50):
            bar.tick(1)
        assert bool(heard) == drawn
    assert heard[0] == (1, 50) and sum(heard[1:]) == 50


def test_a_search_has_one_length():
    def length(model, space, rows):
        return epochs_of_search(model, SearchSpace.parse(space, model), rows)

    space = {"batch_size": fo.choice(16, 64, 128)}
    updates = recipes.default("classes", 1000, 1)["updates"] // 2
    assert length(fo.classifier(), space, 1000) == -(-updates // 16)
    assert length(fo.classifier(batch_size=50), {}, 1000) == -(-updates // 20)
    assert length(fo.classifier(), space, 30) == 300
    assert length(fo.classifier(), {"epochs": fo.integer(3, 9)}, 1000) == 9
    assert length(fo.classifier(recipe="notes"), space, 1000) == 20


@pytest.mark.parametrize("task", recipes.TASKS)
def test_each_value_of_the_notes_cites_its_guideline(task):
    values = recipes.notes(task, 100, 7)
    named = {*values, *values["first"]} - {"first", "cites"}
    assert named == set(values["cites"]) and set(values["cites"].values()) <= set(recipes.GUIDELINES)
    run = fo.fit(fo.classifier(recipe="notes"), fo.data.iris())
    assert run.plan["epochs"] == 20 and not {"first", "cites"} & set(run.plan)


@pytest.mark.parametrize("task", recipes.TASKS)
def test_a_recipe_is_a_pure_function_of_task_rows_and_columns(task):
    for rows in (1, 19, 20, 1_000, 30_000, 10**7):
        values = recipes.default(task, rows, 7)
        assert values == recipes.default(task, rows, 7) and values["updates"] >= 2000
        assert all(width >= 64 for width in values["hidden"])
        cites = values.pop("cites")
        assert all(isinstance(x, int | float | str | tuple) for x in values.values())
        assert set(values) <= set(cites) and set(cites.values()) <= set(recipes.GUIDELINES)
    assert ("label_smoothing" in values) == (task == "classes")
    with pytest.raises(ValueError, match="rows"):
        recipes.default(task, 0, 7)
    with pytest.raises(ValueError, match="recipe"):
        fo.classifier(recipe="note")
