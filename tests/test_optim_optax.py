"""The same gradients and numbers give optax's trajectory, in float64, where the definitions agree or a number of ours
bridges them. In float32 optax's RAdam loses the digits of ρ, by which the two would differ.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_problem import START, loss

import fnopt.optim

optax = pytest.importorskip("optax")

STEPS = 300


def falling(step):
    return 0.01 / (1 + 0.1 * step)


class Falling:
    """The same as a schedule of ours."""

    def __call__(self, step):
        return falling(jnp.asarray(step, jnp.result_type(float)))


jax.tree_util.register_static(Falling)


def yogi_from_zero(learning_rate, initial):
    """optax's own gives the first v to m too."""
    chained = optax.chain(optax.scale_by_yogi(), optax.scale_by_learning_rate(learning_rate))

    def init(params):
        moments, scale = chained.init(params)
        v = jax.tree.map(lambda p: jnp.full_like(p, initial), params)
        return moments._replace(mu=jax.tree.map(jnp.zeros_like, params), nu=v), scale

    return optax.GradientTransformation(init, chained.update)


CASES = [
    ("sgd", {"lr": 0.05}, lambda: optax.sgd(0.05)),
    ("momentum", {"lr": 0.01, "dampening": 0.0}, lambda: optax.sgd(0.01, momentum=0.9)),
    ("nesterov", {"lr": 0.01}, lambda: optax.sgd(0.01, momentum=0.9, nesterov=True)),
    ("rmsprop", {"lr": 1e-4}, lambda: optax.rmsprop(1e-4)),
    ("adam", {"lr": 0.01, "eps_root": 1e-3}, lambda: optax.adam(0.01, eps_root=1e-3)),
    ("adamw", {"lr": 0.01}, lambda: optax.adamw(0.01)),
    ("adagrad", {"lr": 0.05, "eps": 0.0, "eps_root": 0.1 + 1e-7}, lambda: optax.adagrad(0.05)),
    ("adadelta", {"lr": 0.1}, lambda: optax.adadelta(0.1)),
    (
        "rmsprop_centred",
        {"lr": Falling(), "momentum": 0.5, "eps_root": 0.01, "lr_inside": 1.0},
        lambda: optax.rmsprop(falling, eps=0.01, centered=True, momentum=0.5),
    ),
    (
        "rmsprop_centred",
        {"lr": 1e-3, "centred": 0.0, "bias_correction": 1.0},
        lambda: optax.rmsprop(1e-3, bias_correction=True),
    ),
    ("amsgrad", {"lr": 0.01, "corrected_maximum": 1.0}, lambda: optax.amsgrad(0.01)),
    (
        "amsgrad",
        {"lr": 0.01, "bias_correction": 0.0},
        lambda: optax.chain(
            optax.scale_by_amsgrad(bias_correction_mu=False, bias_correction_nu=False),
            optax.scale_by_learning_rate(0.01),
        ),
    ),
    ("nadam", {"lr": 0.01}, lambda: optax.nadam(0.01)),
    ("radam", {"lr": 0.01}, lambda: optax.radam(0.01)),
    ("radam", {"lr": 0.01, "b2": 0.98, "threshold": 10.0}, lambda: optax.radam(0.01, b2=0.98, threshold=10.0)),
    ("adamax", {"lr": 0.01}, lambda: optax.adamax(0.01)),
    ("adabelief", {"lr": 1e-3}, lambda: optax.adabelief(1e-3)),
    ("adabelief", {"lr": 0.01, "eps": 0.01, "eps_root": 1e-4}, lambda: optax.adabelief(0.01, eps=0.01, eps_root=1e-4)),
    ("yogi", {"lr": 0.01}, lambda: yogi_from_zero(0.01, 1e-6)),
    ("yogi", {"lr": 0.01, "initial": 0.1}, lambda: yogi_from_zero(0.01, 0.1)),
    ("lion", {"lr": 1e-4, "weight_decay": 1e-3}, lambda: optax.lion(1e-4)),
    ("lamb", {"lr": 0.003, "weight_decay": 0.01}, lambda: optax.lamb(0.003, weight_decay=0.01)),
    ("lars", {"lr": Falling(), "trust_coefficient": 0.1}, lambda: optax.lars(falling, trust_coefficient=0.1)),
    ("lars", {"lr": 0.1, "weight_decay": 0.1, "norm_of_sum": 1.0}, lambda: optax.lars(0.1, weight_decay=0.1)),
]


@pytest.mark.holds("optax")
@pytest.mark.parametrize(("name", "numbers", "peer"), CASES, ids=[f"{c[0]}{i}" for i, c in enumerate(CASES)])
def test_same_trajectory(name, numbers, peer, x64):
    ours, theirs = fnopt.optim.by_name(name), peer()
    start = {k: jnp.asarray(v, jnp.float64) for k, v in START.items()}

    def step(carry, _):
        state, (params, memory) = carry
        updates, memory = theirs.update(jax.grad(loss)(params), memory, params)
        return (ours.update(state, jax.grad(loss)(state.params)), (optax.apply_updates(params, updates), memory)), None

    both = ours.init(start, **numbers), (start, theirs.init(start))
    with jax.numpy_dtype_promotion("standard"):  # theirs needs it
        (state, (want, _)), _ = jax.jit(lambda c: jax.lax.scan(step, c, None, length=STEPS))(both)
    for k in want:
        assert np.linalg.norm(state.params[k] - want[k]) <= 1e-9 * np.linalg.norm(want[k]), k


def test_rprop_is_a_call_late_elsewhere():
    """While no sign turns, optax's position after one call more is ours."""
    theirs, grads = optax.rprop(0.01), jnp.array([1.0, -2.0])
    state, params = fnopt.optim.rprop.init(jnp.zeros(2), lr=0.01), jnp.zeros(2)
    memory = theirs.init(params)
    for _ in range(10):
        updates, memory = theirs.update(grads, memory, params)
        params = params + updates
        np.testing.assert_allclose(params, state.params, rtol=1e-6)
        state = fnopt.optim.rprop.update(state, grads)
