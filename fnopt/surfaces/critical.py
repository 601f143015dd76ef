"""Critical points: where the gradient is 0, found by Newton's method and told apart by the Hessian's eigenvalues.

All of it in float64: near a critical point the gradient is small beside the terms that it is the sum of.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt.surfaces.surface import Function, Surface


class Critical(NamedTuple):
    """A point, and what kind it is."""

    point: np.ndarray  # shape=(n,)
    kind: str  # "minimum", "maximum", "saddle" or "degenerate"
    eigenvalues: np.ndarray  # shape=(n,), of the Hessian, rising
    value: float
    gradient: float  # its norm: 0 up to rounding, where the point is critical


def classify(function: Function, point: Any, tolerance: float = 1e-6) -> Critical:
    """What kind of critical point this is, by the eigenvalues of the Hessian.

    All positive: a minimum. All negative: a maximum. Of both signs: a saddle, whatever the others are. Otherwise,
    where one is 0 up to ``tolerance`` times the largest magnitude, the second order does not tell: degenerate.

    Args:
        function: ``f(point) -> value``, twice differentiable.
        point: shape=(n,); not checked to be critical, ``gradient`` says how near it is.
        tolerance: what counts as 0, as a share of the largest eigenvalue.

    Source: the second-derivative test; for its use on error surfaces, Dauphin et al., "Identifying and attacking the
    saddle point problem in high-dimensional non-convex optimization", 2014, https://arxiv.org/abs/1406.2572.

    >>> classify(lambda p: p[0] ** 2 - p[1] ** 2, [0.0, 0.0]).kind
    'saddle'
    """
    return _classified(function, np.atleast_2d(np.asarray(point, np.float64)), tolerance)[0]


def critical_points(
    function: Function,
    domain: Sequence[tuple[float, float]] | None = None,
    *,
    grid: int = 21,
    starts: Any = None,
    steps: int = 60,
    apart: float = 1e-4,
    tolerance: float = 1e-6,
) -> list[Critical]:
    """The critical points in a box that Newton's method reaches from a grid, lowest first.

    p ← p − H⁻¹ ∇f, which goes to saddles and maxima as readily as to minima; no step is longer than a tenth of the box.
    A finer grid finds more; nothing shows that all are found.

    Args:
        function: a ``Surface``, or ``f(point) -> value``.
        domain: (low, high) of each coordinate; that of a surface unless given.
        grid: points along each axis, ends included.
        starts: shape=(k, n); where to begin instead of a grid, which has ``grid``ⁿ points.
        steps: Newton steps from each.
        apart: points nearer to each other than this share of the box count once.
        tolerance: as in :func:`classify`.

    Raises:
        ValueError: where ``domain`` is missing, or a range of it is reversed.

    >>> from fnopt.surfaces import rosenbrock
    >>> [found] = critical_points(rosenbrock)
    >>> found.kind, found.point.round(6).tolist()
    ('minimum', [1.0, 1.0])
    """
    if domain is None:
        if not isinstance(function, Surface):
            raise ValueError("`domain` is needed: write critical_points(f, [(low, high), …]), a range a coordinate")
        domain = function.domain
    low, high = np.asarray(domain, np.float64).T
    if not (low < high).all():
        raise ValueError(f"`domain` must be a (low, high) for each coordinate, low below high, got {list(domain)}")
    if starts is None:
        axes = [np.linspace(a, b, grid) for a, b in zip(low, high, strict=True)]
        starts = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=-1)
    with jax.enable_x64(True):
        longest = np.float64(np.min(high - low) / 10)
        ends, sizes = jax.device_get(_newton(function, jnp.asarray(starts, jnp.float64), longest, np.int32(steps)))
    inside = np.isfinite(ends).all(-1) & (ends >= low).all(-1) & (ends <= high).all(-1) & (sizes < 1e-9)
    return _classified(function, _distinct(ends[inside], apart * (high - low)), tolerance)


@partial(jax.jit, static_argnums=0)
def _newton(function: Function, starts: Array, longest: Array, steps: Array) -> tuple[Array, Array]:
    """Where Newton's method ends from each start, and the length of a last step there over ``longest``."""

    def step(p: Array) -> Array:
        move = -jnp.linalg.solve(jax.hessian(function)(p), jax.grad(function)(p))
        size = jnp.linalg.norm(move)
        return move * jnp.where(size > longest, longest / jnp.where(size > 0, size, 1), 1)

    def end(p: Array) -> tuple[Array, Array]:
        p = jax.lax.fori_loop(0, steps, lambda _, p: p + step(p), p)
        return p, jnp.linalg.norm(step(p)) / longest

    return jax.vmap(end)(starts)


def _distinct(points: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The points, each once."""
    kept: list[np.ndarray] = []
    for p in points:
        if not any((np.abs(p - q) < apart).all() for q in kept):
            kept.append(p)
    return np.array(kept).reshape(-1, points.shape[-1])


def _classified(function: Function, points: np.ndarray, tolerance: float) -> list[Critical]:
    """Each point's kind, lowest first."""
    if not len(points):
        return []
    with jax.enable_x64(True):
        values, slopes, eigenvalues = jax.device_get(_local(function, jnp.asarray(points, jnp.float64)))
    made = [
        Critical(p, _kind(e, tolerance), e, float(v), float(np.linalg.norm(g)))
        for p, v, g, e in zip(points, values, slopes, eigenvalues, strict=True)
    ]
    return sorted(made, key=lambda c: (c.value, tuple(c.point)))


@partial(jax.jit, static_argnums=0)
def _local(function: Function, points: Array) -> Any:
    """Value, gradient and the Hessian's eigenvalues at each point."""

    def at(p: Array) -> Any:
        return function(p), jax.grad(function)(p), jnp.linalg.eigvalsh(jax.hessian(function)(p))

    return jax.vmap(at)(points)


def _kind(eigenvalues: np.ndarray, tolerance: float) -> str:
    zero = tolerance * np.abs(eigenvalues).max()
    up, down = (eigenvalues > zero).sum(), (eigenvalues < -zero).sum()
    if up and down:
        return "saddle"
    if up + down < len(eigenvalues):
        return "degenerate"
    return "minimum" if up else "maximum"
