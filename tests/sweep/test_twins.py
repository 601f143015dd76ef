"""No two members of a population train the same lane, as long as the space has other numbers for them."""

import itertools
import warnings

import jax
import numpy as np
import pytest

import fnopt as fo
from fnopt.sweep.population import decide
from fnopt.sweep.stop import Mark

EDGES = {
    "lr": (fo.log_uniform(1e-3, 1e-1), 0.1),
    "l2": (fo.uniform(0.0, 1.0), 0.0),  # 0 times a factor is 0
    "b1": (fo.one_minus_log_uniform(0.5, 0.999), 0.999),
    "gain": (fo.normal(1.0, 0.1), 1.3),
    "k": (fo.integer(1, 400), 1),
    "m": (fo.log_integer(8, 512), 512),
    "switch": (fo.choice(0.0, 1.0), 1.0),
}
SPACES = [
    *[(name,) for name in EDGES if name not in ("switch", "k", "m")],
    ("k",), ("m",), ("lr", "switch"), ("l2", "b1"), ("lr", "l2", "k"), ("gain", "m", "switch"),
]  # fmt: skip


@pytest.mark.parametrize("names", SPACES, ids="+".join)
def test_copies_of_one_donor_differ_from_it_and_from_each_other(names):
    ranges = {(name,): EDGES[name][0] for name in names}
    at_edge = {(name,): EDGES[name][1] for name in names}
    for n, share, factor, resample in itertools.product((4, 31), (0.05, 0.5), (1.001, 1.2, 8.0), (0.0, 0.1)):
        rule = fo.population(share=share, factor=factor, resample=resample)
        marks = [Mark(i % 7 == 6, float(i), 0.0, i) for i in range(n)]  # those that diverged are replaced as well
        moves = decide(rule, marks, [at_edge] * n, ranges, jax.random.key(n), 1, 2)
        donors = {move.donor for move in moves}
        lanes = [(d, *at_edge.values()) for d in donors] + [(m.donor, *m.numbers.values()) for m in moves]
        lanes = [tuple(map(float, np.float32(lane))) for lane in lanes]
        assert len(set(lanes)) == len(lanes), (n, share, factor, resample)
        for move in moves:
            for path, x in move.numbers.items():
                low, high = ranges[path].usual if hasattr(ranges[path], "usual") else (0.0, 1.0)
                assert np.float32(low) <= np.float32(x) <= np.float32(high)


def test_choices_are_used_up_before_a_copy_repeats():
    ranges = {("a",): fo.choice(0.1, 0.2, 0.3), ("b",): fo.integer(1, 4)}  # 12 together
    for copies, different in ((11, 12), (14, 12)):
        marks = [Mark(i > 0, float(i), 0.0, i) for i in range(copies + 1)]
        numbers = [{("a",): 0.2, ("b",): 4}] * (copies + 1)
        moves = decide(fo.population(share=0.01), marks, numbers, ranges, jax.random.key(3), 1, 2)
        assert len(moves) == copies
        assert len({tuple(some.values()) for some in [numbers[0], *(m.numbers for m in moves)]}) == different


def tiny(rows=24):
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    return fo.data.dataset(x, (x[:, 0] > 0).astype(int))


def sweep_of(space, **how):
    data = tiny()
    given = {"folds": 2} if how.pop("folds", None) else {"dev": data}
    return fo.caviar(fo.classifier(hidden=()), space, data, **given, epochs=8, key=0, objective="dev/loss", **how)


def test_no_lane_of_a_population_is_trained_twice():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        sweep = sweep_of(dict(lr=fo.log_uniform(1e-3, 1e-1)), n=32, stop=fo.population(every=2))
    assert len({sweep.lanes(i)[0].digest for i in range(32)}) == 32
    some = sweep_of(
        dict(lr=fo.log_uniform(1e-3, 1e-1)), n=8, seeds=2, folds=True, stop=fo.population(every=2, share=0.5)
    )
    assert len({lane.digest for i in range(8) for lane in some.lanes(i)}) == 32


@pytest.mark.filterwarnings("ignore:this space holds 2 different")
def test_copies_that_must_repeat_are_named():
    rule = fo.population(every=1, share=0.5, resample=0.0)
    why = r"configuration \d+ copied configuration \d+ at epoch 1 and has the same .* l2 had no values left for n=8"
    with pytest.warns(UserWarning, match=why):
        sweep_of(dict(lr=0.1, l2=fo.choice(0.0, 0.1)), n=8, stop=rule)
