"""The share of single labels that are wrong."""

import jax
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import equal, label_pair
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean


@exact("truth", "prediction")
def hamming(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The share of labels that are wrong; with several labels an example, of all of them.

    With one label an example it is :func:`fnopt.metrics.zero_one`. Arguments and errors are those of
    :func:`fnopt.metrics.accuracy`. Hamming, "Error detecting and error correcting codes", 1950.

    >>> float(hamming([[0, 1], [1, 1]], [[0, 1], [1, 0]]))
    0.25
    """
    t, p, w = label_pair(truth, prediction, weight)
    return _hamming(~equal(t, p).reshape(len(w), -1), w)


@jax.jit
def _hamming(wrong: Array, w: Array) -> Array:
    return mean(wrong.astype(w.dtype), w).mean()
