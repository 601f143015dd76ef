"""How long each configuration of a sweep trains: ``epochs`` in a space, neither structure nor number of the model."""

from collections.abc import Mapping
from typing import Any

from fnopt._checks import whole
from fnopt.space.choice import Choice, When
from fnopt.space.distributions import Distribution

NAME = "epochs"


def own_length(hyper: Any, usual: int) -> int:
    """How many epochs a configuration trains: its own, or the usual number.

    >>> own_length({"lr": 0.1, "epochs": 10}, 30), own_length({"lr": 0.1}, 30)
    (10, 30)
    """
    return whole(NAME, hyper[NAME]) if isinstance(hyper, Mapping) and NAME in hyper else usual


def check_lengths(space: Mapping[str, Any], most: int, what: str = "epochs=") -> None:
    """ValueError where a space holds an ``epochs`` that cannot be; ``what`` names the most, as the user wrote it."""
    if NAME not in space:
        return
    value = space[NAME]
    for length in _lengths(value.value_of(NAME) if isinstance(value, When) else value):
        try:
            above = whole(NAME, length) > most
        except ValueError as error:
            raise ValueError(f"`epochs` of the space wants whole numbers from 1 to {most}, got {length!r}") from error
        if above:
            raise ValueError(
                f"`epochs` of the space goes to {length}, above {what}{most}, the most that a configuration may train: "
                f"write {what}{length}, or lower it in the space"
            )


def longest(space: Mapping[str, Any]) -> int | None:
    """The greatest ``epochs`` that a space holds, None where it holds none or no whole number.

    >>> from fnopt.space import integer
    >>> longest({"epochs": integer(5, 30)}), longest({"lr": 0.1})
    (30, None)
    """
    value = space.get(NAME)
    found = _lengths(value.value_of(NAME) if isinstance(value, When) else value)
    whole_ones = [int(x) for x in found if isinstance(x, int) and not isinstance(x, bool)]
    return max(whole_ones, default=None)


def _lengths(value: Any) -> tuple[Any, ...]:
    """All lengths of a choice or a plain value, the greatest and the least of a range."""
    if isinstance(value, Distribution):
        if not value.whole:
            raise ValueError(
                "`epochs` of the space wants whole numbers, as fo.integer(5, 30) or fo.choice(10, 30) have, "
                f"got {value!r}"
            )
        return int(value.high), int(value.low)
    return value.options if isinstance(value, Choice) else (value,)
