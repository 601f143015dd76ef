"""What the lanes of one seed and fold draw from: their keys, the orders of their epochs, their initial weights."""

from collections import OrderedDict
from functools import partial
from threading import Lock
from typing import Any

import chex
import jax
import numpy as np
from jax import Array

from fnopt._compile import ONCE
from fnopt._types import Batch, Params, Stats, Trial
from fnopt.sweep.compiled import draw_program
from fnopt.sweep.merge import drawn_alike
from fnopt.train import Keys, Part, epoch_orders, keys_of, window

PARTITIONABLE = "jax_threefry_partitionable"
DRAWS = 256  # seeds and folds remembered
BYTES = 2**26  # of orders and of weights remembered, the newest aside: they are quickly drawn again

_LOCK = Lock()
_MADE: OrderedDict[Any, "Draws"] = OrderedDict()
_NAMES: OrderedDict[int, tuple[chex.PRNGKey, Any]] = OrderedDict()  # of keys, which are dear to look into


class Newest:
    """What was made last under each name, as far as BYTES reach. Threads may share it."""

    def __init__(self) -> None:
        self._made: OrderedDict[Any, Any] = OrderedDict()

    def get(self, name: Any) -> Any:
        """What was put under a name, or None."""
        with _LOCK:
            if name in self._made:
                self._made.move_to_end(name)
            return self._made.get(name)

    def put(self, name: Any, value: Any) -> None:
        """Remember a pytree of arrays, and forget what was asked for longest ago."""
        with _LOCK:
            self._made[name] = value
            self._made.move_to_end(name)
            while len(self._made) > 1 and sum(map(_size, self._made.values())) > BYTES:
                self._made.popitem(last=False)


def _size(value: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(value))


_TABLES, _WEIGHTS = Newest(), Newest()


class Draws:
    """Keys, and what is drawn once for all chunks that share them. Threads may share it."""

    def __init__(self, keys: Keys):
        self.keys = keys

    def orders(self, part: Part, shuffle: bool | str, age: int, until: int) -> Array:
        """The table with the orders of the epochs from ``age`` to ``until``, as far as one table reaches."""
        room, rows = part.x.shape[0], int(part.rows)
        length = window(room)
        first = age // length * length
        count = min(length, until - first)
        with _LOCK:
            name = *_name(self.keys.order), _way(), first, length, rows, room, shuffle
        found = _TABLES.get(name)
        if found is not None and found[0] >= count:
            return found[1]
        numbers = np.int32(first), np.int32(count), np.int32(rows)
        table = epoch_orders(self.keys.order, *numbers, room=room, shuffle=shuffle)
        _TABLES.put(name, (np.int32(count), table))
        return table

    def weights(self, trial: Trial, example: Batch) -> tuple[Params, Stats] | None:
        """Initial weights of a structure; None where they depend on its numbers, so that each lane draws its own."""
        if not drawn_alike(trial, example):
            return None
        with _LOCK:
            name = *_name(self.keys.init), _way(), trial, *map(id, jax.tree.leaves(example))
        found = _WEIGHTS.get(name)
        if found is not None:
            return found[1]
        (device,) = example.x.devices()
        drawn = draw_program(trial, device, self.keys.init, example)(self.keys.init, example)
        _WEIGHTS.put(name, (example, drawn))  # the example too, or its ids may be another's
        return drawn


def draws_of(key: chex.PRNGKey, seed: int, fold: int | None, augment: bool = False) -> Draws:
    """The draws of one seed and fold, made where they are not remembered; ``fold`` is None where there is one."""
    with _LOCK:
        name = *_name(key), seed, fold, augment
        if name not in _MADE:
            _MADE[name] = Draws(_keys(key, np.int32(seed), None if fold is None else np.int32(fold), augment=augment))
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


def _way() -> Any:
    """The setting that decides which words a key gives."""
    return getattr(jax.config, PARTITIONABLE)


@partial(jax.jit, static_argnames="augment", compiler_options=ONCE)
def _keys(key: chex.PRNGKey, seed: Any, fold: Any, *, augment: bool) -> Keys:
    key = jax.random.fold_in(key, seed)
    return keys_of(key if fold is None else jax.random.fold_in(key, fold), augment)
