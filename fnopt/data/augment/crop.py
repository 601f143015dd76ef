"""Pictures cropped at random inside a margin of zeros."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt.data.augment.base import Named, Strength
from fnopt.data.augment.pictures import height_and_width, moved
from fnopt.numbers import DECAY


@dataclass(frozen=True)
class Crop(Named):
    """A random crop, of its own size, of each picture with a margin of zeros.

    The margin along a side of n pixels is r = round(crop · n); the picture moves by a whole number of pixels uniform
    in −r … r, along each side its own. ``crop`` is in [0, 1), 0.1 unless given. For a crop of another size see
    ``crop_to``.

    Source: He et al., "Deep Residual Learning for Image Recognition", 2016, https://arxiv.org/abs/1512.03385, section
    4.2, where 32 pixels have a margin of 4.

    >>> crop(jax.random.key(0), jnp.ones((1, 4, 4)), {"crop": 0.25}).shape
    (1, 4, 4)
    """

    name = "crop"
    strength = Strength(0.1, DECAY)

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """The pictures, each moved."""
        sides = height_and_width(self.name, x)
        share = self.number(hyper)
        u = jax.random.uniform(key, (2, x.shape[0]), share.dtype)
        for axis, side in enumerate(sides):
            most = jnp.round(share * side)
            by = jnp.floor(u[axis] * (2 * most + 1)) - most
            x = moved(x, by.astype(jnp.int32), axis + 1)
        return x


crop = Crop()
