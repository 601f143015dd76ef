"""Any pure functions as a model that trains, sweeps, replays and saves as the built-in ones do."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from fnopt._checks import one_of
from fnopt._types import InitModel, Loss, Optimizer, Penalty, Predict, Score, Trial
from fnopt.data.augment import as_augmentation
from fnopt.model.augmenting import with_strengths
from fnopt.model.model import BATCHES, Model, usual_numbers
from fnopt.model.user_functions import Functions, trial_of
from fnopt.numbers import REAL


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
    batch: str = "short",
    standardize: bool = False,
    standardize_target: bool = False,
    class_weight: Any = None,
    augment: Any = None,
) -> Model:
    """A model from pure functions: hand-written, Flax, Equinox, whatever speaks in pytrees of arrays.

    Args:
        init: ``(key, example, hyper) -> (params, stats)``; ``example`` is a ``Batch`` of the kind to come, ``stats`` is
            () where nothing is collected. Leaves are arrays, those of ``params`` floating; ``stats`` may hold random
            keys, counters and masks.
        loss: ``(params, stats, batch, hyper, key, train) -> (one value an example, stats)``. ``key`` is None when
            ``train`` is False. Scores are taken in blocks of 128 rows and one of the rest, so a loss that looks across
            examples sees so many there.
        predict: ``(params, stats, x, hyper) -> outputs``: logits of shape=(m, classes), or (m,) for two classes;
            values and labels of y's shape.
        penalty: ``(params, hyper) -> scalar`` added to the mean loss.
        task: ``"classes"``, ``"values"`` or ``"labels"``.
        numbers: the model's own numbers and their defaults; ``hyper[name]`` inside the functions. They are traced: for
            dropout write ``fo.nn.dropout(x, hyper["dropout"], key)``, since others ask in Python whether a rate is 0.
        optimizer, batch_size, shuffle, standardize_target, class_weight, augment: as in ``classifier``. A strength
            of an augmentation is one more number of the model.
        batch: what becomes of the last batch of an epoch, where the rows do not divide. ``"short"``: it has the rows
            that are left, and no row that does not exist is ever seen, in evaluation neither. ``"drop"``: it is left
            out of training (data of fewer rows than ``batch_size`` are one batch). ``"masked"``: it is filled with
            copies of rows, and ``batch.mask`` is False for them; all sizes of data share a program then.
        standardize: zero mean and unit variance of each input over the training part. Off: ``x`` comes as it is, and
            integers stay integers.

    Keep the functions at module level, or make the model once: a lambda made anew is another program.

    >>> import jax.numpy as jnp
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
    one_of("batch", batch, BATCHES)
    structure = {"optimizer": optimizer, "batch_size": batch_size, "shuffle": shuffle, "batch": batch}
    if taken := [name for name in numbers if name in structure]:
        raise ValueError(f"the number {taken[0]!r} is structure of every model; call the model's own something else")
    if "epochs" in numbers:
        raise ValueError("the number 'epochs' is how long a configuration trains; call the model's own something else")
    augment = as_augmentation(augment)
    taken = {*structure, *usual_numbers()}
    ranges, numbers = with_strengths(augment, dict.fromkeys(numbers, REAL), numbers, taken)
    return Model(
        kind="supervised",
        task=task,
        build=partial(_build, Functions(init, loss, predict, penalty, task)),
        structure=structure,
        ranges=ranges,
        numbers=numbers,
        standardize=standardize,
        standardize_target=standardize_target,
        class_weight=class_weight,
        augment=augment,
    )


def _build(
    functions: Functions,
    structure: Mapping[str, Any],
    numbers: tuple[str, ...],
    features: int,
    outputs: int,
    metrics: tuple[Score, ...],
) -> Trial:
    names = ("optimizer", "batch_size", "shuffle", "batch")
    return trial_of(functions, *(structure[name] for name in names), numbers, metrics, structure.get("augment"))
