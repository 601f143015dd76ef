"""The test functions by name, each with all critical points of its domain.

    ravine      (x² + 20 y²)/2                            a long valley: what momentum is for
    saddle      (x² − y²)/2                               level only at a point that is no minimum
    beale       Σ_k (c_k − x (1 − y^k))², k = 1, 2, 3     flat plains and steep edges, c = 1.5, 2.25, 2.625
    rosenbrock  (1 − x)² + 100 (y − x²)²                  a bent valley, hardly sloping along its floor
    himmelblau  (x² + y − 11)² + (x + y² − 7)²            four minima, all 0
    rastrigin   20 + Σ (x² − 10 cos 2πx)                  many minima, one of them lowest

Sources: Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960,
https://doi.org/10.1093/comjnl/3.3.175; Beale, "On an iterative method for finding a local minimum of a function of more
than one variable", 1958, its formula in https://en.wikipedia.org/wiki/Test_functions_for_optimization; Himmelblau,
"Applied Nonlinear Programming", 1972, ISBN 0-07-028921-2, https://en.wikipedia.org/wiki/Himmelblau%27s_function;
Rastrigin, "Systems of extremal control", 1974, https://en.wikipedia.org/wiki/Rastrigin_function. The decimals of
critical points were computed here to the last digit given.
"""

from itertools import product
from types import MappingProxyType

import jax.numpy as jnp
from jax import Array

from fnopt._checks import one_of
from fnopt.surfaces.surface import Known, Surface


def _ravine(p: Array) -> Array:
    return (p[0] ** 2 + 20 * p[1] ** 2) / 2


def _saddle(p: Array) -> Array:
    return (p[0] ** 2 - p[1] ** 2) / 2


def _beale(p: Array) -> Array:
    x, y = p[0], p[1]
    return sum(((c - x * (1 - y**k)) ** 2 for k, c in ((2, 2.25), (3, 2.625))), (1.5 - x * (1 - y)) ** 2)


def _rosenbrock(p: Array) -> Array:
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def _himmelblau(p: Array) -> Array:
    x, y = p[0], p[1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _rastrigin(p: Array) -> Array:
    return 10 * p.shape[-1] + jnp.sum(p**2 - 10 * jnp.cos(2 * jnp.pi * p))


_WAVES = (("minimum", (0.0, 0.9949586376523348)), ("maximum", (0.5025460365546747, 1.507640731870358)))
"""The roots of 2t + 20π sin 2πt in [0, 1.6], where t² − 10 cos 2πt has its minima and its maxima."""


def _of_waves() -> tuple[Known, ...]:
    """Rastrigin's critical points: a sum of one function of each coordinate is level where each of them is."""
    each = {sign * root: kind for kind, roots in _WAVES for root in roots for sign in (1, -1)}
    return tuple(Known((x, y), each[x] if each[x] == each[y] else "saddle") for x, y in product(sorted(each), repeat=2))


ravine = Surface(
    "ravine", _ravine, ((-10.5, 4.5), (-3.75, 3.75)), start=(-10.0, 2.0), critical=(Known((0.0, 0.0), "minimum"),)
)
saddle = Surface(
    "saddle", _saddle, ((-2.0, 2.0), (-2.0, 2.0)), start=(-1.8, 0.02), critical=(Known((0.0, 0.0), "saddle"),)
)
beale = Surface(
    "beale",
    _beale,
    ((-4.5, 4.5), (-4.5, 4.5)),
    start=(1.0, 1.5),
    critical=(
        Known((3.0, 0.5), "minimum"),
        Known((0.0, 1.0), "saddle"),
        Known((0.10053793732415833, -2.6445135850231254), "saddle"),
    ),
)
rosenbrock = Surface(
    "rosenbrock", _rosenbrock, ((-2.0, 2.0), (-1.0, 3.0)), start=(-1.2, 1.0), critical=(Known((1.0, 1.0), "minimum"),)
)
himmelblau = Surface(
    "himmelblau",
    _himmelblau,
    ((-6.0, 6.0), (-6.0, 6.0)),
    start=(-0.5, -1.2),
    critical=(
        Known((3.0, 2.0), "minimum"),
        Known((-2.805118086952745, 3.131312518250573), "minimum"),
        Known((-3.779310253377747, -3.2831859912861696), "minimum"),
        Known((3.5844283403304917, -1.8481265269644036), "minimum"),
        Known((3.3851541836070207, 0.0738518798377493), "saddle"),
        Known((0.08667750455539636, 2.884254701174776), "saddle"),
        Known((-3.0730257507643897, -0.08135304428796751), "saddle"),
        Known((-0.12796134673068005, -1.9537149802445766), "saddle"),
        Known((-0.2708445906673476, -0.9230385564799816), "maximum"),
    ),
)
rastrigin = Surface("rastrigin", _rastrigin, ((-1.6, 1.6), (-1.6, 1.6)), start=(-1.3, 1.45), critical=_of_waves())

SURFACES = MappingProxyType({one.name: one for one in (ravine, saddle, beale, rosenbrock, himmelblau, rastrigin)})
"""Name -> surface."""

NAMES = tuple(SURFACES)
"""The names of all surfaces."""


def by_name(name: str) -> Surface:
    """The surface of this name; ValueError, with the nearest known name, where there is none.

    >>> by_name("beale").start
    (1.0, 1.5)
    """
    return SURFACES[one_of("surface", name, NAMES)]
