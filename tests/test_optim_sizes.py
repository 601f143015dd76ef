"""Gradients whose squares are beyond float32 or vanish in it: a step that is right or a fault that shows, no freeze."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnopt.optim import NAMES, by_name

HUGE = (1e10, 1e20, 1e30, 3e38)
TINY = (1e-20, 1e-30, 1e-38)
HALF = 3  # steps with the gradient of this size, then as many with one of size 1


def ways(name, dtype, sizes):
    """One entry's way, shape=(sizes, 1 + 2 HALF), all sizes in one program."""
    optimizer = by_name(name)
    params = {"b": jnp.ones(2, dtype), "w": jnp.ones((2, 3), dtype)}

    def way(size):
        def step(state, g):
            grads = jax.tree.map(lambda p: jnp.full(p.shape, g, p.dtype), state.params)
            state = optimizer.update(state, grads)
            return state, state.params["w"][0, 0]

        grads = jnp.concatenate([jnp.full(HALF, size), jnp.ones(HALF, size.dtype)])
        return jax.lax.scan(step, optimizer.init(params, lr=jnp.asarray(0.1)), grads)[1]

    found = jax.jit(jax.vmap(way))(jnp.asarray(sizes, dtype))
    return np.concatenate([np.ones((len(sizes), 1)), np.asarray(found, np.float64)], 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_of_any_size_is_stepped_along_or_shows(name, x64):
    """The same steps in float64, where no square is out of reach, say what is right."""
    right = ways(name, jnp.float64, HUGE + TINY)
    assert np.isfinite(right).all() and (np.abs(np.diff(right[:, : HALF + 1])) > 0)[: len(HUGE)].all()
    for dtype, tolerance in ((jnp.float32, 1e-3), (jnp.bfloat16, 0.02)):
        found = ways(name, dtype, HUGE + TINY)
        for size, way, want in zip(HUGE, found, right, strict=False):
            shows = not np.isfinite(way[1 : HALF + 1]).all()
            assert not shows or size > 1e15, size  # whose squares are in reach
            if name == "lbfgs" and size > 1e30 and not shows:
                assert (np.diff(way) != 0).all(), size  # changes of it are out of reach: along the gradient
            elif not shows:
                np.testing.assert_allclose(way, want, rtol=tolerance, atol=tolerance, err_msg=str(size))
        for size, way, want in zip(TINY, found[len(HUGE) :], right[len(HUGE) :], strict=True):
            assert np.isfinite(way).all(), size
            after = [np.abs(one[-1] - one[HALF]) for one in (way, want)]
            coarse = after[1] < 0.5 * HALF * float(jnp.finfo(dtype).eps)  # steps that the type does not resolve
            assert coarse or after[0] > 0.4 * after[1], size  # nothing that is remembered keeps it from moving again


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_for_the_entry_or_leaf_that_overflows(name):
    """Or for all, where one number belongs to all; never a weight that stands still beside a NaN in its memory."""
    optimizer = by_name(name)
    params = {"b": jnp.ones(2), "w": jnp.ones((2, 3))}
    grads = {"b": jnp.ones(2), "w": jnp.ones((2, 3)).at[0, 0].set(1e30)}
    state = jax.jit(optimizer.update)(optimizer.init(params, lr=0.1), grads)
    if not np.isfinite(state.params["w"]).all():
        assert np.isnan(state.params["w"][0, 0])
    kept = [x for x in jax.tree.leaves(state.memory) if not np.isfinite(x).all()]
    assert not kept or not np.isfinite(state.params["w"]).all()
