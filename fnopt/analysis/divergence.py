"""Whether curves diverged: what is not finite at their end, or grew beyond all measure."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

GROWTH = 1e6  # times the first value: a loss that ends so high diverged, finite or not


class Divergence(NamedTuple):
    """Since when, and what shows it."""

    epoch: int  # from 1
    why: str


def divergence_of(parts: Mapping[str, Any], cost: Any = None) -> Divergence | None:
    """What the losses of the parts and the training cost of one training say; None where it did not diverge.

    A NaN may stand where a loss was not taken, so at the end of a curve it counts only where that was taken before,
    epoch by epoch, and no other curve says that training was sound there. An infinity always counts.

    Args:
        parts: the losses or errors, less being better, by what they are called in the answer; ``"train …"`` those of
            the training part.
        cost: of each epoch; None where it is not there.

    >>> divergence_of({"train loss": [1.0, 3e9, math.inf]})
    Divergence(epoch=3, why='the train loss is inf')
    >>> divergence_of({"train loss": [1.0, 3e9]}).why
    'the train loss is 3e+09 times that of epoch 1'
    >>> divergence_of({"train loss": [1.0, math.nan, 0.5, math.nan]})
    """
    curves = {name: np.asarray(values, np.float64).reshape(-1) for name, values in parts.items()}
    paid = None if cost is None else np.asarray(cost, np.float64).reshape(-1)
    found = [] if paid is None or not len(paid) else [_lost("training cost", paid)]
    sound = paid is not None and len(paid) > 0 and bool(np.isfinite(paid[-1]))
    last = [len(v) > 0 and bool(np.isfinite(v[-1])) for name, v in curves.items() if not name.startswith("train ")]
    for name, values in curves.items():
        if len(values) and not _untaken(values, sound, any(last) and name.startswith("train ")):
            found.append(_lost(name, values))
    known = [one for one in found if one is not None]
    if not known:
        whole = curves if paid is None else {**curves, "training cost": paid}
        known = [one for name, values in whole.items() if (one := _grown(name, values)) is not None]
    if not known and paid is not None and len(paid) and paid[0] > 0:
        ends = {name: _end(values) for name, values in curves.items() if name == "train loss"}
        for name, end in ends.items():
            if end > GROWTH * paid[0]:
                known.append(Divergence(len(paid), f"the {name} is {end / paid[0]:.3g} times the first training cost"))
    return min(known, key=lambda one: one.epoch) if known else None


def _untaken(values: np.ndarray, sound: bool, seen: bool) -> bool:
    """Whether a NaN at the end says no more than that the curve was not taken there."""
    if not math.isnan(values[-1]):
        return False
    there = np.flatnonzero(~np.isnan(values))
    if seen or not len(there):
        return True
    gap = bool(np.isnan(values[: there[-1]]).any())
    return gap or (sound and len(values) - 1 - there[-1] > 1)


def _lost(name: str, values: np.ndarray) -> Divergence | None:
    """Since when a curve is not finite up to its end."""
    if np.isfinite(values[-1]):
        return None
    finite = np.flatnonzero(np.isfinite(values))
    epoch = int(finite[-1]) + 2 if len(finite) else 1
    return Divergence(epoch, f"the {name} is {values[epoch - 1]:.3g}")


def _grown(name: str, values: np.ndarray) -> Divergence | None:
    """Whether a curve ends beyond all measure, and since when it is."""
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite) or not values[finite[0]] > 0:
        return None
    first, end = values[finite[0]], values[finite[-1]]
    if not end / GROWTH > first:
        return None
    epoch = int(finite[np.argmax(values[finite] / GROWTH > first)])
    with np.errstate(over="ignore"):
        times = f"{end / first:.3g} times" if np.isfinite(end / first) else "beyond 1e308 times"
    return Divergence(epoch + 1, f"the {name} is {times} that of epoch {finite[0] + 1}")


def _end(values: np.ndarray) -> float:
    """The last finite value; NaN without one."""
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else math.nan
