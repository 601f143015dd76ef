"""Test functions against their formulas in NumPy, their critical points against SciPy's and by algebra, and paths."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import optim
from fnopt.surfaces import NAMES, SURFACES, by_name, classify, critical_points, descend

FORMULAS = {
    "ravine": lambda x, y: 0.5 * x**2 + 10 * y**2,
    "saddle": lambda x, y: 0.5 * (x - y) * (x + y),
    "beale": lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
    "rosenbrock": lambda x, y: 100 * (y - x**2) ** 2 + (1 - x) ** 2,
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "rastrigin": lambda x, y: 20 + x**2 - 10 * np.cos(2 * np.pi * x) + y**2 - 10 * np.cos(2 * np.pi * y),
}
COUNTS = {  # minima, maxima, saddles in the domain
    "ravine": (1, 0, 0),
    "saddle": (0, 0, 1),
    "beale": (1, 0, 2),
    "rosenbrock": (1, 0, 0),
    "himmelblau": (4, 1, 4),
    "rastrigin": (9, 16, 24),
}


def test_the_tables_hold_every_surface():
    assert set(FORMULAS) == set(COUNTS) == set(NAMES)
    with pytest.raises(ValueError, match="did you mean 'beale'"):
        by_name("beal")


@pytest.mark.parametrize("name", NAMES)
def test_formula_and_start(name, x64):
    surface = SURFACES[name]
    (left, right), (bottom, top) = surface.domain
    points = np.random.default_rng(0).uniform((left, bottom), (right, top), (50, 2))
    got = jax.jit(jax.vmap(surface))(jnp.asarray(points))
    np.testing.assert_allclose(got, FORMULAS[name](*points.T), rtol=1e-12, atol=1e-12)
    assert left < surface.start[0] < right and bottom < surface.start[1] < top
    assert hash(surface) == hash(SURFACES[name])


@pytest.mark.parametrize("name", NAMES)
def test_known_critical_points_are_those_that_newton_finds(name):
    known = SURFACES[name].critical
    counts = tuple(sum(k.kind == kind for k in known) for kind in ("minimum", "maximum", "saddle"))
    assert counts == COUNTS[name]
    found = critical_points(SURFACES[name])
    assert [c.value for c in found] == sorted(c.value for c in found)
    places = {tuple(np.round(c.point, 9) + 0.0): c.kind for c in found}
    assert places == {tuple(np.round(k.point, 9) + 0.0): k.kind for k in known}
    for c in found:
        assert c.gradient < 1e-11
        assert c.value == pytest.approx(FORMULAS[name](*c.point), abs=1e-12)


@pytest.mark.parametrize("name", ["beale", "himmelblau"])
def test_scipy_finds_the_same_points_from_a_gradient_of_differences(name):
    optimize = pytest.importorskip("scipy.optimize")
    f, h = FORMULAS[name], 1e-5

    def slope(p):
        return [(f(*(p + h * e)) - f(*(p - h * e))) / (2 * h) for e in np.eye(2)]

    for known in SURFACES[name].critical:
        solved = optimize.root(slope, np.array(known.point) + 0.01)
        np.testing.assert_allclose(solved.x, known.point, atol=1e-5)


def test_rastrigins_waves_are_roots():
    for known in SURFACES["rastrigin"].critical:
        t = np.array(known.point)
        np.testing.assert_allclose(2 * t + 20 * np.pi * np.sin(2 * np.pi * t), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "kind", "eigenvalues"),
    [
        (lambda p: jnp.sum(p**2), "minimum", [2, 2, 2]),
        (lambda p: -jnp.sum(p**2), "maximum", [-2, -2, -2]),
        (lambda p: p[0] ** 2 - p[1] ** 2 + p[2] ** 3, "saddle", [-2, 0, 2]),
        (lambda p: p[0] ** 2 + p[1] ** 4 + p[2] ** 2, "degenerate", [0, 2, 2]),
        (lambda p: -(p[0] ** 2) - p[1] ** 4, "degenerate", [-2, 0, 0]),
        (lambda p: 0.0 * p[0], "degenerate", [0, 0, 0]),
    ],
)
def test_classify_by_the_signs_of_the_eigenvalues(function, kind, eigenvalues):
    found = classify(function, [0.0, 0.0, 0.0])
    assert found.kind == kind
    np.testing.assert_allclose(found.eigenvalues, eigenvalues, atol=1e-12)
    assert found.gradient == 0


def test_classify_says_how_level_the_point_is():
    assert classify(lambda p: jnp.sum(p**2), [3.0, 4.0]).gradient == pytest.approx(10)


def test_monkey_saddle_is_degenerate_and_newton_creeps_there():
    def monkey(p):
        return p[0] ** 3 - 3 * p[0] * p[1] ** 2

    assert classify(monkey, [0.0, 0.0]).kind == "degenerate"


def test_critical_points_of_other_dimensions_and_mistakes():
    [found] = critical_points(lambda p: jnp.sum((p - 0.3) ** 2), [(-1, 1)] * 3, grid=3)
    np.testing.assert_allclose(found.point, [0.3] * 3, atol=1e-12)
    with pytest.raises(ValueError, match="`domain` is needed"):
        critical_points(lambda p: p[0])
    with pytest.raises(ValueError, match="low below high"):
        critical_points(lambda p: p[0], [(1, -1)])
    assert critical_points(lambda p: p[0] + p[1] ** 2, [(-1, 1)] * 2, grid=3) == []


def test_a_path_is_the_loop_over_its_updates():
    surface = SURFACES["rosenbrock"]
    path = descend(surface, optim.adam, surface.start, 5, lr=0.1)
    state = optim.adam.init(jnp.array(surface.start), lr=0.1)
    points = [state.params]
    for _ in range(5):
        state = optim.adam.update(state, jax.grad(surface)(state.params))
        points.append(state.params)
    np.testing.assert_allclose(path, points, rtol=1e-5)


def test_paths_of_many_learning_rates_are_one_vmap():
    rates = jnp.array([0.01, 0.05, 0.09])
    many = jax.vmap(lambda lr: descend(SURFACES["ravine"], optim.sgd, (-10.0, 2.0), 40, lr=lr))(rates)
    assert many.shape == (3, 41, 2)
    # y ← (1 − 20 lr) y, x ← (1 − lr) x
    np.testing.assert_allclose(many[:, -1, 1], 2 * (1 - 20 * rates) ** 40, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(many[:, -1, 0], -10 * (1 - rates) ** 40, rtol=1e-4)


def test_descent_leaves_the_saddle_unless_it_starts_on_the_ridge():
    path = descend(SURFACES["saddle"], optim.sgd, (-1.8, 0.02), 60, lr=0.1)
    assert abs(path[-1, 0]) < 0.01 and path[-1, 1] > 2
    stuck = descend(SURFACES["saddle"], optim.sgd, (-1.8, 0.0), 60, lr=0.1)
    np.testing.assert_allclose(stuck[-1], 0, atol=0.01)
