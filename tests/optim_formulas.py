"""The optimizers' formulas, written out from their papers in float64 NumPy, one leaf at a time."""

import numpy as np

# Each is (p, g, memory, h, t) -> p, memory being a dict that it keeps for itself. Where a step hangs on the sign of
# something, the smallest relative size of it goes into memory["margin"]: a rounding error below it changes no sign.


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


def rmsprop_centred(p, g, memory, h, t):
    c, j = 1 - h["bias_correction"] * h["beta"] ** t, h["lr_inside"]
    memory["s"] = h["beta"] * memory.get("s", 0) + (1 - h["beta"]) * g**2
    memory["g"] = h["beta"] * memory.get("g", 0) + (1 - h["beta"]) * g
    deviation = np.sqrt(memory["s"] / c - h["centred"] * (memory["g"] / c) ** 2 + h["eps_root"])
    memory["v"] = h["momentum"] * memory.get("v", 0) + (1 - j + j * h["lr"]) * g / (deviation + h["eps"])
    return p - ((1 - j) * h["lr"] + j) * memory["v"]


def moments(g, memory, h, t):
    """m, v and their corrections."""
    memory["m"] = h["b1"] * memory.get("m", 0) + (1 - h["b1"]) * g
    memory["v"] = h["b2"] * memory.get("v", 0) + (1 - h["b2"]) * g**2
    k = h.get("bias_correction", 1.0)
    return memory["m"], memory["v"], 1 - k * h["b1"] ** t, 1 - k * h["b2"] ** t


def adam_step(m_hat, v_hat, c2, h):
    return m_hat / (np.sqrt(v_hat + h["eps_root"]) + h["eps"] / c2 ** (h.get("eps_correction", 0) / 2))


def adam(p, g, memory, h, t):
    m, v, c1, c2 = moments(g, memory, h, t)
    return p - h["lr"] * adam_step(m / c1, v / c2, c2, h)


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


def amsgrad(p, g, memory, h, t):
    m, v, c1, c2 = moments(g, memory, h, t)
    k = h["corrected_maximum"]
    memory["max"] = np.maximum(memory.get("max", 0), v / c2**k)
    return p - h["lr"] * adam_step(m / c1, memory["max"] / c2 ** (1 - k), c2, h)


def nadam(p, g, memory, h, t):
    m, v, _, c2 = moments(g, memory, h, t)
    psi = h["momentum_decay"]
    now, later = (h["b1"] * (1 - (0.5 * 0.96 ** (n * psi) if psi else 0)) for n in (t, t + 1))
    memory["product"] = product = memory.get("product", 1) * now
    return p - h["lr"] * adam_step(later * m / (1 - product * later) + (1 - now) * g / (1 - product), v / c2, c2, h)


def radam(p, g, memory, h, t):
    m, v, c1, c2 = moments(g, memory, h, t)
    end = 2 / (1 - h["b2"]) - 1
    rho = end - 2 * t * h["b2"] ** t / c2
    if rho <= h["threshold"]:
        return p - h["lr"] * m / c1
    r = np.sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho))
    return p - h["lr"] * r * adam_step(m / c1, v / c2, c2, h)


def adamax(p, g, memory, h, t):
    memory["m"] = h["b1"] * memory.get("m", 0) + (1 - h["b1"]) * g
    memory["u"] = np.maximum(h["b2"] * memory.get("u", 0), np.abs(g) + h["eps"])
    return p - h["lr"] / (1 - h["b1"] ** t) * memory["m"] / memory["u"]


def adabelief(p, g, memory, h, t):
    memory["m"] = m = h["b1"] * memory.get("m", 0) + (1 - h["b1"]) * g
    memory["s"] = s = h["b2"] * memory.get("s", 0) + (1 - h["b2"]) * (g - m) ** 2 + h["eps_root"]
    return p - h["lr"] * m / (1 - h["b1"] ** t) / (np.sqrt(s / (1 - h["b2"] ** t)) + h["eps"])


def yogi(p, g, memory, h, t):
    before = memory.get("v", h["initial"])
    m, _, c1, c2 = moments(g, memory, h, t)
    margin(memory, before - g**2, before + g**2)
    memory["v"] = before - (1 - h["b2"]) * np.sign(before - g**2) * g**2
    return p - h["lr"] * adam_step(m / c1, memory["v"] / c2, c2, h)


def lion(p, g, memory, h, _t):
    m = memory.get("m", np.zeros_like(g))
    direction = h["b1"] * m + (1 - h["b1"]) * g
    margin(memory, direction, np.max(np.abs(direction)))
    memory["m"] = h["b2"] * m + (1 - h["b2"]) * g
    return p - h["lr"] * (np.sign(direction) + h["weight_decay"] * p)


def lamb(p, g, memory, h, t):
    m, v, c1, c2 = moments(g, memory, h, t)
    u = adam_step(m / c1, v / c2, c2, h) + h["weight_decay"] * p
    lengths = np.linalg.norm(p), np.linalg.norm(u)
    return p - h["lr"] * (lengths[0] / lengths[1] if all(lengths) else 1) * u


def lars(p, g, memory, h, _t):
    d, k = g + h["weight_decay"] * p, h["norm_of_sum"]
    length, apart = np.linalg.norm(p), np.linalg.norm(g) + h["weight_decay"] * np.linalg.norm(p)
    step = (1 - k) * apart + k * np.linalg.norm(d)
    local = h["trust_coefficient"] * length / (step + h["eps"]) if length and step else 1
    memory["v"] = h["beta"] * memory.get("v", 0) + h["lr"] * local * d
    return p - memory["v"]


def rprop(p, g, memory, h, _t):
    s, last = memory.get("s", np.full_like(g, h["lr"])), memory.get("g", np.zeros_like(g))
    margin(memory, g, 1)
    eta = np.select([g * last > 0, g * last < 0], [h["eta_plus"], h["eta_minus"]], 1)
    memory["s"] = np.clip(s * eta, h["min_step"], h["max_step"])
    memory["g"] = np.where(g * last < 0, 0, g)
    return p - memory["s"] * np.sign(memory["g"])


def margin(memory, x, scale):
    """Keep the least distance of ``x`` from 0, in units of ``scale``."""
    memory["margin"] = min(memory.get("margin", np.inf), float(np.min(np.abs(x) / scale)))


FORMULAS = {
    f.__name__: f
    for f in (
        *(sgd, momentum, nesterov, rmsprop, adam, adamw, adagrad, adadelta, rmsprop_centred, amsgrad, nadam),
        *(radam, adamax, adabelief, yogi, lion, lamb, lars, rprop),
    )
}
ADAM = {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "eps_root": 0.0}
CORRECTIONS = {"eps_correction": 0.0, "bias_correction": 1.0}
DEFAULTS = {  # as documented, so that a changed default is seen
    "sgd": {},
    "momentum": {"beta": 0.9, "lr_inside": 0.0},
    "nesterov": {"beta": 0.9},
    "rmsprop": {"beta": 0.9, "eps": 0.0, "eps_root": 1e-8},
    "adam": {**ADAM, **CORRECTIONS},
    "adamw": {**ADAM, **CORRECTIONS, "weight_decay": 1e-4},
    "adagrad": {"eps": 1e-10, "eps_root": 0.0},
    "adadelta": {"lr": 1.0, "beta": 0.9, "eps_root": 1e-6},
    "rmsprop_centred": {"beta": 0.9, "centred": 1.0, "momentum": 0.0, "eps": 0.0, "eps_root": 1e-8}
    | {"bias_correction": 0.0, "lr_inside": 0.0},
    "amsgrad": {**ADAM, **CORRECTIONS, "corrected_maximum": 0.0},
    "nadam": {**ADAM, "momentum_decay": 0.0},
    "radam": {**ADAM, "eps_correction": 0.0, "threshold": 5.0},
    "adamax": {"b1": 0.9, "b2": 0.999, "eps": 1e-8},
    "adabelief": {"b1": 0.9, "b2": 0.999, "eps": 1e-16, "eps_root": 1e-16},
    "yogi": {**ADAM, **CORRECTIONS, "eps": 1e-3, "initial": 1e-6},
    "lion": {"b1": 0.9, "b2": 0.99, "weight_decay": 0.0},
    "lamb": {**ADAM, **CORRECTIONS, "eps": 1e-6, "weight_decay": 0.0},
    "lars": {"beta": 0.9, "weight_decay": 0.0, "trust_coefficient": 1e-3, "eps": 0.0, "norm_of_sum": 0.0},
    "rprop": {"eta_plus": 1.2, "eta_minus": 0.5, "min_step": 1e-6, "max_step": 50.0},
}
