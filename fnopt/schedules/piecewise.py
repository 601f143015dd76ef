"""Given values between given boundaries."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import jax.numpy as jnp
from jax import Array
from jax.core import Tracer

from fnopt._types import Searchable
from fnopt.numbers import NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules.combinators import Schedule


@schedule
class Piecewise(Schedule):
    """See :func:`piecewise`."""

    boundaries: Annotated[Any, NONNEGATIVE]  # a tuple of numbers
    values: Annotated[Any, REAL]  # a tuple of numbers, one more

    def at(self, n: Array) -> Array:
        """values[i], with i the number of boundaries that n has reached."""
        value = jnp.broadcast_to(self.values[0], n.shape)
        for boundary, after in zip(self.boundaries, self.values[1:], strict=True):
            value = jnp.where(n >= boundary, after, value)
        for first, second in pairwise(self.boundaries):
            value = jnp.where(first <= second, value, jnp.nan)
        return value

    def checked(self) -> "Piecewise":
        """As of any schedule; ValueError too for a wrong count, and for concrete boundaries out of order."""
        for name, parts in (("boundaries", self.boundaries), ("values", self.values)):
            if not isinstance(parts, tuple):
                raise TypeError(f"`{name}` of piecewise must be a tuple of numbers, got {parts!r}")
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"piecewise needs one value more than boundaries, got {len(self.boundaries)} boundaries and "
                f"{len(self.values)} values; write piecewise((100,), (0.1, 0.01))"
            )
        made = Piecewise(*(self._number(name, getattr(self, name)) for name in ("boundaries", "values")))
        for first, second in pairwise(made.boundaries):
            if not (_unknown(first) or _unknown(second)) and float(first) > float(second):
                raise ValueError(f"`boundaries` must rise, got {float(first):g} before {float(second):g}")
        return made


def _unknown(x: Any) -> bool:
    return isinstance(x, Searchable | Tracer)


def piecewise(boundaries: Sequence[Number], values: Sequence[Number]) -> Piecewise:
    """values[i] from the i-th boundary on: constant pieces. The derivative with respect to a boundary is 0.

    Args:
        boundaries: each in [0, inf), in order; a step that equals one lies behind it. Where traced ones are
            out of order, the value is NaN.
        values: one more than there are boundaries.

    Elsewhere: Keras's ``PiecewiseConstantDecay`` counts a step that equals a boundary before it, torch's
    ``MultiStepLR`` behind it, as here.

    >>> lr = piecewise((10, 20), (0.1, 0.01, 0.001))
    >>> [round(float(lr(step)), 4) for step in (0, 9, 10, 20)]
    [0.1, 0.1, 0.01, 0.001]
    """
    return Piecewise(tuple(boundaries), tuple(values)).checked()
