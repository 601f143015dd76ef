"""Every schedule × every number × every property: a new schedule is one more row of TABLE."""

import copy
import itertools
import math
import pickle
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnopt import schedules
from fnopt._types import Schedule
from fnopt.numbers import resolve
from fnopt.optim import momentum
from fnopt.schedules._shape import whole


class Row(NamedTuple):
    make: object  # numbers by name -> schedule
    oracle: object  # (n, **numbers) -> value, in plain Python floats
    inside: dict  # three allowed values of each number, the edges among them; the middle ones make a usual schedule
    outside: dict  # a value out of range, of each number that has one


def warm_cosine(n, peak, steps, warmup, floor):
    return ramp(n, warmup) * (peak if n < warmup else half_cosine(peak, floor, n - warmup, steps - warmup))


def ramp(n, warmup):
    return 1.0 if n >= warmup else n / warmup


def half_cosine(peak, floor, done, length):
    if length <= 0 or done >= length:
        return floor
    return floor + (peak - floor) * (1 + math.cos(math.pi * done / length)) / 2


def restarting(n, peak, period, multiplier, floor):
    while n >= period:
        n, period = n - period, period * multiplier
    return half_cosine(peak, floor, n, period)


def one_cycle(n, peak, steps, rise, divide, final_divide):
    first, last = peak / divide, peak / divide / final_divide
    top = rise * steps
    return half_cosine(first, peak, n, top) if n < top else half_cosine(peak, last, n - top, steps - top)


def stable(n, peak, steps, warmup, decay, floor):
    begin = steps - decay
    share = 0.0 if n < begin else 1.0 if n >= steps else (n - begin) / decay
    return ramp(n, warmup) * (peak + (floor - peak) * share)


def triangles(n, low, high, half, rate):
    cycle = math.floor(n / (2 * half))
    return low + (high - low) * rate**cycle * np.interp(n - 2 * half * cycle, [0, half, 2 * half], [0, 1, 0])


def polynomial(n, start, end, steps, power):
    left = 0.0 if n >= steps else 1 - n / steps
    return end + (start - end) * left**power


def straight(n, start, end, steps):
    return end if n >= steps else start + (end - start) * n / steps


def pieces(n, first, second, a, b, c):
    return (a, b, c)[np.searchsorted([first, second], n, side="right")]


def epochs(n, value, rate, steps_per_epoch, staircase):
    exact = n / steps_per_epoch
    return value * rate ** (exact + staircase * (math.floor(exact) - exact))


def epochs_of(value, rate, steps_per_epoch, staircase):
    return schedules.exponential(value, rate).every(steps_per_epoch, staircase)


def then_of(value, rate, start, end, steps, after):
    return schedules.exponential(value, rate).then(schedules.linear(start, end, steps), after)


def then(n, value, rate, start, end, steps, after):
    return value * rate**n if n < after else straight(n - after, start, end, steps)


def scaled_of(value, rate, by, slope):
    return schedules.exponential(value, rate).scaled(schedules.inverse_time(by, slope))


def stretched_of(value, rate, by):
    return schedules.inverse_time(value, rate).stretched(by)


def clipped_of(start, end, steps, low, high):
    return schedules.linear(start, end, steps).clipped(low, high)


def warmed_of(value, rate, steps, start):
    return schedules.inverse_time(value, rate).warmed(steps, start)


def warmed(n, value, rate, steps, start):
    return value / (1 + rate * (n - steps)) if n >= steps else start + (value - start) * n / steps


def pieces_of(first, second, a, b, c):
    return schedules.piecewise((first, second), (a, b, c))


LEVEL = (0.0, 0.3, 2.0)
LENGTH = (0.0, 10.0, 16.0)
SHARE = (0.0, 0.25, 1.0)
TABLE = {
    "constant": Row(schedules.constant, lambda n, value: value, {"value": LEVEL}, {"value": math.inf}),
    "inverse_time": Row(
        schedules.inverse_time,
        lambda n, value, rate: value / (1 + rate * n),
        {"value": LEVEL, "rate": (0.0, 0.5, 1.0)},
        {"value": math.nan, "rate": -0.1},
    ),
    "exponential": Row(
        schedules.exponential,
        lambda n, value, rate: value * rate**n,
        {"value": LEVEL, "rate": (0.0, 0.9, 1.0)},
        {"value": math.inf, "rate": 1.1},
    ),
    "inverse_sqrt": Row(
        schedules.inverse_sqrt,
        lambda n, value, k: k / math.sqrt(n + 1) * value,
        {"value": LEVEL, "k": (0.0, 1.5, 3.0)},
        {"value": math.inf, "k": -1.0},
    ),
    "step_decay": Row(
        schedules.step_decay,
        lambda n, value, rate, steps: value * rate ** math.floor(n / steps),
        {"value": LEVEL, "rate": (0.0, 0.5, 1.0), "steps": (0.5, 3.0, 10.0)},
        {"value": math.inf, "rate": -0.1, "steps": 0.0},
    ),
    "piecewise": Row(
        pieces_of,
        pieces,
        {"first": (0.0, 3.0, 6.0), "second": (6.0, 9.0, 30.0), "a": LEVEL, "b": (0.0, 0.1, 1.0), "c": (-1.0, 0.5, 0.0)},
        {"first": -1.0, "second": math.inf, "a": math.nan, "b": math.inf, "c": -math.inf},
    ),
    "linear": Row(
        schedules.linear,
        straight,
        {"start": LEVEL, "end": (0.0, 0.1, 1.0), "steps": LENGTH},
        {"start": math.inf, "end": math.inf, "steps": -1.0},
    ),
    "polynomial": Row(
        schedules.polynomial,
        polynomial,
        {"start": LEVEL, "end": (0.0, 0.1, 1.0), "steps": LENGTH, "power": (0.0, 0.5, 2.0)},
        {"start": math.inf, "end": math.inf, "steps": -1.0, "power": -1.0},
    ),
    "cosine": Row(
        schedules.cosine,
        warm_cosine,
        {"peak": LEVEL, "steps": LENGTH, "warmup": (0.0, 4.0, 20.0), "floor": (0.0, 0.01, -1.0)},
        {"peak": math.inf, "steps": -1.0, "warmup": -1.0, "floor": math.nan},
    ),
    "one_cycle": Row(
        schedules.one_cycle,
        one_cycle,
        {"peak": LEVEL, "steps": LENGTH, "rise": SHARE, "divide": (1.0, 25.0, 4.0), "final_divide": (1.0, 100.0, 1e4)},
        {"peak": math.inf, "steps": -1.0, "rise": 1.1, "divide": 0.0, "final_divide": -1.0},
    ),
    "warmup_stable_decay": Row(
        schedules.warmup_stable_decay,
        stable,
        {
            "peak": LEVEL,
            "steps": (0.0, 20.0, 30.0),
            "warmup": (0.0, 4.0, 25.0),
            "decay": (0.0, 8.0, 40.0),
            "floor": (0.0, 0.01, 1.0),
        },
        {"peak": math.inf, "steps": -1.0, "warmup": -1.0, "decay": -1.0, "floor": math.nan},
    ),
    "warm_restarts": Row(
        schedules.warm_restarts,
        restarting,
        {"peak": LEVEL, "period": (1.0, 6.0, 10.0), "multiplier": (1.0, 2.0, 1.5), "floor": (0.0, 0.01, 1.0)},
        {"peak": math.inf, "period": 0.0, "multiplier": 0.9, "floor": math.nan},
    ),
    "cyclic": Row(
        schedules.cyclic,
        triangles,
        {"low": LEVEL, "high": (0.0, 0.7, 1.0), "half": (0.5, 4.0, 10.0), "rate": (0.0, 0.5, 1.0)},
        {"low": math.inf, "high": math.inf, "half": 0.0, "rate": 1.5},
    ),
    "every": Row(
        epochs_of,
        epochs,
        {"value": LEVEL, "rate": (0.0, 0.9, 1.0), "steps_per_epoch": (1.0, 3.0, 7.0), "staircase": SHARE},
        {"value": math.inf, "rate": -1.0, "steps_per_epoch": 0.0, "staircase": -0.1},
    ),
    "then": Row(
        then_of,
        then,
        {
            "value": LEVEL,
            "rate": (0.0, 0.9, 1.0),
            "start": LEVEL,
            "end": (0.0, 0.1, 1.0),
            "steps": LENGTH,
            "after": (0.0, 5.5, 20.0),
        },
        {"value": math.inf, "rate": 1.1, "start": math.inf, "end": math.nan, "steps": -1.0, "after": -1.0},
    ),
    "scaled": Row(
        scaled_of,
        lambda n, value, rate, by, slope: value * rate**n * by / (1 + slope * n),
        {"value": LEVEL, "rate": (0.0, 0.9, 1.0), "by": (-1.0, 0.5, 2.0), "slope": (0.0, 0.5, 1.0)},
        {"value": math.inf, "rate": 1.1, "by": math.inf, "slope": -1.0},
    ),
    "stretched": Row(
        stretched_of,
        lambda n, value, rate, by: value / (1 + rate * n / by),
        {"value": LEVEL, "rate": (0.0, 0.5, 1.0), "by": (0.5, 1.0, 3.0)},
        {"value": math.inf, "rate": -1.0, "by": 0.0},
    ),
    "clipped": Row(
        clipped_of,
        lambda n, low, high, **line: min(max(straight(n, **line), low), high),
        {"start": LEVEL, "end": (0.0, 0.1, 1.0), "steps": LENGTH, "low": (-1.0, 0.12, 0.2), "high": (0.2, 0.25, 3.0)},
        {"start": math.inf, "end": math.inf, "steps": -1.0, "low": math.nan, "high": math.inf},
    ),
    "warmed": Row(
        warmed_of,
        warmed,
        {"value": LEVEL, "rate": (0.0, 0.5, 1.0), "steps": (0.0, 4.5, 18.0), "start": (0.0, 0.1, -1.0)},
        {"value": math.nan, "rate": -0.1, "steps": -1.0, "start": math.inf},
    ),
    "plateau": Row(
        schedules.plateau,
        lambda n, value, **numbers: value,
        {
            "value": LEVEL,
            "factor": SHARE,
            "patience": (0.0, 3.0, 5.0),
            "cooldown": (0.0, 2.0, 1.0),
            "min_delta": (0.0, 1e-3, 1.0),
            "floor": SHARE,
        },
        {"value": math.inf, "factor": 1.1, "patience": -1.0, "cooldown": -1.0, "min_delta": -1.0, "floor": 1.1},
    ),
}
METHODS = {"every", "then", "scaled", "clipped", "stretched", "warmed"}  # of any schedule, and no functions
NESTING = {("plateau", "value")}  # numbers that may as well be schedules
NAMES = sorted(TABLE)
PAIRS = [(name, number) for name in NAMES for number in TABLE[name].inside]
STEPS = np.arange(41)
EDGES = (0.0, 1.0, 3.0, 4.0, 6.0, 10.0, 16.0, 20.0, 40.0)


def usual(name):
    return {number: values[1] for number, values in TABLE[name].inside.items()}


def combinations(name):
    """Every combination of the three values of each number, as dicts."""
    inside = TABLE[name].inside
    return [dict(zip(inside, values, strict=True)) for values in itertools.product(*inside.values())]


def stacked(rows):
    return {k: jnp.array([row[k] for row in rows], jnp.result_type(float)) for k in rows[0]}


def in_numpy(name, rows):
    return np.array([[TABLE[name].oracle(float(n), **row) for n in STEPS] for row in rows])


@cache
def one(name):
    """Numbers and steps to values, compiled once for all of a schedule's tests."""
    return jax.jit(lambda numbers, steps: TABLE[name].make(**numbers)(steps))


@cache
def at_every_combination(name):
    """Values at all steps, and derivatives with respect to each number and the step at the edges, one vmap."""

    def value(numbers, step):
        return TABLE[name].make(**numbers)(step)

    slope = jax.vmap(jax.grad(value, argnums=(0, 1)), (None, 0))
    both = jax.jit(jax.vmap(lambda numbers: (value(numbers, jnp.asarray(STEPS)), slope(numbers, jnp.array(EDGES)))))
    return jax.device_get(both(stacked(combinations(name))))


@cache
def in_float64(name):
    """Values at all steps and the gradient at step 7: at every combination, then at the usual numbers ± 1e-6 each."""

    def value(numbers, step):
        return TABLE[name].make(**numbers)(step)

    moved = [{**usual(name), k: usual(name)[k] + h} for k in usual(name) for h in (1e-6, -1e-6)]
    rows = [*combinations(name), *moved, usual(name)]
    both = jax.jit(jax.vmap(lambda numbers: (value(numbers, jnp.asarray(STEPS)), jax.grad(value)(numbers, 7))))
    values, slopes = jax.device_get(both(stacked(rows)))
    split = len(combinations(name))
    return values[:split], values[split:-1, 7], {k: v[-1] for k, v in slopes.items()}


def test_the_table_holds_every_schedule():
    classes = {
        snake(name) for name, one in vars(schedules).items() if isinstance(one, type) and one is not schedules.Schedule
    }
    assert classes == set(NAMES)
    assert {name for name in NAMES if callable(getattr(schedules, name, None))} == set(NAMES) - METHODS
    assert {name for name in METHODS if callable(getattr(schedules.Schedule, name))} == METHODS


def snake(name):
    """``WarmRestarts`` as ``warm_restarts``."""
    return "".join("_" * (i > 0) + c.lower() if c.isupper() else c for i, c in enumerate(name))


@pytest.mark.parametrize("name", NAMES)
def test_formula_in_float64_at_every_combination(name, x64):
    np.testing.assert_allclose(in_float64(name)[0], in_numpy(name, combinations(name)), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_formula_in_float32_at_every_combination(name):
    values, _ = at_every_combination(name)
    np.testing.assert_allclose(values, in_numpy(name, combinations(name)), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_vmap_over_a_number_is_a_loop_over_it(name, number):
    rows = [{**usual(name), number: x} for x in TABLE[name].inside[number]]
    places = [combinations(name).index(row) for row in rows]
    loop = [one(name)({k: jnp.asarray(v) for k, v in row.items()}, jnp.asarray(STEPS)) for row in rows]
    np.testing.assert_allclose(at_every_combination(name)[0][places], loop, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_one_trace_for_all_numbers_and_steps(name):
    traces = []

    @jax.jit
    def value(schedule, step):
        traces.append(name)
        return schedule(step)

    for i in range(3):
        numbers = {k: values[i] for k, values in TABLE[name].inside.items()}
        value(TABLE[name].make(**numbers), i)
    assert len(traces) == 1


@pytest.mark.parametrize("name", NAMES)
def test_finite_gradient_at_every_combination_and_edge(name):
    _, (numbers, step) = at_every_combination(name)
    assert all(np.isfinite(leaf).all() for leaf in (*numbers.values(), step))


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_gradient_is_the_finite_difference(name, number, x64):
    _, moved, slope = in_float64(name)
    above, below = moved.reshape(-1, 2)[list(usual(name)).index(number)]
    np.testing.assert_allclose(slope[number], (above - below) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_out_of_range_raises_when_concrete_and_is_nan_when_traced(name, number):
    wrong = TABLE[name].outside[number]
    field = {"first": "boundaries", "second": "boundaries"} if name == "piecewise" else {}
    field = {**field, **(dict.fromkeys("abc", "values") if name == "piecewise" else {})}
    field = {"by": "value", "slope": "rate"} if name == "scaled" else field  # as the schedule inside calls them
    with pytest.raises(ValueError, match=f"`{field.get(number, number)}` must be in"):
        TABLE[name].make(**{**usual(name), number: wrong})
    numbers = {k: jnp.asarray(v) for k, v in usual(name).items()}
    assert np.isfinite(one(name)(numbers, jnp.asarray(STEPS))).all()
    assert np.isnan(one(name)({**numbers, number: jnp.asarray(wrong)}, jnp.asarray(STEPS))).all()


@pytest.mark.parametrize("name", NAMES)
def test_value_is_a_scalar_of_the_default_type(name):
    schedule = TABLE[name].make(**usual(name))
    half = TABLE[name].make(**{k: jnp.asarray(v, jnp.bfloat16) for k, v in usual(name).items()})
    for made in (schedule, half):
        for step in (3, jnp.int32(3), np.int64(3), jnp.float32(3.0), jnp.asarray(3, jnp.bfloat16)):
            value = made(step)
            assert (value.shape, value.dtype, value.weak_type) == ((), jnp.float32, False)
    assert isinstance(schedule, Schedule)


@pytest.mark.parametrize("name", NAMES)
def test_value_is_float64_under_x64(name, x64):
    assert TABLE[name].make(**usual(name))(3).dtype == jnp.float64


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_leaves_and_the_class_is_the_structure(name):
    one = TABLE[name].make(**usual(name))
    other = TABLE[name].make(**{k: v[2] for k, v in TABLE[name].inside.items()})
    leaves, structure = jax.tree.flatten(one)
    assert structure == jax.tree.structure(other)
    assert hash(structure) == hash(jax.tree.structure(other))
    np.testing.assert_allclose(leaves, list(usual(name).values()), rtol=1e-6)
    assert float(structure.unflatten([float(x) for x in leaves])(5)) == float(one(5))
    assert jax.tree.structure(one) != jax.tree.structure(Stranger())
    assert hash(one) == hash(one)


class Stranger(NamedTuple):
    value: float = 0.0


@pytest.mark.parametrize("name", NAMES)
def test_copies_and_pickles(name):
    schedule = TABLE[name].make(**usual(name))
    for twin in (copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert float(twin(4)) == float(schedule(4))


NO_THREE = ("slope", "staircase", "rise", "factor", "floor", "low")  # numbers that cannot be 3


@dataclass(frozen=True)
class Space:
    low: float
    high: float

    def quantile(self, u):
        return self.low + u * (self.high - self.low)


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_a_space_stays_until_it_is_drawn(name, number):
    space = Space(0.5, 0.9)
    schedule = TABLE[name].make(**{**usual(name), number: space})
    assert any(leaf is space for leaf in jax.tree.leaves(schedule, is_leaf=lambda x: isinstance(x, Space)))
    with pytest.raises(TypeError, match="still to be drawn"):
        schedule(0)
    drawn = jax.tree.map(lambda x: 3.0 if x is space else x, schedule, is_leaf=lambda x: isinstance(x, Space))
    if "rate" not in number and number not in NO_THREE:
        assert np.isfinite(drawn(2))


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_a_number_is_one_number(name, number):
    with pytest.raises(ValueError, match="one number"):
        TABLE[name].make(**{**usual(name), number: np.array([0.1, 0.2])})
    with pytest.raises(TypeError, match="must be a number"):
        TABLE[name].make(**{**usual(name), number: "fast"})
    if (name, number) not in NESTING:
        with pytest.raises(TypeError, match="must be a number or a space"):
            TABLE[name].make(**{**usual(name), number: schedules.constant(0.1)})


def test_shows_its_numbers():
    assert repr(schedules.cosine(0.1, 30)) == "Cosine(peak=0.1, steps=30, warmup=0, floor=0)"
    assert repr(schedules.piecewise((3,), (0.1, 0.01))) == "Piecewise(boundaries=(3,), values=(0.1, 0.01))"
    assert "Space(low=0.1" in repr(schedules.constant(Space(0.1, 0.2)))


def test_paths_of_the_leaves_are_the_names_of_the_numbers():
    paths = jax.tree_util.tree_leaves_with_path({"lr": schedules.cosine(0.1, 30)})
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]
    assert names == ["lr.peak", "lr.steps", "lr.warmup", "lr.floor"]


# ---- single edges ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("multiplier", "period", "restarts"), [(1, 7, 2000), (2, 10, 12), (3, 1, 9), (4, 3, 7)])
def test_a_restart_has_the_peak_exactly(multiplier, period, restarts):
    starts = [period * sum(multiplier**j for j in range(i)) for i in range(restarts)]
    value = jax.jit(schedules.warm_restarts(0.5, period, multiplier, floor=0.1))
    assert np.unique(value(jnp.asarray(starts))).tolist() == [0.5]
    if period > 1:
        assert (value(jnp.asarray(starts) - 1)[1:] < 0.2).all()


def test_gradient_in_the_multiplier_at_exactly_equal_periods(x64):
    @jax.jit
    @partial(jax.vmap, in_axes=(None, 0))
    def value_and_slope(multiplier, step):
        return jax.value_and_grad(lambda m: schedules.warm_restarts(1.0, 10.0, m)(step))(multiplier)

    h, steps = 1e-7, jnp.array([7, 25, 59])
    (at_1, slope), (beside, slope_beside) = value_and_slope(1.0, steps), value_and_slope(1 + h, steps)
    one_sided = (beside - at_1) / h
    assert (abs(one_sided[1:]) > 0.1).all()
    np.testing.assert_allclose(slope, one_sided, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slope_beside, one_sided, rtol=1e-5, atol=1e-6)


def test_warm_restarts_restart_the_learning_rate_and_not_the_memory():
    # "gradient restarts" would be a misprint of the method's name: only the number starts again
    def run(lr):
        state = momentum.init({"w": jnp.ones(2)}, lr=lr)
        for _ in range(5):
            state = momentum.update(state, {"w": jnp.array([1.0, -2.0])})
        return state

    restarted, level = run(schedules.warm_restarts(0.1, 2)), run(0.1)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, restarted.memory, level.memory))
    assert not np.allclose(restarted.params["w"], level.params["w"])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 2**23), st.integers(1, 5000))
def test_whole_is_integer_division(n, length):
    assert float(whole(jnp.float32(n), jnp.float32(length))) == n // length


def test_inverse_sqrt_counts_from_1_and_the_others_from_0():
    assert float(schedules.inverse_sqrt(0.1, 1.0)(0)) == np.float32(0.1)
    by_epoch = schedules.inverse_sqrt(0.1, 1.0).every(10)
    np.testing.assert_allclose([by_epoch(s) for s in (0, 9, 10, 30)], 0.1 / np.sqrt([1, 1, 2, 4]), rtol=1e-6)
    by_epoch = schedules.inverse_time(0.1, 1.0).every(10)
    np.testing.assert_allclose([by_epoch(s) for s in (0, 9, 10, 30)], 0.1 / np.array([1, 1, 2, 4]), rtol=1e-6)


def test_piecewise_says_what_is_wrong():
    with pytest.raises(ValueError, match="one value more than boundaries, got 2 boundaries and 2 values"):
        schedules.piecewise((1, 2), (0.1, 0.2))
    with pytest.raises(ValueError, match="`boundaries` must rise, got 5 before 3"):
        schedules.piecewise((5, 3), (0.1, 0.2, 0.3))
    falling = jax.jit(lambda a, b: schedules.piecewise((a, b), (0.1, 0.2, 0.3))(0))
    assert np.isnan(falling(5, 3))
    assert np.isfinite(falling(3, 3))
    with pytest.raises(TypeError, match="must be a tuple of numbers"):
        schedules.Piecewise(0.1, 0.2).checked()


def test_a_schedule_in_jit_with_concrete_numbers_of_its_own():
    schedule = schedules.cosine(0.1, 30, warmup=10)
    assert float(jax.jit(lambda step: schedule(step))(5)) == float(schedule(5))


# ---- epochs ---------------------------------------------------------------------------------------------------------


def test_epochs_of_unknown_length_say_so_and_are_filled_in():
    waiting = schedules.exponential(0.8, 0.5).every()
    with pytest.raises(ValueError, match=r"write schedule\.every\(steps_per_epoch\)"):
        waiting(0)
    numbers = {"lr": waiting, "b1": 0.9, "dropout": (0.1, schedules.linear(0.0, 0.5, 2).every(staircase=0.0))}
    filled = schedules.filled(numbers, 4)
    assert filled["b1"] == 0.9
    assert float(filled["lr"](4)) == pytest.approx(0.4)
    assert float(filled["dropout"][1](4)) == pytest.approx(0.25)
    assert filled["dropout"][0] == 0.1
    assert float(resolve({"lr": filled["lr"]}, jnp.int32(8))["lr"]) == pytest.approx(0.2)


def test_filled_keeps_a_length_that_is_known_and_other_schedules():
    known, plain = schedules.exponential(0.8, 0.5).every(3), schedules.constant(0.1)
    assert schedules.filled(known, 4) is known
    assert schedules.filled(plain, 4) is plain
    assert schedules.filled(None, 4) is None


def test_filled_checks_what_a_search_has_put_in():
    structure = jax.tree.structure(schedules.exponential(0.1, 0.5))
    with pytest.raises(ValueError, match="`rate` must be in"):
        schedules.filled(structure.unflatten([0.1, 2.0]), 10)
    with pytest.raises(ValueError, match="`rate` must be in"):
        structure.unflatten([0.1, 2.0])(3)
    with pytest.raises(ValueError, match="`steps_per_epoch` must be in"):
        schedules.filled(schedules.constant(0.1).every(), 0)


def test_another_length_of_an_epoch_replaces_the_first():
    twice = schedules.exponential(0.8, 0.5).every(3).every(5, staircase=0.0)
    np.testing.assert_allclose([twice(s) for s in (0, 5, 10)], [0.8, 0.4, 0.2], rtol=1e-6)


# ---- combinations ---------------------------------------------------------------------------------------------------


def combined(peak=0.4, after=8, rate=0.5):
    return schedules.cosine(peak, 8).warmed(2).then(schedules.exponential(0.3, rate), after=after).clipped(low=0.1)


def test_paths_of_nested_numbers_are_dotted_names():
    lr = schedules.cosine(0.1, 30).then(schedules.constant(0.1).scaled(0.5), after=10)
    paths = jax.tree_util.tree_leaves_with_path({"lr": lr})
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]
    first = [f"lr.first.{name}" for name in ("peak", "steps", "warmup", "floor")]
    assert names == [*first, "lr.second.schedule.value", "lr.second.by", "lr.after"]
    assert repr(lr.second) == "Scaled(schedule=Constant(value=0.1), by=0.5)"


def test_a_number_may_come_second():
    lr = schedules.linear(0.0, 0.1, 4).then(0.05, after=6)
    np.testing.assert_allclose([lr(n) for n in (0, 4, 5, 6, 60)], [0.0, 0.1, 0.1, 0.05, 0.05], rtol=1e-6)


def test_each_part_of_a_chain_counts_from_its_own_begin():
    lr = schedules.constant(1.0).then(schedules.linear(1.0, 0.0, 4), after=3).then(schedules.constant(7.0), after=6)
    np.testing.assert_allclose([lr(n) for n in range(8)], [1, 1, 1, 1, 0.75, 0.5, 7, 7], rtol=1e-6)


def test_a_cycle_may_go_down_first():
    momentum = schedules.cyclic(low=0.95, high=0.85, half=2)
    np.testing.assert_allclose([momentum(n) for n in range(5)], [0.95, 0.9, 0.85, 0.9, 0.95], rtol=1e-6)


def test_lengths_that_leave_no_room():
    """As the docstrings have it: done at once, a warm-up to its end, and shares that multiply."""
    np.testing.assert_allclose([schedules.cosine(1.0, 0)(n) for n in (0, 5)], [0, 0])
    np.testing.assert_allclose([schedules.cosine(1.0, 2, warmup=4)(n) for n in range(6)], [0, 0.25, 0.5, 0.75, 0, 0])
    both = schedules.warmup_stable_decay(1.0, steps=4, warmup=4, decay=4)
    np.testing.assert_allclose([both(n) for n in range(5)], [0, 0.25 * 0.75, 0.25, 0.75 * 0.25, 0])


def test_one_bound_is_enough():
    fall = schedules.linear(1.0, -1.0, 4)
    np.testing.assert_allclose([fall.clipped(low=-0.2)(n) for n in range(5)], [1, 0.5, 0, -0.2, -0.2], rtol=1e-6)
    np.testing.assert_allclose([fall.clipped(high=0.2)(n) for n in range(5)], [0.2, 0.2, 0, -0.5, -1], rtol=1e-6)
    assert float(fall.clipped()(0)) == 1
    with pytest.raises(ValueError, match="`low` must not be above `high`, got 2 and 1"):
        fall.clipped(2, 1)
    assert np.isnan(jax.jit(lambda low: fall.clipped(low, 1.0)(0))(2.0))


def test_a_combination_counted_in_epochs_is_filled_in_once():
    whole_, waiting = combined(), combined().every()
    filled = schedules.filled({"lr": waiting}, 5)["lr"]
    np.testing.assert_allclose([filled(5 * n + 4) for n in range(14)], [whole_(n) for n in range(14)], rtol=1e-6)
    smooth = schedules.filled(combined().every(staircase=0.0), 5)
    assert float(smooth(5)) == pytest.approx(float(whole_(1.0)))
    assert float(smooth(7)) == pytest.approx(float(whole_(1.4)))
    known = combined().every(5)
    assert schedules.filled(known, 9) is known


def test_a_part_counted_in_epochs_is_filled_in_where_it_stands():
    waiting = schedules.constant(0.8).then(schedules.exponential(0.8, 0.5).every(), after=7)
    with pytest.raises(ValueError, match=r"write schedule\.every\(steps_per_epoch\)"):
        waiting(0)
    lr = schedules.filled(waiting, 10)
    np.testing.assert_allclose([lr(n) for n in (0, 6, 7, 16, 17, 27)], [0.8, 0.8, 0.8, 0.8, 0.4, 0.2], rtol=1e-6)
    with pytest.raises(ValueError, match="counts epochs already"):
        waiting.every()
    with pytest.raises(ValueError, match="`rate` must be in"):
        schedules.filled(schedules.constant(1.0).then(schedules.Exponential(1.0, 2.0), after=1), 3)


def test_a_combination_is_swept_and_differentiated_by_its_parts_numbers(x64):
    def sum_of(peak, after, rate):
        return combined(peak, after, rate)(jnp.arange(16)).sum()

    rates = jnp.array([0.2, 0.5, 0.9])
    many = jax.jit(jax.vmap(sum_of, (None, None, 0)))(0.4, 8.5, rates)
    np.testing.assert_allclose(many, [sum_of(0.4, 8.5, rate) for rate in rates], rtol=1e-12)
    h, at = 1e-6, (0.4, 8.5, 0.9)
    slopes = jax.grad(sum_of, (0, 1, 2))(*at)
    for i in range(3):
        up, down = (sum_of(*(x + s * h * (i == j) for j, x in enumerate(at))) for s in (1, -1))
        np.testing.assert_allclose(slopes[i], (up - down) / (2 * h), rtol=1e-6)
    assert abs(slopes[1]) > 0.01


def test_a_combination_takes_a_space_anywhere():
    space = Space(0.01, 0.1)
    lr = schedules.constant(space).then(schedules.cosine(space, 30), after=10).warmed(3)
    assert sum(leaf is space for leaf in jax.tree.leaves(lr, is_leaf=lambda x: x is space)) == 2
    with pytest.raises(TypeError, match="still to be drawn"):
        lr(0)


@pytest.mark.filterwarnings("ignore")
def test_torch_has_the_same_warmup_before_a_cosine():
    torch = pytest.importorskip("torch")
    s = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    warm, fall = s.LinearLR(optimizer, 0.1, total_iters=4), s.CosineAnnealingLR(optimizer, 10)
    peer = s.SequentialLR(optimizer, [warm, fall], [4])
    expected = []
    for _ in range(14):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        peer.step()
    ours = schedules.cosine(0.3, 10).warmed(4, start=0.03)
    np.testing.assert_allclose(ours(jnp.arange(14)), expected, rtol=1e-5, atol=1e-7)


# ---- another library ------------------------------------------------------------------------------------------------

PEERS = {
    "ExponentialLR": ({"gamma": 0.9}, schedules.exponential(0.3, 0.9)),
    "StepLR": ({"step_size": 4, "gamma": 0.5}, schedules.step_decay(0.3, 0.5, 4)),
    "MultiStepLR": ({"milestones": [5, 9], "gamma": 0.1}, schedules.piecewise((5, 9), (0.3, 0.03, 0.003))),
    "PolynomialLR": ({"total_iters": 12, "power": 2.0}, schedules.polynomial(0.3, 0.0, 12, 2.0)),
    "LinearLR": ({"start_factor": 0.1, "total_iters": 6}, schedules.linear(0.03, 0.3, 6)),
    "CosineAnnealingWarmRestarts": ({"T_0": 5, "T_mult": 2, "eta_min": 0.01}, schedules.warm_restarts(0.3, 5, 2, 0.01)),
    "CyclicLR": (
        {"base_lr": 0.1, "max_lr": 0.3, "step_size_up": 4, "mode": "triangular2", "cycle_momentum": False},
        schedules.cyclic(0.1, 0.3, 4, 0.5),
    ),
}


@pytest.mark.parametrize("name", sorted(PEERS))
@pytest.mark.filterwarnings("ignore")
def test_torch_has_the_same_values(name):
    torch = pytest.importorskip("torch")
    settings_, schedule = PEERS[name]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    peer = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings_)
    expected = []
    for _ in range(24):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        peer.step()
    np.testing.assert_allclose(jax.jit(schedule)(jnp.arange(24)), expected, rtol=1e-5, atol=1e-7)
