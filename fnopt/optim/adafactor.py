"""Adafactor: the mean square of a matrix's gradient kept as one number a row and one a column.

β̂ = 1 − t^(−decay),  ρ = min(lr, 1/(relative_step √t))
α = ρ ((1 − parameter_scale) + parameter_scale max(eps2, RMS(p)))
R ← β̂ R + (1 − β̂) mean over columns of (g² + eps1),  C ← β̂ C + (1 − β̂) mean over rows of (g² + eps1)
V̂ = R C / mean(R),  U = g / √V̂,  Û = U / max(1, RMS(U)/clip)
M ← b1 M + (1 − b1) α Û,  p ← p − M

with t counted from 1. A leaf of two or more axes is a matrix, or several, in its last two axes; one of fewer keeps
V̂ ← β̂ V̂ + (1 − β̂)(g² + eps1) whole. RMS is over one leaf.

Numbers:
    lr: in [0, inf); ρ at most; in units of the leaf's own size while parameter_scale is 1.
    decay: in [0, inf); 0 forgets every square at once.
    clip: in (0, inf]; how long the step of a leaf may be, in root mean square, before α; inf: as long as it is.
    eps1: in [0, inf); added to every square.
    eps2: in [0, inf); the least size that a leaf counts as having. A leaf of zeros does not move at 0.
    b1: in [0, 1); decay of the steps' mean. M takes its room whatever b1 is.
    relative_step: in [0, inf); 1: the paper's 1/√t bounds ρ; 0: it does not.
    parameter_scale: in [0, 1]; 1: steps in units of the leaf's own size, as in the paper; 0: as they are.

Elsewhere: optax's ``adafactor(lr)`` is ``relative_step=0``; it factors the two largest axes, and only from 128 on, and
counts the mean of several matrices in a leaf together. torch has no b1, adds no eps1 to R and C but bounds V̂ from
below, and its eps1 is the root of this one.

Source: Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018,
https://arxiv.org/abs/1804.04235, algorithms 4 and 5 and section 9.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adafactor
>>> state = adafactor.init({"w": jnp.full((3, 2), 2.0)}, lr=0.25)
>>> state = adafactor.update(state, {"w": jnp.ones((3, 2))})
>>> state.params["w"][0].tolist(), state.memory.row["w"].shape, state.memory.column["w"].shape
([1.5, 1.5], (3,), (2,))
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params
from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE, Range
from fnopt.optim._safe import over, ratio, root
from fnopt.optim._treewise import leafwise, treewise
from fnopt.optim._trust import norm


class AdafactorHyper(NamedTuple):
    """The numbers of Adafactor; each may be traced, or a schedule of the step."""

    lr: ArrayLike = 0.01  # >= 0
    decay: ArrayLike = 0.8  # >= 0; exponent of the second moment's decay
    clip: ArrayLike = 1.0  # > 0; longest step of a leaf, in root mean square; may be inf
    eps1: ArrayLike = 1e-30  # >= 0; added to every square
    eps2: ArrayLike = 1e-3  # >= 0; least size of a leaf
    b1: ArrayLike = 0.0  # in [0, 1); decay of the steps' mean
    relative_step: ArrayLike = 1.0  # >= 0; how strongly 1/√t bounds the step
    parameter_scale: ArrayLike = 1.0  # in [0, 1]; whether steps are in units of the leaf's size


class Factors(NamedTuple):
    """Second moments and steps, trees shaped like the parameters; what a leaf does not use is shape=(0,)."""

    row: Any  # shape=(…, n) for a leaf (…, n, k)
    column: Any  # shape=(…, k) for a leaf (…, n, k)
    whole: Any  # shaped like a leaf of fewer than two axes
    m: Any  # shaped like the leaf


class Moved(NamedTuple):
    """One leaf after a step."""

    p: Any
    row: Any
    column: Any
    whole: Any
    m: Any


RANGES = {
    "lr": NONNEGATIVE,
    "decay": NONNEGATIVE,
    "clip": Range(0, float("inf"), open_low=True, open_high=False),
    "eps1": NONNEGATIVE,
    "eps2": NONNEGATIVE,
    "b1": DECAY,
    "relative_step": NONNEGATIVE,
    "parameter_scale": FRACTION,
}


def start(p: Params) -> Factors:
    """Zeros, in shapes that depend on the leaves' shapes alone."""

    def zeros(matrix: Any, other: Any) -> Any:
        return jax.tree.map(lambda x: jnp.zeros(matrix(x.shape) if x.ndim > 1 else other(x.shape), x.dtype), p)

    def none(_: Any) -> tuple[int]:
        return (0,)

    return Factors(
        row=zeros(lambda s: s[:-1], none),
        column=zeros(lambda s: (*s[:-2], s[-1]), none),
        whole=zeros(none, lambda s: s),
        m=jax.tree.map(jnp.zeros_like, p),
    )


def leaf_rule(scalars: Any, p: Array, g: Array, row: Array, column: Array, whole: Array, m: Array) -> Moved:
    """One step of algorithm 4 (a matrix) or 5 (fewer axes) for one leaf."""
    h, beta, rho = scalars
    square = jnp.square(g) + h.eps1
    alpha = rho * ((1 - h.parameter_scale) + h.parameter_scale * jnp.maximum(h.eps2, rms(p)))
    if p.ndim > 1:
        row = beta * row + (1 - beta) * mean(square, -1)
        column = beta * column + (1 - beta) * mean(square, -2)
        share = ratio(row, mean(row, -1)[..., None])
        # the roots apart: the product of two means of tiny squares would be 0 in float32
        u = over(over(g, root(share)[..., :, None]), root(column)[..., None, :])
    else:
        whole = beta * whole + (1 - beta) * square
        u = ratio(g, root(whole))
    m = h.b1 * m + (1 - h.b1) * (alpha / jnp.maximum(1, rms(u) / h.clip)) * u
    return Moved(p - m, row, column, whole, m)


def rule(p: Params, g: Params, memory: Factors, h: Any, t: Array, *_: Any) -> tuple[Params, Factors]:
    """One step for the tree."""
    beta = 1 - t ** (-h.decay)
    rho = h.lr / jnp.maximum(1, h.relative_step * h.lr * jnp.sqrt(t))  # min(lr, 1/(k √t)), for k = 0 too
    moved = leafwise(Moved, leaf_rule, (h, beta, rho), p, g, *memory)
    return moved.p, Factors(*moved[1:])


def mean(x: Array, axis: int) -> Array:
    """The mean over one axis, 0 where it has no entries."""
    return jnp.sum(x, axis) / max(x.shape[axis], 1)


def rms(x: Array) -> Array:
    """√(mean x²) over a leaf, 0 where it has no entries; its derivative at 0 is 0."""
    return norm(x) / max(x.size, 1) ** 0.5


adafactor = treewise("adafactor", AdafactorHyper, RANGES, start, rule, lr=0.01, moments=Factors._fields, doc=__doc__)
"""Adafactor, see the module."""
