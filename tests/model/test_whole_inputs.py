"""What a model of supervised sees of x is what was given: whole numbers stay whole, nothing is scaled unless asked."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

SEEN: set[str] = set()


def init(key, example, hyper):
    SEEN.add(example.x.dtype.name)
    return {"w": jax.random.normal(key, (50, 3)) * 0.1}, ()


def predict(params, stats, x, hyper):
    SEEN.add(x.dtype.name)
    rows = params["w"][x.astype(jnp.int32).reshape(x.shape[0], -1)]
    return rows.mean(1)


def loss(params, stats, batch, hyper, key, train):
    return fo.losses.softmax_cross_entropy(predict(params, stats, batch.x, hyper), batch.y), stats


MODEL = fo.supervised(init, loss, predict)
KINDS = {"int64": "int32", "int32": "int32", "uint8": "uint8", "bool": "bool", "int8": "int8", "float64": "float32"}


TWINS = ("int32", "int8")  # of int64, which comes as int32, and of uint8


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind in TWINS else kind for kind in KINDS]
)
def test_x_comes_as_it_is_through_every_door(kind, tmp_path):
    pytest.importorskip("safetensors")
    x = np.random.default_rng(0).integers(0, 2 if kind == "bool" else 50, (30, 4)).astype(kind)
    if kind == "int64":
        x = x.reshape(30, 2, 2)
    data = fo.data.dataset(x, np.arange(30) % 3)
    SEEN.clear()
    run = fo.fit(MODEL, data, data, epochs=1)
    by_hand = np.asarray(run.params["w"])[x.astype(int).reshape(30, -1)].mean(1)
    np.testing.assert_allclose(run.outputs(x), by_hand, rtol=1e-5, atol=1e-6)
    run.save(tmp_path / "m.safetensors")
    again = fo.load(tmp_path / "m.safetensors", model=MODEL)
    assert np.array_equal(again.outputs(x), run.outputs(x)) and np.array_equal(
        again.predict(x.tolist()), run.predict(x)
    )
    sweep = fo.caviar(MODEL, dict(lr=fo.log_uniform(1e-3, 1e-1)), data, data, n=1, epochs=1, path=tmp_path / "s")
    assert fo.open(tmp_path / "s", model=MODEL).replay(0).going.result.digest == sweep.kept.lanes[0, 0, 0].digest
    assert {KINDS[kind]} == SEEN


def test_what_is_not_whole_is_refused_where_whole_numbers_were_learned():
    data = fo.data.dataset(np.arange(60).reshape(30, 2) % 50, np.arange(30) % 3)
    run = fo.fit(MODEL, data, epochs=1)
    assert np.array_equal(run.predict(np.asarray(data.x, np.float32)), run.predict(data.x))
    with pytest.raises(ValueError, match="must hold int32"):
        run.predict(np.full((2, 2), 0.5))


def test_what_is_asked_is_scaled():
    x = np.random.default_rng(0).normal(size=(30, 4)) * 100 + 7
    data = fo.data.dataset(x, x[:, 0])
    means = {}
    for scaled in (False, True):
        model = fo.supervised(
            lambda k, e, h: ({"w": jnp.zeros(4)}, {"mean": jnp.zeros(4)}),
            lambda p, s, b, h, k, t: ((b.x @ p["w"] - b.y) ** 2, {"mean": b.x.mean(0)} if t else s),
            lambda p, s, x, h: x @ p["w"],
            task="values", standardize=scaled, batch_size=30,
        )  # fmt: skip
        means[scaled] = fo.fit(model, data, epochs=1).stats["mean"]
    np.testing.assert_allclose(means[False], x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(means[True], np.zeros(4), atol=1e-5)
