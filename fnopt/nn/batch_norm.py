"""Batch normalization of z, before the activation.

In training, over the batch, with weights w (0 for padding) and W = Σ w:
    μ = Σ w z / W,  σ² = Σ w (z − μ)² / W,  z_norm = (z − μ) / √(σ² + eps),  out = scale · z_norm + shift
and exponentially weighted averages of μ and σ² (not of σ) are collected; elsewhere these take the place of μ and σ².
The layer's own bias is left out: the mean takes it off again. With scale = √(σ² + eps) and shift = μ out is z.

Numbers:
    eps: in (0, inf); added to the variance.
    decay: in [0, 1); of the averages: v ← decay · v + (1 − decay) · new.
    unbiased: in [0, 1]; the variance collected is σ² at 0 and σ² W / (W − 1) at 1.
    bias_correction: in [0, 1]; what the averages start from (mean 0, variance ``start``) keeps its share decay^t in
        them at 0 and has none at 1, v / (1 − decay^t).
    start: in [0, inf); the variance that the average starts from, and the one in use before the first batch.

The last two count where the averages are read, outside training, the two before where they are collected.

Other libraries differ in numbers alone: ``**KERAS``, ``**TORCH``. Torch's ``momentum`` is 1 − decay.

Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
Shift", 2015, https://arxiv.org/abs/1502.03167.
"""

from types import MappingProxyType
from typing import Any, TypedDict

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.nn._number import number
from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE, POSITIVE
from fnopt.tree import working_dtype

KERAS = MappingProxyType({"decay": 0.99, "eps": 1e-3, "unbiased": 0.0, "bias_correction": 0.0, "start": 1.0})
"""The numbers of Keras's ``BatchNormalization``."""

TORCH = MappingProxyType({"decay": 0.9, "eps": 1e-5, "unbiased": 1.0, "bias_correction": 0.0, "start": 1.0})
"""The numbers of torch's ``BatchNorm1d``."""


class NormStats(TypedDict):
    """What a layer collects: averages that begin at 0, in at least float32. :func:`averages` reads them."""

    mean: Array  # shape=(units,); of μ
    var: Array  # shape=(units,); of σ²
    seen: Array  # shape=(); of 1: the share of data in the two above, 1 − decay^t


def init_stats(units: int, dtype: Any = None) -> NormStats:
    """Nothing collected yet.

    >>> sorted(init_stats(3))
    ['mean', 'seen', 'var']
    """
    dtype = jnp.float64 if jnp.dtype(jnp.result_type(float) if dtype is None else dtype) == jnp.float64 else jnp.float32
    return NormStats(mean=jnp.zeros(units, dtype), var=jnp.zeros(units, dtype), seen=jnp.zeros((), dtype))


def averages(stats: NormStats, bias_correction: ArrayLike = 1.0, start: ArrayLike = 1.0) -> tuple[Array, Array]:
    """The mean and variance that stand for a batch's outside training, each shape=(units,).

    Args:
        stats: what training collected.
        bias_correction: see the module.
        start: see the module.

    >>> [a.tolist() for a in averages(init_stats(2))]
    [[0.0, 0.0], [1.0, 1.0]]
    """
    dtype = stats["mean"].dtype
    correction = number("bias_correction", bias_correction, FRACTION, dtype)
    start = number("start", start, NONNEGATIVE, dtype)
    rest = (1 - correction) * (1 - stats["seen"])
    whole = stats["seen"] + rest
    some = whole > 0
    safe = jnp.where(some, whole, 1)
    return stats["mean"] / safe, jnp.where(some, (stats["var"] + rest * start) / safe, start)


def batch_norm(
    z: Array,
    scale: Array,
    shift: Array,
    stats: NormStats,
    *,
    train: bool,
    weight: Array | None = None,
    eps: ArrayLike = 1e-3,
    decay: ArrayLike = 0.99,
    unbiased: ArrayLike = 0.0,
    bias_correction: ArrayLike = 1.0,
    start: ArrayLike = 1.0,
) -> tuple[Array, NormStats]:
    """``(out, stats)``: z normalized and scaled, by the batch in training and by what was collected elsewhere.

    Args:
        z: shape=(batch, units); outside training any shape=(…, units).
        scale: shape=(units,), learned; 1 at the start. Often γ.
        shift: shape=(units,), learned; 0 at the start. Often β.
        stats: from :func:`init_stats` or the last call.
        train: whether to use and collect the batch's own mean and variance.
        weight: shape=(batch,), not negative; how much each example counts; None for all alike. A batch whose weights
            are all 0 leaves the stats as they are.
        eps: these and the rest are numbers, see the module.
        decay: see the module.
        unbiased: see the module.
        bias_correction: see the module.
        start: see the module.

    Raises:
        ValueError: in training, for a z that is no batch.

    >>> z = jnp.array([[1.0], [3.0]])
    >>> out, stats = batch_norm(z, jnp.ones(1), jnp.zeros(1), init_stats(1), train=True)
    >>> out.round(3).tolist(), [a.round(3).tolist() for a in averages(stats)]
    ([[-1.0], [1.0]], [[2.0], [1.0]])
    """
    dtype = working_dtype(z)
    x = z.astype(dtype)
    if train:
        mean, var, total = _moments(x, weight)
        stats = _collect(stats, mean, var, total, decay, unbiased)
    else:
        mean, var = (a.astype(dtype) for a in averages(stats, bias_correction, start))
    root = jnp.sqrt(var + number("eps", eps, POSITIVE, dtype))
    mean, slope, shift = (jnp.broadcast_to(a.astype(dtype), x.shape) for a in (mean, scale.astype(dtype) / root, shift))
    return ((x - mean) * slope + shift).astype(z.dtype), stats


def _moments(x: Array, weight: Array | None) -> tuple[Array, Array, Array]:
    """Weighted mean and variance over the batch, and the sum of the weights."""
    if x.ndim != 2:
        raise ValueError(
            f"batch norm in training needs a batch, z of shape (batch, units), got {x.shape}; "
            "for one example write x[None, :], or train=False"
        )
    w = jnp.ones(x.shape[0], x.dtype) if weight is None else weight.astype(x.dtype)
    if w.shape != x.shape[:1]:
        raise ValueError(f"`weight` must have one number an example, shape ({x.shape[0]},), got {w.shape}")
    total = jnp.sum(w)
    share = (w / jnp.where(total > 0, total, 1))[:, None]
    x = jnp.where(w[:, None] > 0, x, 0)  # whatever stands in padding, even NaN, stays out
    mean = jnp.sum(share * x, axis=0)
    return mean, jnp.sum(share * jnp.square(x - mean[None, :]), axis=0), total


def _collect(
    stats: NormStats, mean: Array, var: Array, total: Array, decay: ArrayLike, unbiased: ArrayLike
) -> NormStats:
    """The averages after one more batch."""
    dtype = stats["mean"].dtype
    decay, unbiased = number("decay", decay, DECAY, dtype), number("unbiased", unbiased, FRACTION, dtype)
    total = total.astype(dtype)
    # W/(W − 1) for two examples and more; weights that sum to less get a factor between 1 and 3, never a negative one.
    factor = jnp.maximum(total / jnp.maximum(total - 1, 0.5), 1)
    var = var.astype(dtype) * (1 - unbiased + unbiased * factor)
    batch = NormStats(mean=mean.astype(dtype), var=var, seen=jnp.ones((), dtype))

    def average(old: Array, new: Array) -> Array:
        return jnp.where(total > 0, decay * old + (1 - decay) * new, old)

    return NormStats(**{name: average(stats[name], batch[name]) for name in ("mean", "var", "seen")})
