"""The loss of a Gabor function fitted to points: two parameters, several minima, saddles between them."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt._checks import brief
from fnopt.surfaces.critical import critical_points
from fnopt.surfaces.surface import Known, Pair, Surface

DOMAIN = ((-10.0, 10.0), (2.5, 22.5))
STEP = 0.06  # of the argument, for one unit of φ₁ x
GRID = 31  # Newton starts along each axis


def gabor_curve(point: Array, x: Array) -> Array:
    """The Gabor function sin(u) exp(−u² / 32) with u = φ₀ + 0.06 φ₁ x: a wave under a bell.

    Args:
        point: (φ₀, φ₁), shape=(2,): the offset and the frequency.
        x: inputs, shape=(m,).

    Returns:
        values, shape=(m,).

    >>> round(float(gabor_curve(jnp.array([0.0, 10.0]), jnp.array([1.0]))[0]), 4)
    0.5583
    """
    u = point[0] + STEP * point[1] * x
    return jnp.sin(u) * jnp.exp(-(u**2) / 32)


def gabor(x: Any, y: Any, domain: tuple[Pair, Pair] = DOMAIN, start: Pair = (-7.0, 17.0)) -> Surface:
    """The squared error Σ (f(x) − y)² of :func:`gabor_curve` as a surface over (φ₀, φ₁), with its critical points.

    They are found by Newton's method from a grid, which compiles a program: a second or two for each pair of x and y.

    Args:
        x: inputs, shape=(m,), finite.
        y: targets, shape=(m,), finite.
        domain: (left, right) of φ₀ and (bottom, top) of φ₁: what is drawn, and where critical points are looked for.
        start: where a descent that is to be seen begins.

    Returns:
        a ``Surface``; ``critical`` lists what was found in the domain, lowest first.

    Raises:
        ValueError: for arrays of unlike length or with entries that are not finite.

    Source: Prince, "Understanding Deep Learning", 2023, section 6.1.2 and figure 6.4, https://udlbook.com.

    >>> x = np.linspace(-15, 15, 16)
    >>> surface = gabor(x, np.asarray(gabor_curve(jnp.array([0.0, 16.6]), jnp.asarray(x, jnp.float32))))
    >>> surface.critical[0].kind, round(surface.critical[0].point[1], 2)
    ('minimum', 16.6)
    """
    x, y = (_numbers(name, a) for name, a in (("x", x), ("y", y)))
    if x.shape != y.shape:
        raise ValueError(f"`x` and `y` must have one length, got {len(x)} and {len(y)}")

    def loss(point: Array) -> Array:
        inputs, targets = (jnp.asarray(a, point.dtype) for a in (x, y))
        return jnp.sum((gabor_curve(point, inputs) - targets) ** 2)

    found = critical_points(loss, domain, grid=GRID, apart=1e-3)
    known = tuple(Known((float(c.point[0]), float(c.point[1])), c.kind) for c in found)
    return Surface("gabor", loss, domain, start, known)


def _numbers(name: str, given: Any) -> np.ndarray:
    array = np.asarray(given, np.float64)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"`{name}` must be finite numbers, shape (m,), got {brief(given)}")
    return array
