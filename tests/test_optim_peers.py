"""Optimizers of whole trees against optax, torch and SciPy, where the definitions are the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_problem import START, A, B, gradients, loss

import fnopt.optim as optim

STEPS = 60


@pytest.fixture(autouse=True)
def usual_promotion():
    """What the others are written for."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def started(dtype=jnp.float64):
    return {k: jnp.asarray(v, dtype) for k, v in START.items()}


def ours(optimizer, **numbers):
    state = optimizer.init(started(), **numbers)
    step = jax.jit(lambda state: optimizer.update(state, jax.grad(loss)(state.params)))
    for _ in range(STEPS):
        state = step(state)
    return state


def close(a, b, rtol=1e-5):
    for k, want in b.items():
        assert np.linalg.norm(a[k] - want) <= rtol * np.linalg.norm(want), k


def optax_cases():
    optax = pytest.importorskip("optax")
    return {
        "adafactor": (
            dict(lr=0.003, relative_step=0.0, b1=0.9),
            optax.adafactor(0.003, min_dim_size_to_factor=1, momentum=0.9),
        ),
        "adafactor, steps as they are": (
            dict(lr=0.02, relative_step=0.0, parameter_scale=0.0, clip=0.5, decay=0.5, eps1=1e-3),
            optax.adafactor(0.02, 1, 0.5, eps=1e-3, clipping_threshold=0.5, multiply_by_parameter_scale=False),
        ),
        "muon": (
            dict(lr=0.01, nesterov=0.0, eps=1e-8, weight_decay=0.1, adam_lr=0.003),
            optax.contrib.muon(0.01, nesterov=False, adam_learning_rate=0.003, weight_decay=0.1, adam_weight_decay=0.1),
        ),
        "schedule_free": (
            dict(lr=0.02, lr_power=0.0, beta=0.8, eps=1e-12),
            optax.contrib.schedule_free_adamw(0.02, b1=0.8, eps=1e-12, weight_decay=0.0),
        ),
        "prodigy": (
            dict(d0=1e-3, bias_correction=1.0, eps=1e-12, weight_decay=0.01),
            optax.contrib.prodigy(estim_lr0=1e-3, eps=1e-12, weight_decay=0.01),
        ),
        "prodigy, safeguarded": (
            dict(lr=0.5, d0=1e-3, d_coef=0.5, bias_correction=1.0, safeguard_warmup=1.0, eps=1e-12),
            optax.contrib.prodigy(0.5, estim_lr0=1e-3, estim_lr_coef=0.5, safeguard_warmup=True, eps=1e-12),
        ),
    }


PEERS = ["adafactor", "adafactor, steps as they are", "muon", "schedule_free", "prodigy", "prodigy, safeguarded"]


@pytest.mark.holds("optax")
@pytest.mark.parametrize(("name", "case"), [(case.split(",")[0], case) for case in PEERS], ids=PEERS)
def test_optax_goes_the_same_way(name, case, x64):
    optax, (numbers, peer) = pytest.importorskip("optax"), optax_cases()[case]
    state = ours(optim.by_name(name), **numbers)

    @jax.jit
    def step(params, memory):
        updates, memory = peer.update(jax.grad(loss)(params), memory, params)
        return optax.apply_updates(params, updates), memory

    params, memory = started(), peer.init(started())
    for _ in range(STEPS):
        params, memory = step(params, memory)
    close(state.params, params)
    assert loss(state.params) < loss(started()) - 1
    if case == "schedule_free":
        close(optim.schedule_free.readout(state), optax.contrib.schedule_free_eval_params(memory, params))


@pytest.mark.holds("optax")
@pytest.mark.parametrize("name", ["lbfgs"])
def test_optax_has_the_same_quasi_newton_direction(name, x64):
    optax = pytest.importorskip("optax")
    peer, optimizer = optax.scale_by_lbfgs(memory_size=5), getattr(optim, f"{name}_with")(history=5)
    state, memory = optimizer.init(started(), lr=0.5), peer.init(started())
    direction, update = jax.jit(peer.update), jax.jit(optimizer.update)
    for t in range(20):
        grads = jax.grad(loss)(state.params)
        want, memory = direction(grads, memory, state.params)
        new = update(state, grads)
        if t:  # the first step is as long as 1/‖g‖₁ here and 1/‖g‖₂ there
            close(jax.tree.map(lambda a, b: (a - b) / 0.5, state.params, new.params), want)
        state = new


@pytest.mark.holds("torch")
@pytest.mark.parametrize("name", ["adafactor"])
def test_torch_goes_the_same_way(name, x64):
    """torch's Muon has its five steps in bfloat16, and is no measure of digits."""
    torch = pytest.importorskip("torch")
    p = {k: torch.tensor(v, requires_grad=True) for k, v in START.items()}
    peer = torch.optim.Adafactor(list(p.values()), lr=0.05, eps=(1e-30, 1e-3), d=1.0, weight_decay=0.0)
    for _ in range(STEPS):
        now = gradients({k: v.detach().numpy() for k, v in p.items()})
        for k, v in p.items():
            v.grad = torch.tensor(np.asarray(now[k]))
        peer.step()
    state = ours(optim.by_name(name), lr=0.05)
    close(state.params, {k: v.detach().numpy() for k, v in p.items()}, 1e-12)


@pytest.mark.holds("torch")
@pytest.mark.parametrize("name", ["lbfgs"])
def test_torch_without_a_search_goes_the_same_way(name, x64):
    torch = pytest.importorskip("torch")
    p = [torch.tensor(v, requires_grad=True) for v in START.values()]
    peer = torch.optim.LBFGS(p, lr=0.5, max_iter=1, history_size=10)

    def closure():
        now = gradients({k: v.detach().numpy() for k, v in zip(START, p, strict=True)})
        for v, g in zip(p, now.values(), strict=True):
            v.grad = torch.tensor(np.asarray(g))
        return torch.tensor(0.0)

    state, update = optim.by_name(name).init(started(), lr=0.5), jax.jit(optim.by_name(name).update)
    for _ in range(20):
        peer.step(closure)
        state = update(state, jax.grad(loss)(state.params))
    close(state.params, {k: v.detach().numpy() for k, v in zip(START, p, strict=True)})


# ---- one optimum, whatever the steps: regularized logistic regression on data of its own ----------------------------

RNG = np.random.default_rng(2)
X = RNG.normal(size=(80, 6)) * np.array([1, 3, 0.3, 1, 1, 2])
LABEL = (X @ RNG.normal(size=6) + RNG.normal(size=80) > 0) * 2.0 - 1


def logistic(w):
    return jnp.mean(jnp.logaddexp(0, -jnp.asarray(LABEL) * (jnp.asarray(X) @ w))) + 0.005 * jnp.sum(w**2)


def by_hand(w):
    margin = LABEL * (X @ w)
    value = np.mean(np.logaddexp(0, -margin)) + 0.005 * np.sum(w**2)
    return value, X.T @ (-LABEL / (1 + np.exp(margin))) / len(X) + 0.01 * w


def test_scipy_and_torch_reach_the_same_optimum(x64):
    from scipy.optimize import minimize

    torch = pytest.importorskip("torch")
    update = jax.jit(lambda s: optim.lbfgs.update(s, jax.grad(logistic)(s.params), objective=logistic))
    state = optim.lbfgs.init(jnp.zeros(6))
    for _ in range(40):
        state = update(state)
    found = minimize(by_hand, np.zeros(6), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-10})
    np.testing.assert_allclose(state.params, found.x, rtol=1e-5)

    w, x, label = torch.zeros(6, dtype=torch.float64, requires_grad=True), torch.tensor(X), torch.tensor(LABEL)
    peer = torch.optim.LBFGS([w], max_iter=100, line_search_fn="strong_wolfe", tolerance_grad=1e-10, tolerance_change=0)

    def closure():
        peer.zero_grad()
        zero = torch.zeros((), dtype=torch.float64)
        value = torch.logaddexp(zero, -label * (x @ w)).mean() + 0.005 * (w**2).sum()
        value.backward()
        return value

    peer.step(closure)
    np.testing.assert_allclose(state.params, w.detach().numpy(), rtol=1e-5)


def test_a_quadratic_is_solved_in_few_steps(x64):
    def cost(p):
        return p @ (jnp.asarray(A) @ p / 2 - jnp.asarray(B))

    state = optim.lbfgs.init(jnp.zeros(20))
    update = jax.jit(lambda s: optim.lbfgs.update(s, jax.grad(cost)(s.params), objective=cost))
    for _ in range(25):
        state = update(state)
    np.testing.assert_allclose(state.params, np.linalg.solve(A, B), rtol=1e-6)
