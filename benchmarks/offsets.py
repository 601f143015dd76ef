"""Offsets and units: what is learned must not depend on where a column's zero lies, nor on the unit of the target.

python -m benchmarks.offsets [fit] [sweep] [terminal]

Features are o + s z and targets u (o + s v), for offsets o, spreads s and units u; z and v are of unit size, and
stay what they are. Each door is compared with itself at o = 0, s = 1, u = 1: accuracy of classes, R² of values. Only
where o / s is beyond 1e12 may a column be refused or named in a warning.
"""

import contextlib
import io
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

import fnopt as fo
from fnopt.cli.entry import run as fnopt

OFFSETS = (0.0, 1.0, 1e3, 1e6, 1e9, 1e12)
SPREADS = (1e-3, 1.0, 1e3)
UNITS = (1e-25, 1e-12, 1.0, 1e12, 1e25)
MOST = 1e12  # offset ÷ spread up to which nothing may change
NEAR = 0.01
ROWS, EPOCHS = 300, 30


class Case(NamedTuple):
    """A data set in some units."""

    task: str  # "classes" or "values"
    offset: float = 0.0
    spread: float = 1.0
    unit: float = 1.0  # of the target of values

    @property
    def held(self) -> bool:
        """Whether nothing may change here."""
        return self.offset <= MOST * self.spread


def cases() -> Iterator[Case]:
    """All of them; the first of each task is the one that the others are compared with."""
    for offset, spread in product(OFFSETS, SPREADS):
        yield Case("classes", offset, spread)
    for offset, spread, unit in product(OFFSETS, SPREADS, UNITS):
        yield Case("values", offset, spread, unit)


def data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """x and y: two features of which one determines the class or most of the value, and noise."""
    draw = np.random.default_rng(0)
    z = draw.normal(size=(ROWS, 2))
    if case.task == "classes":
        flip = draw.random(ROWS) < 0.1
        return case.offset + case.spread * z, ((z[:, 0] + z[:, 1] > 0) ^ flip).astype(np.int64)
    v = z @ np.array([1.0, -0.5]) + 0.5 * draw.normal(size=ROWS)
    return case.offset + case.spread * z, case.unit * (case.offset + case.spread * v)


def model(task: str) -> fo.Model:
    """A small net."""
    return fo.classifier(hidden=(8,)) if task == "classes" else fo.regressor(hidden=(8,))


def by_fit(case: Case) -> list[float]:
    """Scores of one fit: its own on both parts, and ``evaluate``; R² of ``predict`` in float64."""
    whole = fo.data.dataset(*data(case))
    train, dev = fo.data.split(whole, (0.6, 0.4), key=jax.random.key(0))
    name = "accuracy" if case.task == "classes" else "r2"
    run = fo.fit(model(case.task), train, dev, hyper=dict(lr=0.02), epochs=EPOCHS)
    scores = [run.scores["train"][name], run.scores["dev"][name], run.evaluate(dev)[name]]
    if case.task == "classes":
        return [*scores, float(np.mean(run.predict(dev.x) == np.asarray(dev.y)))]
    y, p = np.asarray(dev.y, np.float64), run.predict(dev.x)
    size = np.abs(y - y.mean()).max()
    return [*scores, 1 - float(np.sum(((y - p) / size) ** 2) / np.sum(((y - y.mean()) / size) ** 2))]


def by_sweep(case: Case) -> list[float]:
    """Scores of the best of three over two folds, and of its refit on the rest."""
    whole = fo.data.dataset(*data(case))
    train, test = fo.data.split(whole, (0.6, 0.4), key=jax.random.key(0))
    name = "accuracy" if case.task == "classes" else "r2"
    space = dict(lr=fo.log_uniform(1e-2, 5e-2))
    sweep = fo.caviar(model(case.task), space, train, folds=2, n=3, epochs=EPOCHS, objective=f"dev/{name}")
    return [sweep.best.score, sweep.refit(train).evaluate(test)[name]]


def by_terminal(case: Case) -> list[float]:
    """The test score that ``fnopt sweep`` writes, from a CSV file."""
    x, y = data(case)
    name = "accuracy" if case.task == "classes" else "r2"
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "data.csv"), Path(folder, "sweep")
        lines = [f"{a!r},{b!r},{c!r}" for (a, b), c in zip(x.tolist(), y.tolist(), strict=True)]
        file.write_text("\n".join(["a,b,y", *lines]) + "\n")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = fnopt(["sweep", str(file), "--target", "y", "--n", "2", "--epochs", str(EPOCHS), "--out", str(out)])
        lines = said.getvalue().strip().splitlines()
        if code:
            raise ValueError(lines[-1])
        for note in (line for line in lines if line.startswith("note:")):
            warnings.warn(note, stacklevel=2)
        return [json.loads((out / "test.json").read_text())["scores"][name]]


DOORS: dict[str, Callable[[Case], list[float]]] = {"fit": by_fit, "sweep": by_sweep, "terminal": by_terminal}


class Found(NamedTuple):
    """What one door gave over some cases."""

    held: int  # cases within bounds
    most: float  # the largest difference among them
    faults: list[str]  # cases within bounds that differ, are refused or named
    beyond: int
    told: int  # cases beyond bounds that are refused or named


def compare(door: Callable[[Case], list[float]], some: Iterator[Case] | list[Case]) -> Found:
    """One door over some cases, each against the plain one of its task."""
    plain: dict[str, list[float]] = {}
    held = beyond = told = 0
    most, faults = 0.0, []
    for case in some:
        if case.task not in plain:
            plain[case.task] = door(Case(case.task))
        with warnings.catch_warnings(record=True) as words:
            warnings.simplefilter("always")
            try:
                apart = float(np.max(np.abs(np.subtract(door(case), plain[case.task]))))
                word = str(words[0].message) if words else ""
            except ValueError as error:
                apart, word = np.nan, str(error)
        if not case.held:
            beyond, told = beyond + 1, told + bool(word)
            continue
        held, most = held + 1, max(most, apart)
        if not apart <= NEAR or word:
            faults.append(f"{case}: {apart:.3f} {word}")
    return Found(held, most, faults, beyond, told)


def main() -> None:
    """All doors, or those that are named."""
    for name in sys.argv[1:] or DOORS:
        begin = time.perf_counter()
        found = compare(DOORS[name], cases())
        print(
            f"{name}: {found.held} cases with offset/spread ≤ {MOST:g}: largest difference {found.most:.4f}, "
            f"{len(found.faults)} faults; {found.beyond} cases beyond, {found.told} refused or named; "
            f"{time.perf_counter() - begin:.0f} s",
            flush=True,
        )
        for fault in found.faults:
            print("  ", fault)


if __name__ == "__main__":
    main()
