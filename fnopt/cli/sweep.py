"""``fnopt sweep``: say what is there, search, show, retrain the winner, test it once, write it down."""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax

from fnopt._types import Dataset
from fnopt.cli import options, show, source, winner
from fnopt.cli.entry import INTERRUPTED
from fnopt.cli.show import say
from fnopt.cli.spaces import read_space, standard
from fnopt.model import classifier, multilabel, regressor
from fnopt.run import Sweep, caviar
from fnopt.run.caviar import SEARCHES
from fnopt.run.setup import joined, objective_of
from fnopt.run.store import COARSE, asked_of
from fnopt.space.epochs import NAME, check_lengths
from fnopt.sweep.population import population
from fnopt.sweep.stop import Rule, asynchronous_halving, halving, hyperband, median
from fnopt.train import EarlyStopping, early_stopping

MODELS = {"classes": classifier, "values": regressor, "labels": multilabel}
N = 256  # configurations, where nobody says


class Asked(NamedTuple):
    """The options of ``fnopt sweep``, as given."""

    data: str
    target: str | None = None
    n: int | None = None
    epochs: int = 30
    seeds: int = 1
    folds: int | None = None
    space: Path | None = None
    search: str = "random"
    objective: str | None = None
    task: str | None = None
    stop: str | None = None
    patience: int | None = None
    minutes: float | None = None
    missing: str | None = None
    text: tuple[str, ...] = ()
    separator: str | None = None
    labels: Path | None = None
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    missing_marks: tuple[str, ...] = ()
    header: bool | None = None
    encoding: str | None = None
    split: str = "0.6,0.2,0.2"
    seed: int = 0
    repeat: int = 1
    threads: int | None = None
    out: Path | None = None


RULES = {
    "halving": halving,
    "hyperband": hyperband,
    "asynchronous_halving": asynchronous_halving,
    "median": median,
    "population": population,
}
FILES = ("data", "space", "labels")  # options that may name one


def resume(folder: Path, threads: int | None, minutes: float | None, anyway: bool) -> int:
    """Go on with a sweep of the command line where it was broken off; the exit code."""
    command = asked_of(folder)["notes"].get("command")
    if not isinstance(command, dict) or not set(command) <= set(Asked._fields):
        raise ValueError(f"{str(folder)!r} was not made by fnopt sweep: go on by the same call of fo.caviar")
    paths = {name: Path(command[name]) for name in ("space", "labels") if command.get(name)}
    command = {name: tuple(value) if isinstance(value, list) else value for name, value in command.items()}
    told = {**command, **paths, "out": folder}
    return run_sweep(Asked(**{**told, "threads": threads, "minutes": minutes}), anyway)


def run_sweep(asked: Asked, anyway: bool = False) -> int:
    """Do it all; the exit code: 0, or 130 after Ctrl-C."""
    _check(asked)
    space = standard() if asked.space is None else read_space(asked.space)
    check_lengths(space, asked.epochs, what="--epochs ")
    more = {name: getattr(asked, name) for name in source.MORE}
    table = asked.text, asked.missing, asked.separator
    found = source.find(asked.data, asked.target, asked.task, *table, asked.labels, more)
    train, dev, test = source.parts(found, asked.split, asked.seed)
    objective = objective_of(found.task, asked.objective, dev=True)
    source.describe(found, (train, dev, test), asked.seed)
    parts = (train, dev) if asked.folds is None else (joined(train, dev),)
    _describe(asked, space, "/".join(objective))
    folder = asked.out or Path("runs") / found.name
    watch, start = show.watch_for(found.task, objective), time.perf_counter()
    try:
        sweep = caviar(
            MODELS[found.task](),
            space,
            *parts,
            path=folder,
            progress=watch,
            anyway=anyway,
            notes={"command": _command(asked)},
            **_options(asked),
        )
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
        "folds": asked.folds,
        "stop": _stop(asked),
        "minutes": asked.minutes,
        "threads": asked.threads,
    }


def _stop(asked: Asked) -> EarlyStopping | Rule | None:
    if asked.stop is not None:
        return RULES[asked.stop]()
    return None if asked.patience is None else early_stopping(patience=asked.patience)


def _command(asked: Asked) -> dict[str, Any]:
    """The options as JSON, to go on by; files by their whole paths, as the next call may start elsewhere."""
    command: dict[str, Any] = {k: str(v) if isinstance(v, Path) else v for k, v in asked._asdict().items()}
    command = {k: list(v) if isinstance(v, tuple) else v for k, v in command.items() if k != "out"}
    there = {k: str(Path(command[k]).resolve()) for k in FILES if command[k] and Path(command[k]).exists()}
    return {**command, **there}


def _n(asked: Asked) -> int | None:
    return N if asked.n is None and asked.search != "grid" else asked.n


def _check(asked: Asked) -> None:
    """What the library does not look at, or only after the data were read."""
    options.name_of("--search", asked.search, SEARCHES)
    options.name_of("--task", asked.task, MODELS)
    options.name_of("--missing", asked.missing, ("mean", "drop", "error"))
    options.name_of("--stop", asked.stop, RULES)
    options.shares_of(asked.split)
    if asked.stop is not None and asked.patience is not None:
        raise ValueError("--patience stops each configuration on its own, --stop compares them: one of the two")


def _describe(asked: Asked, space: Mapping[str, Any], objective: str) -> None:
    width = max(map(len, space))
    say("searched", *(f"{name:<{width}} = {value!r}" for name, value in space.items()))
    count, times = _n(asked), f" × {asked.seeds} seeds" if asked.seeds > 1 else ""
    times += "" if asked.folds is None else f" × {asked.folds} folds"
    rule = "" if asked.patience is None else f", each stopped after {asked.patience} epochs without a better score"
    rule += "" if asked.stop is None else f", stopped by {asked.stop}"
    rule += "" if asked.minutes is None else f", for {asked.minutes:g} minutes"
    what = "the whole grid" if count is None else f"{count} configurations"
    most = "up to " if NAME in space else ""
    say("plan", f"{what}{times}, {most}{asked.epochs} epochs, {asked.search} search, ranked by {objective}{rule}")


def _finish(sweep: Sweep, folder: Path, test: Dataset, asked: Asked, seconds: float) -> int:
    """From the ranking to the test scores; what stands in the folder already is shown, not made again."""
    there = len({config for config, *_ in sweep.kept.lanes})
    if there:
        print()
        show.show(sweep)
        print()
    if not sweep.finished:
        whole = sum(standing.status not in ("not run", "cut") for standing in sweep.ranking())
        say(sweep.ended, f"{whole} of {sweep.n} configurations are done, and all is kept in {folder}")
        say("go on", f"fnopt resume {shlex.quote(str(folder))}")
        if sweep.ended == "interrupted" or whole == 0 or sweep.search == COARSE:  # trained on a part of the data
            return INTERRUPTED
    if sweep.attached or sweep.plan is None:
        say("sweep", f"{folder} holds this very sweep, finished: nothing was trained again")
    else:
        plan = sweep.plan
        say(
            "sweep",
            f"{seconds:.1f} s, {plan.programs} program{'s' * (plan.programs != 1)} compiled, {plan.threads} threads, "
            f"occupancy {plan.occupancy:.0%}",
        )
    winner.show_winner(sweep, folder, test, asked.repeat)
    return 0
