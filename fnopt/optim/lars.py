"""LARS: momentum whose gradient is, in each leaf, brought to a share of the leaf's own length, for large batches.

d = g + weight_decay p
N = (1 − k) (‖g‖ + weight_decay ‖p‖) + k ‖d‖
V ← β V + lr trust_coefficient ‖p‖ / (N + eps) d,  p ← p − V

where k is ``norm_of_sum`` and ‖·‖ runs over a whole leaf. Where p or N is 0, the factor before d is lr alone.

Numbers:
    lr: in [0, inf); it stands inside V.
    beta: in [0, 1); β, how much of the velocity stays.
    weight_decay: in [0, inf); how much of p joins the gradient, biases too.
    trust_coefficient: in [0, inf); the length of a step in units of the leaf's, at lr = 1 and β = 0.
    eps: in [0, inf); added to N.
    norm_of_sum: in [0, 1]; k, whether lengths are taken before the decay joins the gradient or after.

Elsewhere: the paper is as here, without eps; optax is ``norm_of_sum=1``. Without decay they are the same.

Source: You, Gitman and Ginsburg, "Large Batch Training of Convolutional Networks", 2017,
https://arxiv.org/abs/1708.03888, algorithm 1.

>>> import jax.numpy as jnp
>>> from fnopt.optim import lars
>>> state = lars.init({"w": jnp.array([3.0, -4.0])}, lr=1.0, trust_coefficient=0.5)
>>> lars.update(state, {"w": jnp.array([0.0, -2.0])}).params["w"].tolist()
[3.0, -1.5]
"""

from typing import Any, NamedTuple

from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim._trust import norm, trust_ratio
from fnopt.optim.momentum import Velocity


class LarsHyper(NamedTuple):
    """The numbers of LARS; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    beta: ArrayLike = 0.9  # in [0, 1); decay of the velocity
    weight_decay: ArrayLike = 0.0  # >= 0
    trust_coefficient: ArrayLike = 0.001  # >= 0
    eps: ArrayLike = 0.0  # >= 0; added to the length of the gradient
    norm_of_sum: ArrayLike = 0.0  # in [0, 1]; 1: the length of gradient and decay together


RANGES = {
    "lr": NONNEGATIVE,
    "beta": DECAY,
    "weight_decay": NONNEGATIVE,
    "trust_coefficient": NONNEGATIVE,
    "eps": NONNEGATIVE,
    "norm_of_sum": FRACTION,
}


def rule(p: Array, g: Array, memory: Velocity, h: Any, t: Array) -> tuple[Array, Velocity]:
    """One step of algorithm 1 for one leaf."""
    del t
    d = g + h.weight_decay * p
    length = (1 - h.norm_of_sum) * (norm(g) + h.weight_decay * norm(p)) + h.norm_of_sum * norm(d)
    v = h.beta * memory.v + h.lr * trust_ratio(norm(p), length, h.trust_coefficient, h.eps) * d
    return p - v, Velocity(v)


lars = elementwise("lars", LarsHyper, RANGES, Velocity, rule, lr=1.0, by_entry=False, doc=__doc__)
"""LARS, see the module."""
