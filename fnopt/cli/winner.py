"""The winner of a sweep: retrained on train and dev together, scored once on test, written beside the results."""

import json
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnopt._types import Dataset
from fnopt.cli.show import say
from fnopt.run import Run, Sweep
from fnopt.run.leaderboard import text
from fnopt.run.plain import write_atomically
from fnopt.space.columns import columns_of

MODEL, SCORES = "model.safetensors", "test.json"
SHOWN = {"classes": ("accuracy", "loss"), "values": ("r2", "root_mean_squared_error"), "labels": ("accuracy", "f1")}


def show_winner(sweep: Sweep, folder: Path, test: Dataset, repeat: int) -> None:
    """Retrain and test the winner, unless the folder tells how that went, and say it."""
    best = sweep.best
    made = _there(folder, best.config, repeat)
    hyper = ", ".join(f"{name}={text(value)}" for name, value in columns_of(best.hyper).items())
    say("winner", f"configuration {best.config}: {hyper}")
    made = made or _retrain(sweep, folder, test, repeat)
    times = f", {repeat} times" if repeat > 1 else ""
    say("retrained", f"on train and dev, {made['examples']} examples, for {made['epochs']} epochs{times}")
    say("test", *(_score(made, name) for name in SHOWN[sweep.model.task]))
    say("written", f"{folder}: results.csv, curves.csv, sweep.json, {MODEL}, {SCORES}")


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
    runs = [sweep.refit(config=config, key=key) for key in keys]
    each = [run.evaluate(test) for run in runs]
    made = {
        "config": config,
        "examples": len(sweep.train) + (0 if sweep.dev is None else len(sweep.dev)),
        "epochs": runs[0].epochs,
        "repeat": repeat,
        "test_examples": len(test),
        "scores": {name: float(np.mean([scores[name] for scores in each])) for name in each[0]},
        "each": each,
    }
    _write(runs[0], made, folder)
    return made


def _write(run: Run, made: dict[str, Any], folder: Path) -> None:
    run.save(folder / MODEL)
    write_atomically(folder / SCORES, (json.dumps(made, indent=1) + "\n").encode())


def _score(made: dict[str, Any], name: str) -> str:
    """A test score with its standard error: over repetitions, and of an accuracy over the examples."""
    value, each = made["scores"][name], [scores[name] for scores in made["each"]]
    line = f"{name} {value:.4f}"
    if len(each) > 1:
        error = float(np.std(each, ddof=1)) / math.sqrt(len(each))
        line += f" ± {error:.4f} over {len(each)} trainings" + "," * (name == "accuracy")
    if name == "accuracy":
        examples = made["test_examples"]
        error = math.sqrt(max(value * (1 - value), 0.0) / examples)
        line += f" ± {error:.4f} (standard error of {examples} examples)"
    return line
