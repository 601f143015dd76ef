"""Wrapped optimizers where they are used: fit, sweeps, replay, folders that are taken up again, saved models."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import bits_equal

import fnopt as fo
from fnopt.run.codec import decode, encode
from fnopt.run.store import curves_csv

KEY = jax.random.key(4)
CLIPPED = fo.optim.clip_by_global_norm(fo.optim.adam)
DEEP = fo.optim.ema(fo.optim.gradient_noise(fo.optim.accumulate(fo.optim.momentum)))
BY_PATH = fo.optim.rate_by_path(fo.optim.decay_by_path(fo.optim.sgd, {"*bias": 0.0, "*": 0.01}), {"hidden_0*": 0.5})


def parts():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 120).astype(np.int32)
    x = rng.normal(size=(120, 4)).astype(np.float32) + 2 * np.eye(3, 4, dtype=np.float32)[y]
    return fo.data.split(fo.data.dataset(x, y), (0.6, 0.4), key=KEY)


TRAIN, DEV = parts()


def model(optimizer):
    return fo.classifier(hidden=(5,), optimizer=optimizer)


def fit(optimizer, epochs=3, **hyper):
    return fo.fit(model(optimizer), TRAIN, DEV, hyper=dict(lr=0.05, **hyper), epochs=epochs, key=KEY)


def test_fit_takes_a_wrappers_number():
    free, tight = fit(CLIPPED, max_norm=float("inf")), fit(CLIPPED, max_norm=1e-9)
    bits_equal(free.params, fit("adam").params)
    assert tight.scores["train"]["loss"] > free.scores["train"]["loss"]
    assert fit(CLIPPED).trial.project is None  # max_norm is the optimizer's here, not the bound on weights
    with pytest.raises(ValueError, match="`max_norm` must be in"):
        fit(CLIPPED, max_norm=-1.0)
    with pytest.raises(ValueError, match="unknown name 'evry_k'; did you mean 'every_k'"):
        fit(DEEP, evry_k=2)


def test_fit_evaluates_the_readout():
    run, plain = fit(fo.optim.ema(fo.optim.adam), ema_decay=0.9), fit("adam")
    lane = jax.tree.map(lambda a: jnp.asarray(a[0]), run.going.lanes)
    bits_equal(run.params, fo.optim.ema(fo.optim.adam).readout(lane.state))
    bits_equal(lane.state.params, plain.params)
    assert not np.array_equal(run.params["output"]["weight"], plain.params["output"]["weight"])


def test_more_goes_on():
    run = fit(DEEP, 2, every_k=2.0)
    bits_equal(run.more(2).params, fit(DEEP, 4, every_k=2.0).params)


def test_accumulation_in_fit_is_the_larger_batch():
    """Three equal batches an epoch: every_k=3 is the whole part at once; schedules and curves go by steps."""
    lr = fo.schedules.exponential(0.2, 0.5)
    order = dict(shuffle=False, lr=lr)
    whole = fo.fit(model("sgd"), TRAIN, hyper=dict(batch_size=72, **order), epochs=4, key=KEY)
    parts = dict(batch_size=24, every_k=3.0, **order)
    small = fo.fit(model(fo.optim.accumulate(fo.optim.sgd)), TRAIN, hyper=parts, epochs=4, key=KEY)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), small.params, whole.params)
    np.testing.assert_array_equal(small.history["lr"], whole.history["lr"])


def test_every_number_that_changes_is_in_the_history():
    """By the steps that were taken: of three batches an epoch, with every_k=2, one and two in turn."""
    decay = fo.schedules.exponential(0.8, 0.5)
    beta = fo.schedules.linear(0.0, 0.9, 6)
    hyper = dict(lr=0.1, batch_size=24, every_k=2.0, beta=beta, dampening=0.0, first_dampening=0.0, dropout=decay)
    accumulated = model(fo.optim.accumulate(fo.optim.momentum))
    run = fo.fit(accumulated, TRAIN, hyper=hyper, epochs=4, key=KEY)
    np.testing.assert_array_equal(run.history["updates"], [1, 3, 4, 6])
    np.testing.assert_allclose(run.history["beta"], [0.0, 0.3, 0.45, 0.75], rtol=1e-6)
    np.testing.assert_allclose(run.history["dropout"], 0.8 * 0.5 ** np.arange(2, 12, 3), rtol=1e-6)
    grid = dict(hyper, lr=fo.choice(0.1, 0.2))
    sweep = fo.caviar(accumulated, grid, TRAIN, DEV, search="grid", epochs=4, key=KEY)
    for name in ("updates", "beta", "dropout"):
        for replica in (sweep.lanes(1)[0], sweep.replay(1)):
            np.testing.assert_array_equal(replica.history[name], run.history[name])
    rows = curves_csv(sweep).splitlines()
    assert rows[0].endswith("cost,lr,updates,dropout,beta")
    assert len(rows) == 9


def test_a_proximal_step_waits_for_the_update():
    def run(optimizer, **more):
        hyper = dict(lr=0.1, prox_l1=0.5, shuffle=False, **more)
        return fo.fit(model(optimizer), TRAIN, hyper=hyper, epochs=3, key=KEY).params

    whole, small = run("sgd", batch_size=72), run(fo.optim.accumulate(fo.optim.sgd), batch_size=24, every_k=3.0)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), small, whole)


SPACES = {
    "clipped": (CLIPPED, dict(lr=fo.log_uniform(1e-3, 1e-1), max_norm=fo.log_uniform(0.01, 10.0))),
    "deep": (
        DEEP,
        dict(
            lr=fo.schedules.cosine(peak=fo.log_uniform(1e-2, 1e-1), steps=20),
            ema_decay=fo.uniform(0.5, 0.9),
            every_k=fo.integer(1, 3),
            noise_seed=fo.integer(0, 99),
        ),
    ),
    "by path": (BY_PATH, dict(lr=fo.log_uniform(1e-2, 1e-1), decay_rest=0.1, rate_hidden_0=fo.uniform(0.0, 1.0))),
}


@pytest.mark.parametrize("name", SPACES)
def test_a_sweep_replays_is_taken_up_again_and_its_best_is_saved(tmp_path, name):
    optimizer, space = SPACES[name]
    options = dict(epochs=3, key=KEY, path=tmp_path / "s")
    first = fo.caviar(model(optimizer), space, TRAIN, DEV, n=3, **options)
    opened = fo.open(tmp_path / "s")  # from the files alone
    assert opened.model.structure["optimizer"] == optimizer
    longer = fo.caviar(model(optimizer), space, TRAIN, DEV, n=4, **options)
    for i in range(3):
        digest = first.kept.lanes[i, 0, 0].digest
        assert longer.kept.lanes[i, 0, 0].digest == digest
    assert opened.replay(1).going.result.digest == first.kept.lanes[1, 0, 0].digest
    assert len({first.kept.lanes[i, 0, 0].digest for i in range(3)}) == 3
    assert set(space) <= set(first.configs[0])
    pytest.importorskip("safetensors")
    run = longer.replay(0)
    run.save(tmp_path / "m.safetensors")
    again = fo.load(tmp_path / "m.safetensors")
    assert np.array_equal(again.outputs(DEV.x), run.outputs(DEV.x))
    assert repr(again.hyper) == repr(run.hyper)


def test_a_sweep_chooses_among_plain_and_wrapped():
    """The sweep's results are those of each alone; numbers are blank where an optimizer lacks them."""
    averaged = fo.optim.ema(fo.optim.momentum)
    space = dict(
        optimizer=fo.choice("momentum", averaged, CLIPPED, BY_PATH),
        lr=fo.log_uniform(1e-2, 1e-1),
        ema_decay=fo.uniform(0.5, 0.9),
        rate_hidden_0=fo.when(optimizer=BY_PATH, rate_hidden_0=fo.uniform(0.0, 1.0)),
        max_norm=fo.when(optimizer=["clip_by_global_norm(adam)"], max_norm=0.1),
    )
    sweep = fo.caviar(fo.classifier(hidden=(5,)), space, TRAIN, DEV, n=12, epochs=2, key=KEY)
    names = [getattr(c["optimizer"], "name", c["optimizer"]) for c in sweep.configs]
    assert len(set(names)) == 4
    for i, (name, config) in enumerate(zip(names, sweep.configs, strict=True)):
        assert ("ema_decay" in config) == name.startswith("ema") and ("rate_hidden_0" in config) == ("path" in name)
        assert ("max_norm" in config) == ("norm" in name)
        if i < 2:
            assert sweep.replay(i).going.result.digest == sweep.kept.lanes[i, 0, 0].digest


def test_early_stopping_keeps_the_averaged_weights():
    run = fo.fit(
        model(fo.optim.ema(fo.optim.adam)), TRAIN, DEV, hyper=dict(lr=0.3, ema_decay=0.5), epochs=6, key=KEY,
        stop=fo.early_stopping(patience=2), objective="dev/loss",
    )  # fmt: skip
    assert run.evaluate(DEV)["loss"] == pytest.approx(min(run.history["dev"]["loss"]), rel=1e-5)


# ---- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [CLIPPED, DEEP, BY_PATH, fo.optim.lookahead(fo.optim.sgd)], ids=lambda o: o.name)
def test_a_description_is_plain_and_comes_back_equal(optimizer):
    text = json.dumps(encode({"optimizer": optimizer}))
    assert decode(json.loads(text)) == {"optimizer": optimizer}


def test_what_no_file_can_hold():
    mine = fo.optim.TABLE["sgd"].__class__("mine", fo.optim.sgd.init, fo.optim.sgd.update, fo.optim.sgd.numbers)
    with pytest.raises(ValueError, match="'mine' is not one of fnopt's own"):
        encode(fo.optim.ema(mine))
    impostor = fo.optim.TABLE["sgd"].__class__(
        "ema(sgd)", mine.init, mine.update, mine.numbers, recipe=("ema", fo.optim.sgd, ())
    )
    with pytest.raises(ValueError, match="cannot be written"):
        encode(impostor)
    with pytest.raises(ValueError, match="unknown optimizer 'emma' in a file; was it written by a newer fnopt"):
        decode({"wrapper": "emma", "inside": "sgd", "settings": {"tuple": []}})


def test_epochs_of_a_schedule_are_those_of_the_data_when_batches_are_gathered():
    x = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    data = fo.data.dataset(x, (x[:, 0] > 0).astype(int))
    net = fo.classifier(hidden=(), optimizer=fo.optim.accumulate(fo.optim.sgd), batch_size=10)
    lr = fo.schedules.exponential(0.8, 0.5).every()
    run = fo.fit(net, data, hyper=dict(lr=lr, every_k=4), epochs=4)
    np.testing.assert_allclose(run.history["lr"], [0.8, 0.4, 0.2, 0.1])
