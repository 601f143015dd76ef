"""What a user's functions may return, and what is said of the rest before the first step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt._types import Batch
from fnopt.run.functions import functions_digest

X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
CLASSES = fo.data.dataset(X, np.array(["a", "b", "c"])[np.arange(24) % 3])
VALUE = fo.data.dataset(X, X[:, 0])
VALUES = fo.data.dataset(X, X[:, :2])
LABELS = fo.data.dataset(X, (X[:, :2] > 0).astype(np.int32))


def init(key, example, hyper):
    return {"w": jnp.zeros((4, 3))}, {"n": jnp.zeros((), jnp.int32)}


def loss(params, stats, batch, hyper, key, train):
    return jnp.square(batch.x @ params["w"]).sum(1), stats


def predict(params, stats, x, hyper):
    return x @ params["w"]


def refused(model, data=CLASSES, **hyper):
    with pytest.raises((TypeError, ValueError, KeyError)) as told:
        fo.fit(model, data, hyper=hyper, epochs=1)
    return str(told.value)


OUTPUTS = {  # task, data, what `predict` gives of x, what is said
    "too narrow": ("classes", CLASSES, lambda x: x[:, :2], "a column for each of the 3 classes", "got shape (m, 2)"),
    "too wide": ("classes", CLASSES, lambda x: x[:, :4], "(m, 3)", "got shape (m, 4)"),
    "another rank": ("classes", CLASSES, lambda x: x[:, :3, None], "(m, 3)", "got shape (m, 3, 1)"),
    "a vector": ("classes", CLASSES, lambda x: x[:, 0], "(m, 3)", "got shape (m,)"),
    "whole numbers": ("classes", CLASSES, lambda x: (x[:, :3] > 0).astype(jnp.int32), "floating", "got dtype int32"),
    "a dictionary": ("classes", CLASSES, lambda x: {"logits": x[:, :3]}, "one array", "a dict"),
    "rows lost": ("classes", CLASSES, lambda x: x[1:, :3], "(m, 3)", "got shape (23, 3)"),
    "values too wide": ("values", VALUE, lambda x: x[:, :3], "values of shape (m,)", "got shape (m, 3)"),
    "values too narrow": ("values", VALUES, lambda x: x[:, 0], "values of shape (m, 2)", "got shape (m,)"),
    "labels too narrow": ("labels", LABELS, lambda x: x[:, 0], "logits of shape (m, 2)", "got shape (m,)"),
    "no array": ("values", VALUE, lambda x: 3.0, "one array", "got 3.0"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_are_compared_with_the_task(name):
    task, data, of, *words = OUTPUTS[name]
    model = fo.supervised(init, loss, lambda p, s, x, h: of(x), task=task)
    assert all(word in refused(model, data) for word in ("`predict` must return", *words))


def test_outputs_that_fit():
    two = fo.data.dataset(X, np.arange(24) % 2)
    for data, of in ((two, lambda x: x[:, 0]), (two, lambda x: x[:, :1]), (two, lambda x: x[:, :2])):
        run = fo.fit(fo.supervised(init, loss, lambda p, s, x, h, of=of: of(x)), data, epochs=1)
        assert run.predict(X).shape == (24,)


RETURNED = {  # what a loss returns of (losses, stats), what is said
    "no stats": (lambda a, s: a, "return losses, stats"),
    "a mean": (lambda a, s: (a.mean(), s), "one value an example"),
    "a dictionary": (lambda a, s: ({"loss": a}, s), "an array of shape"),
    "whole numbers": (lambda a, s: (a.astype(jnp.int32), s), "floating"),
    "stats of another type": (lambda a, s: (a, {"n": s["n"] + 1.0}), "stats['n'] was int32 of shape (), got float32"),
    "stats of another shape": (lambda a, s: (a, {"n": s["n"][None]}), "got int32 of shape (1,)"),
    "stats of another tree": (lambda a, s: (a, {"m": s["n"]}), "expected"),
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_a_loss_gives_back(name):
    of, words = RETURNED[name]
    with jax.numpy_dtype_promotion("standard"):
        model = fo.supervised(init, lambda p, s, *rest: of(loss(p, s, *rest)[0], s), predict)
        assert words in refused(model)


def test_a_penalty_that_is_no_number():
    assert "`penalty` must return one floating number" in refused(
        fo.supervised(init, loss, predict, penalty=lambda p, h: p["w"])
    )


def test_a_number_that_nobody_declared_is_named_with_the_cure():
    for name in ("temp", "lr"):
        model = fo.supervised(
            init, lambda p, s, b, h, k, t, n=name: (h[n] * loss(p, s, b, h, k, t)[0], s), predict, numbers={"gain": 1.0}
        )
        said = refused(model)
        assert f"no number '{name}' (it has 'gain')" in said and f"numbers=dict({name}=…)" in said


def test_a_traced_number_in_an_if_of_python_is_explained():
    def branches(params, stats, batch, hyper, key, train):
        rows = loss(params, stats, batch, hyper, key, train)[0]
        return (rows if hyper["dropout"] > 0 else 2 * rows), stats

    said = refused(fo.supervised(init, branches, predict, numbers={"dropout": 0.1}))
    assert "are traced" in said and "fo.nn.dropout(x, rate, key)" in said


def test_a_number_is_one_number():
    model = fo.supervised(init, loss, predict, numbers={"gain": 1.0})
    assert "`gain` must be one number or one schedule" in refused(model, gain=(1.0, 2.0))


def test_a_user_function_that_raises_shows_its_own_error():
    def raises(*arguments):
        raise ZeroDivisionError("mine")

    for functions in ((raises, loss, predict), (init, raises, predict), (init, loss, raises)):
        with pytest.raises(ZeroDivisionError, match="mine"):
            fo.fit(fo.supervised(*functions), CLASSES, epochs=1)


def backwards(factor):
    @jax.custom_vjp
    def act(x):
        return jnp.tanh(x)

    act.defvjp(lambda x: (jnp.tanh(x), x), lambda x, g: (g * (1 - jnp.tanh(x) ** 2) * factor,))
    return act


def forwards(factor):
    @jax.custom_jvp
    def act(x):
        return jnp.tanh(x)

    act.defjvp(lambda p, t: (jnp.tanh(p[0]), t[0] * (1 - jnp.tanh(p[0]) ** 2) * factor))
    return act


def inside_a_rule(factor):
    inner = forwards(factor)

    @jax.custom_vjp
    def act(x):
        return jnp.sin(x)

    act.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (g * inner(x),))
    return act


def nested(factor):
    return lambda x: jax.lax.scan(lambda c, _: (jax.checkpoint(backwards(factor))(c), None), x, None, length=2)[0]


def closed_over(factor):
    table = np.ones(5000, np.float32)
    table[4321] = factor
    held = jnp.asarray(table)
    return jax.jit(lambda x: x * held.max())


CHANGED = {f.__name__: f for f in (backwards, forwards, inside_a_rule, nested, closed_over)}


@pytest.mark.parametrize("name", CHANGED)
def test_a_digest_of_functions_knows_rules_and_closures(name):
    make, same = CHANGED[name], lambda x: x
    example = Batch(jnp.ones((1, 4)), jnp.zeros(1, jnp.int32), jnp.ones(1))

    def digest(where, factor):
        i, a, p, e = (make(factor) if where == place else same for place in ("init", "loss", "predict", "penalty"))
        model = fo.supervised(
            lambda k, e, h: ({"w": i(jnp.ones((4, 3)))}, ()),
            lambda q, s, b, h, k, t: (fo.losses.softmax_cross_entropy(a(b.x @ q["w"]), b.y), s),
            lambda q, s, x, h: p(x @ q["w"]),
            penalty=lambda q, h: e(jnp.sum(q["w"])),
        )
        return functions_digest(model.bind({}, 4, 3, ())[0], example)

    for where in ("init", "loss", "predict", "penalty"):
        assert digest(where, 1.0) == digest(where, 1.0)
        assert digest(where, 1.0) != digest(where, 1.5), where


def test_a_changed_gradient_is_another_sweep(tmp_path):
    def model(factor):
        act = backwards(factor)
        return fo.supervised(
            init, lambda p, s, b, h, k, t: (fo.losses.softmax_cross_entropy(act(b.x @ p["w"]), b.y), s), predict
        )

    space = dict(lr=fo.log_uniform(1e-2, 1e-1))
    fo.caviar(model(1.0), space, CLASSES, n=1, epochs=1, path=tmp_path / "s")
    with pytest.raises(ValueError, match="another sweep"):
        fo.caviar(model(0.0), space, CLASSES, n=2, epochs=1, path=tmp_path / "s")
