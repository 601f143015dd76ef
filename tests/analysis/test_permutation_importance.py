"""Permutation importance: the expected drop by hand, cells that belong together, inputs of any shape."""

import jax
import numpy as np
import pytest

from fnopt.analysis import permutation_importance

KEY = jax.random.key(0)


def error(y, f):
    return float(np.mean((y - f) ** 2))


def test_the_drop_of_a_linear_model_is_twice_its_part_of_the_variance():
    """f = Σ w_j x_j = y; with x_j shuffled E (f' − f)² = w_j² E (x_j' − x_j)² = 2 w_j² var(x_j)."""
    x = np.random.default_rng(0).normal(size=(2000, 3))
    w = np.array([2.0, 0.5, 0.0])
    found = permutation_importance(lambda x: x @ w, x, x @ w, error, KEY, 20, higher=False)
    np.testing.assert_allclose(found.mean, 2 * w**2 * x.var(axis=0), rtol=0.03)
    assert found.order == ("0", "1", "2") and found.score == 0 and found.errors[2] == 0
    assert found.drops.shape == (3, 20)
    lines = str(found).splitlines()
    assert len(lines) == 4 and lines[1].startswith("0  ") and "±" in lines[1]


def test_cells_of_one_group_stay_together_and_any_shape_will_do():
    """Of a one-hot column the model takes the index of the 1: shuffled together there is always one."""
    x = np.eye(4)[np.random.default_rng(0).integers(4, size=100)].reshape(100, 2, 2)

    def index(x):
        flat = x.reshape(len(x), 4)
        assert (flat.sum(axis=1) == 1).all()
        return flat.argmax(axis=1)

    found = permutation_importance(
        index, x, index(x), lambda y, f: np.mean(y == f), KEY, 3, groups={"kind": (0, 1, 2, 3)}
    )
    assert found.names == ("kind",) and abs(found.mean[0] - 0.75) < 0.15
    with pytest.raises(AssertionError):
        permutation_importance(index, x, index(x), lambda y, f: np.mean(y == f), KEY)


def test_what_cannot_be_shuffled():
    with pytest.raises(ValueError, match="two examples"):
        permutation_importance(np.sum, np.ones((1, 2)), [1.0], error, KEY)
    with pytest.raises(ValueError, match="has 2"):
        permutation_importance(np.sum, np.ones((3, 2)), [1.0], error, KEY, groups={"a": (2,)})
