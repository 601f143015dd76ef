"""The winner of a sweep: retrained on train and dev together, scored once on test, written beside the results."""

import json
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnopt._types import Dataset
from fnopt.cli import balance
from fnopt.cli.show import say, training
from fnopt.run import Run, Sweep
from fnopt.run.files import WINNER
from fnopt.run.leaderboard import score_text, text
from fnopt.run.plain import write_atomically
from fnopt.space.columns import columns_of

MODEL, SCORES = WINNER, "test.json"
SHOWN = {"classes": ("accuracy", "loss"), "values": ("r2", "root_mean_squared_error"), "labels": ("accuracy", "f1")}
UNEVEN = ("accuracy", "balanced_accuracy", "roc_auc", "loss")  # shown where a class is rare


def show_winner(sweep: Sweep, folder: Path, test: Dataset, repeat: int) -> None:
    """Retrain and test the winner, unless the folder tells how that went, and say it."""
    best, task = sweep.best, sweep.model.task
    made = _there(folder, best.config, repeat)
    hyper = ", ".join(f"{name}={text(value)}" for name, value in columns_of(best.hyper).items())
    say("winner", f"configuration {best.config}: {hyper}")
    made = made or _retrain(sweep, folder, test, repeat)
    times = f", {repeat} times" if repeat > 1 else ""
    say("retrained", f"on train and dev, {made['examples']} examples, for {made['epochs']} epochs{times}")
    names = SHOWN[task] if balance.uneven(test, task) is None else UNEVEN
    say("test", *(_score(made, name, sweep.train.target) for name in names), *_yardstick(test, task))
    say("written", f"{folder}: results.csv, curves.csv, sweep.json, {MODEL}, {SCORES}")


def _yardstick(test: Dataset, task: str) -> list[str]:
    """What a model reaches that always gives the commonest answer."""
    most = balance.majority(test, task)
    return [] if most is None else [f"(always {most[0]}: accuracy {most[1]:.4f})"]


def _there(folder: Path, config: int, repeat: int) -> dict[str, Any] | None:
    """What an earlier call wrote of the same winner, if it did."""
    try:
        made = json.loads((folder / SCORES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = (made.get("config"), made.get("repeat")) == (config, repeat)
    return made if same and (folder / MODEL).exists() else None


def _retrain(sweep: Sweep, folder: Path, test: Dataset, repeat: int) -> dict[str, Any]:
    """The winner under ``repeat`` keys, each scored once; the first is the one that is kept."""
    config = sweep.best.config
    keys = [jax.random.fold_in(sweep.work.key, k) for k in range(repeat)]
    runs = [sweep.refit(config=config, key=key, progress=training(k, repeat)) for k, key in enumerate(keys, 1)]
    each = [run.evaluate(test) for run in runs]
    made = {
        "config": config,
        "examples": len(sweep.train) + (0 if sweep.dev is None else len(sweep.dev)),
        "epochs": runs[0].epochs,
        "repeat": repeat,
        "test_examples": len(test),
        "scores": {name: float(np.mean([scores[name] for scores in each])) for name in each[0]},
        "standard_errors": standard_errors(runs[0], test, each[0]),
        "each": each,
    }
    _write(runs[0], made, folder)
    return made


def _write(run: Run, made: dict[str, Any], folder: Path) -> None:
    run.save(folder / MODEL)
    write_atomically(folder / SCORES, (json.dumps(made, indent=1) + "\n").encode())


def _score(made: dict[str, Any], name: str, target: str) -> str:
    """A test score with its standard errors: over repetitions, and over the examples where that is known."""
    value, each = made["scores"][name], [scores[name] for scores in made["each"]]
    errors = []
    if len(each) > 1:
        spread = float(np.std(each, ddof=1)) / math.sqrt(len(each))
        errors.append(f"± {score_text(spread)} over {len(each)} trainings")
    by_examples = made.get("standard_errors", {}).get(name)
    if by_examples is not None and math.isfinite(by_examples):
        errors.append(f"± {score_text(by_examples)} (standard error of {made['test_examples']} examples)")
    unit = f", in units of {target!r}" if name in IN_UNIT else ""
    return " ".join([f"{name} {score_text(value)}", ", ".join(errors)]).rstrip() + unit


IN_UNIT = ("root_mean_squared_error", "mean_absolute_error", "median_absolute_error")


def standard_errors(run: Run, test: Dataset, scores: dict[str, float]) -> dict[str, float]:
    """Of a test score over its m examples: √(p(1 − p)/m) of an accuracy p, by the delta method of squared errors e².

    With s the standard error of the mean of e²: s/(2 RMSE) of the RMSE, and s/var(y) of R².
    """
    m, task = len(test), run.frame.task
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
