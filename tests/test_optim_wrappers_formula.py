"""Wrappers against their papers' formulas in float64 NumPy, by hand, and against torch and optax."""

import math
import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import Ramp, bits_equal, close, slope, start

from fnopt import optim
from fnopt.optim import (
    accumulate,
    adam,
    adamw,
    adaptive_clip,
    clip_by_global_norm,
    clip_by_value,
    decay_by_path,
    ema,
    gradient_noise,
    lookahead,
    momentum,
    rate_by_path,
    sgd,
    skip_nonfinite,
)

RNG = np.random.default_rng(5)
PARAMS = {"a": RNG.normal(size=(4, 3)), "b": RNG.normal(size=3), "c": RNG.normal(size=(2, 2, 3))}
GRADS = [{k: RNG.normal(size=p.shape) * 3 for k, p in PARAMS.items()} for _ in range(7)]


def step_of(optimizer, **numbers):
    """What one step of gradient descent with rate 1 makes of the gradient."""
    state = optimizer(sgd).init(jax.tree.map(jnp.asarray, PARAMS), lr=1.0, **numbers)
    after = optimizer(sgd).update(state, jax.tree.map(jnp.asarray, GRADS[0])).params
    return {k: PARAMS[k] - np.asarray(after[k]) for k in PARAMS}


def trajectory(optimizer, grads=GRADS, **numbers):
    """The states after each step."""
    update = jax.jit(optimizer.update)
    states = [optimizer.init(jax.tree.map(jnp.asarray, PARAMS), **numbers)]
    for g in grads:
        states.append(update(states[-1], jax.tree.map(jnp.asarray, g)))
    return states[1:]


def near(a, b, tolerance=1e-12):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance), a, b)


# ---- clipping -------------------------------------------------------------------------------------------------------


def test_clip_by_value(x64):
    near(step_of(clip_by_value, max_value=0.7), {k: np.clip(g, -0.7, 0.7) for k, g in GRADS[0].items()})


def test_clip_by_global_norm(x64):
    norm = math.sqrt(sum((g**2).sum() for g in GRADS[0].values()))
    for most in (norm / 3, norm * 3):
        near(step_of(clip_by_global_norm, max_norm=most), {k: g * min(1, most / norm) for k, g in GRADS[0].items()})


def test_adaptive_clip(x64):
    def by_hand(w, g, share, eps):
        axes = {1: None, 2: 0, 3: (0, 1)}[g.ndim]
        size = lambda x: np.sqrt((x**2).sum(axis=axes, keepdims=True))  # noqa: E731
        most = share * np.maximum(size(w), eps)
        return np.where(size(g) > most, g * most / size(g), g)

    for share, eps in ((0.01, 1e-3), (2.0, 1e-3), (0.5, 9.0)):
        want = {k: by_hand(PARAMS[k], g, share, eps) for k, g in GRADS[0].items()}
        near(step_of(adaptive_clip, clipping=share, clipping_eps=eps), want)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_norms_neither_overflow_nor_vanish(size):
    params, g = {"w": jnp.zeros((2, 1))}, {"w": jnp.array([[3.0], [4.0]]) * jnp.float32(size)}
    for optimizer, numbers in (
        (clip_by_global_norm(sgd), {"max_norm": size}),
        (adaptive_clip(sgd), {"clipping": 1.0, "clipping_eps": size}),
    ):
        after = optimizer.update(optimizer.init(params, lr=1.0, **numbers), g).params["w"]
        np.testing.assert_allclose(np.asarray(after)[:, 0] / size, [-0.6, -0.8], rtol=1e-6)


@pytest.mark.parametrize("wrapper", [clip_by_value, clip_by_global_norm, adaptive_clip])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_gradient_shows(wrapper, bad):
    """But for an infinity that is cut to a value."""
    grads = slope(start())
    grads["w"] = grads["w"].at[0, 0].set(bad)
    after = wrapper(sgd).update(wrapper(sgd).init(start(), lr=0.1), grads).params["w"]
    assert np.isnan(after[0, 0]) == (wrapper is not clip_by_value or math.isnan(bad))


@pytest.mark.parametrize("most", [0.5, 100.0])
def test_clipping_agrees_with_torch(most):
    torch = pytest.importorskip("torch")
    cases = ((clip_by_global_norm, "max_norm", "clip_grad_norm_"), (clip_by_value, "max_value", "clip_grad_value_"))
    for wrapper, number, function in cases:
        leaves = [torch.nn.Parameter(torch.zeros(p.shape)) for p in PARAMS.values()]
        for leaf, g in zip(leaves, GRADS[0].values(), strict=True):
            leaf.grad = torch.tensor(g, dtype=torch.float32)
        getattr(torch.nn.utils, function)(leaves, most)
        want = {k: leaf.grad.numpy() for k, leaf in zip(PARAMS, leaves, strict=True)}
        near(step_of(wrapper, **{number: most}), want, 1e-5)


def test_clipping_agrees_with_optax():
    optax = pytest.importorskip("optax")
    params, grads = (jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), t) for t in (PARAMS, GRADS[0]))
    two = {k: params[k] for k in "ab"}, {k: grads[k] for k in "ab"}  # its norms of three axes are others
    cases = [
        (optax.clip(0.7), clip_by_value(sgd), {"max_value": 0.7}, (params, grads)),
        (optax.clip_by_global_norm(2.0), clip_by_global_norm(sgd), {"max_norm": 2.0}, (params, grads)),
        (optax.adaptive_grad_clip(0.3, 0.1), adaptive_clip(sgd), {"clipping": 0.3, "clipping_eps": 0.1}, two),
    ]
    for theirs, ours, numbers, (p, g) in cases:
        want, _ = theirs.update(g, theirs.init(p), p)
        after = ours.update(ours.init(p, lr=1.0, **numbers), g).params
        near(jax.tree.map(jnp.subtract, p, after), want, 1e-5)


# ---- accumulation ---------------------------------------------------------------------------------------------------


def regression(rows=24):
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(rows, 3)), rng.normal(size=rows)
    return jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32)


def mean_squared(params, x, y):
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


@pytest.mark.parametrize("inner", [adam, clip_by_global_norm(momentum), ema(adam)], ids=lambda o: o.name)
@pytest.mark.parametrize("k", [1, 3, 4])
def test_k_batches_equal_one_of_k_times_the_size(inner, k):
    """With a schedule of the learning rate, which counts the large batches."""
    x, y = regression()
    first = {"w": jnp.zeros(3), "b": jnp.zeros(())}
    rate = Ramp(0.05, 0.2)
    grad = jax.jit(jax.grad(mean_squared))
    large, small = inner.init(first, lr=rate), accumulate(inner).init(first, lr=rate, every_k=k)
    one, part = jax.jit(inner.update), jax.jit(accumulate(inner).update)
    for _ in range(3):
        large = one(large, grad(large.params, x, y))
        before = small.params
        for rows in np.split(np.arange(len(x)), k):
            bits_equal(small.params, before)
            small = part(small, grad(small.params, x[rows], y[rows]))
        close((small.params, accumulate(inner).readout(small)), (large.params, inner.readout(large)), 1e-5)
    assert int(small.step) == 3 * k and int(accumulate(inner).clock(small)) == 3


def test_k_may_change_and_be_a_schedule(x64):
    """k = 1, 2, 3 at the steps taken: after 1, 3 and 6 batches, each with the mean of its own."""
    states = trajectory(accumulate(sgd), GRADS[:6], lr=1.0, every_k=Ramp(1, 5))
    assert [int(s.memory.own.done) for s in states] == [1, 1, 2, 2, 2, 3]
    parts = (GRADS[:1], GRADS[1:3], GRADS[3:6])
    steps = [{k: np.mean([g[k] for g in some], axis=0) for k in PARAMS} for some in parts]
    near(states[-1].params, {k: PARAMS[k] - sum(s[k] for s in steps) for k in PARAMS})
    lowered = states[4]._replace(hyper=states[4].hyper._replace(every_k=1.0))  # two have come in since
    after = accumulate(sgd).update(lowered, jax.tree.map(jnp.asarray, GRADS[5]))
    near(after.params, states[-1].params)


def test_the_mean_loss_goes_in():
    losses = []

    def update(state, grads, *, loss=None):
        losses.append(loss)
        return sgd.update(state, grads)

    inner = optim.TABLE["sgd"].__class__("mine", sgd.init, update, sgd.numbers)
    optimizer = accumulate(inner)
    state = optimizer.init(start(), lr=0.1, every_k=2.0)
    for loss in (1.0, 3.0, 10.0):
        state = optimizer.update(state, slope(state.params), loss=loss)
    assert [float(x) for x in losses] == [1.0, 2.0, 10.0]


def test_sums_of_half_precision_are_kept_in_full():
    state = accumulate(sgd).init(jnp.zeros(2, jnp.bfloat16), lr=1.0, every_k=256.0)
    grads = jnp.full(2, 1.0, jnp.bfloat16)
    update = jax.jit(accumulate(sgd).update)
    for k in range(256):
        state = update(state, grads * (3 if k == 255 else 1))
    assert state.params.tolist() == [float(jnp.asarray(-258 / 256, jnp.bfloat16))] * 2


def test_accumulation_agrees_with_optax():
    optax = pytest.importorskip("optax")
    theirs = optax.MultiSteps(optax.adam(0.1), every_k_schedule=2)
    params = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), PARAMS)
    memory, update = theirs.init(params), jax.jit(theirs.update)
    for g, state in zip(GRADS, trajectory(accumulate(adam), lr=0.1, every_k=2.0), strict=True):
        with jax.numpy_dtype_promotion("standard"):
            steps, memory = update(jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), g), memory, params)
        params = optax.apply_updates(params, steps)
        near(state.params, params, 1e-5)


# ---- averages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("correction", [0.0, 1.0])
def test_ema(x64, correction):
    d = 0.8
    states = trajectory(ema(sgd), lr=0.1, ema_decay=d, ema_correction=correction)
    p = {k: v.copy() for k, v in PARAMS.items()}
    seen = []
    for g, state in zip(GRADS, states, strict=True):
        p = {k: p[k] - 0.1 * g[k] for k in p}
        seen.append(p)
        t = len(seen)
        weights = [(1 - d) * d ** (t - s) for s in range(1, t + 1)]
        total = {k: sum(w * q[k] for w, q in zip(weights, seen, strict=True)) for k in p}
        want = {k: total[k] / (1 - d**t) if correction else total[k] + d**t * PARAMS[k] for k in p}
        near(ema(sgd).readout(state), want)
        near(state.params, p)


def test_ema_begins_at_the_weights():
    for correction in (0.0, 1.0):
        bits_equal(ema(sgd).readout(ema(sgd).init(start(), lr=0.1, ema_correction=correction)), start())


def test_ema_averages_what_the_one_inside_would_evaluate():
    inner = optim.TABLE["schedule_free"]
    one, two = trajectory(ema(inner), lr=0.1, ema_decay=0.0)[-1], trajectory(inner, lr=0.1)[-1]
    near(ema(inner).readout(one), inner.readout(two), 1e-6)


@pytest.mark.parametrize(("k", "alpha"), [(1, 0.5), (3, 0.25), (2.5, 1.0)])
def test_lookahead(x64, k, alpha):
    states = trajectory(lookahead(momentum), lr=0.1, sync_every=k, slow_rate=alpha)
    slow = {n: v.copy() for n, v in PARAMS.items()}
    fast, v = dict(slow), {n: 0 * p for n, p in slow.items()}
    for t, (g, state) in enumerate(zip(GRADS, states, strict=True), 1):
        v = {n: 0.9 * v[n] + 0.1 * g[n] for n in v}
        fast = {n: fast[n] - 0.1 * v[n] for n in fast}
        if t % math.ceil(k) == 0:
            slow = {n: slow[n] + alpha * (fast[n] - slow[n]) for n in slow}
            fast = dict(slow)
        near(state.params, fast)
        near(lookahead(momentum).readout(state), slow)


def test_averages_and_syncs_go_by_steps_that_are_taken():
    """On whichever side of the accumulation they stand."""
    for wrapper, numbers in ((ema, {"ema_decay": 0.5}), (lookahead, {"sync_every": 2.0})):
        outer, inner = wrapper(accumulate(sgd)), accumulate(wrapper(sgd))
        for a, b in zip(*(trajectory(o, lr=0.1, every_k=2.0, **numbers) for o in (outer, inner)), strict=True):
            near((a.params, outer.readout(a)), (b.params, inner.readout(b)), 1e-6)
    skipping = ema(skip_nonfinite(sgd))
    grads = [GRADS[0], {k: g * np.nan for k, g in GRADS[1].items()}, GRADS[2]]
    seen = [skipping.readout(s) for s in trajectory(skipping, grads, lr=0.1, ema_decay=0.5)]
    bits_equal(seen[1], seen[0])


# ---- skipping -------------------------------------------------------------------------------------------------------


def test_a_skipped_step_is_as_if_it_had_not_been():
    bad = {k: np.where(np.arange(g.size).reshape(g.shape) == 1, np.inf, g) for k, g in GRADS[1].items()}
    optimizer, numbers = skip_nonfinite(adam), {"lr": Ramp(0.1, 0.5)}
    whole = trajectory(optimizer, [GRADS[0], bad, bad, GRADS[1], bad, GRADS[2]], **numbers)
    bits_equal(whole[2].params, whole[0].params)
    bits_equal(whole[2].memory.inner, whole[0].memory.inner)
    straight = trajectory(adam, GRADS[:3], **numbers)[-1]
    # Another program: to the bit, but for the older emitters that some tests compile with, which round it otherwise.
    same = partial(close, rtol=1e-6) if "use_fusion_emitters=false" in os.environ["XLA_FLAGS"] else bits_equal
    same((whole[-1].params, whole[-1].memory.inner), (straight.params, straight.memory))
    assert [int(s.memory.own.skipped) for s in whole] == [0, 1, 2, 2, 3, 3]
    assert [int(s.memory.own.running) for s in whole] == [0, 1, 2, 0, 1, 0]
    assert [int(optimizer.clock(s)) for s in whole] == [1, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("most", [0.0, 2.0, math.inf])
def test_after_max_skips_in_a_row_it_shows(most):
    bad = {k: g * np.nan for k, g in GRADS[0].items()}
    states = trajectory(skip_nonfinite(sgd), [bad] * 5, lr=0.1, max_skips=most)
    lost = [bool(np.isnan(s.params["a"]).all()) for s in states]
    assert lost == [k >= most for k in range(5)]


def test_derivatives_through_a_skipped_step_are_finite():
    def end(lr, size):
        state = skip_nonfinite(adam).init(start(), lr=lr)
        for bad in (0.0, size, 0.0):
            grads = jax.tree.map(lambda g, b=bad: g + b, slope(state.params))
            state = skip_nonfinite(adam).update(state, grads)
        return sum(jnp.sum(p**2) for p in state.params.values())

    for by in (jax.grad, jax.jacfwd):
        skipped = float(jax.jit(by(end))(0.1, math.inf))
        assert math.isfinite(skipped) and skipped != 0


# ---- noise ----------------------------------------------------------------------------------------------------------


def test_noise_has_the_variance_of_the_paper():
    optimizer = gradient_noise(sgd)
    eta, gamma, draws = 0.5, 0.8, []
    state = optimizer.init({"w": jnp.zeros((100, 100))}, lr=1.0, noise_eta=eta, noise_gamma=gamma)
    for t in range(3):
        new = optimizer.update(state, {"w": jnp.zeros((100, 100))})
        draws.append(np.asarray(new.params["w"] - state.params["w"]))
        assert draws[-1].var() == pytest.approx(eta / (1 + t) ** gamma, rel=0.05)
        assert abs(draws[-1].mean()) < 5 * draws[-1].std() / 100
        assert (draws[-1] ** 4).mean() / draws[-1].var() ** 2 == pytest.approx(3, abs=0.25)  # normal
        state = new
    assert abs(np.corrcoef([d.ravel() for d in draws]) - np.eye(3)).max() < 0.05


def test_noise_is_another_for_each_seed_lane_and_leaf():
    optimizer, zeros = gradient_noise(sgd), {"v": jnp.zeros(50), "w": jnp.zeros(50)}

    def run(seed):
        return optimizer.update(optimizer.init(zeros, lr=1.0, noise_eta=1.0, noise_seed=seed), zeros).params

    lanes = jax.vmap(run)(jnp.array([0.0, 1.0, 0.0]))
    assert not np.any(np.asarray(lanes["v"]) == np.asarray(lanes["w"]))
    assert not np.any(np.asarray(lanes["v"][0]) == np.asarray(lanes["v"][1]))
    bits_equal(lanes["v"][0], lanes["v"][2])
    bits_equal(jax.tree.map(lambda x: x[1], lanes), run(1.0))


# ---- by path --------------------------------------------------------------------------------------------------------

TREE = {"hidden_0": {"bias": np.ones(2), "weight": np.full((3, 2), 2.0)}, "output": {"weight": np.full((2, 1), 3.0)}}


def ones(tree):
    return jax.tree.map(jnp.ones_like, tree)


@pytest.mark.parametrize("coupling", [0.0, 0.5, 1.0])
def test_decay_by_path(x64, coupling):
    optimizer = decay_by_path(momentum, {"*.bias": 0.0, "hidden*": 0.1, "*": 0.2})
    assert optimizer.numbers._fields[-4:] == ("decay_bias", "decay_hidden", "decay_rest", "decay_coupling")
    params = jax.tree.map(jnp.asarray, TREE)
    state = optimizer.init(params, lr=0.5, beta=0.9, decay_coupling=coupling)
    p, v = [np.ones(2), np.full((3, 2), 2.0), np.full((2, 1), 3.0)], [0.0, 0.0, 0.0]
    for _ in range(3):
        state = optimizer.update(state, ones(params))
        v = [0.9 * m + 0.1 * (1 + coupling * s * q) for m, s, q in zip(v, (0.0, 0.1, 0.2), p, strict=True)]
        p = [q - 0.5 * m - (1 - coupling) * 0.5 * s * q for q, m, s in zip(p, v, (0.0, 0.1, 0.2), strict=True)]
        near(jax.tree.leaves(state.params), p)


def test_decay_of_all_alike_is_that_of_adamw():
    ours = trajectory(decay_by_path(adam, {"*": 0.3}), lr=0.1)[-1].params
    near(ours, trajectory(adamw, lr=0.1, weight_decay=0.3)[-1].params, 1e-5)


def test_decay_waits_for_the_step():
    outer, inner = decay_by_path(accumulate(sgd), {"*": 0.3}), accumulate(decay_by_path(sgd, {"*": 0.3}))
    for a, b in zip(*(trajectory(o, lr=0.1, every_k=2.0) for o in (outer, inner)), strict=True):
        near(a.params, b.params, 1e-5)


def test_rate_by_path(x64):
    optimizer = rate_by_path(momentum, {"*.bias": 2.0, "output*": 0.5})
    params = jax.tree.map(jnp.asarray, TREE)
    state = optimizer.update(optimizer.init(params, lr=0.1, dampening=0.0), ones(params))
    assert optimizer.numbers._fields[-2:] == ("rate_bias", "rate_output")
    moved = jax.tree.leaves(jax.tree.map(lambda p, q: float((p - q).ravel()[0]), params, state.params))
    np.testing.assert_allclose(moved, [0.2, 0.1, 0.05], rtol=1e-12)
    state = optimizer.init(params, lr=0.1, rate_bias=1.0, rate_output=1.0)
    plain = momentum.update(momentum.init(params, lr=0.1), ones(params))
    bits_equal(optimizer.update(state, ones(params)).params, plain.params)


@pytest.mark.parametrize("name", ["momentum", "adamw", "muon", "schedule_free", "lbfgs"])
def test_a_frozen_group_keeps_its_bits_whatever_its_gradient(name):
    inner = optim.by_name(name)
    optimizer = rate_by_path(inner, {"b": 0.0})
    params = {**start(), "b": jnp.array([-0.0, 1e-40])}
    state = optimizer.init(params, lr=0.1)
    update = jax.jit(optimizer.update)
    for bad in (math.nan, math.inf, 1.0):
        state = update(state, {**slope(state.params), "b": jnp.full(2, bad)})
        assert np.asarray(state.params["b"]).tobytes() == np.asarray(params["b"]).tobytes()
        np.testing.assert_allclose(optimizer.readout(state)["b"], params["b"], atol=1e-38)
        assert np.isfinite(optimizer.readout(state)["w"]).all()
    thawed = update(state._replace(hyper=state.hyper._replace(rate_b=1.0)), slope(state.params))
    assert np.isfinite(thawed.params["b"]).all() and not np.array_equal(thawed.params["b"], params["b"])


def test_a_global_norm_does_not_see_what_is_frozen():
    optimizer = rate_by_path(clip_by_global_norm(sgd), {"b": 0.0})
    grads = {"b": jnp.full(2, 1e6), "w": jnp.ones((3, 2)) / math.sqrt(6), "dead": jnp.zeros(2)}
    after = optimizer.update(optimizer.init(start(), lr=1.0), grads).params
    np.testing.assert_allclose(after["w"], start()["w"] - grads["w"], rtol=1e-6)


def test_rules_that_cannot_be():
    with pytest.raises(ValueError, match="no parameter's path matches 'bais'; there are b, dead, w"):
        decay_by_path(sgd, {"bais": 0.0}).init(start(), lr=0.1)
    with pytest.raises(ValueError, match="second number called `rate_b`"):
        rate_by_path(sgd, {"b*": 0.0, "*b": 0.0})
    with pytest.raises(ValueError, match="second number called `decay_coupling`"):
        decay_by_path(sgd, {"coupling": 0.0})
    with pytest.raises(ValueError, match="at least one rule"):
        rate_by_path(sgd, {})
    with pytest.raises(ValueError, match="`rate_b` must be in"):
        rate_by_path(sgd, {"b": -1.0})
    for rules in ({"b": "1"}, {"b": jnp.ones(())}, {3: 1.0}):
        with pytest.raises(TypeError, match=r"default number|pattern is text"):
            rate_by_path(sgd, rules)
    without = optim.TABLE["sgd"].__class__("mine", sgd.init, sgd.update, type("H", (tuple,), {"_fields": ("rate",)}))
    with pytest.raises(ValueError, match="mine has no number `lr`"):
        decay_by_path(without, {"*": 0.1})
