"""Penalties and projections: both scalings, weights only, exact zeros, and the conversions to other libraries."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import nn, penalties
from fnopt.optim import sgd

INSIDE = {
    "strength": (0.0, 0.1, 2.0),
    "examples": (1.0, 50.0, 1e4),
    "amount": (0.0, 0.3, 9.0),
    "limit": (0.0, 1.0, 9.0),
}
OUTSIDE = {"strength": -0.1, "examples": 0.0, "amount": -1.0, "limit": -1.0}


def of(function, number, x):
    """A function of the parameters with one number set."""
    return partial(function, **({"strength": 0.5} if number == "examples" else {}), **{number: x})


PAIRS = [
    (penalties.l1, "strength"),
    (penalties.l1, "examples"),
    (penalties.l2, "strength"),
    (penalties.l2, "examples"),
    (penalties.shrink, "amount"),
    (penalties.max_norm, "limit"),
]
FUNCTIONS = {
    "l1": partial(penalties.l1, strength=0.5),
    "l2": partial(penalties.l2, strength=0.5),
    "shrink": partial(penalties.shrink, amount=0.5),
    "max_norm": partial(penalties.max_norm, limit=0.5),
    "sparsity": penalties.sparsity,
}
W = np.array([[0.5, -1.5, 0.0], [2.0, 0.0, 0.0]])


def example(dtype=None):
    return {
        "dense": {"bias": jnp.ones(3, dtype), "scale": jnp.ones(3, dtype), "weight": jnp.asarray(W, dtype)},
        "last": {"bias": jnp.ones(2, dtype), "weight": jnp.asarray(W.T[:, ::-1], dtype)},
    }


SUM_ABS, SUM_SQUARES = 2 * np.abs(W).sum(), 2 * np.square(W).sum()


def test_the_table_holds_every_penalty():
    local = {
        n for n, f in vars(penalties).items() if getattr(f, "__module__", "") == penalties.__name__ and n[0] != "_"
    }
    assert local - {"Chosen"} == set(FUNCTIONS)


def test_both_scalings():
    params = example()
    assert float(penalties.l1(params, 0.3)) == pytest.approx(0.3 * SUM_ABS)
    assert float(penalties.l2(params, 0.3)) == pytest.approx(0.3 * SUM_SQUARES)
    assert float(penalties.l1(params, 0.3, examples=50)) == pytest.approx(0.3 / 100 * SUM_ABS)
    assert float(penalties.l2(params, 0.3, examples=50)) == pytest.approx(0.3 / 100 * SUM_SQUARES)


def test_slopes_and_subgradient():
    slope = jax.jit(jax.grad(partial(penalties.l1, strength=0.3)))(example())
    np.testing.assert_allclose(slope["dense"]["weight"], 0.3 * np.sign(W))
    assert not np.any(slope["dense"]["bias"])
    slope = jax.jit(jax.grad(partial(penalties.l2, strength=0.3)))(example())
    np.testing.assert_allclose(slope["dense"]["weight"], 0.6 * W, rtol=1e-6)
    slope = jax.jit(jax.grad(partial(penalties.l2, strength=0.3, examples=50)))(example())
    np.testing.assert_allclose(slope["dense"]["weight"], 0.3 / 50 * W, rtol=1e-6)


@pytest.mark.parametrize(
    ("decay", "numbers"), [(1 - 0.1 * 0.3 / 50, {"examples": 50}), (1 - 2 * 0.1 * 0.3, {})], ids=["notes", "plain"]
)
def test_gradient_step_is_weight_decay(decay, numbers):
    # w ← decay · w − α ∂J₀/∂w, with J₀ the cost without the penalty: printed with J, the penalty would count twice
    params, slope = example(), jax.tree.map(lambda p: jnp.cos(p) + 1, example())

    def cost(p):
        return sum(jnp.vdot(a, b) for a, b in zip(*map(jax.tree.leaves, (p, slope)), strict=True))

    grads = jax.jit(jax.grad(lambda p: cost(p) + penalties.l2(p, 0.3, **numbers)))(params)
    after = jax.jit(sgd.update)(sgd.init(params, lr=0.1), grads).params
    for layer in params:
        expected = decay * params[layer]["weight"] - 0.1 * slope[layer]["weight"]
        np.testing.assert_allclose(after[layer]["weight"], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(after[layer]["bias"], params[layer]["bias"] - 0.1 * slope[layer]["bias"], rtol=1e-6)


def test_weights_of_a_network_are_penalized_and_nothing_else():
    net = nn.mlp(hidden=(4,), out=2, norm="batch", activation="prelu")
    params, _ = jax.jit(partial(net.init, features=3))(jax.random.key(0))
    slope = jax.jit(jax.grad(partial(penalties.l2, strength=1.0)))(params)
    touched = {name for name, leaf in _named(slope).items() if np.any(leaf)}
    assert touched == {"hidden_0.weight", "output.weight"}


def _named(tree):
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def test_other_choices_by_path():
    params = example()
    assert float(penalties.l1(params, 1.0, where=lambda name: name.endswith("bias"))) == 5
    assert float(penalties.l2(params, 1.0, where=lambda name: name == "last.weight")) == pytest.approx(SUM_SQUARES / 2)
    shrunk = penalties.shrink(params, 0.25, where=lambda name: name == "dense.bias")
    assert shrunk["dense"]["bias"].tolist() == [0.75] * 3
    assert shrunk["dense"]["weight"].tolist() == W.tolist()


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_nothing_chosen_says_so(name):
    with pytest.raises(ValueError, match=r"no parameter is chosen by `where`; there are dense\.bias, dense\.scale"):
        FUNCTIONS[name](example(), where=lambda name: "kernel" in name)
    with pytest.raises(ValueError, match="no parameter has two or more axes"):
        FUNCTIONS[name]({"w": jnp.ones(3)})


# ---- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("function", "number"), PAIRS)
def test_vmap_over_a_number_is_a_loop_with_one_trace(function, number):
    traces = []

    @jax.jit
    def value(x):
        traces.append(number)
        return of(function, number, x)(example())

    three = jnp.array(INSIDE[number])
    loop = [value(x) for x in three]
    assert len(traces) == 1
    for got, *each in zip(*map(jax.tree.leaves, (jax.vmap(value)(three), *loop)), strict=True):
        np.testing.assert_allclose(got, jnp.stack(each), rtol=1e-6)


@pytest.mark.parametrize(("function", "number"), PAIRS)
def test_out_of_range_raises_when_concrete_and_is_nan_when_traced(function, number):
    with pytest.raises(ValueError, match=f"`{number}` must be in"):
        of(function, number, OUTSIDE[number])(example())
    traced = jax.jit(lambda x: of(function, number, x)(example()))(OUTSIDE[number])
    assert np.isnan(traced["dense"]["weight"] if isinstance(traced, dict) else traced).all()


@pytest.mark.parametrize("zero", [False, True], ids=["weights", "zero weights"])
@pytest.mark.parametrize(("function", "number"), PAIRS)
def test_finite_gradients_at_the_edges(function, number, zero):
    params = jax.tree.map(jnp.zeros_like, example()) if zero else example()

    @jax.jit
    @partial(jax.grad, argnums=(0, 1))
    def slopes(params, x):
        return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(of(function, number, x)(params)))

    for x in INSIDE[number]:
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes(params, x)))


@pytest.mark.parametrize(("function", "number"), PAIRS)
def test_gradient_is_the_finite_difference(function, number, x64):
    params = {"w": jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)))}
    toward = jnp.asarray(np.random.default_rng(1).normal(size=(4, 3)))

    @jax.jit
    def total(h):
        found = of(function, number, INSIDE[number][1] + 0.5 * h)({"w": params["w"] + h * toward})
        return sum(jnp.sum(leaf**3) for leaf in jax.tree.leaves(found))

    np.testing.assert_allclose(jax.grad(total)(0.0), (total(1e-6) - total(-1e-6)) / 2e-6, rtol=1e-5)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_sums_are_in_float32_and_parameters_keep_their_type(dtype):
    params = example(dtype)
    assert penalties.l1(params, 0.5).dtype == penalties.l2(params, 0.5).dtype == jnp.float32
    assert jax.tree.map(lambda g: g.dtype, jax.jit(jax.grad(FUNCTIONS["l2"]))(params)) == jax.tree.map(
        lambda p: p.dtype, params
    )
    for name in ("shrink", "max_norm"):
        after = jax.jit(FUNCTIONS[name])(params)
        assert jax.tree.map(lambda p: (p.shape, p.dtype), after) == jax.tree.map(lambda p: (p.shape, p.dtype), params)


def test_a_long_sum_of_half_types_does_not_stall():
    assert float(penalties.l2({"w": jnp.full((100, 100), 0.5, jnp.bfloat16)}, 1.0)) == pytest.approx(2500)


# ---- exact zeros -----------------------------------------------------------------------------------------------------


def test_shrink_is_the_soft_threshold():
    w = np.random.default_rng(0).normal(size=(6, 5))
    after = penalties.shrink({"w": jnp.asarray(w)}, 0.4)["w"]
    np.testing.assert_allclose(after, np.sign(w) * np.maximum(np.abs(w) - 0.4, 0), atol=1e-6)
    assert ((np.abs(w) <= 0.4) == (np.asarray(after) == 0)).all()
    assert not np.signbit(np.asarray(after)[np.asarray(after) == 0]).any()


def test_proximal_steps_reach_exact_zeros_where_gradient_steps_do_not():
    # J₀ = ½ Σ (w − c)²; with s Σ|w| the optimum is the soft threshold of c at s
    c, s, lr = jnp.array([[2.0, 0.3], [-1.0, -0.2]]), 0.5, 0.1

    @jax.jit
    def run(params):
        def step(params, _):
            slope = jax.grad(lambda p: penalties.l1(p["a"], s) + sum(jnp.sum((w - c) ** 2) / 2 for w in (p["a"]["w"],)))
            plain = params["a"]["w"] - lr * slope(params)["a"]["w"]
            prox = penalties.shrink({"w": params["b"]["w"] - lr * (params["b"]["w"] - c)}, lr * s)
            return {"a": {"w": plain}, "b": prox}, None

        return jax.lax.scan(step, params, None, length=300)[0]

    after = run({"a": {"w": c}, "b": {"w": c}})
    np.testing.assert_allclose(after["b"]["w"], [[1.5, 0.0], [-0.5, 0.0]], atol=1e-5)
    assert float(penalties.sparsity(after["b"])["zeros"]) == 0.5
    assert float(penalties.sparsity(after["a"])["zeros"]) == 0.0


def test_max_norm_bounds_each_units_incoming_weights():
    w = np.random.default_rng(0).normal(size=(6, 5)) * np.array([0.1, 1, 2, 3, 0])
    after = np.asarray(penalties.max_norm({"w": jnp.asarray(w)}, 1.0)["w"])
    norms = np.linalg.norm(w, axis=0)
    np.testing.assert_allclose(after, w * np.minimum(1, 1 / np.maximum(norms, 1e-9))[None, :], atol=1e-6)
    np.testing.assert_array_equal(after[:, [0, 4]], w[:, [0, 4]].astype(np.float32))
    kernel = jnp.ones((3, 3, 2, 4))
    np.testing.assert_allclose(penalties.max_norm({"w": kernel}, 1.0)["w"], 1 / np.sqrt(18), rtol=1e-6)
    assert not np.any(penalties.max_norm({"w": kernel}, 0.0)["w"])


def test_sparsity_counts_zeros_unused_inputs_and_what_is_left():
    params = example()
    params["dense"]["weight"] = params["dense"]["weight"].at[1].set(0)
    found = jax.jit(penalties.sparsity)(params)
    assert float(found["zeros"]) == pytest.approx((4 + 3) / 12)
    assert found["unused"].tolist() == [False, True]
    assert int(found["size"]) == 6 + 6 + 8 - 3
    by_name = penalties.sparsity(params, first="last.weight")
    assert by_name["unused"].tolist() == [False, False, True]
    with pytest.raises(ValueError, match=r"no weight is called 'last\.wieght'; did you mean 'last\.weight'"):
        penalties.sparsity(params, first="last.wieght")
    with pytest.raises(ValueError, match=r"shape \(inputs, units\), got \(3,\)"):
        penalties.sparsity(params, where=lambda name: name.endswith("bias"))


# ---- conversions -----------------------------------------------------------------------------------------------------


def test_keras_l2_and_l1_are_the_plain_sums():
    # Keras: l2(λ) adds λ Σ w², l1(λ) adds λ Σ |w|, each on the kernel alone
    params = example()
    assert float(penalties.l2(params, 0.001)) == pytest.approx(0.001 * SUM_SQUARES)
    assert float(penalties.l1(params, 0.01)) == pytest.approx(0.01 * SUM_ABS)


def test_torch_weight_decay_is_half_and_takes_biases_too():
    torch = pytest.importorskip("torch")
    params, a, lr = example(), 0.2, 0.1
    slope = jax.grad(lambda p: penalties.l2(p, a / 2, where=lambda name: True))(params)
    after = jax.tree.leaves(sgd.update(sgd.init(params, lr=lr), slope).params)
    theirs = [torch.nn.Parameter(torch.tensor(np.array(leaf))) for leaf in jax.tree.leaves(params)]
    optimizer = torch.optim.SGD(theirs, lr=lr, weight_decay=a)
    for p in theirs:
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for ours, p in zip(after, theirs, strict=True):
        np.testing.assert_allclose(ours, p.detach().numpy(), rtol=1e-6)


def test_scikit_learn_alpha_is_over_twice_the_batch():
    neural_network = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    b, alpha, lr = 8, 3.0, 0.1
    x, y = rng.normal(size=(b, 2)), rng.normal(size=b)
    model = neural_network.MLPRegressor(
        hidden_layer_sizes=(),
        activation="identity",
        solver="sgd",
        alpha=alpha,
        batch_size=b,
        learning_rate_init=lr,
        momentum=0.0,
        shuffle=False,
        random_state=0,
    )
    start = model.partial_fit(x, y)  # draws the weights and takes one step
    params = {
        "bias": jnp.asarray(start.intercepts_[0], jnp.float32),
        "weight": jnp.asarray(start.coefs_[0], jnp.float32),
    }

    def cost(p):
        residual = (
            jnp.asarray(x, p["weight"].dtype) @ p["weight"] + p["bias"][None, :] - jnp.asarray(y, jnp.float32)[:, None]
        )
        return jnp.mean(residual**2) / 2 + penalties.l2(p, alpha, examples=b)

    ours = sgd.update(sgd.init(params, lr=lr), jax.grad(cost)(params)).params
    model.partial_fit(x, y)
    np.testing.assert_allclose(ours["weight"], model.coefs_[0], rtol=1e-5)
    np.testing.assert_allclose(ours["bias"], model.intercepts_[0], rtol=1e-5)
