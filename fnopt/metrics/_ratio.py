"""Ratios, means and roots with a defined 0/0, in value and in derivative."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import one_of
from fnopt.metrics._order import order_of
from fnopt.tree import binary_size

LONG, BLOCK = 2**16, 2**10
AVERAGES = ("binary", "micro", "macro", "weighted", "samples")


def ratio(part: Array, whole: Array, otherwise: ArrayLike = 0) -> Array:
    """``part / whole``, or ``otherwise`` where ``whole`` is 0.

    >>> ratio(jnp.array([1.0, 0.0]), jnp.array([4.0, 0.0]), 1).tolist()
    [0.25, 1.0]
    """
    empty = whole == 0
    return jnp.where(empty, jnp.asarray(otherwise, part.dtype), part / jnp.where(empty, 1, whole))


def root(x: Array) -> Array:
    """Square root whose derivative at 0 is 0."""
    zero = x == 0
    return jnp.where(zero, 0, jnp.sqrt(jnp.where(zero, 1, x)))


def mean(x: Array, weight: Array) -> Array:
    """Σ w x / Σ w over the examples, for each column; NaN where no example counts.

    >>> mean(jnp.array([[1.0], [4.0]]), jnp.array([2.0, 1.0])).tolist()
    [2.0]
    """
    return ratio(added(weight[:, None] * x), added(weight), jnp.nan)


def added(x: Array) -> Array:
    """The sum over the first axis, of blocks where it is long: one sum of 2^25 ones may end at 2^24 in float32.

    >>> added(jnp.ones((100, 2))).tolist()
    [100.0, 100.0]
    """
    if len(x) <= LONG:
        return jnp.sum(x, axis=0)
    x = jnp.pad(x, [(0, -len(x) % BLOCK), *[(0, 0)] * (x.ndim - 1)])
    return added(jnp.sum(x.reshape(-1, BLOCK, *x.shape[1:]), axis=1))


def size_of(x: Array) -> Array:
    r"""A power of 2 near the largest \|x\| of each column, 1 where all is 0: what to divide by before squaring.

    >>> size_of(jnp.array([[3e-30], [-5e-30]])).tolist() == [2.0**-98]
    True
    """
    return binary_size(jnp.max(jnp.abs(x), axis=0))


def relative(weight: Array) -> Array:
    """Weights over the largest, for what does not depend on their scale: equal ones become 1 and add up exactly."""
    return ratio(weight, jnp.max(weight))


def median(x: Array, weight: Array) -> Array:
    """The weighted median of each column, shape=(columns,): half of the weight lies on each side.

    NumPy's median where all weights are alike; see :func:`quantile`.

    >>> median(jnp.array([[1.0], [2.0], [3.0], [9.0]]), jnp.ones(4)).tolist()
    [2.5]
    """
    return quantile(x, weight, 0.5)


def quantile(x: Array, weight: Array, level: ArrayLike) -> Array:
    """The weighted quantile of each column, shape=(columns,), ``level`` in [0, 1].

    The smallest value that has at least the share ``level`` of the weight at or below it, averaged with the largest
    that has at least 1 - ``level`` at or above it. Hyndman and Fan, 1996, definition 2.

    >>> quantile(jnp.array([[1.0], [2.0], [3.0], [9.0]]), jnp.ones(4), 0.9).tolist()
    [9.0]
    """
    order = jax.vmap(order_of, in_axes=1, out_axes=1)(x)
    x = jnp.take_along_axis(x, order, axis=0)
    w = jnp.take_along_axis(jnp.broadcast_to(relative(weight)[:, None], x.shape), order, axis=0)
    below, above = jnp.cumsum(w, axis=0), jnp.flip(jnp.cumsum(jnp.flip(w, axis=0), axis=0), axis=0)
    total, counts = jnp.sum(w, axis=0), w > 0
    level = jnp.asarray(level, x.dtype)
    low = jnp.min(jnp.where(counts & (below >= (level * total)[None, :]), x, jnp.inf), axis=0)
    high = jnp.max(jnp.where(counts & (above >= ((1 - level) * total)[None, :]), x, -jnp.inf), axis=0)
    return jnp.where(total > 0, (low + high) / 2, jnp.nan)


def gain(error: Array, spread: Array, unit: ArrayLike = 1) -> Array:
    """``1 - error / spread``, times ``unit`` squared; 1 for 0/0 and 0 for all else over 0.

    >>> gain(jnp.array([1.0, 0.0, 1.0]), jnp.array([4.0, 0.0, 0.0])).tolist()
    [0.75, 1.0, 0.0]
    """
    constant = spread == 0
    share = jnp.square(jnp.asarray(unit, error.dtype)) * (error / jnp.where(constant, 1, spread))
    return jnp.where(constant, jnp.where(error == 0, 1, jnp.zeros_like(error)), 1 - share)


@partial(jax.jit, static_argnames="average")
def averaged(part: Array, whole: Array, support: Array, average: str | None, zero_division: ArrayLike) -> Array:
    """One ratio from those of the classes, all of shape=(classes,); ``average`` is already checked.

    ``binary`` is class 1's, ``micro`` the ratio of the sums, ``macro`` the mean, ``weighted`` the mean by support (the
    plain one where no class has any), None each; ``samples`` is the mean by support of examples, which stand in the
    places of classes, their weights being the support. With ``zero_division=nan`` a mean leaves out those with 0/0.
    """
    if average == "binary":
        return ratio(part[1], whole[1], zero_division)
    if average == "micro":
        return ratio(jnp.sum(part), jnp.sum(whole), zero_division)
    each = ratio(part, whole, zero_division)
    if average is None:
        return each
    left_out = (whole == 0) & jnp.isnan(jnp.asarray(zero_division, part.dtype))
    kept = jnp.where(left_out, 0, jnp.ones_like(support))
    share = kept * support if average in ("weighted", "samples") else kept
    if average == "weighted":
        share = jnp.where(jnp.sum(share) == 0, kept, share)
    return ratio(jnp.sum(share * jnp.where(left_out, 0, each)), jnp.sum(share), zero_division)


def check_average(average: str | None, classes: int, columns: bool) -> None:
    """ValueError for an unknown average, ``binary`` without one class 1, and ``samples`` without several labels."""
    if average is None:
        return
    one_of("average", average, AVERAGES)
    if average == "samples" and not columns:
        raise ValueError('average="samples" is for several labels an example, shape (m, labels); say average="macro"')
    if average == "binary" and (columns or classes != 2):
        kind = f"{classes} labels an example" if columns else f"{classes} classes"
        raise ValueError(f'average="binary" is for two classes, got {kind}; say average="macro" (or another)')
