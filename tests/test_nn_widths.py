"""Width as a number: a network inside a wider one starts, drops, computes and learns as it does alone."""

from dataclasses import replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn, optim
from fnopt._types import Batch
from fnopt.model import classifier
from fnopt.model.widths import Trim, bucket, bucketed
from fnopt.nn.activations import TABLE
from fnopt.nn.dropout import _draws
from fnopt.nn.initializers import NAMES
from fnopt.nn.masks import mask, real

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (12, 4))
WIDTHS, ROOM = (20, 5), (32, 8)
TRIM = Trim(WIDTHS)


def nets(**structure):
    """The true network and the one with room."""
    return tuple(nn.mlp(hidden, 3, **structure) for hidden in (WIDTHS, ROOM))


def same_bits(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def close(a, b, tolerance=1e-6):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance), a, b)


def padding_is_zero(params, widths=WIDTHS):
    """What is left of the sum of |p| once the true part is taken off, leaf by leaf."""
    real = Trim(widths)(params, ())[0]
    for whole, part in zip(jax.tree.leaves(params), jax.tree.leaves(real), strict=True):
        assert np.count_nonzero(whole) == np.count_nonzero(part)


# ---- the start ------------------------------------------------------------------------------------------------------

INITS = [name for name in NAMES if name != "orthogonal"]
START = dict(norm="batch", activation="prelu")


@lru_cache
def all_starts():
    """Every initialization alone, and under vmap over keys and widths, each in one program."""

    def starts(which, key, units=None):
        return {name: nets(init=name, **START)[which].init(key, 4, units) for name in INITS}

    units = (jnp.array([7.0, 20.0, 32.0]), jnp.array([8, 5, 1]))
    lanes = jax.jit(jax.vmap(lambda key, units: starts(1, key, units)))(jnp.stack([KEY] * 3), units)
    return jax.jit(lambda key: starts(0, key))(KEY), lanes


@pytest.mark.parametrize("name", INITS)
def test_the_real_units_start_with_the_bits_of_the_true_network(name):
    alone, lanes = (starts[name] for starts in all_starts())
    wide = jax.tree.map(lambda a: a[1], lanes)
    same_bits(TRIM(*wide), alone)
    padding_is_zero(wide[0])


@pytest.mark.parametrize(("name", "dtype"), [("he", "float32"), ("glorot_uniform", "bfloat16"), ("lecun", "float64")])
def test_the_same_step_by_step_and_in_other_types(name, dtype):
    with jax.enable_x64(dtype == "float64"):
        narrow, wide = nn.mlp(20, init=name, dtype=dtype), nn.mlp(32, init=name, dtype=dtype)
        same_bits(Trim((20,))(*wide.init(KEY, 4, 20)), narrow.init(KEY, 4))


def test_all_of_a_layer_is_the_network_without_masks():
    net = nn.mlp((8, 8), **START)
    params, stats = start = net.init(KEY, 4)
    same_bits(net.init(KEY, 4, units=(None, 8)), start)
    same_bits(net.init(KEY, 4, units=8), start)
    close(net.forward(params, stats, X, units=(None, 8)), net.forward(params, stats, X))


@pytest.mark.parametrize("rows", [1, 7])
def test_a_unit_is_dropped_alike_whatever_the_width(rows):
    wide = np.asarray(jax.jit(_draws, static_argnums=1)(KEY, (rows, 33)))
    assert wide.shape == (rows, 33)
    assert wide.dtype == np.uint32
    for n in (1, 20):
        np.testing.assert_array_equal(_draws(KEY, (rows, n)), wide[:, :n])


# ---- the forward pass -----------------------------------------------------------------------------------------------

CASES = [(activation, norm) for norm in (None, "batch") for activation in sorted(TABLE)]


@lru_cache
def all_passes():
    """Cost, gradient, stats and activations of every case, alone and with room, each in one program."""
    target = jnp.cos(3 * X[:, :3])

    def one(net, params, stats, units):
        def cost(params):
            out, new = net.forward(params, stats, X, train=True, units=units)
            layers = net.activations(params, new, X, units=units)
            return jnp.square(out - target).mean() + jnp.square(layers["output"] - target).mean(), (new, layers)

        return jax.value_and_grad(cost, has_aux=True)(params)

    def everything(which, units=None):
        passes = []
        for norm in (None, "batch"):
            start, stats = nets(norm=norm, activation="prelu")[which].init(KEY, 4, units)
            for activation in sorted(TABLE):
                kept = {
                    k: {p: w for p, w in v.items() if p != "slope" or activation == "prelu"} for k, v in start.items()
                }
                passes.append(one(nets(norm=norm, activation=activation)[which], kept, stats, units))
        return passes

    small, big = jax.jit(lambda: everything(0))(), jax.jit(lambda *units: everything(1, units))(*WIDTHS)
    return dict(zip(CASES, zip(small, big, strict=True), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_outputs_gradients_and_stats_are_those_of_the_true_network(case):
    small, big = all_passes()[case]
    ((cost, (stats, layers)), gradient) = big
    assert all(bool(jnp.isfinite(a).all()) for a in jax.tree.leaves(big))
    padding_is_zero(gradient)
    gradient, stats = TRIM(gradient, stats)
    for name, width in zip(("hidden_0", "hidden_1"), WIDTHS, strict=True):
        assert not bool(layers[name][:, width:].any())
        layers[name] = layers[name][:, :width]
    # 1 / √(σ² + eps) of a unit that is nearly constant makes more of a rounding error
    close(((cost, (stats, layers)), gradient), small, 2e-5 if case[1] else 1e-6)


def test_what_stands_in_the_padding_stays_there():
    assert mask(jnp.array([[1.0, jnp.nan, jnp.inf]]), real("units", 1, 3)).tolist() == [[1.0, 0.0, 0.0]]
    slope = jax.grad(lambda z: mask(jnp.sqrt(z), real("units", 1, 2)).sum())(jnp.array([4.0, 1.0]))
    assert slope.tolist() == [0.25, 0.0]


def test_no_units_cost_nothing():
    net, _ = nets(norm="batch")
    params, stats = net.init(KEY, 4)
    plain = jax.make_jaxpr(lambda p: net.forward(p, stats, X)[0])(params)
    assert "iota" not in str(plain)


# ---- training -------------------------------------------------------------------------------------------------------

NUMBERS = {"dropout": 0.2, "l2": 1e-3, "max_norm": 3.0, "label_smoothing": 0.1}
BATCH = Batch(X, jnp.arange(12) % 3, jnp.ones(12))


def trial_of(**structure):
    return classifier(**structure, **NUMBERS).bind({}, features=4, outputs=3, metrics=())[0]


def slope(trial, params, stats, numbers, step):
    """The gradient of the penalized cost, and the stats."""

    def cost(params):
        losses, new = trial.loss(params, stats, BATCH, numbers, jax.random.fold_in(KEY, step), True)
        return losses.mean() + trial.penalty(params, numbers), new

    return jax.grad(cost, has_aux=True)(params)


@lru_cache
def programs(which):
    """A trial's start, its gradient and its projection, and its numbers: alone, or in the bucket."""
    trial, numbers = trial_of(hidden=WIDTHS, activation="prelu", norm="batch"), NUMBERS
    if which:
        trial, units, _ = bucketed(trial, 32)
        numbers = numbers | units
    start = jax.jit(lambda: trial.init(KEY, BATCH, numbers))()
    return start, jax.jit(partial(slope, trial)), jax.jit(trial.project), numbers


def trained(which, optimizer):
    """Parameters and stats after one step and after 50."""
    (params, stats), gradient, project, numbers = programs(which)
    state, update, kept = optimizer.init(params, lr=1e-3), jax.jit(optimizer.update), []
    for step in range(50):
        grads, stats = gradient(state.params, stats, numbers, step)
        state = update(state, grads)
        state = state._replace(params=project(state.params, numbers, 1e-3))
        kept.append((state.params, stats))
    return kept[0], kept[-1]


EACH = [name for name in optim.NAMES if optim.TABLE[name].elementwise]
USUAL = ("sgd", "momentum", "rmsprop", "adam")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in USUAL else pytest.mark.slow) for n in EACH])
def test_training_is_that_of_the_true_network(name):
    alone, wide = (trained(which, optim.TABLE[name]) for which in (0, 1))
    assert not np.allclose(alone[0][0]["output"]["weight"], alone[1][0]["output"]["weight"], rtol=1e-4)
    for one, other, tolerance in zip(alone, wide, (1e-6, 1e-5), strict=True):
        assert all(bool(jnp.isfinite(a).all()) for a in jax.tree.leaves(other))
        padding_is_zero(other[0])
        close(TRIM(*other), one, tolerance)


def test_many_widths_are_one_program_and_each_as_alone():
    wide, traces = bucketed(trial_of(hidden=24)).trial, []

    def run(units):
        traces.append(1)
        numbers = NUMBERS | {"units_0": units}
        params, stats = wide.init(KEY, BATCH, numbers)
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, slope(wide, params, stats, numbers, 0)[0])

    widths = jnp.array([20.0, 24.0, 1.0, 9.0])
    lanes = jax.jit(jax.vmap(run))(widths)
    one = jax.jit(run)
    del traces[:]
    for lane, units in enumerate(widths):
        mine = jax.tree.map(lambda a, lane=lane: a[lane], lanes)
        close(mine, one(units))
        padding_is_zero(mine, (int(units),))
    assert len(traces) == 1


# ---- buckets --------------------------------------------------------------------------------------------------------


def test_buckets():
    sizes = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
    assert [bucket(n) for n in range(1, 513)] == [next(s for s in sizes if s >= n) for n in range(1, 513)]


def test_trials_of_one_bucket_are_one_trial():
    trials = [trial_of(hidden=hidden) for hidden in ((20, 5), (17, 8), (24, 1), (24, 9))]
    a, b, c, other = (bucketed(trial) for trial in trials)
    assert a.trial == b.trial == c.trial != other.trial
    assert hash(a.trial) == hash(b.trial)
    assert trials[0] == trial_of(hidden=(20, 5)) != trials[1]
    assert a.units == {"units_0": 20.0, "units_1": 5.0}
    assert a.trial.numbers == (*trials[0].numbers, "units_0", "units_1")
    wide = a.trial.init(KEY, BATCH, a.units)
    same_bits(a.trim(*wide), trials[0].init(KEY, BATCH, {}))
    close(a.trial.predict(*wide, X, a.units), trials[0].predict(*a.trim(*wide), X, {}))
    lanes = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), wide)
    assert jax.tree.map(lambda leaf: leaf[0].shape, a.trim(*lanes)) == jax.tree.map(jnp.shape, a.trim(*wide))


def test_trials_that_stay_as_they_are():
    plain = trial_of(hidden=8)
    own = replace(optim.sgd, name="own")
    for trial in (
        classifier(hidden=()).bind({}, features=4, outputs=3, metrics=())[0],
        trial_of(hidden=8, init="orthogonal"),
        replace(plain, optimizer=own),
        replace(plain, init=lambda key, example, hyper: plain.init(key, example, hyper)),
        replace(plain, penalty=lambda params, hyper: 0.0),
        replace(plain, project=lambda params, hyper, lr: params),
        replace(plain, predict=trial_of(hidden=9).predict),
        bucketed(plain).trial,
    ):
        assert bucketed(trial) is None


# ---- what cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("structure", "units", "message"),
    [
        ({}, (20,), "`units` must be one number, or one for each of 2 hidden layers, got 1"),
        ({}, (33, 8), r"`units` must be in \(0, 32\], got 33"),
        ({}, (20, 0), r"`units` must be in \(0, 8\], got 0"),
        ({"init": "orthogonal"}, (20, 8), "init 'orthogonal' works on whole layers and cannot leave units out"),
    ],
)
def test_units_that_cannot_be(structure, units, message):
    _, net = nets(**structure)
    with pytest.raises(ValueError, match=message):
        net.init(KEY, 4, units)
    if not structure:
        with pytest.raises(ValueError, match=message):
            net.forward(*net.init(KEY, 4), X, units=units)


def test_traced_units_out_of_range_are_nan():
    net = nn.mlp((32, 8), activation="tanh")

    @jax.jit
    def both(units):
        params, stats = net.init(KEY, 4)
        weight = net.init(KEY, 4, (units, 8))[0]["hidden_0"]["weight"]
        return weight, net.forward(params, stats, X, units=(units, 8))[0]

    for units, bad in ((33.0, True), (0.0, True), (32.0, False)):
        assert all(bool(jnp.isnan(a).all()) == bad for a in both(units))
