"""Muon: the momentum of a matrix made nearly orthogonal; Adam for every other leaf.

A leaf of two axes, shape=(in, out):
B ← beta B + (1 − beta) g,  U = B + nesterov (1 − beta)(g − B),  X₀ = U/(‖U‖_F + eps)
X ← ns_a X + ns_b (X Xᵀ) X + ns_c (X Xᵀ)² X, five times (of the transpose where in > out)
p ← p − lr √max(1, out/in) X − lr weight_decay p

Any other leaf: a step of Adam at adam_lr, and p ← p − adam_lr weight_decay p.

The five Newton–Schulz steps bring every singular value into about [0.7, 1.2], whatever it was, so that a step has the
same length in all directions: √max(1, out/in) times lr. The number of steps is structure. Leaves of more than two axes
are left to Adam. First and last layers usually are too: ``muon_with(adam=("output",))`` does that for leaves with this
in their dotted name.

Numbers:
    lr: in [0, inf); for matrices.
    beta: in [0, 1); decay of the momentum.
    nesterov: in [0, 1]; 1: one step of the momentum ahead; 0: the momentum itself.
    weight_decay: in [0, inf); the share of every parameter that goes in each step, in units of its leaf's rate.
    eps: in [0, inf); added to the norm.
    ns_a, ns_b, ns_c: any; coefficients of X, X³ and X⁵.
    adam_lr: in [0, inf); lr unless given.
    adam_b1, adam_b2: in [0, 1).
    adam_eps: in [0, inf); outside the root.

``init`` fills in ``adam_lr`` once: a later ``_replace(lr=…)`` alone leaves it.

Elsewhere: weights are (out, in) in torch, hence max(1, rows/columns) there; torch and the author iterate in bfloat16,
and the author's first form adds up the gradients (no 1 − beta), which the norm cancels but for eps. optax's
``contrib.muon`` corrects the momentum's start at 0, in B and g by unlike factors: only ``nesterov=0`` is the same;
its eps is Adam's too.

Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
https://kellerjordan.github.io/posts/muon/.

>>> import jax.numpy as jnp
>>> from fnopt.optim import muon
>>> state = muon.init({"w": jnp.zeros((2, 2))}, lr=1.0)
>>> muon.update(state, {"w": jnp.diag(jnp.array([1.0, -0.01]))}).params["w"].round(2).tolist()
[[-0.69..., 0.0], [0.0, 0.69...]]
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Optimizer, Params
from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE, REAL
from fnopt.optim._frame import described
from fnopt.optim._safe import one_minus_power, ratio, root
from fnopt.optim._treewise import leafwise, treewise
from fnopt.optim._trust import norm
from fnopt.tree import binary_size, names

STEPS = 5  # of Newton–Schulz


class MuonHyper(NamedTuple):
    """The numbers of Muon; each may be traced, or a schedule of the step."""

    lr: ArrayLike  # >= 0; for matrices
    beta: ArrayLike = 0.95  # in [0, 1); decay of the momentum
    nesterov: ArrayLike = 1.0  # in [0, 1]; how far the momentum looks ahead
    weight_decay: ArrayLike = 0.0  # >= 0
    eps: ArrayLike = 1e-7  # >= 0; added to the norm
    ns_a: ArrayLike = 3.4445  # coefficient of X
    ns_b: ArrayLike = -4.7750  # coefficient of X³
    ns_c: ArrayLike = 2.0315  # coefficient of X⁵
    adam_lr: ArrayLike | None = None  # >= 0; None: lr
    adam_b1: ArrayLike = 0.9  # in [0, 1)
    adam_b2: ArrayLike = 0.999  # in [0, 1)
    adam_eps: ArrayLike = 1e-8  # >= 0; added outside the root


class Moments(NamedTuple):
    """Trees shaped like the parameters, in at least float32."""

    m: Any  # momentum, or Adam's first moment
    v: Any  # Adam's second moment; shape=(0,) for a matrix


class Moved(NamedTuple):
    """One leaf after a step."""

    p: Any
    m: Any
    v: Any


RANGES = {
    "lr": NONNEGATIVE,
    "beta": DECAY,
    "nesterov": FRACTION,
    "weight_decay": NONNEGATIVE,
    "eps": NONNEGATIVE,
    "ns_a": REAL,
    "ns_b": REAL,
    "ns_c": REAL,
    "adam_lr": NONNEGATIVE,
    "adam_b1": DECAY,
    "adam_b2": DECAY,
    "adam_eps": NONNEGATIVE,
}


def orthogonalized(u: Array, h: Any) -> Array:
    """Five quintic Newton–Schulz steps from u/‖u‖, shape=(in, out)."""
    tall = u.shape[0] > u.shape[1]
    unit = binary_size(jnp.max(jnp.abs(u), initial=0))  # so that no length of u leaves the range of its type
    x = ratio(u / unit, norm(u / unit) + h.eps / unit)
    x = x.T if tall else x  # so that the products are of the shorter side
    for _ in range(STEPS):
        a = x @ x.T
        x = h.ns_a * x + (h.ns_b * a + h.ns_c * a @ a) @ x
    return x.T if tall else x


def matrix_rule(h: Any, p: Array, g: Array, m: Array, v: Array) -> Moved:
    """One step for a matrix."""
    m = h.beta * m + (1 - h.beta) * g
    u = m + h.nesterov * (1 - h.beta) * (g - m)
    longer = max(1.0, p.shape[1] / max(p.shape[0], 1)) ** 0.5
    return Moved(p - h.lr * longer * orthogonalized(u, h) - h.lr * h.weight_decay * p, m, v)


def adam_rule(h: Any, k1: Array, k2: Array, p: Array, g: Array, m: Array, v: Array) -> Moved:
    """One step for any other leaf; k1 and k2 are 1 / (1 − b1^t) and 1 / (1 − b2^t)."""
    m = h.adam_b1 * m + (1 - h.adam_b1) * g
    v = h.adam_b2 * v + (1 - h.adam_b2) * jnp.square(g)
    step = ratio(k1 * m, root(k2 * v) + h.adam_eps)
    return Moved(p - h.adam_lr * step - h.adam_lr * h.weight_decay * p, m, v)


def muon_with(adam: tuple[str, ...] = ()) -> Optimizer:
    """Muon that leaves to Adam every leaf whose dotted name holds one of these words.

    The same words give the same optimizer. Only ``muon`` itself goes by name into files.

    Raises:
        TypeError: where ``adam`` is no tuple of words.

    >>> muon_with(adam=("output",)) == muon_with(("output",)), muon_with() == muon
    (True, True)
    """
    if not (isinstance(adam, tuple) and all(isinstance(word, str) for word in adam)):
        raise TypeError(f"`adam` must be a tuple of words, as in muon_with(adam=('output',)), got {adam!r}")
    return _muon(adam)


@lru_cache(maxsize=1024)
def _muon(words: tuple[str, ...]) -> Optimizer:
    def matrices(p: Params) -> Params:
        """Whether each leaf is one of Muon's."""
        leaves, structure = jax.tree.flatten(p)
        paired = zip(names(p), leaves, strict=True)
        return structure.unflatten([x.ndim == 2 and not any(word in name for word in words) for name, x in paired])

    def start(p: Params) -> Moments:
        v = jax.tree.map(lambda x, own: jnp.zeros(0 if own else x.shape, x.dtype), p, matrices(p))
        return Moments(jax.tree.map(jnp.zeros_like, p), v)

    def leaf_rule(scalars: Any, p: Array, own: bool, g: Array, m: Array, v: Array) -> Moved:
        h, k1, k2 = scalars
        return matrix_rule(h, p, g, m, v) if own else adam_rule(h, k1, k2, p, g, m, v)

    def rule(p: Params, g: Params, memory: Moments, h: Any, t: Array, *_: Any) -> tuple[Params, Moments]:
        scalars = h, 1 / one_minus_power(h.adam_b1, t), 1 / one_minus_power(h.adam_b2, t)
        moved = leafwise(Moved, leaf_rule, scalars, p, matrices(p), g, *memory)
        return moved.p, Moments(moved.m, moved.v)

    name = f"muon_with(adam={words!r})" if words else "muon"
    fill = {"adam_lr": "lr"}
    more = {"fill": fill, "moments": Moments._fields, "doc": __doc__}
    made = treewise(name, MuonHyper, RANGES, start, rule, lr=0.02, **more)
    return described(replace(made, maker=(muon_with, (words,))), __doc__)


muon = muon_with()
"""Muon, see the module."""
