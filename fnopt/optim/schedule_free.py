"""Schedule-free Adam: gradients where a fast sequence and its average meet, evaluation at the average.

y = (1 − beta) z + beta x
v ← b2 v + (1 − b2) g(y)²,  γ = lr √(1 − b2^t) min(1, t/warmup)
z ← z − γ g / (√v + eps) − γ weight_decay y
w = t^r γ^lr_power,  W ← W + w,  x ← x + (w/W) (z − x)

with t counted from 1 and x = z at the start. ``state.params`` is y, where gradients are taken; ``readout(state)`` is x,
which is what fits and sweeps evaluate, compare and keep.

Numbers:
    lr: in [0, inf); no decay is needed, for the average does its work.
    beta: in [0, 1); the share of x in the point where the gradient is taken; 0: Polyak's averaging.
    b2: in [0, 1); decay of the second moment.
    eps: in [0, inf); outside the root.
    weight_decay: in [0, inf); taken at y, in units of γ.
    warmup: in [0, inf); steps over which γ grows; 0: none.
    r: in [0, inf); with more than 0, late steps count more in the average.
    lr_power: in [0, inf); 2 is the paper's weighting, 0 counts all steps alike.

Wrappers around it that edit a step (decay and rates by path, Lookahead) edit that of z, and x and y follow. Whatever
else changes ``state.params`` after an update acts on y, and is gone in the next step.

Elsewhere: optax's ``contrib.schedule_free_adamw`` weighs by the largest lr so far without √(1 − b2^t), which is
``lr_power=0`` here while lr stands still, divides eps by √(1 − b2^t), counts its warm-up from 0, and finds x from y
and z, so that its beta cannot be 0. The authors' package is as optax in the first two.

Source: Defazio et al., "The Road Less Scheduled", 2024, https://arxiv.org/abs/2405.15682, algorithm 1.

>>> import jax.numpy as jnp
>>> from fnopt.optim import schedule_free
>>> state = schedule_free.init({"w": jnp.ones(2)}, lr=0.5, beta=0.5, b2=0.75, eps=0)
>>> for _ in range(2):
...     state = schedule_free.update(state, {"w": jnp.array([1.0, -2.0])})
>>> state.params["w"].round(3).tolist(), schedule_free.readout(state)["w"].round(3).tolist()
([0.09..., 1.90...], [0.18..., 1.81...])
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Edit, Params, State
from fnopt.numbers import DECAY, NONNEGATIVE
from fnopt.optim._safe import one_minus_power, ratio, root
from fnopt.optim._treewise import as_types_of, leafwise, treewise


class ScheduleFreeHyper(NamedTuple):
    """The numbers of schedule-free Adam; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    beta: ArrayLike = 0.9  # in [0, 1); the share of x in y
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-8  # >= 0; added outside the root
    weight_decay: ArrayLike = 0.0  # >= 0
    warmup: ArrayLike = 0.0  # >= 0; steps
    r: ArrayLike = 0.0  # >= 0; power of t in the weights
    lr_power: ArrayLike = 2.0  # >= 0; power of γ in the weights


class Sequences(NamedTuple):
    """What is carried besides y, in at least float32."""

    z: Any  # shaped like the parameters: where the steps lead
    x: Any  # shaped like the parameters: their weighted mean
    v: Any  # shaped like the parameters: second moment
    weights: Array  # shape=(); the sum of the weights so far


class Stepped(NamedTuple):
    """One leaf after the step, before its average."""

    z: Any
    v: Any


class Met(NamedTuple):
    """One leaf where the sequence and its average meet."""

    y: Any
    x: Any


RANGES = {
    "lr": NONNEGATIVE,
    "beta": DECAY,
    "b2": DECAY,
    "eps": NONNEGATIVE,
    "weight_decay": NONNEGATIVE,
    "warmup": NONNEGATIVE,
    "r": NONNEGATIVE,
    "lr_power": NONNEGATIVE,
}


def start(p: Params) -> Sequences:
    """All sequences at the parameters."""
    return Sequences(z=p, x=p, v=jax.tree.map(jnp.zeros_like, p), weights=jnp.zeros((), jnp.result_type(float)))


def step_of_leaf(scalars: Any, y: Array, g: Array, z: Array, v: Array) -> Stepped:
    """z and v of algorithm 1 for one leaf."""
    h, gamma = scalars
    v = h.b2 * v + (1 - h.b2) * jnp.square(g)
    return Stepped(z - gamma * ratio(g, root(v) + h.eps) - gamma * h.weight_decay * y, v)


def mean_of_leaf(scalars: Any, z: Array, x: Array) -> Met:
    """x and y of algorithm 1 for one leaf."""
    h, c = scalars
    x = x + c * (z - x)
    return Met(z + h.beta * (x - z), x)


def rule(p: Params, g: Params, memory: Sequences, h: Any, t: Array, *more: Edit) -> tuple[Params, Sequences, Any]:
    """One step for the tree."""
    (edit,) = more
    gamma = h.lr * root(one_minus_power(h.b2, t)) / jnp.maximum(1, h.warmup / t)
    weight = t**h.r * power(gamma, h.lr_power)
    weights = memory.weights + weight
    z, v = leafwise(Stepped, step_of_leaf, (h, gamma), p, g, memory.z, memory.v)
    z, told = edit(memory.z, z)
    y, x = leafwise(Met, mean_of_leaf, (h, ratio(weight, weights)), z, memory.x)
    return y, Sequences(z, x, v, weights), told


def power(x: Array, n: Array) -> Array:
    """x^n with finite derivatives at x = 0, where it is 1 for n = 0 and else 0."""
    zero = x == 0
    return jnp.where(zero, (n == 0).astype(x.dtype), jnp.where(zero, 1, x) ** n)


def average(state: State) -> Params:
    """x, in the parameters' types."""
    return as_types_of(state.params, state.memory.x)


schedule_free = treewise(
    "schedule_free",
    ScheduleFreeHyper,
    RANGES,
    start,
    rule,
    lr=0.01,
    readout=average,
    edits=True,
    moments=("v",),
    doc=__doc__,
)
"""Schedule-free Adam, see the module."""
