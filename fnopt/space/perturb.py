"""Changing a number that a space drew: a little up or down in its own scale, or drawn again. Pure, on the host."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt.space.choice import Choice, When
from fnopt.space.distributions import Distribution
from fnopt.space.draw import drawn
from fnopt.space.search_space import taken_apart

BELL = 3.0  # standard deviations of a bell that count as its range

Ranges = Mapping[str, Distribution | Choice]  # by dotted name


def ranges_of(space: Mapping[str, Any], structure: Mapping[str, Any]) -> dict[str, Distribution | Choice]:
    """The numbers that a space draws, by dotted name.

    Structure is none of them, nor is a choice between other things than numbers, or one that a ``when`` asks for.

    >>> from fnopt.space import choice, log_uniform
    >>> ranges_of(dict(lr=log_uniform(1e-3, 1.0), hidden=choice(4, 8), l2=choice(0.0, 1e-4)), dict(hidden=8))
    {'lr': log_uniform(0.001, 1), 'l2': choice(0.0, 0.0001)}
    """
    asked = {name for n, v in space.items() if isinstance(v, When) for name in v.conditions(n)}

    def changes(name: str, leaf: Any) -> bool:
        first = name.split(".")[0]
        plain = isinstance(leaf, Distribution) or all(type(option) in (int, float) for option in leaf.options)
        return first not in structure and first not in asked and plain

    return {name: leaf for name, leaf in taken_apart(space).items() if changes(name, leaf)}


def numbers_in(hyper: Mapping[str, Any], names: Collection[str]) -> dict[str, float]:
    """What a configuration has of these numbers, by dotted name."""
    leaves = {
        dotted(name, path): leaf
        for name in dict.fromkeys(n.split(".")[0] for n in names)
        if name in hyper
        for path, leaf in jax.tree_util.tree_leaves_with_path(hyper[name])
    }
    return {name: _plain(leaves[name]) for name in names if name in leaves}


def with_numbers(hyper: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, Any]:
    """A configuration with these numbers, by dotted name, in place of its own.

    >>> with_numbers({"hidden": 8, "dropout": (0.1, 0.2)}, {"dropout.1": 0.3})
    {'hidden': 8, 'dropout': (0.1, 0.3)}
    """

    def one(name: str, value: Any) -> Any:
        put = jax.tree_util.tree_map_with_path
        return put(lambda path, leaf: values.get(dotted(name, path), leaf), value)

    tops = {name.split(".")[0] for name in values}
    return {name: one(name, value) if name in tops else value for name, value in hyper.items()}


def dotted(name: str, path: Any) -> str:
    """The name of a leaf of a number that is a tuple or a schedule, as ``lr.value``."""
    return ".".join([name, *(jax.tree_util.keystr((key,), simple=True) for key in path)])


def _plain(x: Any) -> float:
    return x if type(x) in (int, float) else np.asarray(x).item()


def perturbed(space: Distribution | Choice, x: float, draws: Sequence[float], factor: float, resample: float) -> float:
    """Another value near ``x``, or anywhere in the space.

    With probability ``resample`` it is drawn anew. Else it becomes x·factor or x/factor, each alike; of a
    ``one_minus_log_uniform`` 1 − x does; a choice of numbers goes to the next larger or smaller option. A whole number
    moves by 1 at least. What leaves the range stands at its end; a bell's range is its mean ± 3 standard deviations.

    Args:
        space: what ``x`` was drawn from.
        x: the number now.
        draws: three shares in [0, 1): whether to draw anew, which way, and where.
        factor: > 1.
        resample: in [0, 1].

    >>> from fnopt.space import one_minus_log_uniform, uniform
    >>> round(perturbed(uniform(0.0, 1.0), 0.5, (0.9, 0.1, 0.0), factor=1.2, resample=0.1), 4)
    0.6
    >>> round(perturbed(one_minus_log_uniform(0.5, 0.999), 0.9, (0.9, 0.6, 0.0), factor=2.0, resample=0.1), 4)
    0.95
    """
    again, way, where = draws
    if again < resample:
        return drawn(space, where)
    up = way < 0.5
    if isinstance(space, Choice):
        options = sorted(dict.fromkeys(space.options))
        return options[min(max(options.index(x) + (1 if up else -1), 0), len(options) - 1)]
    ratio = factor if up else 1 / factor
    value = 1 - (1 - x) * ratio if space.kind == "one_minus_log_uniform" else x * ratio
    if space.whole:
        moved = round(value)
        value = moved if moved != x else x + (1 if up else -1)
    low, high = _bounds(space)
    value = min(max(value, low), high)
    return int(value) if space.whole else float(np.asarray(value, jnp.result_type(float)))


def _bounds(space: Distribution) -> tuple[float, float]:
    low, high = float(space.low), float(space.high)
    if space.kind not in ("normal", "log_normal"):
        return low, high
    ends = low - BELL * high, low + BELL * high
    return (math.exp(ends[0]), math.exp(ends[1])) if space.kind == "log_normal" else ends
