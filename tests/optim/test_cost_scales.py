"""A cost of another unit: what does not depend on its scale takes the same path from 1e-20 to 1e15 and beyond."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import optim
from fnopt.optim._trust import norm

START = {"w": jnp.array([[3.0, -2.0, 0.5], [1.0, 2.0, -1.0]]), "b": jnp.array([0.3, -0.2])}
SCALES = (1.0, 1e-25, 1e-20, 1e-17, 1e-10, 1e8, 1e15, 1e22)
SQUARES = (1.0, 1e-15, 1e-10, 1e8, 1e15)  # where the squares of gradients, which these keep, are in float32's range


def cost(scale, p):
    return scale * (jnp.sum(jnp.square(p["w"]) * jnp.array([[1.0, 2.0, 3.0]])) + 5 * jnp.sum(jnp.square(p["b"])))


def path(optimizer, numbers, scales, steps=8):
    """The parameters after each step, of each scale: shape=(scales, steps, entries)."""

    @jax.jit
    @jax.vmap
    def run(scale):
        def step(state, _):
            f = partial(cost, scale)
            more = {"objective": f} if optimizer.wants_objective else {}
            state = optimizer.update(state, jax.grad(f)(state.params), **more)
            return state, jnp.concatenate([jnp.ravel(x) for x in jax.tree.leaves(state.params)])

        return jax.lax.scan(step, optimizer.init(START, **numbers), None, length=steps)[1]

    return np.asarray(run(jnp.array(scales)))


@pytest.mark.parametrize(
    ("optimizer", "numbers", "scales"),
    [
        (optim.lbfgs, {}, SCALES),
        (optim.lars, dict(lr=1.0), SCALES),
        (optim.lion, dict(lr=1e-2), SCALES),
        (optim.rprop, dict(lr=1e-2), SCALES),
        (optim.muon_with(), dict(lr=0.02, eps=0.0, adam_eps=0.0), SQUARES),
        (optim.lamb, dict(lr=1e-2, eps=0.0), SQUARES),
        (optim.adafactor, dict(eps1=0.0), SQUARES),
        (optim.prodigy, dict(eps=0.0), SQUARES),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_the_path_does_not_depend_on_the_scale(optimizer, numbers, scales):
    paths = path(optimizer, numbers, scales)
    for scale, got in zip(scales, paths, strict=True):
        np.testing.assert_allclose(got, paths[0], rtol=2e-4, atol=2e-6, err_msg=f"{scale:g}")


def test_norms_of_any_size_with_their_derivatives():
    x = jnp.array([3.0, -4.0])
    for unit in (1e-36, 1e-20, 1.0, 1e18, 1e37):
        value, slope = jax.value_and_grad(norm)(unit * x)
        np.testing.assert_allclose(value, np.float32(5 * unit), rtol=1e-6)
        np.testing.assert_allclose(slope, [0.6, -0.8], rtol=1e-6)
    assert norm(jnp.zeros(2)) == 0 and np.isfinite(jax.grad(norm)(jnp.zeros(2))).all()
    assert norm(jnp.array([jnp.inf, 1.0])) == np.inf and jnp.isnan(norm(jnp.array([jnp.nan, 1.0])))


def test_a_small_quadratic_is_minimised():
    update = jax.jit(lambda s: optim.lbfgs.update(s, jax.grad(f)(s.params), objective=f))
    f = partial(cost, 1e-20)
    state = optim.lbfgs.init(START)
    for _ in range(12):
        state = update(state)
    assert max(float(jnp.abs(x).max()) for x in jax.tree.leaves(state.params)) < 1e-6
