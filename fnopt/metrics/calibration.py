"""Calibration: whether what is called 80 % sure comes true in 80 % of the cases."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import one_of
from fnopt.metrics._inputs import floats, labels, library, numbers, refuse, weights, where_counted, whole, within
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import added, ratio
from fnopt.metrics.probability import checked

STRATEGIES = ("uniform", "quantile")


class CalibrationCurve(NamedTuple):
    """Bins of predicted probability from low to high; an empty bin holds NaN, NaN and 0."""

    truth: Array  # shape=(bins,); share of the positives in each bin
    prediction: Array  # shape=(bins,); mean predicted probability in each bin
    weight: Array  # shape=(bins,); weight of the examples in each bin


@exact("probability")
def calibration_curve(
    truth: ArrayLike,
    probability: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    bins: int = 10,
    strategy: str = "uniform",
) -> CalibrationCurve:
    """The share of positives against the mean predicted probability, bin by bin: the diagonal is ideal.

    A bin holds the probabilities above its lower edge up to its upper edge; the first bin holds 0 too. scikit-learn
    leaves empty bins out; here they stay, as NaN, so that the shape is known to jit. Niculescu-Mizil and Caruana,
    "Predicting good probabilities with supervised learning", 2005, https://doi.org/10.1145/1102351.1102430.

    Args:
        truth: 0 or 1, shape=(m,).
        probability: of class 1, in [0, 1], shape=(m,).
        weight: shape=(m,), not negative; None counts each example once.
        bins: how many, at least 1; not traced.
        strategy: "uniform" (edges k / bins) or "quantile" (edges that hold equal numbers of the examples that count).

    Raises:
        ValueError: for shapes that do not fit, labels other than 0 and 1, probabilities outside [0, 1], no bins.

    >>> curve = calibration_curve([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9], bins=2)
    >>> curve.truth.round(3).tolist(), curve.prediction.round(3).tolist(), curve.weight.tolist()
    ([0.333, 1.0], [0.267, 0.9], [3.0, 1.0])
    """
    one_of("strategy", strategy, STRATEGIES)
    t, p, w = _binary(truth, probability, weight)
    return _curve(t, p, w, checked_bins(bins), strategy)


@partial(jax.jit, static_argnums=(3, 4))
def _curve(t: Array, p: Array, w: Array, bins: int, strategy: str) -> CalibrationCurve:
    share = jnp.linspace(0, 1, bins + 1, dtype=p.dtype)
    edges = share if strategy == "uniform" else _quantiles(p, w, share)
    total = binned(p, edges[1:-1], jnp.stack([w * t.astype(w.dtype), w * p, w], axis=1), bins)
    return CalibrationCurve(
        truth=ratio(total[:, 0], total[:, 2], jnp.nan),
        prediction=ratio(total[:, 1], total[:, 2], jnp.nan),
        weight=total[:, 2],
    )


@exact("probability")
def expected_calibration_error(
    truth: ArrayLike, probability: ArrayLike, *, weight: ArrayLike | None = None, bins: int = 15
) -> Array:
    """How far confidence is from accuracy: Σ_bins (w_bin / w) |accuracy of the bin - mean confidence of the bin|.

    Confidence is the largest probability of an example, and the example is right where its class has it; of equal
    probabilities the first class is taken. Bins are uniform, (k / bins, (k + 1) / bins]. 0 is ideal; the value is
    biased upward where bins hold few examples. Guo et al., "On calibration of modern neural networks", 2017,
    https://arxiv.org/abs/1706.04599.

    Args:
        truth: labels 0..classes-1, shape=(m,).
        probability: of class 1, shape=(m,), or of each class, shape=(m, classes), rows adding up to 1.
        weight: shape=(m,), not negative; None counts each example once.
        bins: how many, at least 1; not traced.

    Returns:
        Scalar in [0, 1]; NaN where no example counts.

    Raises:
        ValueError: for shapes that do not fit, labels out of range, and probabilities outside [0, 1].

    >>> round(float(expected_calibration_error([1, 1, 0, 1], [0.8, 0.8, 0.8, 0.8], bins=5)), 6)
    0.05
    """
    *arrays, fault = checked(truth, probability, weight)
    return _expected(*arrays, checked_bins(bins)) + fault


@partial(jax.jit, static_argnums=3)
def _expected(t: Array, p: Array, w: Array, bins: int) -> Array:
    confidence, right = jnp.max(p, axis=1), jnp.argmax(p, axis=1).astype(t.dtype) == t
    edges = jnp.linspace(0, 1, bins + 1, dtype=p.dtype)[1:-1]
    total = binned(confidence, edges, jnp.stack([jnp.where(right, w, 0), w * confidence, w], axis=1), bins)
    gap = jnp.abs(total[:, 0] - total[:, 1])
    return ratio(jnp.sum(gap), jnp.sum(total[:, 2]), jnp.nan)


def binned(x: Array, inner: Array, values: Array, bins: int) -> Array:
    """The sum of ``values`` in each bin of ``x``, shape=(bins, columns); a value at an inner edge is in the lower bin.

    >>> binned(jnp.array([0.1, 0.5, 0.9]), jnp.array([0.5]), jnp.ones((3, 1)), 2).tolist()
    [[2.0], [1.0]]
    """
    place = jnp.searchsorted(inner, x, side="left").astype(jnp.int32)
    here = place[:, None] == jnp.arange(bins, dtype=jnp.int32)[None, :]
    total = added(jnp.where(here[:, :, None], values[:, None, :], 0))
    return jnp.where(jnp.isnan(jnp.sum(values[:, -1])), jnp.nan, total)


def checked_bins(bins: Any) -> int:
    """A number of bins, or ValueError."""
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise ValueError(f"`bins` sets a shape: a whole number of at least 1, not traced; got {bins!r}")
    return bins


def _quantiles(p: Array, w: Array, share: Array) -> Array:
    """Quantiles of the examples that count, each as one, by NumPy's linear interpolation; shape as ``share``."""
    counts = w != 0
    ordered = jnp.sort(jnp.where(counts, p, jnp.inf))
    last = jnp.maximum(jnp.sum(counts, dtype=jnp.int32) - 1, 0)
    place = share * last.astype(p.dtype)
    low = jnp.floor(place).astype(jnp.int32)
    a, b = ordered[low], ordered[jnp.minimum(low + 1, last)]
    return a + (b - a) * (place - low.astype(p.dtype))


def _binary(truth: ArrayLike, probability: ArrayLike, weight: ArrayLike | None) -> tuple[Array, Array, Array]:
    """Labels 0 and 1, a probability of class 1 and a weight for each example."""
    t, p = labels("truth", truth), numbers("probability", probability)
    if t.ndim != 1 or t.shape != p.shape:
        raise ValueError(
            f"`truth` and `probability` must both have shape (m,), got {t.shape} and {p.shape}; of several classes "
            "take one column at a time, `truth == k` and `probability[:, k]`"
        )
    w = whole("truth", t, weights(weight, len(t)))
    w = refuse(w, ~((p >= 0) & (p <= 1)), p, "`probability` must be in [0, 1]; of logits take the sigmoid")
    p = where_counted(w, floats(p), 0.5)
    t, w = within("truth", t, w, 2, "one class against the rest: `truth == k`")
    return library(t).asarray(t), p, w
