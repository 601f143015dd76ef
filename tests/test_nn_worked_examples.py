"""Examples worked by hand, to the last printed digit: forward pass, XOR, backward pass, fading signals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn


def layers(*pairs):
    """Parameters from (weight, bias) of each layer."""
    names = [f"hidden_{i}" for i in range(len(pairs) - 1)] + ["output"]
    return {
        name: {"weight": jnp.array(w, jnp.float32), "bias": jnp.array(b, jnp.float32)}
        for name, (w, b) in zip(names, pairs, strict=True)
    }


def cross_entropy(z, y):
    """−[y log a + (1 − y) log(1 − a)] with a = sigmoid(z)."""
    return jnp.logaddexp(z, 0.0) - z * y


def test_w1_two_relu_units_and_a_sigmoid():
    net = nn.mlp(hidden=(2,), out=1, output="sigmoid")
    params = layers(([[0.2, 0.4], [0.3, 0.5]], [0.1, 0.2]), ([[0.6], [0.7]], [0.1]))
    x = jnp.array([0.2, 0.4])
    assert float(net.forward(params, (), x)[0][0]) == pytest.approx(0.643824, abs=5e-7)
    logits, _ = nn.mlp(hidden=(2,), out=1).forward(params, (), x)
    assert float(logits[0]) == pytest.approx(0.592, abs=5e-7)


class TestXor:
    """W2: gradients summed over the batch, ReLU'(0) = 0, batch 2, learning rate 0.1, three epochs, no shuffle."""

    net = nn.mlp(hidden=(2,), out=1)
    x = jnp.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = jnp.array([0.0, 1.0, 1.0, 0.0])
    start = layers(([[0.1, 0.2], [0.3, 0.4]], [0, 0]), ([[0.5], [0.6]], [0]))

    def losses(self, params, rows=slice(None)):
        return cross_entropy(self.net.forward(params, (), self.x[rows])[0][:, 0], self.y[rows])

    def train(self, steps):
        @jax.jit
        def update(params, rows):
            gradients = jax.grad(lambda p: self.losses(p, rows).sum())(params)
            return jax.tree.map(lambda p, g: p - 0.1 * g, params, gradients)

        params = self.start
        for step in range(steps):
            params = update(params, np.array([0, 1]) if step % 2 == 0 else np.array([2, 3]))
        return params

    def test_first_batch(self):
        signals = self.net.activations(self.start, (), self.x[:2])
        np.testing.assert_allclose(signals["hidden_0"], [[0, 0], [0.3, 0.4]], atol=1e-6)
        z = signals["output"][:, 0]
        np.testing.assert_allclose(z, [0, 0.39], atol=1e-6)
        np.testing.assert_allclose(nn.sigmoid(z), [0.5, 0.596], atol=5e-4)
        np.testing.assert_allclose(self.losses(self.start, slice(0, 2)), [0.69, 0.52], atol=5e-3)
        dz = jax.grad(lambda z: cross_entropy(z, self.y[:2]).sum())(z)
        np.testing.assert_allclose(dz, [0.5, -0.404], atol=5e-4)
        hidden = jax.grad(lambda a: cross_entropy((a @ self.start["output"]["weight"])[:, 0], self.y[:2]).sum())
        expected = [[0.25, 0.3], [-0.20186, -0.24223]]
        np.testing.assert_allclose(hidden(signals["hidden_0"]), expected, atol=5e-6)

    @pytest.mark.parametrize(
        ("steps", "w1", "b1", "w2", "b2"),
        [
            (
                1,
                [[0.1, 0.2], [0.320186, 0.424223]],
                [0.020186, 0.024223],
                [[0.512112], [0.616149]],
                [-0.009628],
            ),
            (
                6,
                [[0.074718, 0.169688], [0.265828, 0.358823]],
                [0.011469, 0.013609],
                [[0.471828], [0.559594]],
                [-0.073926],
            ),
        ],
        ids=["one step", "three epochs"],
    )
    def test_weights(self, steps, w1, b1, w2, b2):
        got = self.train(steps)
        for layer, part, expected in (
            ("hidden_0", "weight", w1),
            ("hidden_0", "bias", b1),
            ("output", "weight", w2),
            ("output", "bias", b2),
        ):
            np.testing.assert_allclose(got[layer][part], expected, atol=1e-6)

    def test_outputs_and_loss_after_three_epochs(self):
        end = self.train(6)
        z = self.net.forward(end, (), self.x)[0][:, 0]
        np.testing.assert_allclose(nn.sigmoid(z), [0.48478, 0.56594, 0.51732, 0.59761], atol=5e-6)
        assert float(self.losses(self.start).mean()) == pytest.approx(0.708447, abs=1e-6)
        assert float(self.losses(end).mean()) == pytest.approx(0.700464, abs=1e-6)


def test_backward_pass_by_hand():
    # 2-2-2 sigmoid net, ½ squared error, learning rate 0.5, biases kept; rows of the source are our columns
    net = nn.mlp(hidden=(2,), out=2, activation="sigmoid", output="sigmoid")
    params = layers(([[0.15, 0.25], [0.20, 0.30]], [0.35] * 2), ([[0.40, 0.50], [0.45, 0.55]], [0.60] * 2))
    x, target = jnp.array([0.05, 0.10]), jnp.array([0.01, 0.99])

    def error(params):
        return 0.5 * jnp.square(target - net.forward(params, (), x)[0]).sum()

    np.testing.assert_allclose(net.forward(params, (), x)[0], [0.75136507, 0.77292847], atol=1e-7)
    assert float(error(params)) == pytest.approx(0.298371109, abs=1e-7)
    gradients = jax.jit(jax.grad(error))(params)
    new = {
        name: {"weight": layer["weight"] - 0.5 * gradients[name]["weight"], "bias": layer["bias"]}
        for name, layer in params.items()
    }
    w2 = [[0.35891648, 0.40866619], [0.51130127, 0.56137012]]
    w1 = [[0.14978072, 0.19956143], [0.24975114, 0.29950229]]
    np.testing.assert_allclose(new["output"]["weight"].T, w2, atol=1e-7)
    np.testing.assert_allclose(new["hidden_0"]["weight"].T, w1, atol=1e-7)
    assert float(error(new)) == pytest.approx(0.291027774, abs=1e-7)


@pytest.mark.parametrize(
    ("depth", "delta", "printed", "digits"),
    [(10, 0.1, 2.358, 3), (10, -0.1, 0.387, 3), (50, 0.1, 106.7, 1), (50, -0.1, 0.0057, 4)],
)
def test_w7_signals_vanish_or_explode(depth, delta, printed, digits):
    net = nn.mlp(hidden=(2,) * (depth - 1), out=1, activation="identity")
    params = layers(*[((1 + delta) * np.eye(2), [0, 0])] * (depth - 1), ([[1], [0]], [0]))
    x = jnp.ones((1, 2))
    out, _ = net.forward(params, (), x)
    assert round(float(out[0, 0]), digits) == printed
    if depth > 10:
        return
    # the gradient on the way back meets the same factors: the first layer's is the output over 1 + δ
    first = jax.grad(lambda p: net.forward(p, (), x)[0].sum())(params)["hidden_0"]["weight"][0, 0]
    assert float(first) == pytest.approx((1 + delta) ** (depth - 2), rel=1e-4)
    norms = [float(jnp.linalg.norm(a)) for name, a in net.activations(params, (), x).items() if name != "output"]
    np.testing.assert_allclose(np.array(norms[1:]) / np.array(norms[:-1]), 1 + delta, rtol=1e-5)
