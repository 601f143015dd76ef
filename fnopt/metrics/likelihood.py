"""Likelihood ratios of a binary test."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import labelled, single_label
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import ratio
from fnopt.metrics.confusion import Counts, counts


class LikelihoodRatios(NamedTuple):
    """What a positive and a negative call do to the odds of being positive."""

    positive: Array  # sensitivity / (1 - specificity), at least 0; above 1 a positive call raises the odds
    negative: Array  # (1 - sensitivity) / specificity, at least 0; below 1 a negative call lowers them


@exact("truth", "prediction")
def likelihood_ratios(truth: ArrayLike, prediction: ArrayLike, *, weight: ArrayLike | None = None) -> LikelihoodRatios:
    """The factors by which a call multiplies the odds: LR+ = TPR / FPR and LR- = FNR / TNR.

    They do not depend on how frequent positives are. Brenner and Gefeller, "Variation of sensitivity, specificity,
    likelihood ratios and predictive values with disease prevalence", 1997.

    Args:
        truth: 0 or 1, shape=(m,).
        prediction: as ``truth``.
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Both ratios. LR+ is NaN where no negative is called positive, LR- where none is called negative, both where no
        positive counts, as in scikit-learn.

    Raises:
        ValueError: for shapes that differ, and for labels other than 0 and 1.

    >>> [float(x) for x in likelihood_ratios([0, 0, 0, 0, 1, 1], [1, 0, 0, 0, 1, 0])]
    [2.0, 0.6666666666666666]
    """
    return _ratios(counts(single_label(labelled(truth, prediction, weight, 2))))


@jax.jit
def _ratios(c: Counts) -> LikelihoodRatios:
    tp, fp, fn, tn = c.tp[1], c.fp[1], c.fn[1], c.tn[1]
    found, called = ratio(tp, tp + fn, jnp.nan), ratio(fp, fp + tn, jnp.nan)
    missed, cleared = ratio(fn, tp + fn, jnp.nan), ratio(tn, fp + tn, jnp.nan)
    return LikelihoodRatios(positive=ratio(found, called, jnp.nan), negative=ratio(missed, cleared, jnp.nan))
