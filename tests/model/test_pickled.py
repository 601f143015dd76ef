"""Public objects under pickle, copy, hash and ==: what comes back is equal, and does the same."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

o, s = fo.optim, fo.schedules
X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
DATA = fo.data.dataset(X, np.arange(20) % 2)


def descent(learning_rate):
    """A transform of a user's own, at module level as pickle wants it."""
    return lambda params: (), lambda g, memory, params=None: (jax.tree.map(lambda x: -learning_rate * x, g), ())


THEIRS = o.from_transform(descent, numbers=dict(learning_rate=0.1))
EQUAL = {  # objects with equality and hash
    **{name: o.by_name(name) for name in o.NAMES},
    **{name: wrapper(o.sgd) for name, wrapper in o.WRAPPERS.items() if name in o.PLAIN},
    "a rate by path": o.rate_by_path(o.adam, {"*bias": 0.0, "*": 1.0}),
    "a decay by path in a clip": o.clip_by_global_norm(o.decay_by_path(o.adam, {"*": 1e-4})),
    "three deep": o.ema(o.clip_by_value(o.accumulate(o.momentum))),
    "muon with": o.muon_with(("output",)),
    "lbfgs with": o.lbfgs_with(5),
    "a transform": THEIRS,
    "a clipped transform": o.clip_by_global_norm(THEIRS),
    "constant": s.constant(0.1),
    "cosine": s.cosine(peak=0.1, steps=9),
    "piecewise": s.piecewise((3.0,), (0.1, 0.2)),
    "warmed": s.exponential(0.8, 0.5).every(3),
    "early stopping": fo.early_stopping(3),
    "halving": fo.halving(),
    "hyperband": fo.hyperband(),
    "asynchronous halving": fo.asynchronous_halving(),
    "median": fo.median(),
    "population": fo.population(),
    "uniform": fo.uniform(0.1, 0.2),
    "log_uniform": fo.log_uniform(0.1, 0.2),
    "choice": fo.choice(1, 2),
}


def ways(x):
    return pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)


def test_what_comes_back_is_equal_and_of_one_hash():
    for name, x in EQUAL.items():
        for again in ways(x):
            assert again == x and type(again) is type(x), name
            assert hash(again) == hash(x), name


def init(key, example, hyper):
    return {"w": jax.random.normal(key, (3,)).astype(jnp.bfloat16)}, {"rng": key, "n": jnp.zeros((), jnp.int32)}


def loss(params, stats, batch, hyper, key, train):
    return fo.losses.sigmoid_cross_entropy(predict(params, stats, batch.x, hyper), batch.y), stats


def predict(params, stats, x, hyper):
    return x @ params["w"].astype(jnp.float32)


MODELS = {
    "built in": fo.classifier(hidden=(3,), norm="batch", optimizer=o.clip_by_global_norm(THEIRS)),
    "functions of a module": fo.supervised(init, loss, predict),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_run_comes_back_as_a_loaded_one(name):
    """The same bits predicted, and no state of training or data in it; copies in the process train on."""
    run = fo.fit(MODELS[name], DATA, DATA, hyper=dict(lr=s.cosine(peak=0.1, steps=9)), epochs=1)
    again = pickle.loads(pickle.dumps(run))
    assert again.outputs(X).tobytes() == run.outputs(X).tobytes()
    assert again.evaluate(DATA) == run.evaluate(DATA) and again.scores == run.scores and str(again) == str(run)
    with pytest.raises(ValueError, match="fit it again"):
        again.more(1)
    assert again.trial.optimizer == run.trial.optimizer
    for copied in (copy.copy(run), copy.deepcopy(run)):
        assert copied.more(1).epochs == 2 and copied.hyper == run.hyper


def test_other_objects_come_back_alike():
    data = fo.data.dataset(X, np.array(["a", "b"])[np.arange(20) % 2])
    for again in ways(data):
        assert np.array_equal(again.x, data.x) and again.classes == data.classes
    scale = fo.data.standardizer(X)
    for again in ways(scale):
        assert np.array_equal(again(X), scale(X))
    state = o.adam.init({"w": jnp.ones(2)}, lr=s.cosine(peak=0.1, steps=9))
    for again in ways(state):
        assert jax.tree.structure(again) == jax.tree.structure(state)
    for again in ways(MODELS["functions of a module"]):
        assert fo.fit(again, DATA, epochs=1).scores == fo.fit(MODELS["functions of a module"], DATA, epochs=1).scores


def test_a_lambda_is_refused_as_python_does():
    model = fo.supervised(init, loss, lambda *arguments: predict(*arguments))
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(fo.fit(model, DATA, epochs=1))
