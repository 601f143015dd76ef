"""What fit and caviar share before the first step: objective, metrics, filled schedules, keys."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from fnopt._forks import check_fork
from fnopt._types import Dataset, Score, Trial
from fnopt.data._cells import kept
from fnopt.data._rows import as_seed
from fnopt.model import Model, Prepared
from fnopt.run.outputs import check_outputs
from fnopt.schedules import filled
from fnopt.space.entry import has_ranges
from fnopt.space.stopping import STOP
from fnopt.sweep.merge import plain, shapes_of
from fnopt.sweep.stop import Rule
from fnopt.train import (
    EarlyStopping,
    batches_per_epoch,
    check_augmentation,
    check_scores,
    early_stopping,
)

BUILT_IN = ("classifier", "regressor", "multilabel")  # kinds of models whose outputs are as their task wants them


def least_loss(model: Model) -> float:
    """What the loss of a model is never below: 0 of the built-in ones; e^z − y z and a user's own have no bound."""
    return 0.0 if model.kind in BUILT_IN and model.structure["loss"] != "poisson" else -math.inf


class Bound(NamedTuple):
    """A configuration made ready: its trial, the numbers that were given, and all that the trial takes."""

    trial: Trial
    numbers: dict[str, Any]
    complete: dict[str, Any]
    by_fold: tuple[dict[str, Any], ...] = ()  # ``complete`` of each fold, where a schedule counts its epochs


def bind_folds(model: Model, hyper: Mapping[str, Any], folds: Sequence[Prepared], metrics: tuple[Score, ...]) -> Bound:
    """As :func:`bind`; schedules that count epochs go by the number of batches of each fold."""
    first = bind(model, hyper, folds[0], metrics)
    counts = {batches_per_epoch(int(data.train.rows), first.trial.batch_size, first.trial.batch) for data in folds}
    if len(counts) == 1 or not any(callable(value) for value in first.numbers.values()):
        return first
    return first._replace(by_fold=tuple(bind(model, hyper, data, metrics).complete for data in folds))


def bind(model: Model, hyper: Mapping[str, Any] | None, data: Prepared, metrics: tuple[Score, ...]) -> Bound:
    """A configuration's trial and its numbers, schedules that count epochs filled in; concrete ones checked."""
    if hyper is not None and not isinstance(hyper, Mapping):
        raise TypeError(f"`hyper` must be a dict of name to value, got {type(hyper).__name__}")
    for name, value in (hyper or {}).items():
        if has_ranges(value):
            raise ValueError(f"`{name}` is a range to search, {value!r}: give a value here, or the space to fo.caviar")
    trial, numbers = model.bind(hyper, data.features, data.frame.outputs, metrics)
    model.check_layers(trial, numbers)
    check_augmentation(trial, data.example.x)
    if model.kind not in BUILT_IN:
        check_outputs(trial, data)
    if any(score.own for score in metrics):
        check_scores(trial, shapes_of(trial, data.example), plain(trial), data.train)
    per_epoch = batches_per_epoch(int(data.train.rows), trial.batch_size, trial.batch)
    if trial.link == "log" and data.frame.target is not None:
        raise ValueError("the poisson loss wants counts as they are: write fo.regressor(…, standardize_target=False)")
    own, updates = fields_of(trial), updates_of(trial, numbers, per_epoch)
    ready = {name: filled(value, updates if name in own else per_epoch) for name, value in numbers.items()}
    return Bound(trial, numbers, {**model.complete(trial, ready), **own_stopping(hyper)})


def own_stopping(hyper: Mapping[str, Any] | None) -> dict[str, Any]:
    """The numbers of early stopping that a configuration has of its own, under ``stop``; else nothing."""
    if not hyper or STOP not in hyper:
        return {}
    rule = early_stopping(**hyper[STOP])
    return {STOP: {name: float(value) for name, value in rule._asdict().items()}}


def stopping_of(hyper: Mapping[str, Any] | None, rule: EarlyStopping | None) -> EarlyStopping | None:
    """The rule of a run: that which was given, else that of its configuration, else none."""
    return early_stopping(**hyper[STOP]) if rule is None and hyper and STOP in hyper else rule


def check_hyper(model: Model, said: Mapping[str, Any] | None, whole: Mapping[str, Any] | None = None) -> None:
    """Raise for a number that was said and that the structure lacks: it would change nothing.

    Numbers of the declaration are looked at too, unless ``said`` names another structure than the declaration's.

    Args:
        model: the declaration.
        said: what the caller gave.
        whole: the same with what a recipe filled in; ``said`` unless given.
    """
    if said is not None and not isinstance(said, Mapping):
        raise TypeError(f"`hyper` must be a dict of name to value, got {type(said).__name__}")
    said = said or {}
    declared = () if any(name in model.structure for name in said) else model.numbers
    if lacking := model.lacking(said if whole is None else whole, [*said, *declared]):
        raise ValueError(lacking)


def fields_of(trial: Trial) -> tuple[str, ...]:
    """The names of the optimizer's numbers."""
    return trial.optimizer.numbers._fields  # pyright: ignore[reportAttributeAccessIssue]


def updates_of(trial: Trial, numbers: Mapping[str, Any], batches: int) -> float:
    """The updates of an epoch of so many batches, which the optimizer's schedules count: fewer where it accumulates."""
    defaults: Mapping[str, Any] = getattr(trial.optimizer.numbers, "_field_defaults", {})
    every = numbers.get("every_k", defaults.get("every_k", 1)) if "every_k" in fields_of(trial) else 1
    return batches if callable(every) else batches / math.ceil(float(every))


def as_key(key: Any) -> chex.PRNGKey:
    """A typed key: key 0 for None, a new-style key from an old-style one or a seed.

    >>> as_key(None) == jax.random.key(0)
    Array(True, dtype=bool)
    """
    check_fork()
    if key is None:
        return jax.random.key(0)
    seed = str(getattr(key, "dtype", "")).startswith(("int", "uint")) and np.ndim(key) == 0
    if seed or (isinstance(key, int) and not isinstance(key, bool)):
        return jax.random.key(as_seed(key))
    if isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.ndim == 0:
        return key
    if isinstance(key, jax.Array | np.ndarray) and key.dtype == np.uint32 and key.shape == (2,):
        return jax.random.wrap_key_data(jnp.asarray(key))
    raise TypeError(f"`key` must be one key, as in jax.random.key(0), got {key!r}")


def rule_of(stop: Any) -> EarlyStopping | None:
    """An early-stopping rule or None; anything else raises with the way to write it."""
    if stop is None or isinstance(stop, EarlyStopping):
        return stop
    if isinstance(stop, Rule):
        raise TypeError(f"{type(stop).__name__} compares configurations, and here is one: use it in fo.caviar(…)")
    raise TypeError(f"`stop` must be None or fo.early_stopping(patience=…), got {stop!r}")


def rules_of(stop: Any) -> tuple[EarlyStopping | None, Rule | None]:
    """What stops a lane on its own, and what compares configurations: one of the two, or neither."""
    if isinstance(stop, Rule):
        return None, stop
    if stop is None or isinstance(stop, EarlyStopping):
        return stop, None
    raise TypeError(
        "`stop` must be None, fo.early_stopping(patience=…), fo.halving(), fo.hyperband(), "
        f"fo.asynchronous_halving(), fo.median() or fo.population(), got {stop!r}"
    )


def joined(*parts: Dataset | None) -> Dataset:
    """Several datasets of one kind as one, in order; labels by what they stand for, whatever their numbers.

    Raises:
        ValueError: where a later part has a label that the first has not.
    """
    first, *rest = [part for part in parts if part is not None]
    weights = None
    if any(part.weight is not None for part in (first, *rest)):
        each = [np.ones(len(p)) if p.weight is None else np.asarray(p.weight) for p in (first, *rest)]
        weights = kept(np.concatenate(each).astype(np.float64))
    ys = [np.asarray(first.y), *(_renumbered(np.asarray(p.y), p.classes, first.classes) for p in rest)]
    x = _together([np.asarray(part.x) for part in (first, *rest)])
    return first._replace(x=kept(x), y=kept(_together(ys)), weight=weights)


def _together(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays one below the other; whole numbers stay whole, also where one is unsigned and another is not."""
    unsigned = np.uint64 in [a.dtype for a in arrays] and all(a.dtype.kind in "iu" for a in arrays)
    if unsigned and all(int(a.min(initial=0)) >= 0 for a in arrays):
        return np.concatenate([a.astype(np.uint64) for a in arrays])
    return np.concatenate(arrays)


def _renumbered(y: np.ndarray, mine: tuple[Any, ...] | None, wanted: tuple[Any, ...] | None) -> np.ndarray:
    """Class numbers into ``mine`` as numbers into ``wanted``."""
    if mine == wanted or wanted is None or (mine is None and isinstance(wanted[0], str)):
        if mine is not None and wanted is None:
            return np.asarray(mine)[y]
        return y
    if mine is None:  # labels that stand for themselves
        labels, places = np.unique(y, return_inverse=True)
        return _renumbered(places.reshape(-1), tuple(labels.tolist()), wanted)
    unknown = sorted({str(mine[int(k)]) for k in np.unique(y)} - {str(label) for label in wanted})
    if unknown:
        raise ValueError(f"label {unknown[0]!r} is not one of the classes {list(wanted)} of the first part")
    return np.array([wanted.index(label) if label in wanted else -1 for label in mine], y.dtype)[y]
