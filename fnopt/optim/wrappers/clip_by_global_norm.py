"""Clipping by the global norm: the gradient as one vector is no longer than a bound, and keeps its direction.

g ← g min(1, max_norm / ‖g‖) with ‖g‖ = √(Σ g²) over all parameters, then a step of the optimizer inside.

Numbers, beside those of the optimizer inside:
    max_norm: in [0, inf]; inf: as it is.

A gradient whose squares would overflow is cut to its length too; one that is not finite shows.

Two bounds have this name. In ``fit`` of a built-in model ``max_norm`` with a plain optimizer, say adam, bounds the norm
of a unit's incoming weights, as :func:`fnopt.penalties.max_norm` does; under this wrapper it is the clip's, and no
weights are bounded.

Elsewhere: optax is the same; torch's ``clip_grad_norm_`` divides by ‖g‖ + 1e-6; Keras calls it ``global_clipnorm``.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013,
https://arxiv.org/abs/1211.5063, algorithm 1.

>>> import jax.numpy as jnp
>>> from fnopt.optim import clip_by_global_norm, sgd
>>> state = clip_by_global_norm(sgd).init(jnp.zeros(2), lr=1.0, max_norm=2.5)
>>> clip_by_global_norm(sgd).update(state, jnp.array([3.0, -4.0])).params.tolist()
[-1.5, 2.0]
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._types import Params, State
from fnopt.numbers import Range
from fnopt.optim._safe import root
from fnopt.optim.wrappers._norms import cast, largest, relative_norm, shortened
from fnopt.optim.wrappers._wrapper import Inside, Parts, wrapper
from fnopt.tree import working_dtype


class ClipByGlobalNormHyper(NamedTuple):
    """The number of clipping by the global norm; it may be traced, or a schedule of the step."""

    max_norm: ArrayLike = 1.0  # >= 0, inf allowed


RANGES = {"max_norm": Range(0, float("inf"), open_high=False)}


def rule(inner: Inside, state: State, grads: Params, h: Any) -> tuple[State, Any]:
    """A step with the gradient cut to its length."""
    scale, relative = global_norm(grads)

    def cut(g: Array) -> Array:
        x = g.astype(working_dtype(g))
        return shortened(x, *cast((scale, relative, h.max_norm), x)).astype(g.dtype)

    return inner.take(state, jax.tree.map(cut, grads))


def global_norm(tree: Params) -> tuple[Array, Array]:
    """(scale, ‖tree‖ / scale): the product may be too large for the type, neither factor is.

    >>> scale, relative = global_norm([jnp.array([3e30]), jnp.array([4e30])])
    >>> round(float(scale) / 1e30, 4), float(relative)
    (4.0, 1.25)
    """
    leaves = [leaf.astype(working_dtype(leaf)) for leaf in jax.tree.leaves(tree)]
    f = jnp.result_type(float)
    scale = largest(jnp.stack([jnp.zeros((), f), *(jnp.max(jnp.abs(x), initial=0).astype(f) for x in leaves)]))
    squares = [jnp.square(relative_norm(x, scale.astype(x.dtype))).astype(f) for x in leaves]
    return scale, root(sum(squares, jnp.zeros((), f)))


clip_by_global_norm = wrapper(
    Parts("clip_by_global_norm", ClipByGlobalNormHyper, RANGES, rule, elementwise=False), __doc__
)
