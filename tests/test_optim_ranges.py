"""Ranges hold at every step, not only in ``init``; and what a wrong call says."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optim_cases import INSIDE, LOWER, PAIRS, UPPER, numbers, slope, stacked, start
from wrapper_cases import ABOVE, MAKE, NUMBERS, middle

import fnopt as fo
from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE, REAL, as_number, on_host
from fnopt.optim import NAMES, by_name

# ---- numbers that a step finds out of their range -------------------------------------------------------------------


def always(value, step):
    """A number over time that is the same at every step."""
    return jnp.full((), value) + 0 * jnp.asarray(step, jnp.result_type(float))


def replaced(state, **changes):
    return state._replace(hyper=state.hyper._replace(**changes))


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_a_step_refuses_what_init_refuses(name, number):
    optimizer = by_name(name)
    state = optimizer.init(start(), **numbers())
    for bad in (LOWER.get(number, -0.1), UPPER[number]):
        for value in (bad, functools.partial(always, bad)):
            with pytest.raises(ValueError, match=f"`{number}` must be in"):
                optimizer.update(replaced(state, **{number: value}), slope(state.params))


SWITCHED = [k for k, v in INSIDE.items() if v[0] == 0 and v[2] == 1] + ["eps", "eps_root", "weight_decay"]


@pytest.mark.parametrize("name", NAMES)
def test_a_traced_number_out_of_range_is_nan_from_that_step_on(name):
    """One program for all numbers and both sides, each a lane that begins sound: every parameter of it shows.

    With the others at an edge too, where a number has nothing to act on: 0 · NaN and 1 to the power of NaN hide none.
    """
    optimizer = by_name(name)
    sound = optimizer.init(start(), **numbers())
    fields = sound.hyper._fields
    values = {k: float(v) for k, v in sound.hyper._asdict().items()}
    low, high = ({k: INSIDE[k][edge] if k in SWITCHED else v for k, v in values.items()} for edge in (0, 2))
    late = jnp.array(1000000, jnp.int32)  # where the corrections have come to 1
    rows = [
        values,
        *({**some, k: bad} for some in (values, low, high) for k in fields for bad in (LOWER.get(k, -0.1), UPPER[k])),
    ]

    @jax.jit
    @jax.vmap
    def after(row, step):
        state = replaced(sound, **row)._replace(step=step)
        for _ in range(2):  # the first shows no number that acts on what is remembered
            state = optimizer.update(state, slope(state.params))
        return jnp.stack([jnp.sum(p) for p in state.params.values()])

    for step in (0 * late, late):
        ends = after(stacked(rows), jnp.full(len(rows), step))
        assert np.isfinite(ends[0]).all()
        hidden = [(row, np.isnan(end)) for row, end in zip(rows[1:], ends[1:], strict=True) if not np.isnan(end).all()]
        assert not hidden


@pytest.mark.parametrize(("wrapper", "number"), NUMBERS)
def test_a_wrappers_step_refuses_too(wrapper, number):
    optimizer = MAKE[wrapper](by_name("sgd"))
    state = optimizer.init(start(), lr=0.1, **middle(wrapper))
    for bad in (-0.1, *([ABOVE[number]] if number in ABOVE else [])):
        broken = replaced(state, **{number: bad})
        with pytest.raises(ValueError, match=f"`{number}` must be in"):
            optimizer.update(broken, slope(state.params))
        ends = jax.jit(optimizer.update)(broken, slope(state.params)).params
        later = jax.jit(optimizer.update)(jax.jit(optimizer.update)(broken, slope(ends)), slope(ends)).params
        assert all(np.isnan(p).all() for p in later.values())
    with pytest.raises(ValueError, match="`lr` must be in"):
        optimizer.update(replaced(state, lr=-1.0), slope(state.params))


def test_a_schedule_that_leaves_the_range_half_way():
    optimizer = by_name("adam")
    state = optimizer.init(start(), lr=fo.schedules.linear(0.1, -0.1, 10), b1=fo.schedules.linear(0.5, 0.9, 10))
    for _ in range(6):
        state = optimizer.update(state, slope(state.params))
    with pytest.raises(ValueError, match=r"`lr` must be in \[0, inf\), got -0.02"):
        optimizer.update(state, slope(state.params))


def test_the_fault_names_the_number():
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    train = fo.data.dataset(x, x[:, 0])
    space = dict(lr=fo.schedules.linear(0.01, -0.01, 6), b1=fo.choice(0.9, 0.5), optimizer="adam", batch_size=10)
    sweep = fo.caviar(fo.regressor(hidden=(2,)), space, train, n=2, epochs=2, search="grid")
    found = sweep.faults()
    assert [row["step"] for row in found] == [4, 4]
    assert all(row["number"] == "`lr` must be in [0, inf), got -0.00333333" for row in found)
    assert all("`lr` must be in" in line for line in str(found).splitlines())
    assert "`lr` must be in [0, inf)" in sweep.replay(0, debug=True).why
    alone = fo.fit(fo.regressor(hidden=(2,)), train, hyper=dict(space, b1=0.9), epochs=2)
    assert alone.autopsy is not None and alone.autopsy.step == 4
    assert "`lr` must be in [0, inf), got -0.00333333" in alone.why


def test_a_fault_of_the_gradient_names_no_number():
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    train = fo.data.dataset(x, x[:, 0])
    space = dict(lr=fo.choice(1e30, 1e31), optimizer="sgd", batch_size=10)
    found = fo.caviar(fo.regressor(hidden=(2,)), space, train, n=2, epochs=2, search="grid").faults()
    assert len(found) == 2 and all(row["number"] == "" for row in found)
    assert "must be in" not in str(found)


# ---- what is no number ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1j, 0j, np.complex64(1j), jnp.complex64(1)])
def test_complex_is_refused(value):
    for check in (as_number, on_host):
        with pytest.raises(TypeError, match="`lr` must be a real number"):
            check("lr", value, NONNEGATIVE)
    with pytest.raises(TypeError, match="got dtype complex"):
        by_name("adam").init(start(), lr=value)


@pytest.mark.parametrize("value", [True, False, np.True_, jnp.asarray(True)])
def test_a_truth_value_is_a_switch_or_refused(value):
    for check in (as_number, on_host):
        for within in (NONNEGATIVE, DECAY):
            with pytest.raises(TypeError, match="True stands for 1 in a switch alone"):
                check("lr", value, within)
        for within in (FRACTION, REAL):
            assert float(check("nesterov", value, within)) == float(value)


# ---- hints ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "number", "hint"),
    [
        ("adam", "learning_rate", "did you mean `lr`"),
        ("muon", "learning_rate", "did you mean `lr`"),
        ("adam", "epsilon", "did you mean `eps`"),
        ("adam", "weight_decay", r"take fo\.optim\.adamw or fo\.optim\.decay_by_path\(adam, \{"),
        ("sgd", "weight_decay", r"take fo\.optim\.decay_by_path\(sgd, \{"),
    ],
)
def test_a_name_from_elsewhere(optimizer, number, hint):
    with pytest.raises(TypeError, match=f"no number `{number}`; {hint}"):
        by_name(optimizer).init(start(), **{number: 0.1})
    with pytest.raises(TypeError, match=f"no number `{number}`; "):
        fo.optim.ema(by_name(optimizer)).init(start(), **{number: 0.1})


def test_accumulates_number_by_another_name():
    with pytest.raises(TypeError, match=r"no number `k`; did you mean `every_k`"):
        fo.optim.accumulate(fo.optim.adam).init(start(), lr=0.1, k=4)


def test_a_wrappers_number_goes_to_init():
    cure = r"write clip_by_global_norm\(fo\.optim\.adam\)\.init\(params, lr=…, max_norm=1\.0\)"
    with pytest.raises(TypeError, match=cure):
        fo.optim.clip_by_global_norm(fo.optim.adam, 1.0)
    with pytest.raises(TypeError, match=cure):
        fo.optim.clip_by_global_norm(fo.optim.adam, max_norm=1.0)


def test_a_wrapper_stands_once():
    with pytest.raises(ValueError, match=r"`ema_decay` is one of ema\(adam\)'s too.*write ema once"):
        fo.optim.ema(fo.optim.ema(fo.optim.adam))


@pytest.mark.parametrize("make", [by_name, lambda name: fo.optim.ema(by_name(name))], ids=["plain", "wrapped"])
@pytest.mark.parametrize("name", ["adam", "muon"])
def test_updates_arguments(name, make):
    optimizer = make(name)
    state = optimizer.init(start(), lr=0.1)
    with pytest.raises(TypeError, match=r"update takes \(state, grads\), in this order"):
        optimizer.update(slope(state.params), state)
    with pytest.raises(TypeError, match=r"update takes \(state, grads\), in this order"):
        optimizer.update(state.params, state.params)
    with pytest.raises(TypeError, match=rf"{name}.* got a state with the numbers of sgd .*its own have lr, "):
        optimizer.update(by_name("sgd").init(start(), lr=0.1), state.params)
