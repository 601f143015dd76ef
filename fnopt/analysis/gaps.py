"""Bias, variance and mismatch: the gaps between target, training, train-dev and dev error, with their noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnopt.analysis.noise import mean_error, rate_error, reach

PARTS = ("train", "train_dev", "dev")
NAMES = {"bias": "avoidable bias", "variance": "variance", "mismatch": "mismatch"}


@dataclass(frozen=True)
class Gap:
    """A difference of two errors, and how far from 0 it must be to count."""

    value: float
    error: float  # its standard error; NaN where nothing says it
    beyond: float  # a smaller one is noise, or too small to matter

    @property
    def counts(self) -> bool:
        """Whether it is more than noise and more than the tolerance."""
        return self.value > self.beyond


@dataclass(frozen=True)
class Gaps:
    """The errors of the parts, and what lies between them; None where a part is not there.

    ``dominant`` is the greatest of the gaps that count: ``"bias"``, ``"variance"`` or ``"mismatch"``; ``"none"`` where
    none does.
    """

    target: float
    errors: dict[str, float]  # of "train", and of "train_dev" and "dev" where they are there
    noise: dict[str, float]  # the standard error of each; NaN where nothing says it
    bias: Gap
    variance: Gap | None
    mismatch: Gap | None
    tolerance: float

    @property
    def dominant(self) -> str:
        """What to work on first."""
        found = {name: gap for name in NAMES if (gap := getattr(self, name)) is not None and gap.counts}
        return max(found, key=lambda name: found[name].value) if found else "none"


def gaps_of(
    errors: Mapping[str, Any],
    target: float,
    *,
    each: Mapping[str, Any] | None = None,
    examples: Mapping[str, int] | None = None,
    rate: bool = False,
    tolerance: float = 0.0,
) -> Gaps:
    """avoidable bias = train − target, variance = dev − train; with a train-dev part variance = train-dev − train and
    mismatch = dev − train-dev.

    Args:
        errors: of ``train``, and ``train_dev`` and ``dev`` where there are any: numbers, or shape=(repeats,) over seeds
            and folds, in one order.
        target: the error that can be reached.
        each: the errors of single examples, shape=(n,), whose mean is a part's error: their spread is the noise where
            there is one repeat.
        examples: how many examples a part has: with ``rate`` the noise of a share is binomial.
        rate: whether errors are shares of examples.
        tolerance: a gap up to this does not count, noise or not.
    """
    some = {part: np.asarray(errors[part], np.float64).reshape(-1) for part in PARTS if part in errors}
    train, repeats = some["train"], len(some["train"])
    noise = {part: _noise(values, part, each or {}, examples or {}, rate) for part, values in some.items()}

    def gap(late: str, early: str | None) -> Gap | None:
        if late not in some:
            return None
        values = some[late] - (target if early is None else some[early])
        single = math.hypot(noise[late], 0.0 if early is None else noise[early])
        error = mean_error(values) if repeats > 1 else single
        limit = reach(repeats) * error
        return Gap(float(values.mean()), error, max(tolerance, 0.0 if math.isnan(limit) else limit))

    middle = "train_dev" if "train_dev" in some else "dev"
    bias = gap("train", None)
    assert bias is not None and len(train)
    return Gaps(
        target=target,
        errors={part: float(values.mean()) for part, values in some.items()},
        noise=noise,
        bias=bias,
        variance=gap(middle, "train"),
        mismatch=gap("dev", "train_dev") if middle == "train_dev" else None,
        tolerance=tolerance,
    )


def _noise(values: np.ndarray, part: str, each: Mapping[str, Any], examples: Mapping[str, int], rate: bool) -> float:
    """The standard error of one part's error."""
    if len(values) > 1:
        return mean_error(values)
    if part in each:
        return mean_error(each[part])
    if rate and part in examples:
        return rate_error(float(values.mean()), examples[part])
    return math.nan
