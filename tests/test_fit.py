"""fit: what a run learns, remembers, refuses; more = one longer run; early stopping; weights; normalization."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt._compile import TRACES
from fnopt.train import score_of

KEY = jax.random.key(0)


def blobs(m=200, classes=3, features=4, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, m).astype(np.int32)
    x = rng.normal(size=(m, features)).astype(np.float32) + 2.0 * np.eye(classes, features, dtype=np.float32)[y]
    return fo.data.dataset(x, y)


def line(m=150, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, 2)).astype(np.float32)
    return fo.data.dataset(x, (50 + 30 * x[:, 0] - 20 * x[:, 1]).astype(np.float32))


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def test_a_classifier_learns_and_remembers():
    train, dev = fo.data.split(blobs(), (0.7, 0.3), key=KEY, stratify=True)
    run = fo.fit(fo.classifier(hidden=(16,)), train, dev, hyper=dict(lr=0.01, l2=1e-4, dropout=0.1), epochs=15, key=KEY)
    assert run.scores["dev"]["accuracy"] > 0.8
    assert run.history["dev"]["loss"].shape == run.history["train"]["accuracy"].shape == (15,)
    assert run.history["train"]["loss"][-1] < run.history["train"]["loss"][0]
    assert run.hyper["lr"] == 0.01 and run.hyper["hidden"] == (16,) and run.hyper["optimizer"] == "adam"
    assert run.predict(dev.x).shape == (len(dev),)
    np.testing.assert_allclose(run.predict_proba(dev.x).sum(axis=1), 1, rtol=1e-5)
    scores = run.evaluate(dev)
    assert scores["accuracy"] == pytest.approx(run.scores["dev"]["accuracy"], abs=1e-6)
    assert scores["accuracy"] == pytest.approx(np.mean(run.predict(dev.x) == np.asarray(dev.y)), abs=1e-6)


def test_fit_without_dev():
    run = fo.fit(fo.classifier(hidden=4), blobs(), epochs=2)
    assert set(run.scores) == {"train"} and set(run.history) == {"train", "cost", "lr", "updates"}


def test_a_regressor_answers_in_the_targets_units():
    data = line()
    run = fo.fit(fo.regressor(hidden=()), data, hyper=dict(lr=0.05), epochs=40, key=KEY)
    assert run.scores["train"]["r2"] > 0.999
    error = np.mean((run.predict(data.x) - np.asarray(data.y)) ** 2)
    assert run.evaluate(data)["mean_squared_error"] == pytest.approx(error, rel=1e-3, abs=1e-4)
    assert abs(run.predict(data.x).mean() - 50) < 10


def test_labels_of_any_kind_come_back_as_they_were():
    data = blobs()
    for names in (np.array(["ant", "bee", "cat"]), np.array([3, 7, 11])):
        named = fo.data.dataset(data.x, names[np.asarray(data.y)])
        run = fo.fit(fo.classifier(hidden=8), named, hyper=dict(lr=0.03), epochs=10)
        assert set(np.unique(run.predict(data.x))) <= set(names)
        assert np.mean(run.predict(data.x) == names[np.asarray(data.y)]) > 0.8


def test_two_classes_take_one_sigmoid():
    data = blobs(classes=2)
    run = fo.fit(fo.classifier(hidden=8), data, hyper=dict(lr=0.03), epochs=10)
    assert run.params["output"]["weight"].shape == (8, 1)
    assert run.predict_proba(data.x).shape == (200, 2)
    assert run.scores["train"]["accuracy"] > 0.8


def test_multilabel():
    x = np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32)
    y = (x > 0).astype(np.int32)
    run = fo.fit(fo.multilabel(hidden=16), fo.data.dataset(x, y), hyper=dict(lr=0.03), epochs=20)
    assert run.predict(x).shape == (120, 3) and run.scores["train"]["accuracy"] > 0.9


@pytest.mark.parametrize("hyper", [{}, {"dropout": 0.3}, {"norm": "batch"}, {"shuffle": "replacement"}], ids=str)
def test_more_is_one_longer_run(hyper):
    train, dev = fo.data.split(blobs(), (0.7, 0.3), key=KEY)
    whole = fo.fit(fo.classifier(hidden=8), train, dev, hyper=hyper, epochs=7, key=KEY)
    first = fo.fit(fo.classifier(hidden=8), train, dev, hyper=hyper, epochs=3, key=KEY)
    before = jax.tree.map(np.array, first.params)
    parts = first.more(epochs=4)
    assert same(whole.params, parts.params) and same(whole.history, parts.history)
    assert same(before, first.params), "the shorter run lives on"
    assert same(first.more(epochs=4).params, parts.params)


def test_the_order_as_it_stands_is_plain_descent_by_hand():
    """Batch 2 of 5 examples, no shuffle, zero start, gradient descent: every step by hand in float64."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(5, 2)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    model = fo.regressor(
        hidden=(),
        init="zeros",
        optimizer="sgd",
        batch_size=2,
        shuffle=False,
        standardize=False,
        standardize_target=False,
    )
    run = fo.fit(model, fo.data.dataset(x, y), hyper=dict(lr=0.1), epochs=3)
    w, b = np.zeros(2), 0.0
    for _ in range(3):
        for rows in (slice(0, 2), slice(2, 4), slice(4, 5)):  # the last batch is short: mean over one example
            error = x[rows] @ w + b - y[rows]
            w, b = w - 0.1 * 2 * x[rows].T @ error / len(error), b - 0.1 * 2 * error.mean()
    np.testing.assert_allclose(run.params["output"]["weight"][:, 0], w, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.params["output"]["bias"][0], b, rtol=1e-5, atol=1e-6)


def test_size_weighted_batch_gradients_are_the_full_gradient():
    """D4, with uneven weights: batches of 64 of 150 examples against one of all, at fixed parameters."""
    from fnopt.model import prepare
    from fnopt.train import start
    from fnopt.train.step import gradient

    data = blobs(150)._replace(weight=jnp.linspace(0.0, 2.0, 150))
    model = fo.classifier(hidden=8)
    ready = prepare(model, data)
    trial, numbers = model.bind({}, ready.features, ready.frame.outputs, (score_of("classes", "accuracy"),))
    lane = start(trial, KEY, ready.example, numbers)

    @jax.jit
    def at(rows):
        batch = fo.Batch(ready.train.x[rows], ready.train.y[rows], ready.train.pull[rows])
        return gradient(trial, lane, {}, batch, jnp.asarray(len(rows)), KEY).grads

    whole = at(jnp.arange(150))
    parts = [(at(jnp.arange(a, b)), (b - a) / 150) for a, b in ((0, 64), (64, 128), (128, 150))]
    mean = jax.tree.map(
        lambda *gs: sum(g * share for g, (_, share) in zip(gs, parts, strict=True)), *[g for g, _ in parts]
    )
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(mean), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("size", [1, 10, 100])
def test_weights_pull_alike_at_every_batch_size(size):
    """Values 0 and 1 with weights 1 : 9 have the weighted mean 0.9, also one example at a time."""
    y = np.tile([0.0, 1.0], 50).astype(np.float32)
    data = fo.data.dataset(np.zeros((100, 1), np.float32), y, weight=np.where(y > 0, 9.0, 1.0))
    model = fo.regressor(hidden=(), optimizer="sgd", batch_size=size, standardize_target=False)
    run = fo.fit(model, data, hyper=dict(lr=0.002 * size**0.5), epochs=60 * size if size > 1 else 60, key=KEY)
    assert run.predict(data.x).mean() == pytest.approx(0.9, abs=0.03)


def test_an_example_of_weight_0_is_absent_from_the_scaling_too():
    data = blobs(60)
    x = np.concatenate([np.asarray(data.x), np.full((1, 4), 1e6, np.float32)])
    outlier = fo.data.dataset(x, np.append(np.asarray(data.y), 0), weight=np.append(np.ones(60), 0.0))
    run = fo.fit(fo.classifier(hidden=4), outlier, epochs=1)
    np.testing.assert_allclose(run.encoding.inputs.mean, np.asarray(data.x).mean(axis=0), rtol=1e-3, atol=1e-5)


def test_poisson_predicts_counts():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1)).astype(np.float32)
    y = rng.poisson(np.exp(2 + x[:, 0] / 2)).astype(np.float32)
    run = fo.fit(
        fo.regressor(hidden=(), loss="poisson"), fo.data.dataset(x, y), hyper=dict(lr=0.05), epochs=30, key=KEY
    )
    assert run.predict(x).mean() == pytest.approx(y.mean(), rel=0.05)
    assert run.scores["train"]["r2"] == pytest.approx(run.evaluate(fo.data.dataset(x, y))["r2"], abs=1e-4)
    assert run.scores["train"]["r2"] > 0.5
    with pytest.raises(ValueError, match="standardize_target=False"):
        fo.fit(fo.regressor(loss="poisson", standardize_target=True), fo.data.dataset(x, y), epochs=1)


def test_a_target_constant_in_training_does_not_hide_errors_on_dev():
    x = np.random.default_rng(0).normal(size=(80, 2)).astype(np.float32)
    train = fo.data.dataset(x[:40], np.full(40, 3.0, np.float32))
    dev = fo.data.dataset(x[40:], (3 + 5 * x[40:, 0]).astype(np.float32))
    with pytest.warns(UserWarning, match="y is 3 in every example of train"):
        run = fo.fit(fo.regressor(hidden=()), train, dev, epochs=2)
    expected = np.mean((run.predict(dev.x) - np.asarray(dev.y)) ** 2)
    assert expected > 5
    assert run.scores["dev"]["mean_squared_error"] == pytest.approx(expected, rel=1e-3)


def test_a_score_that_no_longer_improves_stops_although_the_loss_still_falls():
    x = np.concatenate([np.full((50, 1), -1.0), np.full((50, 1), 1.0)]).astype(np.float32)
    data = fo.data.dataset(x, np.repeat([0, 1], 50))
    run = fo.fit(
        fo.classifier(hidden=()), data, data, hyper=dict(lr=0.1), epochs=40, stop=fo.early_stopping(patience=3)
    )
    assert run.status == "stopped" and run.epochs < 10
    assert run.best_epoch == run.epochs, "among equal scores the smaller loss is kept"


def test_a_schedule_of_the_model_is_taken_at_the_best_epoch():
    train, dev = fo.data.split(blobs(120), (0.5, 0.5), key=KEY)
    model = fo.classifier(hidden=16, activation="leaky_relu")
    hyper = dict(lr=0.1, slope=fo.schedules.linear(0.0, 1.0, 60))
    run = fo.fit(model, train, dev, hyper=hyper, epochs=30, stop=fo.early_stopping(patience=2), objective="dev/loss")
    assert run.best_epoch < run.epochs
    assert run.evaluate(dev)["loss"] == pytest.approx(run.scores["dev"]["loss"], rel=1e-5)


def test_areas_do_not_saturate():
    """Logits that a float32 sigmoid rounds to 1 are still told apart."""
    from fnopt.train.scores import SCORES, probabilities

    y, z, w = jnp.array([0, 0, 1, 1]), jnp.array([18.0, 19.0, 20.0, 25.0]), jnp.ones(4)
    assert float(SCORES["classes"]["roc_auc"].of(y, z[:, None], w)) == 1.0
    assert float(SCORES["classes"]["roc_auc"].of(y, jnp.stack([-z, z], axis=1), w)) == 1.0
    assert float(probabilities(jnp.array([[20.0]]))[0, 0]) == pytest.approx(2.06e-9, rel=1e-2)


def test_columns_in_another_order_are_refused():
    named = BLOB._replace(features=("a", "b", "c", "d"))
    with pytest.raises(ValueError, match="same order"):
        fo.fit(fo.classifier(hidden=3), named, BLOB._replace(features=("a", "c", "b", "d")), epochs=1)


def test_every_example_once_an_epoch():
    from fnopt.train.order import epoch_order

    for shuffle in (True, False):
        order = np.asarray(epoch_order(KEY, jnp.asarray(3), jnp.asarray(150), 256, shuffle)[:150])
        assert sorted(order.tolist()) == list(range(150))
    drawn = np.asarray(epoch_order(KEY, jnp.asarray(3), jnp.asarray(150), 256, "replacement")[:150])
    assert drawn.shape == (150,) and len(set(drawn.tolist())) < 150


def test_orders_come_in_tables_and_their_size_changes_nothing(monkeypatch):
    """A table of two epochs' orders, as large data have, gives what one of 64 gives; going on begins anywhere in it."""
    from fnopt.train import order

    data = blobs(131)

    def trained():
        order.epoch_orders.clear_cache()  # the size of a table is looked up while tracing
        run = fo.fit(fo.classifier(hidden=(3,)), data, hyper=dict(lr=0.01, batch_size=16), epochs=3, key=KEY)
        return run.more(epochs=4)

    whole = trained()
    monkeypatch.setattr(order, "ENTRIES", 2 * 256)
    assert order.window(131 + 125) == 2
    parts = trained()
    assert same(whole.params, parts.params)
    assert np.array_equal(whole.history["cost"], parts.history["cost"])
    order.epoch_orders.clear_cache()


def test_tables_of_orders_are_remembered_up_to_a_size(monkeypatch):
    """The newest stays whatever its size; one that reaches less far than asked is drawn anew."""
    from fnopt.sweep import draws
    from fnopt.train import keys_of, part

    rows = part(np.ones((200, 1), np.float32), np.zeros(200), np.ones(200), np.ones(200), 0.0, 1.0)
    mine = draws.Draws(keys_of(jax.random.key(11)))
    short = mine.orders(rows, True, 64, 66)
    assert mine.orders(rows, True, 64, 66) is short
    long = mine.orders(rows, True, 64, 70)
    assert long is not short and np.array_equal(long[:2], short[:2]) and long[2:6].any() and not short[2:].any()
    monkeypatch.setattr(draws, "BYTES", 0)
    newest = mine.orders(rows, True, 0, 3)
    assert mine.orders(rows, True, 0, 3) is newest
    assert mine.orders(rows, True, 64, 70) is not long


def test_draws_follow_the_setting_that_decides_them():
    """A table remembered under one way to make words of a key is not handed out under the other."""
    from fnopt.sweep.draws import Draws
    from fnopt.train import keys_of, part

    rows = part(np.ones((200, 1), np.float32), np.zeros(200), np.ones(200), np.ones(200), 0.0, 1.0)
    mine, before = Draws(keys_of(jax.random.key(12))), jax.config.values["jax_threefry_partitionable"]
    here = np.asarray(mine.orders(rows, True, 0, 1))
    try:
        jax.config.update("jax_threefry_partitionable", not before)
        there = np.asarray(mine.orders(rows, True, 0, 1))
    finally:
        jax.config.update("jax_threefry_partitionable", before)
    assert not np.array_equal(here[0], there[0])
    assert np.array_equal(here, mine.orders(rows, True, 0, 1))


def test_weights_are_drawn_once_unless_numbers_have_a_part_in_them():
    """Two structures, two keys and two sets of data have their own; the widths inside a bucket have a part in them."""
    from fnopt.model.widths import bucketed
    from fnopt.sweep.draws import Draws
    from fnopt.train import keys_of

    batch = fo.Batch(np.ones((1, 4), np.float32), np.zeros(1, np.int32), np.ones(1, np.float32))
    batch = jax.tree.map(jnp.asarray, batch)
    trial, other = (fo.classifier((width,)).bind({}, features=4, outputs=3, metrics=())[0] for width in (20, 21))
    mine = Draws(keys_of(KEY))
    weights = mine.weights(trial, batch)
    assert weights is not None and mine.weights(trial, batch) is weights
    assert mine.weights(other, batch) is not weights
    assert mine.weights(trial, jax.tree.map(jnp.array, batch)) is not weights
    apart = Draws(keys_of(jax.random.key(7))).weights(trial, batch)
    assert not same(apart[0]["hidden_0"]["weight"], weights[0]["hidden_0"]["weight"])
    inside = bucketed(trial)
    assert mine.weights(inside.trial, batch) is None


def test_weights_that_a_number_scales_are_drawn_for_each_lane():
    """Somebody's own ``init`` may read a number that is searched: every configuration has its own weights."""

    def init(key, example, hyper):
        return {"w": hyper["size"] * jax.random.normal(key, (example.x.shape[1],))}, ()

    def loss(params, stats, batch, hyper, key, train):
        return (batch.x @ params["w"] - batch.y) ** 2, stats

    model = fo.supervised(init, loss, lambda p, s, x, h: x @ p["w"], task="values", numbers=dict(size=1.0))
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    data = fo.data.dataset(x, x[:, 0])
    space = dict(size=fo.uniform(0.5, 2.0), lr=1e-12, optimizer="sgd")
    sweep = fo.caviar(model, space, data, n=3, epochs=1, key=KEY)
    norms = [jnp.linalg.norm(sweep.replay(i).params["w"]) / sweep.configs[i]["size"] for i in range(3)]
    assert norms[0] > 0 and norms == [pytest.approx(float(norms[0]), rel=1e-5)] * 3


def test_a_table_holds_the_order_of_each_epoch():
    from fnopt.train.order import epoch_order, epoch_orders

    table = np.asarray(epoch_orders(KEY, 64, 3, 150, room=256, shuffle=True))
    for i in range(3):
        assert np.array_equal(table[i], epoch_order(KEY, jnp.asarray(64 + i), jnp.asarray(150), 256, True))
    assert table.shape == (64, 256) and not table[3:].any()


def test_a_large_batch_goes_in_blocks_and_is_one_batch():
    """Gradient descent on batches of 300, more than a block, against the gradient of each whole batch, by hand."""
    data, lr, l2 = blobs(420), 0.1, 1e-2
    model = fo.classifier(hidden=(), standardize=False, optimizer="sgd", batch_size=300, shuffle=False)
    zeros = {"output": {"weight": jnp.zeros((4, 3)), "bias": jnp.zeros(3)}}
    run = fo.fit(model, data, hyper=dict(lr=lr, l2=l2), epochs=2, key=KEY, params=zeros)
    w, b = np.zeros((4, 3)), np.zeros(3)
    for _ in range(2):
        for rows in (slice(0, 300), slice(300, 420)):
            x, y = np.asarray(data.x[rows], np.float64), np.eye(3)[data.y[rows]]
            e = np.exp(x @ w + b)
            dz = (e / e.sum(1, keepdims=True) - y) / len(x)
            w, b = w - lr * (x.T @ dz + 2 * l2 * w), b - lr * dz.sum(0)
    np.testing.assert_allclose(run.params["output"]["weight"], w, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(run.params["output"]["bias"], b, rtol=1e-5, atol=1e-7)


def test_weight_0_is_absence_and_weight_2_is_presence_twice():
    data = blobs(60)
    weight = np.ones(60)
    weight[:20] = 0
    weight[20:40] = 2
    twice = np.concatenate([np.arange(20, 40), np.arange(20, 60)])
    options = dict(epochs=5, key=KEY, hyper=dict(lr=0.05, optimizer="sgd", batch_size=100))
    model = fo.classifier(hidden=(), standardize=False)
    a = fo.fit(model, data._replace(weight=jnp.asarray(weight)), **options)
    b = fo.fit(model, data._replace(x=data.x[twice], y=data.y[twice]), **options)
    for p, q in zip(jax.tree.leaves(a.params), jax.tree.leaves(b.params), strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-4, atol=1e-6)
    assert a.scores["train"]["loss"] == pytest.approx(b.scores["train"]["loss"], rel=1e-5)


def test_class_weight_pulls_training_but_not_scores():
    data = blobs(classes=2)
    plain = fo.fit(fo.classifier(hidden=4), data, epochs=5, key=KEY)
    heavy = fo.fit(fo.classifier(hidden=4, class_weight={1: 20.0}), data, epochs=5, key=KEY)
    assert np.mean(heavy.predict(data.x)) > np.mean(plain.predict(data.x))
    assert heavy.evaluate(data)["loss"] == pytest.approx(heavy.scores["train"]["loss"], rel=1e-5)


def test_early_stopping_gives_back_the_best_weights():
    train, dev = fo.data.split(blobs(120), (0.5, 0.5), key=KEY)
    stop = fo.early_stopping(patience=3)
    run = fo.fit(
        fo.classifier(hidden=64), train, dev, hyper=dict(lr=0.1), epochs=60, key=KEY, stop=stop, objective="dev/loss"
    )
    losses = run.history["dev"]["loss"]
    assert run.status == "stopped" and run.epochs < 60 and "3 epochs" in run.why
    assert run.best_epoch == int(np.argmin(losses)) + 1 == run.epochs - 3
    assert run.scores["dev"]["loss"] == pytest.approx(losses.min())
    assert run.evaluate(dev)["loss"] == pytest.approx(losses.min(), rel=1e-5)
    plain = fo.fit(fo.classifier(hidden=64), train, dev, hyper=dict(lr=0.1), epochs=run.best_epoch, key=KEY)
    assert same(plain.params, run.params), "stopping does not touch the trajectory"


def test_a_diverging_run_is_frozen_and_named():
    data = line()
    run = fo.fit(fo.regressor(hidden=(8,)), data, hyper=dict(lr=1e30, optimizer="sgd"), epochs=5, key=KEY)
    assert run.status == "diverged" and "not finite at step" in run.why
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(run.params))
    assert run.autopsy is not None and run.autopsy.first in run.why and "\n" not in run.why
    assert f"{run.autopsy.first} " in str(run.autopsy) and "<- first" in str(run.autopsy)


def test_given_weights_are_the_start():
    model = fo.classifier(hidden=(3,))
    data = blobs()
    drawn = fo.fit(model, data, hyper=dict(lr=0.0), epochs=1, key=KEY).params
    given = jax.tree.map(lambda p: p * 0 + 0.25, drawn)
    assert same(fo.fit(model, data, hyper=dict(lr=0.0), epochs=1, params=given).params, given)
    with pytest.raises(ValueError, match="structure"):
        fo.fit(model, data, epochs=1, params={"w": jnp.zeros(3)})


def test_zero_weights_do_not_break_symmetry():
    run = fo.fit(fo.classifier(hidden=(6,), init="zeros"), blobs(), epochs=5)
    weight = np.asarray(run.params["hidden_0"]["weight"])
    assert np.all(weight == weight[:, :1])


def test_a_schedule_in_epochs_is_filled_in():
    lr = fo.schedules.exponential(0.1, 0.5).every()
    run = fo.fit(fo.classifier(hidden=()), blobs(), hyper=dict(lr=lr, optimizer="sgd"), epochs=3)
    np.testing.assert_allclose(run.history["lr"], [0.1, 0.05, 0.025], rtol=1e-6)


def test_normalization_is_of_the_training_part_alone():
    train, dev = fo.data.split(blobs(), (0.5, 0.5), key=KEY)
    far = dev._replace(x=dev.x * 100 + 7)
    a = fo.fit(fo.classifier(hidden=4), train, dev, epochs=2, key=KEY)
    b = fo.fit(fo.classifier(hidden=4), train, far, epochs=2, key=KEY)
    assert same(a.params, b.params)
    np.testing.assert_allclose(a.encoding.inputs.mean, np.asarray(train.x).mean(axis=0), rtol=1e-4, atol=1e-6)


def test_a_number_that_is_not_named_costs_nothing():
    """Dropout, penalties and projections exist only in a run that names them; those of other structures are refused."""
    run = fo.fit(fo.classifier(hidden=4, b1=0.9), blobs(), hyper=dict(optimizer="momentum"), epochs=1)
    assert run.trial.numbers == () and run.trial.penalty is None and run.trial.project is None
    assert "b1" not in run.hyper


def test_other_numbers_compile_nothing():
    data = blobs()
    fo.fit(fo.classifier(hidden=5), data, hyper=dict(lr=0.01, dropout=0.1), epochs=3, key=KEY)
    before = TRACES["advance"]
    fo.fit(fo.classifier(hidden=5), blobs(seed=9), hyper=dict(lr=0.3, dropout=0.7), epochs=5, key=jax.random.key(5))
    assert TRACES["advance"] == before


def test_proximal_l1_makes_exact_zeros():
    run = fo.fit(fo.classifier(hidden=(16,)), blobs(), hyper=dict(lr=0.05, optimizer="sgd", prox_l1=0.05), epochs=20)
    report = fo.penalties.sparsity(run.params)
    assert report["zeros"] > 0.1


BLOB = blobs()
BAD = {
    "unknown name": (dict(hyper=dict(learning_rate=0.1)), "unknown name 'learning_rate'"),
    "nearest": (dict(hyper=dict(droput=0.1)), "did you mean 'dropout'"),
    "negative lr": (dict(hyper=dict(lr=-1.0)), r"`lr` must be in \[0, inf\), got -1"),
    "beta 1": (dict(hyper=dict(b1=1.0)), r"`b1` must be in \[0, 1\), got 1"),
    "dropout 2": (dict(hyper=dict(dropout=2.0)), r"`dropout` must be in \[0, 1\], got 2"),
    "a space": (dict(hyper=dict(lr=fo.log_uniform(1e-3, 1e-1))), "range to search"),
    "batch size 0": (dict(hyper=dict(batch_size=0)), "batch_size"),
    "epochs 0": (dict(epochs=0), "epochs"),
    "optimizer": (dict(hyper=dict(optimizer="adamm")), "did you mean 'adam'"),
    "activation": (dict(hyper=dict(activation="rellu")), "did you mean 'relu'"),
    "objective": (dict(objective="dev/accuracy"), "needs a dev part"),
    "score": (dict(objective="train/acuracy"), "did you mean 'accuracy'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_say_what_to_write(name):
    options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        fo.fit(fo.classifier(hidden=3), BLOB, **{"epochs": 1, **options})


X, Y = np.asarray(BLOB.x), np.asarray(BLOB.y)
NAN = X.copy()
NAN[3, 1] = np.nan
DATA = {
    "nan in x": (lambda: (BLOB._replace(x=NAN), None), "row 3, column 1"),
    "inf in y": (lambda: (line()._replace(y=line().y.at[2].set(np.inf)), None), "row 2"),
    "lengths": (lambda: (BLOB._replace(y=BLOB.y[:-1]), None), "200 rows"),
    "one class": (lambda: (BLOB._replace(y=BLOB.y * 0), None), "two classes"),
    "absent class": (lambda: (BLOB._replace(x=X[Y < 2], y=Y[Y < 2]), BLOB), "class 2 has no example in train"),
    "features": (lambda: (BLOB, BLOB._replace(x=BLOB.x[:, :2])), "features"),
    "negative weight": (lambda: (BLOB._replace(weight=-np.ones(200)), None), "weight"),
}  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_bad_data_is_named(name):
    make, message = DATA[name]
    train, dev = make()
    model = fo.regressor(hidden=3) if "y" in name.split() else fo.classifier(hidden=3)
    with pytest.raises(ValueError, match=message):
        fo.fit(model, train, dev, epochs=1)


def test_accepted_oddities():
    """A constant column, and a batch larger than the data."""
    constant = BLOB._replace(x=BLOB.x.at[:, 0].set(5.0))
    run = fo.fit(fo.classifier(hidden=3), constant, hyper=dict(batch_size=10_000), epochs=1)
    assert np.isfinite(run.scores["train"]["loss"])


def test_arrays_instead_of_a_dataset():
    with pytest.raises(TypeError, match=r"fo\.data\.dataset"):
        fo.fit(fo.classifier(), X, epochs=1)
