"""Hypergradient checking: the derivative through a whole run, by both modes of autodiff and by differences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from fnopt._types import Dataset
from fnopt.check._float64 import EPSILON
from fnopt.check._table import shown
from fnopt.model import Model
from fnopt.run.hypergrad import Problem, chosen, loss_at, places_of, problem_of, slope

STEPS = tuple(10.0**-k for k in range(2, 8))  # of the differences, relative to the number
FROM_ZERO = 1e-3  # what stands for a number's size where it is 0


@dataclass(frozen=True)
class Hypergradients:
    """What :func:`hypergradient` found; printed, one row a number.

    Each row of ``table``: ``reverse``, ``forward`` and ``differences`` are three values of one derivative,
    ``uncertainty`` what the differences do not know of theirs, ``error`` the larger relative difference
    |a − b|/(|a| + |b|) of the two modes to them, ``verdict`` one of ``"agree"``; ``"DIFFER"``; ``"kink"``: the
    slopes to the left and to the right differ, and the derivative is one of them or between (a warmup that ends at a
    step exactly); ``"unsettled"``: differences at all steps disagree, as among many kinks (ReLU) and in chaotic runs.
    """

    table: list[dict[str, Any]]
    loss: float
    steps: int

    @property
    def passed(self) -> bool:
        """Whether no derivative differs."""
        return all(row["verdict"] != "DIFFER" for row in self.table)

    @property
    def worst(self) -> dict[str, Any]:
        """The row of the largest error."""
        return max(self.table, key=lambda row: (row["verdict"] == "DIFFER", row["error"]))

    def __str__(self) -> str:
        verdict = "hypergradients agree" if self.passed else f"HYPERGRADIENTS DIFFER, worst `{self.worst['number']}`"
        unsettled = [row["number"] for row in self.table if row["verdict"] == "unsettled"]
        tail = f"\nunsettled: {', '.join(unsettled)}: kinks within every step (ReLU), or a chaotic run; try tanh, or"
        head = f"{verdict} after {self.steps} steps; dev loss {self.loss:.6g}"
        return f"{head}\n{shown(self.table)}" + (f"{tail} fewer steps" if unsettled else "")


def hypergradient(
    model: Model,
    train: Dataset,
    dev: Dataset,
    hyper: Mapping[str, Any] | None = None,
    wrt: str | Sequence[str] | None = "lr",
    *,
    steps: int | None = None,
    epochs: int | None = None,
    key: Any = None,
    tolerance: float = 1e-5,
) -> Hypergradients:
    """Compare the derivative of the dev loss after k updates, by forward and by reverse mode, with differences.

    All in float64: the run is that of ``fo.hypergrad`` on the data as float64. Differences are two-sided,
    (f(x + h) − f(x − h))/2h, extrapolated once, with the step h, of 10⁻² to 10⁻⁷ of the number,
    whose own estimate of its error is least; at the edge of a number's range one-sided of the same order.

    Args:
        model: from ``classifier``, ``regressor``, ``multilabel`` or ``supervised``.
        train, dev, hyper: as for ``fo.hypergrad``, and so ``epochs`` and ``key``.
        wrt: a number's name, several, or None for all.
        steps: updates; 50 unless this or ``epochs`` is given.
        tolerance: relative.

    Raises:
        ValueError, TypeError: as ``fo.hypergrad``; ValueError where the run diverges.

    >>> from fnopt import data, model
    >>> train, dev = data.split(data.iris(), (0.7, 0.3), key=jax.random.key(0))
    >>> net = model.classifier(hidden=(4,), activation="tanh")
    >>> hypergradient(net, train, dev, dict(lr=0.01), steps=3).passed
    True
    """
    steps = 50 if steps is None and epochs is None else steps
    with jax.enable_x64(True):
        problem = problem_of(model, _wide(train), _wide(dev), hyper, steps=steps, epochs=epochs, key=key)
        places = places_of(problem, chosen(model, problem, wrt))
        loss, reverse = slope(problem, places, "reverse")
        _, forward = slope(problem, places, "forward")
        if not np.isfinite(float(loss)):
            raise ValueError(f"this run diverges (dev loss {float(loss)}): take a smaller lr, or fewer steps")
        rows = [
            _row(problem, i, float(reverse[problem.names[i]]), float(forward[problem.names[i]]), tolerance)
            for i in places
        ]
    return Hypergradients(rows, float(loss), problem.steps)


def _wide(data: Any) -> Any:
    """A dataset whose floating numbers are float64; what is no dataset is refused later."""
    if not isinstance(data, Dataset):
        return data
    y = np.asarray(data.y)
    return data._replace(
        x=np.asarray(data.x, np.float64),
        y=y.astype(np.float64) if np.issubdtype(y.dtype, np.floating) else data.y,
        weight=None if data.weight is None else np.asarray(data.weight, np.float64),
    )


class Estimate(NamedTuple):
    """A derivative by differences, and what it does not know."""

    value: float
    uncertainty: float
    rounding: float  # the part of it that is rounding


def _row(problem: Problem, place: int, reverse: float, forward: float, tolerance: float) -> dict[str, Any]:
    leaves = jax.tree.leaves(problem.numbers)

    def loss(x: float) -> float:
        return float(loss_at(problem.at([x if k == place else leaf for k, leaf in enumerate(leaves)])))

    x = float(leaves[place])
    found = differences(loss, x)
    return {
        "number": problem.names[place],
        "at": x,
        "reverse": reverse,
        "forward": forward,
        "differences": found.value,
        "uncertainty": found.uncertainty,
        "error": max(_relative(a, found.value) for a in (reverse, forward)),
        "verdict": _verdict(loss, x, found, reverse, forward, tolerance),
    }


def _verdict(
    loss: Callable[[float], float], x: float, found: Estimate, reverse: float, forward: float, tolerance: float
) -> str:
    if not _relative(reverse, forward) <= tolerance:
        return "DIFFER"
    near = _relative(reverse, found.value) <= tolerance or abs(reverse - found.value) <= 4 * found.uncertainty
    settled = found.uncertainty <= max(1e-3 * abs(found.value), 4 * found.rounding)
    if near:
        return "agree" if settled else "unsettled"
    left, right = (_best(loss, x, side) for side in (-1, 1))
    slack = 4 * (left.uncertainty + right.uncertainty) + tolerance * abs(reverse)
    jump, between = abs(left.value - right.value) > slack, (left.value - reverse) * (right.value - reverse) <= 0
    close = min(abs(reverse - left.value), abs(reverse - right.value)) <= slack
    return "kink" if jump and (between or close) else "DIFFER"


def differences(loss: Callable[[float], float], x: float) -> Estimate:
    """The derivative at ``x``, from the step whose own estimate of its error is the least.

    >>> found = differences(lambda x: x**3, 2.0)
    >>> abs(found.value - 12) < 1e-8 and found.uncertainty < 1e-6
    True
    """
    for side in (0, 1, -1):  # one-sided where the number stands at an edge of its range
        found = _best(loss, x, side)
        if np.isfinite(found.value):
            return found
    return found


def _best(loss: Callable[[float], float], x: float, side: int) -> Estimate:
    """The best of all steps: two-sided for side 0, else to the right (1) or to the left (−1)."""
    here, size = loss(x), abs(x) or FROM_ZERO
    found = [_extrapolated(loss, x, step * size, here, side) for step in STEPS]
    known = [e for e in found if np.isfinite(e.uncertainty)]
    return min(known, key=lambda e: e.uncertainty, default=Estimate(float("nan"), float("nan"), 0.0))


def _extrapolated(loss: Callable[[float], float], x: float, h: float, here: float, side: int) -> Estimate:
    """(4 D(h/2) − D(h)) / 3 of a difference D whose error is O(h²)."""

    def difference(h: float) -> float:
        if side == 0:
            return (loss(x + h) - loss(x - h)) / (2 * h)
        return side * (4 * loss(x + side * h) - 3 * here - loss(x + 2 * side * h)) / (2 * h)

    wide, narrow = difference(h), difference(h / 2)
    value, rounding = (4 * narrow - wide) / 3, 64 * EPSILON * abs(here) / h
    return Estimate(value, abs(value - narrow) + rounding, rounding)


def _relative(a: float, b: float) -> float:
    """|a − b| / (|a| + |b|), 0 where both are 0."""
    return abs(a - b) / (abs(a) + abs(b)) if a or b else 0.0
