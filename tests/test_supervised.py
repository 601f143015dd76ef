"""fo.supervised: hand-written functions train, sweep, replay, save and load as the built-in network does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

KEY = jax.random.key(11)
NET = fo.nn.mlp(hidden=(7,), out=3)


def init(key, example, hyper):
    return NET.init(key, features=example.x.shape[1])[0], ()


def forward(params, x):
    """Two layers by hand."""
    a = jnp.maximum(x @ params["hidden_0"]["weight"] + params["hidden_0"]["bias"][None, :], 0.0)
    return a @ params["output"]["weight"] + params["output"]["bias"][None, :]


def loss(params, stats, batch, hyper, key, train):
    logits = forward(params, batch.x)
    right = jnp.take_along_axis(logits, batch.y[:, None], axis=1)[:, 0]
    return jax.nn.logsumexp(logits, axis=1) - right, stats


def predict(params, stats, x, hyper):
    return forward(params, x)


def penalty(params, hyper):
    return hyper["decay"] * sum(jnp.sum(layer["weight"] ** 2) for layer in params.values())


MINE = fo.supervised(init, loss, predict, penalty=penalty, numbers=dict(decay=0.0), standardize=True)
BUILT_IN = fo.classifier(hidden=(7,))


def parts():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 140).astype(np.int32)
    x = rng.normal(size=(140, 4)).astype(np.float32) + 2 * np.eye(3, 4, dtype=np.float32)[y]
    return fo.data.split(fo.data.dataset(x, y), (0.6, 0.4), key=KEY)


TRAIN, DEV = parts()


def close(a, b, tolerance=1e-6):
    for p, q in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(p, q, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def sweeps():
    rest = dict(optimizer="momentum", batch_size=32)
    options = dict(n=6, epochs=4, key=KEY)
    lr, decay = fo.log_uniform(1e-3, 1e-1), fo.log_uniform(1e-5, 1e-2)
    mine = fo.caviar(MINE, dict(lr=lr, decay=decay, **rest), TRAIN, DEV, **options)
    return mine, fo.caviar(BUILT_IN, dict(lr=lr, **rest), TRAIN, DEV, **options)


def test_fit_equals_the_built_in_net():
    a = fo.fit(MINE, TRAIN, DEV, hyper=dict(lr=0.05, decay=1e-3, optimizer="sgd"), epochs=5, key=KEY)
    b = fo.fit(BUILT_IN, TRAIN, DEV, hyper=dict(lr=0.05, l2=1e-3, optimizer="sgd"), epochs=5, key=KEY)
    close(a.params, b.params)
    close(a.history, b.history)
    assert np.array_equal(a.predict(DEV.x), b.predict(DEV.x))


def test_sweep_and_replay(sweeps):
    mine, _ = sweeps
    run = mine.replay(4)
    assert run.going.result.digest == mine.kept.lanes[4, 0, 0].digest
    own = fo.fit(BUILT_IN, TRAIN, DEV, epochs=4, key=jax.random.fold_in(jax.random.fold_in(KEY, 1), 0), hyper={
        "lr": mine.configs[4]["lr"], "l2": mine.configs[4]["decay"], "optimizer": "momentum", "batch_size": 32,
    })  # fmt: skip
    close(run.params, own.params)


def test_same_names_are_drawn_alike(sweeps):
    mine, built_in = sweeps
    assert [c["lr"] for c in mine.configs] == [c["lr"] for c in built_in.configs]


def test_save_and_load(tmp_path):
    pytest.importorskip("safetensors")
    run = fo.fit(MINE, TRAIN, DEV, epochs=3, key=KEY)
    run.save(tmp_path / "mine.safetensors")
    again = fo.load(tmp_path / "mine.safetensors", model=MINE)
    assert np.array_equal(again.predict_proba(DEV.x), run.predict_proba(DEV.x))
    with pytest.raises(ValueError, match="model="):
        fo.load(tmp_path / "mine.safetensors")


def test_folder_wants_the_model_back(tmp_path, sweeps):
    mine, _ = sweeps
    rest = dict(optimizer="momentum", batch_size=32)
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), decay=fo.log_uniform(1e-5, 1e-2), **rest)
    fo.caviar(MINE, space, TRAIN, DEV, n=6, epochs=4, key=KEY, path=tmp_path / "s")
    with pytest.raises(ValueError, match="model="):
        fo.open(tmp_path / "s")
    assert fo.caviar(MINE, space, TRAIN, DEV, n=6, epochs=4, key=KEY, path=tmp_path / "s").finished
    other = fo.supervised(init, loss, lambda *a: 2 * predict(*a), penalty=penalty, numbers=dict(decay=0.0))
    with pytest.raises(ValueError, match="another sweep"):
        fo.caviar(other, space, TRAIN, DEV, n=6, epochs=4, key=KEY, path=tmp_path / "s")
    again = fo.open(tmp_path / "s", model=MINE)
    assert again.replay(2).going.result.digest == mine.kept.lanes[2, 0, 0].digest


BAD = {
    "a number as a leaf": (lambda k, e, h: ({"w": 0.5}, ()), "jnp.asarray"),
    "a function as a leaf": (lambda k, e, h: ({"w": jnp.zeros(3), "f": jnp.tanh}, ()), "must be an array"),
    "an integer leaf": (lambda k, e, h: ({"w": jnp.zeros(3, jnp.int32)}, ()), "keep counters and masks in stats"),
    "no stats": (lambda k, e, h: {"w": jnp.zeros(3)}, "return params, ()"),
}


@pytest.mark.parametrize("name", BAD)
def test_leaves_that_are_not_arrays_are_refused_with_the_cure(name):
    make, message = BAD[name]
    with pytest.raises(TypeError, match=message.replace("(", r"\(").replace(")", r"\)")):
        fo.fit(fo.supervised(make, loss, predict), TRAIN, epochs=1)


def test_a_mean_instead_of_one_value_an_example():
    def mean_loss(params, stats, batch, hyper, key, train):
        return loss(params, stats, batch, hyper, key, train)[0].mean(), stats

    with pytest.raises(ValueError, match="one value an example"):
        fo.fit(fo.supervised(init, mean_loss, predict), TRAIN, epochs=1)


def test_what_is_not_a_function():
    with pytest.raises(TypeError, match="`loss` must be a function"):
        fo.supervised(init, 3, predict)
