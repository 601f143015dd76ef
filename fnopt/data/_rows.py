"""Orders of examples from keys, and rows by number."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._compile import ONCE
from fnopt._types import Dataset
from fnopt.tree import on_device


def checked(data: Any) -> Dataset:
    """The dataset, or TypeError with the way to make one."""
    if not isinstance(data, Dataset):
        raise TypeError(f"`data` must be a Dataset, got {type(data).__name__}; write fo.data.dataset(x, y)")
    return data


def as_key(key: Any, cure: str = "write key=jax.random.key(0)") -> jax.Array:
    """One typed key, from a typed one, an old-style one or a seed."""
    if isinstance(key, int) and not isinstance(key, bool):
        return jax.random.key(key)
    if isinstance(key, jax.Array | np.ndarray):
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ():
            return jnp.asarray(key)
        if key.dtype == np.uint32 and key.shape == (2,):
            return jax.random.wrap_key_data(jnp.asarray(key))
    raise TypeError(f"`key` must be one key, got {key!r}; {cure}")


def permutation(key: jax.Array, count: int) -> np.ndarray:
    """The numbers 0 to ``count`` − 1 in random order."""
    return np.asarray(_permutation(key, count))


@partial(jax.jit, static_argnums=1, compiler_options=ONCE)
def _permutation(key: jax.Array, count: int) -> jax.Array:
    return jax.random.permutation(key, count)


def take(data: Dataset, rows: np.ndarray) -> Dataset:
    """The examples of these rows, in this order; arrays of NumPy stay so."""

    def some(a: Any) -> Any:
        return a[rows] if isinstance(a, np.ndarray) else on_device(np.asarray(a)[rows])

    weight = None if data.weight is None else some(data.weight)
    return data._replace(x=some(data.x), y=some(data.y), weight=weight)
