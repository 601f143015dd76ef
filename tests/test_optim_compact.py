"""Compact moments: half the room, the same way on average, and no moment that stands still."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import advance, bits_equal, close, slope, start

from fnopt.optim import NAMES, accumulate, adam, by_name, compact, ema, schedule_free
from fnopt.optim.wrappers.compact import rounded

UPDATE = jax.jit(compact(adam).update)
COMPACT = [name for name in NAMES if by_name(name).moments]


def bytes_of(tree):
    return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(tree))


@pytest.mark.parametrize("x", [1.001, -3.14159, 1e-30, -1e-3])
def test_rounding_is_to_a_neighbour_and_right_on_average(x):
    kept = rounded(jnp.full(40000, x, jnp.float32), jax.random.key(1)).astype(jnp.float32)
    low, high = sorted({*kept.tolist()})
    step = high - low
    assert low < np.float32(x) < high and step <= 2**-7 * abs(x)
    assert abs(float(kept.mean()) - x) < 0.02 * step + 1e-6 * abs(x)


def test_what_bfloat16_has_rounds_to_itself():
    x = jnp.array([0.0, -0.0, 1.0, -1.5, 3e38, 1e-38, jnp.inf, -jnp.inf, jnp.nan], jnp.bfloat16)
    for seed in range(5):
        bits_equal(rounded(x.astype(jnp.float32), jax.random.key(seed)).view(jnp.uint16)[:-1], x.view(jnp.uint16)[:-1])
        assert jnp.isnan(rounded(x.astype(jnp.float32), jax.random.key(seed))[-1])


def test_no_value_is_set_to_nought_or_beyond_by_it():
    """A second moment stays ≥ 0, and ε is added in float32."""
    state = compact(adam).init(jnp.ones(3), lr=0.1)
    for _ in range(3):
        state = UPDATE(state, jnp.full(3, 1e-12))
    assert (state.memory.inner.v >= 0).all() and np.isfinite(state.params).all()


def test_half_the_room():
    """Of every optimizer: each array that gathers gradients is bfloat16, all others are as they were."""
    for name in NAMES:
        plain, small = (
            jax.eval_shape(lambda p, o=o: o.init(p, lr=0.1), start()) for o in (by_name(name), compact(by_name(name)))
        )
        for field in getattr(plain.memory, "_fields", ()):
            full, kept = bytes_of(getattr(plain.memory, field)), bytes_of(getattr(small.memory.inner, field))
            assert full == (2 * kept if field in by_name(name).moments else kept)
    assert {*NAMES} - {*COMPACT} == {"sgd", "lbfgs"}


@pytest.mark.parametrize("name", ["adam", "adafactor", "muon", "prodigy", "nadam"])
def test_the_same_way(name):
    """Ends are within 2 % of the way that float32 went."""
    plain, small = by_name(name), compact(by_name(name))
    numbers = {"lr": 0.05}
    one, two = plain.init(start(), **numbers), small.init(start(), **numbers)
    one, two = advance(plain, one, 20), advance(small, two, 20)
    ends = [o.readout(s)["w"] for o, s in ((plain, one), (small, two))]
    way = float(jnp.linalg.norm(ends[0] - start()["w"]))
    assert float(jnp.linalg.norm(ends[1] - ends[0])) < 0.02 * way


def test_adam_keeps_eight_bytes_a_parameter_and_four_so():
    params = jnp.ones(1000)
    assert bytes_of(adam.init(params, lr=0.1).memory) == 8000
    assert bytes_of(compact(adam).init(params, lr=0.1).memory) == 4000


def second_moment(kind, steps):
    """v after g² fell from 1 to 1/4, at b2 = 0.999; ``kind`` says how it is kept."""
    g = jnp.full(2000, 0.5)
    if kind == "nearest":

        def step(v, _):
            v = 0.999 * v.astype(jnp.float32) + 0.001 * jnp.square(g)
            return v.astype(jnp.bfloat16), None

        return jax.lax.scan(step, jnp.ones(2000, jnp.bfloat16), None, length=steps)[0]
    optimizer = compact(adam) if kind == "compact" else adam
    state = optimizer.init(jnp.zeros(2000), lr=0.0)
    memory = jax.tree.map(jnp.ones_like, state.memory)
    state = jax.lax.scan(
        lambda s, _: (optimizer.update(s, g), None), state._replace(memory=memory), None, length=steps
    )[0]
    return (state.memory.inner if kind == "compact" else state.memory).v


def test_a_slow_second_moment_does_not_stand_still():
    """Rounded to the nearest it does, at the start: that is what the random rounding is for."""
    full, small, nearest = (second_moment(kind, 2000).astype(jnp.float32) for kind in ("float32", "compact", "nearest"))
    assert float(nearest.min()) == 1.0
    assert float(full.mean()) == pytest.approx(0.25 + 0.75 * 0.999**2000, rel=1e-3)
    assert float(small.mean()) == pytest.approx(float(full.mean()), rel=5e-3)
    assert float(small.std() / small.mean()) < 0.1


def test_adam_converges_as_in_float32():
    """On a noisy quadratic in 200 dimensions the distance left is at most 1.2 times float32's at the end."""
    curve, key = jnp.logspace(-1, 1, 200), jax.random.key(3)

    @jax.jit
    def left():
        def distances(optimizer):
            def step(state, t):
                noise = jax.random.normal(jax.random.fold_in(key, t), (200,))
                state = optimizer.update(state, curve * state.params + 0.1 * noise)
                return state, jnp.linalg.norm(state.params)

            return jax.lax.scan(step, optimizer.init(jnp.ones(200), lr=0.01), jnp.arange(1500))[1]

        return distances(adam), distances(compact(adam))

    full, small = left()
    assert float(full[-1]) < 0.1 * full[0]
    assert float(small[-300:].mean()) < 1.2 * float(full[-300:].mean())


def test_where_no_step_is_taken_moments_stay():
    optimizer = compact(accumulate(adam))
    state = advance(optimizer, optimizer.init(start(), lr=0.1, every_k=3.0), 3)
    after = jax.jit(optimizer.update)(state, slope(state.params))
    bits_equal(after.memory.inner.inner, state.memory.inner.inner)
    assert after.memory.inner.own.sums["w"].dtype == jnp.float32


def test_order_of_nesting_and_weights():
    """Weights that are averaged stay in float32, wherever they are kept."""
    orders = compact(ema(adam)), ema(compact(adam))
    one, two = (advance(optimizer, optimizer.init(start(), lr=0.1), 4) for optimizer in orders)
    assert one.memory.inner.own.average["w"].dtype == two.memory.own.average["w"].dtype == jnp.float32
    assert one.memory.inner.inner.v["w"].dtype == two.memory.inner.inner.v["w"].dtype == jnp.bfloat16
    close(*((state.params, o.readout(state)) for o, state in zip(orders, (one, two), strict=True)), 1e-6)
    state = compact(schedule_free).init(start(), lr=0.1)
    assert state.memory.inner.x["w"].dtype == state.memory.inner.z["w"].dtype == jnp.float32


def test_seeds_round_apart_and_lanes_as_alone():
    run = jax.jit(lambda seed: advance(compact(adam), compact(adam).init(start(), lr=0.1, rounding_seed=seed), 5))
    lanes = jax.jit(jax.vmap(run))(jnp.array([0.0, 1.0]))
    for i in range(2):
        close(jax.tree.map(lambda x, i=i: x[i], lanes.params), run(float(i)).params)
    assert (lanes.params["w"][0] != lanes.params["w"][1]).any()


def test_derivatives_pass_through_the_rounding():
    """As if nothing had been rounded: through the moments too, whose share a difference quotient in float32 has."""

    def end(optimizer, lr, b1):
        return jnp.sum(advance(optimizer, optimizer.init(start(), lr=lr, b1=b1), 5).params["w"] ** 2)

    slopes = [jax.jit(jax.grad(lambda x, o=o: end(o, *x)))(jnp.array([0.1, 0.8])) for o in (adam, compact(adam))]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=0.05)


def test_float64_moments_stay(x64):
    state = compact(adam).init(jnp.ones(2, jnp.float64), lr=0.1)
    assert state.memory.inner.m.dtype == compact(adam).update(state, jnp.ones(2)).memory.inner.m.dtype == jnp.float64
