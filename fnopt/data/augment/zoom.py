"""Pictures scaled about their centre."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt.data.augment.base import Named, Strength
from fnopt.data.augment.pictures import height_and_width, only_floating, resampled
from fnopt.numbers import DECAY
from fnopt.tree import working_dtype


@dataclass(frozen=True)
class Zoom(Named):
    """Scales each picture by a factor f uniform in [1 − zoom, 1 + zoom), both sides alike; its size stays.

    The new pixel at place i is the old picture at c + (i − c) / f, c the centre: bilinear, 0 outside. ``zoom`` is in
    [0, 1), 0.1 unless given.

    >>> zoom(jax.random.key(0), jnp.ones((1, 4, 4)), {"zoom": 0.5}).shape
    (1, 4, 4)
    """

    name = "zoom"
    strength = Strength(0.1, DECAY)

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """The pictures, each scaled."""
        sides = height_and_width(self.name, x)
        only_floating(self.name, x)
        z = self.number(hyper, working_dtype(x))
        f = 1 + z * jax.random.uniform(key, x.shape[:1], z.dtype, -1, 1)
        places = []
        for side in sides:
            centre = (side - 1) / 2
            places.append(centre + (jnp.arange(side, dtype=z.dtype) - centre)[None] / f[:, None])
        return jnp.where(z == 0, x, resampled(x.astype(z.dtype), *places).astype(x.dtype))


zoom = Zoom()
