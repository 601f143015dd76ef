"""Second derivatives by a learning rate, with a leaf whose gradient is 0: finite and right, unrolled and scanned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import optim

STEPS = 2  # from the second on a moment depends on what a first step did
WRAPPERS = {
    "ema": optim.ema,
    "lookahead": optim.lookahead,
    "clip_by_global_norm": optim.clip_by_global_norm,
    "clip_by_value": optim.clip_by_value,
    "adaptive_clip": optim.adaptive_clip,
    "accumulate": optim.accumulate,
    "skip_nonfinite": optim.skip_nonfinite,
    "gradient_noise": optim.gradient_noise,
    "compact": optim.compact,
}
CASES = {**optim.TABLE, **{f"{name}(adam)": wrap(optim.adam) for name, wrap in WRAPPERS.items()}}


def cost(p):
    return 0.05 * jnp.sum(jnp.square(p["w"])) + 0.01 * jnp.sum(p["w"] ** 4)


def ends(optimizer, scanned):
    """The learning rate -> a number of the parameters after some steps; ``b`` never has a gradient."""

    def step(state, _):
        more = {"objective": cost} if optimizer.wants_objective else {}
        return optimizer.update(state, jax.grad(cost)(state.params), **more), None

    def end(lr):
        state = optimizer.init({"w": jnp.array([1.0, -0.5]), "b": jnp.zeros(2)}, lr=lr)
        if scanned:
            state = jax.lax.scan(step, state, None, length=STEPS)[0]
        else:
            for _ in range(STEPS):
                state = step(state, None)[0]
        return sum(jnp.sum(jnp.square(x + 1)) for x in jax.tree.leaves(state.params))

    return end


QUICK = ("adam", "adafactor")  # a square root, means of squares: all others hold in slow


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_second_derivatives_are_finite_and_right(name, x64):
    optimizer = CASES[name]
    lr = min(optimizer.lr, 0.1)
    scanned = ends(optimizer, True)
    slope = jax.grad(scanned)

    @jax.jit
    def all_ways(lr, h):
        ways = [jax.jacfwd(slope), jax.jacrev(jax.jacfwd(scanned))]
        return jnp.stack([way(lr) for way in ways]), (slope(lr + h) - slope(lr - h)) / (2 * h)

    ways, difference = all_ways(lr, 1e-4 * lr)
    assert np.isfinite(ways).all()
    np.testing.assert_allclose(ways, np.full(2, ways[1]), rtol=1e-8)
    np.testing.assert_allclose(ways[0], difference, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adam", "adafactor", "muon"])
def test_unrolled_as_scanned(name, x64):
    lr = optim.TABLE[name].lr
    scanned, unrolled = (jax.jit(jax.hessian(ends(optim.TABLE[name], s)))(lr) for s in (True, False))
    np.testing.assert_allclose(scanned, unrolled, rtol=1e-8)


def test_the_decays_too_from_0_on(x64):
    def end(b):
        def step(state, _):
            return optim.adam.update(state, jax.grad(cost)(state.params)), None

        state = optim.adam.init({"w": jnp.array([1.0, -0.5]), "b": jnp.zeros(2)}, lr=0.1, b1=b[0], b2=b[1])
        return cost(jax.lax.scan(step, state, None, length=STEPS)[0].params)

    assert np.isfinite(jax.jit(jax.hessian(end))(jnp.array([0.0, 0.0]))).all()
