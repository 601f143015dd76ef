"""Gaussian noise on features of any kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt.data.augment.base import Named, Strength
from fnopt.data.augment.pictures import only_floating
from fnopt.numbers import NONNEGATIVE
from fnopt.tree import working_dtype


@dataclass(frozen=True)
class Noise(Named):
    """Adds ``noise`` · z to x, z standard normal, each entry its own; ``noise`` is in [0, inf), 0.1 unless given.

    It comes after scaling: of standardized features it is a share of each one's deviation.

    Source: Bishop, "Training with noise is equivalent to Tikhonov regularization", 1995,
    https://doi.org/10.1162/neco.1995.7.1.108.

    >>> noise(jax.random.key(0), jnp.ones((2, 3)), {"noise": 0.1}).shape
    (2, 3)
    """

    name = "noise"
    strength = Strength(0.1, NONNEGATIVE)

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """The batch with noise on it."""
        only_floating(self.name, x)
        s = self.number(hyper, working_dtype(x))
        noisy = x.astype(s.dtype) + s * jax.random.normal(key, x.shape, s.dtype)
        return jnp.where(s == 0, x, noisy.astype(x.dtype))


noise = Noise()
