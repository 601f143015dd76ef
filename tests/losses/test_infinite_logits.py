"""A logit of -inf rules a class out: losses and gradients are those of the classes that are left."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import losses

INF = np.inf
Z = np.float32([[0.0, 1.0, -INF], [2.0, -INF, -INF], [-INF, 0.5, 3.0]])
LABELS = np.array([0, 0, 2])
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
SOFT = np.float32([[0.3, 0.7, 0.0], [1.0, 0.0, 0.0], [0.0, 0.25, 0.75]])
WEIGHT = np.float32([2.0, 0.5, 3.0])


def by_hand(y, c):
    """Loss and gradient in float64, over the classes that are left."""
    z, y = Z.astype(float), y.astype(float) * c
    left = np.isfinite(z)
    total = np.log(np.sum(np.exp(np.where(left, z, -INF)), axis=1, keepdims=True))
    return -np.sum(np.where(left, y * (np.where(left, z, 0) - total), 0), axis=1), np.exp(z - total) * y.sum(
        axis=1, keepdims=True
    ) - y


@pytest.mark.parametrize("labels", [LABELS, ONE_HOT, SOFT], ids=["classes", "one-hot", "soft"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_a_class_that_is_ruled_out_costs_nothing(labels, weight):
    y = np.eye(3)[labels] if labels.ndim == 1 else labels
    value, slope = by_hand(y, 1.0 if weight is None else weight)

    def loss(z):
        return losses.softmax_cross_entropy(z, labels, class_weight=weight)

    np.testing.assert_allclose(loss(Z), value, rtol=1e-6)
    got, slopes = jax.jit(jax.value_and_grad(lambda z: jnp.sum(loss(z))))(Z)
    np.testing.assert_allclose(got, value.sum(), rtol=1e-6)
    np.testing.assert_allclose(slopes, slope, rtol=1e-6, atol=1e-6)
    assert np.isfinite(jax.jit(jax.hessian(lambda z: jnp.sum(loss(z))))(Z)).all()
    np.testing.assert_allclose(losses.weighted_mean(loss(Z)), value.mean(), rtol=1e-6)


def test_a_class_that_came_true_against_certainty_is_infinite():
    def loss(z, smoothing=0.0, **more):
        return losses.softmax_cross_entropy(z, np.array([2, 0, 2]), smoothing=smoothing, **more)

    assert loss(Z).tolist() == pytest.approx([INF, 0, 0.0788897], rel=1e-5)
    assert np.isposinf(loss(Z, smoothing=0.1)).all()  # every class may come true
    assert loss(Z, class_weight=np.float32([1, 1, 0])).tolist() == [0, 0, 0]
    slope = jax.grad(lambda z: jnp.sum(loss(z)))(Z)
    np.testing.assert_allclose(slope[0], [1 / (1 + np.e), np.e / (1 + np.e), -1], rtol=1e-6)
    smooth = jax.grad(lambda s: loss(np.where(np.isinf(Z), -9.0, Z), smoothing=s).sum())(0.0)
    assert smooth > 1  # of finite logits the derivative by the smoothing is kept


def test_a_certain_label_costs_nothing_or_infinitely_much():
    z, y = np.float32([INF, -INF, INF, -INF, 0.0]), np.float32([1, 0, 0, 1, 1])
    loss, slope = jax.jit(jax.vmap(jax.value_and_grad(lambda z, y: losses.sigmoid_cross_entropy(z[None], y[None])[0])))(
        z, y
    )
    np.testing.assert_allclose(loss, [0, 0, INF, INF, np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(slope, [0, 0, 1, -1, -0.5], atol=1e-6)


def test_a_rate_of_nothing_costs_nothing_where_nothing_came():
    z = np.float32([-INF, -INF, 0.0, 60.0, 61.0])
    loss, slope = jax.vmap(jax.value_and_grad(lambda z, y: losses.poisson(z[None], y[None])[0]))(
        z, np.float32([0, 1, 1, 1, 1])
    )
    tangent = np.exp(60.0)
    np.testing.assert_allclose(loss, [0, INF, 1, tangent, 2 * tangent], rtol=1e-6)
    np.testing.assert_allclose(slope, [0, -1, 0, tangent, tangent], rtol=1e-6)
