"""The learning rate that ``learning_rate="invscaling"`` names, as a schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
from jax import Array

from fnopt.numbers import NONNEGATIVE, REAL, Range
from fnopt.schedules import Schedule


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False, repr=False)
class InverseScaling(Schedule):
    """value / (1 + rate N)^power, N counted from 0: the ``invscaling`` of scikit-learn, in epochs, ``rate`` its rows.

    >>> [round(float(InverseScaling(0.1, 3.0, 0.5)(epoch)), 4) for epoch in range(3)]
    [0.1, 0.05, 0.0378]
    """

    value: Any
    rate: Any
    power: Any

    ranges: ClassVar[Mapping[str, Range]] = {"value": REAL, "rate": NONNEGATIVE, "power": NONNEGATIVE}

    def at(self, n: Array) -> Array:
        """Value / (1 + rate N)^power."""
        return self.value / (1 + self.rate * n) ** self.power
