"""The optimizers that treat the tree as a whole, against their papers' formulas in float64 NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import TREEWISE
from optim_problem import START, A, B, X, Y, gradients, loss

import fnopt as fo
from fnopt.optim import NAMES, by_name

STEPS = 300

# ---- the formulas: (tree, gradients, memory, h, t) -> tree; memory is a dict that each keeps for itself --------------


def rms(x):
    return np.sqrt(np.mean(x**2))


def adafactor(p, g, memory, h, t):
    """With the paper's sums over rows and columns where the package has means."""
    beta = 1 - t ** -h["decay"]
    rho = min(h["lr"], 1 / (h["relative_step"] * np.sqrt(t))) if h["relative_step"] else h["lr"]
    new = {}
    for k, x in p.items():
        square, mine = g[k] ** 2 + h["eps1"], memory.setdefault(k, {"r": 0, "c": 0, "v": 0, "m": 0})
        if x.ndim == 2:
            mine["r"] = beta * mine["r"] + (1 - beta) * square @ np.ones((x.shape[1], 1))
            mine["c"] = beta * mine["c"] + (1 - beta) * np.ones((1, x.shape[0])) @ square
            v = mine["r"] @ mine["c"] / mine["r"].sum()
        else:
            v = mine["v"] = beta * mine["v"] + (1 - beta) * square
        u = g[k] / np.sqrt(v)
        u = u / max(1, rms(u) / h["clip"])
        size = max(h["eps2"], rms(x))
        alpha = rho * (h["parameter_scale"] * size + 1 - h["parameter_scale"])
        mine["m"] = h["b1"] * mine["m"] + (1 - h["b1"]) * alpha * u
        new[k] = x - mine["m"]
    return new


def muon(p, g, memory, h, t):
    new = {}
    for k, x in p.items():
        mine = memory.setdefault(k, {"m": 0, "v": 0})
        if x.ndim == 2:
            mine["m"] = h["beta"] * mine["m"] + (1 - h["beta"]) * g[k]
            ahead = h["beta"] * mine["m"] + (1 - h["beta"]) * g[k]
            u = h["nesterov"] * ahead + (1 - h["nesterov"]) * mine["m"]
            u = u / (np.linalg.norm(u) + h["eps"])
            for _ in range(5):
                u = h["ns_a"] * u + h["ns_b"] * (u @ u.T) @ u + h["ns_c"] * (u @ u.T) @ (u @ u.T) @ u
            step, lr = np.sqrt(max(1, x.shape[1] / x.shape[0])) * u, h["lr"]
        else:
            mine["m"] = h["adam_b1"] * mine["m"] + (1 - h["adam_b1"]) * g[k]
            mine["v"] = h["adam_b2"] * mine["v"] + (1 - h["adam_b2"]) * g[k] ** 2
            m, v = mine["m"] / (1 - h["adam_b1"] ** t), mine["v"] / (1 - h["adam_b2"] ** t)
            step, lr = m / (np.sqrt(v) + h["adam_eps"]), h.get("adam_lr", h["lr"])
        new[k] = x - lr * (step + h["weight_decay"] * x)
    return new


def schedule_free(p, g, memory, h, t):
    gamma = h["lr"] * np.sqrt(1 - h["b2"] ** t) * (min(1, t / h["warmup"]) if h["warmup"] else 1)
    weight = t ** h["r"] * gamma ** h["lr_power"]
    memory["weights"] = memory.get("weights", 0) + weight
    c, new = weight / memory["weights"], {}
    for k, y in p.items():
        mine = memory.setdefault(k, {"z": y, "x": y, "v": 0})
        mine["v"] = h["b2"] * mine["v"] + (1 - h["b2"]) * g[k] ** 2
        mine["z"] = mine["z"] - gamma * g[k] / (np.sqrt(mine["v"]) + h["eps"]) - gamma * h["weight_decay"] * y
        mine["x"] = (1 - c) * mine["x"] + c * mine["z"]
        new[k] = (1 - h["beta"]) * mine["z"] + h["beta"] * mine["x"]
    return new


def prodigy(p, g, memory, h, t):
    """In the paper's units, where the package keeps all in units of d0."""
    if t == 1:
        memory |= {"d": h["d0"], "most": h["d0"], "r": 0, "p0": p, "m": dict.fromkeys(p, 0)}
        memory |= {"v": dict.fromkeys(p, 0), "s": dict.fromkeys(p, 0)}
    d, keep = memory["d"], np.sqrt(h["b2"])
    gamma = h["lr"] * (np.sqrt(1 - h["b2"] ** t) / (1 - h["b1"] ** t)) ** h["bias_correction"]
    k = h["safeguard_warmup"]
    memory["r"] = keep * memory["r"] + (1 - keep) * gamma * d**2 * sum(
        np.sum(g[k] * (memory["p0"][k] - p[k])) for k in p
    )
    new = {}
    for name, x in p.items():
        memory["m"][name] = h["b1"] * memory["m"][name] + (1 - h["b1"]) * d * g[name]
        memory["v"][name] = h["b2"] * memory["v"][name] + (1 - h["b2"]) * d**2 * g[name] ** 2
        memory["s"][name] = keep * memory["s"][name] + (1 - keep) * (gamma * (1 - k) + k) * d**2 * g[name]
        step = memory["m"][name] / (np.sqrt(memory["v"][name]) + d * h["eps"])
        new[name] = x - gamma * d * (step + h["weight_decay"] * x)
    found = h["d_coef"] * memory["r"] / sum(np.sum(np.abs(s)) for s in memory["s"].values())
    memory["most"] = max(memory["most"], found)
    if d == h["d0"]:
        d = max(d, found)
    memory["d"] = min(memory["most"], d * h["growth"])
    return new


def lbfgs(p, g, memory, h, t):
    """The inverse Hessian as a matrix, product by product, and the search in plain Python."""
    flat = np.concatenate([g[k].ravel() for k in p])
    pairs = memory.setdefault("pairs", [])
    gamma = pairs[-1][0] @ pairs[-1][1] / (pairs[-1][1] @ pairs[-1][1]) if pairs else 1 / max(1, np.abs(flat).sum())
    inverse = gamma * np.eye(len(flat))
    for s, y in pairs:
        v = np.eye(len(flat)) - np.outer(y, s) / (s @ y)
        inverse = v.T @ inverse @ v + np.outer(s, s) / (s @ y)
    d = -inverse @ flat
    length = h["lr"] * by_bisection(p, d, flat, h)
    new, after = moved(p, length * d)
    if np.dot(length * d, after - flat) > 0:
        memory["pairs"] = [*pairs, (length * d, after - flat)][-10:]
    return new


def moved(p, step):
    """The tree after a flat step, and the flat gradient there."""
    new, at = {}, 0
    for k, x in p.items():
        new[k], at = x + step[at : at + x.size].reshape(x.shape), at + x.size
    g = gradients(new)
    return new, np.concatenate([g[k].ravel() for k in p])


def by_bisection(p, d, g, h):
    low, high, q, here = 0.0, np.inf, 1.0, value(p)
    for _ in range(20):
        new, after = moved(p, h["lr"] * q * d)
        if value(new) > here + h["c1"] * h["lr"] * q * (g @ d) + np.finfo(float).eps * abs(here):
            high = q
        elif after @ d < h["c2"] * (g @ d):
            low = q
        else:
            return q
        q = 2 * q if np.isinf(high) else (low + high) / 2
    return low


def value(p):
    error = np.tanh(X @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"] - Y
    return p["quadratic"] @ (A @ p["quadratic"] / 2 - B) + np.mean(np.sum(error**2, 1))


FORMULAS = {f.__name__: f for f in (adafactor, muon, schedule_free, prodigy, lbfgs)}
DEFAULTS = {  # as documented, so that a changed default is seen
    "adafactor": dict(
        lr=0.01, decay=0.8, clip=1.0, eps1=1e-30, eps2=1e-3, b1=0.0, relative_step=1.0, parameter_scale=1.0
    ),
    "muon": dict(
        beta=0.95, nesterov=1.0, weight_decay=0.0, eps=1e-7, ns_a=3.4445, ns_b=-4.775, ns_c=2.0315, adam_b1=0.9,
        adam_b2=0.999, adam_eps=1e-8,
    ),
    "schedule_free": dict(beta=0.9, b2=0.999, eps=1e-8, weight_decay=0.0, warmup=0.0, r=0.0, lr_power=2.0),
    "prodigy": dict(
        lr=1.0, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.0, d0=1e-6, d_coef=1.0, growth=np.inf,
        safeguard_warmup=0.0, bias_correction=0.0,
    ),
    "lbfgs": dict(lr=1.0, c1=1e-4, c2=0.9, evaluations=20),
}  # fmt: skip
# Rates at which a trajectory does not magnify a rounding error: near an optimum, steps of a fixed length do so by the
# formula itself, and quasi-Newton steps do from the first on: L-BFGS is compared over 30 steps in float64, on the way
# down, and over 10 in float32. In float32 Prodigy's d0 is well above the rounding of the parameters.
CASES = [
    ("adafactor", {"lr": 0.002}),
    ("adafactor", {"lr": 0.002, "relative_step": 0.0, "b1": 0.9, "clip": 0.5}),
    ("adafactor", {"lr": 0.02, "parameter_scale": 0.0, "eps1": 1e-3, "decay": 0.5}),
    ("adafactor", {"lr": 0.003, "parameter_scale": 0.3, "eps2": 0.1, "clip": np.inf, "relative_step": 50.0}),
    ("muon", {"lr": 0.002}),
    ("muon", {"lr": 0.002, "nesterov": 0.0, "beta": 0.9, "weight_decay": 0.1, "adam_lr": 0.003}),
    ("muon", {"lr": 0.002, "nesterov": 0.5, "eps": 1e-2, "ns_a": 3.0, "ns_b": -3.5, "ns_c": 1.5, "adam_b1": 0.5}),
    ("schedule_free", {"lr": 0.02}),
    ("schedule_free", {"lr": 0.01, "warmup": 30.0, "r": 1.0, "beta": 0.5, "weight_decay": 0.1, "eps": 1e-3}),
    ("schedule_free", {"lr": 0.003, "lr_power": 0.0, "beta": 0.0, "b2": 0.99, "eps": 1e-2}),
    ("prodigy", {"d0": 1e-2, "lr": 0.05, "eps": 0.1}),
    ("prodigy", {"d0": 1e-2, "lr": 0.1, "bias_correction": 1.0, "weight_decay": 0.1, "d_coef": 0.5, "eps": 0.1}),
    ("prodigy", {"lr": 0.5, "d0": 1e-3, "growth": 1.01, "safeguard_warmup": 1.0, "b2": 0.99}),
    ("lbfgs", {}),
    ("lbfgs", {"lr": 4.0, "c1": 0.1, "c2": 0.5}),
]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]


def by_formula(name, numbers, steps):
    p, memory = dict(START), {}
    for t in range(1, steps + 1):
        p = FORMULAS[name](p, gradients(p), memory, {**DEFAULTS[name], **numbers}, t)
    return p


def by_package(name, numbers, dtype, steps):
    optimizer = by_name(name)
    more = {"objective": loss} if optimizer.wants_objective else {}
    state = optimizer.init({k: jnp.asarray(v, dtype) for k, v in START.items()}, **numbers)

    def step(state, _):
        return optimizer.update(state, jax.grad(loss)(state.params), **more), None

    return jax.jit(lambda s: jax.lax.scan(step, s, None, length=steps)[0])(state)


def furthest(name, numbers, dtype, steps):
    return apart(by_formula(name, numbers, steps), by_package(name, numbers, dtype, steps).params)


def on_given_gradients(name, dtype):
    """All defaults, over gradients that do not depend on where the steps lead: nothing magnifies a rounding error."""
    rng = np.random.default_rng(5)
    grads = {k: rng.normal(0, 1, (STEPS, *v.shape)).astype(dtype) for k, v in START.items()}
    numbers = {} if "lr" in DEFAULTS[name] else {"lr": 0.01}
    p, memory = dict(START), {}
    for t in range(1, STEPS + 1):
        now = {k: g[t - 1].astype(np.float64) for k, g in grads.items()}
        p = FORMULAS[name](p, now, memory, {**DEFAULTS[name], **numbers}, t)
    optimizer = by_name(name)
    state = optimizer.init({k: jnp.asarray(v, dtype) for k, v in START.items()}, **numbers)
    state, _ = jax.lax.scan(lambda s, g: (optimizer.update(s, g), None), state, jax.tree.map(jnp.asarray, grads))
    return apart(p, state.params)


def apart(want, got):
    return max(np.linalg.norm(np.asarray(got[k], np.float64) - want[k]) / np.linalg.norm(want[k]) for k in want)


def test_every_optimizer_has_a_formula():
    assert {name for name, _ in CASES} == set(FORMULAS) == set(DEFAULTS) == set(TREEWISE)
    assert {*TREEWISE} <= {*NAMES}


@pytest.mark.holds("formula")
@pytest.mark.parametrize(("name", "numbers"), CASES, ids=IDS)
def test_formula_in_float64(name, numbers, x64):
    assert furthest(name, numbers, jnp.float64, 30 if name == "lbfgs" else STEPS) <= 1e-10


@pytest.mark.holds("formula")
@pytest.mark.parametrize(("name", "numbers"), CASES, ids=IDS)
def test_formula_in_float32(name, numbers):
    assert furthest(name, numbers, jnp.float32, 10 if name == "lbfgs" else STEPS) <= 2e-5


def test_adafactor_has_slopes_in_both_modes_where_a_column_is_nearly_dead():
    grads = {"w": jnp.ones((4, 3)).at[:, 0].set(3e-14 * jnp.arange(1.0, 5))}

    def end(eps1):
        state = fo.optim.adafactor.init({"w": jnp.ones((4, 3))}, lr=0.01, eps1=eps1)
        return jnp.sum(fo.optim.adafactor.update(state, grads).params["w"])

    forward = jax.jvp(end, (jnp.float32(1e-30),), (jnp.float32(1.0),))[1]
    np.testing.assert_allclose(forward, jax.grad(end)(jnp.float32(1e-30)), rtol=1e-5)


@pytest.mark.parametrize("name", ["adafactor", "muon", "schedule_free", "prodigy"])
def test_defaults_on_given_gradients(name, x64):
    assert on_given_gradients(name, np.float64) <= 1e-10
    if name != "prodigy":  # whose first steps are of the length of the parameters' rounding there
        assert on_given_gradients(name, np.float32) <= 2e-5


# ---- a convex problem: softmax regression on iris with λ/2 ‖W‖², λ = 0.01, whose optimum test_anchors.py has ---------

ANCHORS = {
    "adafactor": {"lr": fo.schedules.cosine(0.05, 1500), "relative_step": 0.0},
    "muon": {"lr": fo.schedules.cosine(0.05, 1500), "adam_lr": fo.schedules.cosine(0.05, 1500)},
    "schedule_free": {"lr": 0.3},
    "prodigy": {"lr": fo.schedules.cosine(1.0, 1500)},
}


@pytest.mark.parametrize("name", ANCHORS)
def test_convex_anchor(name, x64):
    data = fo.data.load("iris")
    x, optimizer = fo.data.standardizer(data.x)(data.x), by_name(name)

    def cost(p):
        losses = fo.losses.softmax_cross_entropy(x @ p["w"] + p["b"][None, :], data.y)
        return losses.mean() + 0.005 * jnp.sum(p["w"] ** 2)

    def step(state, _):
        return optimizer.update(state, jax.grad(cost)(state.params)), None

    state = optimizer.init({"w": jnp.zeros((4, 3)), "b": jnp.zeros(3)}, **ANCHORS[name])
    state = jax.jit(lambda s: jax.lax.scan(step, s, None, length=1500)[0])(state)
    assert cost(optimizer.readout(state)) == pytest.approx(0.2436772266493824, abs=1e-6)
