"""What pruning, diverged lanes and checkpoints cost: a sweep with each against the same without it.

python -m benchmarks --only costs
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

import fnopt as fo
from benchmarks.clock import interleaved, ratio
from benchmarks.table import Row

TITLE = "costs: time with over time without, later calls; expected: the share of the work that is left to do"
FULL, QUICK = (256, 27), (32, 9)  # configurations, epochs
ROUNDS = 5
GOOD = fo.log_uniform(1e-4, 1e-2)
SICK = fo.choice(*[1e30] * 3, *np.geomspace(1e-4, 1e-2, 7).tolist())  # three of ten blow up in their first steps
WELL = fo.choice(*np.geomspace(1e-4, 1e-2, 10).tolist())


def run(quick: bool) -> Iterator[Row]:
    """One row a feature; each in a race of its own, so that a feature that is missing stops no other."""
    n, epochs = QUICK if quick else FULL
    for feature in (nan_lanes, checkpoints, pruning):
        try:
            yield feature(n, epochs)
        except (AttributeError, TypeError) as mistake:
            yield dict(what=feature.__name__, note=f"broken off: {mistake}", ok=False)


def nan_lanes(n: int, epochs: int) -> Row:
    """Three lanes of ten diverge at once: they may not cost more than healthy ones, and harm no neighbour."""
    made = _race(n, without=dict(lr=WELL), with_it=dict(lr=SICK), epochs=epochs)
    rows = made.with_it.table()
    sick = [row["lr"] > 1 for row in rows]
    right = all((row["status"] == "diverged") == ill for row, ill in zip(rows, sick, strict=True))
    check = f"{sum(sick)} of {n} lanes diverge, exactly those with lr 1e30"
    return made.row("30 % diverged lanes", check, right and any(sick), expected=1 - sum(sick) / n)


def checkpoints(n: int, epochs: int) -> Row:
    """Writing the sweep to a folder; what is read back is what was trained."""
    with tempfile.TemporaryDirectory() as folder:
        made = _race(n, without={}, with_it={}, epochs=epochs, path=lambda k: Path(folder) / str(k))
        again = fo.open(max(Path(folder).iterdir(), key=lambda p: int(p.name)))
        same = [a["score"] == b["score"] for a, b in zip(again.table(), made.without.table(), strict=True)]
        return made.row("checkpoints (path=)", f"{sum(same)} of {n} scores equal in every bit", all(same), expected=1.0)


def pruning(n: int, epochs: int) -> Row:
    """Halving, against the share of all epochs that it trained; survivors keep their bits."""
    made = _race(n, without={}, with_it={}, epochs=epochs, stop=fo.halving())
    full, rows = made.without.table(), made.with_it.table()
    share = sum(row["epochs"] for row in rows) / (n * epochs)
    last = [k for k, row in enumerate(rows) if row["epochs"] == epochs]
    same = [rows[k]["score"] == full[k]["score"] for k in last]
    check = f"{sum(same)} of {len(last)} survivors have the bits of the full sweep"
    return made.row("halving", check, all(same) and 0 < len(last) < n, expected=share)


class Race:
    """Two sweeps in turn; the last of each is kept for the checks."""

    def __init__(self, times: dict[str, list[float]], sweeps: dict[str, Any], first: dict[str, float]):
        self.times, self.first = times, first
        self.without, self.with_it = sweeps["without"], sweeps["with"]

    def row(self, what: str, check: str, ok: bool, expected: float) -> Row:
        """What it cost, and what it should have cost from the work that there was."""
        measured = ratio(self.times["with"], self.times["without"])
        return dict(
            what=what,
            ratio=measured,
            expected=expected,
            overhead=measured / expected - 1,
            without_s=statistics.median(self.times["without"]),
            with_s=statistics.median(self.times["with"]),
            compile_s=self.first["without"] - statistics.median(self.times["without"]),
            C=max(self.with_it.plan.lanes),
            check=check,
            ok=bool(ok),
        )


def _race(
    n: int,
    without: dict[str, Any],
    with_it: dict[str, Any],
    epochs: int,
    path: Callable[[int], Path] | None = None,
    **options: Any,
) -> Race:
    data = fo.data.digits()
    train, dev = fo.data.split(data, (0.7, 0.3), key=jax.random.key(0), stratify=True)
    model = fo.classifier((32, 32), batch_size=64)
    sweeps: dict[str, Any] = {}

    def turn(name: str, space: dict[str, Any], k: int, **more: Any) -> None:
        more = {**more, "path": path(k)} if path and name == "with" else more
        call = partial(fo.caviar, model, {"lr": GOOD, **space}, train, dev, n=n, epochs=epochs, key=jax.random.key(k))
        sweeps[name] = call(**more)

    contestants = {
        "without": lambda k: turn("without", without, k),
        "with": lambda k: turn("with", with_it, k, **options),
    }
    first, times = interleaved(contestants, ROUNDS, slow=float("inf"))
    return Race(times, sweeps, first)
