"""Lowering a number when a score stops improving: a pure state machine that is itself one of the numbers.

Its memory are leaves beside its numbers, so it needs no place of its own in a training loop: it is vmapped, frozen and
checkpointed with the optimizer's other numbers. ``fit`` and ``caviar`` show it the objective after each epoch; a loop
written by hand calls :func:`follow`.
"""

from dataclasses import replace
from typing import Annotated, Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.numbers import FRACTION, NONNEGATIVE, REAL
from fnopt.schedules._fields import Number, schedule
from fnopt.schedules.combinators import Schedule, value_at

T = TypeVar("T")


class Watching(NamedTuple):
    """What a plateau remembers; scalars of the default float type, so that it is stacked with the numbers."""

    best: Array  # shape=(), the best score so far; higher is better
    waited: Array  # shape=(), evaluations since then that counted
    resting: Array  # shape=(), evaluations that are still not to count
    scale: Array  # shape=(), what the value is multiplied by


@schedule
class Plateau(Schedule):
    """See :func:`plateau`."""

    value: Annotated[Any, REAL]
    factor: Annotated[Any, FRACTION] = 0.5
    patience: Annotated[Any, NONNEGATIVE] = 5.0
    cooldown: Annotated[Any, NONNEGATIVE] = 0.0
    min_delta: Annotated[Any, NONNEGATIVE] = 1e-4
    floor: Annotated[Any, FRACTION] = 0.0
    memory: Any = None  # Watching; None before training, when all that could be said of it is how it begins

    inside = ("value",)

    def at(self, n: Array) -> Array:
        """Value(N) times the scale that the scores seen so far have led to."""
        value = value_at(self.value, n)
        return value if self.memory is None else value * self.memory.scale

    def begin(self) -> "Plateau":
        """The same with a memory that has seen nothing; needed where shapes are fixed, as in ``jax.lax.scan``."""
        scalar = jnp.zeros((), jnp.result_type(float))
        return replace(self, memory=Watching(scalar - jnp.inf, scalar, scalar, scalar + 1))

    def look(self, score: ArrayLike) -> "Plateau":
        """The same after one evaluation; ``score`` is better when higher. NaN is never an improvement."""
        numbers = self._as_scalars()
        best, waited, resting, scale = numbers.memory
        score = jnp.asarray(score, best.dtype)
        if score.ndim:
            raise ValueError(f"`score` must be one number, got shape {score.shape}; for several plateaus vmap `follow`")
        first = best == -jnp.inf
        needed = jnp.where(first, 0.0, best) + numbers.min_delta * jnp.abs(jnp.where(first, 0.0, best))
        better = jnp.where(first, score > best, score > needed)
        waited = jnp.where(better | (resting > 0), 0.0, waited + 1)
        cut = (waited > 0) & (waited >= numbers.patience)
        lower = jnp.maximum(scale * numbers.factor, numbers.floor)
        memory = Watching(
            best=jnp.where(better, score, best),
            waited=jnp.where(cut, 0.0, waited),
            resting=jnp.where(cut, numbers.cooldown, jnp.maximum(resting - 1, 0.0)),
            scale=jnp.where(cut, lower, scale),
        )
        return replace(self, value=follow(self.value, score), memory=memory)

    def _as_scalars(self) -> "Plateau":
        begun = self.checked() if self.memory is not None else self.checked().begin()
        f = jnp.result_type(float)
        return replace(jax.tree.map(lambda x: jnp.asarray(x, f), replace(begun, value=0.0)), value=begun.value)

    def checked(self) -> "Plateau":
        """As of any schedule; the memory is as it was."""
        names = ("value", "factor", "patience", "cooldown", "min_delta", "floor")
        return Plateau(*(self._number(name, getattr(self, name)) for name in names), memory=self.memory)

    def filled(self, steps_per_epoch: Number) -> "Plateau":
        """The same with a memory, and what is inside filled too."""
        part = super().filled(steps_per_epoch)
        return part.begin() if part.memory is None else part


def plateau(
    value: Number | Schedule,
    factor: Number = 0.5,
    patience: Number = 5.0,
    cooldown: Number = 0.0,
    min_delta: Number = 1e-4,
    floor: Number = 0.0,
) -> Plateau:
    """``value`` times a scale, which is cut by ``factor`` whenever the score has not improved for ``patience`` looks.

    A score s is an improvement on the best so far, b, where s > b + min_delta |b|; the first number always is, NaN
    never. After a cut the wait begins anew, and ``cooldown`` looks do not count.

    In ``fit`` and ``caviar`` the score is the objective's, once an epoch: ``fit(…, hyper=dict(lr=plateau(0.1)))``.
    In a loop of your own it begins with a memory, so that the state keeps its structure under ``jit`` and ``scan``, and
    :func:`follow` shows it a score: ``adam.init(params, lr=plateau(0.1).begin())``, then
    ``state._replace(hyper=follow(state.hyper, score))``.
    Under :func:`fnopt.caviar` its numbers may be spaces, and the columns are ``lr.value``, ``lr.factor``, ….

    Args:
        value: what is lowered, a number or a schedule.
        factor: in [0, 1]; what a cut leaves.
        patience: in [0, inf); looks without improvement before a cut; 0 cuts at the first, as 1 does. As in
            ``early_stopping``.
        cooldown: in [0, inf); looks after a cut that do not count.
        min_delta: in [0, inf); the least improvement, as a share of the best score.
        floor: in [0, 1]; the scale never falls below it.

    Elsewhere: torch's ``ReduceLROnPlateau`` cuts at ``patience`` + 1 looks without improvement, Keras's at
    ``patience``, as here.

    Source: this form is that of Keras's ``ReduceLROnPlateau``, https://keras.io/api/callbacks/reduce_lr_on_plateau/; as
    a rule by hand, He et al., "Deep Residual Learning for Image Recognition", 2016, https://arxiv.org/abs/1512.03385,
    section 3.4.

    >>> lr = plateau(0.8, factor=0.5, patience=2)
    >>> for score in (0.5, 0.6, 0.6, float("nan"), 0.7):
    ...     lr = follow(lr, score)
    ...     print(round(float(lr(0)), 4), end=" ")
    0.8 0.8 0.8 0.4 0.4
    """
    return Plateau(value, factor, patience, cooldown, min_delta, floor).checked()


def follows(x: Any) -> bool:
    """Whether there is a plateau in a pytree of numbers and schedules.

    >>> follows({"lr": plateau(0.1)}), follows({"lr": 0.1})
    (True, False)
    """
    return any(isinstance(part, Plateau) for part in jax.tree.leaves(x, is_leaf=_is_plateau))


def follow(x: T, score: ArrayLike) -> T:
    """A pytree of numbers and schedules after one evaluation: each plateau in it has seen ``score``.

    Args:
        x: a schedule, an optimizer's ``hyper``, any pytree of them; all but plateaus is as it was.
        score: one number, better when higher: give a loss with its sign turned.

    Raises:
        ValueError: for several scores at once.

    >>> from fnopt.schedules import cosine
    >>> lr = plateau(cosine(0.1, steps=100), patience=1)
    >>> float(follow(follow(lr, -1.0), -1.0).memory.scale)
    0.5
    """
    return jax.tree.map(lambda part: part.look(score) if _is_plateau(part) else part, x, is_leaf=_is_plateau)


def _is_plateau(x: Any) -> bool:
    return isinstance(x, Plateau)
