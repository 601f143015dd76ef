"""A run: one trained model with its curves, ready to predict, to go on and to be saved."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnopt import metrics
from fnopt._checks import whole
from fnopt._compile import TRACES
from fnopt._keys import with_keys
from fnopt._types import Dataset, Params, Stats, Trial
from fnopt.analysis import Diagnosis, InputImportances
from fnopt.model import Frame, Model, framed
from fnopt.model.prepare import in_order
from fnopt.numbers import resolve
from fnopt.report import run_html
from fnopt.run.activations import activations_of
from fnopt.run.course import course
from fnopt.run.frame import as_frame
from fnopt.run.shown import Scores
from fnopt.sweep.chunk import Chunk, Pace, Work, going_on, trainer
from fnopt.sweep.draws import Draws
from fnopt.sweep.drive import Silent, Watch
from fnopt.sweep.guarded import Guarded
from fnopt.sweep.lanes import apart
from fnopt.sweep.merge import member
from fnopt.sweep.result import LaneResult, Trim, result_of
from fnopt.train import (
    CURVES,
    EVALUATED,
    SCORES,
    Autopsy,
    Lane,
    Records,
    autopsy,
    batches_per_epoch,
    evaluate,
    in_unit,
    linked,
    reported,
    seen_by,
    window,
)

ROWS = 4096  # predicted at once
NEAR = 1e-3  # of the training part's spread: data that vary less are scored in float64


class Going(NamedTuple):
    """What a run needs to train on: its lane, data and draws. A run that was loaded from a file has none."""

    work: Work
    lanes: Lane
    draws: Draws
    chunk: Chunk
    result: LaneResult
    trim: Trim | None = None  # from padded to true widths


@dataclass(frozen=True, eq=False)
class Run:
    """One trained model.

    ``hyper`` holds its structure and numbers, ``scores[part][score]`` what its weights reach, ``history[part][score]``
    one value an epoch; ``history["lr"]`` and ``history["cost"]`` are the learning rate and the training cost,
    ``history["updates"]`` counts what the optimizer had made, and every other number that is a schedule has its values
    under its name, as in ``history["dropout"]``.

    ``plan`` is what a call without ``epochs`` filled in: the ``recipe`` and its values, ``rows`` that were trained on,
    ``held_out``, the row numbers of those that were not, and ``chosen_by``, the score that chose the epoch whose
    weights count: ``scores["dev"]`` are then the best of many looks at these rows, not those of new ones.
    """

    model: Model
    encoding: Frame
    trial: Trial = field(repr=False)
    hyper: dict[str, Any]
    params: Params = field(repr=False)
    stats: Stats = field(repr=False)
    numbers: dict[str, Any] = field(repr=False)  # the model's own, at the end of training
    scores: dict[str, dict[str, float]]
    history: dict[str, Any] = field(repr=False)
    status: str = "done"
    why: str = ""
    best_epoch: int = 0  # how many epochs the weights that count have seen
    plan: dict[str, Any] = field(default_factory=dict, repr=False)  # what a call without ``epochs`` filled in
    going: Going | None = field(default=None, repr=False)
    autopsy: Autopsy | None = field(default=None, repr=False)  # its failing step, leaf by leaf, where it diverged
    _inputs: str = field(default="", repr=False, init=False)  # which matter most, once that was asked

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return len(self.history["cost"])

    def outputs(self, x: Any) -> jax.Array:
        """What the network gives, before it is turned into answers: logits or standardized values.

        Args:
            x: shape=(m, …), in the units of the training data; scaled here as it was there. Of a data frame the columns
                are taken by the names that the training data had, whatever their order; others are left out. No rows
                give no outputs.

        Raises:
            ValueError, TypeError: as :func:`fnopt.data.dataset` has it of the same ``x``; for a column that is not
                there; for a number too far from the training data for float32.
        """
        x = self.encoding.scaled(x)
        if not len(x):
            one = jax.eval_shape(self._outputs, np.zeros((1, *x.shape[1:]), x.dtype))
            return jnp.zeros((0, *one.shape[1:]), one.dtype)
        return jnp.concatenate([self._outputs(x[i : i + ROWS]) for i in range(0, len(x), ROWS)])

    def _outputs(self, x: Any) -> jax.Array:
        return _predict(self.params, self.stats, x, self.numbers, trial=self.trial)

    def predict(self, x: Any) -> Any:
        """Labels (as they were in the data), values in the target's units, or 0/1 columns; shape=(m, …).

        ``x`` is as for :meth:`outputs`. Values that were standardized in training are float64.
        """
        return self.encoding.answers(linked(self.trial, self.outputs(x)))

    def predict_proba(self, x: Any) -> Any:
        """Probabilities, shape=(m, classes) in the order of ``run.classes``; shape=(m, labels) for labels.

        ``x`` is as for :meth:`outputs`.
        """
        return self.encoding.chances(self.outputs(x))

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """What the columns of ``predict_proba`` stand for."""
        return self.encoding.classes

    def activations(self, x: Any) -> dict[str, np.ndarray]:
        """What each layer puts out for ``x``: ``"inputs"`` as the network sees them, the hidden layers, ``"output"``.

        Args:
            x: shape=(m, …), as for :meth:`predict`.

        Returns:
            a dict of arrays, shape=(m, units), in the order of the layers; features for a clustering, a picture, or
            another model.

        Raises:
            ValueError: for a model of your own functions, whose layers are not known.
        """
        return activations_of(self, x)

    def evaluate(self, data: Dataset) -> dict[str, float]:
        """Every score of the task on some data, weights of examples included: a dictionary that prints short.

        Named columns may stand in any order; those that the model does not know are left out.
        Scores of values are in the target's own units; ``loss`` is what training minimised, in its units.
        """
        part, unit = framed(self.encoding, data, any(score.own for score in self.trial.metrics))
        part = seen_by(self.trial, part)
        usual = [SCORES[self.encoding.task][name] for name in EVALUATED[self.encoding.task]]
        trial = replace(self.trial, metrics=tuple(dict.fromkeys([*usual, *self.trial.metrics])))
        scores = _evaluate(self.params, self.stats, self.numbers, part, trial=trial)
        values = in_unit(reported(trial), np.asarray(scores), unit)
        found = {score.name: float(v) for score, v in zip(reported(trial), values, strict=True)}
        return Scores({**found, **self._far_scores(data)})

    def _far_scores(self, data: Dataset) -> dict[str, float]:
        """Scores of values in float64 from the predictions, where float32 loses the spread of these data.

        They are then far from the training part or vary far less than it, as when they come in another unit.
        """
        if self.encoding.target is None:
            return {}
        truth = self.encoding.values(data)
        scaled = (truth - self.encoding.target.mean) / self.encoding.target.scale
        spread, size = scaled.std(axis=0), np.abs(scaled).max(axis=0)
        if not np.any((spread > 0) & (spread < NEAR * np.maximum(size, 1))):
            return {}
        weight = None if data.weight is None else np.asarray(data.weight, np.float64)
        predicted = np.asarray(self.predict(in_order(self.encoding, data).x), np.float64).reshape(truth.shape)
        return {name: float(getattr(metrics, name)(truth, predicted, weight=weight)) for name in EVALUATED["values"]}

    def diagnose(
        self, *, target: float | None = None, train_dev: Dataset | float | None = None, metric: str | None = None
    ) -> Diagnosis:
        """Bias or variance, and what to try: :func:`fnopt.analysis.diagnose` of this run's curves, data and network.

        To tell a mismatch of the distributions from variance, hold rows of the *training* distribution out, train on
        the others and score both::

            train, train_dev = fo.data.split(train, (0.9, 0.1), key=key)
            fo.fit(model, train, dev, …).diagnose(target=0.01, train_dev=train_dev)

        Args:
            target: the error that can be reached, as 1 − accuracy of a human; 0 unless given.
            train_dev: rows of the training distribution that no training saw; or their score.
            metric: the score whose error counts; accuracy or R² where the run followed it, else the loss.

        Returns:
            a ``Diagnosis``; printed, one paragraph. A loaded run has no data: it is diagnosed by its curves and scores.

        Raises:
            ValueError: for a metric that the run did not follow, where no epoch has a finite score, and for a target
                or a ``train_dev`` that the score cannot have, as one in percent.
            TypeError: for a ``train_dev`` that is neither data nor a number.

        >>> from fnopt import data, fit, model
        >>> run = fit(model.classifier(hidden=(8,)), data.load("iris"), hyper=dict(lr=0.05), epochs=30)
        >>> run.diagnose(target=0.02).variance is None  # there is no dev part
        True
        """
        from fnopt.run.diagnosis import diagnose_run

        return diagnose_run(self, target, train_dev, metric)

    def input_importance(
        self, data: Dataset, *, metric: str | None = None, repeats: int = 5, key: Any = None
    ) -> InputImportances:
        """How much worse a score is with one input shuffled: :func:`fnopt.analysis.permutation_importance`.

        The inputs that come from one column of a table, as the categories of a text, are shuffled together. From then
        on the run prints a line of those that matter most.

        Args:
            data: what to score; take rows that the run was not trained on.
            metric: the loss, unless a score of the task is named.
            repeats: orders, ≥ 1.
            key: what they are drawn from; ``jax.random.key(0)`` unless given.
        """
        from fnopt.run.importance import input_importance

        found = input_importance(self, data, metric, key, repeats)
        object.__setattr__(self, "_inputs", found.line("loss" if metric is None else metric))
        return found

    def more(self, epochs: int, *, progress: bool | Watch = False) -> "Run":
        """The same run, so many epochs further: bit for bit what one longer run gives.

        Raises:
            ValueError: for a run that was loaded from a file (it holds weights, not the state of training), for one
                that diverged or was stopped, and where its rate stays 0 because its schedule has ended.
        """
        going = self.going
        if going is None:
            raise ValueError("a loaded run holds weights, not the state of training: fit it again with more epochs")
        epochs = whole("epochs", epochs)
        if self.status != "done":
            raise ValueError(f"this run {self.status} ({self.why}) and cannot go on")
        _check_rate(going, epochs)
        mine = _copy(going.lanes)  # training eats its argument, and this run must live on
        return train_on(self, going._replace(lanes=mine), epochs, watch_of(progress))

    def save(self, path: str | Path) -> Path:
        """Write weights (safetensors) and, beside them, a JSON file with all that predicting needs."""
        from fnopt.run.files import save

        return save(self, path)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, it is what a loaded run is: weights and scores, without the state of training and the data."""
        from fnopt.run.files import pickled

        return pickled(self)

    def __copy__(self) -> "Run":
        return replace(self)

    def __deepcopy__(self, memo: Any) -> "Run":
        copied = {name: deepcopy(getattr(self, name), memo) for name in ("hyper", "scores", "history")}
        return replace(self, **copied)  # arrays are never changed in place, nor is the rest

    def __str__(self) -> str:
        scores = ", ".join(
            f"{part} {name} {value:.4g}" for part, rows in self.scores.items() for name, value in rows.items()
        )
        why = f" ({self.why})" if self.why else ""
        first = f"{self.model.kind}, {self.epochs} epochs, {self.status}{why}: {scores}{self._planned()}"
        return f"{first}\n{self._inputs}" if self._inputs else first

    def _repr_html_(self) -> str:
        return run_html(str(self), self.scores, self.history, self.best_epoch)

    def frame(self) -> Any:
        """The curves as a data frame of pandas where that is installed, else as arrays by name: a row an epoch.

        >>> import fnopt as fo
        >>> run = fo.fit(fo.classifier(hidden=()), fo.data.iris(), epochs=2, hyper=dict(lr=0.1))
        >>> frame = run.frame()
        >>> len(frame["train/loss"]), float(frame["epoch"][1])
        (2, 2.0)
        """
        parts = [part for part in ("train", "dev") if part in self.history]
        scores = {f"{part}/{name}": curve for part in parts for name, curve in self.history[part].items()}
        rest = {name: curve for name, curve in self.history.items() if name not in parts}
        return as_frame({"epoch": np.arange(1, self.epochs + 1), **scores, **rest})

    def _planned(self) -> str:
        """A second line: what was filled in, where something was."""
        if not self.plan:
            return ""
        held, made = len(self.plan["held_out"]), int(self.history["updates"][-1])
        parts = [f"recipe {self.plan['recipe']}"] if "recipe" in self.plan else []
        parts += [f"{made} updates", f"{held} rows held out" if held else "no rows held out"]
        if self.plan.get("chosen_by"):
            parts.append(f"weights of epoch {self.best_epoch}, chosen by {self.plan['chosen_by']}")
        return f"\n{', '.join(parts)}"


def _check_rate(going: Going, epochs: int) -> None:
    """ValueError where the learning rate is a schedule that stays 0 for all the epochs to come."""
    lr = going.lanes.state.hyper.lr
    if not callable(lr):
        return
    rows, cohort = int(going.work.folds[going.chunk.cohort.fold].train.rows), going.chunk.cohort
    steps = epochs * batches_per_epoch(rows, cohort.program.batch_size or cohort.program.trial.batch_size)
    made = int(going.result.history["updates"][-1])
    rate = jax.tree.map(lambda a: jnp.asarray(a)[0], lr)
    if not np.any(np.asarray(rate(made + np.arange(steps)))):
        raise ValueError(
            f"the learning rate of this run is 0 from here on: its schedule ended by update {made}, and more epochs "
            "would change nothing; fit again with a schedule over more steps"
        )


def train_on(run: Run, going: Going, epochs: int, watch: Watch) -> Run:
    """``epochs`` more of a run's lane, whose curves are continued; eats ``going.lanes``."""
    watch = Guarded(watch, lambda: None)
    watch.start(1, epochs)
    work, lanes, draws, chunk = going[:4]
    most = window(work.folds[chunk.cohort.fold].train.x.shape[0])
    age, end, pace, records = run.epochs, run.epochs + epochs, Pace(0.25), []
    step = trainer(work, chunk, draws, end)
    while age < end:
        count = pace.next(chunk.cohort, age, end, most)
        lanes, seen, seconds = step(lanes, age, count)
        pace.took(chunk.cohort, count, seconds)
        records.append(jax.tree.map(lambda a, n=count: a[0, :n], seen))
        age += count
        over = not going_on(lanes)[0]
        watch.tick(end - age + count if over else count)
        if over or watch.error is not None:
            break
    new = jax.tree.map(lambda *parts: np.concatenate(parts), *records)
    return _continued(run, going._replace(lanes=lanes), new, watch)


def _continued(run: Run, going: Going, new: Records, watch: Guarded) -> Run:
    """A run from its lane after training, the curves so far and the new ones."""
    scores = reported(run.trial)

    def earlier(part: str) -> Any:
        rows = run.history.get(part, {})
        if not rows:
            return None
        values = np.stack([np.asarray(rows[score.name]) for score in scores], axis=-1)
        return in_unit(scores, values, 1 / going.work.unit).astype(jnp.result_type(float))

    if run.history["cost"].size:
        old = Records(train=earlier("train"), dev=earlier("dev"), **{n: run.history[n] for n in CURVES})
        new = jax.tree.map(lambda a, b: np.concatenate([a, b]), old, new)
    (lane,) = apart(going.lanes, 1)
    place = going.chunk.places[0]._replace(age=len(new.cost), lane=lane, seen=new)
    result = result_of(going.work, going.chunk.cohort.program, place, trim=going.trim)
    result = result._replace(history={**course(run.trial, place, going.work, result.history), **result.history})
    watch.done([result])
    watch.complain()
    made = replace(as_run(run.model, run.encoding, run.trial, run.hyper, going._replace(result=result)), plan=run.plan)
    return dissected(made, going, lane) if result.status == "diverged" else made


def dissected(run: Run, going: Going, lane: Lane) -> Run:
    """The run of a lane that diverged, with its failing step looked at leaf by leaf."""
    cohort = going.chunk.cohort
    program, train = cohort.program, going.work.folds[cohort.fold].train
    size = None if program.batch_size is None else np.int32(program.batch_size)
    try:
        found = autopsy(member(program.trial, program.which), lane, train, going.draws.keys, size)
    except jax.errors.JaxRuntimeError:  # as where memory is at an end: no reason to lose the run
        return run
    if not found.first and np.isfinite(found.cost):  # another program, in which the step is sound
        return run
    return replace(run, autopsy=found, why=f"not finite at {found.line}")


def as_run(model: Model, frame: Frame, trial: Trial, hyper: Mapping[str, Any], going: Going) -> Run:
    """A run from a lane's result."""
    result = going.result
    step, numbers = jax.device_get((going.lanes.state.step, going.lanes.numbers))
    numbers = {name: numbers[name] for name in trial.numbers}
    at = step[0]
    if going.lanes.patience is not None:  # the weights that count belong to the best epoch, and so do the numbers
        rows = int(going.work.folds[going.chunk.cohort.fold].train.rows)
        at = (result.best + 1) * batches_per_epoch(rows, trial.batch_size, trial.batch)
    numbers = resolve(jax.tree.map(lambda a: a[0], numbers), jnp.asarray(at, jnp.int32))
    return Run(
        model=model,
        encoding=frame,
        trial=trial,
        hyper=dict(hyper),
        params=jax.tree.map(jnp.asarray, result.params),
        stats=with_keys(jax.tree.map(jnp.asarray, result.stats)),
        numbers=numbers,
        scores={part: Scores(rows) for part, rows in result.scores.items()},
        history=result.history,
        status=result.status,
        why=result.why,
        best_epoch=result.best + 1,
        going=going,
    )


def watch_of(progress: bool | Watch) -> Watch:
    """A watch from ``progress=``: nothing, a bar, or the caller's own."""
    if progress is True:
        from fnopt.run.notebook import NotebookBar, in_notebook
        from fnopt.run.progress import Bar

        return NotebookBar() if in_notebook() else Bar()
    return Silent() if progress is False else progress


@jax.jit
def _copy(lanes: Lane) -> Lane:
    return jax.tree.map(jnp.copy, lanes)


@partial(jax.jit, static_argnames=("trial",))
def _predict(params: Params, stats: Stats, x: Any, numbers: Any, *, trial: Trial) -> Any:
    TRACES["predict"] += 1
    return trial.predict(params, stats, x, numbers)


@partial(jax.jit, static_argnames=("trial",))
def _evaluate(params: Params, stats: Stats, numbers: Any, part: Any, *, trial: Trial) -> Any:
    TRACES["evaluate"] += 1
    return evaluate(trial, params, stats, numbers, part)
