"""What the optimizer tables share: values of every number, a problem, and one compiled update an optimizer."""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnopt.optim import NAMES, TABLE

INSIDE = {  # three allowed values of each number, both edges among them where they exist
    "lr": (0.0, 0.02, 0.3),
    "beta": (0.0, 0.5, 0.99),
    "dampening": (0.0, 0.5, 1.0),
    "lr_inside": (0.0, 0.5, 1.0),
    "first_dampening": (0.0, 0.5, 1.0),
    "b1": (0.0, 0.5, 0.99),
    "b2": (0.0, 0.9, 0.9999),
    "eps": (0.0, 1e-8, 0.1),
    "eps_root": (0.0, 1e-6, 0.1),
    "eps_correction": (0.0, 0.5, 1.0),
    "weight_decay": (0.0, 0.01, 0.5),
}
INSIDE |= {  # of the optimizers that treat the tree as a whole
    "decay": (0.0, 0.8, 2.0),
    "clip": (0.01, 0.5, 2.0),
    "eps1": (0.0, 1e-30, 0.1),
    "eps2": (0.0, 1e-3, 0.1),
    "relative_step": (0.0, 10.0, 100.0),
    "parameter_scale": (0.0, 0.5, 1.0),
    "nesterov": (0.0, 0.5, 1.0),
    "ns_a": (3.4, 3.4445, 3.45),  # not far from each other, or the five steps run away
    "ns_b": (-4.8, -4.775, -4.7),
    "ns_c": (2.0, 2.0315, 2.1),
    "adam_lr": (0.0, 0.02, 0.3),
    "adam_b1": (0.0, 0.5, 0.99),
    "adam_b2": (0.0, 0.9, 0.9999),
    "adam_eps": (0.0, 1e-8, 0.1),
    "warmup": (0.0, 3.5, 10.0),
    "r": (0.0, 1.0, 3.0),
    "lr_power": (0.0, 2.0, 4.0),
    "d0": (1e-6, 0.01, 1.0),
    "d_coef": (0.0, 200.0, 1.0),  # at 200, d grows within the five steps of a test, and more than `growth` allows
    "growth": (1.0, 1.5, 3.0),
    "safeguard_warmup": (0.0, 0.5, 1.0),
    "bias_correction": (0.0, 0.5, 1.0),
    "c1": (0.0, 1e-4, 0.3),
    "c2": (0.0, 0.9, 0.99),
    "evaluations": (1.0, 5.0, 20.0),
}
INSIDE |= {  # of the rest of the catalogue
    "centred": (0.0, 0.5, 1.0),
    "momentum": (0.0, 0.5, 0.99),
    "bias_correction": (0.0, 0.5, 1.0),
    "corrected_maximum": (0.0, 0.5, 1.0),
    "momentum_decay": (0.0, 4e-3, 1.0),
    "threshold": (4.0, 5.0, 50.0),
    "initial": (0.0, 1e-6, 0.1),
    "trust_coefficient": (0.0, 0.1, 1.0),
    "norm_of_sum": (0.0, 0.5, 1.0),
    "eta_plus": (1.0, 1.2, 2.0),
    "eta_minus": (0.0, 0.5, 1.0),
    "min_step": (0.0, 0.06, 0.1),
    "max_step": (0.0, 0.15, 50.0),
}
UPPER = {"lr": math.inf, "eps": math.inf, "eps_root": math.inf, "weight_decay": math.inf}
UPPER |= {"beta": 1.0, "b1": 1.0, "b2": 1.0, "dampening": 1.01, "lr_inside": 1.01}
UPPER |= {"first_dampening": 1.01, "eps_correction": 1.01}
UPPER |= dict.fromkeys(("decay", "eps1", "eps2", "relative_step", "adam_lr", "adam_eps"), math.inf)
UPPER |= dict.fromkeys(("ns_a", "ns_b", "ns_c"), math.inf)
UPPER |= dict.fromkeys(("warmup", "r", "lr_power", "d0", "d_coef", "evaluations"), math.inf)
UPPER |= dict.fromkeys(("adam_b1", "adam_b2", "c1", "c2"), 1.0)
UPPER |= dict.fromkeys(("parameter_scale", "nesterov", "safeguard_warmup", "bias_correction"), 1.01)
UPPER |= dict.fromkeys(("clip", "growth"), math.nan)  # infinity is allowed
UPPER |= dict.fromkeys(("momentum_decay", "threshold", "initial", "trust_coefficient", "eta_plus"), math.inf)
UPPER |= dict.fromkeys(("min_step", "max_step"), math.inf)
UPPER |= {"momentum": 1.0}
UPPER |= dict.fromkeys(("centred", "bias_correction", "corrected_maximum", "norm_of_sum", "eta_minus"), 1.01)
LOWER = dict.fromkeys(("ns_a", "ns_b", "ns_c"), -math.inf)  # of the others -0.1 is out of range
SWITCHES = {"c1", "c2", "evaluations", "threshold"}  # numbers that only decide: constant between two decisions
SIGNS = {("lion", "b1"), ("lion", "b2")}  # numbers seen through a sign only: constant likewise
REACH = {"adafactor": "leaf", "lbfgs": "tree"}  # of one bad entry of a gradient; else that entry
TREEWISE = ("adafactor", "muon", "schedule_free", "prodigy", "lbfgs")  # their formulas: test_optim_treewise.py
PAIRS = [(name, number) for name in NAMES for number in TABLE[name].numbers._fields]

UPDATE = {name: jax.jit(TABLE[name].update) for name in NAMES}

TARGET = {"w": np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.3]]), "b": np.array([0.7, -0.4])}
CURVE = {"w": np.array([[1.0, 2.0], [0.5, 1.5], [0.8, 1.2]]), "b": np.array([1.0, 0.6])}


class Ramp(NamedTuple):
    """A schedule from ``first`` towards ``last``: a pytree of numbers, called with the updates done."""

    first: float
    last: float

    def __call__(self, step):
        return self.first + (self.last - self.first) * jnp.asarray(step, jnp.result_type(float)) / 4


def start(dtype=jnp.float32):
    return {**{k: jnp.zeros(v.shape, dtype) for k, v in TARGET.items()}, "dead": jnp.ones(2, dtype)}


def slope(params):
    """The gradient of a convex quadratic; that of ``dead`` is always 0."""
    near = {
        k: (jnp.asarray(CURVE[k], p.dtype) * (p - jnp.asarray(TARGET[k], p.dtype)))
        for k, p in params.items()
        if k in TARGET
    }
    return {**near, "dead": jnp.zeros_like(params["dead"])}


@partial(jax.jit, static_argnames=("optimizer", "steps"))
def advance(optimizer, state, steps=5):
    def step(state, _):
        return optimizer.update(state, slope(state.params)), None

    return jax.lax.scan(step, state, None, length=steps)[0]


def numbers(**changes):
    return {"lr": 0.07, **changes}


def every_number(name, **changes):
    """All numbers of an optimizer by name, so that one program takes them all."""
    return {k: {"lr": 0.07}.get(k, INSIDE[k][1]) for k in TABLE[name].numbers._fields} | changes


def stacked(rows):
    return {k: jnp.array([row[k] for row in rows]) for k in rows[0]}


def bits_equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def close(a, b, rtol=2e-6):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol), a, b)
