"""What the engine says of a lane is true of its weights: after a fault, and where numbers change over time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import KEY, PARTS, SPACE, sweep_of

import fnopt as fo
from fnopt import tree
from fnopt._types import Trial
from fnopt.train import start
from fnopt.train.autopsy import _norm


def test_a_lane_that_diverged_is_the_lane_of_its_last_whole_epoch():
    """``best`` counts the epochs that its weights have seen, and the scores are those of these weights.

    So large an ε makes Adam plain descent, whose steps overshoot the penalty's minimum by a factor each.
    """
    lr = fo.choice(2e25, 9e25, 1e30)
    space = {**SPACE, "lr": lr, "eps": 1e25, "b1": 0.0, "l2": 1.0, "dropout": 0.0}
    sweep = sweep_of(None, space=space, search="grid")
    lanes = [sweep.lanes(i)[0] for i in range(3)]
    assert {r.status for r in lanes} == {"diverged"} and 8 > lanes[0].epochs > lanes[1].epochs > lanes[2].epochs == 1
    for i, r in enumerate(lanes):
        assert r.best == r.epochs - 2 and all(len(v) == r.epochs for v in jax.tree.leaves(r.history))
        run = sweep.replay(i)
        assert run.best_epoch == r.epochs - 1 and run.scores["dev"] == r.scores["dev"]
        assert run.evaluate(PARTS[1])["loss"] == pytest.approx(r.scores["dev"]["loss"], rel=1e-5)
        if run.best_epoch:
            shorter = sweep_of(None, space=space, search="grid", epochs=run.best_epoch).lanes(i)[0]
            assert shorter.digest == r.digest and shorter.scores["dev"] == r.scores["dev"]


def test_a_norm_is_finite_where_squares_are_not():
    cases = {(3e30, -4e30): 5e30, (3e-30, 4e-30): 5e-30, (0.0, 0.0): 0.0, (np.inf, 1.0): np.inf, (np.nan, 1.0): np.nan}
    for entries, expected in cases.items():
        np.testing.assert_allclose(_norm(jnp.asarray(entries)), expected, rtol=1e-6)


def test_initial_weights_see_a_schedule_at_its_first_step():
    def init(key, example, hyper):
        return hyper["scale"] * jnp.ones(2), ()

    def nothing(*_):
        raise AssertionError

    trial = Trial(init, nothing, nothing, fo.optim.sgd, "values", numbers=("scale",))
    hyper = {"scale": fo.schedules.linear(0.5, 1.0, 10), "lr": 0.1}
    lane = start(trial, KEY, fo.Batch(*[jnp.ones((1, 2))] * 3), hyper)
    assert lane.state.params.tolist() == [0.5, 0.5] and callable(lane.numbers["scale"])


def test_a_row_is_put_in_place_under_any_vmap():
    """One slice for all where the place is the same, each its own where it is not, and one vmap inside another."""
    rng = np.random.default_rng(0)
    table, row = rng.normal(size=(3, 2, 5, 4)), rng.normal(size=(3, 2, 4))
    table, row = jnp.asarray(table, jnp.float32), jnp.asarray(row, jnp.float32)
    want = np.array(table)
    want[:, :, 2] = row
    both = jax.vmap(jax.vmap(tree.put, (0, 0, None)), (0, 0, None))
    np.testing.assert_array_equal(both(table, row, jnp.asarray(2)), want)
    own = jax.vmap(tree.put)(table[:, 0], row[:, 0], jnp.array([4, 0, 2]))
    for k, place in enumerate((4, 0, 2)):
        np.testing.assert_array_equal(own[k, place], row[k, 0])
        np.testing.assert_array_equal(np.delete(own[k], place, 0), np.delete(table[k, 0], place, 0))
    one = jax.vmap(tree.put, (None, 0, None))(table[0, 0], row[:, 0], jnp.asarray(1))
    np.testing.assert_array_equal(one[:, 1], row[:, 0])
    assert "scatter" not in str(
        jax.make_jaxpr(jax.vmap(tree.put, (0, 0, None)))(table[:, 0], row[:, 0], jnp.asarray(2))
    )
