"""Timing on a noisy machine: contestants take turns, ratios are taken round by round, then their median."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax


def seconds(call: Callable[[], Any]) -> float:
    """How long one call takes until its arrays exist."""
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def interleaved(
    calls: Mapping[str, Callable[[int], Any]],
    rounds: int,
    slow: float,
    after: Callable[[str, int], Any] = lambda name, k: None,
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Every contestant once for warm-up (round 0), then A B C A B C …; a call is given the number of its round.

    Args:
        calls: what is timed, by name.
        rounds: how many after the warm-up.
        slow: seconds; whose second call takes longer has no third.
        after: is told of each call that ended, outside the clock.

    Returns:
        the seconds of each warm-up (compiling is in them), and for each contestant its seconds, one a round.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(rounds + 1):
        for name, call in calls.items():
            if k > 1 and times[name][1] > slow:
                continue
            times[name].append(seconds(partial(call, k)))
            after(name, k)
    return {name: some[0] for name, some in times.items()}, {name: some[1:] for name, some in times.items()}


def ratio(a: list[float], b: list[float]) -> float:
    """The median of a/b over the rounds that both ran: noise that lasts longer than a round drops out."""
    return statistics.median(x / y for x, y in zip(a, b, strict=False))


def spread(values: list[float]) -> float:
    """Half the distance between the quartiles, relative to the median."""
    if len(values) < 3:
        return float("nan")
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / middle


def slope(x: list[float], y: list[float]) -> float:
    """d log y / d log x between the last two points: 1 is growth in proportion, 0 is none.

    >>> slope([1, 10, 100], [5, 5, 50])
    1.0
    """
    return math.log(y[-1] / y[-2]) / math.log(x[-1] / x[-2])
