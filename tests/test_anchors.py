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


CASES = [
    pytest.param(
        *anchor,
        start,
        id="-".join(map(str, (*anchor, start))),
        marks=[pytest.mark.slow] * (anchor[0] == "digits" and (anchor[1] == 0.001 or start == "he")),
    )
    for anchor in ANCHORS
    for start in ("zero", "he")
]


@pytest.mark.parametrize(("name", "lam", "optimum", "start"), CASES)
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


# ---- every optimizer ------------------------------------------------------------------------------------------------

GENTLE, STEEP = {"lr": 0.1}, {"lr": 1.0}  # where a step is about as long as its rate, and where it is a gradient's
WAYS = dict.fromkeys(fo.optim.NAMES, GENTLE) | dict.fromkeys(("sgd", "momentum", "adagrad", "lbfgs"), STEEP)
WAYS |= {"adadelta": {"lr": 10.0}, "prodigy": STEEP, "rprop": {"lr": 0.1}, "rmsprop": {"lr": 0.03}}
WAYS |= {"lion": {"lr": 0.01}, "lars": {"lr": 0.1, "trust_coefficient": 0.1}, "nesterov": {"lr": 0.5}}
WAYS |= {"schedule_free": {"lr": 0.3}, "rmsprop_centred": {"lr": 0.03}}


def side_by_side(names):
    """Problems as lanes: columns of zeros and examples without weight fill the smaller up, and move nothing."""
    data = [problem(name) for name in names]
    rows, columns = (max(d.x.shape[axis] for d in data) for axis in (0, 1))
    shape = [(0, rows), (0, columns)]
    x = [np.pad(d.x, [(0, n - have) for (_, n), have in zip(shape, d.x.shape, strict=True)]) for d in data]
    weight = [np.pad(np.full(len(d), 1 / len(d)), (0, rows - len(d))) for d in data]
    hot = [np.pad(np.eye(3)[np.asarray(d.y)], [(0, rows - len(d)), (0, 0)]) for d in data]
    return tuple(jnp.asarray(np.stack(part), jnp.float64) for part in (x, weight, hot))


@pytest.mark.slow
@pytest.mark.holds("optimum")
@pytest.mark.parametrize("name", fo.optim.NAMES)
def test_every_optimizer_reaches_the_optimum(x64, name):
    """With a rate that decays to 0, from zero: iris and wine at λ = 0.01."""
    optimizer, lam = fo.optim.by_name(name), 0.01
    steps = 60 if name == "lbfgs" else 1500

    def gap(x, weight, hot):
        def cost(p):
            entropy = -jnp.sum(hot * jax.nn.log_softmax(x @ p["w"] + p["b"][None, :]), 1)
            return weight @ entropy + lam / 2 * jnp.sum(p["w"] ** 2)

        def step(state, _):
            value, grads = jax.value_and_grad(cost)(state.params)
            more = {"objective": cost} if optimizer.wants_objective else {}
            return optimizer.update(state, grads, loss=value, **more), None

        start = {"w": jnp.zeros((x.shape[1], 3)), "b": jnp.zeros(3)}
        numbers = WAYS[name] | {"lr": fo.schedules.cosine(WAYS[name]["lr"], steps)}
        state = jax.lax.scan(step, optimizer.init(start, **numbers), None, length=steps)[0]
        return cost(optimizer.readout(state))

    known = {(data, strength): optimum for data, strength, optimum in ANCHORS}
    ends = jax.jit(jax.vmap(gap))(*side_by_side(["iris", "wine"]))
    np.testing.assert_allclose(ends, [known["iris", lam], known["wine", lam]], rtol=0, atol=1e-5)
