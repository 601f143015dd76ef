"""Every optimizer against its formula, written out here in float64 NumPy, on gradients derived by hand."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt.optim
from fnopt.optim._safe import one_minus_power, ratio, root

STEPS = 200


class Falling(NamedTuple):
    """A schedule as small as can be."""

    value: float
    rate: float

    def __call__(self, step):
        return self.value / (1 + self.rate * jnp.asarray(step, jnp.result_type(float)))


# ---- the formulas: (p, g, memory, h, t) -> p, memory being a dict that each keeps for itself ------------------------


def sgd(p, g, _memory, h, _t):
    return p - h["lr"] * g


def momentum(p, g, memory, h, t):
    d = h.get("dampening", h["beta"])
    if t == 1:
        d = h.get("first_dampening", d)
    k = h["lr_inside"]
    memory["v"] = h["beta"] * memory.get("v", 0) + (1 - d) * (1 + k * (h["lr"] - 1)) * g
    return p - (h["lr"] + k * (1 - h["lr"])) * memory["v"]


def nesterov(p, g, memory, h, _t):
    memory["v"] = h["beta"] * memory.get("v", 0) + g
    return p - h["lr"] * (g + h["beta"] * memory["v"])


def rmsprop(p, g, memory, h, _t):
    memory["s"] = h["beta"] * memory.get("s", 0) + (1 - h["beta"]) * g**2
    return p - h["lr"] * g / (np.sqrt(memory["s"] + h["eps_root"]) + h["eps"])


def adam(p, g, memory, h, t):
    memory["m"] = h["b1"] * memory.get("m", 0) + (1 - h["b1"]) * g
    memory["v"] = h["b2"] * memory.get("v", 0) + (1 - h["b2"]) * g**2
    m, v = memory["m"] / (1 - h["b1"] ** t), memory["v"] / (1 - h["b2"] ** t)
    eps = h["eps"] / (1 - h["b2"] ** t) ** (h["eps_correction"] / 2)
    return p - h["lr"] * m / (np.sqrt(v + h["eps_root"]) + eps)


def adamw(p, g, memory, h, t):
    return adam(p - h["lr"] * h["weight_decay"] * p, g, memory, h, t)


def adagrad(p, g, memory, h, _t):
    memory["s"] = memory.get("s", 0) + g**2
    return p - h["lr"] * g / (np.sqrt(memory["s"] + h["eps_root"]) + h["eps"])


def adadelta(p, g, memory, h, _t):
    rho, eps = h["beta"], h["eps_root"]
    memory["s"] = rho * memory.get("s", 0) + (1 - rho) * g**2
    delta = np.sqrt(memory.get("d", 0) + eps) / np.sqrt(memory["s"] + eps) * g
    memory["d"] = rho * memory.get("d", 0) + (1 - rho) * delta**2
    return p - h["lr"] * delta


FORMULAS = {f.__name__: f for f in (sgd, momentum, nesterov, rmsprop, adam, adamw, adagrad, adadelta)}
DEFAULTS = {  # as documented, so that a changed default is seen
    "sgd": {},
    "momentum": {"beta": 0.9, "lr_inside": 0.0},
    "nesterov": {"beta": 0.9},
    "rmsprop": {"beta": 0.9, "eps": 0.0, "eps_root": 1e-8},
    "adam": {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "eps_root": 0.0, "eps_correction": 0.0},
    "adagrad": {"eps": 1e-10, "eps_root": 0.0},
    "adadelta": {"lr": 1.0, "beta": 0.9, "eps_root": 1e-6},
}
DEFAULTS["adamw"] = {**DEFAULTS["adam"], "weight_decay": 1e-4}

# Rates at which a trajectory does not magnify a rounding error: near an optimum RMSProp and Adadelta magnify it a
# millionfold at larger ones, by the formula itself. Given gradients, further down, have no such bound.
CASES = [
    ("sgd", {"lr": 0.1}),
    ("sgd", {"lr": Falling(0.3, 0.05)}),
    ("momentum", {"lr": 0.1}),
    ("momentum", {"lr": 0.02, "dampening": 0.0}),
    ("momentum", {"lr": 0.05, "beta": 0.8, "dampening": 0.3, "first_dampening": 0.0}),
    ("momentum", {"lr": Falling(0.2, 0.1), "lr_inside": 1.0}),
    ("momentum", {"lr": Falling(0.2, 0.1), "lr_inside": 0.25}),
    ("nesterov", {"lr": 0.02}),
    ("rmsprop", {"lr": 0.0003}),
    ("rmsprop", {"lr": 0.003, "beta": 0.99, "eps": 1e-3, "eps_root": 0.0}),
    ("adam", {"lr": 0.01}),
    ("adam", {"lr": 0.01, "b1": 0.8, "b2": 0.99, "eps": 0.0, "eps_root": 1e-3}),
    ("adam", {"lr": 0.01, "eps": 1e-2, "eps_correction": 1.0}),
    ("adam", {"lr": Falling(0.05, 0.1), "b1": Falling(0.95, 0.01)}),
    ("adamw", {"lr": 0.01, "weight_decay": 0.1}),
    ("adagrad", {"lr": 0.05}),
    ("adagrad", {"lr": 0.05, "eps": 1e-2, "eps_root": 0.1}),
    ("adadelta", {"lr": 0.1}),
    ("adadelta", {"lr": 0.1, "beta": 0.95, "eps_root": 1e-4}),
]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]


# ---- the problem: a random quadratic and a small tanh net, side by side in one tree ---------------------------------

RNG = np.random.default_rng(0)
ROTATION = np.linalg.qr(RNG.normal(size=(20, 20)))[0]
A = ROTATION @ np.diag(np.linspace(0.5, 2.0, 20)) @ ROTATION.T
B = RNG.normal(size=20)
X, Y = RNG.normal(size=(16, 3)), RNG.normal(size=(16, 2))
START = {
    "quadratic": RNG.normal(size=20),
    "w1": RNG.normal(size=(3, 5)),
    "b1": np.zeros(5),
    "w2": RNG.normal(size=(5, 2)),
    "b2": np.zeros(2),
}


def loss(p):
    a, b, x, y = (jnp.asarray(v, p["w1"].dtype) for v in (A, B, X, Y))
    hidden = jnp.tanh(x @ p["w1"] + p["b1"][None, :])
    error = hidden @ p["w2"] + p["b2"][None, :] - y
    return p["quadratic"] @ (a @ p["quadratic"] / 2 - b) + jnp.mean(jnp.sum(error**2, 1))


def gradients(p):
    """The same by hand: dz2 = 2 (f − y)/m, dz1 = dz2 W2ᵀ (1 − a²)."""
    hidden = np.tanh(X @ p["w1"] + p["b1"])
    dz2 = 2 * (hidden @ p["w2"] + p["b2"] - Y) / len(X)
    dz1 = dz2 @ p["w2"].T * (1 - hidden**2)
    net = {"w1": X.T @ dz1, "b1": dz1.sum(0), "w2": hidden.T @ dz2, "b2": dz2.sum(0)}
    return {"quadratic": A @ p["quadratic"] - B, **net}


def by_formula(name, numbers):
    p, memory = dict(START), {k: {} for k in START}
    for t in range(1, STEPS + 1):
        h = {**DEFAULTS[name], **numbers}
        h = {k: v.value / (1 + v.rate * (t - 1)) if isinstance(v, Falling) else v for k, v in h.items()}
        g = gradients(p)
        p = {k: FORMULAS[name](p[k], g[k], memory[k], h, t) for k in p}
    return p


def by_package(name, numbers, dtype):
    optimizer = fnopt.optim.by_name(name)
    state = optimizer.init({k: jnp.asarray(v, dtype) for k, v in START.items()}, **numbers)

    def step(state, _):
        return optimizer.update(state, jax.grad(loss)(state.params)), None

    return jax.jit(lambda s: jax.lax.scan(step, s, None, length=STEPS)[0])(state)


def furthest(name, numbers, dtype):
    state = by_package(name, numbers, dtype)
    assert int(state.step) == STEPS
    want, got = by_formula(name, numbers), state.params
    return max(np.linalg.norm(np.asarray(got[k], np.float64) - want[k]) / np.linalg.norm(want[k]) for k in want)


def on_given_gradients(name, numbers, grads):
    """200 steps by the formula and by the package, over gradients that do not depend on where the steps lead."""
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
    assert {name for name, _ in CASES} == set(FORMULAS) == set(DEFAULTS) == set(fnopt.optim.NAMES)


@pytest.mark.parametrize(("name", "numbers"), CASES, ids=IDS)
def test_formula_in_float64(name, numbers, x64):
    assert furthest(name, numbers, jnp.float64) <= 1e-10


@pytest.mark.parametrize(("name", "numbers"), CASES, ids=IDS)
def test_formula_in_float32(name, numbers):
    assert furthest(name, numbers, jnp.float32) <= 1e-5


@pytest.mark.parametrize("name", fnopt.optim.NAMES)
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


def test_root_and_ratio_at_the_edges():
    assert float(root(jnp.float32(0))) == 0 == float(jax.grad(root)(0.0))
    assert float(jax.grad(root)(4.0)) == 0.25
    assert np.isnan(float(root(jnp.float32(jnp.nan))))
    assert float(ratio(jnp.float32(1), jnp.float32(0))) == 0
    assert [float(x) for x in jax.grad(ratio, (0, 1))(1.0, 0.0)] == [0, 0]
    assert np.isnan(float(ratio(jnp.float32(1), jnp.float32(jnp.nan))))
