"""L-BFGS with a line search: quasi-Newton steps from the last ten changes of the parameters and of the gradient.

d = −H g, by the two-loop recursion over the pairs (s, y) with sᵀy > 0, from H₀ = γ I; γ = sᵀy/yᵀy of the newest pair,
and 1/max(1, ‖g‖₁) where there is none; with an objective, 1/‖g‖₁ also where that is below 1e-3
α = lr q, where q begins at 1 and is doubled or bisected until, at p + α d, weakly after Wolfe,
    f(p + α d) ≤ f(p) + c1 α gᵀd  and  ∇f(p + α d)ᵀd ≥ c2 gᵀd
s = α d,  p ← p + s,  y = ∇f(p) − g

It is meant for all examples in one batch. Both gradients of a pair are of the same batch and the same dropout masks,
so that mini-batches do no harm beyond their noise. In ``fit`` and ``caviar`` the objective is given to it.

Numbers:
    lr: in [0, inf); the first α that is tried: 1 is right once there are pairs.
    c1: in [0, 1); how much of the expected descent must come.
    c2: in [0, 1); how much of the slope may be left; larger than c1.
    evaluations: in [1, inf); the most that one search may take. A search that ends there takes the longest step that
        descended enough, or stays.

``update(state, grads, *, loss=None, objective=None)``: ``objective`` is a pure function from parameters to the cost
whose gradient ``grads`` is, and ``loss`` its value at ``state.params``, where it is known. Without an objective nothing
is searched: α is lr.

A search is a loop: side by side under ``vmap``, all lanes wait for the slowest, at most ``evaluations`` costs and
gradients. Which q comes out is a matter of comparisons, piecewise constant in all numbers; derivatives, forward
and reverse, treat it as the constant that it is and are finite, and those by c1, c2 and evaluations are 0.
``lbfgs_with(history=5)`` keeps another number of pairs. Memory: 2 history + 1 copies of the parameters.

Elsewhere: torch without ``line_search_fn`` is as here without an objective, but for the threshold of sᵀy and the first
step, where it keeps γ = 1 in later steps without pairs; with "strong_wolfe", and in SciPy's L-BFGS-B, cubic
interpolation seeks |∇fᵀd| ≤ c2 |gᵀd|: other steps to the same optimum. optax begins with 1/‖g‖₂ and zooms.

Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989,
https://doi.org/10.1007/BF01589116; the search is that of Lewis and Overton, "Nonsmooth optimization via quasi-Newton
methods", 2013, https://doi.org/10.1007/s10107-012-0514-2, algorithm 2.6.

>>> import jax, jax.numpy as jnp
>>> from fnopt.optim import lbfgs
>>> cost = lambda w: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
>>> update = jax.jit(lambda state: lbfgs.update(state, jax.grad(cost)(state.params), objective=cost))
>>> state = lbfgs.init(jnp.array([-1.2, 1.0]))
>>> for _ in range(40):
...     state = update(state)
>>> state.params.round(3).tolist()
[1.0, 1.0]
"""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import whole
from fnopt._types import Cost, Optimizer, Params
from fnopt.numbers import DECAY, NONNEGATIVE, Range
from fnopt.optim._frame import described
from fnopt.optim._line_search import search
from fnopt.optim._safe import ratio, root
from fnopt.optim._treewise import dot, norm_1, over, plus, size, treewise

HISTORY = 10  # pairs
TINY = float(jnp.finfo(jnp.float32).eps)  # a smaller cosine between s and y is noise
SMALL = 1e-3  # of gradients below, a step may be lost in the rounding of the parameters: they are brought to length 1


class LbfgsHyper(NamedTuple):
    """The numbers of L-BFGS; each may be traced, or a schedule of the step."""

    lr: ArrayLike = 1.0  # >= 0; first step that is tried
    c1: ArrayLike = 1e-4  # in [0, 1); sufficient descent
    c2: ArrayLike = 0.9  # in [0, 1); curvature
    evaluations: ArrayLike = 20.0  # >= 1; the most a search may take


class Pairs(NamedTuple):
    """The last changes, oldest first, in at least float32; zeros where there is none yet."""

    s: Any  # leaves of shape=(history, …): of the parameters
    y: Any  # leaves of shape=(history, …): of the gradient
    g: Any  # shaped like the parameters: the gradient before the last step


class Pair(NamedTuple):
    """One change, or all of them in leaves with a leading axis."""

    s: Any
    y: Any


RANGES = {"lr": NONNEGATIVE, "c1": DECAY, "c2": DECAY, "evaluations": Range(1, float("inf"))}


def start(history: int, p: Params) -> Pairs:
    """No pairs yet."""
    none = jax.tree.map(lambda x: jnp.zeros((history, *x.shape), x.dtype), p)
    return Pairs(s=none, y=none, g=jax.tree.map(jnp.zeros_like, p))


def rule(p: Params, g: Params, memory: Pairs, h: Any, t: Array, *more: Any) -> tuple[Params, Pairs]:
    """One step for the tree."""
    del t
    objective: Cost | None = more[0]
    loss: Array | None = more[1]
    s, y, before = memory
    if objective is None:  # only now is the gradient at the end of the last step known
        y = jax.tree.map(lambda old, a, b: old.at[-1].set(a - b), y, g, before)
    d = jax.tree.map(jnp.negative, inverse_hessian_times(g, s, y, objective is not None))
    # A wrapper may have changed g: slopes and pairs are the objective's own, and cost nothing where they are g's.
    # One gradient for slope and pair alike: the barrier keeps the compiler from computing it twice, to other bits.
    own = g if objective is None else jax.lax.optimization_barrier(jax.grad(objective)(p))
    length = h.lr if objective is None else h.lr * search(objective, loss, p, d, own, h)
    step = jax.tree.map(lambda x: length.astype(x.dtype) * x, d)
    new = jax.tree.map(jnp.add, p, step)
    change = jax.tree.map(jnp.subtract, g if objective is None else jax.grad(objective)(new), own)
    return new, Pairs(pushed(s, step), pushed(y, change), g)


def pushed(pairs: Params, newest: Params) -> Params:
    """The pairs without the oldest, and with the newest."""
    return jax.tree.map(lambda old, x: jnp.concatenate([old[1:], x[None]]), pairs, newest)


def first_scale(unit: Array, length: Array, searched: bool) -> Array:
    """γ where there is no pair, times the unit of the gradient, whose sum of absolute values is ``unit length``."""
    total = unit * length
    plain = unit * ratio(jnp.ones_like(total), jnp.maximum(1, total))
    small = (length > 0) & (total < SMALL)
    return jnp.where(small, ratio(jnp.ones_like(length), length), plain) if searched else plain


def inverse_hessian_times(g: Params, s: Params, y: Params, searched: bool) -> Params:
    """H g by the two-loop recursion; a pair without curvature counts for nothing."""

    unit = size(g)  # q is in this unit, and each s and y in its own: no square of theirs leaves the range of the type

    def newest_first(carry: Any, raw: Pair) -> tuple[Any, Any]:
        q, gamma, found = carry
        own = Pair(size(raw.s), size(raw.y))
        pair = Pair(*map(over, raw, own))
        sy, yy, length = dot(pair.s, pair.y), dot(pair.y, pair.y), own.s / own.y * unit
        counts = sy > TINY * root(dot(pair.s, pair.s)) * root(yy)
        rho = jnp.where(counts, 1 / jnp.where(counts, sy, 1), 0)
        gamma = jnp.where(counts & ~found, length * ratio(sy, yy), gamma)
        alpha = rho * dot(pair.s, q)
        return (plus(q, -alpha, pair.y), gamma, found | counts), (pair, rho, length * alpha)

    def oldest_first(r: Params, row: tuple[Pair, Array, Array]) -> tuple[Params, None]:
        pair, rho, alpha = row
        beta = rho * dot(pair.y, r)
        return plus(r, alpha - beta, pair.s), None

    if not jax.tree.leaves(g):
        return g
    own = over(g, unit)
    begin = own, first_scale(unit, norm_1(own), searched), jnp.zeros((), bool)
    (q, gamma, _), factors = jax.lax.scan(newest_first, begin, Pair(s, y), reverse=True)
    r = jax.tree.map(lambda x: gamma.astype(x.dtype) * x, q)
    return jax.lax.scan(oldest_first, r, factors)[0]


def lbfgs_with(history: int = HISTORY) -> Optimizer:
    """L-BFGS with another number of pairs; the same number gives the same optimizer.

    Only ``lbfgs`` itself goes by name into files.

    Raises:
        ValueError: where ``history`` is no whole number ≥ 1.

    >>> lbfgs_with(history=5) == lbfgs_with(5), lbfgs_with(10) == lbfgs
    (True, True)
    """
    return _lbfgs(whole("history", history))


@lru_cache(maxsize=1024)
def _lbfgs(history: int) -> Optimizer:
    name = "lbfgs" if history == HISTORY else f"lbfgs_with(history={history})"
    begin = partial(start, history)
    made = treewise(name, LbfgsHyper, RANGES, begin, rule, lr=1.0, wants_objective=True, doc=__doc__)
    return described(replace(made, maker=(lbfgs_with, (history,))), __doc__)


lbfgs = lbfgs_with()
"""L-BFGS, see the module."""
