"""Adaptive clipping: the gradient of a unit is no longer than a share of the unit's own weights.

G_i ← G_i min(1, clipping max(‖W_i‖, clipping_eps) / ‖G_i‖) for each unit i, then a step of the optimizer inside.

A unit's weights are one entry of the last axis, all other axes together, as in (inputs, units); a leaf of at most one
axis is one unit.

Numbers, beside those of the optimizer inside:
    clipping: in [0, inf]; the share; smaller for larger batches. inf: as it is.
    clipping_eps: in [0, inf); a unit whose weights are shorter is treated as if they had this norm, so that zeros can
        learn.

Elsewhere: optax is the same for leaves of two and four axes, and takes the norm of leaves of three axes over the first
axis alone. The paper leaves the last layer unclipped.

Source: Brock, De, Smith and Simonyan, "High-performance large-scale image recognition without normalization", 2021,
https://arxiv.org/abs/2102.06171, equation 3.

>>> import jax.numpy as jnp
>>> from fnopt.optim import adaptive_clip, sgd
>>> state = adaptive_clip(sgd).init(jnp.ones((4, 2)), lr=1.0, clipping=0.25)
>>> adaptive_clip(sgd).update(state, jnp.full((4, 2), jnp.array([1.0, 0.125]))).params[0].tolist()
[0.75, 0.875]
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import NONNEGATIVE, Range
from fnopt.optim.wrappers._norms import cast, largest, relative_norm, shortened
from fnopt.optim.wrappers._wrapper import Inside, Parts, wrapper
from fnopt.tree import working_dtype


class AdaptiveClipHyper(NamedTuple):
    """The numbers of adaptive clipping; each may be traced, or a schedule of the step."""

    clipping: ArrayLike = 0.01  # >= 0, inf allowed; the share
    clipping_eps: ArrayLike = 1e-3  # >= 0; the least norm of a unit's weights


RANGES = {"clipping": Range(0, float("inf"), open_high=False), "clipping_eps": NONNEGATIVE}


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """A step with each unit's gradient cut to its length."""

    def cut(w: Array, g: Array) -> Array:
        x, w = g.astype(working_dtype(g)), w.astype(working_dtype(g))
        share, eps = cast((h.clipping, h.clipping_eps), x)
        axes = tuple(range(x.ndim - 1)) if x.ndim > 1 else tuple(range(x.ndim))
        scale = largest(x, axes)
        one = jnp.ones((), x.dtype)
        endless = jnp.isinf(share)  # taken out of the product: infinity times a derivative of 0 is NaN
        limit = jnp.where(endless, 1, share) * jnp.maximum(relative_norm(w, one, axes), eps)
        limit = jnp.where(endless, jnp.inf, limit)
        return shortened(x, scale, relative_norm(x, scale, axes), limit).astype(g.dtype)

    return inner.take(state, jax.tree.map(cut, state.params, grads))


adaptive_clip = wrapper(Parts("adaptive_clip", AdaptiveClipHyper, RANGES, rule, elementwise=False), __doc__)
