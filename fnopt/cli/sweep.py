"""``fnopt sweep``: say what is there, search, show, retrain the winner, test it once, write it down."""

import math
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import jax

from fnopt._programs import keep_for_command
from fnopt._types import Dataset
from fnopt.cli import balance, options, show, source, winner
from fnopt.cli.exit_codes import INTERRUPTED
from fnopt.cli.folder import as_typed, check_writable, folders
from fnopt.cli.interrupts import answered
from fnopt.cli.leaks import leaks
from fnopt.cli.show import say
from fnopt.cli.spaces import read_space, standard
from fnopt.data import NAMES
from fnopt.data import folds as data_folds
from fnopt.model import classifier, multilabel, regressor
from fnopt.run import Sweep, caviar, store
from fnopt.run.caviar import SEARCHES
from fnopt.run.manifest import arrays_of
from fnopt.run.setup import joined
from fnopt.run.store import COARSE, asked_of, open_sweep
from fnopt.run.unlike import OtherSweep, Taken
from fnopt.run.unsaid import epochs_of_search
from fnopt.space.epochs import NAME, check_lengths
from fnopt.space.search_space import SearchSpace
from fnopt.sweep.deadline import Deadline, begin
from fnopt.sweep.population import population
from fnopt.sweep.result import digest
from fnopt.sweep.stop import Rule, asynchronous_halving, halving, hyperband, median
from fnopt.train import EarlyStopping, Objective, early_stopping, objective_of

OBJECTIVES = {"values": "dev/root_mean_squared_error"}  # in the target's unit; a search elsewhere ranks by dev/loss
MODELS = {"classes": classifier, "values": regressor, "labels": multilabel}
N = 256  # configurations, where nobody says


class Asked(NamedTuple):
    """The options of ``fnopt sweep``, as given."""

    data: str
    target: str | None = None
    n: int | None = None
    epochs: int | None = None
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


def resume(folder: Path, threads: int | None, minutes: float | None, anyway: bool, data: str | None = None) -> int:
    """Resume a sweep of the command line where it was interrupted; the exit code.

    ``data`` names the file of its data where that was moved or renamed.
    """
    asked = _asked_in(folder, data)._replace(threads=threads, minutes=minutes)
    with _speaking_of(folder, asked.data):
        return run_sweep(asked, anyway)


def score(folder: Path, data: str | None = None) -> int:
    """Score the winner of a sweep on the test part now, finished or not; the exit code."""
    keep_for_command()
    asked = _asked_in(folder, data)
    with _speaking_of(folder, asked.data, "score"):
        train, dev, *rest = _parts(asked)[1]
        if not rest:
            raise ValueError(f"{str(folder)!r} has no test part: its --split, {asked.split}, left it out")
        sweep = open_sweep(folder)
        if same_data(joined(sweep.train, sweep.dev), joined(train, dev)):
            winner.show_winner(sweep, folder, rest[0], asked.repeat)
            return 0
        raise ValueError(_changed(folder, asked.data, "score"))


def same_data(one: Dataset, other: Dataset) -> bool:
    """Whether two datasets hold the same numbers."""
    return digest(*arrays_of(one, "x").values()) == digest(*arrays_of(other, "x").values())


def _asked_in(folder: Path, data: str | None) -> Asked:
    """The options that a sweep was begun with."""
    command = asked_of(folder)["notes"].get("command")
    if command is None:
        raise ValueError(f"{str(folder)!r} does not come from fnopt sweep: the same call of fo.caviar resumes it")
    hints = get_type_hints(Asked)
    if not isinstance(command, dict) or not set(command) <= set(hints):
        raise ValueError(f"the options in {str(folder / 'sweep.json')!r} are not those of fnopt sweep")
    for name, value in command.items():
        if not _fits(value, hints[name]):
            raise ValueError(f"--{name} in {str(folder / 'sweep.json')!r} cannot be {value!r:.60}")
    paths = {name: Path(command[name]) for name in ("space", "labels") if command.get(name)}
    command = {name: tuple(value) if isinstance(value, list) else value for name, value in command.items()}
    asked = Asked(**{**command, **paths, "out": folder})
    return asked if data is None else asked._replace(data=data)


def _fits(value: Any, hint: Any) -> bool:
    """Whether what JSON holds may be an option of this type."""
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, list) and all(_fits(one, get_args(hint)[0]) for one in value)
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is (str if hint is Path else hint)


@contextmanager
def _speaking_of(folder: Path, data: str, command: str = "resume") -> Iterator[None]:
    """Errors about the data in the words of the command on a folder."""
    try:
        yield
    except OtherSweep as error:
        if error.settings:
            raise
        if not error.data:
            differs = ", ".join(error.unlike) or "it differs"
            raise ValueError(
                f"{str(folder)!r} was begun with other files or by another fnopt: {differs}. Put the file back, or "
                "take the fnopt that began it"
            ) from error
        raise ValueError(_changed(folder, data, command)) from error
    except FileNotFoundError as error:
        if Path(data).exists() or data in NAMES:
            raise
        raise FileNotFoundError(f"{str(error).rstrip('.')}: {_anew(folder, command)}") from error


def _changed(folder: Path, data: str, command: str) -> str:
    return (
        f"{data!r} does not hold the data that the sweep in {str(folder)!r} was begun with: it was changed since. "
        f"Put the old file back, or name it: {_anew(folder, command)}"
    )


def _anew(folder: Path, command: str) -> str:
    return f"fnopt {command} {shlex.quote(str(folder))} --data FILE"


def _parts(asked: Asked) -> tuple[source.Found, tuple[Dataset, ...]]:
    """The data of a command, read and split."""
    more = {name: getattr(asked, name) for name in source.MORE}
    table = asked.text, asked.missing, asked.separator
    found = source.find(asked.data, asked.target, asked.task, *table, asked.labels, more)
    return found, source.parts(found, asked.split, asked.seed)


class Ready(NamedTuple):
    """What a sweep needs, read and checked."""

    space: dict[str, Any]
    found: source.Found
    parts: tuple[Dataset, ...]  # train, dev and perhaps test
    objective: Objective
    epochs: int


def run_sweep(asked: Asked, anyway: bool = False) -> int:
    """Do it all; the exit code: 0, or 130 after Ctrl-C."""
    keep_for_command()
    deadline = begin(asked.minutes)
    try:
        ready = _ready(asked)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("nothing was begun") from None
    asked = asked._replace(epochs=ready.epochs, stop=_rule(asked))
    sweep, folder, seconds = _searched(asked, ready, anyway, deadline)
    test = ready.parts[2] if len(ready.parts) > 2 else None
    return _finish(sweep, folder, test, asked, seconds)


def _ready(asked: Asked) -> Ready:
    """Read and check everything, and only then say what it is."""
    _check(asked)
    space = None if asked.space is None else read_space(asked.space)
    if space is not None and asked.epochs is not None:
        check_lengths(space, asked.epochs, what="--epochs ")
    if asked.out is not None:
        check_writable(asked.out)
    found, parts = _parts(asked)
    task, epochs = found.task, asked.epochs
    parsed = _parsed(asked, standard(task, 1) if space is None else space, task)
    if epochs is None:
        epochs = epochs_of_search(MODELS[task](), parsed, _rows(parts, asked.folds))
    space = standard(task, epochs) if space is None else space
    check_lengths(space, epochs, what="--epochs ")
    objective = objective_of(found.task, asked.objective or OBJECTIVES.get(found.task), dev=True)
    if asked.folds is not None:
        check_folds(parts[:2], asked.folds, found.task)
    source.describe(found, parts, asked.seed)
    notes = [*leaks(found.data, found.task), *balance.notes(found.data, parts, found.task, "/".join(objective))]
    if notes:
        say("note", *notes)
    _describe(asked._replace(epochs=epochs, stop=_rule(asked)), space, "/".join(objective))
    return Ready(space, found, parts, objective, epochs)


def _rows(parts: Sequence[Dataset], folds: int | None) -> int:
    """How many rows each configuration is trained on."""
    train, dev = map(len, parts[:2])
    return train if folds is None else (train + dev) * (folds - 1) // folds


def _rule(asked: Asked) -> str | None:
    """The rule that compares configurations: hyperband where the options do not say how a training ends."""
    return "hyperband" if asked.stop is None and asked.patience is None else asked.stop


def _parsed(asked: Asked, space: Mapping[str, Any], task: str) -> SearchSpace:
    """The space, checked before anything is printed; a fault names the file that holds it."""
    where = "" if asked.space is None else f"{asked.space}: "
    try:
        parsed = SearchSpace.parse(space, MODELS[task]())
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}{error}") from error
    if not parsed.drawn and (_n(asked) or 1) > 1:
        raise ValueError(
            f"{where}nothing is searched: there is no range and no choice in it, so it is 1 configuration; write "
            "--n 1, or a range such as lr = {log_uniform = [1e-4, 1e-1]}"
        )
    return parsed


def check_folds(parts: Sequence[Dataset], folds: int, task: str) -> None:
    """ValueError where these parts together are too few for the folds."""
    data_folds(joined(*parts), folds, key=jax.random.key(0), stratify=task == "classes")


def _searched(asked: Asked, ready: Ready, anyway: bool, deadline: Deadline) -> tuple[Sweep, Path, float]:
    """The sweep, its folder, and how many seconds it took; in the first folder that holds no other sweep."""
    train, dev = ready.parts[:2]
    parts, start, taken = (train, dev) if asked.folds is None else (joined(train, dev),), time.perf_counter(), ""
    for folder in folders(asked.out, ready.found.name):
        watch = show.watch_for(ready.objective)
        try:
            sweep = caviar(
                MODELS[ready.found.task](),
                ready.space,
                *parts,
                path=folder,
                progress=watch,
                anyway=anyway,
                notes={"command": _command(asked)},
                **{**_options(asked), "minutes": deadline.minutes, "objective": "/".join(ready.objective)},
            )
        except Taken as error:
            if asked.out is not None or getattr(error, "settings", ()):
                raise
            taken = taken or str(error).partition(". ")[0]
            continue
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_left(folder)) from None
        except OSError as error:
            raise as_typed(error, folder) from error
        finally:
            show.stop(watch)
        if taken:
            say("folder", f"{folder}, as {taken}")
        return sweep, folder, time.perf_counter() - start
    raise ValueError(f"{taken}, and so do all like it: choose a folder with --out")


def _left(folder: Path) -> str:
    """What a Ctrl-C that ends at once leaves, and the command that resumes the sweep."""
    if not store.holds(folder) and not store.holds(folder / COARSE):
        return "nothing was begun"
    return f"what was written last is kept in {folder}; fnopt resume {shlex.quote(str(folder))} continues"


def _options(asked: Asked) -> dict[str, Any]:
    return {
        "n": _n(asked),
        "epochs": asked.epochs,
        "seeds": asked.seeds,
        "key": jax.random.key(asked.seed),
        "search": asked.search,
        "folds": asked.folds,
        "stop": _stop(asked),
        "threads": asked.threads,
    }


def _stop(asked: Asked) -> EarlyStopping | Rule | None:
    if asked.stop in RULES:
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
    options.name_of("--stop", asked.stop, (*RULES, "none"))
    options.shares_of(asked.split)
    if asked.stop in RULES and asked.patience is not None:
        raise ValueError("--patience stops each configuration on its own, --stop compares them: one of the two")


def _describe(asked: Asked, space: Mapping[str, Any], objective: str) -> None:
    width = max(map(len, space))
    say("searched", *(f"{name:<{width}} = {value!r}" for name, value in space.items()))
    count, times = _n(asked), f" × {asked.seeds} seeds" if asked.seeds > 1 else ""
    times += "" if asked.folds is None else f" × {asked.folds} folds"
    rule = "" if asked.patience is None else f", each stopped after {asked.patience} epochs without a better score"
    rule += "" if asked.stop not in RULES else f", stopped by {asked.stop}"
    rule += "" if asked.minutes is None else f", for {asked.minutes:g} minutes"
    what = "the whole grid" if count is None else f"{count} configurations"
    most = "up to " if NAME in space else ""
    say("plan", f"{what}{times}, {most}{asked.epochs} epochs, {asked.search} search, ranked by {objective}{rule}")


def _finish(sweep: Sweep, folder: Path, test: Dataset | None, asked: Asked, seconds: float) -> int:
    """From the ranking to the test scores; what stands in the folder already is shown, not made again."""
    there = len({config for config, *_ in sweep.kept.lanes})
    if there:
        print()
        show.show(sweep)
        print()
    if not sweep.finished:
        whole = sum(standing.status not in ("not run", "cut") for standing in sweep.ranking())
        say(sweep.ended, f"{whole} of {sweep.n} configurations are done, and all is kept in {folder}")
        say("continue", f"fnopt resume {shlex.quote(str(folder))}")
        if sweep.ended == "interrupted" or whole == 0 or sweep.search == COARSE:  # trained on a part of the data
            return INTERRUPTED
    if sweep.attached or sweep.plan is None:
        say("sweep", f"{folder} holds this very sweep, finished: nothing was trained again")
    else:
        say("sweep", f"{seconds:.1f} s for {sweep.n} configurations")
    try:
        with answered("stopping as soon as this step of the retraining ends …"):
            winner.show_winner(sweep, folder, test, asked.repeat, score=sweep.finished)
    except KeyboardInterrupt:
        print()
        say("interrupted", f"all {sweep.n} configurations are done and kept in {folder}; the winner was not tested")
        say("continue", f"fnopt resume {shlex.quote(str(folder))}")
        return INTERRUPTED
    except OSError as error:
        raise as_typed(error, folder) from error
    return 0
