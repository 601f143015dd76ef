"""The bridge to optax's convention, both ways."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import Ramp, advance, bits_equal, close, slope, stacked, start

import fnopt as fo
from fnopt.optim import as_transform, by_name, from_transform
from fnopt.run.codec import encode

OURS = ["momentum", "muon", "schedule_free", "clipped"]


def named(name):
    return fo.optim.clip_by_global_norm(fo.optim.adam) if name == "clipped" else by_name(name)


def applied(params, steps):
    """What ``optax.apply_updates`` does."""
    return jax.tree.map(lambda p, u: (p + u).astype(p.dtype), params, steps)


# ---- ours as theirs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16], ids=["float32", "bfloat16"])
def test_our_trajectory_to_the_bit_inside_and_to_a_rounding_outside(name, dtype):
    optimizer = named(name)
    transform = as_transform(optimizer, lr=Ramp(0.1, 0.3))
    plain, params = optimizer.init(start(dtype), lr=Ramp(0.1, 0.3)), start(dtype)
    state, ours, theirs = transform.init(params), jax.jit(optimizer.update), jax.jit(transform.update)
    for _ in range(6):
        plain = ours(plain, slope(plain.params))
        grads = slope(state.state.params)
        steps, state = theirs(grads, state, params)
        before, params = params, applied(params, steps)
        bits_equal(state.state, plain)
        unit = float(jnp.finfo(dtype).eps)
        for p, q, old in zip(*map(jax.tree.leaves, (params, plain.params, before)), strict=True):
            p, q, old = (np.asarray(x, np.float64) for x in (p, q, old))
            assert (np.abs(p - q) <= unit * np.maximum(np.abs(q), np.abs(old))).all()
    assert jax.tree.map(lambda x: x.dtype, steps) == jax.tree.map(lambda x: x.dtype, params)


def test_what_is_changed_outside_goes_on_from_there():
    transform = as_transform(fo.optim.sgd, lr=0.5)
    params = {"a": jnp.array([1.0, 2.0]), "b": jnp.ones(2)}
    state = transform.init(params)
    changed = {**params, "a": jnp.array([1.0, 5.0])}
    steps, state = transform.update(jax.tree.map(jnp.ones_like, params), state, changed)
    assert applied(changed, steps)["a"].tolist() == state.state.params["a"].tolist() == [0.5, 4.5]
    steps, state = transform.update(jax.tree.map(jnp.ones_like, params), state)  # params may be left out
    assert state.state.params["a"].tolist() == [0.0, 4.0]


def test_numbers_stay_leaves_and_lanes_are_a_vmap():
    def run(lr):
        transform = as_transform(fo.optim.momentum, lr=lr)
        params = start()
        state = transform.init(params)
        for _ in range(3):
            steps, state = transform.update(slope(params), state, params)
            params = applied(params, steps)
        return params

    lanes = jax.vmap(run)(jnp.array([0.1, 0.3]))
    for i, lr in enumerate((0.1, 0.3)):
        close(jax.tree.map(lambda x, i=i: x[i], lanes), run(lr))


def test_what_else_is_given_is_handed_on_where_it_is_wanted():
    cost = lambda w: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2  # noqa: E731
    transform, w = as_transform(fo.optim.lbfgs), jnp.array([-1.2, 1.0])
    state, plain = transform.init(w), fo.optim.lbfgs.init(w)
    for _ in range(3):
        value, grads = jax.value_and_grad(cost)(w)
        steps, state = transform.update(grads, state, w, value=value, value_fn=cost, grad=grads)
        plain = fo.optim.lbfgs.update(plain, jax.grad(cost)(plain.params), loss=cost(plain.params), objective=cost)
        w = applied(w, steps)
    close(w, plain.params, 1e-5)
    transform = as_transform(fo.optim.sgd, lr=0.1)
    transform.update(w, transform.init(w), w, value=1.0, value_fn=cost, something="else")


def test_ours_in_optaxs_chain():
    optax = pytest.importorskip("optax")
    chain = optax.chain(optax.clip_by_global_norm(1.0), as_transform(fo.optim.adam, lr=0.1))
    params, memory = start(), chain.init(start())
    ours = fo.optim.clip_by_global_norm(fo.optim.adam)
    state = ours.init(start(), lr=0.1, max_norm=1.0)
    for _ in range(5):
        steps, memory = chain.update(slope(params), memory, params)
        params = optax.apply_updates(params, steps)
        state = ours.update(state, slope(state.params))
    close(params, state.params, 1e-5)


def test_wrong_calls_of_as_transform():
    with pytest.raises(TypeError, match=r"takes an Optimizer, as fo\.optim\.adam is, got 'adam'"):
        as_transform("adam", lr=0.1)
    transform = as_transform(fo.optim.adam, lr=0.1)
    with pytest.raises(ValueError, match="params must have the structure"):
        transform.update(start(), transform.init(start()), {"w": jnp.ones(2)})
    with pytest.raises(TypeError, match="adam needs `lr`"):
        as_transform(fo.optim.adam).init(start())


# ---- theirs as ours -------------------------------------------------------------------------------------------------


def heavy_ball(learning_rate, decay, sign=1.0):
    """A transform written by hand: v ← decay v + g, u = −learning_rate v."""

    def update(g, v, params=None):
        v = jax.tree.map(lambda a, b: decay * a + b, v, g)
        return jax.tree.map(lambda a: -sign * learning_rate * a, v), v

    return lambda params: jax.tree.map(jnp.zeros_like, params), update


BALL = from_transform(heavy_ball, numbers=dict(decay=0.9, learning_rate=0.1))


def test_theirs_is_an_optimizer_like_any_other():
    assert from_transform(heavy_ball, numbers=dict(decay=0.9, learning_rate=0.1)) == BALL
    assert BALL.numbers._fields == ("lr", "decay") and BALL.lr == 0.1 and BALL.name == "heavy_ball"
    ours = fo.optim.momentum.init(start(), lr=0.1, dampening=0.0)
    state, one, two = BALL.init(start()), jax.jit(BALL.update), jax.jit(fo.optim.momentum.update)
    for _ in range(4):
        state, ours = one(state, slope(state.params)), two(ours, slope(ours.params))
    close(state.params, ours.params)
    lanes = jax.vmap(lambda v: advance(BALL, BALL.init(start(), **v)).params)
    rows = [{"lr": 0.1, "decay": 0.5}, {"lr": 0.02, "decay": 0.9}]
    for i, row in enumerate(rows):
        close(jax.tree.map(lambda x, i=i: x[i], lanes(stacked(rows))), advance(BALL, BALL.init(start(), **row)).params)


def test_one_trace_for_all_numbers_and_schedules():
    traces = []

    @jax.jit
    def step(state):
        traces.append(state)
        return BALL.update(state, slope(state.params))

    state = step(BALL.init(start(), lr=0.1))
    for lr in (0.2, 0.3):
        state = step(state._replace(hyper=state.hyper._replace(lr=lr, decay=0.5)))
    assert len(traces) == 1
    moving, by_hand = BALL.init(start(), lr=Ramp(0.1, 0.3)), BALL.init(start(), lr=0.1)
    for t in range(3):
        by_hand = by_hand._replace(hyper=by_hand.hyper._replace(lr=float(Ramp(0.1, 0.3)(t))))
        moving, by_hand = BALL.update(moving, slope(moving.params)), BALL.update(by_hand, slope(by_hand.params))
    close(moving.params, by_hand.params)


def test_derivative_by_a_number_is_the_difference_quotient(x64):
    def end(lr):
        state = advance(BALL, BALL.init(start(jnp.float64), lr=lr))
        return sum(jnp.sum(p**2) for p in state.params.values())

    quotient = (end(0.07 + 1e-6) - end(0.07 - 1e-6)) / 2e-6
    assert float(jax.grad(end)(0.07)) == pytest.approx(float(quotient), rel=1e-6)


def test_theirs_is_wrapped_fitted_and_swept():
    optimizer = fo.optim.ema(fo.optim.clip_by_global_norm(BALL))
    data = fo.data.load("iris")
    space = dict(lr=fo.log_uniform(0.01, 0.1), decay=fo.uniform(0.5, 0.9), max_norm=1.0)
    sweep = fo.caviar(fo.classifier(hidden=(4,), optimizer=optimizer), space, data, n=3, epochs=3)
    assert sweep.replay(1).going.result.digest == sweep.kept.lanes[1, 0, 0].digest
    with pytest.raises(ValueError, match="is not one of fnopt's own and cannot be written to a file"):
        encode(optimizer)


OPTAX = {
    "adam": (dict(learning_rate=0.1, b1=0.9, b2=0.99), "adam"),
    "adamw": (dict(learning_rate=0.1, weight_decay=0.1), "adamw"),
    "rmsprop": (dict(learning_rate=0.01, decay=0.9), "rmsprop"),
}


@pytest.mark.parametrize("name", OPTAX)
def test_optaxs_own_is_what_it_is_there_and_as_ours(name):
    optax = pytest.importorskip("optax")
    numbers, ours = OPTAX[name]
    optimizer, transform = from_transform(getattr(optax, name), numbers=numbers), getattr(optax, name)(**numbers)
    state, params, memory = optimizer.init(start()), start(), transform.init(start())
    renamed = {{"learning_rate": "lr", "decay": "beta"}.get(k, k): v for k, v in numbers.items()}
    mine = by_name(ours).init(start(), **renamed)
    one, two, three = jax.jit(optimizer.update), jax.jit(transform.update), jax.jit(by_name(ours).update)
    for _ in range(5):
        with jax.numpy_dtype_promotion("standard"):
            steps, memory = two(slope(params), memory, params)
            state = one(state, slope(state.params))
        params, mine = optax.apply_updates(params, steps), three(mine, slope(mine.params))
    close(state.params, params, 1e-5)
    close(mine.params, params, 1e-4 if name == "rmsprop" else 1e-5)


def test_what_is_no_number_goes_into_the_factory():
    optax = pytest.importorskip("optax")
    nesterov = from_transform(
        functools.partial(optax.sgd, nesterov=True), numbers=dict(learning_rate=0.1, momentum=0.9), name="theirs"
    )
    state, ours = nesterov.init(start()), fo.optim.nesterov.init(start(), lr=0.1)
    for _ in range(4):
        state, ours = nesterov.update(state, slope(state.params)), fo.optim.nesterov.update(ours, slope(ours.params))
    close(state.params, ours.params, 1e-5)


def test_their_memory_keeps_the_types_it_began_with():
    optax = pytest.importorskip("optax")
    optimizer = from_transform(optax.adam, numbers=dict(learning_rate=0.1))
    with jax.numpy_dtype_promotion("standard"):
        state = optimizer.init(start(jnp.bfloat16))
        after = jax.jit(optimizer.update)(state, slope(state.params))
    types = lambda s: jax.tree.map(lambda x: (x.shape, x.dtype, x.weak_type), (s.params, s.memory))  # noqa: E731
    assert types(after) == types(state)


def test_wrong_calls_of_from_transform():
    with pytest.raises(ValueError, match="must hold the learning rate, as learning_rate=1e-3; got decay"):
        from_transform(heavy_ball, numbers=dict(decay=0.9))
    with pytest.raises(TypeError, match=r"`nesterov` must be a number, got True; others: functools.partial"):
        from_transform(heavy_ball, numbers=dict(learning_rate=0.1, nesterov=True))
    with pytest.raises(TypeError, match="`factory` must make"):
        from_transform("adam", numbers=dict(learning_rate=0.1))
    with pytest.raises(TypeError, match="heavy_ball has no number `deca`; did you mean `decay`"):
        BALL.init(start(), deca=0.1)
    with pytest.raises(TypeError, match="numbers go by name"):
        BALL.init(start(), 0.1)
    assert not math.isnan(float(BALL.update(BALL.init(start()), start(), loss=1.0).params["w"][0, 0]))
