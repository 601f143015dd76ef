"""Every number of every optimizer is a leaf: vmapped, traced once, scheduled, differentiated, checked."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import (
    INSIDE,
    LOWER,
    PAIRS,
    SIGNS,
    SWITCHES,
    UPDATE,
    UPPER,
    Ramp,
    advance,
    close,
    every_number,
    numbers,
    slope,
    stacked,
    start,
)

from fnopt.optim import NAMES, by_name


@pytest.mark.parametrize("name", NAMES)
def test_vmap_over_each_number_is_a_loop(name):
    optimizer = by_name(name)
    rows = [every_number(name, **{k: v}) for k in optimizer.numbers._fields for v in INSIDE[k]]

    def run(values):
        return advance(optimizer, optimizer.init(start(), **values)).params

    if name == "adabelief":  # with eps near 0 its scale is what rounding leaves of g − m: another in each program
        rows = [row | {"eps": max(row["eps"], 0.1)} for row in rows]
    lanes, alone = jax.jit(jax.vmap(run))(stacked(rows)), jax.jit(run)
    for i, row in enumerate(rows):
        close(jax.tree.map(lambda x, i=i: x[i], lanes), alone(row))


@pytest.mark.parametrize("name", NAMES)
def test_one_trace_for_all_values(name):
    optimizer, traces = by_name(name), []

    @jax.jit
    def step(state):
        traces.append(state)
        return optimizer.update(state, slope(state.params))

    state = optimizer.init(start(), **numbers())
    state = step(step(state))
    for number in state.hyper._fields:
        for value in INSIDE[number]:
            step(state._replace(hyper=state.hyper._replace(**{number: value})))
            step(optimizer.init(start(), **numbers(**{number: value})))
    assert len(traces) == 1


@pytest.mark.parametrize("name", NAMES)
def test_any_number_may_be_a_schedule(name):
    """Each on a way of its own, and the same as setting it by hand before every step."""
    optimizer, update = by_name(name), UPDATE[name]
    ramps = {k: Ramp(INSIDE[k][1], INSIDE[k][2]) for k in optimizer.numbers._fields}
    scheduled, plain = optimizer.init(start(), **ramps), optimizer.init(start(), **every_number(name))
    for t in range(4):
        plain = plain._replace(hyper=type(plain.hyper)(**{k: float(ramp(t)) for k, ramp in ramps.items()}))
        scheduled, plain = update(scheduled, slope(scheduled.params)), update(plain, slope(plain.params))
        close(scheduled.params, plain.params)
    assert all(isinstance(h, Ramp) for h in scheduled.hyper)


USUAL = ("adam", "adadelta", "lbfgs", "muon", "rprop", "schedule_free")  # one of a kind; the others are slow


@pytest.mark.parametrize(
    "name", [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_gradient_by_every_number_is_finite(name):
    """Forward and reverse, also where eps is 0, a decay 0 and a leaf never had a gradient."""
    optimizer = by_name(name)

    def end(values):
        params = advance(optimizer, optimizer.init(start(), **values)).params
        return sum(jnp.sum(p**2) for p in params.values())

    @jax.jit
    def slopes(values):
        forward = jax.jvp(end, (values,), (jax.tree.map(jnp.ones_like, values),))[1]
        return forward, jax.grad(end)(values)

    for edge in range(3):
        values = {k: INSIDE[k][edge] for k in optimizer.numbers._fields}
        for row in (values, every_number(name), every_number(name, **{k: 0.0 for k in values if "eps" in k})):
            forward, reverse = slopes(row)
            assert all(np.isfinite(g) for g in reverse.values()), row
            scale = sum(abs(float(g)) for g in reverse.values())
            assert float(forward) == pytest.approx(float(sum(reverse.values())), abs=1e-3 * scale + 1e-6), row


LONGER = {"radam": 12, "rprop": 12}  # until every number has come into play


@pytest.mark.parametrize("name", NAMES)
def test_gradient_by_every_number_is_the_difference_quotient(name, x64):
    optimizer, h = by_name(name), 1e-5
    middle = {"lr": 0.07, "eps": 0.01, "eps_root": 0.02, "lr_inside": 0.3, "eps1": 0.01, "adam_eps": 0.01}
    middle |= {"initial": 0.1}
    values = {k: middle.get(k, INSIDE[k][1]) for k in optimizer.numbers._fields}

    @jax.jit
    @jax.value_and_grad
    def end(values):
        params = advance(optimizer, optimizer.init(start(jnp.float64), **values), LONGER.get(name, 5)).params
        return sum(jnp.sum(p**2) for p in params.values())

    slopes = end(values)[1]
    for k, v in values.items():
        quotient = (end({**values, k: v + h})[0] - end({**values, k: v - h})[0]) / (2 * h)
        assert float(slopes[k]) == pytest.approx(float(quotient), rel=1e-6, abs=1e-8), k
        assert (slopes[k] == 0) == (k in SWITCHES or (name, k) in SIGNS), k


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_out_of_range(name, number):
    optimizer = by_name(name)
    for bad in (LOWER.get(number, -0.1), UPPER[number], math.nan):
        with pytest.raises(ValueError, match=f"`{number}` must be in"):
            optimizer.init(start(), **numbers(**{number: bad}))
    with pytest.raises(ValueError, match="vmap over `init`"):
        optimizer.init(start(), **numbers(**{number: jnp.ones(3) / 2}))


@pytest.mark.parametrize("name", NAMES)
def test_a_traced_number_out_of_range_is_nan_in_its_own_lane(name):
    optimizer = by_name(name)
    bad = [every_number(name, **{k: v}) for k in optimizer.numbers._fields for v in (LOWER.get(k, -0.1), UPPER[k])]

    def run(values):
        params = advance(optimizer, optimizer.init(start(), **values), 2).params
        return jnp.stack([jnp.sum(p) for p in params.values()])

    ends = jax.jit(jax.vmap(run))(stacked([every_number(name), *bad]))
    assert np.isfinite(ends[0]).all()
    assert np.isnan(ends[1:]).all()
