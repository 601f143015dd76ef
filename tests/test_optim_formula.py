"""Every optimizer against its formula in float64 NumPy, on gradients derived by hand."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import TREEWISE
from optim_formulas import DEFAULTS, FORMULAS
from optim_problem import START, gradients, loss

import fnopt.optim
from fnopt.optim._safe import one_minus_power, ratio, root
from fnopt.optim.radam import mean_age

STEPS = 300


class Falling(NamedTuple):
    """A schedule as small as can be."""

    value: float
    rate: float

    def __call__(self, step):
        return self.value / (1 + self.rate * jnp.asarray(step, jnp.result_type(float)))


# Rates at which a trajectory does not magnify a rounding error: near an optimum RMSProp and Adadelta magnify it a
# millionfold at larger ones, by the formula itself. Given gradients, further down, have no such bound. Lion's and
# Rprop's are such that no sign falls within rounding of 0, which would send two trajectories different ways.
CASES = [
    ("sgd", {"lr": 0.05}),
    ("sgd", {"lr": Falling(0.3, 0.05)}),
    ("momentum", {"lr": 0.1}),
    ("momentum", {"lr": 0.02, "dampening": 0.0}),
    ("momentum", {"lr": 0.05, "beta": 0.8, "dampening": 0.3, "first_dampening": 0.0}),
    ("momentum", {"lr": Falling(0.2, 0.1), "lr_inside": 1.0}),
    ("momentum", {"lr": Falling(0.2, 0.1), "lr_inside": 0.25}),
    ("nesterov", {"lr": 0.02}),
    ("rmsprop", {"lr": 0.0001}),
    ("rmsprop", {"lr": 0.003, "beta": 0.99, "eps": 1e-3, "eps_root": 0.0}),
    ("adam", {"lr": 0.01}),
    ("adam", {"lr": 0.01, "b1": 0.8, "b2": 0.99, "eps": 0.0, "eps_root": 1e-3}),
    ("adam", {"lr": 0.01, "eps": 1e-2, "eps_correction": 1.0}),
    ("adam", {"lr": Falling(0.05, 0.1), "b1": Falling(0.95, 0.01)}),
    ("adamw", {"lr": 0.01, "weight_decay": 0.1}),
    ("adam", {"lr": 0.01, "bias_correction": 0.0, "eps": 1e-3}),
    ("adagrad", {"lr": 0.05}),
    ("adagrad", {"lr": 0.05, "eps": 1e-2, "eps_root": 0.1}),
    ("adadelta", {"lr": 0.1}),
    ("adadelta", {"lr": 0.03, "beta": 0.95, "eps_root": 1e-4}),
    ("rmsprop_centred", {"lr": 0.001, "eps_root": 1e-2}),
    ("rmsprop_centred", {"lr": Falling(0.001, 0.1), "beta": 0.99, "centred": 0.5, "momentum": 0.8, "lr_inside": 1.0}),
    (
        "rmsprop_centred",
        {"lr": 0.001, "centred": 0.8, "momentum": 0.5, "eps": 0.1, "eps_root": 1e-3, "bias_correction": 1.0},
    ),
    ("amsgrad", {"lr": 0.01}),
    ("amsgrad", {"lr": 0.01, "corrected_maximum": 1.0}),
    ("amsgrad", {"lr": Falling(0.05, 0.1), "corrected_maximum": 0.4, "bias_correction": 0.5, "b2": 0.9, "eps": 1e-2}),
    ("nadam", {"lr": 0.01}),
    ("nadam", {"lr": 0.01, "momentum_decay": 4e-3}),
    ("nadam", {"lr": Falling(0.02, 0.1), "b1": 0.8, "b2": 0.99, "eps_root": 1e-3, "momentum_decay": 1.0}),
    ("radam", {"lr": 0.01}),
    ("radam", {"lr": 0.01, "b2": 0.98, "eps": 1e-2, "eps_correction": 1.0, "threshold": 4.0}),
    ("radam", {"lr": 0.01, "b2": 0.5, "threshold": 4.0}),
    ("radam", {"lr": Falling(0.003, 0.1), "b2": 1 - 2**-13, "eps_root": 1e-3, "threshold": 50.0}),  # exact in float32
    ("adamax", {"lr": 0.01}),
    ("adamax", {"lr": 0.01, "b1": 0.8, "b2": 0.9, "eps": 1e-2}),
    ("adabelief", {"lr": 0.001}),
    ("adabelief", {"lr": 0.01, "b2": 0.9, "eps": 1e-2, "eps_root": 1e-4}),
    ("yogi", {"lr": 0.01}),
    ("yogi", {"lr": 0.001, "b2": 0.99, "eps_root": 1e-3, "bias_correction": 0.0, "initial": 0.1}),
    ("lion", {"lr": 1e-4}),
    ("lion", {"lr": 2e-4, "b1": 0.8, "b2": 0.95, "weight_decay": 0.1}),
    ("lamb", {"lr": 0.003}),
    ("lamb", {"lr": 0.003, "eps": 1e-2, "bias_correction": 0.0, "weight_decay": 0.1}),
    ("lars", {"lr": Falling(1.0, 0.1)}),
    ("lars", {"lr": 1.0, "weight_decay": 0.1, "trust_coefficient": 0.01, "beta": 0.5, "eps": 0.1}),
    ("lars", {"lr": Falling(1.0, 0.1), "weight_decay": 0.1, "norm_of_sum": 0.7}),
    ("rprop", {"lr": 0.01, "min_step": 1e-2}),
    ("rprop", {"lr": 0.03, "eta_plus": 1.1, "eta_minus": 0.7, "min_step": 0.02, "max_step": 0.05}),
]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]


def by_formula(name, numbers):
    """The end, and the least margin of whatever sign decided a step."""
    p, memory = dict(START), {k: {} for k in START}
    for t in range(1, STEPS + 1):
        h = {**DEFAULTS[name], **numbers}
        h = {k: v.value / (1 + v.rate * (t - 1)) if isinstance(v, Falling) else v for k, v in h.items()}
        g = gradients(p)
        p = {k: FORMULAS[name](p[k], g[k], memory[k], h, t) for k in p}
    return p, min(m.get("margin", np.inf) for m in memory.values())


def by_package(name, numbers, dtype):
    optimizer = fnopt.optim.by_name(name)
    state = optimizer.init({k: jnp.asarray(v, dtype) for k, v in START.items()}, **numbers)

    def step(state, _):
        return optimizer.update(state, jax.grad(loss)(state.params)), None

    return jax.jit(lambda s: jax.lax.scan(step, s, None, length=STEPS)[0])(state)


def furthest(name, numbers, dtype):
    state = by_package(name, numbers, dtype)
    assert int(state.step) == STEPS
    (want, margin), got = by_formula(name, numbers), state.params
    # Where steps hang on a sign, two trajectories can be compared only if rounding decides none.
    assert margin > 10 * jnp.finfo(dtype).eps
    return max(np.linalg.norm(np.asarray(got[k], np.float64) - want[k]) / np.linalg.norm(want[k]) for k in want)


def on_given_gradients(name, numbers, grads):
    """As many steps by the formula and by the package, over gradients that do not depend on where the steps lead."""
    p, memory = np.ones(grads.shape[1]), {}
    for t, g in enumerate(np.asarray(grads, np.float64), 1):
        p = FORMULAS[name](p, g, memory, {**DEFAULTS[name], **numbers}, t)
    optimizer = fnopt.optim.by_name(name)
    state = optimizer.init(jnp.ones(grads.shape[1], grads.dtype), **numbers)
    state, _ = jax.lax.scan(lambda s, g: (optimizer.update(s, g), None), state, jnp.asarray(grads))
    return np.linalg.norm(np.asarray(state.params, np.float64) - p) / np.linalg.norm(p)


def wild(dtype):
    """Gradients of all sizes, from 1e-6 to 1e3."""
    rng = np.random.default_rng(7)
    return (rng.normal(size=(STEPS, 8)) * 10 ** rng.uniform(-6, 3, size=(STEPS, 8))).astype(dtype)


def test_every_optimizer_has_a_formula():
    assert {name for name, _ in CASES} == set(FORMULAS) == set(DEFAULTS) == set(fnopt.optim.NAMES) - set(TREEWISE)


@pytest.mark.holds("formula")
@pytest.mark.parametrize(("name", "numbers"), CASES, ids=IDS)
def test_formula_in_float64(name, numbers, x64):
    assert furthest(name, numbers, jnp.float64) <= 1e-10


@pytest.mark.holds("formula")
@pytest.mark.parametrize(("name", "numbers"), CASES, ids=IDS)
def test_formula_in_float32(name, numbers):
    assert furthest(name, numbers, jnp.float32) <= 1e-5


@pytest.mark.parametrize("name", FORMULAS)
def test_defaults_on_given_gradients(name, x64):
    numbers = {} if "lr" in DEFAULTS[name] else {"lr": 0.01}
    assert on_given_gradients(name, numbers, wild(np.float64)) <= 1e-10
    assert on_given_gradients(name, numbers, wild(np.float32)) <= 1e-5


@pytest.mark.parametrize("b", [0.0, 0.3, 0.5, 0.9, 0.999, 0.99999, 1 - 2**-24])
@pytest.mark.parametrize("t", [1, 2, 10, 1000, 10**6])
def test_correction_keeps_its_digits_in_float32(b, t):
    want = -np.expm1(t * np.log(np.float64(np.float32(b)))) if b else 1.0
    assert float(one_minus_power(jnp.float32(b), jnp.float32(t))) == pytest.approx(want, rel=5e-7)


@pytest.mark.parametrize("b", [0.0, 0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("t", [1.0, 2.0, 7.0])
def test_correction_has_the_right_slope(b, t):
    assert float(jax.grad(one_minus_power)(b, t)) == pytest.approx(-t * b ** (t - 1), rel=1e-5)


@pytest.mark.parametrize("b", [0.0, 0.3, 0.9, 0.99, 0.999, 0.9999, 1 - 2**-20])
def test_mean_age_keeps_its_digits_in_float32(b):
    """Where the two large numbers of the plain form agree in all but their last digits, too."""
    b = np.float32(b)
    for t in (1, 2, 5, 6, 20, 600, 5000):
        weights = np.float64(b) ** np.arange(t)
        want = np.sum(np.arange(t) * weights) / np.sum(weights)
        got = mean_age(jnp.float32(b), jnp.float32(t), one_minus_power(jnp.float32(b), jnp.float32(t)))
        assert float(got) == pytest.approx(want, rel=3e-6)


@pytest.mark.parametrize("b2", [0.99, 0.999, 0.9999, 0.99999])
def test_radam_switches_at_the_sixth_step(b2):
    """ρ is near t then, a little below: 4.9996 at t = 5 and b2 = 0.9999, where float32 hits 5 by the plain form."""
    state, moved = fnopt.optim.radam.init(jnp.zeros(()), lr=1.0, b1=0.0, b2=b2), []
    for _ in range(7):
        before, state = state.params, fnopt.optim.radam.update(state, jnp.float32(100.0))
        moved.append(float(before - state.params))
    assert moved[:5] == [100.0] * 5
    assert max(moved[5:]) < 1


def test_root_and_ratio_at_the_edges():
    assert float(root(jnp.float32(0))) == 0 == float(jax.grad(root)(0.0))
    assert float(jax.grad(root)(4.0)) == 0.25
    assert np.isnan(float(root(jnp.float32(jnp.nan))))
    assert float(ratio(jnp.float32(1), jnp.float32(0))) == 0
    assert [float(x) for x in jax.grad(ratio, (0, 1))(1.0, 0.0)] == [0, 0]
    assert np.isnan(float(ratio(jnp.float32(1), jnp.float32(jnp.nan))))


@pytest.mark.parametrize("derive", [jax.jacfwd, jax.jacrev])
def test_ratio_of_tiny_numbers_has_finite_slopes(derive):
    """b² would be 0 in float32; the slopes of a/b are 1/b and −a/b² = −1/b here."""
    tiny = jnp.float32(1e-30)
    np.testing.assert_allclose(derive(ratio, argnums=(0, 1))(tiny, tiny), (1e30, -1e30), rtol=1e-6)


@pytest.mark.parametrize("name", ["adam", "adamw", "lamb", "nadam", "adagrad", "adafactor"])
def test_an_entry_at_its_minimum_keeps_hypergradients_finite(name):
    """Each step would multiply its slope by lr/eps in reverse mode, and overflow meets a 0."""
    optimizer = fnopt.optim.by_name(name)

    def end(lr):
        state = optimizer.init(jnp.array([0.5, 1.0]), lr=lr)
        state = jax.lax.fori_loop(0, 12, lambda _, s: optimizer.update(s, 2 * (s.params - 0.5)), state)
        return jnp.sum(jnp.square(state.params - 0.5))

    forward, reverse = jax.jacfwd(end)(0.01), jax.jacrev(end)(0.01)
    assert np.isfinite(reverse)
    assert float(reverse) == pytest.approx(float(forward), rel=1e-4)
