"""Gradient checking: every layer, loss and penalty passes; one entry of one leaf that is wrong is found."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt import check, losses, nn, penalties

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype(np.float32)
KEY = jax.random.key(3)
NORM = nn.mlp(hidden=(5,), out=3, norm="batch")
PARAMS, STATS = NORM.init(jax.random.key(1), features=4)
W = {"w": RNG.normal(size=(4, 3)).astype(np.float32), "b": RNG.normal(size=3).astype(np.float32)}
Y = RNG.normal(size=(6, 3)).astype(np.float32)
LABELS = np.array([0, 2, 1, 1, 0, 2], np.int32)


def scores(p, x=X):
    return jnp.asarray(x, p["w"].dtype) @ p["w"] + p["b"][None, :]


def activation(name, p):
    z = scores(p)
    slope = (p["b"] / 4,) if name == "prelu" else ()
    return jnp.sum(nn.activations.TABLE[name](z, *slope) * jnp.cos(jnp.arange(18.0, dtype=z.dtype).reshape(6, 3)))


def trained(p, stats, x, key):
    """Dense, batch norm, activation, dropout with a fixed key: a whole network in training."""
    z, stats = NORM.forward(p, stats, x, dropout=0.4, key=key, train=True)
    return losses.softmax_cross_entropy(z, LABELS).mean(), stats


LAYERS = {name: partial(activation, name) for name in nn.activations.TABLE}
LAYERS |= {
    "dense": lambda p: jnp.sum(jnp.square(nn.dense(jnp.asarray(X, p["w"].dtype), p["w"], p["b"]))),
    "dropout": lambda p: jnp.sum(jnp.sin(nn.dropout(scores(p), 0.5, KEY))),
    "batch_norm": lambda p: jnp.sum(
        jnp.sin(nn.batch_norm(scores(p), jnp.exp(p["b"]), p["b"], nn.init_stats(3, p["b"].dtype), train=True)[0])
    ),
}
LOSSES = {
    "softmax_cross_entropy": lambda p: losses.softmax_cross_entropy(scores(p), LABELS, smoothing=0.1).mean(),
    "sigmoid_cross_entropy": lambda p: losses.sigmoid_cross_entropy(scores(p), (Y > 0).astype(np.int32)).mean(),
    "hinge": lambda p: losses.hinge(scores(p), (Y > 0).astype(np.int32)).mean(),
    **{
        name: lambda p, name=name: getattr(losses, name)(scores(p), jnp.asarray(Y, p["w"].dtype)).mean()
        for name in ("squared_error", "absolute_error", "huber", "log_cosh", "quantile")
    },
    "poisson": lambda p: losses.poisson(scores(p), np.abs(Y).round()).mean(),
    "weighted_mean": lambda p: losses.weighted_mean(jnp.square(scores(p)), jnp.square(scores(p))),
    "l1": lambda p: penalties.l1(p, 0.3),
    "l2": lambda p: penalties.l2(p, 0.3),
    "shrink": lambda p: jnp.sum(jnp.square(penalties.shrink(p, 0.1)["w"])),
    "max_norm": lambda p: jnp.sum(jnp.sin(penalties.max_norm(p, 0.8)["w"])),
}
CASES = LAYERS | LOSSES


def test_the_table_is_whole():
    assert {n for n in dir(losses) if callable(getattr(losses, n)) and not n.startswith("_")} <= set(LOSSES)
    assert {n for n in vars(penalties) if n in ("l1", "l2", "shrink", "max_norm")} <= set(LOSSES)


@jax.custom_vjp
def off(w):
    """The identity, whose gradient is wrong by a thousandth in one entry."""
    return w


off.defvjp(lambda w: (w, w.size), lambda size, g: (g.reshape(-1).at[size // 2].mul(1.001).reshape(g.shape),))


@pytest.mark.parametrize("name", CASES)
def test_the_right_one_passes_and_one_wrong_entry_is_found(name):
    report = check.gradients(CASES[name], W)
    assert report.passed, report
    assert report.worst["difference"] < 1e-6
    if name == "hardmax":  # nothing but 0 to be wrong by a thousandth
        return
    report = check.gradients(lambda p: CASES[name]({**p, "w": off(p["w"])}), W)
    assert not report.passed, report
    worst = report.worst
    assert (worst["leaf"], worst["worst"], worst["errors"]) == ("w", (2, 0), 1)
    assert worst["autodiff"] / worst["two_sided"] == pytest.approx(1.001, abs=1e-5)
    assert "GRADIENTS DIFFER, worst at w[2, 0]" in str(report)
    assert all(row["errors"] == 0 for row in report.table[1:])


@pytest.mark.slow
def test_a_whole_network_in_training_whatever_its_type():
    report = check.gradients(trained, PARAMS, STATS, X, KEY, has_aux=True)
    assert report.passed, report
    assert [row["leaf"] for row in report.table] != sorted(row["leaf"] for row in report.table)  # worst first
    halves = jax.tree.map(lambda p: p.astype(jnp.bfloat16), PARAMS)
    assert check.gradients(trained, halves, STATS, X, KEY, has_aux=True).passed
    assert jnp.ones(1).dtype == jnp.float32, "x64 is as it was"
    assert check.gradients(jax.jit(lambda p: jnp.sum(jnp.tanh(p))), jnp.ones(3)).worst["leaf"] == "params"


def test_kinks_are_told_apart():
    w = jnp.array([0.0, 1.0, -1.0, 0.0])
    report = check.gradients(lambda w: jnp.sum(nn.relu(w)) + jnp.sum(fo.tree.absolute(w)), w)
    assert report.passed
    assert (report.worst["kinks"], report.worst["errors"], report.worst["checked"]) == (2, 0, 4)
    assert "2 at kinks" in str(report)
    near = check.gradients(lambda w: jnp.sum(nn.relu(w)), w + 0.7e-5)  # a kink inside the step
    assert near.passed and near.worst["kinks"] == 2

    def wrong(w):  # at the kink, but not between the slopes on its sides
        return jnp.sum(nn.relu(off(w))) + 2 * jnp.sum(w - off(w))

    turned = check.gradients(wrong, jnp.array([1.0, -1.0, 0.0, 0.0])).worst
    assert (turned["errors"], turned["worst"], turned["kinks"]) == (1, (2,), 1)


@pytest.mark.slow
def test_a_large_leaf_by_directions_and_halving():
    big = jnp.asarray(RNG.normal(size=(60, 50)).astype(np.float32))
    sound = check.gradients(lambda w: jnp.sum(jnp.sin(w)), big, entries=10)
    assert sound.passed and sound.worst["checked"] == 10
    report = check.gradients(lambda w: jnp.sum(jnp.sin(off(w))), big, entries=10)
    assert report.worst["along"] > 0
    assert report.worst["worst"] == (30, 0) and report.worst["errors"] == 1


LINEAR = {"identity", "relu", "leaky_relu", "hardmax", "hinge", "absolute_error", "quantile", "l1"}  # in pieces
QUADRATIC = {"prelu", "dense", "squared_error", "l2", "shrink", "huber"}  # whose two-sided difference is exact


@pytest.mark.parametrize("name", CASES)
def test_the_order_of_differences(name):
    wide = partial(losses.huber, delta=10.0)  # else the larger steps pass from a square to a line
    loss = CASES[name] if name != "huber" else lambda p: wide(scores(p), jnp.asarray(Y, p["w"].dtype)).mean()
    found = check.order(loss, W)
    exact = pytest.approx(np.nan, nan_ok=True)
    assert found.two_sided == (exact if name in LINEAR | QUADRATIC else pytest.approx(2, abs=0.2))
    assert found.one_sided == (exact if name in LINEAR else pytest.approx(1, abs=0.2))
    assert found.passed and "as it should be" in str(found)


def test_the_order_of_a_wrong_gradient_and_of_a_quadratic():
    wrong = check.order(lambda p: CASES["tanh"]({**p, "w": off(p["w"])}), W)
    assert not wrong.passed and abs(wrong.two_sided) < 0.5
    quadratic = check.order(lambda w: jnp.sum(jnp.square(w)), jnp.ones(3))
    assert np.isnan(quadratic.two_sided) and quadratic.one_sided == pytest.approx(1, abs=1e-3)


def test_a_loss_in_less_than_float64_is_named():
    report = check.gradients(lambda w: jnp.sum(jnp.tanh(w.astype(jnp.float32)).astype(jnp.float64)), jnp.ones(2))
    assert not report.passed
    assert "computed in less than float64" in str(report)


def test_refusals():
    bad = {
        r"params\['n'\] must be a floating array, got int32; what is not learned": (jnp.sum, {"n": jnp.arange(3)}),
        r"params\['w'\] holds nan at \(1,\)": (lambda p: p["w"].sum(), {"w": jnp.array([1.0, np.nan])}),
        r"must return one number, got shape \(2,\); .* \.mean\(\)": (lambda w: w, jnp.ones(2)),
        "the loss is inf at these parameters": (lambda w: jnp.sum(1 / w), jnp.zeros(2)),
        "came back as float32 .* fixes the type": (lambda w: jnp.sum(w.astype(jnp.float32)), jnp.ones(2)),
        "returned a tuple: write has_aux=True": (lambda w: (jnp.sum(w), 0), jnp.ones(2)),
        "holds no numbers": (lambda w: 0.0, {}),
        "`loss` must be a function": (3, jnp.ones(2)),
    }
    for words, (loss, params) in bad.items():
        with pytest.raises((TypeError, ValueError), match=words):
            check.gradients(loss, params)
    for name, value in {"eps": 0.0, "tolerance": 1.0, "entries": 0, "directions": -1}.items():
        with pytest.raises(ValueError, match=f"`{name}` must be"):
            check.gradients(jnp.sum, jnp.ones(2), **{name: value})
