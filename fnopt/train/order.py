"""The order in which an epoch visits the examples: a function of the key and the epoch alone."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._compile import ONCE


def batches_per_epoch(rows: int, batch_size: int, batch: str | None = None) -> int:
    """How many updates an epoch has; the last batch may be short, and is left out where ``batch`` is "drop".

    >>> batches_per_epoch(1078, 64), batches_per_epoch(1078, 64, "drop"), batches_per_epoch(10, 64, "drop")
    (17, 16, 1)
    """
    size = min(batch_size, rows)
    return rows // size if batch == "drop" else -(-rows // size)


LENGTH = 64  # the most epochs of a table of orders, and so of a segment
ENTRIES = 2**20  # row numbers in a table of orders, at most, where one epoch has no more
LAST = 2**32 - 1  # the sort key of padding


def window(room: int) -> int:
    """How many epochs a table of orders holds, for data padded to ``room`` rows: a power of two.

    >>> window(1078), window(60_000), window(10_000_000)
    (64, 16, 1)
    """
    return min(LENGTH, 1 << max((ENTRIES // room).bit_length() - 1, 0))


@partial(jax.jit, static_argnames=("room", "shuffle"), compiler_options=ONCE)
def epoch_orders(
    key: chex.PRNGKey, first: ArrayLike, count: ArrayLike, rows: ArrayLike, *, room: int, shuffle: bool | str
) -> Array:
    """The orders of ``count`` epochs from ``first``, shape=(window(room), room); what is past them holds zeros.

    A program of its own: all configurations of one seed share the orders, and a sort would be a tenth of what an epoch
    of a small network takes.

    >>> table = epoch_orders(jax.random.key(0), 3, 2, 4, room=6, shuffle=True)
    >>> table[1].tolist() == epoch_order(jax.random.key(0), jnp.asarray(4), jnp.asarray(4), 6, True).tolist()
    True
    """

    def draw(i: Array, table: Array) -> Array:
        return table.at[i].set(epoch_order(key, jnp.asarray(first) + i, jnp.asarray(rows), room, shuffle))

    return jax.lax.fori_loop(0, count, draw, jnp.zeros((window(room), room), jnp.int32))


def epoch_order(key: chex.PRNGKey, epoch: Array, rows: Array, room: int, shuffle: bool | str) -> Array:
    """Row numbers of one epoch, shape=(room,): the first ``rows`` of them are the epoch's, the rest is padding.

    Examples are sorted by a random word each, so the order depends on neither the padding nor the number of examples
    being known to the compiler.

    Args:
        key: of the order of all epochs.
        epoch: counted from 0.
        rows: how many examples there are; may be traced.
        room: how many rows the padded data have.
        shuffle: True for a pass over all examples in random order, False for the order as it stands, and
            ``"replacement"`` for independent draws.

    >>> sorted(epoch_order(jax.random.key(0), jnp.asarray(3), jnp.asarray(4), 6, True)[:4].tolist())
    [0, 1, 2, 3]
    """
    key, places = jax.random.fold_in(key, epoch), jnp.arange(room, dtype=jnp.int32)
    if shuffle == "replacement":
        return jax.random.randint(key, (room,), 0, rows, jnp.int32)
    if not shuffle:
        return places
    words = jnp.minimum(jax.random.bits(key, (room,), jnp.uint32), jnp.uint32(LAST - 1))
    return jax.lax.sort((jnp.where(places < rows, words, jnp.uint32(LAST)), places), num_keys=1)[1]
