"""A user's loss sees the examples that exist, in batches of their true size, against a loop over batches by hand."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.sweep.lanes import TRACES
from fnopt.train import epoch_orders, keys_of

KEY = jax.random.key(4)
RATE, EPOCHS = 0.05, 2
SEEN: list[tuple[int, bool]] = []  # (rows of a batch, whether in training) as they were traced


def data_of(rows):
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, 3)).astype(np.float32) + 1
    x[-1] = 7.0  # a copy of it moves every mean
    return fo.data.dataset(x, (x @ [1.0, -2.0, 0.5]).astype(np.float32))


def init(key, example, hyper):
    return {"w": jnp.full(3, 0.1)}, {"mean": jnp.zeros(3), "seen": jnp.zeros((), jnp.int32)}


def loss(params, stats, batch, hyper, key, train):
    """A loss across examples: what is subtracted is the mean of the batch; a row of zeros would make it NaN."""
    SEEN.append((batch.x.shape[0], train))
    rows = batch.mask.astype(jnp.float32)
    mean = (batch.x * rows[:, None]).sum(0) / rows.sum()
    ratio = batch.x[:, 0] / jnp.where(batch.mask, batch.x[:, 0], 1.0)  # 0/0 on a row of zeros that is not masked
    losses = jnp.square((batch.x - mean[None, :]) @ params["w"] - batch.y) * ratio
    new = {"mean": 0.5 * stats["mean"] + 0.5 * mean, "seen": stats["seen"] + batch.mask.astype(jnp.int32).sum()}
    return losses, new if train else stats


def predict(params, stats, x, hyper):
    return x @ params["w"]


def model_of(batch, **options):
    return fo.supervised(init, loss, predict, task="values", optimizer="sgd", batch=batch, **options)


def batches_by_hand(order, size, batch):
    """The epoch's order in batches."""
    size = min(size, len(order))
    whole = [order[i : i + size] for i in range(0, len(order), size)]
    return whole if batch != "drop" or len(whole[-1]) == size else whole[:-1]


def by_hand(x, y, orders, size, batch):
    """Gradient descent in float64; the weights, the running mean, the rows seen, and the mean loss of each block."""
    x, y, w, running, seen = np.asarray(x, np.float64), np.asarray(y, np.float64), np.full(3, 0.1), np.zeros(3), 0
    for order in orders:
        for rows in batches_by_hand(order, size, batch):
            mean = x[rows].mean(0)
            z = x[rows] - mean
            w = w - RATE * 2 * z.T @ (z @ w - y[rows]) / len(rows)
            running, seen = 0.5 * running + 0.5 * mean, seen + len(rows)
    return w, running, seen


def loss_by_hand(x, y, w):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    blocks = [slice(i, i + 128) for i in range(0, len(x), 128)]
    return np.mean(np.concatenate([((x[b] - x[b].mean(0)) @ w - y[b]) ** 2 for b in blocks]))


def orders_of(key, rows, shuffle):
    """The order of each epoch; it has no influence on what is shown here, and is taken from the lane program."""
    return np.asarray(epoch_orders(keys_of(key).order, 0, EPOCHS, rows, room=rows, shuffle=shuffle))[:EPOCHS]


def check(found, data, orders, size, batch):
    w, running, seen = by_hand(data.x, data.y, orders, size, batch)
    np.testing.assert_allclose(found.params["w"], w, rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(found.stats["mean"], running, rtol=1e-4)
    assert int(found.stats["seen"]) == seen
    assert found.scores["train"]["loss"] == pytest.approx(loss_by_hand(data.x, data.y, w), rel=2e-3)


CASES = {  # rows, batch_size, batch, shuffle -> shapes in training, in evaluation
    "a last batch of two": (130, 128, "short", False, {128, 2}, {128, 2}),
    "a last batch of one": (129, 32, "short", True, {32, 1}, {128, 1}),
    "more than there are": (60, 1000, "short", True, {60}, {60}),
    "nothing left over": (96, 32, "short", True, {32}, {96}),
    "the rest left out": (100, 32, "drop", True, {32}, {100}),
    "fewer than a batch, none left out": (20, 32, "drop", False, {20}, {20}),
    "drawn with replacement": (70, 32, "short", "replacement", {32, 6}, {70}),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name == "nothing left over" else name for name in CASES],
)
def test_batches_are_those_of_a_loop_by_hand(name):
    rows, size, batch, shuffle, training, scored = CASES[name]
    data = data_of(rows)
    SEEN.clear()
    hyper = dict(lr=RATE, batch_size=size, shuffle=shuffle)
    run = fo.fit(model_of(batch), data, hyper=hyper, epochs=EPOCHS, key=KEY)
    assert {n for n, train in SEEN if train} == training
    assert {n for n, train in SEEN if not train} == scored
    check(run, data, orders_of(KEY, rows, shuffle), size, batch)
    assert run.history["updates"].tolist() == [len(batches_by_hand(np.arange(rows), size, batch)) * e for e in (1, 2)]
    assert run.evaluate(data)["loss"] == pytest.approx(run.scores["train"]["loss"], rel=1e-5)


def test_a_mask_says_which_rows_are_padding():
    """An example of weight 0 exists; and all sizes of data under one padding share a program, as before."""
    for rows in (125, 121):
        data = data_of(rows)._replace(weight=jnp.ones(rows).at[3].set(0.0))
        SEEN.clear()
        whole = data._replace(weight=None)
        run = fo.fit(model_of("masked"), whole, hyper=dict(lr=RATE, shuffle=False), epochs=EPOCHS, key=KEY)
        check(run, whole, orders_of(KEY, rows, False), 32, "masked")
        assert not SEEN or {n for n, _ in SEEN} == {32, rows}
        weighted = fo.fit(model_of("masked"), data, hyper=dict(lr=0.0, shuffle=False), epochs=EPOCHS, key=KEY)
        assert int(weighted.stats["seen"]) == 2 * rows


@pytest.fixture(scope="module")
def crossed():
    """Lanes of two batch sizes, under two seeds, on folds of 45 and 46 rows."""
    data, space = data_of(91), dict(lr=RATE, batch_size=fo.choice(16, 60))
    before = TRACES["advance"]
    options = dict(search="grid", folds=fo.data.folds(data, 2, key=KEY), epochs=EPOCHS, seeds=2, key=KEY)
    sweep = fo.caviar(MODEL, space, data, **options)
    return data, sweep, TRACES["advance"] - before, space, options


MODEL = model_of("short")


def test_lanes_of_a_sweep_are_those_of_a_loop_by_hand(crossed):
    data, sweep, programs, _, _ = crossed
    assert programs == 4, "two batch sizes, and two numbers of rows"
    assert sweep.plan.sizes == 2 and "number of rows, of which the folds have 2" in str(sweep.plan)
    parts = sweep.folds.parts(data)
    for config, seed, fold in product(range(2), range(2), range(2)):
        lane = next(r for r in sweep.lanes(config) if (r.seed, r.fold) == (seed, fold))
        key = jax.random.fold_in(jax.random.fold_in(sweep.work.key, seed), fold)
        train, dev = parts[fold]
        size = sweep.configs[config]["batch_size"]
        w, _, seen = by_hand(train.x, train.y, orders_of(key, len(train), True), size, "short")
        np.testing.assert_allclose(lane.params["w"], w, rtol=2e-4, atol=2e-4)
        assert int(lane.stats["seen"]) == seen
        assert lane.scores["dev"]["loss"] == pytest.approx(loss_by_hand(dev.x, dev.y, w), rel=2e-3)
    run = sweep.replay(1, seed=1, fold=1)
    assert run.going.result.digest == sweep.kept.lanes[1, 1, 1].digest


def test_a_sweep_that_is_resumed_and_refitted_has_the_same_batches(crossed, tmp_path):
    data, sweep, _, space, options = crossed
    fo.caviar(MODEL, space, data, n=1, path=tmp_path / "s", **options)
    again = fo.caviar(MODEL, space, data, path=tmp_path / "s", **options)
    assert {k: r.digest for k, r in again.kept.lanes.items()} == {k: r.digest for k, r in sweep.kept.lanes.items()}
    other = model_of("drop")
    with pytest.raises(ValueError, match="holds"):
        fo.caviar(other, space, data, path=tmp_path / "s", **options)
    some, _ = sweep.folds.parts(data)[0]
    run = sweep.refit(some, config=0, key=KEY)
    orders = np.asarray(epoch_orders(keys_of(KEY).order, 0, run.epochs, len(some), room=len(some), shuffle=True))
    check(run, some, orders[: run.epochs], 16, "short")


def test_a_hypergradient_is_that_of_the_loop_by_hand():
    train, dev = data_of(35), data_of(10)
    orders = orders_of(KEY, 35, True)

    def dev_loss(rate):
        w = np.full(3, 0.1)
        x, y = np.asarray(train.x, np.float64), np.asarray(train.y, np.float64)
        for order in orders:
            for rows in batches_by_hand(order, 16, "short"):
                z = x[rows] - x[rows].mean(0)
                w = w - rate * 2 * z.T @ (z @ w - y[rows]) / len(rows)
        return loss_by_hand(dev.x, dev.y, w)

    slope = (dev_loss(RATE + 1e-5) - dev_loss(RATE - 1e-5)) / 2e-5
    for mode in ("reverse", "forward"):
        found, slopes = fo.hypergrad(
            MODEL, train, dev, dict(lr=RATE, batch_size=16), epochs=EPOCHS, key=KEY, mode=mode, wrt="lr"
        )
        assert float(found) == pytest.approx(dev_loss(RATE), rel=1e-3)
        assert float(slopes["lr"]) == pytest.approx(slope, rel=1e-3)


def test_what_cannot_be_a_batch():
    with pytest.raises(ValueError, match="unknown batch 'shrot'; did you mean 'short'"):
        model_of("shrot")
    with pytest.raises(ValueError, match="'batch' is structure"):
        model_of("short", numbers=dict(batch=1.0))
