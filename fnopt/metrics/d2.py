"""D²: the share of a deviance that is explained; 1 is perfect, 0 no better than the best constant."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import paired, weights
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import gain, mean, quantile, ratio
from fnopt.metrics.pinball import pinball
from fnopt.metrics.probability import brier_of, checked, log_loss_of
from fnopt.metrics.tweedie import checked_power, deviance, refuse_values
from fnopt.numbers import FRACTION, as_number


@exact("truth", "prediction")
def d2_pinball(
    truth: ArrayLike, prediction: ArrayLike, *, level: ArrayLike = 0.5, weight: ArrayLike | None = None
) -> Array:
    """1 - pinball loss / pinball loss of the constant that is the ``level``-quantile of the truth.

    Koenker and Machado, "Goodness of fit and related inference processes for quantile regression", 1999,
    https://doi.org/10.1080/01621459.1999.10473882.

    Args:
        truth: shape=(m,), or (m, outputs), of which the score is the mean over outputs.
        prediction: as ``truth``.
        level: of the quantile that is predicted, in [0, 1]; may be traced.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar of at most 1; 0/0 is 1, and all else over 0 is 0, as in :func:`fnopt.metrics.r2`.

    Raises:
        ValueError: for shapes that differ, and for a level out of range.

    >>> round(float(d2_pinball([1.0, 2.0, 3.0], [1.0, 3.0, 3.0], level=0.9)), 6)
    0.666667
    """
    return _d2_pinball(*paired(truth, prediction, weight), as_number("level", level, FRACTION))


@jax.jit
def _d2_pinball(y: Array, p: Array, w: Array, level: Array) -> Array:
    level = level.astype(y.dtype)
    constant = jnp.broadcast_to(quantile(y, w, level)[None, :], y.shape)
    return gain(mean(pinball(y, p, level), w), mean(pinball(y, constant, level), w)).mean()


@exact("truth", "prediction")
def d2_tweedie(
    truth: ArrayLike, prediction: ArrayLike, *, power: ArrayLike = 0.0, weight: ArrayLike | None = None
) -> Array:
    """1 - Tweedie deviance / Tweedie deviance of the mean of the truth: r2 at power 0, of counts at 1, gamma at 2.

    Arguments and errors are those of :func:`fnopt.metrics.mean_tweedie_deviance`. Hastie, Tibshirani and Wainwright,
    "Statistical learning with sparsity", 2015, equation 3.11.

    Returns:
        Scalar of at most 1; 0/0 is NaN.

    >>> round(float(d2_tweedie([0.5, 1.0, 2.5, 7.0], [1.0, 1.0, 5.0, 3.5], power=1)), 6)
    0.487915
    """
    power = checked_power(power)
    y, p, w = paired(truth, prediction, weight, differences=False)
    return _d2_tweedie(y, p, refuse_values(y, p, w, power), power)


@jax.jit
def _d2_tweedie(y: Array, p: Array, w: Array, power: Array) -> Array:
    constant = jnp.broadcast_to(mean(y, w)[None, :], y.shape)
    return (1 - ratio(mean(deviance(y, p, power), w), mean(deviance(y, constant, power), w), jnp.nan)).mean()


@exact("probability")
def d2_log_loss(truth: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """1 - log loss / log loss of the shares of the classes: McFadden's R².

    Arguments and errors are those of :func:`fnopt.metrics.log_loss`. McFadden, "Conditional logit analysis of
    qualitative choice behavior", 1974.

    Returns:
        Scalar of at most 1; NaN with a single class, whose share loses nothing.

    >>> round(float(d2_log_loss([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])), 4)
    0.3186
    """
    t, p, w, fault = checked(truth, probability, weight)
    return _d2_log_loss(t, p, w, weights(weight, len(t))) + fault


@jax.jit
def _d2_log_loss(t: Array, p: Array, w: Array, given: Array) -> Array:
    share, rest = _shares(t, p, given)
    alone = jnp.max(share) == 1  # only rounding is lost then
    eps = jnp.finfo(p.dtype).eps
    log = jnp.where(share > 0.5, jnp.log1p(-jnp.maximum(rest, eps)), jnp.log(jnp.maximum(share, eps)))
    constant = -jnp.sum(share * log)
    return jnp.where(alone, jnp.nan, 1 - ratio(log_loss_of(t, p, w), constant, jnp.nan))


@exact("probability")
def d2_brier(truth: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """1 - Brier score / Brier score of the shares of the classes: the Brier skill score.

    Arguments and errors are those of :func:`fnopt.metrics.brier`; NaN with a single class. Brier, 1950.

    >>> round(float(d2_brier([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])), 4)
    0.3675
    """
    t, p, w, fault = checked(truth, probability, weight)
    return _d2_brier(t, p, w, weights(weight, len(t))) + fault


@jax.jit
def _d2_brier(t: Array, p: Array, w: Array, given: Array) -> Array:
    share, rest = _shares(t, p, given)
    constant = jnp.sum(share * rest) / (2 if p.shape[1] == 2 else 1)
    return 1 - ratio(brier_of(t, p, w), constant, jnp.nan)


def _shares(t: Array, p: Array, given: Array) -> tuple[Array, Array]:
    """The share of each class and of all others, shape=(classes,) each.

    Both are sums, as 1 less a share near 1 has few digits. They go by the weights alone, one for all models under vmap.
    """
    hit = t[:, None] == jnp.arange(p.shape[1], dtype=jnp.int32)[None, :]
    return mean(hit.astype(p.dtype), given), mean((~hit).astype(p.dtype), given)
