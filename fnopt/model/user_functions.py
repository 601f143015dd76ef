"""A user's functions inside the lane program: what they take, and checks of what they return."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt._keys import with_keys, without_keys
from fnopt._types import Batch, InitModel, Loss, Optimizer, Params, Penalty, Predict, Score, Stats, Trial
from fnopt.data.augment import Augmentation
from fnopt.model.augmenting import view_of, viewed


class Functions(NamedTuple):
    """What the user wrote; two functions are equal where they are the same object."""

    init: InitModel
    loss: Loss
    predict: Predict
    penalty: Penalty | None
    task: str


class Undeclared(KeyError):
    """A number that a function reads and the model does not declare."""

    def __str__(self) -> str:
        return str(self.args[0])


class Numbers(dict[str, Any]):
    """The model's own numbers by name, as a dict; a name that it lacks raises with the cure."""

    def __missing__(self, name: str) -> Any:
        there = ", ".join(map(repr, self)) or "none"
        raise Undeclared(
            f"`hyper` has no number {name!r} (it has {there}): declare it, fo.supervised(…, numbers=dict({name}=…)). "
            "Numbers of the optimizer, as `lr`, are its own: no function of the model sees them"
        )


jax.tree_util.register_pytree_with_keys(
    Numbers,
    lambda d: ([(jax.tree_util.DictKey(name), d[name]) for name in sorted(d)], tuple(sorted(d))),
    lambda names, values: Numbers(zip(names, values, strict=True)),
)


@lru_cache(maxsize=256)
def trial_of(
    functions: Functions,
    optimizer: Optimizer,
    batch_size: int,
    shuffle: bool | str,
    batch: str,
    numbers: tuple[str, ...],
    metrics: tuple[Score, ...],
    augment: Augmentation | None = None,
) -> Trial:
    """The trial of these functions; one object for equal arguments."""
    view = view_of(augment)

    def init(key: chex.PRNGKey, example: Batch, hyper: Mapping[str, Array]) -> tuple[Params, Stats]:
        with _traced_numbers(numbers):
            made = functions.init(key, _masked(_seen(view, example)), Numbers(hyper))
        if not (isinstance(made, tuple) and len(made) == 2):
            raise TypeError("`init` must return (params, stats); where nothing is collected, write `return params, ()`")
        params, stats = made
        _only_arrays("params", params, floating=True)
        _only_arrays("stats", stats, floating=False)
        for what, some in (("params", params), ("stats", stats)):
            tree.check_names(some, what)
        return params, without_keys(stats)

    def loss(
        params: Params, stats: Stats, batch: Batch, hyper: Mapping[str, Array], key: Any, train: bool
    ) -> tuple[Array, Stats]:
        stats = without_keys(stats)
        with _traced_numbers(numbers):
            batch = batch if train else _seen(view, batch)
            made = functions.loss(params, with_keys(stats), _masked(batch), Numbers(hyper), key, train)
        if not (isinstance(made, tuple) and len(made) == 2):
            raise TypeError("`loss` must return (one value an example, stats); write `return losses, stats`")
        losses, after = made
        _check_losses(losses, batch.weight.shape)
        return losses, _same_stats(stats, without_keys(after))

    def predict(params: Params, stats: Stats, x: Array, hyper: Mapping[str, Array]) -> Array:
        with _traced_numbers(numbers):
            outputs = functions.predict(params, with_keys(stats), viewed(view, x), Numbers(hyper))
        if not isinstance(outputs, jax.Array | np.ndarray):
            raise TypeError(f"`predict` must return one array, its rows the examples, got {_kind(outputs)}")
        return jnp.asarray(outputs)

    def penalty(params: Params, hyper: Mapping[str, Array]) -> Array:
        assert functions.penalty is not None
        with _traced_numbers(numbers):
            value = functions.penalty(params, Numbers(hyper))
        if jnp.shape(value) != () or not jnp.issubdtype(jnp.result_type(value), jnp.floating):
            raise TypeError(f"`penalty` must return one floating number, shape (), got {_kind(value)}")
        return jnp.asarray(value)

    return Trial(
        init=init,
        loss=loss,
        predict=predict,
        optimizer=optimizer,
        task=functions.task,
        penalty=None if functions.penalty is None else penalty,
        numbers=numbers,
        batch_size=batch_size,
        shuffle=shuffle,
        metrics=metrics,
        batch=batch,
        augment=augment,
    )


def _seen(view: Augmentation | None, batch: Batch) -> Batch:
    """A batch as it is seen outside training."""
    return batch if view is None else batch._replace(x=viewed(view, batch.x))


def _masked(batch: Batch) -> Batch:
    """A batch with its mask: where none came with it, every row exists."""
    return batch if batch.mask is not None else batch._replace(mask=jnp.ones(batch.weight.shape, bool))


@contextmanager
def _traced_numbers(numbers: tuple[str, ...]) -> Iterator[None]:
    """Where a function asks in Python what a number is, say that it is traced, and what to write."""
    try:
        yield
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        if numbers:
            error.args = (
                f"{error.args[0] if error.args else ''}\n\nfnopt: the numbers {', '.join(numbers)} of `hyper` are "
                "traced, so that one program serves all their values: Python's `if`, `float` and `range` cannot look "
                "at them. For dropout write fo.nn.dropout(x, rate, key), else jnp.where; a value that decides shapes "
                "is no number: take it from outside the function",
                *error.args[1:],
            )
        raise


def _check_losses(losses: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(losses, jax.Array | np.ndarray):
        raise TypeError(f"`loss` must return one value an example, an array of shape {shape}, got {_kind(losses)}")
    if losses.shape != shape:
        raise ValueError(
            f"`loss` must return one value an example, shape {shape}, got {losses.shape}; "
            "leave out the mean: the lane program takes it, with the weights"
        )
    if not jnp.issubdtype(losses.dtype, jnp.floating):
        raise TypeError(f"`loss` must return floating values, for they are differentiated; got dtype {losses.dtype}")


def _same_stats(before: Stats, after: Stats) -> Stats:
    """Stats as a loss gave them back; ValueError where they are not what it got."""
    a, b = jax.tree.structure(before), jax.tree.structure(after)
    if a != b:
        raise ValueError(f"`loss` must return stats as it got them:\n  expected {a}\n  got      {b}")
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(before), jax.tree.leaves(after), strict=True):
        kind = jnp.shape(y), jnp.result_type(y)
        if kind != (x.shape, x.dtype):
            raise ValueError(
                f"`loss` must return stats as it got them: stats{jax.tree_util.keystr(path)} was {x.dtype} of shape "
                f"{x.shape}, got {kind[1]} of shape {kind[0]}; write .astype({x.dtype})"
            )
    return jax.tree.map(jnp.asarray, after)


def _kind(value: Any) -> str:
    """What a value is, for a message."""
    if isinstance(value, jax.Array | np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    return f"{value!r}" if isinstance(value, bool | int | float | str | None) else f"a {type(value).__name__}"


def _only_arrays(what: str, some: Any, floating: bool) -> None:
    """Raise TypeError for a leaf that is no array (or, in params, not floating), naming it and the cure."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(some):
        name = what + jax.tree_util.keystr(path)
        if not isinstance(leaf, jax.Array | np.ndarray):
            raise TypeError(
                f"every leaf of {what} must be an array, but {name} is {leaf!r} ({type(leaf).__name__}); "
                "write `jnp.asarray(...)` for a number, and keep functions and names out of the tree "
                "(Equinox: `eqx.partition(model, eqx.is_inexact_array)`)"
            )
        if floating and not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise TypeError(
                f"every leaf of params must be floating, but {name} has dtype {leaf.dtype}; "
                "keep counters and masks in stats, random keys too"
            )
