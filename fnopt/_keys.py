"""Random keys as plain integers and back: what is compared, hashed and written to files has no keys in it."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp


@partial(jax.tree_util.register_dataclass, data_fields=["bits"], meta_fields=["impl"])
@dataclass(frozen=True)
class KeyBits:
    """A random key as the integers that it consists of, which can be compared, hashed and written to files."""

    bits: Any  # shape=(…, words), uint32
    impl: str


def without_keys(tree: Any) -> Any:
    """A tree with :class:`KeyBits` in place of each random key.

    >>> without_keys({"rng": jax.random.key(3)})["rng"].bits.tolist()
    [0, 3]
    """

    def one(x: Any) -> Any:
        return KeyBits(jax.random.key_data(x), str(jax.random.key_impl(x))) if is_key(x) else x

    return jax.tree.map(one, tree)


def with_keys(tree: Any) -> Any:
    """What :func:`without_keys` was given.

    >>> with_keys(without_keys(jax.random.key(3))) == jax.random.key(3)
    Array(True, dtype=bool)
    """

    def one(x: Any) -> Any:
        return jax.random.wrap_key_data(jnp.asarray(x.bits), impl=x.impl) if isinstance(x, KeyBits) else x

    return jax.tree.map(one, tree, is_leaf=lambda x: isinstance(x, KeyBits))


def is_key(x: Any) -> bool:
    """Whether a leaf is an array of random keys."""
    return isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
