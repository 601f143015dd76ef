"""The inputs of a training batch as an augmentation makes them, checked at trace time."""

from functools import lru_cache, partial
from typing import Any

import chex
import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Augment, Trial
from fnopt.train.lane import Keys


def augmented(trial: Trial, keys: Keys, numbers: dict[str, Array], x: Array, *at: Any) -> Array:
    """Inputs of a batch as training sees them; ``at`` says which batch: what it draws from depends on nothing else."""
    if trial.augment is None:
        return x
    key = keys.augment
    for number in at:
        key = jax.random.fold_in(key, number)
    return changed(trial.augment, key, x, numbers)


def changed(augment: Augment, key: chex.PRNGKey, x: Array, numbers: dict[str, Array]) -> Array:
    """What an augmentation makes of x.

    Raises:
        ValueError, TypeError: where that has another shape or type than what it leaves of x outside training.
    """
    made = augment(key, x, numbers)
    wanted = jax.eval_shape(augment.evaluated, x)
    if made.shape != wanted.shape:
        raise ValueError(
            f"the augmentation makes x of shape {made.shape} from {x.shape}, and outside training the model sees "
            f"{wanted.shape}: keep the shape, or say what evaluation sees, "
            "fo.data.augment.augmentation(f, evaluation=…)"
        )
    if made.dtype != wanted.dtype:
        raise TypeError(
            f"the augmentation makes {made.dtype} of x, and outside training the model sees {wanted.dtype}: write "
            f".astype({wanted.dtype})"
        )
    return made


def check_augmentation(trial: Trial, x: Array) -> None:
    """Raise what the augmentation of a trial raises for such x, before anything is trained.

    Args:
        trial: the structure.
        x: shape=(rows, …), inputs as the model sees them.
    """
    if trial.augment is not None:
        _tried(trial.augment, trial.numbers, x.shape[1:], x.dtype, jnp.result_type(float))


@lru_cache(maxsize=256)
def _tried(augment: Augment, names: tuple[str, ...], shape: tuple[int, ...], dtype: Any, number: Any) -> None:
    numbers = dict.fromkeys(names, jax.ShapeDtypeStruct((), number))
    x = jax.ShapeDtypeStruct((2, *shape), dtype)
    jax.eval_shape(partial(changed, augment), jax.random.key(0), x, numbers)
