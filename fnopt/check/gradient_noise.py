"""Gradient noise: how far the gradient of a mini-batch is from that of all examples, against the size of the batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt._checks import whole
from fnopt._types import Params
from fnopt.check._table import shown
from fnopt.tree import working_dtype

LEAST = 200  # draws a size: the variance of one number is then known to a tenth


@dataclass(frozen=True)
class GradientNoise:
    """What :func:`gradient_noise` found; printed, one row a leaf.

    Each row of ``table``: ``leaf``, ``full`` (the norm of the gradient of all examples), ``b=…`` (the variance of the
    mini-batch gradient at each size, summed over the leaf's entries), ``slope`` of log variance against log b, which is
    -1 where examples are drawn independently and the loss is a mean over them, ``critical``, the size at which the
    noise is as large as the full gradient, √(variance) = ``full``, and ``bias``: the distance of the draws' mean from
    the full gradient, in its own standard errors, largest over the sizes.
    """

    sizes: tuple[int, ...]
    leaves: tuple[str, ...]
    variance: np.ndarray = field(repr=False)  # shape=(leaves, sizes)
    full: np.ndarray = field(repr=False)  # shape=(leaves,), norms
    bias: np.ndarray = field(repr=False)  # shape=(leaves,)
    draws: int

    @property
    def slopes(self) -> np.ndarray:
        """Of log variance against log size by least squares, shape=(leaves,); NaN for one size, or no variance."""
        if len(self.sizes) < 2:
            return np.full(len(self.leaves), np.nan)
        x = np.log(np.array(self.sizes, float))
        x = x - x.mean()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(self.variance) @ x / (x @ x)

    @property
    def table(self) -> list[dict[str, Any]]:
        """One dict a leaf."""
        rows = []
        for k, (name, slope) in enumerate(zip(self.leaves, self.slopes, strict=True)):
            each = {f"b={b}": float(v) for b, v in zip(self.sizes, self.variance[k], strict=True)}
            one = float(np.mean(self.variance[k] * self.sizes))  # of a single example
            critical = one / float(self.full[k]) ** 2 if self.full[k] > 0 else None
            head = {"leaf": name, "full": float(self.full[k])}
            rows.append({**head, **each, "slope": float(slope), "critical": critical, "bias": float(self.bias[k])})
        return rows

    def __str__(self) -> str:
        head = f"variance of the gradient of a batch, {self.draws} draws a size, with replacement"
        return f"{head}\n{shown(self.table)}"


class _Moments(NamedTuple):
    """Running moments of gradients (Welford)."""

    draws: Array
    mean: Any
    squares: Any  # sum of squared distances from the mean


def gradient_noise(
    loss: Callable[[Params, Any], Array],
    params: Params,
    data: Any,
    sizes: Sequence[int],
    key: chex.PRNGKey,
    draws: int = 400,
) -> GradientNoise:
    """The variance of the mini-batch gradient of each leaf at fixed parameters, beside the full gradient.

    With examples drawn independently, with replacement, and a loss that is a mean over them, the gradient g_b of a
    batch of b has the mean of the full gradient and the variance of one example's over b:

        E ‖g_b − g‖² = (1/b) E ‖g_1 − g‖².

    Args:
        loss: ``loss(params, batch) -> scalar``, the mean over the examples of a batch; without dropout. Where it looks
            at the batch as a whole, as under batch norm, neither needs to hold: ``bias`` and ``slope`` show it.
        params: pytree of floating arrays.
        data: pytree of arrays with examples in rows, as ``(x, y)`` or a ``Dataset``; a batch is the same with b rows.
        sizes: of the batches, each ≥ 1; they may be larger than the data.
        key: what batches are drawn from.
        draws: batches of each size, ≥ 200.

    Returns:
        a ``GradientNoise``: ``table``, ``slopes``, ``variance``.

    Raises:
        ValueError: for data without rows or with rows of different number, and for numbers out of range.

    Source: McCandlish et al., "An empirical model of large-batch training", 2018, https://arxiv.org/abs/1812.06162;
    ``critical`` is their simple noise scale, of one leaf.

    >>> x = jnp.array([[-1.0], [1.0], [3.0], [1.0]])
    >>> noise = gradient_noise(lambda w, x: jnp.mean(x @ w), jnp.zeros(1), x, (1, 4), jax.random.key(0))
    >>> noise.full.tolist(), bool(abs(noise.variance[0, 0] - 2.0) < 0.3)  # the variance of x is 2
    ([1.0], True)
    """
    sizes = tuple(whole("sizes", b) for b in sizes)
    draws = whole("draws", draws, LEAST)
    if not sizes:
        raise ValueError("`sizes` is empty: name some sizes of batches, as in (1, 4, 16, 64)")
    data = jax.tree.map(jnp.asarray, data)
    rows = {a.shape[0] if a.ndim else 0 for a in jax.tree.leaves(data)}
    if len(rows) != 1 or 0 in rows:
        raise ValueError(f"`data` must hold arrays with the same examples in rows, got {sorted(rows)} rows")
    full = jax.jit(jax.grad(loss))(params, data)
    names = tuple(name or "params" for name in tree.names(params))
    variance, bias = np.empty((len(names), len(sizes))), np.zeros(len(names))
    for k, size in enumerate(sizes):
        found = _drawn(loss, params, data, jax.random.fold_in(key, size), size, draws)
        for i, (mean, squares, g) in enumerate(
            zip(*map(jax.tree.leaves, (found.mean, found.squares, full)), strict=True)
        ):
            variance[i, k] = float(jnp.sum(squares)) / (draws - 1)
            error = np.sqrt(variance[i, k] / draws)
            away = float(jnp.linalg.norm((mean - g.astype(mean.dtype)).reshape(-1)))
            bias[i] = max(bias[i], away / error if error > 0 else 0.0)
    norms = np.array([float(jnp.linalg.norm(g.reshape(-1).astype(working_dtype(g)))) for g in jax.tree.leaves(full)])
    return GradientNoise(sizes, names, variance, norms, bias, draws)


@partial(jax.jit, static_argnames=("loss", "size", "draws"))
def _drawn(loss: Any, params: Any, data: Any, key: Any, size: int, draws: int) -> _Moments:
    """The moments of the gradients of some batches, one after another: memory for two gradients, whatever ``draws``."""
    rows = jax.tree.leaves(data)[0].shape[0]

    def one(seen: _Moments, i: Array) -> tuple[_Moments, None]:
        at = jax.random.randint(jax.random.fold_in(key, i), (size,), 0, rows)
        g = jax.grad(loss)(params, jax.tree.map(lambda a: a[at], data))
        count = seen.draws + 1
        away = jax.tree.map(lambda m, x: x.astype(m.dtype) - m, seen.mean, g)
        mean = jax.tree.map(lambda m, d: m + d / count.astype(m.dtype), seen.mean, away)
        squares = jax.tree.map(lambda s, d, x, m: s + d * (x.astype(m.dtype) - m), seen.squares, away, g, mean)
        return _Moments(count, mean, squares), None

    zeros = tree.zeros_like(params)
    start = _Moments(jnp.zeros((), jnp.int32), zeros, zeros)
    return jax.lax.scan(one, start, jnp.arange(draws, dtype=jnp.int32))[0]
