"""Every optimizer × every property: a new optimizer is one more value in NAMES."""

import copy
import dataclasses
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import (
    INSIDE,
    REACH,
    TARGET,
    UPDATE,
    Ramp,
    advance,
    bits_equal,
    every_number,
    numbers,
    slope,
    start,
)

from fnopt._types import State
from fnopt.optim import NAMES, TABLE, by_name
from fnopt.optim.family import Family, fits
from fnopt.schedules import cosine

# ---- types ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_half_types_keep_every_carry(name):
    optimizer, halves = by_name(name), {"w": jnp.bfloat16, "b": jnp.float16, "dead": jnp.bfloat16}
    values = {k: jnp.array(INSIDE[k][1:]) for k in optimizer.numbers._fields}
    params = {k: p.astype(halves[k]) for k, p in start().items()}
    states = jax.vmap(lambda v: optimizer.init(params, **v))(values)

    def step(states, _):
        return jax.vmap(optimizer.update)(states, jax.vmap(slope)(states.params)), None

    after, _ = jax.jit(lambda s: jax.lax.scan(step, s, None, length=3))(states)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), after) == jax.tree.map(lambda x: (x.shape, x.dtype), states)
    assert {k: p.dtype for k, p in after.params.items()} == halves
    assert {x.dtype for x in jax.tree.leaves(after.memory)} <= {jnp.dtype(jnp.float32)}
    for state in (after.params, after.memory):
        assert all(np.isfinite(np.asarray(x, np.float32)).all() for x in jax.tree.leaves(state))


@pytest.mark.parametrize("name", NAMES)
def test_each_leaf_works_in_its_own_type(name, x64):
    optimizer = by_name(name)
    params = {"a": jnp.ones(2, jnp.float64), "b": jnp.ones(3, jnp.bfloat16), "c": jnp.ones((), jnp.float32), "d": 1.0}
    state = optimizer.init(params, **numbers())
    for now in (state, jax.eval_shape(optimizer.update, state, state.params)):
        assert [p.dtype for p in jax.tree.leaves(now.params)] == [jnp.float64, jnp.bfloat16, jnp.float32, jnp.float64]
        for tree in now.memory:
            own = [m.dtype for m in jax.tree.leaves(tree)]
            one = not isinstance(tree, dict) and not optimizer.elementwise  # for the whole tree
            assert own == [jnp.float64] if one else own == [jnp.float64, jnp.float32, jnp.float32, jnp.float64]


# ---- behaviour ------------------------------------------------------------------------------------------------------

CONVERGES = {"rmsprop": {"lr": 1e-3}, "adam": {"lr": 0.01}, "adamw": {"lr": 0.01, "weight_decay": 1e-6}}
CONVERGES |= {"adagrad": {"lr": 0.5}, "adadelta": {"lr": 1.0, "eps_root": 1e-6}, "nesterov": {"lr": 0.03}}

CONVERGES |= {"adafactor": {"lr": 1e-3, "parameter_scale": 0.0}, "muon": {"lr": 2e-3}, "schedule_free": {"lr": 0.1}}
CONVERGES |= {"prodigy": {"lr": 1.0}, "lbfgs": {"lr": 0.5}}
CONVERGES |= {name: {"lr": 0.01} for name in ("amsgrad", "nadam", "radam", "adamax", "adabelief", "yogi")}
CONVERGES |= {name: {"lr": 1e-3} for name in ("lion", "rmsprop_centred")}
CONVERGES |= {"lamb": {"lr": cosine(0.02, 6000)}, "lars": {"lr": cosine(0.05, 6000), "trust_coefficient": 0.1}}


@pytest.mark.parametrize("name", NAMES)
def test_converges_on_a_convex_quadratic(name):
    optimizer = by_name(name)
    state = advance(optimizer, optimizer.init(start(), **numbers(**CONVERGES.get(name, {}))), 6000)
    for k, want in TARGET.items():
        np.testing.assert_allclose(state.params[k], want, atol=5e-3)


def steps(name, state, count=5):
    for _ in range(count):
        state = UPDATE[name](state, slope(state.params))
    return state


@pytest.mark.parametrize("name", NAMES)
def test_save_and_resume_is_the_straight_run(name):
    ramps = {k: Ramp(INSIDE[k][1], INSIDE[k][2]) for k in TABLE[name].numbers._fields}
    half = steps(name, by_name(name).init(start(), **ramps))
    leaves, structure = jax.tree.flatten(half)
    saved = [np.array(x) for x in leaves]  # arrays are all there is to save
    bits_equal(steps(name, structure.unflatten([jnp.asarray(x) for x in saved])), steps(name, half))
    assert half.step.dtype == jnp.int32
    assert int(half.step) == 5


@pytest.mark.parametrize("name", [n for n in NAMES if {"eps", "eps_root"} & set(TABLE[n].numbers._fields)])
def test_without_eps_a_dead_entry_stays(name):
    optimizer = by_name(name)
    none = {k: 0.0 for k in ("eps", "eps_root", "weight_decay") if k in optimizer.numbers._fields}
    state = steps(name, optimizer.init(start(), **numbers(**none)))
    bits_equal(state.params["dead"], jnp.ones(2))


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_gradient_shows_and_stays_where_it_is(name):
    optimizer = by_name(name)
    grads = slope(start())
    grads["b"] = grads["b"].at[0].set(jnp.nan)
    state = UPDATE[name](optimizer.init(start(), **numbers()), grads)
    reach = REACH.get(name, "entry")
    assert np.isnan(state.params["b"]).tolist() == [True, reach != "entry"]
    assert np.isnan(state.params["w"]).all() if reach == "tree" else np.isfinite(state.params["w"]).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_learning_rate_no_step(name):
    least = {"min_step": 0.0} if name == "rprop" else {}  # else no step is shorter than that
    bits_equal(steps(name, by_name(name).init(start(), lr=0.0, **least)).params, start())


@pytest.mark.parametrize("name", NAMES)
def test_any_tree_will_do(name):
    optimizer = by_name(name)
    for params in (jnp.ones(2), (), [jnp.ones(()), None, (jnp.ones((0, 3)),)]):
        state = optimizer.init(params, **numbers())
        after = jax.jit(optimizer.update)(state, params, loss=jnp.ones(()))
        assert jax.tree.structure(after) == jax.tree.structure(state)
        assert isinstance(after, State)


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_wrong_calls(name):
    optimizer = by_name(name)
    state = optimizer.init(start(), **numbers())
    with pytest.raises(TypeError, match=f"{name} has no number `lrr`; did you mean `lr`\\? it has lr"):
        optimizer.init(start(), lrr=0.1)
    with pytest.raises(TypeError, match=r"params\['n'\] must be a floating array, got int32; convert"):
        optimizer.init({"n": jnp.arange(3)}, lr=0.1)
    with pytest.raises(TypeError, match=r"params\['n'\] must be a floating array, got str; convert"):
        optimizer.init({"n": "text"}, lr=0.1)
    with pytest.raises(ValueError, match="grads must have the structure"):
        optimizer.update(state, {"w": jnp.ones((3, 2))})
    with pytest.raises(ValueError, match=r"grads\['b'\] must have the parameter's shape \(2,\), got \(3,\)"):
        jax.jit(optimizer.update)(state, {**slope(start()), "b": jnp.ones(3)})
    if "lr" not in optimizer.numbers._field_defaults:
        with pytest.raises(TypeError, match=f"{name} needs `lr`: write {name}.init"):
            optimizer.init(start())
    lanes = jax.vmap(lambda lr: optimizer.init(start(), lr=lr))(jnp.array([0.1, 0.2]))
    with pytest.raises(ValueError, match=r"one number at each step, got shape \(2,\); .* jax.vmap"):
        optimizer.update(lanes, jax.vmap(slope)(lanes.params))


def test_by_name():
    assert [by_name(name).name for name in NAMES] == list(NAMES)
    with pytest.raises(ValueError, match="unknown optimizer 'adan'; did you mean 'adam'"):
        by_name("adan")


# ---- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_optimizer_is_a_frozen_value(name):
    optimizer, traces = by_name(name), []
    with pytest.raises(dataclasses.FrozenInstanceError):
        optimizer.name = "other"
    again = copy.deepcopy(optimizer)
    assert again == optimizer
    assert hash(again) == hash(optimizer)
    assert [other for other in TABLE.values() if other == optimizer] == [optimizer]

    def step(optimizer, state):
        traces.append(optimizer)
        return optimizer.update(state, slope(state.params))

    static = jax.jit(step, static_argnums=0)
    for one in (optimizer, again):
        static(one, optimizer.init(start(), **numbers()))
    assert len(traces) == 1


@pytest.mark.parametrize("name", NAMES)
def test_one_file_an_optimizer(name):
    module, optimizer = importlib.import_module(f"fnopt.optim.{name}"), by_name(name)
    assert getattr(module, name) is optimizer
    assert set(module.RANGES) == set(optimizer.numbers._fields)
    assert optimizer.numbers._fields[0] == "lr"
    assert optimizer.__doc__ == optimizer.init.__doc__ == module.__doc__
    for number in optimizer.numbers._fields:
        assert number in module.__doc__
    assert module.RANGES["lr"].holds(optimizer.lr)


def test_momentum_fills_in_its_dampening_once():
    init = by_name("momentum").init
    given = {"lr": 0.1, "beta": 0.8}
    read = lambda **more: [round(float(x), 6) for x in init(jnp.ones(2), **given, **more).hyper[2:]]  # noqa: E731
    assert read() == [0.8, 0.0, 0.8]
    assert read(dampening=None) == [0.8, 0.0, 0.8]
    assert read(dampening=0.25) == [0.25, 0.0, 0.25]
    assert read(first_dampening=0.0) == [0.8, 0.0, 0.0]
    state = init(jnp.ones(2), **given)
    assert state._replace(hyper=state.hyper._replace(beta=0.5)).hyper.dampening == jnp.float32(0.8)


@pytest.mark.parametrize("name", ["nadam", "radam", "rprop", "amsgrad"])
def test_through_a_shared_state_it_takes_its_own_steps(name):
    """Also with memory of one number a leaf, and with numbers that have no 0.5 in their range."""
    member, params, values = by_name(name), start(), every_number(name)
    assert fits((by_name("sgd"), by_name("momentum"), member), params)
    family = Family((by_name("sgd"), by_name("momentum"), member)).at(jnp.asarray(2))
    others = {k: 0.5 for k in family.numbers._fields if k not in values}
    shared, own = jax.jit(family.init)(params, **values, **others), member.init(params, **values)
    update = jax.jit(family.update)
    for _ in range(3):
        shared, own = update(shared, slope(shared.params)), UPDATE[name](own, slope(own.params))
    bits_equal(shared.params, own.params)
