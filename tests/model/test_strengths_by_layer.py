"""Strengths of L1, L2 and the proximal step by layer, row L7: ``kernel_regularizer`` on one layer of several."""

import jax
import numpy as np
import pytest

import fnopt as fo

RNG = np.random.default_rng(0)
M, EPOCHS, LR, SIZE = 24, 5, 0.2, 8
X, Y = RNG.normal(size=(M, 3)), np.arange(M) % 3
LAYERS = ("hidden_0", "output")
PARAMS = {
    "hidden_0": {"bias": RNG.normal(size=4), "weight": RNG.normal(size=(3, 4))},
    "output": {"bias": RNG.normal(size=3), "weight": RNG.normal(size=(4, 3))},
}
DATA = fo.data.dataset(X, Y)
MODEL = fo.classifier(hidden=4, activation="tanh", optimizer="sgd", shuffle=False, standardize=False)
CASES = {
    "L2 of the first layer": {"l2": (0.05, 0.0)},
    "L2 of the output": {"l2": (0.0, 0.05)},
    "L1 and L2, each in its way": {"l1": (0.0, 0.02), "l2": (0.05, 0.01)},
    "L1 of each, L2 of all": {"l1": (0.03, 0.01), "l2": 0.02},
    "proximal steps": {"prox_l1": (0.2, 0.05)},
}


def pairs(strength):
    return strength if isinstance(strength, tuple) else (strength,) * 2


def by_hand(l1=0.0, l2=0.0, prox_l1=0.0):
    """A net of two layers by the chain rule in float64: 5 epochs of batches of 8 in order; and the costs."""
    w1, b1, w2, b2 = (PARAMS[layer][part].copy() for layer in LAYERS for part in ("weight", "bias"))
    costs = []
    for _ in range(EPOCHS):
        total = 0.0
        for begin in range(0, M, SIZE):
            x, y = X[begin : begin + SIZE], np.eye(3)[Y[begin : begin + SIZE]]
            a = np.tanh(x @ w1 + b1)
            z = a @ w2 + b2
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            sizes = [f(w).sum() for f in (np.abs, np.square) for w in (w1, w2)]
            penalty = np.dot((*pairs(l1), *pairs(l2)), sizes)
            total += (-(y * np.log(p)).sum() / SIZE + penalty) * SIZE
            dz = (p - y) / SIZE
            da = (dz @ w2.T) * (1 - a**2)
            pull = [2 * s2 * w + s1 * np.sign(w) for w, s1, s2 in zip((w1, w2), pairs(l1), pairs(l2), strict=True)]
            w2, b2 = w2 - LR * (a.T @ dz + pull[1]), b2 - LR * dz.sum(axis=0)
            w1, b1 = w1 - LR * (x.T @ da + pull[0]), b1 - LR * da.sum(axis=0)
            w1, w2 = (
                np.sign(w) * np.maximum(np.abs(w) - LR * s, 0) for w, s in zip((w1, w2), pairs(prox_l1), strict=True)
            )
        costs.append(total / M)
    return {"hidden_0": {"bias": b1, "weight": w1}, "output": {"bias": b2, "weight": w2}}, costs


def fitted(**numbers):
    hyper = {"lr": LR, "batch_size": SIZE, **numbers}
    return fo.fit(MODEL, DATA, hyper=hyper, epochs=EPOCHS, params=PARAMS)


def difference(one, other):
    return max(np.abs(a - b).max() for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_five_epochs_equal_the_formula(name, x64):
    run = fitted(**CASES[name])
    params, costs = by_hand(**CASES[name])
    assert difference(run.params, params) < 1e-12
    np.testing.assert_allclose(run.history["cost"], costs, rtol=1e-12)
    assert difference(params, by_hand()[0]) > 1e-2  # the strengths matter here


def test_five_epochs_in_float32():
    numbers = CASES["L1 and L2, each in its way"]
    assert difference(fitted(**numbers).params, by_hand(**numbers)[0]) < 1e-6


def test_five_epochs_equal_torch_with_a_penalty_on_one_layer():
    torch = pytest.importorskip("torch")
    tensors = {layer: {p: torch.tensor(a) for p, a in parts.items()} for layer, parts in PARAMS.items()}
    leaves = [t.requires_grad_() for parts in tensors.values() for t in parts.values()]
    step = torch.optim.SGD(leaves, lr=LR)
    for _ in range(EPOCHS):
        for begin in range(0, M, SIZE):
            x, y = torch.tensor(X[begin : begin + SIZE]), torch.tensor(Y[begin : begin + SIZE])
            a = torch.tanh(x @ tensors["hidden_0"]["weight"] + tensors["hidden_0"]["bias"])
            z = a @ tensors["output"]["weight"] + tensors["output"]["bias"]
            cost = torch.nn.functional.cross_entropy(z, y) + 0.05 * tensors["hidden_0"]["weight"].square().sum()
            step.zero_grad()
            cost.backward()
            step.step()
    wanted = jax.tree.map(lambda t: t.detach().numpy(), tensors)
    assert difference(fitted(l2=(0.05, 0.0)).params, wanted) < 1e-6


def test_equal_strengths_are_one_strength_and_none_is_none():
    for name in ("l1", "l2", "prox_l1"):
        assert difference(fitted(**{name: (0.02, 0.02)}).params, fitted(**{name: 0.02}).params) < 1e-6
        assert difference(fitted(**{name: (0.0, 0.0)}).params, fitted().params) < 1e-6


@pytest.mark.slow
def test_a_net_without_hidden_layers_has_one_strength():
    one, other = (
        fo.fit(fo.classifier(hidden=()), DATA, hyper=dict(lr=0.1, l2=strength), epochs=2) for strength in ((0.1,), 0.1)
    )
    assert difference(one.params, other.params) < 1e-6


def test_a_strength_may_be_a_schedule():
    halved = fo.schedules.step_decay(0.05, 0.5, 1).every()
    run = fitted(l2=(halved, 0.0))
    np.testing.assert_allclose(run.history["l2.0"][:2], [0.05, 0.025])


def test_the_derivatives_by_layer_sum_to_that_of_one_strength():
    parts = fo.data.split(fo.data.iris(), (0.7, 0.3), key=jax.random.key(0))
    model, rest = fo.classifier(hidden=3, optimizer="sgd"), dict(steps=4, key=jax.random.key(1))
    many = fo.hypergrad(model, *parts, dict(lr=0.1, l2=(0.02, 0.02)), wrt="l2", **rest)
    one = fo.hypergrad(model, *parts, dict(lr=0.1, l2=0.02), wrt="l2", **rest)
    assert set(many.derivatives) == {"l2.0", "l2.1"}
    assert sum(map(float, many.derivatives.values())) == pytest.approx(float(one.derivatives["l2"]), rel=1e-4)
    assert abs(float(many.derivatives["l2.0"]) - float(many.derivatives["l2.1"])) > 1e-5


SPACE = dict(
    lr=fo.log_uniform(1e-2, 1e-1),
    hidden=fo.choice((5, 3), (7, 6)),  # of one bucket
    l2=(fo.log_uniform(1e-4, 1e-2), 0.0, fo.uniform(0.0, 1e-3)),
    prox_l1=(0.0, fo.uniform(0.01, 0.1), 0.0),
)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "s"
    parts = fo.data.split(fo.data.iris(), (0.7, 0.3), key=jax.random.key(0))
    return fo.caviar(fo.classifier(), SPACE, *parts, n=6, epochs=3, key=jax.random.key(2), path=path), parts, path


def test_a_space_has_a_column_for_each_part(searched):
    sweep, _, _ = searched
    row = sweep.table()[0]
    assert {"l2.0", "l2.1", "l2.2", "prox_l1.1"} <= set(row) and row["l2.1"] == 0.0 and "l2" not in row
    assert isinstance(sweep.best.hyper["l2"], tuple)


def test_replay_padding_refit_and_files(searched, tmp_path):
    sweep, (train, dev), path = searched
    assert any(entry.trim is not None for entry in sweep.entries)  # the widths are padded
    run = sweep.replay(3)
    assert run.going.result.digest == sweep.kept.lanes[3, 0, 0].digest
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(2), 1), 0)
    alone = fo.fit(fo.classifier(), train, dev, hyper=sweep.configs[3], epochs=3, key=key)
    assert difference(alone.params, run.params) < 1e-5
    assert fo.open(path).table() == sweep.table()
    assert np.isfinite(sweep.refit(train, dev).scores["train"]["loss"])
    run.save(tmp_path / "model.safetensors")
    again = fo.load(tmp_path / "model.safetensors")
    assert again.hyper["l2"] == sweep.configs[3]["l2"] and again.numbers["l2"][0] == run.numbers["l2"][0]
    assert np.array_equal(again.outputs(dev.x), run.outputs(dev.x))


@pytest.mark.slow
def test_polish_moves_one_part(searched):
    polished = searched[0].polish(1, steps=1, numbers="l2.0")
    assert set(polished.rows[0].old) == {"l2.0"} and polished.rows[0].gradients == 1
    old, new = searched[0].best.hyper["l2"], polished.rows[0].hyper["l2"]
    assert old[1:] == new[1:] and (old[0] != new[0]) == polished.rows[0].improved


WRONG = {
    "too few in fit": (lambda: fitted(l2=(0.1,)), "`l2` must be one number, or 2: .* got 1"),
    "too many in fit": (lambda: fitted(prox_l1=(0.1, 0.1, 0.1)), "`prox_l1` must be one number, or 2: .* got 3"),
    "none at all": (lambda: fitted(l1=()), "`l1` must be one number, or 2: .* got 0"),
    "declared": (lambda: fo.classifier(hidden=(4, 4), l2=(0.1, 0.1)), "`l2` must be one number, or 3: .* got 2"),
    "rates of dropout": (lambda: fitted(dropout=(0.1, 0.1)), "`dropout` must be .* each of 1 hidden layers, got 2"),
    "below 0": (lambda: fitted(l2=(0.1, -0.1)), r"`l2` must be in \[0, inf\), got -0.1"),
    "None": (lambda: fitted(l2=(0.1, None)), "write 0.0 for a layer without"),
    "tuples in tuples": (lambda: fitted(l2=((0.1, 0.1), 0.1)), r"`l2.0` must be one number or one schedule"),
    "another number": (lambda: fitted(max_norm=(1.0, 1.0)), "`max_norm` must be one number or one schedule"),
    "a space with nets of other depths": (
        lambda: fo.caviar(MODEL, dict(hidden=fo.choice((4,), (4, 4)), l2=(0.1, fo.uniform(0, 1))), DATA, n=2, epochs=1),
        "`l2` must be one number, or 3: .* got 2",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_number_of_strengths_is_one_clear_error(name):
    call, message = WRONG[name]
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_layers_that_a_call_names_decide():
    """A declaration that leaves the layers open may hold strengths of any number of them."""
    model = fo.classifier(l2=(0.1, 0.0, 0.0))
    assert fo.fit(model, DATA, hyper=dict(hidden=(4, 4)), epochs=1).hyper["l2"] == (0.1, 0.0, 0.0)
    with pytest.raises(ValueError, match=r"or 2: .* got 3"):
        fo.fit(model, DATA, epochs=1)
