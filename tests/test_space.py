"""Spaces: bounds, shapes of the draws, prefix stability, grids, conditions, bad input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import fnopt as fo
from fnopt._compile import TRACES
from fnopt.sweep import propose

KEY = jax.random.key(7)
RANGES = {
    "uniform": (fo.uniform(-1.0, 3.0), lambda x: (x + 1) / 4),
    "log_uniform": (fo.log_uniform(1e-4, 1e-1), lambda x: (np.log10(x) + 4) / 3),
    "one_minus_log_uniform": (fo.one_minus_log_uniform(0.5, 0.999),
                              lambda x: np.log(2 - 2 * x) / np.log(0.002)),
    "normal": (fo.normal(2.0, 0.5), lambda x: stats.norm.cdf(x, 2.0, 0.5)),
    "log_normal": (fo.log_normal(0.0, 1.0), lambda x: stats.norm.cdf(np.log(x))),
}  # fmt: skip


@pytest.mark.parametrize("name", RANGES)
def test_draws_follow_their_distribution(name):
    """Through its own distribution function a draw is uniform (Kolmogorov–Smirnov, fixed key)."""
    space, cdf = RANGES[name]
    values = np.array([h["a"] for h in propose({"a": space}, 2000, KEY, "random")], np.float64)
    assert stats.kstest(cdf(values), "uniform").pvalue > 0.01


@pytest.mark.parametrize("name", [n for n in RANGES if "normal" not in n])
def test_bounds_are_reached_and_kept(name):
    space, _ = RANGES[name]
    low, high = np.float32(space.low), np.float32(space.high)
    ends = np.asarray(space.quantile(jnp.array([0.0, 1.0])))
    np.testing.assert_allclose(ends, [low, high], rtol=1e-4)
    inside = np.asarray(space.quantile(jnp.linspace(0, 1, 101)))
    assert np.all(inside >= low) and np.all(inside <= high)
    assert np.all(np.diff(inside) >= 0)


def test_w6_where_the_draws_fall():
    """W6: on [.001, 1] uniform sampling puts 90.1 % above .1, log-uniform 2/3 below it."""
    u = jnp.linspace(0, 1, 100_001)
    flat = np.asarray(fo.uniform(0.001, 1.0).quantile(u))
    logs = np.asarray(fo.log_uniform(0.001, 1.0).quantile(u))
    assert np.mean(flat > 0.1) == pytest.approx(0.901, abs=1e-3)
    assert np.mean(logs < 0.1) == pytest.approx(2 / 3, abs=1e-3)


@pytest.mark.parametrize("search", ["random", "sobol"])
def test_a_longer_search_begins_with_the_shorter_one(search):
    space = dict(
        lr=fo.log_uniform(1e-4, 1e-1),
        layers=fo.choice((32,), (64, 64)),
        k=fo.log_integer(2, 90),
        optimizer=fo.choice("adam", "momentum"),
        b1=fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.999)),
    )
    many = propose(space, 600, KEY, search)
    assert propose(space, 10, KEY, search) == many[:10]
    assert propose(space, 257, KEY, search) == many[:257]
    assert propose(space, 10, jax.random.key(8), search) != many[:10]


def test_one_more_name_leaves_the_others_as_they_are():
    few = propose({"lr": fo.log_uniform(1e-4, 1e-1)}, 20, KEY, "random")
    more = propose({"a": fo.uniform(0, 1), "lr": fo.log_uniform(1e-4, 1e-1)}, 20, KEY, "random")
    assert [h["lr"] for h in few] == [h["lr"] for h in more]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(-50, 50), st.integers(1, 60))
def test_integers_take_every_value_alike(low, span):
    space = fo.integer(low, low + span)
    k = span + 1
    u = jnp.asarray((np.arange(k) + 0.5) / k, jnp.float32)
    assert np.asarray(space.quantile(u)).tolist() == list(range(low, low + k))


def test_grid_takes_every_combination_the_last_letter_fastest():
    grid = propose({"a": fo.choice(1, 2), "lr": fo.log_uniform(0.001, 1.0, points=4)}, None, KEY, "grid")
    assert len(grid) == 8
    assert [h["a"] for h in grid] == [1] * 4 + [2] * 4
    np.testing.assert_allclose([h["lr"] for h in grid[:4]], [0.001, 0.01, 0.1, 1.0], rtol=1e-5)
    assert propose({"a": fo.choice(1, 2), "lr": fo.log_uniform(0.001, 1.0, points=4)}, 3, KEY, "grid") == grid[:3]


def test_a_grid_of_whole_numbers_holds_whole_numbers():
    """As the random search does: a model's own functions may count with them."""
    grid = propose(dict(a=fo.integer(1, 4), b=fo.integer(1, 1000, points=3)), None, KEY, search="grid")
    assert {type(x) for hyper in grid for x in hyper.values()} == {int}
    assert [hyper["a"] for hyper in grid[::3]] == [1, 2, 3, 4] and {hyper["b"] for hyper in grid} == {1, 501, 1000}


def test_grid_has_no_doubles_where_a_name_is_blank():
    space = dict(optimizer=fo.choice("adam", "sgd"), b1=fo.when(optimizer="adam", b1=fo.uniform(0.5, 0.9, points=3)))
    grid = propose(space, None, KEY, "grid")
    assert sorted(h["optimizer"] for h in grid) == ["adam"] * 3 + ["sgd"]  # in the order of the names' letters
    assert all(("b1" in h) == (h["optimizer"] == "adam") for h in grid)


def test_when_holds_only_under_its_choice():
    space = dict(
        optimizer=fo.choice("adam", "adamw", "sgd"),
        b1=fo.when(optimizer=["adam", "adamw"], b1=fo.uniform(0.5, 0.9)),
    )
    for hyper in propose(space, 50, KEY, "random"):
        assert ("b1" in hyper) == (hyper["optimizer"] != "sgd")


def test_a_name_that_is_left_out_takes_with_it_what_depends_on_it():
    space = dict(optimizer="sgd", a=fo.when(optimizer="adam", a=fo.choice("p")), b=fo.when(a="p", b=fo.uniform(0, 1)))
    assert propose(space, 1, KEY, "random") == [{"optimizer": "sgd"}]


def test_a_schedule_may_hold_spaces():
    space = {"lr": fo.schedules.cosine(peak=fo.log_uniform(1e-4, 1e-1), steps=100)}
    drawn = propose(space, 5, KEY, "random")
    peaks = [float(h["lr"].peak) for h in drawn]
    assert len(set(peaks)) == 5
    for h, peak in zip(drawn, peaks, strict=True):
        assert 1e-4 <= peak <= 1e-1
        assert float(h["lr"](0)) == pytest.approx(peak, rel=1e-5)


def test_proposing_compiles_once_for_other_bounds_and_keys():
    propose({"lr": fo.log_uniform(1e-4, 1e-1), "b": fo.uniform(0, 1)}, 300, KEY, "random")
    before = TRACES["propose"]
    propose({"lr": fo.log_uniform(1e-3, 1e-2), "b": fo.uniform(0, 9)}, 20, jax.random.key(1), "random")
    assert TRACES["propose"] == before


BAD = {
    "log from 0": (lambda: fo.log_uniform(0.0, 1.0), "above 0"),
    "log of a negative": (lambda: fo.log_uniform(-1.0, 1.0), "above 0"),
    "reversed": (lambda: fo.log_uniform(1e-1, 1e-4), "reversed"),
    "reversed uniform": (lambda: fo.uniform(1.0, 0.0), "reversed"),
    "no width": (lambda: fo.uniform(1.0, 1.0), "plain value"),
    "decay of 1": (lambda: fo.one_minus_log_uniform(0.5, 1.0), "below 1"),
    "empty choice": (lambda: fo.choice(), "empty"),
    "fractions in integer": (lambda: fo.integer(1, 2.5), "whole"),
    "log_integer from 0": (lambda: fo.log_integer(0, 8), "above 0"),
    "std 0": (lambda: fo.normal(0.0, 0.0), "above 0"),
    "nan": (lambda: fo.uniform(float("nan"), 1.0), "finite"),
    "no points": (lambda: fo.uniform(0.0, 1.0, points=0), "points"),
    "n 0": (lambda: propose({"a": fo.uniform(0, 1)}, 0, KEY, "random"), "`n`"),
    "no n": (lambda: propose({"a": fo.uniform(0, 1)}, None, KEY, "random"), "n="),
    "search": (lambda: propose({"a": fo.uniform(0, 1)}, 1, KEY, "randm"), "did you mean 'random'"),
    "grid too small": (lambda: propose({"a": fo.choice(1, 2)}, 3, KEY, "grid"), "holds 2"),
    "when without itself": (lambda: propose({"b1": fo.when(optimizer="adam", b2=1)}, 1, KEY, "random"), "must give b1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_spaces_say_what_is_wrong(name):
    make, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        make()
