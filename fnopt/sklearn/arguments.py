"""The arguments of an estimator, which are scikit-learn's, as those of ``fo.fit``."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fnopt import nn, optim
from fnopt._checks import brief, one_of, real, whole
from fnopt.model import Model, as_optimizer, classifier, multilabel, recipes, regressor
from fnopt.schedules import plateau
from fnopt.sklearn.rates import InverseScaling
from fnopt.space.epochs import NAME
from fnopt.train import EarlyStopping, early_stopping

ACTIVATIONS = {"logistic": "sigmoid"}  # what is called otherwise there
NUMBERS = {"momentum": "beta", "beta_1": "b1", "beta_2": "b2", "epsilon": "eps"}  # where the solver has such a number
WATCHED = {"classes": "dev/accuracy", "values": "dev/r2", "labels": "dev/accuracy"}  # by early stopping
PATIENCE, TOL, HELD = 10, 1e-4, 0.1  # scikit-learn's, where one of them is said and others are not
FOREVER = 1e9  # epochs
LARGEST = 200  # rows of a batch that is called "auto"
CUT = 0.2  # what "adaptive" leaves of the rate


class Training(NamedTuple):
    """A training as ``fo.fit(model, data, …)`` takes it."""

    model: Model
    hyper: dict[str, Any]
    epochs: int | None
    stop: EarlyStopping | None
    objective: str | None
    holdout: float | None


class Size(NamedTuple):
    """Of the data that are trained on."""

    task: str
    rows: int
    columns: int


def training_of(said: Mapping[str, Any], size: Size) -> Training:
    """What an estimator's arguments ask for; those that are None are left to ``fo.fit``.

    Args:
        said: the arguments by name, as ``get_params`` has them.
        size: of the training data: scikit-learn's ``alpha`` depends on the batch, ``"invscaling"`` on the rows.

    Raises:
        ValueError, TypeError: for an argument that cannot be, by the name that it has here.
    """
    _check(said)
    own = dict(said["hyper"] or {})
    epochs = _epochs(said)
    bare = epochs is None and NAME not in own
    usual = recipes.default(*size) if bare else {"optimizer": "adam", "batch_size": 32}
    optimizer, numbers = _solver(said, usual["optimizer"])
    structure = {
        "hidden": _widths(said["hidden_layer_sizes"]),
        "activation": ACTIVATIONS.get(said["activation"], said["activation"]),
        "norm": said["norm"],
        "init": said["init"],
        "optimizer": optimizer,
        "batch_size": _batch(said, size.rows),
        "shuffle": None if said["shuffle"] is True else bool(said["shuffle"]),
    }
    batch = min(structure["batch_size"] or usual["batch_size"], size.rows)
    layered = structure["hidden"] != ()
    numbers |= {
        "lr": _rate(said, usual, size.rows),
        "l2": None if said["alpha"] is None else float(said["alpha"]) / (2 * batch),
        "l1": said["l1"],
        "dropout": said["dropout"] if layered else None,
        "weight_decay": said["weight_decay"],
        "label_smoothing": said.get("label_smoothing"),
    }
    hyper = {name: value for name, value in {**structure, **numbers}.items() if value is not None}
    stop, objective = _stopping(said, size.task, epochs)
    held = _held(said, bare, objective)
    return Training(_model(said, size.task), {**hyper, **own}, epochs, stop, objective, held)


def _model(said: Mapping[str, Any], task: str) -> Model:
    """The declaration of what ``hyper`` cannot say."""
    standardize = bool(said["standardize"])
    if task == "values":
        target = said["standardize_target"]
        return regressor(loss=said["loss"], standardize=standardize, standardize_target=target)
    if task == "labels":
        return multilabel(standardize=standardize)
    return classifier(standardize=standardize)


def _epochs(said: Mapping[str, Any]) -> int | None:
    """Passes over the data; each of L-BFGS's takes at least one evaluation, of which ``max_fun`` are the most."""
    most = said["max_iter"]
    if most is None or said["solver"] != "lbfgs" or said["max_fun"] is None:
        return None if most is None else whole("max_iter", most)
    return min(whole("max_iter", most), whole("max_fun", said["max_fun"]))


def _widths(sizes: Any) -> Any:
    """The widths of the hidden layers, None where nothing is said."""
    if sizes is None:
        return None
    return tuple(whole("hidden_layer_sizes", width) for width in (sizes if hasattr(sizes, "__iter__") else (sizes,)))


def _batch(said: Mapping[str, Any], rows: int) -> int | None:
    """Rows an update: all of them for L-BFGS, as it has no mini-batches there either."""
    size = said["batch_size"]
    if said["solver"] == "lbfgs":
        return rows
    return min(LARGEST, rows) if isinstance(size, str) else None if size is None else whole("batch_size", size)


def _solver(said: Mapping[str, Any], usual: str) -> tuple[Any, dict[str, Any]]:
    """The optimizer, None where nothing is said, and its numbers but the rate.

    ``"sgd"`` has momentum there: Nesterov's, or the classical one with the rate inside.
    """
    solver, momentum = said["solver"], 0.9 if said["momentum"] is None else said["momentum"]
    if solver == "sgd":
        if not momentum:
            return "sgd", {}
        if said["nesterovs_momentum"] in (None, True):
            return "nesterov", {"beta": momentum}
        return "momentum", {"beta": momentum, "dampening": 0.0, "lr_inside": 1.0}
    if solver is None and said["weight_decay"] is not None and usual == "adam":
        solver = "adamw"
    has = as_optimizer(solver or usual).numbers._fields  # pyright: ignore[reportAttributeAccessIssue]
    given = {theirs: said[name] for name, theirs in NUMBERS.items() if theirs in has and said[name] is not None}
    return solver, given


def _rate(said: Mapping[str, Any], usual: Mapping[str, Any], rows: int) -> Any:
    """The learning rate as a number or a schedule; None where nothing is said."""
    rate, course = said["learning_rate_init"], said["learning_rate"]
    if course is None or said["solver"] == "lbfgs":
        return None if said["solver"] == "lbfgs" else rate
    if rate is None:
        optimizer, _ = _solver(said, usual["optimizer"])
        rate = usual["lr"] if optimizer is None and "lr" in usual else as_optimizer(optimizer or "adam").lr
    if course == "invscaling":
        power = 0.5 if said["power_t"] is None else said["power_t"]
        return InverseScaling(rate, float(rows), power).every()
    if course == "adaptive":
        return plateau(rate, factor=CUT, patience=_patience(said), min_delta=_tol(said))
    return rate


def _patience(said: Mapping[str, Any]) -> float:
    """Epochs without improvement after which something happens: one more than may be."""
    count = said["n_iter_no_change"]
    return float(min(PATIENCE if count is None else count, FOREVER)) + 1


def _tol(said: Mapping[str, Any]) -> float:
    return TOL if said["tol"] is None else float(said["tol"])


def _stopping(said: Mapping[str, Any], task: str, epochs: int | None) -> tuple[EarlyStopping | None, str | None]:
    """The rule that ends a training before its time, and what it and an adaptive rate look at.

    That is a held-out part under ``early_stopping``, else the training loss, where one of the rule's numbers is said.
    """
    adaptive = said["learning_rate"] == "adaptive"
    patience = FOREVER if adaptive else _patience(said)
    if said["early_stopping"]:
        return early_stopping(patience=patience, min_delta=_tol(said)), WATCHED[task]
    if adaptive and epochs is not None:
        return None, "train/loss"
    if not adaptive and (said["tol"] is not None or said["n_iter_no_change"] is not None):
        return early_stopping(patience=patience, min_delta=_tol(said)), "train/loss"
    return None, None


def _held(said: Mapping[str, Any], bare: bool, objective: str | None) -> float | None:
    """The share of the rows that is held out, None where ``fo.fit`` says it."""
    share = said["validation_fraction"]
    if said["early_stopping"]:
        return HELD if share is None else share
    if not bare:
        return None
    return 0.0 if said["early_stopping"] is not None or objective == "train/loss" else share


class _Wanted(NamedTuple):
    """What a number must be, in words and as a test."""

    words: str
    holds: Callable[[float], bool]


_SHARE = _Wanted("in [0, 1)", lambda x: 0 <= x < 1)
_POSITIVE = _Wanted("above 0", lambda x: x > 0)
_NONNEGATIVE = _Wanted("≥ 0", lambda x: x >= 0)
_REALS = {
    "alpha": _NONNEGATIVE,
    "power_t": _NONNEGATIVE,
    "tol": _NONNEGATIVE,
    "momentum": _SHARE,
    "validation_fraction": _SHARE,
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": _NONNEGATIVE,
}
_SWITCHES = ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "standardize")


def _check(said: Mapping[str, Any]) -> None:
    """ValueError or TypeError for an argument that cannot be, by its own name and not by fnopt's."""
    for name, wanted in _REALS.items():
        if said[name] is not None:
            real(name, said[name], *wanted)
    rate = said["learning_rate_init"]
    if rate is not None and not callable(rate):
        real("learning_rate_init", rate, *_POSITIVE)
    for name in _SWITCHES:
        if said[name] is not None and not isinstance(said[name], bool) and type(said[name]).__name__ != "bool":
            raise ValueError(f"`{name}` must be True or False, got {brief(said[name])}")
    for name, known in (
        ("activation", {*nn.activations.TABLE, *ACTIVATIONS}),
        ("solver", optim.NAMES),
        ("learning_rate", ("constant", "invscaling", "adaptive")),
    ):
        if isinstance(said[name], str):
            one_of(name, said[name], known)
    if isinstance(said["batch_size"], str):
        one_of("batch_size", said["batch_size"], ("auto",))
    count = said["n_iter_no_change"]
    if count is not None and count != math.inf:
        whole("n_iter_no_change", count)
    if said["hyper"] is not None and not isinstance(said["hyper"], Mapping):
        raise TypeError(f"`hyper` must be a dict of fnopt's names to values, got {type(said['hyper']).__name__}")
