"""The same weights, batches and numbers give torch's trajectory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt.optim

torch = pytest.importorskip("torch")

STEPS, BATCH = 200, 16
RNG = np.random.default_rng(1)
X = RNG.normal(size=(64, 4)).astype(np.float32)
Y = RNG.normal(size=(64, 2)).astype(np.float32)
W1, W2 = (RNG.normal(size=s).astype(np.float32) / 2 for s in ((4, 6), (6, 2)))
BATCHES = np.concatenate([RNG.permutation(64) for _ in range(STEPS * BATCH // 64)]).reshape(STEPS, BATCH)

CASES = [
    ("sgd", {"lr": 0.1}, "SGD", {"lr": 0.1}),
    ("momentum", {"lr": 0.1, "first_dampening": 0.0}, "SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.9}),
    ("momentum", {"lr": 0.02, "dampening": 0.0}, "SGD", {"lr": 0.02, "momentum": 0.9}),
    ("nesterov", {"lr": 0.02, "beta": 0.8}, "SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True}),
    (
        "rmsprop",
        {"lr": 1e-3, "beta": 0.99, "eps": 1e-8, "eps_root": 0.0},
        "RMSprop",
        {"lr": 1e-3, "alpha": 0.99, "eps": 1e-8},
    ),
    ("adam", {"lr": 3e-3}, "Adam", {"lr": 3e-3}),
    ("adam", {"lr": 3e-3, "b1": 0.8, "b2": 0.99}, "Adam", {"lr": 3e-3, "betas": (0.8, 0.99)}),
    ("adamw", {"lr": 3e-3, "weight_decay": 0.01}, "AdamW", {"lr": 3e-3, "weight_decay": 0.01}),
    ("adagrad", {"lr": 0.01}, "Adagrad", {"lr": 0.01}),
    ("adagrad", {"lr": 0.01, "eps_root": 0.1}, "Adagrad", {"lr": 0.01, "initial_accumulator_value": 0.1}),
    ("adadelta", {}, "Adadelta", {"lr": 1.0}),
    (
        "rmsprop_centred",
        {"lr": 1e-3, "beta": 0.99, "momentum": 0.9, "eps": 1e-3, "eps_root": 0.0},
        "RMSprop",
        {"lr": 1e-3, "centered": True, "momentum": 0.9, "eps": 1e-3},
    ),
    (
        "rmsprop_centred",
        {"lr": 1e-3, "beta": 0.99, "centred": 0.0, "momentum": 0.5, "eps": 1e-8, "eps_root": 0.0},
        "RMSprop",
        {"lr": 1e-3, "momentum": 0.5},
    ),
    ("amsgrad", {"lr": 3e-3}, "Adam", {"lr": 3e-3, "amsgrad": True}),
    ("nadam", {"lr": 2e-3, "momentum_decay": 4e-3}, "NAdam", {}),
    ("nadam", {"lr": 2e-3, "b1": 0.8, "momentum_decay": 0.1}, "NAdam", {"betas": (0.8, 0.999), "momentum_decay": 0.1}),
    ("radam", {"lr": 3e-3, "eps_correction": 1.0}, "RAdam", {"lr": 3e-3}),
    (
        "radam",
        {"lr": 3e-3, "b2": 0.9, "eps": 1e-2, "eps_correction": 1.0},
        "RAdam",
        {"lr": 3e-3, "betas": (0.9, 0.9), "eps": 1e-2},
    ),
    ("adamax", {"lr": 2e-3}, "Adamax", {}),
    ("rprop", {"lr": 0.01, "min_step": 1e-3}, "Rprop", {"lr": 0.01, "step_sizes": (1e-3, 50)}),
    (
        "rprop",
        {"lr": 0.01, "eta_plus": 1.5, "eta_minus": 0.3, "min_step": 1e-3, "max_step": 0.05},
        "Rprop",
        {"lr": 0.01, "etas": (0.3, 1.5), "step_sizes": (1e-3, 0.05)},
    ),
]


def ours(name, numbers):
    optimizer = fnopt.optim.by_name(name)

    def loss(p, x, y):
        return jnp.mean((jnp.tanh(x @ p["w1"] + p["b1"][None, :]) @ p["w2"] + p["b2"][None, :] - y) ** 2)

    def step(state, batch):
        grads = jax.grad(loss)(state.params, jnp.asarray(X)[batch], jnp.asarray(Y)[batch])
        return optimizer.update(state, grads), None

    start = {"w1": jnp.asarray(W1), "b1": jnp.zeros(6), "w2": jnp.asarray(W2), "b2": jnp.zeros(2)}
    return jax.lax.scan(step, optimizer.init(start, **numbers), jnp.asarray(BATCHES))[0].params


def theirs(name, numbers):
    start = {"w1": W1, "b1": np.zeros(6, np.float32), "w2": W2, "b2": np.zeros(2, np.float32)}
    p = {k: torch.tensor(v, requires_grad=True) for k, v in start.items()}
    optimizer = getattr(torch.optim, name)(list(p.values()), **numbers)
    for batch in BATCHES:
        optimizer.zero_grad()
        x, y = torch.from_numpy(X[batch]), torch.from_numpy(Y[batch])
        output = torch.tanh(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
        torch.mean((output - y) ** 2).backward()
        optimizer.step()
    return {k: v.detach().numpy() for k, v in p.items()}


@pytest.mark.holds("torch")
@pytest.mark.parametrize(
    ("name", "numbers", "peer", "settings"), CASES, ids=[c[0] + str(i) for i, c in enumerate(CASES)]
)
def test_same_trajectory(name, numbers, peer, settings):
    got, want = ours(name, numbers), theirs(peer, settings)
    for k in want:
        assert np.linalg.norm(np.asarray(got[k]) - want[k]) <= 1e-5 * np.linalg.norm(want[k]), k
