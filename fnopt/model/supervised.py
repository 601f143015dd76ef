"""Any pure functions as a model that trains, sweeps, replays and saves as the built-in ones do."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt._checks import one_of
from fnopt._types import Batch, InitModel, Loss, Optimizer, Params, Penalty, Predict, Stats, Trial
from fnopt.model.model import Model
from fnopt.numbers import REAL


class Functions(NamedTuple):
    """What the user wrote; functions are told apart by identity."""

    init: InitModel
    loss: Loss
    predict: Predict
    penalty: Penalty | None
    task: str


def supervised(
    init: InitModel,
    loss: Loss,
    predict: Predict,
    *,
    penalty: Penalty | None = None,
    task: str = "classes",
    numbers: Mapping[str, Any] | None = None,
    optimizer: str | Optimizer = "adam",
    batch_size: int = 32,
    shuffle: bool | str = True,
    standardize: bool = True,
    standardize_target: bool = False,
    class_weight: Any = None,
) -> Model:
    """A model from pure functions: hand-written, Flax, Equinox, whatever speaks in pytrees of arrays.

    Args:
        init: ``(key, example, hyper) -> (params, stats)``; ``example`` is a ``Batch`` of the kind to come, ``stats`` is
            () where nothing is collected. Leaves are arrays, those of ``params`` floating.
        loss: ``(params, stats, batch, hyper, key, train) -> (one value an example, stats)``. ``key`` is None when
            ``train`` is False.
        predict: ``(params, stats, x, hyper) -> outputs``: logits of shape=(m, classes), or (m,) for two classes.
        penalty: ``(params, hyper) -> scalar`` added to the mean loss.
        task: ``"classes"``, ``"values"`` or ``"labels"``.
        numbers: the model's own numbers and their defaults; ``hyper[name]`` inside the functions.
        optimizer, batch_size, shuffle, standardize, standardize_target, class_weight: as in ``classifier``.

    Keep the functions at module level, or make the model once: a lambda made anew is another program.

    >>> model = supervised(
    ...     init=lambda key, example, hyper: (jnp.zeros(example.x.shape[1]), ()),
    ...     loss=lambda w, stats, batch, hyper, key, train: ((batch.x @ w - batch.y) ** 2, stats),
    ...     predict=lambda w, stats, x, hyper: x @ w,
    ...     task="values",
    ... )
    >>> model.kind
    'supervised'
    """
    one_of("task", task, ("classes", "values", "labels"))
    for name, function in {"init": init, "loss": loss, "predict": predict, "penalty": penalty}.items():
        if not callable(function) and not (name == "penalty" and function is None):
            raise TypeError(f"`{name}` must be a function, got {type(function).__name__}")
        try:
            hash(function)
        except TypeError as error:
            raise TypeError(
                f"`{name}` must be hashable, for it names a program: wrap it in a plain function"
            ) from error
    numbers = dict(numbers or {})
    if "epochs" in numbers:
        raise ValueError("the number 'epochs' is how long a configuration trains; call the model's own something else")
    return Model(
        kind="supervised",
        task=task,
        build=partial(_build, Functions(init, loss, predict, penalty, task)),
        structure={"optimizer": optimizer, "batch_size": batch_size, "shuffle": shuffle},
        ranges=dict.fromkeys(numbers, REAL),
        numbers=numbers,
        standardize=standardize,
        standardize_target=standardize_target,
        class_weight=class_weight,
    )


def _build(
    functions: Functions,
    structure: Mapping[str, Any],
    numbers: tuple[str, ...],
    features: int,
    outputs: int,
    metrics: tuple[str, ...],
) -> Trial:
    return _trial(functions, structure["optimizer"], structure["batch_size"], structure["shuffle"], numbers, metrics)


@lru_cache(maxsize=256)
def _trial(
    functions: Functions,
    optimizer: Optimizer,
    batch_size: int,
    shuffle: bool | str,
    numbers: tuple[str, ...],
    metrics: tuple[str, ...],
) -> Trial:
    def init(key: chex.PRNGKey, example: Batch, hyper: Mapping[str, Array]) -> tuple[Params, Stats]:
        made = functions.init(key, example, hyper)
        if not (isinstance(made, tuple) and len(made) == 2):
            raise TypeError(
                f"`init` must return (params, stats), got {type(made).__name__}; "
                "write `return params, ()` where nothing is collected"
            )
        params, stats = made
        _only_arrays("params", params, floating=True)
        _only_arrays("stats", stats, floating=False)
        return params, stats

    def loss(
        params: Params, stats: Stats, batch: Batch, hyper: Mapping[str, Array], key: Any, train: bool
    ) -> tuple[Array, Stats]:
        made = functions.loss(params, stats, batch, hyper, key, train)
        if not (isinstance(made, tuple) and len(made) == 2):
            raise TypeError("`loss` must return (one value an example, stats); write `return losses, stats`")
        losses, after = made
        if losses.shape != batch.weight.shape:
            raise ValueError(
                f"`loss` must return one value an example, shape {batch.weight.shape}, got {losses.shape}; "
                "leave out the mean: the lane program takes it, with the weights"
            )
        if jax.tree.structure(after) != jax.tree.structure(stats):
            raise ValueError(
                f"`loss` must give back stats as it got them:\n  expected {jax.tree.structure(stats)}\n"
                f"  got      {jax.tree.structure(after)}"
            )
        return losses, after

    return Trial(
        init=init,
        loss=loss,
        predict=functions.predict,
        optimizer=optimizer,
        task=functions.task,
        penalty=functions.penalty,
        numbers=numbers,
        batch_size=batch_size,
        shuffle=shuffle,
        metrics=metrics,
    )


def _only_arrays(what: str, tree: Any, floating: bool) -> None:
    """Raise TypeError for a leaf that is no array (or, in params, not floating), naming it and the cure."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
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
                "keep counters and masks in stats"
            )
