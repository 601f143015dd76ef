"""Tweedie deviances: one family from squared error over counts to gamma and beyond."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt.metrics._inputs import paired, refuse
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean
from fnopt.metrics.poisson import beyond_log, is_near, log_ratio, poisson_deviance

# Gauss-Legendre on [0, 1], and the largest exponent whose integrand it has to the last digit of float64.
QUADRATURE = tuple(
    ((1 + float(z)) / 2, float(w) / 2) for z, w in zip(*np.polynomial.legendre.leggauss(20), strict=True)
)
STEEPEST = 20


@exact("truth", "prediction")
def mean_tweedie_deviance(
    truth: ArrayLike, prediction: ArrayLike, *, power: float = 0.0, weight: ArrayLike | None = None
) -> Array:
    """The mean deviance under a variance that grows as the mean to ``power``.

    2 (max(y, 0)^(2-p) / ((1-p)(2-p)) - y ŷ^(1-p) / (1-p) + ŷ^(2-p) / (2-p)), with its limits: squared error at p = 0,
    Poisson deviance at 1, gamma deviance at 2. Jørgensen, "The theory of dispersion models", 1997.

    Args:
        truth: shape=(m,), or (m, outputs), of which the score is the mean over outputs; any number for p <= 0, not
            negative for 1 <= p < 2, positive from 2 on.
        prediction: as ``truth``; any number for p = 0, else positive.
        power: p, outside (0, 1), where no such distribution exists; not traced.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar of at least 0.

    Raises:
        ValueError: for shapes that differ, for such a power, and for values out of these ranges; traced ones give NaN.

    >>> float(mean_tweedie_deviance([2.0, 0.0, 1.0, 4.0], [0.5, 0.5, 2.0, 2.0], power=1)).__round__(4)
    1.426
    """
    power = checked_power(power)
    y, p, w = paired(truth, prediction, weight, differences=False)
    return _mean_tweedie(y, p, refuse_values(y, p, w, power), power)


@exact("truth", "prediction")
def mean_gamma_deviance(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """:func:`mean_tweedie_deviance` of power 2: the mean of 2 (log(ŷ/y) + y/ŷ - 1), for positive values.

    >>> round(float(mean_gamma_deviance([2.0, 0.5, 1.0, 4.0], [0.5, 0.5, 2.0, 2.0])), 4)
    1.0569
    """
    return mean_tweedie_deviance(truth, prediction, power=2.0, weight=weight)


@jax.jit
def _mean_tweedie(y: Array, p: Array, w: Array, power: Array) -> Array:
    return mean(deviance(y, p, power), w).mean()


def deviance(y: Array, p: Array, power: Any) -> Array:
    """The deviance of each value; limits at powers 0, 1 and 2."""
    power = jnp.asarray(power, y.dtype)
    one, two = power == 1, power == 2
    general = jnp.where(one | two | (power == 0), 3, power)  # any that divides by no 0
    safe = jnp.where(power == 0, 1, p)  # a prediction of any sign is no base of a power
    positive, positive_or_0 = jnp.where(y > 0, y, 1), jnp.maximum(y, 0)
    start = jnp.where(y > 0, positive ** (2 - general), 0) / ((1 - general) * (2 - general))
    plain = start - y * safe ** (1 - general) / (1 - general) + safe ** (2 - general) / (2 - general)
    whole = y > 0  # of other values the plain form has one term
    x = (jnp.where(whole, y, safe) - safe) / safe
    near = is_near(x) & (jnp.abs(general * x) <= STEEPEST)
    part = jnp.where(
        near, _near(jnp.where(near, x, 0), general), _far(jnp.where(near | ~whole, 2 * safe, y), safe, general)
    )
    of_power = jnp.where(two, _gamma(positive, safe), 2 * jnp.where(whole, part * safe ** (2 - general), plain))
    return jnp.where(power == 0, jnp.square(y - p), jnp.where(one, poisson_deviance(positive_or_0, safe), of_power))


def _far(y: Array, p: Array, power: Array) -> Array:
    """((1 + x)^a - 1 - a x) / (a (a - 1)) with 1 + x = y / p, a = 2 - power, all its digits also for a near 0 or 1."""
    a, b, ratio, log = 2 - power, 1 - power, y / p, log_ratio(y, p)
    of_a = (jnp.expm1(a * log) / a - (ratio - 1)) / b
    of_b = (ratio * jnp.expm1(b * log) / b - (ratio - 1)) / a
    return jnp.where(jnp.abs(a) < jnp.abs(b), of_a, of_b)


def _near(x: Array, power: Array) -> Array:
    r"""The same for 1 + x in [1/2, 2], where both forms cancel.

    It is ∫₀¹ (1 - s) x² (1 + s x)^(a - 2) ds, whose integrand has one sign. Its pole is three half-widths from the
    middle or farther, and \|power x\| is at most 20, so that the nodes have all digits of float64.
    """
    total = jnp.zeros_like(x)
    for node, share in QUADRATURE:
        total = total + share * (1 - node) * jnp.exp(-power * jnp.log1p(node * x))
    return jnp.square(x) * total


def _gamma(y: Array, p: Array) -> Array:
    """2 (log(ŷ/y) + y/ŷ - 1); with x = y/ŷ - 1 it is 2 (x - log(1 + x)), whose plain form cancels near 0."""
    x = (y - p) / p
    near = is_near(x)
    return 2 * jnp.where(
        near, beyond_log(jnp.where(near, x, 0)), x - log_ratio(jnp.where(near, 1, y), jnp.where(near, 1, p))
    )


def checked_power(power: Any) -> float:
    """The power as a number, or ValueError where no Tweedie distribution has it."""
    if isinstance(power, Tracer | bool) or not isinstance(power, int | float | np.number):
        raise TypeError(f"`power` must be a number that is known, not traced, got {type(power).__name__}")
    if not np.isfinite(power) or 0 < power < 1:
        raise ValueError(f"`power` must not be between 0 and 1, where no Tweedie distribution exists; got {power}")
    return float(power)


def refuse_values(y: Any, p: Any, w: Any, power: float) -> Any:
    """The weights, or ValueError (NaN where traced) for values that a distribution of this power never gives."""
    if power >= 1:
        low = y < 0 if power < 2 else y <= 0
        w = refuse(w, low, y, f"`truth` must {'not be negative' if power < 2 else 'be above 0'} for power {power:g}")
    return w if power == 0 else refuse(w, p <= 0, p, f"`prediction` must be above 0 for power {power:g}")
