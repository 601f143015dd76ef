"""Numbers of early stopping that are searched: they stand in a configuration under ``stop``."""

from collections.abc import Mapping
from typing import Any

from fnopt.space.entry import has_ranges

STOP = "stop"


def with_stopping(space: Mapping[str, Any], numbers: Mapping[str, Any]) -> Mapping[str, Any]:
    """A space with the numbers of early stopping in it, where one of them is still to be drawn."""
    if not isinstance(space, Mapping) or not has_ranges(dict(numbers)):
        return space
    return {**space, STOP: {name: value if has_ranges(value) else float(value) for name, value in numbers.items()}}
