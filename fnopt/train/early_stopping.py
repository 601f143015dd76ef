"""Early stopping as a pure state machine, one per lane.

Prechelt, "Early Stopping — But When?", 1998, https://doi.org/10.1007/3-540-49430-8_3.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import NONNEGATIVE, as_numbers


class EarlyStopping(NamedTuple):
    """The numbers of the rule; both are leaves."""

    patience: ArrayLike = 5.0  # >= 0; evaluations without improvement before the stop
    min_delta: ArrayLike = 0.0  # >= 0; how much better counts as better

    def __hash__(self) -> int:
        """Of what its numbers are, which arrays have none of themselves."""
        return hash(tuple(float(np.asarray(x)) for x in self))


class Waiting(NamedTuple):
    """What the rule remembers."""

    best: Array  # shape=(), the best score so far; higher is better
    tie: Array  # shape=(), what decides among equal scores; higher is better
    epoch: Array  # shape=(), int32; when the best was seen, -1 before any
    waited: Array  # shape=(), int32; evaluations since the score was last better
    seen: Array  # shape=(), int32; evaluations in all


def early_stopping(patience: ArrayLike = 5, min_delta: ArrayLike = 0.0) -> EarlyStopping:
    """Stop when the dev score has not improved by ``min_delta`` for ``patience`` evaluations; keep the best weights.

    Args:
        patience: evaluations (one an epoch) to wait, ≥ 0; 0 stops at the first without improvement, as 1 does.
        min_delta: the least improvement that counts, ≥ 0, in units of the score.

    For ``fo.caviar`` each may be a range or a choice: it is then searched, as ``stop.patience`` and ``stop.min_delta``.

    >>> float(early_stopping(patience=3).patience)
    3.0
    """
    return as_numbers(EarlyStopping(patience, min_delta), {"patience": NONNEGATIVE, "min_delta": NONNEGATIVE})


def begin() -> Waiting:
    """Nothing seen yet: any score is an improvement, NaN excepted."""
    low = jnp.asarray(jnp.finfo(jnp.result_type(float)).min)  # an infinity would be a fault to whoever debugs them
    none = jnp.zeros((), jnp.int32)
    return Waiting(best=low, tie=low, epoch=none - 1, waited=none, seen=none)


def look(rule: EarlyStopping, memory: Waiting, score: Array, tie: Array, epoch: Any) -> tuple[Waiting, Array]:
    """One evaluation: the new memory, and whether this is the best so far. NaN is never an improvement.

    Among equal scores the better ``tie`` is kept, but does not make the rule wait longer.

    >>> rule, memory = early_stopping(patience=1), begin()
    >>> zero = jnp.zeros(())
    >>> for epoch, score in enumerate([0.5, 0.7, float("nan"), 0.6]):
    ...     memory, improved = look(rule, memory, jnp.asarray(score), zero, epoch)
    >>> int(memory.epoch), int(memory.waited), bool(stopped(rule, memory))
    (1, 2, True)
    """
    better = score > memory.best + jnp.asarray(rule.min_delta, score.dtype)
    improved = better | ((score == memory.best) & (tie > memory.tie))
    new = Waiting(
        best=jnp.where(improved, score, memory.best),
        tie=jnp.where(improved, tie, memory.tie),
        epoch=jnp.where(improved, jnp.asarray(epoch, jnp.int32), memory.epoch),
        waited=jnp.where(better, 0, memory.waited + 1),
        seen=memory.seen + 1,
    )
    return new, improved


def stopped(rule: EarlyStopping, memory: Waiting) -> Array:
    """Whether patience has run out."""
    return (memory.waited > 0) & (memory.waited.astype(memory.best.dtype) >= rule.patience)
