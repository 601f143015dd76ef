"""The network as a whole: structure, numbers, keys, lanes, types, and what bad input gets."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn
from fnopt.nn.activations import TABLE

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (16, 4))


def made(**structure):
    net = nn.mlp(**{"hidden": (8, 6), "out": 3, **structure})
    return net, *net.init(KEY, features=4)


def moved(params, by=0.3):
    """Away from the start, where biases are 0 and kinks are met exactly."""
    draws = np.random.default_rng(5)
    return jax.tree.map(lambda p: np.asarray(p) + (by * draws.normal(size=p.shape)).astype(p.dtype), params)


def close(a, b, rtol=1e-5, atol=1e-6):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=rtol, atol=atol), a, b)


CASES = [*sorted(TABLE), "relu, batch", "prelu, batch"]


@lru_cache
def all_forwards():
    """Every case's parameters and what its network makes of X, in one program."""
    nets = {case: nn.mlp((8, 6), 3, *case.split(", ")) for case in CASES}
    starts = jax.jit(lambda: {case: net.init(KEY, features=4) for case, net in nets.items()})()
    params = {case: moved(start[0]) for case, start in starts.items()}

    @jax.jit
    def forward(params):
        return {c: nets[c].forward(params[c], starts[c][1], X, train=True)[0] for c in CASES}

    return params, forward(params)


@pytest.mark.parametrize("case", CASES)
def test_forward_is_the_equations_in_float64(case):
    activation, _, norm = case.partition(", ")
    params, outputs = (tree[case] for tree in all_forwards())
    exact = jax.tree.map(lambda p: np.asarray(p, np.float64), params)
    a = np.asarray(X, np.float64)
    for name in ("hidden_0", "hidden_1"):
        layer = exact[name]
        z = a @ layer["weight"]
        if norm:
            assert "bias" not in layer
            z = layer["scale"] * (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-3) + layer["shift"]
        else:
            z = z + layer["bias"]
        slope = jnp.asarray(layer["slope"], jnp.float32) if activation == "prelu" else None
        a = np.asarray(nn.activate(activation, jnp.asarray(z, jnp.float32), slope), np.float64)
    expected = a @ exact["output"]["weight"] + exact["output"]["bias"]
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 3, 2)])
def test_any_depth_and_one_example_at_a_time(hidden):
    net, params, stats = made(hidden=hidden)
    assert net.layers == tuple(f"hidden_{i}" for i in range(len(hidden)))
    out, _ = net.forward(params, stats, X)
    assert out.shape == (16, 3)
    close(jax.jit(jax.vmap(lambda x: net.forward(params, stats, x)[0]))(X), out)
    close(net.forward(params, stats, np.asarray(X, np.float64))[0], out)
    if not hidden:
        close(out, X @ params["output"]["weight"] + params["output"]["bias"][None, :])


def test_equal_structures_are_equal_values_and_cost_one_trace():
    traces = []

    @jax.jit
    def f(params):
        traces.append(1)
        return nn.mlp(hidden=[8, 6], out=3).forward(params, (), X)[0]

    a, b = nn.mlp(hidden=[8, 6], out=3), nn.mlp(hidden=(8, 6), out=3)
    assert a == b
    assert hash(a) == hash(b)
    assert a != nn.mlp(hidden=(8, 6), out=3, norm="batch")
    f(a.init(KEY, 4)[0])
    f(b.init(jax.random.key(9), 4)[0])
    assert len(traces) == 1
    static = jax.jit(lambda net, x: net.forward(*net.init(KEY, 4), x)[0], static_argnums=0)
    close(static(a, X), a.forward(*a.init(KEY, 4), X)[0])


@pytest.mark.parametrize(
    ("structure", "features", "parameters"),
    [
        ({"hidden": (64,), "out": 10}, 100, 7114),
        ({"hidden": (50,), "out": 1}, 10, 601),
        ({"hidden": (), "out": 3}, 4, 15),
        ({"hidden": (8, 6), "out": 3, "norm": "batch"}, 4, 32 + 16 + 48 + 12 + 21),
        ({"hidden": (8,), "out": 1, "activation": "prelu"}, 4, 32 + 8 + 8 + 9),
    ],
)
def test_how_many_parameters(structure, features, parameters):
    net = nn.mlp(**structure)
    assert net.size(features) == parameters
    assert sum(p.size for p in jax.tree.leaves(net.init(KEY, features)[0])) == parameters


def test_initial_weights_by_layer_and_prefix():
    _, params, _ = made(hidden=(20, 20))
    _, wide, _ = made(hidden=(32, 20))
    np.testing.assert_array_equal(params["hidden_0"]["weight"], wide["hidden_0"]["weight"][:, :20])
    close(params["hidden_1"]["weight"], wide["hidden_1"]["weight"][:20] * np.sqrt(32 / 20), rtol=1e-5)
    assert not np.allclose(params["hidden_1"]["weight"][:4, :], params["hidden_0"]["weight"] * np.sqrt(4 / 20))
    assert not bool(params["hidden_0"]["bias"].any())


# Every number of the network: its structure, three values.
NUMBERS = {
    "dropout": ({}, [0.0, 0.4, 1.0]),
    "slope": ({"activation": "leaky_relu"}, [0.0, 0.1, 1.0]),
    "slope of elu": ({"activation": "elu"}, [0.0, 0.5, 2.0]),
    "norm_decay": ({"norm": "batch"}, [0.0, 0.5, 0.99]),
    "norm_eps": ({"norm": "batch"}, [1e-5, 1e-3, 0.1]),
    "norm_unbiased": ({"norm": "batch"}, [0.0, 0.5, 1.0]),
    "norm_bias_correction": ({"norm": "batch"}, [0.0, 0.5, 1.0]),
    "norm_start": ({"norm": "batch"}, [0.5, 1.0, 2.0]),
}


@pytest.mark.parametrize("number", NUMBERS)
def test_each_number_vmapped_is_a_loop_and_one_trace_with_finite_gradients(number):
    structure, values = NUMBERS[number]
    net, params, stats = made(**structure)
    name, traces = number.split()[0], []

    def cost(params, x):
        traces.append(1)
        given = {name: x}
        out, new = net.forward(params, stats, X, key=KEY, train=True, **given)
        given.pop("dropout", None)
        if number in ("norm_decay", "norm_start"):
            given["norm_bias_correction"] = 0.5  # wholly corrected, one batch says the same at any decay and start
        later, _ = net.forward(params, new, X, **given)
        return jnp.square(out).mean() + jnp.square(later).mean()

    step = jax.jit(jax.value_and_grad(cost, argnums=(0, 1)))
    loop = [step(params, jnp.float32(x)) for x in values]
    assert len(traces) == 1
    lanes = jax.vmap(step, in_axes=(None, 0))(params, jnp.array(values))
    close(lanes, jax.tree.map(lambda *a: jnp.stack(a), *loop), rtol=1e-3, atol=1e-4)
    assert all(bool(jnp.isfinite(a).all()) for a in jax.tree.leaves(lanes))
    assert number == "dropout" or len({round(float(v), 5) for v in lanes[0]}) == 3


def test_lanes_of_dropout_share_one_draw_a_layer():
    net, params, stats = made()

    def f(params, rate):
        return net.forward(params, stats, X, dropout=rate, key=KEY, train=True)[0]

    lanes = jax.tree.map(lambda p: jnp.stack([p] * 3), params)
    program = jax.make_jaxpr(jax.vmap(f))(lanes, jnp.array([0.1, 0.2, 0.3]))
    shapes = [e.outvars[0].aval.shape for e in program.jaxpr.eqns if e.primitive.name == "random_bits"]
    assert shapes == [(8, 8), (8, 6)]  # a word for two of 16 examples, no axis of lanes


def test_dropout_is_in_training_alone_and_none_costs_nothing():
    net, params, stats = made()
    plain, _ = net.forward(params, stats, X)
    np.testing.assert_array_equal(net.forward(params, stats, X, dropout=0.9)[0], plain)
    np.testing.assert_array_equal(net.forward(params, stats, X, dropout=0.0, key=KEY, train=True)[0], plain)
    assert not np.allclose(net.forward(params, stats, X, dropout=0.5, key=KEY, train=True)[0], plain)
    program = str(jax.make_jaxpr(lambda p: net.forward(p, stats, X, key=KEY, train=True)[0])(params))
    assert "random" not in program


def test_a_rate_for_each_layer_and_never_on_the_output():
    net, params, stats = made()

    def out(*rates):
        return net.forward(params, stats, X, dropout=rates, key=KEY, train=True)[0]

    bias = jnp.broadcast_to(params["output"]["bias"], (16, 3))
    params["output"]["bias"] = params["output"]["bias"] + 1
    np.testing.assert_array_equal(out(0.0, 1.0), bias + 1)  # all units gone: the output's own bias alone
    np.testing.assert_array_equal(out(None, 0.0), net.forward(params, stats, X)[0])
    np.testing.assert_array_equal(out(0.3, None), out(0.3, 0.0))
    assert not np.allclose(out(0.3, 0.0), out(0.0, 0.3))
    assert not np.allclose(out(0.3, 0.3), out(0.3, 0.0))


def test_two_layers_of_one_width_drop_different_units():
    net = nn.mlp(hidden=(64, 64), out=64, activation="identity")
    params, stats = net.init(KEY, features=64)
    params = jax.tree.map(lambda p: jnp.eye(64) if p.ndim == 2 else p, params)
    out = np.asarray(net.forward(params, stats, jnp.ones((50, 64)), dropout=0.5, key=KEY, train=True)[0])
    assert set(np.unique(out)) == {0.0, 4.0}
    assert (out > 0).mean() == pytest.approx(0.25, abs=0.03)  # a mask used twice would keep a half


def test_batch_norm_in_the_network_padding_and_evaluation():
    net, params, stats = made(norm="batch")
    forward = jax.jit(net.forward, static_argnames="train")
    out, new = forward(params, stats, X, train=True)
    padded = jnp.concatenate([X, 100 * jnp.ones((5, 4))])
    weight = jnp.concatenate([jnp.ones(16), jnp.zeros(5)])
    padded_out, padded_new = forward(params, stats, padded, train=True, weight=weight)
    close(padded_out[:16], out)
    close(padded_new, new)
    # one batch seen, averages corrected for their start: evaluation on it is training on it
    close(forward(params, new, X)[0], out, rtol=1e-3, atol=1e-4)
    assert net.forward(params, new, X)[1] is new


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("norm", [None, "batch"])
@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_dtypes_of_parameters_gradients_and_stats(dtype, norm, activation):
    net = nn.mlp(hidden=(8, 6), out=3, dtype=dtype, norm=norm, activation=activation)
    params, stats = jax.eval_shape(lambda: net.init(KEY, features=4))
    assert {p.dtype for p in jax.tree.leaves(params)} == {jnp.dtype(dtype)}

    def cost(params, stats):
        out, new = net.forward(params, stats, X, dropout=0.5, key=KEY, train=True)
        assert out.dtype == jnp.float32
        return jnp.square(out).mean(), new

    gradients, new = jax.eval_shape(jax.grad(cost, has_aux=True), params, stats)
    assert {g.dtype for g in jax.tree.leaves(gradients)} == {jnp.dtype(dtype)}
    kinds = [[(s.shape, s.dtype) for s in jax.tree.leaves(tree)] for tree in (stats, new)]
    assert kinds[0] == kinds[1]
    assert all(dtype == jnp.float32 for _, dtype in kinds[0])


@pytest.mark.usefixtures("x64")
def test_float64_all_through():
    net = nn.mlp(hidden=(4,), norm="batch")
    params, stats = jax.eval_shape(lambda: net.init(KEY, features=4))
    out, new = jax.eval_shape(lambda p, s: net.forward(p, s, X, dropout=0.5, key=KEY, train=True), params, stats)
    assert {a.dtype for a in jax.tree.leaves((params, stats, new, out))} == {jnp.dtype("float64")}


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("norm", [None, "batch"])
@pytest.mark.parametrize("activation", ["relu", "prelu", "tanh"])
def test_gradient_is_the_two_sided_difference(activation, norm):
    net = nn.mlp(hidden=(5, 4), out=2, activation=activation, norm=norm)
    params, stats = jax.tree.map(lambda p: np.ones(p.shape), jax.eval_shape(lambda: net.init(KEY, features=4)))
    params = moved(params, by=1.0)
    x = np.asarray(X, np.float64)

    @jax.jit
    @jax.value_and_grad
    def cost(params):
        return jnp.square(net.forward(params, stats, x, dropout=0.3, key=KEY, train=True)[0] - 1).mean()

    _, gradient = cost(params)
    for name, layer in params.items():
        for part, values in layer.items():
            place = (0,) * values.ndim
            step = np.zeros_like(values)
            step[place] = 1e-6
            up, down = (cost({**params, name: {**layer, part: v}})[0] for v in (values + step, values - step))
            assert float(gradient[name][part][place]) == pytest.approx(float(up - down) / 2e-6, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_error_of_the_output_is_prediction_less_truth(output):
    # dz = ŷ − y with labels that sum to 1 (softmax) or any in [0, 1] (sigmoid); else ŷ Σ y − y
    net, params, stats = made(output=output)
    logits, _ = nn.mlp(hidden=(8, 6), out=3).forward(params, stats, X)
    predicted, _ = net.forward(params, stats, X)
    y = np.random.default_rng(8).dirichlet(np.ones(3), 16).astype(np.float32)

    @jax.jit
    @jax.grad
    def error(z, y):
        if output == "softmax":
            return -(y * jnp.log(nn.softmax(z))).sum()
        return -(y * jnp.log(nn.sigmoid(z)) + (1 - y) * jnp.log(1 - nn.sigmoid(z))).sum()

    close(error(logits, y), predicted - y, rtol=1e-4, atol=1e-5)
    more = np.float32(1.7) * y
    close(error(logits, more), (1.7 if output == "softmax" else 1.0) * predicted - more, rtol=1e-4, atol=1e-5)


def test_activations_of_each_layer():
    net, params, stats = made(activation="relu")
    signals = net.activations(params, stats, X)
    assert list(signals) == ["hidden_0", "hidden_1", "output"]
    close(signals["hidden_0"], jnp.maximum(X @ params["hidden_0"]["weight"], 0))
    np.testing.assert_array_equal(signals["output"], net.forward(params, stats, X)[0])


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ({"hidden": (8, 0)}, "`hidden` must be an integer of at least 1, got 0"),
        ({"hidden": (2.5,)}, "`hidden` must be an integer of at least 1, got 2.5"),
        ({"out": -1}, "`out` must be an integer of at least 1, got -1"),
        ({"activation": "rellu"}, "unknown activation 'rellu'; did you mean 'relu'"),
        ({"norm": "batc"}, "unknown norm 'batc'; did you mean 'batch'"),
        ({"init": "glorod"}, "unknown init 'glorod'; did you mean 'glorot'"),
        ({"output": "sofmax"}, "unknown output 'sofmax'; did you mean 'softmax'"),
        ({"dtype": "int32"}, "`dtype` must be a floating type such as 'float32', got 'int32'"),
    ],
)
def test_structures_that_cannot_be(structure, message):
    with pytest.raises(ValueError, match=message):
        nn.mlp(**structure)


@pytest.mark.parametrize(
    ("structure", "options", "message"),
    [
        ({}, {"dropout": 0.5}, "needs a key"),
        ({}, {"dropout": (0.5,), "key": KEY}, "one for each of 2 hidden layers, got 1"),
        ({}, {"dropout": 1.5, "key": KEY}, r"`dropout` must be in \[0, 1\], got 1.5"),
        ({}, {"slope": 0.1}, "`slope` means nothing here: leave it out, or take activation='leaky_relu'"),
        ({"activation": "prelu"}, {"slope": 0.1}, "`slope` means nothing here"),
        ({}, {"norm_decay": 0.9}, "`norm_decay` means nothing here: leave it out, or take norm='batch'"),
        ({"norm": "batch"}, {"stats": ()}, "stats must be those of `init` or of the last step"),
        ({"norm": "batch"}, {"x": X[0]}, r"write x\[None, :\]"),
        ({}, {"x": X[:, :3]}, r"expected 4 features in the last axis of x, got 3 \(shape \(16, 3\)\)"),
        ({}, {"x": jnp.ones(())}, "expected 4 features in the last axis of x, got a single number"),
        ({}, {"params": {"output": {}}}, "params must be those of this network:\n  expected .*hidden_0"),
        ({}, {"params": [1]}, "params must be the dict that `init` gives, got list"),
    ],
)
def test_calls_that_cannot_be(structure, options, message):
    net, params, stats = made(**structure)
    given = {"params": params, "stats": stats, "x": X, "train": True, **options}
    with pytest.raises(ValueError, match=message):
        net.forward(**given)


def test_no_features():
    with pytest.raises(ValueError, match="`features` must be an integer of at least 1, got 0"):
        nn.mlp().init(KEY, features=0)
