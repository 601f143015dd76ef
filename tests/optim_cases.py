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
UPPER = {"lr": math.inf, "eps": math.inf, "eps_root": math.inf, "weight_decay": math.inf}
UPPER |= {"beta": 1.0, "b1": 1.0, "b2": 1.0, "dampening": 1.01, "lr_inside": 1.01}
UPPER |= {"first_dampening": 1.01, "eps_correction": 1.01}
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
