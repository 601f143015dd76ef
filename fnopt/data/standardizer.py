"""Standardization: zero mean and unit variance, with the moments of the training part alone."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt.tree import on_device, working_dtype

BLOCK = 1 << 22  # entries a block in float64: 32 MiB, so that large data need no second copy of themselves


@partial(jax.tree_util.register_dataclass, data_fields=["mean", "scale"], meta_fields=[])
@dataclass(frozen=True)
class Standardizer:
    """z = (x − mean) / scale, a pytree that can be called; :func:`standardizer` makes one.

    A feature that was constant (``scale`` 0) gives 0 whatever comes later, since no weight on it was ever trained; so
    does a missing cell (NaN), which is to stand at the mean.

    >>> scale = Standardizer(mean=jnp.array([1.0, 5.0]), scale=jnp.array([2.0, 0.0]))
    >>> scale(jnp.array([[3.0, 5.0], [jnp.nan, 6.0]])).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """

    mean: Array  # shape of one example
    scale: Array  # shape of one example, ≥ 0; the standard deviation with 1/m

    def __call__(self, x: ArrayLike) -> Array:
        """Standardized, in at least float32; ``x`` is shape=(m, …) as in training, or one example."""
        return _scaled(self._aligned(x), self.mean, self.scale)

    def inverse(self, z: ArrayLike) -> Array:
        """Back to the units of the data: mean + scale z; a constant feature gives its constant.

        >>> Standardizer(jnp.float32(10.0), jnp.float32(2.0)).inverse(jnp.array([-1.0, 0.0])).tolist()
        [8.0, 10.0]
        """
        return _unscaled(self._aligned(z), self.mean, self.scale)

    def _aligned(self, x: ArrayLike) -> Array:
        x, shape = on_device(x) if isinstance(x, np.ndarray) else jnp.asarray(x), jnp.shape(self.mean)
        if x.shape[x.ndim - len(shape) :] != shape or x.ndim > len(shape) + 1:
            raise ValueError(f"expected examples of shape {shape} in rows, got x of shape {x.shape}")
        dtype = jnp.float64 if jnp.float64 in (x.dtype, self.mean.dtype) else jnp.float32
        return x.astype(dtype)


@jax.jit
def _scaled(x: Array, mean: Array, scale: Array) -> Array:
    mean, scale = (jnp.broadcast_to(a.astype(x.dtype), x.shape) for a in (mean, scale))
    varies = scale > 0
    here = jnp.where(jnp.isnan(x), mean, x)
    return jnp.where(varies, (here - mean) / jnp.where(varies, scale, 1), 0)


@jax.jit
def _unscaled(z: Array, mean: Array, scale: Array) -> Array:
    mean, scale = (jnp.broadcast_to(a.astype(z.dtype), z.shape) for a in (mean, scale))
    return mean + scale * z


def standardizer(x: ArrayLike, weight: ArrayLike | None = None) -> Standardizer:
    """Mean and standard deviation of each feature over the examples.

    mean = Σ w x / Σ w,  scale² = Σ w (x − mean)² / Σ w, in two passes and in float64 where ``x`` is concrete. Missing
    cells (NaN) are left out of both; a constant or wholly missing feature has scale 0.

    Args:
        x: shape=(m, …), the training part; shape=(m,) for a target.
        weight: shape=(m,), not negative; what each example counts. None: all alike.

    Returns:
        A :class:`Standardizer` in float32 (float64 for float64).

    Raises:
        ValueError: for no examples, an infinite cell, or weights of another length, negative or all 0.
        TypeError: for what is not real numbers.

    The moments of scikit-learn's ``StandardScaler``, which however lets a feature that was constant through unscaled.

    >>> scale = standardizer(jnp.array([[1.0, 7.0], [3.0, 7.0]]))
    >>> scale.mean.tolist(), scale.scale.tolist()
    ([2.0, 7.0], [1.0, 0.0])
    """
    if isinstance(x, Tracer) or isinstance(weight, Tracer):
        return _traced(jnp.asarray(x), weight)
    x, w = _checked(x, weight)
    rows = x.reshape(len(x), -1)
    width = max(1, BLOCK // len(x))
    blocks = [_moments(np, rows[:, i : i + width].astype(np.float64), w) for i in range(0, rows.shape[1], width)]
    mean, scale = (np.concatenate(parts).reshape(x.shape[1:]) for parts in zip(*blocks, strict=True))
    dtype = jax.dtypes.canonicalize_dtype(np.float64) if x.dtype == np.float64 else np.dtype(np.float32)
    scale = np.where(scale < np.finfo(dtype).tiny, 0, scale)  # what a device would flush to 0 is constant
    return Standardizer(on_device(mean.astype(dtype)), on_device(scale.astype(dtype)))


def _checked(x: ArrayLike, weight: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(x)
    if x.dtype.kind not in "biu" and not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"standardizer takes an array of real numbers, such as train.x, got {x.dtype}")
    if not x.ndim or not x.size:
        raise ValueError(f"standardizer takes at least one example in rows, got shape {x.shape}")
    if np.isinf(x).any():
        raise ValueError(f"standardizer takes finite numbers, got {x[np.isinf(x)][0]} at {np.argwhere(np.isinf(x))[0]}")
    w = np.ones(len(x)) if weight is None else np.asarray(weight, np.float64)
    if w.shape != (len(x),) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise ValueError(f"`weight` must be {len(x)} finite numbers ≥ 0, not all 0, got shape {w.shape}")
    return x, w


def _traced(x: Array, weight: ArrayLike | None) -> Standardizer:
    dtype = working_dtype(x)
    w = jnp.ones(x.shape[0], dtype) if weight is None else jnp.asarray(weight).astype(dtype)
    mean, scale = _moments(jnp, x.reshape(x.shape[0], -1).astype(dtype), w)
    return Standardizer(mean.reshape(x.shape[1:]), scale.reshape(x.shape[1:]))


def _moments(xp: Any, x: Any, weight: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of each column; ``xp`` is NumPy or its JAX counterpart."""
    seen = ~xp.isnan(x) & (weight > 0)[:, None]
    x = xp.where(seen, x, 0)
    w = xp.where(seen, weight[:, None], 0)
    total = w.sum(axis=0)
    total = xp.where(total > 0, total, 1)
    rough = (w * x).sum(axis=0) / total
    mean = rough + (w * (x - rough[None, :])).sum(axis=0) / total  # the second pass takes the first one's rounding out
    low, high = xp.where(seen, x, xp.inf).min(axis=0), xp.where(seen, x, -xp.inf).max(axis=0)
    varies, variance = low < high, (w * xp.square(x - mean[None, :])).sum(axis=0) / total
    scale = xp.where(varies, xp.sqrt(xp.where(varies, variance, 1)), 0)
    return xp.where(varies, mean, xp.where(low <= high, low, 0)), scale
