"""Dropout: while training, each unit of each example is set to 0 with probability ``rate``."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from fnopt.nn._number import number
from fnopt.numbers import FRACTION
from fnopt.tree import working_dtype


def dropout(x: Array, rate: ArrayLike, key: chex.PRNGKey) -> Array:
    """Inverted dropout: 0 where dropped, else x / (1 − rate), so that evaluation needs no scaling.

    Args:
        x: any shape; an entry is dropped independently of the others.
        rate: the probability to drop, in [0, 1]; 0 gives x exactly, 1 gives 0 with gradient 0. Some texts and
            libraries speak of the probability to keep, which is 1 − rate. Counted in steps of 2⁻³².
        key: the draws depend on it and on x's shape alone, so that many rates under ``vmap`` share one mask's draws,
            and a higher rate drops what a lower one drops, and more. Unit j's depend on the key, on how many examples
            there are and which one it is, and on j: the first 20 units of 32 are drawn as those of 20.

    Returns:
        shape and dtype of x.

    Raises:
        ValueError: for a concrete rate outside [0, 1]; a traced one gives NaN.

    >>> x = jnp.ones((2, 3))
    >>> bool((dropout(x, 0.0, jax.random.key(0)) == x).all())
    True
    >>> sorted(set(dropout(jnp.ones((9, 9)), 0.5, jax.random.key(0)).ravel().tolist()))
    [0.0, 2.0]

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting", 2014, https://jmlr.org/papers/v15/srivastava14a.html.
    """
    dtype = working_dtype(x)
    rate = number("dropout", rate, FRACTION, dtype)
    below = jnp.where(rate < 1, rate, 0)  # a NaN drops nothing and comes out as NaN
    counted = jnp.minimum(jnp.floor(below * 2.0**32 + 0.5), 2.0**32 - 256)  # what float32 holds, too
    limit = jnp.where(rate == 1, np.uint32(2**32 - 1), counted.astype(jnp.uint32))
    scale = jnp.where(rate == 1, 0, 1 / jnp.where(rate == 1, 1, 1 - rate))  # 0 for the one draw that is the limit
    return jnp.where(_draws(key, x.shape) < limit, 0, x.astype(dtype) * scale).astype(x.dtype)


def _draws(key: chex.PRNGKey, shape: tuple[int, ...]) -> Array:
    """Uniform integers in [0, 2³²): two from each random word, since the words are what dropout spends its time on.

    The second is the first with its halves exchanged. Whether one lies below a limit is decided by its upper half but
    for one case in 2¹⁶, so that the two are as good as independent, and each by itself is exact to 2⁻³². Two examples
    share a word, not two units, and each pair of examples has a key, so that a row begins in the same way whatever its
    length.
    """
    *rest, n = shape or (1,)
    rows = math.prod(rest)
    keys = jax.random.split(key, (rows + 1) // 2)
    words = jax.vmap(lambda k: jax.random.bits(k, (n,), jnp.uint32))(keys)
    return jnp.concatenate([(words << 16) | (words >> 16), words])[:rows].reshape(shape)
