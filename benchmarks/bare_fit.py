"""The bare call ``fo.fit(fo.classifier(), data)`` on real tables, beside its older self and scikit-learn's network.

Each set is split five times (75 % to learn from, seeds 0 to 4, the same rows for all). A contestant gets the training
rows and nothing else. Log loss and error on the other rows for classes, the root of the mean squared error for values
(its error is the same number); seconds of the call, the first of each shape compiles.

    python -m benchmarks.bare_fit --data FOLDER --old PATH

``--data`` (or FNOPT_BENCH_DATA) is a folder with proben1, vowel and openml in it; without it the sets of the package
alone are taken. ``--old`` is a checkout of an older version, which is run in a process of its own.

    python -m benchmarks.bare_fit --data FOLDER --departures

trains the bare call with one part at a time put back to the notes' advice, and prints by how much the loss and the
error are then larger, as the geometric mean over the sets.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

PROBEN1 = ("glass1", "heart1", "diabetes1", "cancer1", "card1")
PACKAGE = ("digits", "wine", "iris", "breast_cancer", "diabetes")
VALUES = ("diabetes",)
SPLITS, SHARE = 5, 0.75
BARS = {"old": (11, 10), "mlp": (5, 5)}  # of 12 sets: better by loss, by error
Table = tuple[np.ndarray, np.ndarray]


def sets(folder: Path | None) -> Iterator[tuple[str, Table]]:
    """The sets that are there, each as x and y."""
    import fnopt as fo

    if folder is not None:
        for name in PROBEN1:
            if (path := folder / "proben1" / f"{name}.dt.gz").exists():
                yield name, _proben1(path)
        if (path := folder / "vowel" / "vowel.train").exists():
            with path.open() as file:
                numbers = np.array(list(csv.reader(file))[1:], float)
            yield "vowel", (numbers[:, 2:], numbers[:, 1].astype(int) - 1)
        if (path := folder / "openml" / "phoneme.csv.gz").exists():
            with gzip.open(path, "rt") as file:
                rows = list(csv.reader(file))[1:]
            yield "phoneme", (np.array([r[:-1] for r in rows], float), _codes([r[-1] for r in rows]))
    for name in PACKAGE:
        data = fo.data.load(name)
        yield name, (np.asarray(data.x, float), np.asarray(data.y))


def _proben1(path: Path) -> Table:
    """Seven lines ``key=value``, then inputs and outputs, one of m, in a row each."""
    with gzip.open(path, "rt") as file:
        lines = file.read().splitlines()
    head = dict(line.split("=") for line in lines[:7])
    inputs = int(head["bool_in"]) + int(head["real_in"])
    numbers = np.array([[float(v) for v in line.split()] for line in lines[7:] if line.strip()])
    return numbers[:, :inputs], numbers[:, inputs:].argmax(axis=1)


def _codes(labels: list[str]) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1]


def split(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to learn from and to judge on."""
    order = np.random.default_rng(seed).permutation(rows)
    count = round(SHARE * rows)
    return order[:count], order[count:]


def ours(x: np.ndarray, y: np.ndarray, values: bool, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """The bare call; what it gives predicts values, or chances in the order of the classes that it saw."""
    import jax

    import fnopt as fo

    model = fo.regressor() if values else fo.classifier()
    run = fo.fit(model, fo.data.dataset(x, y), key=jax.random.key(seed))
    return (lambda new: np.asarray(run.predict(new))) if values else lambda new: np.asarray(run.predict_proba(new))


def mlp(x: np.ndarray, y: np.ndarray, values: bool, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """scikit-learn's network at its defaults behind a StandardScaler, values standardized as well."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    net = (MLPRegressor if values else MLPClassifier)(random_state=seed)
    pipe: Any = make_pipeline(StandardScaler(), net)
    if values:
        return TransformedTargetRegressor(pipe, transformer=StandardScaler()).fit(x, y).predict
    return pipe.fit(x, y).predict_proba


def put_back(part: str) -> Callable[..., Any]:
    """The bare call with one part of its recipe, any of ``PARTS``, as the notes advise."""

    def contestant(x: np.ndarray, y: np.ndarray, values: bool, seed: int) -> Callable[[np.ndarray], np.ndarray]:
        import jax

        import fnopt as fo

        task, size = ("values", 1) if values else ("classes", len(np.unique(y)))
        advice = fo.recipes.notes(task, *x.shape)
        advice |= {"dropout": advice["first"]["dropout"][-1], "hidden": (min(max((x.shape[1] + size) // 2, 8), 256),)}
        usual = fo.recipes.default(task, *x.shape)
        recipe = {**usual, part: advice[part]}
        if part == "optimizer":  # Adam has no decay of its own
            del recipe["weight_decay"]
        model = fo.regressor() if values else fo.classifier()
        found = fo.recipes.arguments(recipe, round((1 - usual["holdout"]) * len(x)))
        data, key = fo.data.dataset(x, y), jax.random.key(seed)
        run = fo.fit(model, data, holdout=usual["holdout"], key=key, **found)
        return (lambda new: np.asarray(run.predict(new))) if values else lambda new: np.asarray(run.predict_proba(new))

    return contestant


PARTS = ("hidden", "optimizer", "epochs", "dropout")
CONTESTANTS = {"ours": ours, "mlp": mlp, **{part: put_back(part) for part in PARTS}}


def race(folder: Path | None, contestant: str, names: list[str] | None) -> dict[str, list[float]]:
    """Mean loss, mean error and median seconds of each set."""
    found = {}
    for name, (x, y) in sets(folder):
        if names and name not in names:
            continue
        each = [_once(CONTESTANTS[contestant], name, x, y, seed) for seed in range(SPLITS)]
        loss, error, seconds = zip(*each, strict=True)
        found[name] = [float(np.mean(loss)), float(np.mean(error)), float(np.median(seconds)), float(sum(seconds))]
        print(f"{contestant} {name}: {found[name][0]:.4g}, {found[name][1]:.4g}", file=sys.stderr, flush=True)
    return found


def _once(contestant: Any, name: str, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[float, float, float]:
    values, (learn, judge) = name in VALUES, split(len(x), seed)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predict = contestant(x[learn], y[learn], values, seed)
    seconds, made = time.perf_counter() - start, predict(x[judge])
    if values:
        error = float(np.sqrt(np.mean((made - y[judge]) ** 2)))
        return error, error, seconds
    there = np.unique(y[learn])
    chances = np.full((len(judge), int(y.max()) + 1), 1e-15)
    chances[:, there] = np.clip(made, 1e-15, 1)
    right = chances[np.arange(len(judge)), y[judge]] / chances.sum(axis=1)
    return float(-np.mean(np.log(right))), float(np.mean(chances.argmax(axis=1) != y[judge])), seconds


def wins(mine: dict[str, list[float]], theirs: dict[str, list[float]]) -> tuple[int, int]:
    """On how many sets we are better, by loss and by error."""
    both = [(mine[name], theirs[name]) for name in mine if name in theirs]
    return sum(a[0] < b[0] for a, b in both), sum(a[1] < b[1] for a, b in both)


def main() -> int:
    """The table, the counts, and 1 where all twelve sets are there and a bar is not reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("FNOPT_BENCH_DATA"))
    parser.add_argument("--old", type=Path, help="a checkout of an older version")
    parser.add_argument("--only", help="names of sets, with commas")
    parser.add_argument("--json", choices=CONTESTANTS, help="run this contestant alone and write its results")
    parser.add_argument("--departures", action="store_true", help="one part at a time as the notes advise")
    args = parser.parse_args()
    folder, names = args.data and Path(args.data), args.only and args.only.split(",")
    if args.json:
        print(json.dumps(race(folder, args.json, names)))
        return 0
    if args.departures:
        departures({name: race(folder, name, names) for name in ("ours", *PARTS)})
        return 0
    found = {name: race(folder, name, names) for name in ("ours", "mlp")}
    if args.old:
        given = [*(("--data", str(folder)) if folder else ()), *(("--only", args.only) if args.only else ())]
        command = [sys.executable, __file__, "--json", "ours", *given]
        told = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": str(args.old)}, stdout=subprocess.PIPE, check=True
        )
        found["old"] = json.loads(told.stdout)
    return report(found)


def departures(found: dict[str, dict[str, list[float]]]) -> None:
    """Print, for each part put back, the geometric means of loss and error over those of the bare call."""
    usual = found.pop("ours")
    for part, sets_ in found.items():
        both = np.array([np.maximum(sets_[name][:2], 1e-4) / np.maximum(usual[name][:2], 1e-4) for name in usual])
        loss, error = np.exp(np.log(both).mean(axis=0))
        worse = (both > 1).sum(axis=0)
        print(
            f"{part:<10} as the notes advise: loss × {loss:.2f}, error × {error:.2f}; larger on {worse[0]} and "
            f"{worse[1]} of {len(usual)} sets"
        )


def report(found: dict[str, dict[str, list[float]]]) -> int:
    """Print one line a set and the counts; 1 where a bar is missed."""
    print(f"{'set':<14}" + "".join(f"{who + ': loss':>14} {'error':>8} {'s':>6}" for who in found))
    for name in found["ours"]:
        cells = (f"{some[name][0]:>14.4g} {some[name][1]:>8.4g} {some[name][2]:>6.2f}" for some in found.values())
        print(f"{name:<14}" + "".join(cells))
    print(
        "seconds of all calls: "
        + ", ".join(f"{who} {sum(r[3] for r in some.values()):.1f}" for who, some in found.items())
    )
    missed = False
    for who in found.keys() & BARS.keys():
        loss, error = wins(found["ours"], found[who])
        print(f"better than {who}: {loss} by loss, {error} by error, of {len(found['ours'])}; bars {BARS[who]}")
        missed |= len(found["ours"]) == 12 and (loss < BARS[who][0] or error < BARS[who][1])
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
