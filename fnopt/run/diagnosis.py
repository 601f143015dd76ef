"""Arrays of a run and of a sweep, given to the diagnosis."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from fnopt import tree
from fnopt._checks import brief
from fnopt._types import Batch, Dataset
from fnopt.analysis import Diagnosis, Noise, diagnose
from fnopt.analysis.advice import Finding
from fnopt.analysis.headroom import headroom_of
from fnopt.analysis.signals import layer_table
from fnopt.model import framed
from fnopt.model.mlp import flat, layers, network_of
from fnopt.run.lineage import shown
from fnopt.run.noise import examples_of, noise_of
from fnopt.run.remarks import edges_of
from fnopt.sweep.chunk import Data
from fnopt.sweep.result import LaneResult
from fnopt.train import Part, linked, score_of

if TYPE_CHECKING:
    from fnopt.run.run import Run
    from fnopt.run.sweep import Sweep

SEEN = 256  # training rows that the layers are looked at with
SPARSE = ("l1", "prox_l1")
DEFAULT = {"classes": "accuracy", "values": "r2", "labels": "accuracy"}
LISTED = 5  # configurations within the noise that are named
FEW = 3  # names that a grid may well have


def diagnose_run(run: "Run", target: float | None, train_dev: Dataset | float | None, metric: str | None) -> Diagnosis:
    """The diagnosis of one run."""
    metric = _metric(run.trial.task, run.history, metric)
    going, hyper = run.going, run.hyper
    data = None if going is None else going.work.folds[going.chunk.cohort.fold]
    parts = {} if data is None else _parts_of(data)
    if isinstance(train_dev, Dataset):
        parts["train_dev"] = framed(run.encoding, train_dev)[0]
        train_dev = run.evaluate(train_dev)[metric]
    elif train_dev is not None and not _number(train_dev):
        raise TypeError(f"`train_dev` must be a Dataset, or its {metric} as a number, got {brief(train_dev)}")
    network = network_of(run.trial)
    signals = None
    if network is not None and "train" in parts:
        x = flat(jnp.asarray(parts["train"].x[: min(SEEN, int(parts["train"].rows))]))
        signals = layer_table(layers(network), run.params, run.stats, x)
    return diagnose(
        run.history,
        target=target,
        train_dev=train_dev,
        metric=metric,
        higher=score_of(run.trial.task, metric, run.trial.metrics).higher,
        epoch=run.best_epoch or None,
        each={name: errors for name, part in parts.items() if (errors := _each(run, part, metric)) is not None},
        examples=_examples(parts),
        parameters=tree.size(run.params),
        full_batch="train" in parts and _full_batch(run, int(parts["train"].rows)),
        hyper=hyper,
        signals=signals,
        weights=run.params if any(name in hyper for name in SPARSE) and network is not None else None,
        diverged=run.why if run.status == "diverged" else None,
        constant=_constant([parts]),
    )


def diagnose_sweep(sweep: "Sweep", target: float | None, train_dev: Dataset | None, metric: str | None) -> Diagnosis:
    """The diagnosis of the winner, and what lies within its noise."""
    config = sweep.best.config
    lanes, task = sweep.kept.of(config), sweep.frames[0].task
    metric = _metric(task, lanes[0].history, metric)
    if train_dev is not None and not isinstance(train_dev, Dataset):
        raise TypeError(f"`train_dev` must be a Dataset, which the winner is replayed to score, got {brief(train_dev)}")
    data = sweep.work.folds[0]
    parts = _parts_of(data)
    parts |= {} if train_dev is None else {"train_dev": framed(sweep.frames[0], train_dev)[0]}
    found = diagnose(
        [r.history for r in lanes],
        target=target,
        train_dev=None if train_dev is None else [_replayed(sweep, r, train_dev, metric) for r in lanes],
        metric=metric,
        higher=score_of(task, metric, sweep.trials[config].metrics).higher,
        epoch=[r.best + 1 or None for r in lanes],
        examples=_examples(parts),
        parameters=None if lanes[0].params is None else tree.size(lanes[0].params),
        hyper=sweep.best.hyper,
        headroom=_headroom(sweep, config),
        diverged=next((r.why for r in lanes if r.status == "diverged"), None),
        constant=_constant(_parts_of(fold) for fold in sweep.work.folds),
    )
    if found.bias is None:  # it diverged, or there is nothing to explain: that is all
        return found
    noise = noise_of(sweep, config)
    within = () if noise is None else tuple(np.flatnonzero(noise.within).tolist())
    more = [*_about_winner(sweep, noise, within), *_about_search(sweep)]
    return replace(found, findings=(*found.findings, *more), within=within)


def _parts_of(fold: Data) -> dict[str, Part]:
    """The training part of a fold, and its dev part where there is one."""
    return {"train": fold.train} | ({} if fold.dev is None else {"dev": fold.dev})


def _number(value: Any) -> bool:
    """Whether it is a single number, Python's, NumPy's or JAX's."""
    return isinstance(value, Real) or (hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0)


def _constant(folds: Iterable[dict[str, Part]]) -> str | None:
    """The first part in which the target of no output varies, in any fold; None where it varies everywhere."""
    for parts in folds:
        for name, part in parts.items():
            rows = int(part.rows)
            y = np.asarray(part.y if part.truth is None else part.truth)[:rows]
            y = y[np.asarray(part.weight)[:rows] > 0]
            if len(y) and (y == y[0]).all():
                return name
    return None


def _metric(task: str, history: Any, metric: str | None) -> str:
    """The score whose error is looked at: the given one, or accuracy or R² where it was followed, else the loss."""
    if metric is not None:
        return metric
    return DEFAULT[task] if DEFAULT[task] in history.get("train", {}) else "loss"


def _examples(parts: dict[str, Part]) -> dict[str, int]:
    return {name: examples_of(part) for name, part in parts.items()}


def _each(run: "Run", part: Part, metric: str) -> np.ndarray | None:
    """The errors of single examples whose mean is the part's error; None for a score that is no mean over examples."""
    if metric not in ("loss", "r2") or part.exact is not None or run.trial.batch is not None:
        return None
    rows = int(part.rows)
    x, y = part.x[:rows], part.y[:rows]
    if metric == "loss":
        batch = Batch(x=x, y=y, weight=part.weight[:rows])
        return np.asarray(run.trial.loss(run.params, run.stats, batch, run.numbers, None, False)[0], np.float64)
    outputs = linked(run.trial, run.trial.predict(run.params, run.stats, x, run.numbers))
    truth = np.asarray(y, np.float64).reshape(rows, -1)
    squares = np.square(truth - np.asarray(outputs, np.float64).reshape(rows, -1))
    spread = np.var(truth, axis=0)
    return np.mean(squares / np.where(spread > 0, spread, 1.0), axis=1)


def _full_batch(run: "Run", rows: int) -> bool:
    """Whether each update saw all examples once, without noise of its own."""
    quiet = "dropout" not in run.trial.numbers and run.trial.shuffle != "replacement"
    return run.trial.batch_size >= rows and quiet


def _replayed(sweep: "Sweep", r: LaneResult, data: Dataset, metric: str) -> float:
    """The score of a trial's weights on other data."""
    return sweep.replay(r.config, seed=r.seed, fold=r.fold).evaluate(data)[metric]


def _headroom(sweep: "Sweep", config: int) -> float | None:
    """How many times the winner's learning rate most configurations diverge; None where it is no plain number."""
    rates = [shown(sweep, i).get("lr") for i in range(sweep.n)]
    lost = [standing.status == "diverged" for standing in sorted(sweep.ranking())]
    if not any(lost) or not all(isinstance(rate, int | float) and rate > 0 for rate in rates):
        return None
    return headroom_of(rates, lost, float(rates[config]))  # pyright: ignore[reportArgumentType]


def _about_winner(sweep: "Sweep", noise: Noise | None, within: Sequence[int]) -> list[Finding]:
    """Whether others are as good as the winner, as far as the noise allows."""
    if noise is None or sweep.n < 2:
        return []
    others = int(np.isfinite(noise.difference).sum()) - 1
    if not within:
        text = f"the winner is beyond the noise of the {others} others that trained to their end"
        return [Finding("winner", text, 0.0, ("G9",))]
    order = {standing.config: k for k, standing in enumerate(sweep.ranking())}
    named = ", ".join(map(str, sorted(within, key=order.__getitem__)[:LISTED])) + ", …" * (len(within) > LISTED)
    text = f"the winner is inside the noise: {len(within)} of {others} others are as good within it ({named})"
    return [Finding("winner", text, float(len(within)), ("G9",))]


def _about_search(sweep: "Sweep") -> list[Finding]:
    """Best values at an edge of their ranges, and a grid over many names."""
    found = [Finding("edge of a range", str(edge), float(edge.value), ("T4", "G8")) for edge in edges_of(sweep)]
    names = len(sweep.space.drawn)
    if sweep.search == "grid" and names > FEW:
        text = f"a grid over {names} names tries few values of each; random search tries a new one each time"
        found.append(Finding("search", text, float(names), ("G8",)))
    return found
