"""Pictures mirrored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt.data.augment.base import Named, Strength
from fnopt.data.augment.pictures import height_and_width
from fnopt.numbers import FRACTION


@dataclass(frozen=True)
class Flip(Named):
    """Mirrors each picture with a probability p in [0, 1], the number of its name, 0.5 unless given.

    ``flip`` mirrors left and right (axis 2), ``flip_vertical`` top and bottom (axis 1). A mirrored digit or letter
    means something else: name only what the task allows.

    >>> flip_vertical(jax.random.key(0), jnp.array([[[1.0], [2.0]]]), {"flip_vertical": 1.0}).tolist()
    [[[2.0], [1.0]]]
    """

    name: str
    axis: int
    strength = Strength(0.5, FRACTION)

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """The pictures, some of them mirrored."""
        height_and_width(self.name, x)
        p = self.number(hyper)
        chosen = jax.random.uniform(key, x.shape[:1], p.dtype) < p
        return jnp.where(chosen.reshape(-1, *(1,) * (x.ndim - 1)), jnp.flip(x, self.axis), x)


flip = Flip("flip", axis=2)
flip_vertical = Flip("flip_vertical", axis=1)
