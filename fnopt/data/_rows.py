"""Orders of examples from keys, and rows by number."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from fnopt._checks import brief
from fnopt._compile import ONCE
from fnopt._forks import check_fork
from fnopt._types import Dataset
from fnopt.tree import on_device


def checked(data: Any) -> Dataset:
    """The dataset, or TypeError with the way to make one."""
    if not isinstance(data, Dataset):
        raise TypeError(f"`data` must be a Dataset, got {type(data).__name__}; write fo.data.dataset(x, y)")
    return data


def as_key(key: Any, cure: str = "write key=jax.random.key(0)") -> jax.Array:
    """One typed key, from a typed one, an old-style one or a seed."""
    check_fork()
    if isinstance(key, int) and not isinstance(key, bool):
        return jax.random.key(as_seed(key))
    if isinstance(key, jax.Array | np.ndarray):
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ():
            return jnp.asarray(key)
        if key.dtype == np.uint32 and key.shape == (2,):
            return jax.random.wrap_key_data(jnp.asarray(key))
    raise TypeError(f"`key` must be one key, got {key!r}; {cure}")


def as_seed(seed: Any) -> int:
    """A seed that one word of a key holds; others would be taken modulo 2³² without a word."""
    if not -(2**31) <= int(seed) < 2**32:
        raise ValueError(f"`key` as a seed must be below 2**32, got {brief(seed)}")
    return int(seed)


def permutation(key: jax.Array, count: int) -> Any:
    """The numbers 0 to ``count`` − 1 in random order: NumPy's, or traced where the key is."""
    if isinstance(key, Tracer):
        return jax.random.permutation(key, count)
    with jax.ensure_compile_time_eval():
        return np.asarray(_permutation(key, count))


@partial(jax.jit, static_argnums=1, compiler_options=ONCE)
def _permutation(key: jax.Array, count: int) -> jax.Array:
    return jax.random.permutation(key, count)


def take(data: Dataset, rows: Any) -> Dataset:
    """The examples of these rows, in this order; arrays of NumPy stay so, and what is traced stays traced."""

    def some(a: Any) -> Any:
        if isinstance(a, Tracer) or isinstance(rows, Tracer):
            return jnp.take(jnp.asarray(a), rows, axis=0)
        return a[rows] if isinstance(a, np.ndarray) else on_device(np.asarray(a)[rows])

    weight = None if data.weight is None else some(data.weight)
    return data._replace(x=some(data.x), y=some(data.y), weight=weight)


def where(found: Any, count: int) -> Any:
    """The ``count`` places where ``found`` holds, ascending."""
    return jnp.nonzero(found, size=count)[0] if isinstance(found, Tracer) else np.flatnonzero(found)


def scattered(places: Any, values: np.ndarray) -> Any:
    """An array with ``values`` at ``places``, which are all places there are."""
    if isinstance(places, Tracer):
        return jnp.zeros(len(values), jnp.int32).at[places].set(values)
    made = np.empty(len(values), np.int64)
    made[places] = values
    return made


def known_groups(groups: Any, key: Any) -> None:
    """ValueError under a trace, where the sizes of parts of whole groups would depend on the key."""
    if isinstance(groups, Tracer) or isinstance(key, Tracer):
        raise ValueError(
            "the sizes of parts of whole groups depend on the key, and jit must know them: split outside of jit"
        )


def class_labels(data: Dataset) -> np.ndarray:
    """The labels of the classes, one an example, known."""
    if isinstance(data.y, Tracer):
        raise ValueError(
            "the sizes of parts with stratify=True depend on y, and jit must know them: split outside of jit"
        )
    y = np.asarray(data.y)
    if y.ndim != 1 or y.dtype.kind not in "biuUS":
        raise ValueError(f"stratify=True wants one class label an example, got y of shape {y.shape}, {y.dtype}")
    return y


def example_groups(groups: Any, m: int) -> np.ndarray:
    """The group of each of ``m`` examples."""
    groups = np.asarray(groups)
    if groups.shape != (m,):
        raise ValueError(f"`groups` must have shape ({m},), one an example, got {groups.shape}")
    return groups.astype(str) if groups.dtype.kind == "O" else groups
