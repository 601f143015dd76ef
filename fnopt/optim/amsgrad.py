"""AMSGrad: Adam whose mean square never shrinks, so that no step grows because gradients became small.

m ← b1 m + (1 − b1) g,  v ← b2 v + (1 − b2) g²
w ← max(w, v / c2^k),  v̂ = w / c2^(1 − k),  m̂ = m / c1
p ← p − lr m̂ / (√(v̂ + eps_root) + eps c2^(−eps_correction/2))

where c1 and c2 are Adam's corrections and k is ``corrected_maximum``. As it comes, k = 0: the maximum is taken first
and corrected then.

Numbers:
    lr, b1, b2, eps, eps_root, eps_correction, bias_correction: as in :mod:`fnopt.optim.adam`.
    corrected_maximum: in [0, 1]; k. At 1 each v is corrected before it enters the maximum, which keeps the first
        gradients in mind for good.

Elsewhere: torch's ``Adam(amsgrad=True)`` is as here; optax is ``corrected_maximum=1``; the paper has
``bias_correction=0`` and no eps.

Source: Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond", 2018, https://arxiv.org/abs/1904.09237,
algorithm 2.

>>> import jax.numpy as jnp
>>> from fnopt.optim import amsgrad
>>> state = amsgrad.init({"w": jnp.ones(2)}, lr=0.5)
>>> amsgrad.update(state, {"w": jnp.array([1.0, -2.0])}).params["w"].tolist()
[0.5, 1.5]
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import FRACTION
from fnopt.optim._elementwise import elementwise
from fnopt.optim._safe import ratio, root
from fnopt.optim.adam import RANGES as ADAM_RANGES
from fnopt.optim.adam import at as adam_at


class AmsgradHyper(NamedTuple):
    """The numbers of AMSGrad; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0
    b1: ArrayLike = 0.9  # in [0, 1); decay of the first moment
    b2: ArrayLike = 0.999  # in [0, 1); decay of the second moment
    eps: ArrayLike = 1e-8  # >= 0; added outside the root
    eps_root: ArrayLike = 0.0  # >= 0; added inside the root
    eps_correction: ArrayLike = 0.0  # in [0, 1]; whether eps is bias-corrected
    bias_correction: ArrayLike = 1.0  # in [0, 1]; whether the moments are
    corrected_maximum: ArrayLike = 0.0  # in [0, 1]; whether v is corrected before its maximum


class Peaks(NamedTuple):
    """Adam's moments and the largest v so far, in at least float32, shaped like the parameters."""

    m: Any
    v: Any
    v_max: Any


RANGES = {**ADAM_RANGES, "corrected_maximum": FRACTION}


class At(NamedTuple):
    """The numbers at one step, with the second moment's correction before and after the maximum."""

    adam: Any
    before: Any
    after: Any


def at(h: Any, t: Array) -> At:
    """What all leaves share."""
    adam = adam_at(h, t)
    return At(adam, adam.k2**h.corrected_maximum, adam.k2 ** (1 - h.corrected_maximum))


def rule(p: Array, g: Array, memory: Peaks, h: Any, t: Array) -> tuple[Array, Peaks]:
    """One step of algorithm 2 for one leaf."""
    del t
    a = h.adam
    m = a.b1 * memory.m + (1 - a.b1) * g
    v = a.b2 * memory.v + (1 - a.b2) * jnp.square(g)
    v_max = jnp.maximum(memory.v_max, h.before * v)
    m_hat, v_hat = a.k1 * m, h.after * v_max
    return p - a.lr * ratio(m_hat, root(v_hat + a.eps_root) + a.eps), Peaks(m, v, v_max)


amsgrad = elementwise("amsgrad", AmsgradHyper, RANGES, Peaks, rule, at=at, doc=__doc__)
"""AMSGrad, see the module."""
