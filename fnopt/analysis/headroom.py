"""How far a learning rate is from those at which configurations diverge."""

import math
from typing import Any

import numpy as np


def headroom_of(rates: Any, diverged: Any, chosen: float) -> float:
    """The least rate from which on most configurations diverge, over the chosen one; infinite where there is none.

    Args:
        rates: shape=(n,), the learning rates, above 0.
        diverged: shape=(n,), bool, which diverged.
        chosen: the rate in question, above 0.

    >>> headroom_of([0.01, 0.1, 0.4, 1.0], [False, False, True, True], 0.1)
    4.0
    """
    rates, bad = np.asarray(rates, np.float64), np.asarray(diverged, bool)
    order = np.argsort(rates, kind="stable")
    rates, bad = rates[order], bad[order]
    share = np.cumsum(bad[::-1])[::-1] / np.arange(len(bad), 0, -1)  # of those at this rate or above
    at = [rate for rate, b, s in zip(rates, bad, share, strict=True) if b and s > 0.5 and rate >= chosen]
    return float(min(at) / chosen) if at and chosen > 0 else math.inf
