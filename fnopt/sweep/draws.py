"""What the lanes of one seed and fold draw from: their keys, and the orders of their epochs."""

from collections import OrderedDict
from threading import Lock
from typing import Any

import chex
import jax
import numpy as np
from jax import Array

from fnopt.train import Keys, Part, epoch_orders, keys_of, window

DRAWS = 256  # seeds and folds remembered
BYTES = 2**26  # of tables remembered, the newest aside: they are quickly drawn again

_LOCK = Lock()
_MADE: OrderedDict[Any, "Draws"] = OrderedDict()
_NAMES: OrderedDict[int, tuple[chex.PRNGKey, Any]] = OrderedDict()  # of keys, which are dear to look into
_TABLES: OrderedDict[Any, tuple[int, Array]] = OrderedDict()  # of orders, with how many epochs each holds


class Draws:
    """Keys, and tables of orders drawn once for all chunks that share them. Threads may share it."""

    def __init__(self, keys: Keys):
        self.keys = keys

    def orders(self, part: Part, shuffle: bool | str, age: int, until: int) -> Array:
        """The table with the orders of the epochs from ``age`` to ``until``, as far as one table reaches."""
        room, rows = part.x.shape[0], int(part.rows)
        length = window(room)
        first = age // length * length
        count = min(length, until - first)
        with _LOCK:
            name = *_name(self.keys.order), first, rows, room, shuffle
            have, table = _TABLES.get(name, (0, None))
            if table is not None and have >= count:
                _TABLES.move_to_end(name)
                return table
        numbers = np.int32(first), np.int32(count), np.int32(rows)
        table = epoch_orders(self.keys.order, *numbers, room=room, shuffle=shuffle)
        with _LOCK:
            _TABLES[name] = count, table
            _TABLES.move_to_end(name)
            while len(_TABLES) > 1 and sum(table.nbytes for _, table in _TABLES.values()) > BYTES:
                _TABLES.popitem(last=False)
        return table


def draws_of(key: chex.PRNGKey, seed: int, fold: int | None) -> Draws:
    """The draws of one seed and fold, made where they are not remembered; ``fold`` is None where there is one."""
    with _LOCK:
        name = *_name(key), seed, fold
        if name not in _MADE:
            _MADE[name] = Draws(_keys(key, np.int32(seed), None if fold is None else np.int32(fold)))
            while len(_MADE) > DRAWS:
                _MADE.popitem(last=False)
        _MADE.move_to_end(name)
        return _MADE[name]


def _name(key: chex.PRNGKey) -> Any:
    """What tells keys apart: device, kind and words."""
    if id(key) not in _NAMES:
        (device,) = key.devices()
        words = np.asarray(jax.random.key_data(key)).tobytes()
        _NAMES[id(key)] = key, (device, str(jax.random.key_impl(key)), words)  # the key too, or its id may be another's
        while len(_NAMES) > DRAWS:
            _NAMES.popitem(last=False)
    return _NAMES[id(key)][1]


@jax.jit
def _keys(key: chex.PRNGKey, seed: Any, fold: Any) -> Keys:
    key = jax.random.fold_in(key, seed)
    return keys_of(key if fold is None else jax.random.fold_in(key, fold))
