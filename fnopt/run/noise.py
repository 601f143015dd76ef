"""Which configurations of a sweep the noise cannot distinguish from one of them."""

import math
from typing import TYPE_CHECKING

import numpy as np

from fnopt.analysis import Noise, within_noise
from fnopt.train import Part

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

RATES = ("accuracy", "zero_one")  # shares of examples


def noise_of(sweep: "Sweep", config: int) -> Noise | None:
    """All configurations against one, in the objective; None where nothing says how large the noise is.

    Those that a rule stopped are compared with nothing: they trained less.
    """
    part, metric = sweep.work.objective
    rows = sweep.work.folds[0].dev if part == "dev" else sweep.work.folds[0].train
    examples = examples_of(rows) if metric in RATES and rows is not None else None
    replicas = sweep.kept.replicas
    if len(replicas) == 1 and examples is None:
        return None
    table = np.full((sweep.n, len(replicas)), math.nan)
    number = {at: k for k, at in enumerate(replicas)}
    for (i, *at), r in sweep.kept.lanes.items():
        if r.status in ("done", "stopped"):
            table[i, number[tuple(at)]] = r.scores[part][metric]  # pyright: ignore[reportArgumentType]
    return within_noise(table, config, examples=examples)


def examples_of(part: Part) -> int:
    """How many examples of equal weight say as much as those of a part: (Σ w)²/Σ w²."""
    w = np.asarray(part.weight, np.float64)
    return max(round(float(w.sum() ** 2 / np.square(w).sum())), 1)
