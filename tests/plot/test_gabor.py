"""The Gabor surface: its loss by hand, its critical points by the Hessian in float64 NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

X = np.linspace(-14, 14, 15)


def by_hand(p, x=X):
    u = p[0] + 0.06 * p[1] * x
    return np.sin(u) * np.exp(-(u**2) / 32)


Y = by_hand((0.0, 16.6)) + 0.1 * np.cos(5 * X)


def loss(p):
    return np.sum((by_hand(p) - Y) ** 2)


@pytest.fixture(scope="module")
def surface():
    return fo.surfaces.gabor(X, Y)


@pytest.mark.parametrize("point", [(0.0, 16.6), (-3.0, 5.0), (7.5, 21.0)])
def test_the_loss_is_the_squared_error(surface, point):
    assert float(surface(jnp.array(point))) == pytest.approx(loss(point), rel=1e-5)


def test_there_are_several_minima_and_saddles_between_them(surface):
    h = 1e-3
    for known in surface.critical:
        p = np.array(known.point)
        around = np.array([[loss(p + h * np.array([i, j])) for j in (-1, 0, 1)] for i in (-1, 0, 1)])
        slope = [(around[2, 1] - around[0, 1]) / (2 * h), (around[1, 2] - around[1, 0]) / (2 * h)]
        np.testing.assert_allclose(slope, 0, atol=1e-5)
        xx = (around[2, 1] - 2 * around[1, 1] + around[0, 1]) / h**2
        yy = (around[1, 2] - 2 * around[1, 1] + around[1, 0]) / h**2
        xy = (around[2, 2] - around[2, 0] - around[0, 2] + around[0, 0]) / (4 * h**2)
        signs = np.sign(np.linalg.eigvalsh([[xx, xy], [xy, yy]]))
        assert known.kind == {-2: "maximum", 0: "saddle", 2: "minimum"}[int(signs.sum())]
    kinds = [known.kind for known in surface.critical]
    assert kinds.count("minimum") >= 3 and kinds.count("saddle") >= 2
    best = min((loss(k.point), k.point) for k in surface.critical)[1]
    np.testing.assert_allclose(best, (0.0, 16.6), atol=0.6)


@pytest.mark.parametrize(("x", "y", "text"), [([1.0, 2.0], [1.0], "one length, got 2 and 1"), ([np.nan], [1.0], "`x`")])
def test_points_that_cannot_be_fitted(x, y, text):
    with pytest.raises(ValueError, match=text):
        fo.surfaces.gabor(x, y)
