"""Crops to another size: a window anywhere in training, the centre outside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt._checks import whole
from fnopt.data.augment.base import Augmentation, Named, Strength
from fnopt.data.augment.pictures import height_and_width, taken
from fnopt.numbers import FRACTION


@dataclass(frozen=True)
class CropTo(Named):
    """See :func:`crop_to`."""

    size: tuple[int, int]
    name = "crop_to"
    strength = Strength(1.0, FRACTION)

    @property
    def resizes(self) -> bool:
        """Always."""
        return True

    def evaluated(self, x: Array) -> Array:
        """The centre crop."""
        return _centre(self.name, x, self.size)

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """A window of each picture."""
        share = self.number(hyper)
        sides = _sides(self.name, x, self.size)
        u = jax.random.uniform(key, (2, x.shape[0]), share.dtype)
        for axis, (side, new) in enumerate(zip(sides, self.size, strict=True)):
            room = side - new
            anywhere, centre = jnp.floor(u[axis] * (room + 1)), room // 2
            begin = (centre + jnp.round(share * (anywhere - centre))).astype(jnp.int32)
            x = taken(x, begin[:, None] + jnp.arange(new, dtype=jnp.int32)[None], axis + 1)
        return x


@dataclass(frozen=True)
class CentreCrop(Augmentation):
    """See :func:`centre_crop`."""

    size: tuple[int, int]

    @property
    def resizes(self) -> bool:
        """Always."""
        return True

    def evaluated(self, x: Array) -> Array:
        """The middle of each picture."""
        return _centre("centre_crop", x, self.size)

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """The same in training."""
        del key, hyper
        return self.evaluated(x)


def crop_to(size: int | tuple[int, int]) -> CropTo:
    """A window of ``size``, (height, width) or one number for both, at random in each picture.

    ``crop_to`` in [0, 1], 1 unless given, is how far from the centre it may lie: 1 is anywhere, 0 is the centre crop,
    which it is outside training.

    >>> crop_to(2).evaluated(jnp.arange(16.0).reshape(1, 4, 4)).tolist()
    [[[5.0, 6.0], [9.0, 10.0]]]
    """
    return CropTo(_size(size))


def centre_crop(size: int | tuple[int, int]) -> CentreCrop:
    """The middle of each picture, of ``size``, in training and outside; of an odd margin the smaller half is before it.

    It has no number.

    >>> centre_crop((1, 2)).evaluated(jnp.arange(6.0).reshape(1, 3, 2)).tolist()
    [[[2.0, 3.0]]]
    """
    return CentreCrop(_size(size))


def _size(size: Any) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(sides) != 2:
        raise ValueError(f"`size` must be (height, width), or one number for both, got {size!r}")
    return whole("size", sides[0]), whole("size", sides[1])


def _sides(name: str, x: Array, size: tuple[int, int]) -> tuple[int, int]:
    """The sides of pictures; ValueError where the crop is larger."""
    sides = height_and_width(name, x)
    if any(new > side for new, side in zip(size, sides, strict=True)):
        raise ValueError(f"`{name}` to {size} is larger than the pictures, which are {sides}: name a smaller size")
    return sides


def _centre(name: str, x: Array, size: tuple[int, int]) -> Array:
    top, left = ((side - new) // 2 for side, new in zip(_sides(name, x, size), size, strict=True))
    return x[:, top : top + size[0], left : left + size[1]]
