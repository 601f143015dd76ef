"""Costs with penalties, smoothing and weights, and what the projections leave, as a whole run has them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax

import fnopt as fo

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype(np.float32)
Y = np.arange(24, dtype=np.int32) % 3
WEIGHT = RNG.uniform(0.5, 2.0, 24).astype(np.float32)
PARAMS = {
    "hidden_0": {"bias": np.array([0.1, -0.2], np.float32), "weight": RNG.normal(size=(3, 2)).astype(np.float32)},
    "output": {"bias": np.array([0.3, 0.0, -0.1], np.float32), "weight": RNG.normal(size=(2, 3)).astype(np.float32)},
}
KERNELS = [PARAMS["hidden_0"]["weight"].astype(np.float64), PARAMS["output"]["weight"].astype(np.float64)]
ABSOLUTE, SQUARES = (sum(f(w).sum() for w in KERNELS) for f in (np.abs, np.square))


def first_update(weight=None, class_weight=None, **hyper):
    """One update with all examples, from PARAMS: the cost before it and the parameters after."""
    model = fo.classifier(hidden=(2,), activation="tanh", optimizer="sgd", standardize=False, class_weight=class_weight)
    data = fo.data.dataset(X, Y, weight=weight)
    hyper = {"lr": 0.1, "batch_size": 24, **hyper}
    run = fo.fit(model, data, hyper=hyper, params=PARAMS, epochs=1)
    return float(run.history["cost"][0]), jax.tree.map(np.asarray, run.params)


def cost_by_hand(weight=None, class_weight=(1, 1, 1), smoothing=0.0):
    """(Σ w_i loss_i)/(Σ w_i) in float64."""
    hidden, output = PARAMS["hidden_0"], PARAMS["output"]
    logits = np.tanh(X.astype(np.float64) @ hidden["weight"] + hidden["bias"]) @ output["weight"] + output["bias"]
    labels = (1 - smoothing) * np.eye(3)[Y] + smoothing / 3
    each = -(labels * log_softmax(logits, axis=1)).sum(axis=1)
    w = (np.ones(24) if weight is None else weight.astype(np.float64)) * np.array(class_weight)[Y]
    return (w * each).sum() / w.sum()


COSTS = {
    "plain": ({}, {}, 0.0),
    "weights of examples": ({"weight": WEIGHT}, {"weight": WEIGHT}, 0.0),
    "class weights": ({"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}, {"class_weight": (1, 3, 0.5)}, 0.0),
    "label smoothing": ({"label_smoothing": 0.2}, {"smoothing": 0.2}, 0.0),
    "l1": ({"l1": 0.03}, {}, 0.03 * ABSOLUTE),
    "l2": ({"l2": 0.02}, {}, 0.02 * SQUARES),
    "elastic net": ({"l1": 0.03, "l2": 0.02}, {}, 0.03 * ABSOLUTE + 0.02 * SQUARES),
}


@pytest.mark.parametrize("name", COSTS)
def test_the_cost_is_the_mean_loss_plus_the_penalty(name):
    given, told, penalty = COSTS[name]
    cost, _ = first_update(**given)
    assert cost == pytest.approx(cost_by_hand(**told) + penalty, rel=1e-5)
    if name != "plain":
        assert cost != pytest.approx(cost_by_hand(), rel=1e-3)


def test_a_step_with_l2_is_weight_decay_and_with_l1_a_pull_of_one_size():
    """W ← (1 − 2αλ) W − α ∂J₀/∂W: beside the step without a penalty it takes 2αλ W, or αλ sign W; biases nothing."""
    lr, strength = 0.1, 0.05
    _, plain = first_update()
    for name, pull in (("l2", lambda w: 2 * w), ("l1", np.sign)):
        _, after = first_update(**{name: strength})
        for layer in PARAMS:
            taken = plain[layer]["weight"] - after[layer]["weight"]
            np.testing.assert_allclose(taken, lr * strength * pull(PARAMS[layer]["weight"]), rtol=1e-3, atol=1e-6)
            np.testing.assert_array_equal(plain[layer]["bias"], after[layer]["bias"])


def test_the_projections_follow_each_update():
    _, plain = first_update()
    _, shrunk = first_update(prox_l1=2.0)  # by lr λ′ = 0.2
    _, bounded = first_update(max_norm=0.8)
    for layer in PARAMS:
        w = plain[layer]["weight"]
        np.testing.assert_allclose(shrunk[layer]["weight"], np.sign(w) * np.maximum(np.abs(w) - 0.2, 0), atol=1e-6)
        norms = np.linalg.norm(w, axis=0)
        np.testing.assert_allclose(bounded[layer]["weight"], w * np.minimum(1, 0.8 / norms), rtol=1e-5)
        np.testing.assert_array_equal(plain[layer]["bias"], shrunk[layer]["bias"])


def test_inputs_that_say_nothing_get_rows_of_zeros_and_can_be_left_out():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 5)).astype(np.float32)
    data = fo.data.dataset(x, (x[:, 1] > 0).astype(np.int32))
    hyper = {"lr": 0.2, "optimizer": "sgd", "prox_l1": 0.03, "batch_size": 120}
    run = fo.fit(fo.classifier(hidden=(6,)), data, hyper=hyper, epochs=600)
    found = fo.penalties.sparsity(run.params, first="hidden_0.weight")
    unused = np.asarray(found["unused"])
    assert not unused[1] and unused.sum() >= 2
    assert 0.3 < float(found["zeros"]) < 1
    net = fo.nn.mlp(hidden=(6,), out=1)
    less, _ = net.init(jax.random.key(0), features=int((~unused).sum()))
    assert sum(leaf.size for leaf in jax.tree.leaves(less)) == int(found["size"])
    params = {**run.params, "hidden_0": {**run.params["hidden_0"], "weight": run.params["hidden_0"]["weight"][~unused]}}
    inputs = jnp.asarray(run.encoding.scaled(x))
    np.testing.assert_allclose(net.forward(params, (), inputs[:, ~unused])[0], run.outputs(x), rtol=1e-5, atol=1e-6)
    assert run.scores["train"]["accuracy"] > 0.9


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras
@pytest.mark.parametrize("name", ["l1", "l2"])
def test_one_regularized_layer_of_two_is_kerass(name, monkeypatch):
    """``kernel_regularizer`` on the first Dense alone, five epochs from the same weights over the same batches."""
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    model = fo.classifier(hidden=(2,), optimizer="sgd", standardize=False, shuffle=False)
    hyper = {"lr": 0.1, "batch_size": 8, name: (0.03, 0.0)}
    run = fo.fit(model, fo.data.dataset(X, Y), hyper=hyper, params=PARAMS, epochs=5)
    kept = getattr(keras.regularizers, name)(0.03)
    layers = [keras.layers.Dense(2, activation="relu", kernel_regularizer=kept), keras.layers.Dense(3)]
    net = keras.Sequential([keras.layers.Input((3,)), *layers])
    net.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    net.set_weights([PARAMS[layer][part] for layer in PARAMS for part in ("weight", "bias")])
    net.fit(X, Y, batch_size=8, epochs=5, shuffle=False, verbose=0)
    ours = [np.asarray(run.params[layer][part]) for layer in PARAMS for part in ("weight", "bias")]
    for mine, theirs in zip(ours, net.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    assert np.abs(ours[0] - PARAMS["hidden_0"]["weight"]).max() > 0.01
