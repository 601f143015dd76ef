"""One model, one configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import same_structure, whole
from fnopt._types import Dataset, Params, Trial
from fnopt.model import Model, prepare
from fnopt.run.run import Going, Run, train_on, watch_of
from fnopt.run.setup import as_key, bind, metrics_of, objective_of, rule_of
from fnopt.run.tracking import Tracker, tracked_fit
from fnopt.space.epochs import own_length
from fnopt.sweep.chunk import Chunk, Cohort, Data, Place, Work, begin_lanes
from fnopt.sweep.draws import Draws
from fnopt.sweep.drive import Watch
from fnopt.sweep.merge import Program
from fnopt.sweep.result import LaneResult
from fnopt.train import CURVES, EarlyStopping, Keys, keys_of

EPOCHS = 20  # where nobody says


def fit(
    model: Model,
    train: Dataset,
    dev: Dataset | None = None,
    *,
    hyper: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    key: Any = None,
    stop: EarlyStopping | None = None,
    objective: str | None = None,
    params: Params | None = None,
    progress: bool | Watch = False,
    track: Tracker | Sequence[Tracker] | None = None,
) -> Run:
    """Train one configuration: minimise J = (Σ w_i loss_i)/(Σ w_i) + penalty by mini-batches.

    Args:
        model: from ``classifier``, ``regressor``, ``multilabel`` or ``supervised``.
        train: what to learn from; inputs are scaled by this part alone.
        dev: what to score after each epoch; may be left out.
        hyper: structure and numbers by name (``lr``, ``l2``, ``hidden``, …) over those of the model; a number that the
            structure lacks is left out, an unknown name is an error. It may hold ``epochs``.
        epochs: passes over ``train``, ≥ 1; those of ``hyper`` unless given, else 20.
        key: what weights, order and dropout draw from; ``jax.random.key(0)`` unless given.
        stop: ``early_stopping(...)`` ends the run when the objective no longer improves, and keeps the best weights.
        objective: ``"dev/accuracy"`` and the like: what early stopping watches.
        params: initial weights instead of drawn ones, of the structure that ``model`` has.
        progress: True for a bar on the terminal.
        track: where curves and scores go when training ends: ``fo.track.csv(folder)`` and its like, one or several.

    Returns:
        a ``Run``: weights, curves, scores; ``predict``, ``evaluate``, ``more``, ``save``.

    Raises:
        ValueError, TypeError: for data, names and numbers that cannot be, saying which and what to write instead.

    >>> from fnopt import data, model
    >>> iris = data.load("iris")
    >>> run = fit(model.classifier(hidden=(8,)), iris, hyper=dict(lr=0.05), epochs=30)
    >>> run.scores["train"]["accuracy"] > 0.95
    True
    """
    if not isinstance(model, Model):
        raise TypeError(f"`model` must come from fo.classifier and its like, got {type(model).__name__}")
    key, rule = as_key(key), rule_of(stop)
    epochs = own_length(hyper, EPOCHS) if epochs is None else whole("epochs", epochs)
    data = prepare(model, train, dev)
    target = objective_of(model.task, objective, dev is not None)
    metrics = metrics_of(model.task, target)
    trial, numbers, complete, _ = bind(model, hyper, data, metrics)
    work = Work((Data(data.train, data.dev, data.example),), target, rule, epochs, key, unit=data.unit)
    cohort = Cohort(Program(trial), 1, jax.tree.structure(complete), 0, 0)
    chunk = Chunk(cohort, (Place(0, 0, 0, complete),))
    draws = Draws(keys_of(key))
    lanes = begin_lanes(work, chunk, draws, _given(params, work, trial, draws.keys))
    structure, _ = model.split(hyper)
    start = Run(
        model=model,
        frame=data.frame,
        trial=trial,
        hyper={**structure, **numbers},
        params=(),
        stats=(),
        numbers={},
        scores={},
        history={"train": {}, **{name: np.zeros(0, np.float32) for name in CURVES}},
    )
    going = Going(work, lanes, draws, chunk, _nothing())
    with tracked_fit(trial, start.hyper, work, (train, dev), watch_of(progress), track) as watch:
        return train_on(start, going, epochs, watch)


def _given(params: Params | None, work: Work, trial: Trial, keys: Keys) -> Any:
    """Given weights with fresh statistics, checked against the model's own; None where they are to be drawn."""
    if params is None:
        return None
    own = {name: jnp.asarray(0.5) for name in trial.numbers}
    drawn, stats = trial.init(keys.init, work.folds[0].example, own)
    same_structure(drawn, params, "`params`")
    return jax.tree.map(lambda p, d: jnp.asarray(p, d.dtype), params, drawn), stats


def _nothing() -> LaneResult:
    return LaneResult(0, 0, 0, {}, {}, 0, -1, "done", "", "", (), ())
