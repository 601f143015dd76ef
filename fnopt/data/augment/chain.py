"""Several augmentations as one, and rows of pixels as pictures."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import chex
import jax
from jax import Array

from fnopt._checks import whole
from fnopt.data.augment.base import Augmentation, Strength
from fnopt.data.augment.crop_to import centre_crop, crop_to
from fnopt.data.augment.own import augmentation


@dataclass(frozen=True)
class Chain(Augmentation):
    """See :func:`chain`."""

    parts: tuple[Augmentation, ...]
    shape: tuple[int, ...] | None = None

    @property
    def strengths(self) -> dict[str, Strength]:
        """The numbers of all parts."""
        return {name: one for part in self.parts for name, one in part.strengths.items()}

    @property
    def resizes(self) -> bool:
        """Whether a part does."""
        return any(part.resizes for part in self.parts)

    def evaluated(self, x: Array) -> Array:
        """What the parts leave of x outside training, one after the other."""
        return self._through(x, lambda k, x: self.parts[k].evaluated(x))

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """One part after the other."""
        return self._through(x, lambda k, x: self.parts[k](jax.random.fold_in(key, k), x, hyper))

    def _through(self, x: Array, step: Callable[[int, Array], Array]) -> Array:
        x = x if self.shape is None else _pictures(x, self.shape)
        for k in range(len(self.parts)):
            x = step(k, x)
        return x if self.shape is None else x.reshape(x.shape[0], -1)


def chain(*parts: Any, shape: Sequence[int] | None = None) -> Augmentation:
    """Several augmentations, one after the other; part k draws from ``fold_in(key, k)``.

    Args:
        parts: augmentations, pure functions ``(key, x, hyper) -> x``, or tuples of them.
        shape: (height, width) or (height, width, channels) of pictures whose pixels come as rows of numbers. They are
            pictures for the parts, and rows again after them. None: x has its own shape.

    Raises:
        TypeError: for a part that is no augmentation.
        ValueError: for two parts that mean different numbers by one name. Parts that mean the same share it.

    >>> from fnopt.data.augment import crop, flip, zoom
    >>> sorted(chain(flip, zoom, crop, shape=(8, 8)).strengths)
    ['crop', 'flip', 'zoom']
    """
    made, found = tuple(_listed(parts)), {}
    if not made:
        raise ValueError("chain() of nothing: name what to do, as in chain(fo.data.augment.flip)")
    if shape is not None:
        shape = tuple(whole("shape", side) for side in shape)
        if len(shape) not in (2, 3):
            raise ValueError(f"`shape` must be (height, width) or (height, width, channels), got {shape}")
    for part in made:
        for name, one in part.strengths.items():
            if found.setdefault(name, one) != one:
                raise ValueError(f"two parts of the chain mean different numbers by {name!r}: rename that of your own")
    return Chain(made, shape)


def as_augmentation(value: Any) -> Augmentation | None:
    """One augmentation from what ``augment=`` takes: an augmentation, several in a tuple, a pure function, or None.

    >>> as_augmentation(lambda key, x, hyper: x).strengths
    {}
    """
    if value is None or isinstance(value, Augmentation):
        return value
    return chain(*value) if isinstance(value, tuple | list) else next(_listed((value,)))


def _listed(parts: Any) -> Iterator[Augmentation]:
    for part in parts:
        if isinstance(part, tuple | list):
            yield from _listed(part)
        elif isinstance(part, Augmentation):
            yield part
        elif any(part is one for one in (crop_to, centre_crop)):
            raise TypeError(f"{part.__name__} wants a size: write fo.data.augment.{part.__name__}((24, 24))")
        elif callable(part):
            yield augmentation(part)
        else:
            raise TypeError(
                "an augmentation is a value of fo.data.augment, as fo.data.augment.flip, or a function "
                f"(key, x, hyper) -> x, got {part!r}"
            )


def _pictures(x: Array, shape: tuple[int, ...]) -> Array:
    """Rows as pictures; ValueError where they have another number of pixels."""
    pixels = math.prod(shape)
    if x.ndim != 2 or x.shape[1] != pixels:
        raise ValueError(
            f"shape={shape} of the augmentation is of rows of {pixels} pixels, x of shape (m, {pixels}), and x has "
            f"shape (m, {', '.join(map(str, x.shape[1:]))})"
        )
    return x.reshape(-1, *shape)
