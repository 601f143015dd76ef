"""The order of differences: how their error falls with the step tells right from nearly right."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from fnopt.check._float64 import EPSILON
from fnopt.check._scalar import flat_loss
from fnopt.check._table import shown

FITTED = 5  # the smallest steps whose errors stand out of the rounding: larger ones may reach a kink
STEPS = tuple(float(h) for h in np.logspace(-1, -4, 13))


@dataclass(frozen=True)
class Order:
    """What :func:`order` found: fitted slopes of log error against log ε, and the errors behind them.

    A slope is NaN where fewer than three errors stand out of the rounding: the two-sided difference of a quadratic is
    exact, and so is either of a straight line.
    """

    two_sided: float  # 2 where the gradient is right
    one_sided: float  # 1
    table: list[dict[str, float]] = field(repr=False)  # eps, two_sided error, one_sided error

    @property
    def passed(self) -> bool:
        """Whether both are within 0.2 of what they should be, exact ones included."""
        near = [np.isnan(got) or abs(got - want) <= 0.2 for got, want in ((self.two_sided, 2), (self.one_sided, 1))]
        return all(near)

    def __str__(self) -> str:
        verdict = "as it should be" if self.passed else "NOT AS IT SHOULD BE: the gradient is wrong, or there is a kink"
        head = f"error ~ eps^{self.two_sided:.2f} two-sided (2), eps^{self.one_sided:.2f} one-sided (1): {verdict}"
        return "\n".join([head, shown(self.table)])


def order(
    loss: Callable[..., Any],
    params: Any,
    *args: Any,
    has_aux: bool = False,
    key: chex.PRNGKey | None = None,
    **options: Any,
) -> Order:
    """Fit how the error of differences falls with the step ε: ε² two-sided, ε one-sided, where autodiff is right.

    A wrong gradient leaves an error that no step makes smaller, and a slope near 0. Steps from 0.1 to 0.0001 along one
    random direction of length 1, in float64; the slope is that of the five smallest errors that rounding does not hide.

    Args:
        loss: as for :func:`gradients`, and so ``params``, ``args``, ``has_aux`` and ``options``.
        key: of the direction; ``jax.random.key(0)`` unless given.

    Raises:
        TypeError, ValueError: as :func:`gradients`.

    >>> found = order(lambda w: jnp.sum(jnp.exp(w)), jnp.zeros(3))
    >>> round(found.two_sided, 1), round(found.one_sided, 1)
    (2.0, 1.0)
    """
    with jax.enable_x64(True):
        flat = flat_loss(loss, params, args, options, has_aux)
        draw = jax.random.normal(jax.random.key(0) if key is None else key, flat.theta.shape, jnp.float64)
        v = draw / jnp.linalg.norm(draw)
        f = jax.jit(lambda s: flat.f(flat.theta + s * v))
        exact = float(jax.jit(jax.grad(flat.f))(flat.theta) @ v)
        here = float(f(0.0))
        rows = []
        for h in STEPS:
            left, right = float(f(-h)), float(f(h))
            two, one = abs((right - left) / (2 * h) - exact), abs((right - here) / h - exact)
            floor = 32 * EPSILON * max(abs(left), abs(right), abs(here)) / h
            rows.append({"eps": h, "two_sided": two, "one_sided": one, "rounding": floor})
    return Order(_fitted(rows, "two_sided"), _fitted(rows, "one_sided"), rows)


def _fitted(rows: list[dict[str, float]], name: str) -> float:
    """The least-squares slope of log error over log ε, of the errors that rounding does not explain."""
    seen = [(row["eps"], row[name]) for row in rows if row[name] > 30 * row["rounding"]]
    if len(seen) < 3:
        return float("nan")
    steps, errors = np.log(np.array(seen[-FITTED:])).T
    return float(np.polyfit(steps, errors, 1)[0])
