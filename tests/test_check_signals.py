"""Signals: vanishing, exploding, dead and saturated units are named, with the layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt import nn


def straight(depth, delta):
    """W7: depth − 1 linear layers (1 + δ) I, then one output."""
    net = nn.mlp(hidden=(2,) * (depth - 1), out=1, activation="identity")
    layer = {"weight": (1 + delta) * jnp.eye(2), "bias": jnp.zeros(2)}
    last = {"weight": jnp.array([[1.0], [0.0]]), "bias": jnp.zeros(1)}
    return net, {**dict.fromkeys(net.layers, layer), "output": last}


@pytest.mark.parametrize(
    ("depth", "delta", "printed", "digits", "word"),
    [
        (10, 0.1, 2.358, 3, None),
        (10, -0.1, 0.387, 3, None),
        (50, 0.1, 106.7, 1, "explode"),
        (50, -0.1, 0.0057, 4, "vanish"),
    ],
)
def test_w7(depth, delta, printed, digits, word):
    report = fo.check.signals(*straight(depth, delta), jnp.ones((4, 2)))
    assert round(report.table[-1]["activation"], digits) == printed
    assert report.table[-1]["layer"] == "output" and report.table[2]["layer"] == "hidden_2"
    if word is None:
        assert report.passed and "no signal vanishes or explodes" in str(report)
        return
    # the limit of 10 is passed at the first k with (1 + δ)^k beyond it
    k = int(np.ceil(np.log(10) / abs(np.log(1 + delta))))
    assert report.findings[0].startswith(f"activations {word}: hidden_{k} has")
    assert f"a factor of {1 + delta:.3g} a layer" in report.findings[0]
    assert report.findings[1].startswith(f"gradients {word}: hidden_{depth - 2 - k} has")


def test_the_gradient_is_that_of_z_example_by_example():
    net = nn.mlp(hidden=(3,), out=1, activation="tanh")
    params, _ = net.init(jax.random.key(0), features=2)
    x = jax.random.normal(jax.random.key(1), (5, 2))
    row = fo.check.signals(net, params, x).table[0]
    a = np.tanh(np.asarray(x) @ np.asarray(params["hidden_0"]["weight"]))
    delta = (1 - a**2) * np.asarray(params["output"]["weight"])[:, 0]  # ± 1 comes back to each output
    assert row["gradient"] == pytest.approx(np.sqrt((delta**2).sum(axis=1).mean()), rel=1e-5)
    assert row["activation"] == pytest.approx(np.sqrt((a**2).mean()), rel=1e-5)
    half = fo.check.signals(net, params, x, loss=lambda out: jnp.mean(out) / 2).table[0]
    assert half["gradient"] == pytest.approx(row["gradient"] / 2, rel=1e-5)


def test_usual_networks_are_sound_and_deep_sigmoids_are_not():
    x = jax.random.normal(jax.random.key(1), (32, 10))
    for options in ({"activation": "relu"}, {"activation": "tanh", "norm": "batch"}):
        net = nn.mlp(hidden=(32,) * 4, out=3, **options)
        params, stats = net.init(jax.random.key(0), features=10)
        assert fo.check.signals(net, params, x, stats).passed
    net = nn.mlp(hidden=(32,) * 5, out=3, activation="sigmoid")
    params, _ = net.init(jax.random.key(0), features=10)
    report = fo.check.signals(net, params, x)
    assert any(f.startswith("gradients vanish: hidden_") for f in report.findings)


def test_dead_and_saturated_units():
    net = nn.mlp(hidden=(4,), out=1)
    params, _ = net.init(jax.random.key(0), features=2)
    params["hidden_0"]["bias"] = jnp.array([-9.0, -9.0, -9.0, 9.0])
    report = fo.check.signals(net, params, jax.random.normal(jax.random.key(1), (16, 2)))
    assert report.table[0]["dead"] == 0.75
    assert report.findings == ("hidden_0: 75% of the units are dead; try leaky_relu, or a smaller lr",)
    bounded = nn.mlp(hidden=(4,), out=1, activation="tanh")
    params["hidden_0"]["bias"] = jnp.array([-9.0, 9.0, 9.0, 0.0])
    report = fo.check.signals(bounded, params, 0.1 * jnp.ones((16, 2)))
    assert report.table[0]["saturated"] == 0.75
    assert "hidden_0: 75% saturated" in report.findings[0]


def test_what_is_not_finite_is_named():
    net, params = straight(3, 0.1)
    params["hidden_1"] = {**params["hidden_1"], "weight": jnp.full((2, 2), jnp.inf)}
    report = fo.check.signals(net, params, jnp.ones((4, 2)))
    assert not report.passed and "not finite from hidden_" in report.findings[0]


def test_refusals():
    net, params = straight(3, 0.1)
    with pytest.raises(ValueError, match=r"must be a batch, shape \(m, features\), got \(2,\); .* x\[None, :\]"):
        fo.check.signals(net, params, jnp.ones(2))
    with pytest.raises(ValueError, match="`limit` must be above 1, got 1"):
        fo.check.signals(net, params, jnp.ones((1, 2)), limit=1)
    with pytest.raises(TypeError, match=r"must be from fo\.nn\.mlp or a function of \(params, x\), got int"):
        fo.check.signals(3, params, jnp.ones((1, 2)))


def test_a_function_is_taken_apart_as_the_network_is():
    """The layers of any function are its products with parameters: the same rows as those of the network itself."""
    net = nn.mlp(hidden=(8, 8, 8), out=3, activation="tanh")
    params, _ = net.init(jax.random.key(0), features=5)
    x = jax.random.normal(jax.random.key(1), (32, 5))
    one, other = (fo.check.signals(n, params, x) for n in (net, lambda p, x: net.forward(p, (), x)[0]))
    for a, b in zip(one.table, other.table, strict=True):
        assert a["layer"] == b["layer"] and a["units"] == b["units"] and b["saturated"] is None
        for column in ("activation", "gradient", "weights", "dead"):
            assert a[column] == pytest.approx(b[column], rel=1e-5)
    assert one.passed and other.passed


def test_convolutions_batches_of_any_form_and_a_vanishing_gradient():
    """By hand: a convolution, then sigmoid layers under a vmap, whose gradients vanish; each layer by its path."""
    keys = jax.random.split(jax.random.key(0), 6)
    dense = [{"w": jax.random.normal(k, (16, 16)) / 4, "b": jnp.zeros(16)} for k in keys[1:]]
    params = {"conv": {"kernel": jax.random.normal(keys[0], (3, 3, 1, 1)) / 3}, "dense": dense}

    def apply(params, x):
        z = jax.lax.conv_general_dilated(
            x, params["conv"]["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        a = jax.nn.relu(z).reshape(len(x), -1)

        def one(a):
            for layer in params["dense"]:
                a = jax.nn.sigmoid(layer["w"].T @ a + layer["b"])
            return a

        return jax.vmap(one)(a)

    x = jax.random.normal(jax.random.key(1), (7, 4, 4, 1))
    report = fo.check.signals(apply, params, x)
    assert [row["layer"] for row in report.table] == ["conv", *(f"dense.{k}" for k in range(5))]
    assert report.findings[0].startswith("gradients vanish: ") and not report.passed

    def whole(added):  # the derivative at the second layer's z, by a bias of each example
        def one(x, mine):
            layers = [params["dense"][0] | {"b": mine}, *params["dense"][1:]]
            return apply({**params, "dense": layers}, x[None])[0]

        return jnp.sum(jax.vmap(one)(x, added)) / len(x)

    g = jax.grad(whole)(jnp.zeros((7, 16)))
    row = fo.check.signals(apply, params, x, loss=lambda out: jnp.sum(out) / len(x)).table[1]
    assert row["gradient"] == pytest.approx(float(jnp.sqrt(jnp.mean(jnp.sum(jnp.square(7 * g), axis=1)))), rel=1e-4)


def test_a_function_without_layers_is_refused():
    with pytest.raises(ValueError, match="no product or convolution of examples with parameters"):
        fo.check.signals(lambda p, x: x * p["a"], {"a": jnp.ones((1, 3))}, jnp.ones((4, 3)))
    with pytest.raises(TypeError, match="one array of outputs"):
        fo.check.signals(lambda p, x: (x @ p, x), jnp.ones((3, 2)), jnp.ones((4, 3)))
    with pytest.raises(TypeError, match="or a function of"):
        fo.check.signals("mlp", {}, jnp.ones((4, 3)))
