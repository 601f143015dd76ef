"""The order in which an epoch visits the examples: a function of the key and the epoch alone."""

import chex
import jax
import jax.numpy as jnp
from jax import Array


def batches_per_epoch(rows: int, batch_size: int) -> int:
    """How many updates an epoch makes; the last batch may be short.

    >>> batches_per_epoch(1078, 64)
    17
    """
    return -(-rows // min(batch_size, rows))


def epoch_order(key: chex.PRNGKey, epoch: Array, rows: int, shuffle: bool | str) -> Array:
    """Row numbers of one epoch, shape=(rows,).

    ``shuffle`` is True for a pass over all examples in random order, False for the order as it stands, and
    ``"replacement"`` for independent draws.

    >>> sorted(epoch_order(jax.random.key(0), jnp.asarray(3), 4, True).tolist())
    [0, 1, 2, 3]
    """
    if shuffle == "replacement":
        order = jax.random.randint(jax.random.fold_in(key, epoch), (rows,), 0, rows)
    elif shuffle:
        order = jax.random.permutation(jax.random.fold_in(key, epoch), rows)
    else:
        order = jnp.arange(rows)
    return order.astype(jnp.int32)
