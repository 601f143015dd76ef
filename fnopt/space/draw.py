"""The values of ranges at given shares of their draws: one compiled float32 program, whatever the search."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from fnopt._compile import TRACES
from fnopt.space.choice import Choice
from fnopt.space.distributions import Distribution
from fnopt.space.entry import Picked, Range, has_ranges
from fnopt.space.path import Path

BLOCK = 256  # configurations drawn at once: one program for every number of them


def values(drawn: Mapping[Path, Range], words: np.ndarray) -> dict[Path, list[Any]]:
    """What each path draws at its column of ``words``, as Python values.

    Args:
        drawn: what is drawn, by path.
        words: shape=(configurations, paths), uint32: shares of the draws, as 32 bits each.
    """
    count = len(words)
    words = np.pad(words, ((0, -count % BLOCK), (0, 0)))
    ranges = {k: space for k, space in enumerate(drawn.values()) if isinstance(space, Distribution)}
    numbers = _numbers(ranges, words)
    out: dict[Path, list[Any]] = {}
    for k, (path, space) in enumerate(drawn.items()):
        if isinstance(space, Choice):
            each = [Picked(i) if has_ranges(option) else option for i, option in enumerate(space.options)]
            out[path] = [each[i] for i in space.from_words(words[:count, k]).tolist()]
        else:
            out[path] = [space.exact(x) for x in numbers[k][:count].tolist()]
    return out


def drawn_at(space: Range, u: float) -> Any:
    """The value of one range or choice at the share ``u`` in [0, 1) of its draws, as a proposal has it."""
    word = np.full((1, 1), min(int(u * 2.0**32), 2**32 - 1), np.uint32)
    return values({(): space}, word)[()][0]


def _numbers(ranges: Mapping[int, Distribution], words: np.ndarray) -> dict[int, np.ndarray]:
    """The values of each range at its column of whole blocks of words; those of one kind are one operation."""
    kinds = sorted({space.kind for space in ranges.values()})
    columns = {kind: [k for k, space in ranges.items() if space.kind == kind] for kind in kinds}
    if not kinds:
        return {}
    stacked = [_stacked(kind, [ranges[k] for k in columns[kind]]) for kind in kinds]
    with jax.disable_jit(False):  # operations one by one have other bits: also where jit is off, this is compiled
        blocks = [
            jax.device_get(_values(stacked, [words[i : i + BLOCK, columns[kind]] for kind in kinds]))
            for i in range(0, len(words), BLOCK)
        ]
    return {
        k: np.concatenate([block[i][:, j] for block in blocks])
        for i, kind in enumerate(kinds)
        for j, k in enumerate(columns[kind])
    }


def _stacked(kind: str, some: Sequence[Distribution]) -> Distribution:
    dtype = np.int32 if some[0].whole else np.float32
    return Distribution(kind, np.array([[s.low for s in some]], dtype), np.array([[s.high for s in some]], dtype))


@partial(jax.jit)
def _values(ranges: list[Distribution], words: list[Any]) -> list[Any]:
    TRACES["propose"] += 1
    return [space.from_words(some) for space, some in zip(ranges, words, strict=True)]
