"""The built-in models: classifier, regressor and multilabel, all of them feedforward networks."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from fnopt._checks import nearest, one_of
from fnopt._types import Optimizer
from fnopt.data.augment import as_augmentation
from fnopt.model.augmenting import missing, with_strengths
from fnopt.model.mlp import FORWARD, NUMBERS, build
from fnopt.model.model import Model, numbers_of, usual_numbers
from fnopt.model.recipes import RECIPES

# What a number needs from the structure to mean anything; elsewhere it is blank.
NEEDS = {
    "slope": ("activation", ("leaky_relu", "elu")),
    **{name: ("norm", ("batch",)) for name in FORWARD if name.startswith("norm_")},
    "delta": ("loss", ("huber",)),
    "quantile": ("loss", ("quantile",)),
}
LAYERED = frozenset({"activation", "norm", "dropout", *FORWARD})  # names of hidden layers: without any they do nothing


def _declare(
    kind: str, task: str, loss: str, structure: dict[str, Any], numbers: dict[str, Any], augment: Any, **rest: Any
) -> Model:
    one_of("recipe", rest["recipe"], RECIPES)
    names = {"loss": loss, **structure}
    augment = as_augmentation(augment)
    ranges = {name: range_ for name, range_ in NUMBERS.items() if task != "values" or name != "label_smoothing"}
    ranges, numbers = with_strengths(augment, ranges, numbers, {*names, *usual_numbers()})
    known = {*structure, *ranges, *usual_numbers(), *numbers_of(structure["optimizer"])}
    for name in numbers:
        if name not in known:
            say = f": its loss is {loss}" if name == "loss" else missing(name) or nearest(name, known)
            raise TypeError(f"{kind} has no argument {name!r}{say}")
    return Model(
        kind=kind,
        task=task,
        build=partial(_build, task),
        structure=names,
        ranges=ranges,
        numbers=numbers,
        needs=NEEDS,
        layered=LAYERED,
        augment=augment,
        **rest,
    )


def _build(task: str, structure: Any, numbers: tuple[str, ...], features: int, outputs: int, metrics: Any) -> Any:
    kept = tuple(n for n in numbers if n not in NEEDS or structure[NEEDS[n][0]] in NEEDS[n][1])
    kept = tuple(n for n in kept if n not in LAYERED) if structure["hidden"] == () else kept
    return build(task, structure, kept, features, outputs, metrics)


def classifier(
    hidden: int | Sequence[int] | None = None,
    *,
    activation: str = "relu",
    norm: str | None = None,
    init: str = "he",
    optimizer: str | Optimizer | None = None,
    batch_size: int | None = None,
    shuffle: bool | str = True,
    standardize: bool = True,
    class_weight: Any = None,
    recipe: str = "default",
    augment: Any = None,
    **numbers: Any,
) -> Model:
    """A network that names one of C classes: softmax output and cross-entropy, one sigmoid where there are two.

    Args:
        hidden: widths of the hidden layers, () for none; unless given, one layer between input and output size.
        activation: of the hidden layers, a name of ``fo.nn.activations``.
        norm: ``"batch"`` or None.
        init: ``"he"``, ``"glorot"``, ``"lecun"`` (each also ``_uniform`` and ``_truncated``), ``"orthogonal"`` or
            ``"zeros"``.
        optimizer: a name of ``fo.optim`` or an ``Optimizer``; ``"adam"`` unless given.
        batch_size: examples an update, ≥ 1; more than there are means all of them; 32 unless given.
        shuffle: True for shuffled passes, False for the order as it stands, ``"replacement"`` for draws.
        standardize: zero mean and unit variance of each input over the training part.
        class_weight: None, ``"balanced"``, or {label: weight}; counts in training, not in scores.
        recipe: what fills in the names that are not given where ``fit`` is called without ``epochs``: ``"default"`` or
            ``"notes"``, see ``fo.recipes``.
        augment: None; or what changes training batches at random, of ``fo.data.augment``: ``flip``, several in a tuple,
            any pure function ``(key, x, hyper) -> x``. Its strengths are numbers of the model, off in evaluation.
        numbers: defaults for any number (``lr``, ``l2``, ``dropout``, …); ``hyper`` and ``space`` go over them.
            ``dropout`` may be a tuple, one rate a hidden layer; ``l1``, ``l2`` and ``prox_l1`` one strength a layer,
            the output last, as in ``l2=(1e-3, 0.0, 0.0)`` under two hidden layers.

    Returns:
        a ``Model`` for ``fit`` and ``caviar``.

    >>> classifier(hidden=(64, 64), norm="batch").task
    'classes'
    """
    structure, said = _structure(hidden, activation, norm, init, optimizer, batch_size, shuffle)
    return _declare(
        "classifier",
        "classes",
        "cross_entropy",
        structure,
        numbers,
        augment,
        standardize=standardize,
        class_weight=class_weight,
        said=said,
        recipe=recipe,
    )


def regressor(
    hidden: int | Sequence[int] | None = None,
    *,
    loss: str = "squared_error",
    activation: str = "relu",
    norm: str | None = None,
    init: str = "he",
    optimizer: str | Optimizer | None = None,
    batch_size: int | None = None,
    shuffle: bool | str = True,
    standardize: bool = True,
    standardize_target: bool | None = None,
    recipe: str = "default",
    augment: Any = None,
    **numbers: Any,
) -> Model:
    """A network that predicts values: identity output, squared error unless another ``loss`` is named.

    Args as :func:`classifier`, and:
        loss: ``"squared_error"``, ``"absolute_error"``, ``"huber"`` (number ``delta``), ``"log_cosh"``, ``"quantile"``
            (number ``quantile``) or ``"poisson"`` (outputs are log rates).
        standardize_target: train on targets of zero mean and unit variance; predictions and scores are in the
            target's own units all the same. On by default, but for ``"poisson"``.

    >>> regressor(hidden=8, loss="huber", delta=0.5).task
    'values'
    """
    structure, said = _structure(hidden, activation, norm, init, optimizer, batch_size, shuffle)
    if standardize_target is None:
        standardize_target = loss != "poisson"
    return _declare(
        "regressor",
        "values",
        loss,
        structure,
        numbers,
        augment,
        standardize=standardize,
        standardize_target=standardize_target,
        said=said,
        recipe=recipe,
    )


def multilabel(
    hidden: int | Sequence[int] | None = None,
    *,
    activation: str = "relu",
    norm: str | None = None,
    init: str = "he",
    optimizer: str | Optimizer | None = None,
    batch_size: int | None = None,
    shuffle: bool | str = True,
    standardize: bool = True,
    recipe: str = "default",
    augment: Any = None,
    **numbers: Any,
) -> Model:
    """A network that says yes or no to each of several labels: a sigmoid each; ``y`` is shape=(m, labels) of 0 and 1.

    Args as :func:`classifier`. Its scores are ``fo.metrics.accuracy``, the share of examples with all labels right,
    and ``fo.metrics.f1`` with ``average="micro"``.

    >>> multilabel(hidden=(16,)).task
    'labels'
    """
    structure, said = _structure(hidden, activation, norm, init, optimizer, batch_size, shuffle)
    rest: dict[str, Any] = {"standardize": standardize, "said": said, "recipe": recipe}
    return _declare("multilabel", "labels", "cross_entropy", structure, numbers, augment, **rest)


def _structure(
    hidden: Any, activation: Any, norm: Any, init: Any, optimizer: Any, batch_size: Any, shuffle: Any
) -> tuple[dict[str, Any], frozenset[str]]:
    """The structure of a declaration, and which of the names that a recipe may fill in were given."""
    if isinstance(hidden, list | tuple) and not hidden:
        for name, idle in (("activation", activation == "relu"), ("norm", norm is None)):
            if not idle:
                raise ValueError(f"`{name}` is of hidden layers, and hidden=() has none: leave it out, or give layers")
    given = {"hidden": hidden, "optimizer": optimizer, "batch_size": batch_size}
    structure = {
        "hidden": tuple(hidden) if isinstance(hidden, list) else hidden,
        "activation": activation,
        "norm": norm,
        "init": init,
        "optimizer": "adam" if optimizer is None else optimizer,
        "batch_size": 32 if batch_size is None else batch_size,
        "shuffle": shuffle,
    }
    return structure, frozenset(name for name, value in given.items() if value is not None)
