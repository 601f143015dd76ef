"""Caviar: many configurations trained side by side, in one compiled program a structure."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax

from fnopt._checks import one_of, real, whole
from fnopt._types import Dataset, Score
from fnopt.data import Folds
from fnopt.data import folds as folds_of
from fnopt.model import Model
from fnopt.run.assemble import assemble, prepare_folds, work_of
from fnopt.run.coarse import Parts, coarse_to_fine
from fnopt.run.conduct import conduct
from fnopt.run.defined import check_defined
from fnopt.run.explicit import EXPLICIT, completed, covering, listed
from fnopt.run.notebook import NotebookBar, in_notebook
from fnopt.run.programs import options_of
from fnopt.run.progress import Board
from fnopt.run.run import watch_of
from fnopt.run.setup import as_key, bind_folds, least_loss, rules_of
from fnopt.run.store import FINE
from fnopt.run.sweep import Sweep
from fnopt.run.tracking import Tracker, tracked_sweep, trackers_of
from fnopt.run.unsaid import epochs_of_search
from fnopt.space.columns import columns_of
from fnopt.space.entry import extremes
from fnopt.space.epochs import NAME, check_lengths
from fnopt.space.perturb import Ranges, ranges_of
from fnopt.space.search_space import Hyper, SearchSpace
from fnopt.space.stopping import STOP, with_stopping
from fnopt.store.atomic import Folder
from fnopt.sweep.deadline import Deadline, begin
from fnopt.sweep.drive import Watch
from fnopt.sweep.plan import fingerprint
from fnopt.sweep.population import Population
from fnopt.sweep.search import propose, size
from fnopt.sweep.stop import Rule
from fnopt.train import EarlyStopping, Objective, Reach, early_stopping, followed, metrics_of, objective_of

SEARCHES = ("random", "sobol", "grid", FINE)


def caviar(
    model: Model,
    space: Mapping[str, Any],
    train: Dataset,
    dev: Dataset | None = None,
    *,
    n: int | None = None,
    epochs: int | None = None,
    seeds: int = 1,
    folds: int | Folds | Any = None,
    key: Any = None,
    objective: str | Reach | None = None,
    follow: str | Score | Sequence[str | Score] | None = None,
    search: str | Sequence[Mapping[str, Any]] = "random",
    stop: EarlyStopping | Rule | None = None,
    path: str | Path | None = None,
    minutes: float | None = None,
    threads: int | None = None,
    devices: Sequence[Any] | None = None,
    train_every: int | None = None,
    plan: str | None = None,
    progress: bool | Watch = False,
    track: Tracker | Sequence[Tracker] | None = None,
    anyway: bool = False,
    notes: Mapping[str, Any] | None = None,
) -> Sweep:
    """Train ``n`` configurations of ``space`` and rank them.

    Args:
        model: from ``classifier``, ``regressor``, ``multilabel`` or ``supervised``.
        space: name to range, choice or plain value; structure and numbers alike.
        train, dev: as in ``fit``; scores on ``dev`` rank the configurations (on ``train`` where there is no dev).
        n: how many configurations, ≥ 1; a grid may leave it out and is then taken whole.
        epochs: passes over ``train`` for each, at most: a space that holds ``epochs`` too (``fo.integer(5, 30)``, a
            choice, a plain number) gives each configuration a length of its own, and the bits of a sweep of that
            length. It compiles nothing. Rules compare at a rung who trains beyond it; ``population()`` takes none.
            Unless given, the longest of the space; else one length for all: half of the updates of the model's
            recipe (see ``fo.recipes``) at the middle batch size of the space, at most 300 epochs.
        seeds: how many times each is trained, with other weights, order and noise; the score is the mean.
        folds: cross-validation instead of ``dev``: how many folds of ``train`` (stratified for classes, fixed for the
            whole sweep, inputs scaled inside each), or what ``fo.data.folds`` made. Scores are means over folds.
        key: what proposals, folds and seeds draw from. Configuration i is the same whatever ``n``.
        objective: ``"dev/accuracy"`` for classes and ``"dev/loss"`` otherwise unless given; ties go by loss. Without a
            dev part and folds it is the train part's, with a warning: only that is left to rank by.
            ``fo.reach("dev/loss", 0.1)`` ranks by the updates until a score is reached.
        follow: scores to report after each epoch beside the usual ones: names, as ``("f1_macro", "brier")``, and
            scores of one's own, from ``fo.metric``; any may be the objective.
        search: ``"random"``, ``"sobol"`` or ``"grid"``; or ``"coarse_to_fine"``: a third of ``n`` is drawn from the
            whole space and trained for a third of the epochs on a quarter of the examples, the space is narrowed to
            where the best fifth of them lie, and the others are drawn from there and trained in full. Where the best
            sit at an edge of their range, the range is widened beyond it, with a warning. The space is narrowed once.
            The result is this second sweep; the first is its ``coarse``.
            Or a list of configurations, ``search=[dict(lr=0.01, hidden=(32,)), …]``: configuration i is the i-th, over
            the plain values of the space, and ``n`` their number. What the space draws each must hold, inside its
            range; ``{}`` is a space that asks for nothing. A longer list extends a sweep in ``path`` where the space
            names all options of the structure (``hidden``, ``optimizer``, ``batch_size``, …), now and later.
        stop: None; ``early_stopping(...)``, where each configuration ends on its own, with its best weights; or
            ``halving()``, ``hyperband()``, ``asynchronous_halving()`` or ``median()``, where the poor ones end early;
            or ``population()``, where the poor ones go on as copies of good ones with other numbers.
            Where a rule ends most lanes soon, layers of up to 64 units share a program, if several widths are searched.
        path: a folder to write. It is there before the first step, so that a sweep that was broken off at any moment
            is resumed by the same call; a larger ``n`` extends it, as long as the coarse sweep, where there
            is one, is the same.
        minutes: after these, counted from the start of the call with all its preparations, no new segment begins; with
            ``path`` the same call resumes another time.
        threads: how many chunks are in hand at once; one more than cores unless given, so that one computes while
            another's is on the host. Has no influence on the results.
        devices: local devices to run on by turns; all accelerators, or the one CPU device, unless given. Has no
            influence on the results, as long as they are of one kind.
        train_every: score the training part each so many epochs (the dev part is scored after each): 0, only where
            training ends, unless given, and not for a configuration that a rule ends before its time; 1 under early
            stopping, and where there is no dev part. ``replay`` of any configuration scores both parts at its end.
        plan: None: how many lanes share a chunk follows from structure and device; ``"measure"``: a few numbers of
            lanes are timed for each structure first (a compilation each), and the choice is kept with the sweep.
        progress: True for a bar and a leaderboard on the terminal.
        track: where results go besides, as lanes end: ``fo.track.csv(folder)``, ``jsonl(path)``,
            ``tensorboard(folder)``, ``mlflow(experiment)``, or several of them. One that fails is named in a warning
            and left out; a resumed sweep writes no lane twice.
        anyway: go on with a sweep in ``path`` although something differs that bits depend on.
        notes: anything JSON to keep with the sweep in ``path``.

    Returns:
        a ``Sweep``: ``best``, ``table()``, ``replay(i)``, ``refit(...)``; printed, a leaderboard.

    Raises:
        ValueError, TypeError: for data, names, ranges and numbers that cannot be, before anything is trained.

    >>> from fnopt import data, model
    >>> from fnopt.space import log_uniform
    >>> sweep = caviar(model.classifier(hidden=4), dict(lr=log_uniform(1e-3, 1e-1)), data.load("iris"), n=2, epochs=2)
    >>> len(sweep.table())
    2
    """
    begun = begin()
    if not isinstance(model, Model):
        raise TypeError(f"`model` must come from fo.classifier and its like, got {type(model).__name__}")
    key, (patience, rule) = as_key(key), rules_of(stop)
    epochs, seeds = None if epochs is None else whole("epochs", epochs), whole("seeds", seeds)
    minutes = None if minutes is None else real("minutes", minutes, "above 0", lambda x: x > 0)
    deadline = begun._replace(seconds=None if minutes is None else 60.0 * minutes)
    if plan is not None:
        one_of("plan", plan, ("measure",))
    path = None if path is None else Path(path)
    given = listed(search)
    kind: str = EXPLICIT if given is not None else one_of("search", search, SEARCHES)
    two = kind == FINE
    parsed, patience = _parsed(model, space if given is None else covering(space, given, model), patience, epochs)
    if NAME in parsed and isinstance(rule, Population):
        raise ValueError(
            "copies of population() have one length: take `epochs` out of the space, or take another rule, as in "
            "stop=fo.asynchronous_halving()"
        )
    ranges = _ranges(model, parsed, rule, kind)
    n = None if n is None else whole("n", n)
    if given is None:
        check_size(parsed, n, kind)
        hypers = [] if two else propose(parsed, n, jax.random.fold_in(key, 0), kind)
    else:
        hypers = completed(given, n, parsed, space, model)
    chosen = _folds(model, train, dev, folds, key)
    scores = followed(model.task, follow)
    own = any(score.own for score in scores)
    parts = Parts(train, dev, chosen, prepare_folds(model, train, dev, chosen, own))
    rows = min(int(part.train.rows) for part in parts.prepared)
    _say_equal_batches(parsed, rows)
    if epochs is None:
        epochs = epochs_of_search(model, parsed, int(parts.prepared[0].train.rows))
        check_lengths(parsed, epochs)
    target = objective_of(model.task, objective, dev is not None or chosen is not None, scores, least_loss(model))
    if dev is None and chosen is None and objective is None:
        warnings.warn(
            f"no dev part and no folds: ranked by {target.title}, which favours whatever remembers its examples; "
            "give dev, or folds=5; objective= says that it is meant",
            stacklevel=2,
        )
    check_defined(target, parts.prepared, chosen is not None)
    metrics = metrics_of(model.task, target, scores)
    usual = 0 if patience is None and target.part == "dev" else 1
    stage = partial(
        _stage,
        model,
        metrics=metrics,
        rule=rule,
        ranges=ranges,
        seeds=seeds,
        notes=notes,
        progress=progress,
        track=trackers_of(track),
        lanes={
            "objective": target,
            "rule": patience,
            "key": jax.random.fold_in(key, 1),
            "every": usual if train_every is None else whole("train_every", train_every, 0),
        },
        how={"threads": threads, "devices": devices, "anyway": anyway, "plan": plan},
    )
    if two:
        told = {"n": n, "epochs": epochs, "key": key, "path": path, "deadline": deadline}
        return coarse_to_fine(stage, model, parsed, parts, **told)
    return stage(parsed, hypers, parts, search=kind, epochs=epochs, path=path, deadline=deadline)


def _stage(
    model: Model,
    space: SearchSpace,
    hypers: Sequence[Hyper],
    parts: Parts,
    *,
    search: str,
    epochs: int,
    path: Path | Folder | None,
    deadline: Deadline,
    metrics: tuple[Score, ...],
    rule: Rule | None,
    ranges: Ranges,
    seeds: int,
    notes: Mapping[str, Any] | None,
    progress: bool | Watch,
    track: Sequence[Tracker],
    lanes: Mapping[str, Any],
    how: Mapping[str, Any],
) -> Sweep:
    """Train these configurations: the whole of a search, or one of the sweeps that it is made of."""
    train, dev, chosen, prepared = parts
    ready = [bind_folds(model, hyper, prepared, metrics) for hyper in hypers]
    sweep = assemble(
        model,
        (train, dev),
        prepared,
        work_of(prepared, epochs=epochs, **lanes),
        [full(model, hyper, b.numbers) for hyper, b in zip(hypers, ready, strict=True)],
        ready,
        options=options_of(space, rule),
        seeds=seeds,
        space=space,
        search=search,
        stop=rule,
        folds=chosen,
        fingerprint=fingerprint(),
    )
    sweep.notes, sweep.ranges = dict(notes or {}), ranges
    board = _board(sweep.work.objective) if progress is True else watch_of(progress)
    if isinstance(board, Board):
        board.configs = [columns_of(config, sweep.names) for config in sweep.configs]
    try:
        with tracked_sweep(sweep, board, track) as watch:
            return conduct(sweep, path, deadline=deadline, watch=watch, **how)
    finally:
        if progress is True and isinstance(board, Board):
            board.stop()


def _board(objective: Objective) -> Watch:
    return NotebookBar(objective) if in_notebook() else Board(objective)


def _parsed(
    model: Model, space: Mapping[str, Any], patience: EarlyStopping | None, epochs: int | None
) -> tuple[SearchSpace, EarlyStopping | None]:
    """The space, checked, early stopping's numbers in it where they are searched; and the rule without ranges."""
    if isinstance(space, Mapping) and STOP in space:
        raise ValueError(
            "`stop` is an argument beside the space, and its numbers may be ranges: "
            "stop=fo.early_stopping(patience=fo.integer(3, 20))"
        )
    numbers = {} if patience is None else patience._asdict()
    parsed = SearchSpace.parse(with_stopping(space, numbers), model)
    if epochs is not None:
        check_lengths(parsed, epochs)
    if STOP not in parsed:
        return parsed, patience
    for some in extremes(parsed[STOP]):
        try:
            early_stopping(**some)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{error}; stop=early_stopping({_written(parsed[STOP])}) goes there") from error
    return parsed, early_stopping()  # each configuration has numbers of its own


def _written(numbers: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in numbers.items())


def check_size(space: SearchSpace, n: int | None, search: str) -> None:
    """Say where a space holds fewer configurations than are asked for: an error where nothing is searched at all."""
    if n is None or n == 1 or search == "grid":
        return
    if not space.drawn:
        raise ValueError(
            f"nothing is searched: this space has no range and no choice, so it is 1 configuration, and n={n} would "
            "train it as often; write n=1 (seeds=… repeats it), or a range, as in lr=fo.log_uniform(1e-4, 1e-1)"
        )
    count = size(space, n - 1)
    if count is not None:
        warnings.warn(
            f"this space holds {count} different configurations, so n={n} trains some of them again; "
            "search='grid' trains each once",
            stacklevel=3,
        )


def _say_equal_batches(space: SearchSpace, rows: int) -> None:
    """Warn where several batch sizes of a space take all examples at once: such configurations train alike."""
    whole = sorted({size for size in space.options("batch_size") if size >= rows}) if "batch_size" in space else []
    if len(whole) > 1:
        warnings.warn(
            f"`batch_size` {', '.join(map(str, whole[:3]))}{', …' if len(whole) > 3 else ''} take all {rows} training "
            "examples at once, so configurations that differ only in these train alike: leave all but one out",
            stacklevel=3,
        )


def _ranges(model: Model, space: SearchSpace, rule: Rule | None, search: str) -> Ranges:
    """What a population changes of its space; nothing under another rule."""
    if not isinstance(rule, Population):
        return {}
    if search == FINE:
        raise ValueError(
            f"{FINE} narrows a space to the numbers that good configurations began with, and population() changes them "
            "meanwhile: take another search, or another rule"
        )
    ranges = ranges_of(space, model.structure)
    if not ranges:
        raise ValueError(
            "population() changes numbers that a space draws, and this one draws none (structure, as hidden or "
            "optimizer, stays what it is): give a range of a number, as in lr=fo.log_uniform(1e-4, 1e-1)"
        )
    return ranges


def _folds(model: Model, train: Dataset, dev: Dataset | None, folds: Any, key: Any) -> Folds | None:
    """The folds of a sweep: those given, or so many, stratified where there are classes."""
    if folds is None:
        return None
    if dev is not None:
        raise ValueError("folds are made of `train`, and each has a dev part of its own: leave out `dev`, or `folds`")
    if not isinstance(folds, int) or isinstance(folds, bool):
        return folds_of(train, folds)
    drawn = jax.random.fold_in(key, 2)
    return folds_of(train, whole("folds", folds, 2), key=drawn, stratify=model.task == "classes")


def full(model: Model, hyper: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as ``fit`` takes it: the structure that does something, the numbers it has, its own length."""
    rest = {name: hyper[name] for name in (NAME, STOP) if name in hyper}
    idle = model.idle(model.split(hyper)[0])
    chosen = {name: value for name, value in hyper.items() if name in model.structure and name not in idle}
    return {**chosen, **numbers, **rest}
