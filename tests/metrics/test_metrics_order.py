"""The order that curves, areas and quantiles stand on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import metrics
from fnopt.metrics._order import MOST, order_of


@pytest.mark.parametrize("rows", [1, 2, 999, MOST, MOST + 1])
def test_rows_stand_as_in_a_stable_sort(rows):
    rng = np.random.default_rng(rows)
    for x in (
        rng.normal(size=rows) * 10.0 ** rng.integers(-30, 30, rows),
        rng.integers(-3, 4, rows) / 8,  # ties
        rng.choice([-np.inf, -1.0, -0.0, 0.0, 1.0, np.inf, np.float32(1) + np.finfo(np.float32).eps], rows),
    ):
        x = x.astype(np.float32)
        np.testing.assert_array_equal(order_of(jnp.asarray(x)), np.argsort(x + 0.0, kind="stable"))


def test_many_columns_stand_as_each_alone():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(7, 50)), jnp.float32)
    found = jax.jit(jax.vmap(order_of))(x)
    np.testing.assert_array_equal(found, np.argsort(x, axis=1))


def test_infinite_scores_lose_what_they_lose():
    score = np.float32([[np.inf, 0, 1], [0, np.inf, 1], [0, 1, 2], [-np.inf, 0, 1], [np.inf, np.inf, 0]])
    wanted = [[0, np.inf, np.inf], [np.inf, 0, np.inf], [3, 2, 0], [np.inf, 2, 0], [np.nan, np.nan, np.inf]]
    hinge = jax.jit(jax.vmap(lambda row, label: metrics.hinge(label[None], row[None])))
    for label in range(3):
        found = hinge(jnp.asarray(score), jnp.full(5, label, jnp.int32))
        np.testing.assert_array_equal(found, [row[label] for row in wanted])


@pytest.mark.parametrize("name", ["log_loss", "brier", "d2_log_loss", "d2_brier"])
@pytest.mark.parametrize("weight", [None, [1.0, 0.0, 2.0, 1.0]])
def test_a_traced_probability_out_of_range_is_nan(name, weight):
    score, truth = getattr(metrics, name), jnp.asarray([0, 1, 2, 1], jnp.int32)
    p = np.full((3, 4, 3), 1 / 3, np.float32)
    p[1, 2], p[2, 0] = [1.2, -0.1, -0.1], [0.5, 0.5, np.nan]
    w = None if weight is None else jnp.float32(weight)
    found = jax.jit(jax.vmap(lambda p: score(truth, p, weight=w)))(jnp.asarray(p))
    assert np.isnan(found).tolist() == [False, True, True]
