"""Worked examples: a line by descent, weight decay from the L2 penalty, and what each optimizer is meant to do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt.optim import (
    adabelief,
    adagrad,
    adam,
    amsgrad,
    lamb,
    lars,
    lion,
    momentum,
    nesterov,
    rmsprop,
    rmsprop_centred,
    rprop,
    sgd,
    yogi,
)

X = np.array([0.03, 0.19, 0.34, 0.46, 0.78, 0.81, 1.08, 1.18, 1.39, 1.60])
Y = np.array([0.67, 0.85, 1.05, 1.00, 1.40, 1.50, 1.30, 1.54, 1.55, 1.68])


def line_loss(phi):
    return jnp.sum((phi[0] + phi[1] * jnp.asarray(X) - jnp.asarray(Y)) ** 2)


def line_gradient(phi):
    """Σ [2 (f − y), 2 x (f − y)]ᵀ."""
    error = phi[0] + phi[1] * X - Y
    return np.array([np.sum(2 * error), np.sum(2 * X * error)])


def test_line_by_gradient_descent_is_the_hand_calculation(x64):
    phi, state = np.array([2.0, -1.0]), sgd.init(jnp.array([2.0, -1.0]), lr=0.02)
    update, slope = jax.jit(sgd.update), jax.jit(jax.grad(line_loss))
    for _ in range(30):
        np.testing.assert_allclose(slope(state.params), line_gradient(phi), rtol=1e-12)
        phi, state = phi - 0.02 * line_gradient(phi), update(state, slope(state.params))
        np.testing.assert_allclose(state.params, phi, rtol=1e-12)


@pytest.mark.parametrize(("optimizer", "lr"), [(sgd, 0.03), (momentum, 0.05), (nesterov, 0.01)], ids=lambda x: str(x))
def test_line_reaches_least_squares(optimizer, lr, x64):
    def step(state, _):
        return optimizer.update(state, jax.grad(line_loss)(state.params)), None

    state, _ = jax.lax.scan(step, optimizer.init(jnp.array([2.0, -1.0]), lr=lr), None, length=2000)
    np.testing.assert_allclose(state.params, np.polyfit(X, Y, 1)[::-1], rtol=1e-9)


def test_l2_penalty_is_weight_decay(x64):
    """With J = J₀ + (λ/2m) ‖W‖² the step is (1 − αλ/m) W − α ∂J₀/∂W; with λ Σ w² it is (1 − 2αλ) W − α ∂J₀/∂W."""
    rng = np.random.default_rng(3)
    w, x, y = jnp.asarray(rng.normal(size=(3, 2))), jnp.asarray(rng.normal(size=(7, 3))), jnp.zeros((7, 2))
    lr, strength, m = 0.3, 0.5, 7

    def cost(w):
        return jnp.mean(jnp.sum((jnp.tanh(x @ w) - y) ** 2, 1))

    for penalty, decay in ((strength / (2 * m), strength / m), (strength, 2 * strength)):
        grads = jax.grad(lambda w, s=penalty: cost(w) + s * jnp.sum(w**2))(w)
        got = sgd.update(sgd.init(w, lr=lr), grads).params
        np.testing.assert_allclose(got, (1 - lr * decay) * w - lr * jax.grad(cost)(w), rtol=1e-13)


def test_momentum_averages_and_nesterov_accumulates():
    """Under a constant gradient the averaged form tends to steps of lr g, the classical one to lr g/(1 − β)."""
    for optimizer, numbers, length in (
        (momentum, {}, 1.0),
        (momentum, {"dampening": 0.0}, 10.0),
        (nesterov, {}, 10.0),
    ):
        state = optimizer.init(jnp.zeros(()), lr=0.1, **numbers)
        for _ in range(150):
            before, state = state.params, optimizer.update(state, jnp.ones(()))
        assert float(before - state.params) == pytest.approx(0.1 * length, rel=1e-4)


def test_lr_inside_changes_nothing_while_the_rate_stands_still(x64):
    ends = []
    for k in (0.0, 0.5, 1.0):
        state = momentum.init(jnp.ones(3), lr=0.1, lr_inside=k)
        for t in range(20):
            state = momentum.update(state, state.params * (1 + t))
        ends.append(state.params)
    # at k in between, lr is split in two factors: a b = lr only at the ends
    np.testing.assert_allclose(ends[0], ends[2], rtol=1e-12)
    assert not np.allclose(ends[0], ends[1])


def test_a_tiny_rate_inside_keeps_its_digits():
    state = momentum.init(jnp.zeros(()), lr=1e-6, lr_inside=1.0, dampening=0.0)
    assert float(momentum.update(state, jnp.ones(())).params) == pytest.approx(-1e-6, rel=1e-6)


@pytest.mark.parametrize(("optimizer", "numbers"), [(adam, {"eps": 0.0}), (rmsprop, {"eps_root": 0.0}), (adagrad, {})])
def test_scale_of_the_gradient_does_not_matter(optimizer, numbers):
    ends = []
    for scale in (1.0, 1024.0):  # a power of two: exact in floating point
        state = optimizer.init(jnp.array([1.0, -2.0]), lr=0.1, **numbers)
        for t in range(10):
            state = optimizer.update(state, scale * jnp.array([1.0 + t, -3.0]))
        ends.append(np.asarray(state.params))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)


def moves(optimizer, grads, start=0.0, **numbers):
    """How far each of these gradients moves one parameter."""
    state, moved = optimizer.init(jnp.asarray(start, jnp.float32), **numbers), []
    for g in grads:
        before, state = state.params, optimizer.update(state, jnp.float32(g))
        moved.append(abs(float(state.params - before)))
    return moved


def test_centred_rmsprop_without_centre_and_momentum_is_rmsprop():
    grads = np.random.default_rng(5).normal(size=20)
    numbers = {"lr": 0.01, "beta": 0.8, "eps": 0.1, "eps_root": 1e-3}
    plain = moves(rmsprop, grads, **numbers)
    np.testing.assert_allclose(moves(rmsprop_centred, grads, centred=0.0, **numbers), plain, rtol=1e-4)
    assert moves(rmsprop_centred, [1.0] * 5, lr=0.01)[-1] > 1.2 * moves(rmsprop, [1.0] * 5, lr=0.01)[-1]


def test_centred_rmsprop_bears_a_mean_square_that_rounding_puts_below_the_squared_mean():
    grads = jnp.linspace(0.1, 3.0, 64)
    state = rmsprop_centred.init(jnp.zeros(64), lr=1e-3, eps=1e-3, eps_root=0.0)
    state = jax.lax.scan(lambda s, _: (rmsprop_centred.update(s, grads), None), state, None, length=400)[0]
    assert (np.asarray(state.memory.s) < np.asarray(state.memory.g) ** 2).any()
    assert np.isfinite(state.params).all()


def test_a_large_gradient_is_kept_in_mind():
    """After it Adam's steps grow again within 1/(1 − b2) steps; Yogi's later, and AMSGrad's never."""
    grads, numbers = [10.0] + [0.1] * 100, {"lr": 0.1, "b1": 0.0, "b2": 0.9, "eps": 0.0}
    last = {o.name: moves(o, grads, **numbers)[-1] for o in (adam, amsgrad, yogi)}
    assert last["adam"] == pytest.approx(0.1, rel=0.1)
    assert last["yogi"] < 0.01
    # v stays (1 − b2) 10², its correction is over
    assert last["amsgrad"] == pytest.approx(0.1 * 0.1 / np.sqrt(0.1 * 100), rel=1e-3)


def test_belief_lengthens_steps_that_were_expected():
    """Under a constant gradient (g − m)² dies out, while Adam's step is lr."""
    assert moves(adabelief, [1.0] * 50, lr=0.1)[-1] > 2 * moves(adam, [1.0] * 50, lr=0.1)[-1]


def test_lion_steps_are_all_of_one_length():
    np.testing.assert_allclose(moves(lion, [1e-6, 3.0, -1e4, 2.0], lr=0.25), 0.25)


@pytest.mark.parametrize(("optimizer", "numbers"), [(lamb, {}), (lars, {"trust_coefficient": 1.0})])
def test_a_step_is_as_long_as_its_leaf_says(optimizer, numbers):
    """A step has the length lr ‖p‖ in every leaf, however large the gradient; a leaf of zeros moves all the same."""
    params = {"long": jnp.array([30.0, 40.0]), "short": jnp.array([0.3, -0.4]), "zero": jnp.zeros(2)}
    grads = {"long": jnp.array([1e-3, 2e-3]), "short": jnp.array([1e3, 0.0]), "zero": jnp.array([1.0, -1.0])}
    after = optimizer.update(optimizer.init(params, lr=0.1, eps=0.0, **numbers), grads).params
    length = {k: float(jnp.linalg.norm(after[k] - params[k])) for k in params}
    assert [length["long"], length["short"]] == pytest.approx([5.0, 0.05], rel=1e-5)
    np.testing.assert_allclose(after["zero"], [-0.1, 0.1], rtol=1e-6)


def test_rprop_sees_signs_only():
    """s grows by η₊ up to the bound; a turn shortens it and waits. Squares of such gradients are 0 in float32."""
    grads = np.array([1, 1, 1, 1, -1, -1, -1]) * 1e-30
    want = [0.1, 0.15, 0.225, 0.25, 0.0, 0.125, 0.1875]
    assert moves(rprop, grads, lr=0.1, eta_plus=1.5, max_step=0.25) == pytest.approx(want, rel=1e-5)
