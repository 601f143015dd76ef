"""A batch size in a program that takes batches in parts is that batch size: 24 is neither 16 nor 32 nor 64."""

import jax
import numpy as np
import pytest
from test_engine import KEY, blobs

import fnopt as fo

DATA = blobs(100)  # batches of 24: four, and one of 4
MODEL = fo.classifier(hidden=8)
NUMBERS = dict(lr=0.03, l2=1e-3, optimizer="momentum")


def weighted():
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 100).astype(np.float32)
    return DATA._replace(weight=jax.numpy.asarray(weight))


@pytest.mark.parametrize(
    ("sizes", "piece"), [((64, 24), 24), ((64, 24, 16), 16)], ids=["in parts of 24", "in parts of 16"]
)
def test_24_inside_64_is_a_batch_of_24(sizes, piece):
    """To 1e-6 of the largest weight after 10 steps, and to the bit its own replay; another size is told apart."""
    space = {**NUMBERS, "batch_size": fo.choice(*sizes)}
    sweep = fo.caviar(MODEL, space, weighted(), search="grid", epochs=2, key=KEY)
    at = [config["batch_size"] for config in sweep.configs].index(24)
    program = sweep.entries[at].program
    assert (program.batch_size, program.trial.batch_size) == (24, piece)
    assert len({entry.program.trial for entry in sweep.entries}) == 1, "one program for all sizes"
    key = jax.random.fold_in(sweep.work.key, 0)  # of the first seed
    alone = {m: fo.fit(MODEL, weighted(), hyper={**NUMBERS, "batch_size": m}, epochs=2, key=key) for m in (24, 25)}
    inside = sweep.replay(at)
    assert inside.going.result.digest == sweep.lanes(at)[0].digest
    assert int(inside.going.lanes.state.step[0]) == int(alone[24].going.lanes.state.step[0]) == 10
    assert apart(inside.params, alone[24].params) < 1e-6
    np.testing.assert_allclose(inside.history["cost"], alone[24].history["cost"], rtol=1e-6)
    assert apart(inside.params, alone[25].params) > 1e-4


def apart(one, other):
    """The largest difference of two trees' leaves, in units of the largest entry of each leaf."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return max(float(np.max(np.abs(np.subtract(a, b))) / np.max(np.abs(a))) for a, b in pairs)
