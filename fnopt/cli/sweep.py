"""``fnopt sweep``: say what is there, search, show, retrain the winner, test it once, write it down."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax

from fnopt._checks import one_of
from fnopt._types import Dataset
from fnopt.cli import show, source, winner
from fnopt.cli.entry import INTERRUPTED
from fnopt.cli.show import say
from fnopt.cli.spaces import read_space, standard
from fnopt.model import classifier, multilabel, regressor
from fnopt.run import Sweep, caviar
from fnopt.run.manifest import versions
from fnopt.run.plain import write_atomically
from fnopt.run.setup import objective_of
from fnopt.train import early_stopping

MODELS = {"classes": classifier, "values": regressor, "labels": multilabel}
N = 256  # configurations, where nobody says


class Asked(NamedTuple):
    """The options of ``fnopt sweep``, as given."""

    data: str
    target: str | None = None
    n: int | None = None
    epochs: int = 30
    seeds: int = 1
    space: Path | None = None
    search: str = "random"
    objective: str | None = None
    task: str | None = None
    patience: int | None = None
    missing: str | None = None
    text: tuple[str, ...] = ()
    separator: str | None = None
    labels: Path | None = None
    split: str = "0.6,0.2,0.2"
    seed: int = 0
    repeat: int = 1
    threads: int | None = None
    out: Path | None = None


def run_sweep(asked: Asked) -> int:
    """Do it all; the exit code: 0, or 130 after Ctrl-C."""
    _check(asked)
    space = standard() if asked.space is None else read_space(asked.space)
    found = source.find(asked.data, asked.target, asked.task, asked.text, asked.missing, asked.separator, asked.labels)
    train, dev, test = source.parts(found, asked.split, asked.seed)
    objective = objective_of(found.task, asked.objective, dev=True)
    source.describe(found, (train, dev, test), asked.seed)
    _describe(asked, space, "/".join(objective))
    folder = asked.out or Path("runs") / found.name
    watch, start = show.watch_for(found.task, objective), time.perf_counter()
    try:
        sweep = caviar(MODELS[found.task](), space, train, dev, path=folder, progress=watch, **_options(asked))
    finally:
        show.stop(watch)
    return _finish(sweep, folder, test, asked, time.perf_counter() - start)


def _options(asked: Asked) -> dict[str, Any]:
    return {
        "n": _n(asked),
        "epochs": asked.epochs,
        "seeds": asked.seeds,
        "key": jax.random.key(asked.seed),
        "objective": asked.objective,
        "search": asked.search,
        "stop": None if asked.patience is None else early_stopping(patience=asked.patience),
        "threads": asked.threads,
    }


def _n(asked: Asked) -> int | None:
    return N if asked.n is None and asked.search != "grid" else asked.n


def _check(asked: Asked) -> None:
    """What the library does not look at, or only after the data were read."""
    one_of("search", asked.search, ("random", "sobol", "grid"))
    if asked.task is not None:
        one_of("task", asked.task, MODELS)
    if asked.missing is not None:
        one_of("value of --missing", asked.missing, ("mean", "drop"))
    least = {"n": 1, "epochs": 1, "seeds": 1, "repeat": 1, "threads": 1, "patience": 0, "seed": 0}
    for name, low in least.items():
        value = getattr(asked, name)
        if value is not None and value < low:
            raise ValueError(f"--{name} must be a whole number ≥ {low}, got {value}")
    if asked.seed >= 2**32:
        raise ValueError(f"--seed must be below 2**32, got {asked.seed}")


def _describe(asked: Asked, space: Mapping[str, Any], objective: str) -> None:
    width = max(map(len, space))
    say("searched", *(f"{name:<{width}} = {value!r}" for name, value in space.items()))
    count, times = _n(asked), f" × {asked.seeds} seeds" if asked.seeds > 1 else ""
    rule = "" if asked.patience is None else f", each stopped after {asked.patience} epochs without a better score"
    what = "the whole grid" if count is None else f"{count} configurations"
    say("plan", f"{what}{times}, {asked.epochs} epochs, {asked.search} search, ranked by {objective}{rule}")


def _finish(sweep: Sweep, folder: Path, test: Dataset, asked: Asked, seconds: float) -> int:
    """From the ranking to the test scores; what stands in the folder already is shown, not made again."""
    there = len({config for config, *_ in sweep.kept.lanes})
    if sweep.plan is not None:
        command = {"command": {k: str(v) if isinstance(v, Path) else v for k, v in asked._asdict().items()}}
        write_atomically(folder / "command.json", (json.dumps({**command, **versions()}, indent=1) + "\n").encode())
    if there:
        print()
        show.show(sweep)
        print()
    if not sweep.finished:
        say("interrupted", f"{there} of {sweep.n} configurations are done and kept in {folder}")
        return INTERRUPTED
    if sweep.plan is None:
        say("sweep", f"{folder} holds this very sweep, finished: nothing was trained again")
    else:
        say("sweep", f"{seconds:.1f} s, {sweep.plan.programs} programs compiled, {sweep.plan.threads} threads")
    winner.show_winner(sweep, folder, test, asked.repeat)
    return 0
