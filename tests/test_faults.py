"""What a sweep says of lanes that diverged: step, cost, leaf and gradient norm of each, and no NaN that hides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_engine import KEY, sweep_of

import fnopt as fo
from fnopt import nn
from fnopt._compile import TRACES

SPACE = dict(lr=fo.choice(0.01, 1e25, 1e30), l2=1.0, optimizer=fo.choice("sgd", "adam"), batch_size=16, hidden=8)


@pytest.fixture(scope="module")
def sweep():
    return sweep_of(None, space=SPACE, search="grid", seeds=2, epochs=3)


def test_each_lane_that_diverged_is_told_with_step_and_cause(sweep):
    bad = {at: r for at, r in sweep.kept.lanes.items() if r.status == "diverged"}
    assert len(bad) == 8
    before = TRACES.copy()
    found = sweep.faults()
    assert before == TRACES, "the lanes run again in the sweep's own program"
    assert [(row["config"], row["seed"], row["fold"]) for row in found] == sorted(bad)
    for row in found:
        why = bad[row["config"], row["seed"], row["fold"]].why
        last = f"{row['last']:g} before" if np.isfinite(row["last"]) else "the first"
        assert why == f"not finite at step {row['step']} (cost {row['cost']:g}, {last})"
        assert row["step"] == 6 * (row["epoch"] - 1) + row["batch"] - 1  # 90 examples, 16 a batch
        leaf = next((leaf for leaf in row["autopsy"].leaves if leaf.bad), None)
        assert row["leaf"] == ("" if leaf is None else leaf.name)
        assert leaf is not None or not np.isfinite(row["cost"])
    assert str(found).count("\n") == 7 and "gradient norm" in str(found).splitlines()[0]
    assert str(sweep.faults([0])) == "no lane diverged"
    lines = [line for line in str(found).splitlines() if line.startswith("config 2,")]
    assert len(lines) == 2 and str(sweep.faults([2, 2])).splitlines() == lines
    with pytest.raises(ValueError, match="configurations 0 to 5, got 9"):
        sweep.faults([9])


def test_the_first_bad_step_by_hand(sweep):
    """Plain descent with lr 1e30: the first step is finite, of weights about 1e29; the second's cost is not."""
    row = next(r for r in sweep.faults() if sweep.configs[r["config"]]["optimizer"] == "sgd" and r["last"] > 0)
    weights = [leaf.norm for leaf in row["autopsy"].leaves]
    assert row["step"] == 1 and 1e20 < max(weights) < 1e38 and not np.isfinite(row["cost"])


def test_the_leaderboard_names_them_in_two_lines(sweep):
    lines = str(sweep).splitlines()
    bad = sorted({row["config"] for row in sweep.faults()})
    (k,) = (k for k, line in enumerate(lines) if "not finite at step" in line)
    assert lines[k].startswith(f"config {bad[0]}: ") and lines[k].endswith(f"; so did {', '.join(map(str, bad[1:]))}")
    assert lines[k + 1] == "sweep.faults() names leaf and gradient norm of all 4"
    assert "diverged" not in str(sweep_of(2, epochs=1))


def test_no_activation_hides_nan():
    """A rectifier that turned NaN into 0 would let a lane train on after its sums have overflowed."""
    slopes = jnp.full(1, 0.25)
    for name in nn.activations.TABLE:
        out = nn.activate(name, jnp.full((1,), jnp.nan), slopes if name == "prelu" else None)
        assert np.isnan(np.asarray(out)).all() or name == "hardmax", name  # which only says where the largest stands


def test_nan_inside_a_network_ends_the_lane():
    """inf − inf in a hidden layer: finite weights, and without NaN from the rectifier a finite cost too."""
    net = nn.mlp(hidden=(4, 4), out=2)
    shapes, stats = jax.eval_shape(lambda: net.init(KEY, 3))
    params = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), shapes)
    params["hidden_0"]["weight"] = jnp.full((3, 4), 3e38)
    params["hidden_1"]["weight"] = jnp.tile(jnp.array([1.0, -1.0, 1.0, -1.0])[:, None], (1, 4))
    assert not jax.tree.leaves(stats)
    out, _ = jax.jit(net.forward)(params, stats, jnp.ones((2, 3)))
    assert np.isnan(np.asarray(out)).all()


def test_a_lane_that_cannot_be_looked_at_again_is_told_by_its_record(sweep, monkeypatch):
    """As where memory is at an end: neither the run nor the other rows are lost."""

    def exhausted(*_):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED")

    monkeypatch.setattr("fnopt.run.run.autopsy", exhausted)
    (first, *_) = [i for i, row in enumerate(sweep.table()) if row["status"] == "diverged"]
    run = sweep.replay(first, debug=True)
    assert run.status == "diverged" and run.autopsy is None and "not finite at step" in run.why
    row = sweep.faults([first])[0]
    assert f"not finite at step {row['step']} (cost {row['cost']:g}" in run.why and row["autopsy"] is None
