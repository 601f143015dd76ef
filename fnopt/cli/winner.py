"""The winner of a sweep: retrained on train and dev together, scored once on test, written beside the results."""

import json
import math
import shlex
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnopt._types import Dataset
from fnopt.cli import balance
from fnopt.cli.show import say, training
from fnopt.run import Run, Sweep
from fnopt.run.files import WINNER, described_of, save
from fnopt.run.leaderboard import score_text, text, told_apart
from fnopt.run.manifest import arrays_of, manifest, text_digest
from fnopt.run.plain import numbers, plain
from fnopt.run.store import asked_in, hold
from fnopt.space.columns import columns_of
from fnopt.store.atomic import Folder, Irregular
from fnopt.store.schema import dict_of, list_of, maybe, number, read_json, record, whole
from fnopt.store.schema import text as words
from fnopt.sweep.result import digest

MODEL, SCORES = WINNER, "test.json"
MOST = 2**24  # bytes of test.json
UNEVEN = ("accuracy", "balanced_accuracy", "roc_auc", "loss")  # shown where a class is rare
SHOWN = {"classes": ("accuracy", "loss"), "values": ("r2", "root_mean_squared_error"), "labels": ("accuracy", "f1")}
TESTED = record(
    {
        "identity": words,
        "config": whole(),
        "model": words,
        "test": words,
        "examples": whole(1),
        "epochs": whole(1),
        "repeat": whole(1),
        "test_examples": whole(1),
        "scores": dict_of(maybe(number())),
        "standard_errors": dict_of(maybe(number())),
        "each": list_of(dict_of(maybe(number())), 1),
        "looks": whole(1),
        "digest": words,
    }
)


def show_winner(sweep: Sweep, folder: Path, test: Dataset | None, repeat: int, score: bool = True) -> None:
    """Retrain the winner and score it on test, unless the folder holds its scores, and print them.

    Args:
        sweep: the sweep of the winner.
        folder: of the sweep; it is held meanwhile.
        test: the part that nothing was chosen by. It is looked at once. None where the split has left it out.
        repeat: how many times the winner is trained.
        score: False for a sweep that may still find another winner: the test part is left alone.
    """
    best, score = sweep.best, score and test is not None
    say("winner", f"configuration {best.config}: {_apart(sweep)}")
    with hold(folder) as kept:
        of = {"identity": _identity(sweep, kept.folder, folder), "config": best.config}
        asked = {**of, "repeat": repeat, "test": digest(*arrays_of(test, "x").values())}
        before = _there(kept.folder, of["identity"])
        made = before if before is not None and score and _same(before, asked, kept.folder) else None
        if made is None:
            runs = _retrained(sweep, best.config, repeat if score else 1)
            save(runs[0], kept.folder.path / MODEL, of)
            made = _told(sweep, runs)
            if score and test is not None:
                looks = 1 if before is None else before["looks"] + ({**before, **of} != before)
                made |= {**asked, **plain(_scored(runs, test)), "model": _model(kept.folder), "looks": looks}
                made["digest"] = text_digest(made)
                kept.folder.write(SCORES, (json.dumps(made, indent=1) + "\n").encode())
    times = f", {repeat} times" if repeat > 1 and score else ""
    say("retrained", f"on train and dev, {made['examples']} examples, for {made['epochs']} epochs{times}")
    if score and test is not None:
        again = f"look {made['looks']} at this test part, after other winners: it flatters" if made["looks"] > 1 else ""
        task = sweep.model.task
        names = SHOWN[task] if balance.uneven(test, task) is None else UNEVEN
        scores = [_score(made, name, sweep.train.target) for name in names if name in made["scores"]]
        say("test", *scores, *_yardstick(test, task), *([again] if again else []))
    elif test is None:
        say("test", "none: --split left it out, and the score on dev is the best of many")
    else:
        name = shlex.quote(str(folder))
        say("test", f"left alone until the sweep is finished: fnopt resume {name}; or now: fnopt score {name}")
    say("written", f"{folder}: results.csv, curves.csv, sweep.json, {MODEL}{f', {SCORES}' if score else ''}")


def _apart(sweep: Sweep) -> str:
    """The winner's values, without those parts of schedules that are the same in all configurations."""
    best = sweep.best
    mine = columns_of(best.hyper, sweep.names)
    others = [columns_of(config, sweep.names) for i, config in enumerate(sweep.configs) if i != best.config]
    return ", ".join(f"{name}={text(mine[name])}" for name in told_apart([mine, *others]) if name in mine)


def _identity(sweep: Sweep, there: Folder, given: Path) -> str:
    """Of the sweep, which must be that of the folder."""
    identity = manifest(sweep)["identity"]
    if asked_in(there)["identity"] != identity:
        raise ValueError(f"{str(given)!r} holds another sweep by now; the winner is not written there")
    return identity


def _there(folder: Folder, identity: str) -> dict[str, Any] | None:
    """What an earlier call wrote of this sweep's winner, if it is whole; else a word on why it is left out."""
    try:
        made = read_json(folder.read(SCORES, MOST), SCORES)
        TESTED(made, SCORES)
        if text_digest({name: value for name, value in made.items() if name != "digest"}) != made["digest"]:
            raise ValueError(f"{SCORES} was altered: its digest is not that of its content")
        if made["identity"] != identity:
            raise ValueError(f"{SCORES} is of another sweep")
        names = set(made["scores"])
        if len(made["each"]) != made["repeat"] or any(set(scores) != names for scores in made["each"]):
            raise ValueError(f"{SCORES} has not one row of scores a training")
    except FileNotFoundError:
        return None
    except Irregular:
        raise
    except ValueError as error:
        print(f"warning: {error}; the winner is retrained", file=sys.stderr)
        return None
    return made


def _same(before: dict[str, Any], asked: dict[str, Any], folder: Folder) -> bool:
    """Whether it is of the same winner, tested on the same examples, and its model is there."""
    return {**before, **asked} == before and _model(folder) == before["model"]


def _model(folder: Folder) -> str | None:
    """A digest of the model's two files; None where they are not there, or do not belong together."""
    try:
        described = described_of(folder.path / MODEL)
        content = folder.read(MODEL, described.get("bytes", 0))
    except (OSError, ValueError):
        return None
    return text_digest([described, digest(np.frombuffer(content, np.uint8))])


def _retrained(sweep: Sweep, config: int, repeat: int) -> list[Run]:
    """The winner under ``repeat`` keys; the first is the one that is kept."""
    keys = [jax.random.fold_in(sweep.work.key, k) for k in range(repeat)]
    return [sweep.refit(config=config, key=key, progress=training(k, repeat)) for k, key in enumerate(keys, 1)]


def _told(sweep: Sweep, runs: list[Run]) -> dict[str, Any]:
    examples = len(sweep.train) + (0 if sweep.dev is None else len(sweep.dev))
    return {"examples": examples, "epochs": runs[0].epochs}


def _scored(runs: list[Run], test: Dataset) -> dict[str, Any]:
    """The scores of each on test, and their means."""
    each = [run.evaluate(test) for run in runs]
    each = [{name: float(value) for name, value in scores.items()} for scores in each]
    means = {name: float(np.mean([scores[name] for scores in each])) for name in each[0]}
    errors = standard_errors(runs[0], test, each[0])
    return {"test_examples": len(test), "scores": means, "standard_errors": errors, "each": each}


def _yardstick(test: Dataset, task: str) -> list[str]:
    """What a model reaches that always gives the commonest answer."""
    most = balance.majority(test, task)
    return [] if most is None else [f"(always {most[0]}: accuracy {most[1]:.4f})"]


def _error(x: float) -> str:
    """A standard error: two figures where it is small, for more of them say nothing."""
    return f"{x:.2g}" if x < 0.1 else score_text(x)


def _score(made: dict[str, Any], name: str, target: str) -> str:
    """A test score with its standard errors: over repetitions, and over the examples where that is known."""
    value, *each = map(numbers, (made["scores"][name], *(scores[name] for scores in made["each"])))
    errors = []
    if len(each) > 1:
        spread = float(np.std(each, ddof=1)) / math.sqrt(len(each))
        errors.append(f"± {_error(spread)} over {len(each)} trainings")
    by_examples = made.get("standard_errors", {}).get(name)
    if by_examples is not None and math.isfinite(by_examples):
        errors.append(f"± {_error(by_examples)} (standard error of {made['test_examples']} examples)")
    unit = f", in units of {target!r}" if name in IN_UNIT else ""
    return " ".join([f"{name} {score_text(value)}", ", ".join(errors)]).rstrip() + unit


IN_UNIT = ("root_mean_squared_error", "mean_absolute_error", "median_absolute_error")


def standard_errors(run: Run, test: Dataset, scores: dict[str, float]) -> dict[str, float]:
    """Of a test score over its m examples: √(p(1 − p)/m) of an accuracy p, by the delta method of squared errors e².

    With s the standard error of the mean of e²: s/(2 RMSE) of the RMSE, and s/var(y) of R².
    """
    m, task = len(test), run.encoding.task
    if m < 2 or test.weight is not None:
        return {}
    if task != "values":
        p = scores["accuracy"]
        return {"accuracy": math.sqrt(max(p * (1 - p), 0.0) / m)} if task == "classes" else {}
    y = np.asarray(test.y, np.float64)
    answers = np.asarray(run.predict(test.x), np.float64).reshape(y.shape)
    squared = ((answers - y) ** 2).reshape(m, -1).mean(axis=1)
    s, spread = float(np.std(squared, ddof=1)) / math.sqrt(m), float(np.mean(np.var(y, axis=0)))
    root = math.sqrt(float(np.mean(squared)))
    found = {"mean_squared_error": s, "root_mean_squared_error": s / (2 * root) if root else 0.0}
    return found | ({"r2": s / spread} if spread > 0 else {})
