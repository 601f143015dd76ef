"""Where a configuration of a population comes from: whom it took its weights from, when, and with which numbers."""

from typing import Any, NamedTuple


class Move(NamedTuple):
    """One configuration was replaced by a copy of another, which went on with other numbers."""

    epoch: int  # after so many epochs
    config: int  # who was replaced
    donor: int  # whose weights, optimizer state, statistics and structure it took
    numbers: dict[Any, float]  # by path (by name, where users see it): all that the space draws of it, from here on


Lineage = tuple[Move, ...]  # oldest first; empty for who was never replaced


def founder_of(config: int, lineage: Lineage) -> int:
    """The configuration that a lineage begins with: its structure is the structure of all that come after it.

    >>> founder_of(7, (Move(5, 2, 4, {}), Move(10, 7, 2, {})))
    4
    """
    return lineage[0].donor if lineage else config
