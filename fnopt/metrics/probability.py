"""Scores of probabilities: how far from what came true."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt.metrics._inputs import (
    all_count,
    alone,
    floats,
    labels,
    library,
    numbers,
    own,
    refuse,
    spoil,
    weights,
    where_counted,
    whole,
    within,
)
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean


@exact("probability")
def log_loss(truth: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The mean of -log of the probability given to what came true.

    Probabilities are first moved into [ε, 1 - ε] with ε the floating type's step at 1, as in scikit-learn, so that the
    loss of a sure mistake is large and finite. For training, the losses that take logits are exact there.

    Args:
        truth: labels 0..classes-1, shape=(m,).
        probability: of class 1, shape=(m,), or of each class, shape=(m, classes), rows adding up to 1.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar of at least 0; NaN where no example counts.

    Raises:
        ValueError: for shapes that do not fit, labels out of range, and probabilities outside [0, 1]. Rows that do not
            add up to 1 bring a warning where they are known.

    >>> round(float(log_loss([1, 0], [0.5, 0.5])), 6)
    0.693147
    """
    *arrays, fault = checked(truth, probability, weight)
    return log_loss_of(*arrays) + fault


@jax.jit
def log_loss_of(t: Array, p: Array, w: Array) -> Array:
    """The score of what :func:`checked` gives."""
    eps = jnp.finfo(p.dtype).eps
    return mean(-jnp.log(jnp.clip(own(p, t), eps, 1 - eps))[:, None], w)[0]


@exact("probability")
def brier(truth: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The mean squared error of probabilities: (p - y)², or Σ_k (p_k - [y = k])² over three classes or more.

    Two classes in two columns give the value of one column. Arguments, returns and errors are those of
    :func:`log_loss`. Brier, 1950.

    >>> float(brier([1, 0], [0.5, 0.0]))
    0.125
    """
    *arrays, fault = checked(truth, probability, weight)
    return brier_of(*arrays) + fault


@jax.jit
def brier_of(t: Array, p: Array, w: Array) -> Array:
    """The score of what :func:`checked` gives."""
    hit = (t[:, None] == jnp.arange(p.shape[1], dtype=jnp.int32)[None, :]).astype(p.dtype)
    error = alone(jnp.sum(jnp.square(p - hit), axis=1))
    return mean(error[:, None], w)[0] / (2 if p.shape[1] == 2 else 1)


def checked(truth: ArrayLike, probability: ArrayLike, weight: ArrayLike | None) -> tuple[Array, Array, Array, Array]:
    """Labels, a probability for each class, shape=(m, classes), weights, and a number to add to the score.

    Rows of weight 0 are harmless. The number is NaN for a traced probability outside [0, 1] where every row counts,
    else 0. Where some weights are 0 the fault goes into the weights; one column of weights for all models under
    ``vmap`` is what makes sums fast, so that it does not do so always.
    """
    t, p = labels("truth", truth), numbers("probability", probability)
    if t.ndim != 1 or p.ndim > 2 or len(t) != len(p) or (p.ndim == 2 and p.shape[1] < 2):
        raise ValueError(
            "`truth` and `probability` must have shapes (m,) and (m,), or (m,) and (m, classes); "
            f"got {t.shape} and {p.shape}"
        )
    given = weights(weight, len(t))
    count = p.shape[1] if p.ndim == 2 else 2
    cure = "several classes need a column of `probability` each"
    t, w = within("truth", t, whole("truth", t, given), count, cure)
    x = floats(p)
    fault: Any = np.zeros((), jnp.result_type(float))
    if isinstance(p, Tracer) and all_count(given):
        inside = (jnp.min(p, axis=0) >= 0) & (jnp.max(p, axis=0) <= 1)  # not so for a NaN either
        fault = jnp.where(inside.all(), fault, jnp.nan)
    else:
        w = refuse(w, (p < 0) | (p > 1), p, "`probability` must be in [0, 1]; of logits take the sigmoid or softmax")
        w = spoil(w, p != p)
    if p.ndim == 2:
        _say_sums(p, w)
    x = where_counted(given, x, 0.5)
    return t, x if x.ndim == 2 else library(x).stack([1 - x, x], axis=1), w, fault


def _say_sums(p: Any, w: Any) -> None:
    """A warning where known probabilities of a row that counts do not add up to 1, but for rounding in their type."""
    if isinstance(p, Tracer) or isinstance(w, Tracer):
        return
    kind = p.dtype if jnp.issubdtype(p.dtype, jnp.floating) else np.float64
    sums = p.astype(np.float64).sum(axis=1)
    off = (abs(sums - 1) > float(jnp.finfo(kind).eps) ** 0.5) & (w != 0)
    if off.any():
        row = off.argmax()
        warnings.warn(
            f"each row of `probability` must add up to 1, and row {row} adds up to {sums[row]:.6g} ({off.sum()} of "
            f"{len(p)} rows do not); divide each row by its sum, or take the softmax of logits",
            stacklevel=5,
        )
