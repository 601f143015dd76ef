"""A random quadratic and a small tanh net, side by side in one tree, with their gradient by hand."""

import jax.numpy as jnp
import numpy as np

RNG = np.random.default_rng(0)
ROTATION = np.linalg.qr(RNG.normal(size=(20, 20)))[0]
A = ROTATION @ np.diag(np.linspace(0.5, 2.0, 20)) @ ROTATION.T
B = RNG.normal(size=20)
X, Y = RNG.normal(size=(16, 3)), RNG.normal(size=(16, 2))
START = {
    "quadratic": RNG.normal(size=20),
    "w1": RNG.normal(size=(3, 5)),
    "b1": np.zeros(5),
    "w2": RNG.normal(size=(5, 2)),
    "b2": np.zeros(2),
}


def loss(p):
    a, b, x, y = (jnp.asarray(v, p["w1"].dtype) for v in (A, B, X, Y))
    hidden = jnp.tanh(x @ p["w1"] + p["b1"][None, :])
    error = hidden @ p["w2"] + p["b2"][None, :] - y
    return p["quadratic"] @ (a @ p["quadratic"] / 2 - b) + jnp.mean(jnp.sum(error**2, 1))


def gradients(p):
    """The same by hand: dz2 = 2 (f − y)/m, dz1 = dz2 W2ᵀ (1 − a²)."""
    hidden = np.tanh(X @ p["w1"] + p["b1"])
    dz2 = 2 * (hidden @ p["w2"] + p["b2"] - Y) / len(X)
    dz1 = dz2 @ p["w2"].T * (1 - hidden**2)
    net = {"w1": X.T @ dz1, "b1": dz1.sum(0), "w2": hidden.T @ dz2, "b2": dz2.sum(0)}
    return {"quadratic": A @ p["quadratic"] - B, **net}
