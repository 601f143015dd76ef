"""Checks of what a network is made of and is given, at trace time."""

import operator
from typing import Any


def count(name: str, n: Any) -> int:
    """A width as a Python integer; ValueError below 1."""
    try:
        whole = operator.index(n)
    except TypeError:
        whole = 0
    if whole < 1 or isinstance(n, bool):
        raise ValueError(f"`{name}` must be an integer of at least 1, got {n!r}")
    return whole


def same_layers(expected: dict[str, set[str]], params: Any) -> None:
    """ValueError, with both printed, unless the parameters have these layers and parts."""
    if not isinstance(params, dict):
        raise ValueError(f"params must be the dict that `init` gives, got {type(params).__name__}")
    got = {name: set(layer) for name, layer in params.items()}
    if got != expected:
        raise ValueError(
            f"params must be those of this network:\n  expected {_printed(expected)}\n  got      {_printed(got)}"
        )


def same_stats(layers: tuple[str, ...], stats: Any) -> None:
    """ValueError unless the stats hold these layers."""
    if not isinstance(stats, dict) or set(stats) != set(layers):
        got = sorted(stats) if isinstance(stats, dict) else stats
        raise ValueError(f"stats must be those of `init` or of the last step, for {list(layers)}, got {got}")


def per_layer(name: str, numbers: Any, layers: int) -> tuple[Any, ...]:
    """One number a hidden layer, or None in its place, from one for all or as many."""
    many = tuple(numbers) if isinstance(numbers, tuple | list) else (numbers,) * layers
    if len(many) != layers:
        raise ValueError(f"`{name}` must be one number, or one for each of {layers} hidden layers, got {len(many)}")
    return many


def only(numbers: dict[str, Any], structure: str, known: bool) -> dict[str, Any]:
    """The numbers that are given, not None; ValueError for one that means nothing in this structure."""
    given = {name: x for name, x in numbers.items() if x is not None}
    if given and not known:
        raise ValueError(f"`{min(given)}` means nothing here: leave it out, or take {structure}")
    return given


def _printed(layers: dict[str, set[str]]) -> dict[str, list[str]]:
    return {name: sorted(parts) for name, parts in layers.items()}
