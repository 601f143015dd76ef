"""W9: the networks of the notes, each as it is trained there."""

import jax
import numpy as np
import pytest

import fnopt as fo

KEY = jax.random.key(9)


def tens(m=400):
    """100 inputs, ten classes."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 10, m).astype(np.int32)
    x = rng.normal(size=(m, 100)).astype(np.float32) + 2 * np.eye(10, 100, dtype=np.float32)[y]
    return fo.data.dataset(x, y)


def test_100_64_10_with_batches_of_32():
    run = fo.fit(fo.classifier(hidden=(64,), batch_size=32), tens(), epochs=5, key=KEY)
    assert fo.tree.size(run.params) == 7114
    assert run.history["train"]["loss"][-1] < run.history["train"]["loss"][0]


def test_10_50_dropout_1():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, 10)).astype(np.float32)
    data = fo.data.dataset(x, (x @ np.arange(10.0)).astype(np.float32))
    run = fo.fit(fo.regressor(hidden=(50,)), data, hyper=dict(dropout=0.5, lr=0.01), epochs=20, key=KEY)
    assert fo.tree.size(run.params) == 601
    assert run.scores["train"]["r2"] > 0.8


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_100_64_10_by_gradient_descent_with_and_without_weight_decay(decay):
    """torch's weight_decay is (λ/2) Σ w², so s of ``l2`` is half of it."""
    model = fo.classifier(hidden=(64,), optimizer="sgd", batch_size=32)
    run = fo.fit(model, tens(), hyper=dict(lr=0.01, l2=decay / 2), epochs=5, key=KEY)
    assert run.history["train"]["loss"][-1] < run.history["train"]["loss"][0]
    norm = sum(float((layer["weight"] ** 2).sum()) for layer in run.params.values())
    plain = fo.fit(model, tens(), hyper=dict(lr=0.01, l2=0.0), epochs=5, key=KEY)
    other = sum(float((layer["weight"] ** 2).sum()) for layer in plain.params.values())
    assert norm < other if decay else norm == other
