"""AdamW: Adam with weight decay that bypasses the moments.

p ← (1 − lr weight_decay) p, then a step of :mod:`fnopt.optim.adam`.

Numbers:
    lr, b1, b2, eps, eps_root, eps_correction, bias_correction: as in Adam.
    weight_decay: in [0, inf); the share of every parameter, biases too, that goes in each step, in units of lr.

Elsewhere: the same form in torch (``weight_decay=0.01``), optax and Keras; the paper multiplies the decay by its
schedule alone, not by the base rate. In Adam itself an L2 penalty goes through the moments, which is another method.

Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, https://arxiv.org/abs/1711.05101.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adamw
>>> state = adamw.init({"w": jnp.ones(2)}, lr=0.5, weight_decay=0.5)
>>> adamw.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.25, 1.25]
"""

from typing import Any, NamedTuple

from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import NONNEGATIVE
from fnopt.optim._elementwise import elementwise
from fnopt.optim.adam import RANGES as ADAM_RANGES
from fnopt.optim.adam import Moments
from fnopt.optim.adam import at as adam_at
from fnopt.optim.adam import rule as adam_rule


class AdamwHyper(NamedTuple):
    """The numbers of AdamW; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-8  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root
    eps_correction: ArrayLike = 0.0  # in [0, 1]; whether eps is bias-corrected
    bias_correction: ArrayLike = 1.0  # in [0, 1]; whether the moments are
    weight_decay: ArrayLike = 1e-4  # >= 0


RANGES = {**ADAM_RANGES, "weight_decay": NONNEGATIVE}


class At(NamedTuple):
    """The numbers at one step."""

    adam: Any
    weight_decay: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    return At(adam_at(h, t), h.weight_decay)


def rule(p: Array, g: Array, memory: Moments, h: Any, t: Array) -> tuple[Array, Moments]:
    """One step of algorithm 2 for one leaf."""
    decayed = p - h.adam.lr * h.weight_decay * p  # not p (1 − lr wd), whose rounding adds up over the steps
    return adam_rule(decayed, g, memory, h.adam, t)


adamw = elementwise("adamw", AdamwHyper, RANGES, Moments, rule, at=at, doc=__doc__)
"""AdamW, see the module."""
