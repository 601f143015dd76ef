"""The notes' own ranking of what is tuned (row T6): the learning rate first, then β, hidden units and batch size, then
layers and decay.
"""

from collections.abc import Mapping

import numpy as np

from fnopt.analysis.rank_correlation import spearman

FIRST = ("lr", "learning_rate", "peak", "value")
SECOND = ("b1", "b2", "beta", "momentum", "hidden", "units", "width", "batch_size")
THIRD = ("layers", "depth", "decay", "rate", "gamma", "steps", "warmup", "floor", "epochs", "every", "power", "k")


def notes_rank(name: str) -> int | None:
    """1, 2 or 3 for a name that the notes rank, else None; of a rate's schedule, its height is the rate itself.

    >>> [notes_rank(name) for name in ("lr", "lr.peak", "b1", "hidden", "lr.warmup", "dropout")]
    [1, 1, 2, 2, 3, None]
    """
    first, _, rest = name.partition(".")
    last = rest.rpartition(".")[2]
    if first in ("lr", "learning_rate"):
        return 1 if not rest or last in FIRST or last.isdigit() else 3
    if first in SECOND:
        return 2
    return 3 if first in THIRD else None


def agreement(shares: Mapping[str, float]) -> float:
    """Spearman's ρ between the measured order of the names that the notes rank and theirs; NaN for fewer than two.

    >>> agreement({"lr": 0.6, "b1": 0.2, "layers": 0.1})
    1.0
    """
    ranked = {name: rank for name in shares if (rank := notes_rank(name)) is not None}
    return spearman([-float(shares[name]) for name in ranked], np.array(list(ranked.values()), float))
