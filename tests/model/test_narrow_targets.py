"""A target whose values lie close together beside their size is scaled by how they differ, not by their size."""

import numpy as np
import pytest

import fnopt as fo

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 3))
Y = X[:, 0] + X[:, 1] ** 2
SETTINGS = {"epochs": 20, "hyper": {"lr": 0.02, "batch_size": 16}}


@pytest.mark.parametrize(("offset", "spread"), [(1e12, 1e-3), (-1e15, 0.5), (1e-3, 1e-18), (1e12, (1e-3, 1.0))])
def test_a_far_target_is_scored_and_answered_as_it_is(offset, spread):
    """float64 tells these values apart, if in few steps; the spread is within 70 roundings of the offset."""
    y = offset + np.multiply.outer(Y, spread)
    weight = np.where(Y > 2, 0.0, 1 + (Y > 0))
    run = fo.fit(fo.regressor(hidden=(8,)), fo.data.dataset(X, y, weight), **SETTINGS)
    there = weight > 0
    error = np.asarray(run.predict(X), np.float64) - y
    centred = y - np.average(y[there], axis=0, weights=weight[there])
    w = weight if y.ndim == 1 else weight[:, None]
    r2 = np.mean(1 - (w * error**2).sum(axis=0) / (w * centred**2).sum(axis=0))
    assert r2 > 0
    assert run.scores["train"]["r2"] == pytest.approx(r2, abs=0.1)  # the answers are rounded to those few steps
