"""Penalties on weights, and the projections that belong to them.

``l1`` is s Σ|w| and ``l2`` is s Σw², added to the mean loss; with ``examples=m``, the number of training examples
(never the batch by accident), they are (s/2m) Σ|w| and (s/2m) Σw², whose slope is (s/m) w. With J₀ the cost without
the penalty, a gradient step of length α on J₀ + (λ/2m) Σw² is w ← (1 − αλ/m) w − α ∂J₀/∂w, and on J₀ + λ Σw² it is
w ← (1 − 2αλ) w − α ∂J₀/∂w: weight decay.

A weight is a leaf of two or more axes, so biases and the scale and shift of a norm are left alone; ``where`` chooses
others by their path, as in ``where=lambda name: name.endswith("bias")``.

Elsewhere: Keras's ``l2(a)`` is ``l2(params, a)``; torch's ``weight_decay=a`` in plain gradient descent is
``l2(params, a / 2, where=lambda name: True)``, as it takes biases too; scikit-learn's ``alpha=a`` at batch size b is
``l2(params, a, examples=b)``.

>>> params = {"bias": jnp.array([5.0, 5.0]), "weight": jnp.array([[1.0, -2.0]])}
>>> float(l1(params, 0.5)), float(l2(params, 0.5)), float(l2(params, 0.5, examples=10))
(1.5, 2.5, 0.125)
"""

from typing import TYPE_CHECKING, Any, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt import tree
from fnopt._checks import nearest
from fnopt._names import suggesting as _suggesting
from fnopt._types import Params
from fnopt.numbers import NONNEGATIVE, POSITIVE, scalar
from fnopt.tree import absolute, working_dtype


class Chosen(Protocol):
    """``chosen(name) -> bool``: whether the leaf of this dotted path counts as a weight."""

    def __call__(self, name: str, /) -> bool:
        """Whether this one does."""
        ...


def l1(params: Params, strength: ArrayLike, examples: ArrayLike | None = None, *, where: Chosen | None = None) -> Array:
    """s Σ|w|, or (s/2m) Σ|w| with ``examples=m``; the subgradient at 0 is 0.

    A gradient step with it makes weights small but hardly ever exactly 0: :func:`shrink` does.

    Args:
        params: pytree of floating arrays.
        strength: s in [0, inf).
        examples: m in (0, inf), the number of training examples.
        where: chooses the weights by path; None takes the leaves of two or more axes.

    Returns:
        a scalar, in at least float32.

    Raises:
        ValueError: where nothing is chosen, and for a concrete number out of range; a traced one becomes NaN.

    >>> float(l1({"w": jnp.array([[3.0, -4.0]])}, 0.5))
    3.5
    """
    return _factor(strength, examples) * _sum(absolute, params, where)


def l2(params: Params, strength: ArrayLike, examples: ArrayLike | None = None, *, where: Chosen | None = None) -> Array:
    """s Σw², or (s/2m) Σw² with ``examples=m``; the slope is 2s w, or (s/m) w.

    Args, returns, raises: as :func:`l1`.

    >>> float(l2({"w": jnp.array([[3.0, -4.0]])}, 0.5))
    12.5
    """
    return _factor(strength, examples) * _sum(jnp.square, params, where)


def shrink(params: Params, amount: ArrayLike, *, where: Chosen | None = None) -> Params:
    """sign(w) · max(|w| − amount, 0) for each weight: the proximal step of L1, whose zeros are exact.

    After a gradient step of length α, ``amount`` = α s is the step of s Σ|w|.

    Args:
        params: pytree of floating arrays.
        amount: in [0, inf).
        where: as in :func:`l1`.

    Returns:
        the parameters, in their own types.

    Raises:
        ValueError: as :func:`l1`.

    Source: Daubechies, Defrise and De Mol, "An iterative thresholding algorithm for linear inverse problems with a
    sparsity constraint", 2004, https://arxiv.org/abs/math/0307152.

    >>> shrink({"w": jnp.array([[3.0, -0.5]])}, 1.0)["w"].tolist()
    [[2.0, 0.0]]
    """

    def one(w: Array) -> Array:
        a = scalar("amount", amount, NONNEGATIVE, w.dtype)
        return w - jnp.clip(w, -a, a)  # the same, and its zeros are never −0

    return _on_weights(one, params, where)


def max_norm(params: Params, limit: ArrayLike, *, where: Chosen | None = None) -> Params:
    """Scale each unit's incoming weights down to the Euclidean norm ``limit`` where theirs is larger.

    Args:
        params: pytree of floating arrays; the last axis of a weight counts the units, as in (inputs, units).
        limit: in [0, inf). A built-in model's number ``max_norm``, unless the optimizer is a
            :func:`fnopt.optim.clip_by_global_norm`, whose number has the same name and is then the one meant.
        where: as in :func:`l1`.

    Returns:
        the parameters, in their own types.

    Raises:
        ValueError: as :func:`l1`.

    Source: Srivastava et al., "Dropout", 2014, https://jmlr.org/papers/v15/srivastava14a.html, section 5.1.

    >>> max_norm({"w": jnp.array([[3.0, 0.5], [4.0, 0.0]])}, 2.5)["w"].tolist()
    [[1.5, 0.5], [2.0, 0.0]]
    """

    def one(w: Array) -> Array:
        size = scalar("limit", limit, NONNEGATIVE, w.dtype)
        squared = jnp.sum(jnp.square(w), axis=tuple(range(w.ndim - 1)), keepdims=True)
        over = ~(squared <= jnp.square(size))  # so that a NaN limit is not passed over
        factor = jnp.where(over, size / jnp.sqrt(jnp.where(over, squared, 1)), 1)
        return w * jnp.broadcast_to(factor, w.shape)

    return _on_weights(one, params, where)


def sparsity(params: Params, *, first: str | None = None, where: Chosen | None = None) -> dict[str, Array]:
    """How sparse the weights are: what L1 has left out.

    Args:
        params: pytree of floating arrays.
        first: path of the first layer's weight, shape=(inputs, units); None takes the first weight.
        where: as in :func:`l1`.

    Returns:
        ``zeros``: the share of weights that are exactly 0.
        ``unused``: shape=(inputs,), whether an input's whole row in the first layer is 0.
        ``size``: how many parameters are left without the unused inputs' rows.

    Raises:
        ValueError: for an unknown ``first``, and where nothing is chosen.

    >>> found = sparsity({"bias": jnp.ones(2), "weight": jnp.array([[0.0, 0.0], [0.0, 1.0]])})
    >>> float(found["zeros"]), found["unused"].tolist(), int(found["size"])
    (0.75, [True, False], 4)
    """
    weights = _weights(params, where)
    if first is not None and first not in weights:
        raise ValueError(f"no weight is called {first!r}{nearest(first, weights)}")
    rows = weights[first if first is not None else next(iter(weights))]
    if rows.ndim < 2:
        raise ValueError(
            f"the first layer's weight must have shape (inputs, units), got {rows.shape}; name it, first=…"
        )
    others = tuple(axis for axis in range(rows.ndim) if axis != rows.ndim - 2)
    unused = jnp.all(rows == 0, axis=others)
    zeros = sum(jnp.sum(w == 0) for w in weights.values())
    return {
        "zeros": jnp.asarray(zeros).astype(jnp.result_type(float)) / tree.size(weights),
        "unused": unused,
        "size": tree.size(params) - jnp.sum(unused) * (rows.size // rows.shape[-2]),
    }


def _factor(strength: ArrayLike, examples: ArrayLike | None) -> Array:
    s = scalar("strength", strength, NONNEGATIVE, jnp.result_type(float))
    return s if examples is None else s / (2 * scalar("examples", examples, POSITIVE, s.dtype))


def _weights(params: Params, where: Chosen | None) -> dict[str, Any]:
    """The chosen leaves by path, in order."""
    named = dict(zip(tree.names(params), jax.tree.leaves(params), strict=True))
    chosen = {name: w for name, w in named.items() if _is_weight(name, w, where)}
    if not chosen:
        rule = "has two or more axes; choose by path: where=lambda name: …" if where is None else "is chosen by `where`"
        raise ValueError(f"no parameter {rule}; there are {', '.join(named) or 'none'}")
    return chosen


def _is_weight(name: str, leaf: Any, where: Chosen | None) -> bool:
    return leaf.ndim >= 2 if where is None else bool(where(name))


def _sum(each: Any, params: Params, where: Chosen | None) -> Array:
    return tree.total([each(w.astype(working_dtype(w))) for w in _weights(params, where).values()])


def _on_weights(one: Any, params: Params, where: Chosen | None) -> Params:
    """``one`` on each weight in its working type, back in its own type; the other leaves as they are."""
    chosen = _weights(params, where)
    leaves, structure = jax.tree.flatten(params)
    new = [
        one(leaf.astype(working_dtype(leaf))).astype(leaf.dtype) if name in chosen else leaf
        for name, leaf in zip(tree.names(params), leaves, strict=True)
    ]
    return structure.unflatten(new)


if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
