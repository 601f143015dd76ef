"""Wrappers around an optimizer that searches along the objective, which must stay one function with the gradient."""

import jax
import jax.numpy as jnp
import numpy as np

from fnopt import optim


def descended(optimizer, objective, start, steps, **numbers):
    state = optimizer.init(jnp.asarray(start), lr=1.0, **numbers)

    @jax.jit
    def update(state):
        value, grads = jax.value_and_grad(objective)(state.params)
        return optimizer.update(state, grads, loss=value, objective=objective)

    for _ in range(steps):
        state = update(state)
    return np.asarray(state.params)


def test_coupled_decay_is_in_what_is_searched():
    """½ (4 (w₀ − 3)² + (w₁ + 4)²) + ¼ ‖w‖² has its minimum at 12/4.5 and −4/1.5."""
    decayed = optim.decay_by_path(optim.lbfgs, {"*": 0.5})
    end = descended(decayed, lambda w: (4 * (w[0] - 3) ** 2 + (w[1] + 4) ** 2) / 2, [0.0, 0.0], 30, decay_coupling=1.0)
    np.testing.assert_allclose(end, [12 / 4.5, -4 / 1.5], rtol=1e-5)


def test_a_clipped_gradient_still_leads_to_the_minimum():
    """On Rosenbrock's valley, where pairs of two different functions would stall it."""
    end = descended(
        optim.clip_by_global_norm(optim.lbfgs),
        lambda w: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2,
        [-1.2, 1.0],
        100,
        max_norm=1.0,
    )
    np.testing.assert_allclose(end, [1.0, 1.0], atol=1e-3)


def test_gathered_batches_are_not_searched_on_the_last_of_them():
    """A cost that differs between the batches by a constant must not hold the step up."""
    optimizer = optim.accumulate(optim.lbfgs)
    state = optimizer.init(jnp.array([3.0, -4.0]), lr=0.5, every_k=2)
    for k in range(20):
        objective = lambda w, k=k: jnp.sum(jnp.square(w)) / 2 + 100.0 * (k % 2)  # noqa: E731
        value, grads = jax.value_and_grad(objective)(state.params)
        state = optimizer.update(state, grads, loss=value, objective=objective)
    assert float(jnp.linalg.norm(state.params)) < 0.1


def test_a_number_out_of_range_shows_through_a_wrapper_that_skips():
    optimizer = optim.clip_by_global_norm(optim.skip_nonfinite(optim.sgd))
    state = optimizer.init(jnp.ones(2), lr=0.1)
    with_norm = jax.jit(lambda m: optimizer.update(state._replace(hyper=state.hyper._replace(max_norm=m)), jnp.ones(2)))
    assert np.isnan(with_norm(-1.0).params).all()
    assert np.isfinite(with_norm(1.0).params).all()
