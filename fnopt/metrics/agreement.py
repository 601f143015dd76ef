"""Agreement of truth and prediction beyond what chance alone gives."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import one_of
from fnopt.metrics._inputs import labelled, single_label
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import ratio, root
from fnopt.metrics.confusion import Counts, confusion_matrix, counts, counts_of


@exact("truth", "prediction")
def matthews_corrcoef(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    zero_division: ArrayLike = 0,
) -> Array:
    """The correlation of truth and prediction, in [-1, 1]: 1 perfect, 0 as good as chance.

    (TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)) for two classes; for more, each of the three products is summed
    over classes: Σ (TP·TN - FP·FN) / √(Σ (TP+FP)(TN+FN) · Σ (TP+FN)(TN+FP)), Gorodkin's coefficient without its
    cancellation. Matthews, 1975, https://doi.org/10.1016/0005-2795(75)90109-9; Gorodkin, 2004,
    https://doi.org/10.1016/j.compbiolchem.2004.09.006.

    Args:
        truth: labels 0..classes-1, shape=(m,).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.
        classes: how many; from the labels where they are known, else 2.
        zero_division: the value where truth or prediction has one class only.

    Raises:
        ValueError: for shapes that differ, labels out of range, and labels in columns.

    >>> round(float(matthews_corrcoef([0, 1, 0, 1], [1, 1, 1, 0])), 5)
    -0.57735
    """
    x = single_label(labelled(truth, prediction, weight, classes))
    return correlation(counts(x), zero_division)


@jax.jit
def correlation(c: Counts, zero_division: ArrayLike = 0) -> Array:
    """The coefficient of :func:`matthews_corrcoef` from the outcomes of each class."""
    total = c.tp + c.fp + c.fn + c.tn
    tp, fp, fn, tn = (ratio(n, total) for n in c)  # shares, so that no product overflows
    together = jnp.sum(tp * tn - fp * fn)
    spread = jnp.sum((tp + fp) * (tn + fn)) * jnp.sum((tp + fn) * (tn + fp))
    return ratio(together, root(spread), zero_division)


@exact("truth", "prediction")
def cohen_kappa(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    classes: int | None = None,
    distance: str = "equal",
    zero_division: ArrayLike = 0,
) -> Array:
    """Disagreement against that of chance: 1 - Σ d_ij n_ij / Σ d_ij e_ij, with e_ij = n_i· n_·j / n.

    Cohen, "A coefficient of agreement for nominal scales", 1960, https://doi.org/10.1177/001316446002000104.

    Args:
        truth: labels 0..classes-1, shape=(m,).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.
        classes: how many; from the labels where they are known, else 2.
        distance: how bad it is to call i what is j: "equal" (1 unless i = j), "linear" |i - j|, "quadratic" (i - j)².
        zero_division: the value where both always name the same one class.

    Returns:
        Scalar: 1 perfect, 0 as good as chance.

    Raises:
        ValueError: for shapes that differ, labels out of range, and an unknown distance.

    >>> float(cohen_kappa([0, 1, 0, 1], [1, 1, 1, 0]))
    -0.5
    """
    one_of("distance", distance, ("equal", "linear", "quadratic"))
    n = confusion_matrix(truth, prediction, weight=weight, classes=classes)
    return _kappa(n, distance, zero_division)


@partial(jax.jit, static_argnames="distance")
def _kappa(n: Array, distance: str, zero_division: ArrayLike) -> Array:
    total, c = jnp.sum(n), counts_of(n)
    n = ratio(n, total)
    k = jnp.arange(n.shape[0]).astype(n.dtype)
    apart = jnp.abs(k[:, None] - k[None, :])
    d = {"equal": jnp.minimum(apart, 1), "linear": apart, "quadratic": jnp.square(apart)}[distance]
    chance = jnp.sum(n, axis=1)[:, None] * jnp.sum(n, axis=0)[None, :]
    found, expected = jnp.sum(d * n), jnp.sum(d * chance)
    better = expected - found
    if distance == "equal":  # the same without its cancellation, as in :func:`correlation`
        tp, fp, fn, tn = (ratio(some, total) for some in c)
        better = jnp.sum(tp * tn - fp * fn)
    return ratio(better, expected, zero_division)
