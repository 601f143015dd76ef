"""JAX's own debuggers: quiet on a healthy model, at the user's line on a planted fault."""

import traceback

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

X = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
DATA = fo.data.dataset(X, X[:, 0])
SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1))


def init(key, example, hyper):
    return {"w": jnp.full(2, 0.1)}, ()


def predict(params, stats, x, hyper):
    return x @ params["w"]


def loss(params, stats, batch, hyper, key, train):
    return jnp.square(predict(params, stats, batch.x, hyper) - batch.y), stats


def faulty(params, stats, batch, hyper, key, train):
    z = predict(params, stats, batch.x, hyper)
    return jnp.log(z - 100.0), stats  # the planted NaN


def huge(params, stats, batch, hyper, key, train):
    z = predict(params, stats, batch.x, hyper)
    return jnp.exp(z + 100.0), stats  # the planted infinity


def model_of(loss, batch_size=8):
    return fo.supervised(init, loss, predict, task="values", optimizer="sgd", batch_size=batch_size)


HEALTHY = {
    "nans": lambda: jax.debug_nans(True),
    "infs": lambda: jax.debug_infs(True),
    "leaks": jax.checking_leaks,
    "no jit": lambda: jax.disable_jit(),
}


@pytest.fixture(scope="module")
def plain():
    return both()


def both():
    run = fo.fit(model_of(loss), DATA, DATA, epochs=2, stop=fo.early_stopping(5))
    sweep = fo.caviar(model_of(loss), SPACE, DATA, DATA, n=1, epochs=1, train_every=0)
    return run.history["dev"]["loss"], sweep.lanes(0)[0].history["dev"]["loss"], run.evaluate(DATA)["loss"]


@pytest.mark.parametrize("name", [name for name in HEALTHY if name != "no jit"])
def test_a_healthy_model_is_left_alone(name, plain):
    with HEALTHY[name]():
        found = both()
    for a, b in zip(found, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_nothing_is_compiled_where_nobody_wants_it(plain):
    """Each operation by itself takes its time: one epoch of one lane, in a thread of a sweep as in a fit."""
    seen = []

    def looking(params, stats, batch, hyper, key, train):
        seen.append(float(batch.x[0, 0]))  # a number, and no tracer
        return loss(params, stats, batch, hyper, key, train)

    with jax.disable_jit():
        model = model_of(looking, batch_size=12)  # one update
        run = fo.fit(model, DATA, epochs=1)
        assert seen and run.history["cost"].shape == (1,)
        seen.clear()
        fo.caviar(model, SPACE, DATA, n=1, epochs=1, threads=1)
        assert seen


def test_a_built_in_net_is_left_alone_too():
    with jax.debug_nans(True):
        fo.fit(fo.classifier(hidden=2, norm="batch", dropout=0.1), fo.data.dataset(X, np.arange(12) % 3), epochs=1)


@pytest.mark.parametrize("name", ["nans", "infs"])
def test_a_planted_fault_is_raised_at_its_line(name):
    model = model_of(faulty if name == "nans" else huge)
    for call in (lambda: fo.fit(model, DATA, epochs=1), lambda: fo.caviar(model, SPACE, DATA, n=1, epochs=1)):
        with HEALTHY[name](), pytest.raises(FloatingPointError) as told:
            call()
        text = "".join(traceback.format_exception(told.value))
        assert "# the planted" in text


def test_rows_that_were_not_scored_are_nan_as_ever():
    sweep = fo.caviar(model_of(loss), SPACE, DATA, DATA, n=1, epochs=3, train_every=2)
    on_train = sweep.lanes(0)[0].history["train"]["loss"]
    assert np.isnan(on_train).tolist() == [True, False, False]
