"""Cross-entropy from logits: softmax for one of C classes, sigmoid for yes or no."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from fnopt.losses._outputs import each_example, pair, times
from fnopt.numbers import FRACTION, scalar
from fnopt.tree import working_dtype


def softmax_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    smoothing: ArrayLike = 0.0,
    class_weight: ArrayLike | None = None,
) -> Array:
    """−Σ_j c_j y_j log ŷ_j with ŷ = softmax(logits), one value an example.

    Its gradient with respect to the logits (c = 1) is ŷ Σ_j y_j − y: ŷ − y for labels that sum to 1.

    Args:
        logits: shape=(…, C), C ≥ 2.
        labels: class numbers, shape=(…), integers from 0 to C − 1 (another gives NaN); or one-hot or soft labels,
            shape=(…, C), which need not sum to 1.
        smoothing: s in [0, 1]; y becomes (1 − s) y + s mean_j(y_j): at 1 every class is alike.
        class_weight: shape=(C,), each ≥ 0: c. The loss of an example counts by its class, before any mean.

    Returns:
        shape=(…), in at least float32. A class whose logit is −inf cannot be: it costs nothing where y_j = 0, and inf
        where it is not.

    Raises:
        ValueError: for shapes that do not fit, for concrete numbers out of range; traced ones become NaN.

    Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016,
    https://arxiv.org/abs/1512.00567, for the smoothing. torch has the same class weights, and divides by their sum in
    its mean.

    >>> logits = jnp.array([[0.0, 0.0], [1e4, 0.0]])
    >>> [round(float(l), 4) for l in softmax_cross_entropy(logits, jnp.array([0, 1]))]
    [0.6931, 10000.0]
    """
    z = jnp.asarray(logits)
    z = z.astype(working_dtype(z))
    y = _soft(z, jnp.asarray(labels))
    s = scalar("smoothing", smoothing, FRACTION, z.dtype)
    y = (1 - s) * y + s * jnp.mean(y, axis=-1, keepdims=True)
    if class_weight is not None:
        y = y * jnp.broadcast_to(_class_weight(class_weight, z), z.shape)
    return -jnp.sum(times(y, jax.nn.log_softmax(z, axis=-1)), axis=-1)


def _soft(z: Array, labels: Array) -> Array:
    """Labels as one number a class, shape of the logits."""
    if z.ndim == 0 or z.shape[-1] < 2:
        raise ValueError(
            f"softmax_cross_entropy needs logits of shape (…, C) with at least two classes, got {z.shape}; "
            "for one logit an example use sigmoid_cross_entropy"
        )
    if labels.shape == z.shape:
        return labels.astype(z.dtype)
    if labels.shape != z.shape[:-1]:
        cure = "; write labels[..., 0]" if labels.shape == (*z.shape[:-1], 1) else ""
        raise ValueError(
            f"softmax_cross_entropy needs labels of shape {z.shape[:-1]} (class numbers) or {z.shape} (one-hot or "
            f"soft) for logits of shape {z.shape}, got {labels.shape}{cure}"
        )
    if not jnp.issubdtype(labels.dtype, jnp.integer) and labels.dtype != bool:
        raise ValueError(
            f"class numbers must be integers, got dtype {labels.dtype}; write labels.astype(int), or give one number "
            f"a class, shape {z.shape}"
        )
    labels = labels.astype(jnp.int32)
    known = (labels >= 0) & (labels < z.shape[-1])
    one_hot = jax.nn.one_hot(labels, z.shape[-1], dtype=z.dtype)
    return jnp.where(jnp.broadcast_to(known[..., None], z.shape), one_hot, jnp.nan)


def _class_weight(class_weight: ArrayLike, z: Array) -> Array:
    """Class weights, shaped to stand beside the logits."""
    c = jnp.asarray(class_weight)
    if c.shape != z.shape[-1:]:
        raise ValueError(f"`class_weight` must have one number a class, shape {z.shape[-1:]}, got {c.shape}")
    if not isinstance(c, Tracer) and min(c.tolist()) < 0:
        raise ValueError(f"`class_weight` must be ≥ 0, got {min(c.tolist()):g}")
    c = c.astype(z.dtype)
    return jnp.where(c >= 0, c, jnp.nan).reshape((1,) * (z.ndim - 1) + c.shape)


def sigmoid_cross_entropy(logits: ArrayLike, labels: ArrayLike) -> Array:
    """−[y log a + (1 − y) log(1 − a)] with a = sigmoid(logits), one value an example: the mean over its labels.

    Its gradient with respect to a logit is a − y. A logit of ±inf is certain: 0 where the label agrees, inf else.

    Args:
        logits: shape=(m,), or (m, labels) where each example has several labels.
        labels: the same shape; 0 or 1, or a probability between.

    Returns:
        shape=(m,), in at least float32.

    Raises:
        ValueError: for another shape.

    >>> [round(float(l), 4) for l in sigmoid_cross_entropy(jnp.array([0.0, 0.39, -1e4]), jnp.array([0, 1, 1]))]
    [0.6931, 0.517, 10000.0]
    """
    z, y = pair("sigmoid_cross_entropy", logits, labels, "label")
    return each_example(times(y, jax.nn.softplus(-z)) + times(1 - y, jax.nn.softplus(z)))
