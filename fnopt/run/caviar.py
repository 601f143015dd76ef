"""Caviar: many configurations trained side by side, in one compiled program a structure."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from fnopt._checks import one_of, whole
from fnopt._types import Dataset
from fnopt.model import Model, Prepared, prepare
from fnopt.run import store
from fnopt.run.assemble import assemble
from fnopt.run.programs import choices, options_of
from fnopt.run.run import watch_of
from fnopt.run.setup import as_key, bind, metrics_of, objective_of, rule_of
from fnopt.run.sweep import Sweep
from fnopt.sweep.chunk import Chunk, Work
from fnopt.sweep.drive import Watch, run_all
from fnopt.sweep.lanes import TRACES
from fnopt.sweep.plan import Plan, cores, fingerprint
from fnopt.sweep.search import propose
from fnopt.sweep.space import When
from fnopt.train import EarlyStopping


def caviar(
    model: Model,
    space: Mapping[str, Any],
    train: Dataset,
    dev: Dataset | None = None,
    *,
    n: int | None = None,
    epochs: int = 20,
    seeds: int = 1,
    key: Any = None,
    objective: str | None = None,
    search: str = "random",
    stop: EarlyStopping | None = None,
    path: str | Path | None = None,
    threads: int | None = None,
    progress: bool | Watch = False,
) -> Sweep:
    """Train ``n`` configurations of ``space`` and rank them.

    Args:
        model: from ``classifier``, ``regressor``, ``multilabel`` or ``supervised``.
        space: name to range, choice or plain value; structure and numbers alike.
        train, dev: as in ``fit``; scores on ``dev`` rank the configurations (on ``train`` where there is no dev).
        n: how many configurations, ≥ 1; a grid may leave it out and is then taken whole.
        epochs: passes over ``train`` for each.
        seeds: how many times each is trained, with other weights, order and noise; the score is the mean.
        key: what proposals and seeds draw from. Configuration i is the same whatever ``n``.
        objective: ``"dev/accuracy"`` for classes and ``"dev/loss"`` otherwise unless given; ties go by loss.
        search: ``"random"``, ``"sobol"`` or ``"grid"``.
        stop: None, or ``early_stopping(...)``: each configuration ends on its own, with its best weights.
        path: a folder to write: results, curves, configurations and data, so that ``fo.open`` can replay.
        threads: how many chunks run at once; one a core unless given. Has no influence on the results.
        progress: True for a bar and a leaderboard on the terminal.

    Returns:
        a ``Sweep``: ``best``, ``table()``, ``replay(i)``, ``refit(...)``; printed, a leaderboard.

    Raises:
        ValueError, TypeError: for data, names, ranges and numbers that cannot be, before anything is trained.

    >>> from fnopt import data, model
    >>> from fnopt.sweep.space import log_uniform
    >>> sweep = caviar(model.classifier(hidden=4), dict(lr=log_uniform(1e-3, 1e-1)), data.load("iris"), n=2, epochs=2)
    >>> len(sweep.table())
    2
    """
    if not isinstance(model, Model):
        raise TypeError(f"`model` must come from fo.classifier and its like, got {type(model).__name__}")
    key, rule, epochs, seeds = as_key(key), rule_of(stop), whole("epochs", epochs), whole("seeds", seeds)
    threads = cores() if threads is None else whole("threads", threads)
    _check_names(model, space)
    hypers = propose(space, n, jax.random.fold_in(key, 0), search, model.structure)
    data = prepare(model, train, dev)
    target = objective_of(model.task, objective, dev is not None)
    metrics = metrics_of(model.task, target)
    _check_used(model, space, data, metrics)
    ready = [bind(model, hyper, data, metrics) for hyper in hypers]
    work = Work(data.train, data.dev, data.example, target, rule, epochs, jax.random.fold_in(key, 1))
    sweep = assemble(
        model,
        (train, dev),
        data.frame,
        work,
        [full(model, hyper, b.numbers) for hyper, b in zip(hypers, ready, strict=True)],
        ready,
        options=options_of(model, space),
        seeds=seeds,
        space={name: repr(value) for name, value in space.items()},
        search=search,
        fingerprint=fingerprint(),
    )
    return _run(sweep, threads, None if path is None else Path(path), watch_of(progress))


def _run(sweep: Sweep, threads: int, path: Path | None, watch: Watch) -> Sweep:
    """Train all chunks, and write what came of it; or hand out what stands at ``path`` already."""
    folder = None if path is None else store.create(sweep, path)
    if isinstance(folder, Sweep):
        return folder  # this very sweep, finished
    before = TRACES.copy()
    try:
        sweep.finished = run_all(sweep.work, sweep.chunks, threads, sweep.kept.add, watch)
    except (TypeError, ValueError):
        if folder is not None:
            shutil.rmtree(folder)  # a mistake in the model's functions shows here: nothing half-written
        raise
    sweep.plan = _plan(sweep.work, sweep.chunks, threads, TRACES - before)
    if folder is not None:
        store.finish(sweep, folder)
    return sweep


def full(model: Model, hyper: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as ``fit`` takes it: the structure that was chosen, and the numbers that it has."""
    return {**{name: value for name, value in hyper.items() if name in model.structure}, **numbers}


def _check_names(model: Model, space: Mapping[str, Any]) -> None:
    if not isinstance(space, Mapping):
        raise TypeError(f"`space` must be a dict of name to range, choice or value, got {type(space).__name__}")
    model.split(dict.fromkeys(space))
    for name, value in space.items():
        for other, wanted in value.conditions(name).items() if isinstance(value, When) else ():
            one_of(f"name in {name}=when(…)", other, {*space, *model.structure})
            options = (
                choices(model, space, other) if other in model.structure else getattr(space[other], "options", None)
            )
            known = {getattr(o, "name", o) for o in options or ()}
            for one in wanted if isinstance(wanted, list) else [wanted]:
                if options is not None and getattr(one, "name", one) not in known:
                    listed = ", ".join(map(repr, known))
                    raise ValueError(f"{name}=when({other}={one!r}, …) can never hold: {other} is one of {listed}")


def _check_used(model: Model, space: Mapping[str, Any], data: Prepared, metrics: tuple[str, ...]) -> None:
    """A number that no structure of the space has is a mistake: it would be searched for nothing."""
    structures = [{name: option} for name in model.structure for option in choices(model, space, name)]
    ones = {name: 1.0 for name in space if name not in model.structure}
    base = {name: choices(model, space, name)[0] for name in model.structure}
    used = {
        n for s in structures for n in model.bind({**base, **s, **ones}, data.features, data.frame.outputs, metrics)[1]
    }
    for name in ones:
        if name not in used:
            raise ValueError(
                f"no structure of this space has the number {name!r}; they have {', '.join(sorted(used))}: "
                "leave it out, or choose a structure that has it"
            )


def _plan(work: Work, chunks: Sequence[Chunk], threads: int, traces: Any) -> Plan:
    places = sum(chunk.width for chunk in chunks)
    widths = {(c.program.trial, jax.tree.structure(c.numbers[0])): c.width for c in chunks}
    return Plan(
        device=fingerprint()["device"],
        data=sum(leaf.nbytes for leaf in jax.tree.leaves((work.train, work.dev))),
        threads=threads,
        lanes=tuple(widths.values()),
        programs=traces["advance"],
        traces=sum(traces.values()),
        chunks=len(chunks),
        filled=sum(len(chunk.configs) for chunk in chunks) / places,
    )
