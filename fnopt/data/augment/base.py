"""What all augmentations share: their numbers, and what a model sees outside training."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import jax.numpy as jnp
from jax import Array

from fnopt.numbers import Range, scalar


class Strength(NamedTuple):
    """A number of an augmentation: what it is unless given, and what it may be."""

    default: float
    within: Range


class Augmentation:
    """A pure function ``(key, x, hyper) -> x`` of a training batch; equal to another of the same kind and settings."""

    @property
    def strengths(self) -> dict[str, Strength]:
        """Its numbers by name."""
        return {}

    @property
    def resizes(self) -> bool:
        """Whether the x that it gives has another shape, and so :meth:`evaluated` too."""
        return False

    def evaluated(self, x: Array) -> Array:
        """What a model sees of x outside training: x itself, or its centre crop."""
        return x

    def __call__(self, key: chex.PRNGKey, x: Array, hyper: Mapping[str, Any]) -> Array:
        """The batch, changed."""
        raise NotImplementedError


class Named(Augmentation):
    """An augmentation with one number, which has the augmentation's name."""

    name: str
    strength: Strength

    @property
    def strengths(self) -> dict[str, Strength]:
        """The one number."""
        return {self.name: self.strength}

    def number(self, hyper: Mapping[str, Any], dtype: Any = None) -> Array:
        """The strength as a scalar of ``dtype``, the default float type unless given.

        Raises:
            KeyError: where ``hyper`` has none.
            ValueError: for a concrete one out of its range.
        """
        if self.name not in hyper:
            raise KeyError(f"`hyper` has no {self.name!r}; write dict({self.name}={self.strength.default:g})")
        return scalar(self.name, hyper[self.name], self.strength.within, dtype or jnp.result_type(float))
