"""What trains can be saved: every type bit for bit, every tree of names, random keys, a user's own optimizer."""

import json
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt import tree
from fnopt.numbers import REAL
from fnopt.run.tensors import packed, unpacked
from fnopt.schedules._fields import schedule
from fnopt.schedules.combinators import Schedule
from fnopt.sweep.stop import Median

pytest.importorskip("safetensors")
X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
DATA = fo.data.dataset(X, np.arange(30) % 3)
TYPES = ("bfloat16", "float16", "float32", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "complex64", "bool")
WHOLE = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "int4")


@pytest.mark.parametrize("name", [*TYPES, *WHOLE])
def test_every_type_comes_back_bit_for_bit(name):
    a = jnp.asarray(np.arange(-3, 4), jnp.dtype(name))
    content, types = packed({"a": a, "b": a[0], "c": a[:0]})
    back = unpacked(content, types)
    for key, value in {"a": a, "b": a[0], "c": a[:0]}.items():
        assert back[key].dtype == value.dtype and back[key].shape == value.shape
        assert back[key].tobytes() == np.asarray(value).tobytes()


def model_of(make, stats=lambda key: (), dtype=jnp.float32, step=lambda stats: stats, **options):
    """A linear model whose weights lie in a tree of the given make."""

    def init(key, example, hyper):
        return make(jax.random.normal(key, (4, 3)).astype(dtype)), stats(key)

    def predict(params, s, x, hyper):
        weights = sum(k * leaf for k, leaf in enumerate(jax.tree.leaves(params), 1))
        return (x.astype(dtype) @ weights).astype(jnp.float32)

    def loss(params, s, batch, hyper, key, train):
        logits = predict(params, s, batch.x, hyper)
        return fo.losses.softmax_cross_entropy(logits, batch.y), step(s) if train else s

    return fo.supervised(init, loss, predict, **options)


def saved(model, tmp_path, **options):
    run = fo.fit(model, DATA, epochs=1, **options)
    run.save(tmp_path / "m.safetensors")
    again = fo.load(tmp_path / "m.safetensors", model=model)
    assert np.array_equal(again.outputs(X), run.outputs(X))
    for a, b in zip(jax.tree.leaves(again.params), jax.tree.leaves(run.params), strict=True):
        assert a.dtype == b.dtype and np.array_equal(a, b)
    return run, again


TREES = {
    "a dot in a key": lambda w: {"a.b": w, "a": {"b": 0 * w}},
    "a list beside a dotted key": lambda w: {"l": [w, 0 * w], "l.0": 2 * w, "l.1": w},
    "a backslash before a dot": lambda w: {"a\\.b": w, "a\\": {"b": 0 * w}, "a": {"b": 2 * w}},
    "torch's names": lambda w: {"layer.0.weight": w, "layer.0.bias": 0 * w},
    "integer keys": lambda w: {"a": {0: w, 1: 0 * w}, "a.0": 2 * w},
}


@pytest.mark.parametrize("name", TREES)
def test_no_two_leaves_share_a_name(name, tmp_path):
    some = TREES[name](jnp.ones(2))
    assert len({*tree.names(some)}) == len(jax.tree.leaves(some))
    saved(model_of(TREES[name]), tmp_path)


def test_a_dot_in_a_key_of_stats(tmp_path):
    _, again = saved(model_of(lambda w: w, lambda key: {"a.b": jnp.ones(2), "a": {"b": jnp.zeros(2)}}), tmp_path)
    assert again.stats["a.b"].tolist() == [1, 1] and again.stats["a"]["b"].tolist() == [0, 0]


def test_half_precision_trains_saves_and_loads(tmp_path):
    saved(model_of(lambda w: {"w": w}, dtype=jnp.bfloat16), tmp_path)


def mixed(key):
    return {
        "rng": key, "many": jax.random.split(key, 2), "old": jax.random.key(3, impl="rbg"),
        "n": jnp.zeros((), jnp.int32),
        "on": jnp.array([True, False]), "z": jnp.ones(2, jnp.complex64), "h": jnp.ones(2, jnp.bfloat16),
        "f8": jnp.ones(2, jnp.float8_e4m3fn), "u": jnp.zeros(2, jnp.uint8),
    }  # fmt: skip


def moved(s):
    return {**s, "rng": jax.random.split(s["rng"])[0], "n": s["n"] + 1, "on": ~s["on"], "z": s["z"] * 1j}


def test_stats_of_every_kind_go_through_sweep_folder_and_file(tmp_path):
    model = model_of(lambda w: {"w": w}, mixed, step=moved)
    run, again = saved(model, tmp_path)
    assert int(run.stats["n"]) == 1 and jnp.issubdtype(run.stats["rng"].dtype, jax.dtypes.prng_key)
    for a, b in zip(jax.tree.leaves(run.stats), jax.tree.leaves(again.stats), strict=True):
        assert a.dtype == b.dtype and bool((a == b).all())
    first = jax.random.fold_in(jax.random.key(0), 0)
    assert bool((run.stats["rng"] == jax.random.split(first)[0]).all())
    space = dict(lr=fo.log_uniform(1e-3, 1e-1))
    fo.caviar(model, space, DATA, n=1, epochs=1, path=tmp_path / "s")
    sweep = fo.caviar(model, space, DATA, n=2, epochs=1, path=tmp_path / "s")
    replayed = fo.open(tmp_path / "s", model=model).replay(1)
    assert replayed.going.result.digest == sweep.kept.lanes[1, 0, 0].digest
    assert run.evaluate(DATA)["loss"] == pytest.approx(run.scores["train"]["loss"], rel=1e-5)
    warm = fo.fit(model, DATA, params=run.params, epochs=1)
    assert int(warm.stats["n"]) == 1


def test_saving_needs_no_optimizer(tmp_path):
    from dataclasses import replace

    mine = replace(fo.optim.momentum, name="mine")
    for model in (model_of(lambda w: w, optimizer=mine), fo.classifier(hidden=3, optimizer=mine)):
        run = fo.fit(model, DATA, epochs=1, hyper=dict(beta=0.5))
        run.save(tmp_path / "m.safetensors")
        again = fo.load(tmp_path / "m.safetensors", model=None if model.kind == "classifier" else model)
        assert np.array_equal(again.outputs(X), run.outputs(X))
        assert repr(again.hyper["optimizer"]) == "<mine, not in the file>"
        again.save(tmp_path / "again.safetensors")
        assert (
            json.loads((tmp_path / "again.json").read_text())["hyper"]
            == json.loads((tmp_path / "m.json").read_text())["hyper"]
        )
    with pytest.raises(ValueError, match="'mine' is not one of fnopt's own"):
        fo.caviar(model, dict(lr=fo.log_uniform(1e-3, 1e-1)), DATA, n=1, epochs=1, path=tmp_path / "s")
    assert not (tmp_path / "s").exists()


@schedule
class Own(Schedule):
    """A schedule of a user's own."""

    rate: Annotated[Any, REAL]

    def at(self, n):
        """1/n."""
        return self.rate / (1 + n)


class Patient(Median):
    """A rule of a user's own."""


@pytest.mark.parametrize("what", ["schedule", "rule"])
def test_what_a_folder_cannot_hold_is_refused_before_it_is_there(what, tmp_path):
    more = {"stop": Patient()} if what == "rule" else {}
    space = dict(lr=Own(0.1) if what == "schedule" else fo.log_uniform(1e-3, 1e-1))
    with pytest.raises(ValueError, match="cannot be written to a file"):
        fo.caviar(fo.classifier(hidden=2), space, DATA, DATA, n=1, epochs=1, path=tmp_path / "s", **more)
    assert not (tmp_path / "s").exists()


def test_a_schedule_of_ones_own_needs_no_place_in_a_model(tmp_path):
    run = fo.fit(fo.classifier(hidden=2), DATA, hyper=dict(lr=Own(0.1)), epochs=1)
    run.save(tmp_path / "m.safetensors")
    again = fo.load(tmp_path / "m.safetensors")
    assert np.array_equal(again.outputs(X), run.outputs(X)) and repr(again.hyper["lr"]) == "<Own, not in the file>"
