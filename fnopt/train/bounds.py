"""Between which numbers a score lies, by its name."""

import math
from typing import NamedTuple

from fnopt.train.scores import AVERAGES, LOSS, SCORES

SHARES = (
    *("accuracy", "balanced_accuracy", "zero_one", "f1", "precision", "recall", "specificity", "jaccard"),
    *("roc_auc", "average_precision", "hamming", "expected_calibration_error"),
)
AGREEMENTS = ("matthews_corrcoef", "cohen_kappa")
EXPLAINED = ("r2", "explained_variance", "d2_absolute_error")  # 1 or 0 by convention where the truth never varies
BELOW_ONE = (*EXPLAINED, "d2_log_loss", "d2_brier")
ROUNDING = 1e-5  # of float32, by which a score may pass its end
ERRORS = frozenset(
    name for known in SCORES.values() for name, score in known.items() if not score.higher and name != LOSS.name
)  # none is below 0


class Bounds(NamedTuple):
    """The least and the greatest that a score can be."""

    low: float
    high: float

    def hold(self, value: float, slack: float = 0.0) -> bool:
        """Whether a value lies between them."""
        return self.low - slack <= value <= self.high + slack

    def __str__(self) -> str:
        """In words, after "a number"; "" without bounds.

        >>> str(Bounds(0.0, 1.0)), str(Bounds(-math.inf, 1.0))
        ('from 0 to 1', 'up to 1')
        """
        if math.isinf(self.low):
            return "" if math.isinf(self.high) else f"up to {self.high:g}"
        return f"≥ {self.low:g}" if math.isinf(self.high) else f"from {self.low:g} to {self.high:g}"


def bounds_of(metric: str) -> Bounds:
    """Those of a score of the toolkit by its name; none of a loss, and of a score that it does not know.

    >>> bounds_of("f1_macro"), bounds_of("brier").low, bounds_of("loss").high
    (Bounds(low=0.0, high=1.0), 0.0, inf)
    """
    name, _, last = metric.rpartition("_")
    if metric in SHARES or (last in (*AVERAGES, "samples") and name in SHARES):
        return Bounds(0.0, 1.0)
    if metric in AGREEMENTS:
        return Bounds(-1.0, 1.0)
    low = 0.0 if metric in ERRORS else -math.inf
    return Bounds(low, 1.0 if metric in BELOW_ONE else math.inf)


def of_error(bounds: Bounds, higher: bool) -> Bounds:
    """Those of the error: 1 − score where more is better, else the score itself."""
    return Bounds(1 - bounds.high, 1 - bounds.low) if higher else bounds
