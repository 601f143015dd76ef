"""Standardization: zero mean and unit variance, with the moments of the training part alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt.data._cells import blocks
from fnopt.tree import working_dtype

FAR = 1000  # scales
MOST = 5e-13  # a column whose deviation is less, relative to the mean, may be called constant
NOISE = 8 * np.finfo(np.float64).eps  # a column whose values differ by less, relative to the largest, is constant


@partial(jax.tree_util.register_dataclass, data_fields=["mean", "scale"], meta_fields=[])
@dataclass(frozen=True)
class Standardizer:
    """z = (x − mean) / scale, a pytree that can be called; :func:`standardizer` makes one.

    The moments are float64 arrays of NumPy, and concrete examples are scaled in float64: an offset that is large beside
    the spread costs no digits. Under a trace all is computed in the type of the examples.

    A feature that was constant (``scale`` 0) gives 0 whatever comes later, since no weight on it was ever trained; so
    does a missing cell (NaN), which is to stand at the mean.

    >>> scale = Standardizer(mean=np.array([1.0, 5.0]), scale=np.array([2.0, 0.0]))
    >>> scale(jnp.array([[3.0, 5.0], [jnp.nan, 6.0]])).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """

    mean: Any  # shape of one example, float64
    scale: Any  # shape of one example, float64, ≥ 0; the standard deviation with 1/m

    def __call__(self, x: ArrayLike) -> Array:
        """Standardized, in at least float32; ``x`` is shape=(m, …) as in training, or one example."""
        if self._traced(x):
            rows: Any = self._aligned(jnp.asarray(x))
            return _scaled(rows.astype(working_dtype(rows)), self.mean, self.scale)
        return jax.device_put(self.on_host(x))

    def on_host(self, x: ArrayLike) -> np.ndarray:
        """The same of concrete examples, as an array of NumPy's: computed in float64, block by block.

        >>> Standardizer(np.array([1e9]), np.array([2.0])).on_host([[1e9 + 1]]).tolist()
        [[0.5]]
        """
        given, mean, scale = self._aligned(np.asarray(x)), np.asarray(self.mean), np.asarray(self.scale)
        z, divisor = np.empty(given.shape, _result_type(given)), np.where(scale > 0, scale, 1)
        rows, out = (given, z) if given.ndim > mean.ndim else (given[None], z[None])
        for block in blocks(rows):
            centred = rows[block].astype(np.float64) - mean
            with np.errstate(over="ignore"):  # what does not fit the type becomes infinite, as in any cast
                out[block] = np.where((scale > 0) & ~np.isnan(centred), centred / divisor, 0)
        return z

    def inverse(self, z: ArrayLike) -> Any:
        """Back to the units of the data: mean + scale z; a constant feature gives its constant.

        An array of JAX's; of NumPy's, in float64, where a mean is more than 1,000 scales off and float32 would lose it.

        >>> Standardizer(np.float64(10.0), np.float64(2.0)).inverse(jnp.array([-1.0, 0.0])).tolist()
        [8.0, 10.0]
        """
        if self._traced(z):
            rows: Any = self._aligned(jnp.asarray(z))
            return _unscaled(rows.astype(working_dtype(rows)), self.mean, self.scale)
        values, scale = self.inverse_on_host(z), np.asarray(self.scale)
        far = (scale > 0) & (np.abs(self.mean) > FAR * scale)
        return values if far.any() else jax.device_put(values.astype(_result_type(np.asarray(z))))

    def inverse_on_host(self, z: ArrayLike) -> np.ndarray:
        """The same of concrete values, in float64: float32 has no place for 1e9 + 0.5."""
        return self.mean + self.scale * self._aligned(np.asarray(z)).astype(np.float64)

    def _traced(self, x: ArrayLike) -> bool:
        return any(isinstance(a, Tracer) for a in (x, self.mean, self.scale))

    def _aligned(self, x: Any) -> Any:
        shape = jnp.shape(self.mean)
        if x.shape[x.ndim - len(shape) :] != shape or x.ndim > len(shape) + 1:
            raise ValueError(f"expected examples of shape {shape} in rows, got x of shape {x.shape}")
        return x


def _result_type(x: np.ndarray) -> Any:
    """float64 for float64 where JAX has it, else float32."""
    return jax.dtypes.canonicalize_dtype(np.float64) if x.dtype == np.float64 else np.dtype(np.float32)


@jax.jit
def _scaled(x: Array, mean: Array, scale: Array) -> Array:
    mean, scale = (jnp.broadcast_to(jnp.asarray(a).astype(x.dtype), x.shape) for a in (mean, scale))
    varies = scale > 0
    here = jnp.where(jnp.isnan(x), mean, x)
    return jnp.where(varies, (here - mean) / jnp.where(varies, scale, 1), 0)


@jax.jit
def _unscaled(z: Array, mean: Array, scale: Array) -> Array:
    mean, scale = (jnp.broadcast_to(jnp.asarray(a).astype(z.dtype), z.shape) for a in (mean, scale))
    return mean + scale * z


def standardizer(x: ArrayLike, weight: ArrayLike | None = None) -> Standardizer:
    """Mean and standard deviation of each feature over the examples.

    mean = Σ w x / Σ w,  scale² = Σ w (x − mean)² / Σ w, in two passes and in float64 where ``x`` is concrete. Missing
    cells (NaN) are left out of both; a constant or wholly missing feature has scale 0. So has one whose values
    differ by rounding alone, unless they are whole numbers: by 8 × 2⁻⁵² of the largest, by one step of float32 where
    they are of that type, or with a deviation of at most m × 2⁻⁵² (and 5e-13) of the mean, as in scikit-learn.

    Args:
        x: shape=(m, …), the training part; shape=(m,) for a target.
        weight: shape=(m,), not negative; what each example counts: a row of weight 2 is two rows. None: all alike.

    Returns:
        A :class:`Standardizer` in float64; under a trace, in the type of ``x``.

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
    mean, scale = _moments(x.reshape(len(x), -1), w)
    return Standardizer(mean.reshape(x.shape[1:]), scale.reshape(x.shape[1:]))


def _checked(x: ArrayLike, weight: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(x)
    if x.dtype.kind not in "biu" and not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"standardizer takes an array of real numbers, such as train.x, got {x.dtype}")
    if not x.ndim or not x.size:
        raise ValueError(f"standardizer takes at least one example in rows, got shape {x.shape}")
    for block in blocks(x):
        odd = np.argwhere(np.isinf(x[block]))
        if len(odd):
            raise ValueError(
                f"standardizer takes finite numbers, got {x[block][tuple(odd[0])]} at {odd[0] + _first(x, block)}"
            )
    w = np.ones(len(x)) if weight is None else np.asarray(weight, np.float64)
    if w.shape != (len(x),) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise ValueError(f"`weight` must be {len(x)} finite numbers ≥ 0, not all 0, got shape {w.shape}")
    return x, w


def _first(x: np.ndarray, block: slice) -> np.ndarray:
    """Where a block begins, as an index."""
    return np.array([block.start, *[0] * (x.ndim - 1)])


def _moments(x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column, in float64: one pass for the mean, one for the deviations from it."""
    columns = x.shape[1]
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    total, first = np.zeros(columns), np.zeros(columns)
    for rows, w, seen in _seen(x, weight):
        low = np.minimum(low, np.where(seen, rows, np.inf).min(axis=0))
        high = np.maximum(high, np.where(seen, rows, -np.inf).max(axis=0))
        first, total = first + (w * np.where(seen, rows, 0)).sum(axis=0), total + w.sum(axis=0)
    total = np.where(total > 0, total, 1)
    mean = first / total
    gap, square = np.zeros(columns), np.zeros(columns)
    unit = _power_of_2(np.maximum(np.abs(high - mean), np.abs(low - mean)))  # squares of tiny numbers would be 0
    for rows, w, seen in _seen(x, weight):
        deviation = np.where(seen, rows - mean, 0) / unit
        gap, square = gap + (w * deviation).sum(axis=0), square + (w * np.square(deviation)).sum(axis=0)
    gap = gap / total  # what rounding left of Σ w (x − mean)
    mean, variance = mean + gap * unit, np.maximum(square / total - np.square(gap), 0)
    there = low <= high
    low, high = np.where(there, low, 0), np.where(there, high, 0)
    mean, deviation = np.clip(mean, low, high), np.sqrt(variance) * unit
    rounding = min(len(x) * np.finfo(np.float64).eps, MOST) * np.abs(mean)
    varies = _varies(np, low, high, x.dtype) & ((deviation > rounding) | _whole(np, low, high))
    return mean, np.where(varies, deviation, 0)


def _power_of_2(size: np.ndarray) -> np.ndarray:
    """The power of 2 next above each size, 1 for what is 0 or infinite: dividing by it rounds nothing."""
    size = np.where((size > 0) & np.isfinite(size), size, 1)
    return np.ldexp(1.0, np.frexp(size)[1])


def _seen(x: np.ndarray, weight: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Blocks of rows in float64, the weight of each cell, and whether the cell counts."""
    for block in blocks(x):
        rows = x[block].astype(np.float64)
        seen = ~np.isnan(rows) & (weight[block] > 0)[:, None]
        yield rows, np.where(seen, weight[block][:, None], 0), seen


def _varies(xp: Any, low: Any, high: Any, dtype: Any) -> Any:
    """Whether the values of columns differ by more than rounding; whole numbers are never rounded."""
    step = np.finfo(np.float32).eps if dtype == np.float32 else NOISE
    return (high - low > step * xp.maximum(abs(low), abs(high))) | _whole(xp, low, high)


def _whole(xp: Any, low: Any, high: Any) -> Any:
    return (low < high) & (low == xp.round(low)) & (high == xp.round(high))


def _traced(x: Array, weight: ArrayLike | None) -> Standardizer:
    dtype = working_dtype(x)
    w = jnp.ones(x.shape[0], dtype) if weight is None else jnp.asarray(weight).astype(dtype)
    source = x.dtype if x.dtype == jnp.float32 else np.float64
    mean, scale = _traced_moments(x.reshape(x.shape[0], -1).astype(dtype), w, source)
    return Standardizer(mean.reshape(x.shape[1:]), scale.reshape(x.shape[1:]))


def _traced_moments(x: Array, weight: Array, source: Any) -> tuple[Array, Array]:
    """As :func:`_moments`, in the type of ``x``."""
    seen = ~jnp.isnan(x) & (weight > 0)[:, None]
    x = jnp.where(seen, x, 0)
    w = jnp.where(seen, weight[:, None], 0)
    total = w.sum(axis=0)
    total = jnp.where(total > 0, total, 1)
    rough = (w * x).sum(axis=0) / total
    mean = rough + (w * (x - rough[None, :])).sum(axis=0) / total  # the second pass takes the first one's rounding out
    low, high = jnp.where(seen, x, jnp.inf).min(axis=0), jnp.where(seen, x, -jnp.inf).max(axis=0)
    there = low <= high
    low, high = jnp.where(there, low, 0), jnp.where(there, high, 0)
    varies = _varies(jnp, low, high, source)
    variance = (w * jnp.square(x - mean[None, :])).sum(axis=0) / total
    scale = jnp.where(varies, jnp.sqrt(jnp.where(varies, variance, 1)), 0)
    return jnp.clip(mean, low, high), scale
