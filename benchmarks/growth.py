"""How the time of a sweep grows with lanes, width, rows of data and devices, each alone.

python -m benchmarks --only growth
"""

import hashlib
import statistics
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

import fnopt as fo
from benchmarks.clock import seconds, slope, spread
from benchmarks.fresh import answer, fresh
from benchmarks.problem import BATCH, digits
from benchmarks.table import Row

TITLE = "growth: seconds of a second call; slope is d log time / d log size from the row before (1: in proportion)"
FULL = dict(lanes=(4, 16, 64, 256, 1024), width=(8, 32, 128, 512), rows=(256, 1024, 4096, 16384))
QUICK = dict(lanes=(4, 32, 256), width=(16, 64), rows=(256, 1024))
BASE, QUICK_BASE = dict(lanes=64, width=32, rows=1024), dict(lanes=16, width=16, rows=256)
EPOCHS, QUICK_EPOCHS, ROUNDS = 8, 4, 5
DEVICES, QUICK_DEVICES = (1, 2, 4, 8), (1, 2)  # of the host, which share its cores: more of them may gain nothing
SPACE = dict(lr=fo.log_uniform(1e-4, 1e-2))


def run(quick: bool) -> Iterator[Row]:
    """One row a size; the others stay at their base."""
    base, epochs = (QUICK_BASE, QUICK_EPOCHS) if quick else (BASE, EPOCHS)
    for name, sizes in (QUICK if quick else FULL).items():
        yield from grown(name, sizes, base, epochs)
    if jax.default_backend() == "cpu":
        yield from on_devices(QUICK_DEVICES if quick else DEVICES, base, epochs)


def on_devices(counts: Sequence[int], base: dict[str, int], epochs: int) -> Iterator[Row]:
    """The same sweep on so many devices of the host, each in a fresh process; every lane must have the same bits."""
    most = max(counts)  # the pool has a thread a device, and its size is part of the bits
    made = [fresh("benchmarks.growth", count, most, *base.values(), epochs) for count in counts]
    for i, (count, one) in enumerate(zip(counts, made, strict=True)):
        times = [m["seconds"] for m in made[i - 1 : i + 1]]
        growth = slope([float(c) for c in counts[i - 1 : i + 1]], times) if i else None
        same = one["digest"] == made[0]["digest"]
        check = f"every lane's bits are those on {counts[0]} device" + ("" if same else ": NOT")
        taken = {name: one[name] for name in ("seconds", "us", "spread", "compile_s", "C")}
        yield dict(along="devices", size=count, **taken, slope=growth, check=check, ok=same)


def grown(name: str, sizes: Sequence[int], base: dict[str, int], epochs: int) -> Iterator[Row]:
    """The sizes take turns, so that noise hits all alike."""
    calls = [Sized(**{**base, name: size}, epochs=epochs) for size in sizes]
    first = [seconds(partial(call.once, 0)) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for k in range(1, ROUNDS + 1):
        for call, taken in zip(calls, times, strict=True):
            taken.append(seconds(partial(call.once, k)))
    medians = [statistics.median(taken) for taken in times]
    for i, (size, call) in enumerate(zip(sizes, calls, strict=True)):
        growth = slope([float(s) for s in sizes[i - 1 : i + 1]], medians[i - 1 : i + 1]) if i else None
        yield dict(
            along=name,
            size=size,
            seconds=medians[i],
            us=medians[i] / call.updates * 1e6,
            slope=growth,
            spread=spread(times[i]),
            compile_s=max(first[i] - medians[i], 0.0),
            C=max(call.plan.lanes),
            check=f"{call.compiled} compiled after the first call, {call.lost} lanes not finite",
            ok=call.compiled == 0 and call.lost == 0,
        )


class Sized:
    """A sweep of one size; digits again and again where more rows are asked for than there are."""

    def __init__(self, lanes: int, width: int, rows: int, epochs: int, devices: Sequence[Any] | None = None):
        x, y, _ = digits(1024)
        at = np.arange(rows) % len(x)
        self.data = fo.data.dataset(x[at], y[at])
        self.model = fo.classifier((width, width), batch_size=BATCH, standardize=False)
        self.lanes, self.epochs, self.devices = lanes, epochs, devices
        self.updates = lanes * epochs * (rows // BATCH)
        self.compiled = self.lost = 0
        self.plan: Any = None

    def once(self, k: int) -> None:
        """One sweep, with learning rates of its own."""
        sweep = fo.caviar(
            self.model, SPACE, self.data, n=self.lanes, epochs=self.epochs, key=jax.random.key(k), devices=self.devices
        )
        self.plan = sweep.plan
        self.digest = hashlib.sha256("".join(r.digest for _, r in sorted(sweep.kept.lanes.items())).encode())
        self.compiled += self.plan.programs if k else 0
        self.lost += sum(row["status"] != "done" for row in sweep.table())


def main(count: int, most: int, lanes: int, width: int, rows: int, epochs: int) -> None:
    """One number of devices, in this process."""
    jax.config.update("jax_num_cpu_devices", most)
    call = Sized(lanes, width, rows, epochs, jax.devices()[:count])
    first = seconds(partial(call.once, 0))
    taken = [seconds(partial(call.once, k)) for k in range(1, ROUNDS + 1)]
    middle = statistics.median(taken)
    answer(
        seconds=middle,
        us=middle / call.updates * 1e6,
        spread=spread(taken),
        compile_s=max(first - middle, 0.0),
        C=max(call.plan.lanes),
        digest=call.digest.hexdigest(),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
