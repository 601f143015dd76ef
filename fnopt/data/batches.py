"""Mini-batches for loops of one's own."""

from collections.abc import Iterator
from operator import index
from typing import Any, Literal

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from fnopt._checks import one_of
from fnopt._types import Batch, Dataset
from fnopt.data._rows import as_key, checked, permutation


def batches(
    data: Dataset,
    size: int,
    *,
    key: chex.PRNGKey | None = None,
    epochs: int = 1,
    sampling: Literal["shuffle", "replacement", "order"] = "shuffle",
) -> Iterator[Batch]:
    """The batches of some epochs, each loaded when it is asked for.

    Args:
        data: shape=(m, …) arrays; NumPy arrays, memory-mapped ones too, are read a batch at a time.
        size: examples a batch, ≥ 1. 1 is stochastic, m or more is full-batch gradient descent. The last batch of an
            epoch has what is left, at its true size.
        key: what the order comes from; epoch k takes ``fold_in(key, k)``. Of no use with ``sampling="order"``.
        epochs: passes over the data, ≥ 1.
        sampling: "shuffle", every example exactly once an epoch in random order; "replacement", m independent draws
            an epoch; "order", the rows as they stand.

    Returns:
        An iterator of ``Batch(x, y, weight)``; weights are 1 where the data have none.

    Raises:
        ValueError: for a size or a number of epochs below 1.
        TypeError: for what is no dataset, no whole number or no key.

    >>> import jax, numpy as np
    >>> from fnopt.data import dataset
    >>> data = dataset(np.arange(5.0)[:, None], np.arange(5))
    >>> [batch.y.tolist() for batch in batches(data, 2, sampling="order")]
    [[0, 1], [2, 3], [4]]
    >>> sorted(int(y) for batch in batches(data, 2, key=jax.random.key(0)) for y in batch.y)
    [0, 1, 2, 3, 4]
    """
    checked(data)
    one_of("sampling", sampling, ("shuffle", "replacement", "order"))
    size, epochs = _whole("size", size), _whole("epochs", epochs)
    if sampling != "order":
        key = as_key(key, 'write key=jax.random.key(0), or sampling="order"')
    return _walk(data, size, key, epochs, sampling)


def _walk(data: Dataset, size: int, key: Any, epochs: int, sampling: str) -> Iterator[Batch]:
    m = len(data)
    weight = np.ones(m, np.result_type(jnp.result_type(float))) if data.weight is None else data.weight
    x, y, weight = (a if isinstance(a, np.ndarray | Tracer) else np.asarray(a) for a in (data.x, data.y, weight))
    for epoch in range(epochs):
        rows = _rows(m, sampling, None if key is None or sampling == "order" else jax.random.fold_in(key, epoch))
        for start in range(0, m, size):
            some = rows[start : start + size]
            yield Batch(*(_taken(a, some) for a in (x, y, weight)))


def _taken(a: Any, rows: Any) -> jax.Array:
    """Some rows on the device, in JAX's types; traced where the array or the rows are."""
    if isinstance(a, Tracer) or isinstance(rows, Tracer):
        return jnp.take(jnp.asarray(a), rows, axis=0)
    return jnp.asarray(a[rows].astype(a.dtype.newbyteorder("="), copy=False))


def _rows(m: int, sampling: str, key: Any) -> Any:
    if sampling == "order":
        return np.arange(m)
    if sampling == "shuffle":
        return permutation(key, m)
    if isinstance(key, Tracer):
        return jax.random.randint(key, (m,), 0, m)
    with jax.ensure_compile_time_eval():
        return np.asarray(jax.random.randint(key, (m,), 0, m))


def _whole(name: str, value: Any) -> int:
    try:
        number = index(value)
    except TypeError as error:
        raise TypeError(f"`{name}` must be a whole number ≥ 1, got {value!r}") from error
    if isinstance(value, bool) or number < 1:
        raise ValueError(f"`{name}` must be a whole number ≥ 1, got {value!r}")
    return number
