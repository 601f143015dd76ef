"""Convex anchors: mean softmax cross-entropy + λ/2 ‖W‖² has one optimum, and every start must reach it.

The optima were found in float64 to a gradient below 2e-9 by a solver of its own. Columns standardized, for digits
pixels / 16 and the first 1437 rows. With two classes the network has one logit w = w₁ − w₀; at the optimum
w₁ = −w₀ = w/2, so λ/2 ‖W‖² = λ/4 ‖w‖².
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

ANCHORS = [
    ("iris", 0.01, 0.2436772266493824),
    ("iris", 0.001, 0.10236807843007842),
    ("wine", 0.01, 0.09181973052350331),
    ("wine", 0.001, 0.02584777176789361),
    ("breast_cancer", 0.01, 0.08341295957054334),
    ("breast_cancer", 0.001, 0.05348553237199653),
    ("digits", 0.01, 0.7117938310074465),
    ("digits", 0.001, 0.23572149123922975),
]


def problem(name):
    data = fo.data.load(name)
    if name == "digits":
        return data._replace(x=data.x[:1437] / 16, y=data.y[:1437])
    return data._replace(x=fo.data.standardizer(data.x)(data.x))


@pytest.mark.parametrize("start", ["zero", "he"])
@pytest.mark.parametrize(("name", "lam", "optimum"), ANCHORS, ids=lambda v: str(v))
def test_the_optimum_is_reached(x64, name, lam, optimum, start):
    data = problem(name)
    two = name == "breast_cancer"
    x = np.asarray(data.x, np.float64)
    steepest = float(np.linalg.eigvalsh(x.T @ x / len(x)).max() + 1) * (0.25 if two else 0.5)
    strength = lam / 4 if two else lam / 2
    model = fo.classifier(hidden=(), standardize=False, optimizer="nesterov", batch_size=len(data), shuffle=False)
    outputs = 1 if two else len(data.classes)
    zeros = {"output": {"weight": jnp.zeros((x.shape[1], outputs)), "bias": jnp.zeros(outputs)}}
    run = fo.fit(
        model,
        data,
        hyper=dict(lr=1 / steepest, beta=0.98, l2=strength),
        epochs=1600 if lam == 0.01 else 6000,
        key=jax.random.key(1),
        params=zeros if start == "zero" else None,
    )
    weight = np.asarray(run.params["output"]["weight"])
    assert weight.dtype == np.float64
    cost = run.scores["train"]["loss"] + strength * np.sum(weight**2)
    assert cost == pytest.approx(optimum, abs=1e-6)
