"""One model, one configuration."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._checks import same_structure, whole
from fnopt._keys import without_keys
from fnopt._types import Dataset, Params, Score, Stats, Trial
from fnopt.model import Frame, Model, prepare
from fnopt.model.encode import check_datasets
from fnopt.run.defined import check_defined
from fnopt.run.late_bar import late_bar
from fnopt.run.run import Going, Run, train_on, watch_of
from fnopt.run.setup import as_key, bind, check_hyper, rule_of, stopping_of
from fnopt.run.tracking import Tracker, tracked_fit
from fnopt.run.unsaid import Call, apart, checked_share, completed, still_falling
from fnopt.space.epochs import NAME, own_length
from fnopt.space.stopping import STOP
from fnopt.sweep.chunk import Chunk, Cohort, Data, Place, Work, begin_lanes
from fnopt.sweep.draws import Draws
from fnopt.sweep.drive import Watch
from fnopt.sweep.merge import Program
from fnopt.sweep.result import LaneResult
from fnopt.train import CURVES, EarlyStopping, Keys, followed, keys_of, metrics_of, objective_of


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
    follow: str | Score | Sequence[str | Score] | None = None,
    holdout: float | None = None,
    params: Params | tuple[Params, Stats] | None = None,
    encoding: Frame | None = None,
    progress: bool | Watch | None = None,
    track: Tracker | Sequence[Tracker] | None = None,
) -> Run:
    """Train one configuration: minimise J = (Σ w_i loss_i)/(Σ w_i) + penalty by mini-batches.

    Without ``epochs``, here and in ``hyper``, everything that neither the call nor the model says comes from the
    model's recipe, see ``fo.recipes.default``: it trains by updates at a rate that falls to zero, and the weights of
    the epoch of least dev loss count. Where no ``dev`` is given, the recipe's share of the rows is held out for that
    (each class in its share). Then ``scores["dev"]`` are those of the chosen epoch: chosen on these rows, so better
    than those of new rows. What was filled in is the run's ``plan``. With ``epochs``, what is not said has its usual
    value: no rows are held out, the rate stays, the last weights count.

    Args:
        model: from ``classifier``, ``regressor``, ``multilabel`` or ``supervised``.
        train: what to learn from; inputs are scaled by this part alone.
        dev: what to score after each epoch; may be left out.
        hyper: structure and numbers by name (``lr``, ``l2``, ``hidden``, …) over those of the model; a number that the
            structure lacks is an error, as is an unknown name. It may hold ``epochs``, and early stopping's own numbers
            under ``stop``, as the ``best.hyper`` of a sweep that searched them.
        epochs: passes over ``train``, ≥ 1; unless given, those of ``hyper``, else as many as the recipe says.
        key: what weights, order, dropout and held-out rows draw from; ``jax.random.key(0)`` unless given.
        stop: ``early_stopping(...)`` ends the run when the objective no longer improves, and keeps the best weights.
        objective: ``"dev/accuracy"`` and the like: what early stopping watches.
        follow: scores to report after each epoch beside the usual ones: names, as ``("f1_macro", "brier")``, and
            scores of one's own, from ``fo.metric``; any may be the objective.
        holdout: in [0, 1); the share of ``train`` that is held out as dev part, at random; 0 trains on all rows. The
            recipe's without ``epochs``, else 0.
        params: initial weights instead of drawn ones, of the structure that ``model`` has; or ``(params, stats)``,
            without which the statistics begin again.
        encoding: that of an earlier run, ``run.encoding``: inputs and targets are scaled as they were there, so that
            its weights mean the same. By default by ``train``.
        progress: True for a bar on the terminal, False for none; without ``epochs`` a bar comes where training lasts.
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
    key = as_key(key)
    said = hyper
    call = _in_full(model, train, dev, hyper, epochs, key, stopping_of(hyper, rule_of(stop)), objective, holdout)
    train, dev, hyper, epochs, rule, watched, plan = call
    check_hyper(model, said, hyper)
    scores = followed(model.task, follow)
    data = prepare(model, train, dev, given=encoding, own=any(score.own for score in scores))
    target = objective_of(model.task, watched, dev is not None, scores)
    named = target if objective is None else objective_of(model.task, objective, dev is not None, scores)
    if objective is not None:
        check_defined(named, [data], several=False)
    metrics = metrics_of(model.task, named, scores)
    trial, numbers, complete, _ = bind(model, hyper, data, metrics)
    complete = {name: value for name, value in complete.items() if name != STOP}  # it is the rule of this run
    work = Work((Data(data.train, data.dev, data.example),), target, rule, epochs, key, unit=data.unit)
    cohort = Cohort(Program(trial), 1, jax.tree.structure(complete), 0, 0)
    chunk = Chunk(cohort, (Place(0, 0, 0, complete),))
    draws = Draws(keys_of(key, trial.augment is not None))
    lanes = begin_lanes(work, chunk, draws, _given(params, work, trial, draws.keys))
    structure, _ = model.split(hyper)
    start = Run(
        model=model,
        encoding=data.frame,
        trial=trial,
        hyper={**structure, **numbers},
        params=(),
        stats=(),
        numbers={},
        scores={},
        history={"train": {}, **{name: np.zeros(0, np.float32) for name in CURVES}},
        plan=plan,
    )
    going = Going(work, lanes, draws, chunk, _nothing())
    shown = late_bar() if progress is None and "recipe" in plan else watch_of(progress or False)
    with tracked_fit(trial, start.hyper, work, (train, dev), shown, track) as watch:
        run = train_on(start, going, epochs, watch)
    if line := still_falling(run):
        warnings.warn(line, stacklevel=2)
    return run


def _in_full(
    model: Model,
    train: Dataset,
    dev: Dataset | None,
    hyper: Mapping[str, Any] | None,
    epochs: int | None,
    key: Any,
    stop: EarlyStopping | None,
    objective: str | None,
    holdout: Any,
) -> Call:
    """What is trained: as the call says it, or filled in from the recipe where it says no ``epochs``."""
    if hyper is not None and not isinstance(hyper, Mapping):
        raise TypeError(f"`hyper` must be a dict of name to value, got {type(hyper).__name__}")
    share, bare = checked_share(holdout, dev), epochs is None and NAME not in (hyper or {})
    if bare or share:  # what is wrong is named by its row, before rows are held out
        check_datasets(train, dev)
    if bare:
        return completed(model, train, dev, hyper=hyper, key=key, stop=stop, objective=objective, holdout=share)
    epochs = own_length(hyper, 1) if epochs is None else whole("epochs", epochs)
    train, dev, rows = apart(train, dev, share or 0.0, key, model.task)
    return Call(train, dev, dict(hyper or {}), epochs, stop, objective, {"held_out": rows} if len(rows) else {})


def _given(params: Params | tuple[Params, Stats] | None, work: Work, trial: Trial, keys: Keys) -> Any:
    """Given weights, and statistics given or fresh, checked against the model's own; None where they are drawn."""
    if params is None:
        return None
    own = {name: jnp.asarray(0.5) for name in trial.numbers}
    drawn, stats = trial.init(keys.init, work.folds[0].example, own)
    given = stats
    if jax.tree.structure(params) != jax.tree.structure(drawn) and isinstance(params, tuple) and len(params) == 2:
        params, given = params[0], without_keys(params[1])
        same_structure(stats, given, "the second of `params`, stats,")
    same_structure(drawn, params, "`params`")
    return jax.tree.map(lambda p, d: jnp.asarray(p, d.dtype), (params, given), (drawn, stats))


def _nothing() -> LaneResult:
    return LaneResult(0, 0, 0, {}, {}, 0, -1, "done", "", "", (), ())
