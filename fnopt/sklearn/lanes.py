"""The candidates of a search, trained side by side in one call of ``fo.caviar``."""

import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnopt import optim
from fnopt._keys import with_keys
from fnopt._types import Dataset, Trial
from fnopt.data import Folds, folds
from fnopt.model.mlp import FORWARD
from fnopt.numbers import resolve
from fnopt.run import Run, Sweep, caviar
from fnopt.run.unsaid import completed
from fnopt.sklearn.arguments import Size, Training, training_of
from fnopt.sklearn.base import Estimator
from fnopt.sklearn.common import configured
from fnopt.sklearn.targets import as_dataset, checked
from fnopt.space.epochs import NAME
from fnopt.sweep.drive import Silent
from fnopt.sweep.result import LaneResult
from fnopt.train import SCORES

SAME = (  # arguments that are one for all candidates
    *("class_weight", "standardize", "standardize_target", "loss", "early_stopping", "validation_fraction"),
    *("tol", "n_iter_no_change", "random_state", "verbose", "warm_start"),
)
SCORING = {  # scikit-learn's names of scores, where fnopt's differ
    "neg_log_loss": "loss",
    "neg_mean_squared_error": "mean_squared_error",
    "neg_root_mean_squared_error": "root_mean_squared_error",
    "neg_mean_absolute_error": "mean_absolute_error",
    "neg_median_absolute_error": "median_absolute_error",
}
Split = tuple[Any, Any]  # rows to train on and to score on


class Trained(NamedTuple):
    """All candidates in all folds."""

    estimators: list[Estimator]  # one a candidate, without weights
    sweep: Sweep
    lanes: dict[tuple[int, int], LaneResult]  # by candidate and fold, with their weights
    seconds: float  # of the whole call

    def fitted(self, config: int, fold: int) -> Estimator | None:
        """A candidate as it was trained in a fold; None where it diverged."""
        lane = self.lanes[config, fold]
        if lane.status == "diverged":
            return None
        made = copy(self.estimators[config])
        vars(made).update(remembered(self.estimators[0]))
        made.run_ = answering(self.sweep, lane)
        made._goes_on = False
        return made


class Keeping(Silent):
    """A watch that keeps what every lane came to: a sweep keeps the weights of its best alone."""

    def __init__(self) -> None:
        self.lanes: dict[tuple[int, int], LaneResult] = {}

    def done(self, results: Sequence[LaneResult]) -> None:
        """See ``Watch``."""
        self.lanes |= {(lane.config, lane.fold): lane for lane in results}


def side_by_side(
    estimator: Estimator,
    x: Any,
    y: Any,
    weight: Any,
    candidates: Sequence[Mapping[str, Any]],
    splits: Sequence[Split],
    stop: Any,
    scoring: Any,
) -> Trained:
    """Train every candidate on the first rows of every split.

    Each as the estimator trains it under ``early_stopping=False``: without ``max_iter`` by the recipe, on all rows.

    Args:
        estimator: what the candidates are clones of.
        x, y, weight: as ``fit`` takes them.
        candidates: arguments of the estimator, by name.
        splits: row numbers to train on and to score on, a pair a fold.
        stop: a rule of ``fo.caviar`` that compares candidates, or None.
        scoring: the name of the score that such a rule goes by, where fnopt has it; else accuracy or loss.

    Raises:
        ValueError, TypeError: for candidates that one call cannot hold.
        KeyboardInterrupt: where the call was interrupted.
    """
    start = time.perf_counter()
    estimators = [configured(estimator, some) for some in candidates]
    _check_same(estimators)
    first = estimators[0]
    rows = checked(first, x, y, weight, numeric=first._numeric, reset=True)
    first._remember(rows, None)
    rows = first._weighted(rows)
    data = as_dataset(first, rows._replace(counts=np.ones(len(rows.x), bool)), first._labels_)
    parts = folds(data, [(train[rows.counts[train]], dev) for train, dev in _as_rows(splits, len(data))])
    each = [asked_by(first, one, data, parts) for one in estimators]
    shared = each[0]
    if stop is not None and shared.objective is not None:
        raise ValueError(
            "`stop` compares candidates by their scores on the test rows of each fold, and `tol`, `n_iter_no_change` "
            'and learning_rate="adaptive" go by the training loss: leave out one or the other'
        )
    watch = Keeping()
    sweep = caviar(
        shared.model,
        {},
        data,
        search=[{**one.hyper, NAME: one.epochs} for one in each],
        folds=parts,
        key=first._key(),
        stop=stop or shared.stop,
        objective=shared.objective or _objective(shared.model.task, scoring),
        progress=watch,
    )
    if not sweep.finished:
        raise KeyboardInterrupt(f"the search was {sweep.ended}")
    return Trained(estimators, sweep, watch.lanes, time.perf_counter() - start)


def _as_rows(splits: Sequence[Split], rows: int) -> list[Split]:
    """Splits as row numbers; masks become such."""
    return [tuple(np.arange(rows)[np.asarray(part)] for part in pair) for pair in splits]  # pyright: ignore[reportReturnType]


def _check_same(estimators: Sequence[Estimator]) -> None:
    first = estimators[0].get_params(deep=False)
    if first["early_stopping"]:
        raise ValueError(
            "early_stopping=True holds rows out inside each fold, which one call for all candidates does not: leave it "
            "out, or take sklearn.model_selection.RandomizedSearchCV"
        )
    for name in (name for name in SAME if name in first):
        if any(getattr(one, name) != first[name] for one in estimators):
            raise ValueError(
                f"`{name}` is one for all candidates of CaviarSearchCV: set it in the estimator, or take "
                "sklearn.model_selection.RandomizedSearchCV, which trains each by itself"
            )


def asked_by(first: Estimator, one: Estimator, data: Dataset, parts: Folds) -> Training:
    """What a candidate asks for, filled in from the recipe where it says no length."""
    size = Size(first._task(), len(parts.pairs[0][0]), data.x.shape[1])
    training = training_of({**one.get_params(deep=False), "early_stopping": False}, size)
    if training.epochs is not None:
        return training
    if NAME in training.hyper:
        return training._replace(epochs=training.hyper[NAME])
    train, _ = parts.parts(data)[0]
    call = completed(
        training.model,
        train,
        None,
        hyper=training.hyper,
        key=jax.random.key(0),  # nothing is held out, so nothing is drawn
        stop=training.stop,
        objective=training.objective,
        holdout=0.0,
    )
    return training._replace(hyper=call.hyper, epochs=call.epochs)


def _objective(task: str, scoring: Any) -> str | None:
    """The score of fnopt that a name of scikit-learn's is, None for the usual one."""
    name = SCORING.get(scoring, scoring) if isinstance(scoring, str) else None
    return f"dev/{name}" if name == "loss" or name in SCORES[task] else None


def remembered(estimator: Estimator) -> dict[str, Any]:
    """What an estimator knows of the data that it saw."""
    names = ("n_features_in_", "feature_names_in_", "classes_", "_labels_")
    return {name: value for name, value in vars(estimator).items() if name in names}


def answering(sweep: Sweep, lane: LaneResult) -> Run:
    """A lane as a run that predicts; all lanes of one network share the program that does."""
    trial = sweep.trials[lane.config]
    own = sweep.entries[lane.config].numbers
    numbers = jax.tree.map(jnp.asarray, {name: own[name] for name in trial.numbers if name in FORWARD})
    updates = int(lane.history["updates"][max(lane.best, 0)])
    return Run(
        model=sweep.model,
        encoding=sweep.frames[lane.fold],
        trial=_net(trial, tuple(numbers)),
        hyper=dict(sweep.configs[lane.config]),
        params=jax.tree.map(jnp.asarray, lane.params),
        stats=with_keys(jax.tree.map(jnp.asarray, lane.stats)),
        numbers=resolve(numbers, jnp.asarray(updates, jnp.int32)),
        scores=lane.scores,
        history=lane.history,
        status=lane.status,
        why=lane.why,
        best_epoch=lane.best + 1,
    )


def _net(trial: Trial, numbers: tuple[str, ...]) -> Trial:
    """A trial without all that only training looks at."""
    rest = {"penalty": None, "project": None, "metrics": (), "batch_size": 1, "shuffle": True, "splits": False}
    return replace(trial, optimizer=optim.sgd, numbers=numbers, **rest)
