"""How far decisions are on the right side."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.metrics._inputs import alone
from fnopt.metrics._precision import exact
from fnopt.metrics._ratio import mean
from fnopt.metrics._thresholds import scored


@exact("score")
def hinge(truth: ArrayLike, score: ArrayLike, *, weight: ArrayLike | None = None) -> Array:
    """The mean of max(0, 1 - margin), the margin being how far the right class leads.

    For two classes the margin is ±score; for more, the score of the class less the largest of the others (Crammer and
    Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", 2001).

    Args:
        truth: 0 or 1, shape=(m,), or labels 0..classes-1, shape=(m,).
        score: larger is likelier, shape=(m,) or (m, classes).
        weight: shape=(m,), not negative; None counts each example once.

    Returns:
        Scalar of at least 0; NaN where no example counts, and where a score that counts is NaN.

    Raises:
        ValueError: for shapes that do not fit, and for labels out of range.

    >>> round(float(hinge([0, 1, 1], [-2.2, 2.4, 0.1])), 6)
    0.3
    """
    t, s, w = scored(truth, score, weight)
    if t.ndim == 2:
        raise ValueError(f"`truth` must hold one label an example, shape (m,), got {t.shape}; take one column")
    return _hinge(t, s, w)


@jax.jit
def _hinge(t: Array, s: Array, w: Array) -> Array:
    if s.ndim == 1:
        margin = jnp.where(t == 1, s, -s)
    else:
        named = t[:, None] == jnp.arange(s.shape[1], dtype=jnp.int32)[None, :]
        # Added, not selected: of one truth and many models each mask is then one array, and the maximum fast.
        zero = jnp.zeros((), s.dtype)
        lead = alone(jnp.max(s + jnp.where(named, zero, -jnp.inf), axis=1))
        others = alone(jnp.max(s + jnp.where(named, -jnp.inf, zero), axis=1))
        # An infinite score makes the sum of the other side NaN.
        margin = jnp.where(lead == jnp.inf, jnp.inf, jnp.where(others == jnp.inf, -jnp.inf, lead - others))
    return mean(jnp.maximum(0, 1 - margin)[:, None], w)[0]
