"""Parts and batches: every example once, in the shares that were asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnopt import data

RATIOS = [(0.7, 0.3), (0.6, 0.2, 0.2), (0.98, 0.01, 0.01), (0.5, 0.5), (0.4, 0.3, 0.2, 0.1), (1 / 3, 1 / 3, 1 / 3)]
KEY = jax.random.key(0)


def numbered(m, y=None):
    """Examples that carry their number in x and in their weight."""
    return data.dataset(np.arange(m)[:, None], np.zeros(m, int) if y is None else y, np.arange(m) + 1)


def rows(part):
    return np.asarray(part.x)[:, 0].astype(int).tolist()


def all_rows(parts):
    return [row for part in parts for row in rows(part)]


quick = settings(derandomize=True, deadline=None, max_examples=25)
seeds = st.integers(0, 2**31 - 1)
labels = st.sampled_from([40, 157]).flatmap(lambda m: st.lists(st.integers(0, 9), min_size=m, max_size=m))
shares = st.lists(st.floats(0.2, 1), min_size=2, max_size=5).map(lambda f: tuple(np.array(f) / np.sum(f)))


@pytest.mark.parametrize("fractions", RATIOS)
@pytest.mark.parametrize("m", [100, 150, 1797])
@pytest.mark.parametrize("how", ["random", "stratify", "time", "groups"])
def test_disjoint_complete_and_near_the_shares(fractions, m, how):
    y = np.arange(m) * 7 % 3
    options = {
        "random": {},
        "stratify": {"stratify": True},
        "time": {"order": "time"},
        "groups": {"groups": np.arange(m)},
    }
    parts = data.split(numbered(m, y), fractions, key=KEY, **options[how])
    assert len(parts) == len(fractions)
    assert sorted(all_rows(parts)) == list(range(m))
    for part, fraction in zip(parts, fractions, strict=True):
        np.testing.assert_array_equal(part.weight, np.array(rows(part)) + 1)
        np.testing.assert_array_equal(part.y, y[rows(part)])
        assert abs(len(part) - fraction * m) < (1 if how != "stratify" else 2)


@quick
@given(m=st.sampled_from([30, 97, 300]), fractions=shares, seed=seeds)
def test_sizes_are_the_shares_by_largest_remainder(m, fractions, seed):
    parts = data.split(numbered(m), fractions, key=jax.random.key(seed))
    assert sorted(all_rows(parts)) == list(range(m))
    assert all(abs(len(part) - fraction * m) < 1 for part, fraction in zip(parts, fractions, strict=True))


@quick
@given(y=labels, fractions=shares, seed=seeds)
def test_strata_keep_their_shares(y, fractions, seed):
    y = np.array(y)
    parts = data.split(numbered(len(y), y), fractions, key=jax.random.key(seed), stratify=True)
    assert sorted(all_rows(parts)) == list(range(len(y)))
    for label, count in zip(*np.unique(y, return_counts=True), strict=True):
        for k, (part, fraction) in enumerate(zip(parts, fractions, strict=True)):
            there = int((np.asarray(part.y) == label).sum())
            assert abs(there - fraction * count) < 1 + 1e-6
            assert there >= (k == 0)


def test_small_strata_reach_every_part():
    y = np.repeat(np.arange(10), 3)  # by itself, no class of three has an example for a fifth of it twice
    sizes = [len(part) for part in data.split(numbered(30, y), (0.6, 0.2, 0.2), key=KEY, stratify=True)]
    assert sizes == [18, 6, 6]


@quick
@given(groups=labels, fractions=shares, seed=seeds)
def test_groups_stay_together(groups, fractions, seed):
    groups = np.array([*groups, *range(5)])
    parts = data.split(numbered(len(groups)), fractions, key=jax.random.key(seed), groups=groups)
    assert sorted(all_rows(parts)) == list(range(len(groups)))
    owners = [set(groups[rows(part)].tolist()) for part in parts]
    assert sum(map(len, owners)) == len(set.union(*owners))


def test_groups_may_be_text():
    parts = data.split(numbered(4), (0.5, 0.5), key=KEY, groups=np.array(["a", "b", "a", "b"], object))
    assert sorted(sorted(rows(part)) for part in parts) == [[0, 2], [1, 3]]


def test_time_keeps_the_order():
    assert [rows(part) for part in data.split(numbered(10), (0.6, 0.2, 0.2), order="time")] == [
        [0, 1, 2, 3, 4, 5],
        [6, 7],
        [8, 9],
    ]


def test_same_key_same_parts():
    first, again = (data.split(numbered(50), (0.5, 0.5), key=jax.random.key(3)) for _ in range(2))
    other = data.split(numbered(50), (0.5, 0.5), key=jax.random.key(4))
    old_style = data.split(numbered(50), (0.5, 0.5), key=jax.random.key_data(jax.random.key(3)))
    seed = data.split(numbered(50), (0.5, 0.5), key=3)
    assert [*map(rows, first)] == [*map(rows, again)] == [*map(rows, old_style)] == [*map(rows, seed)]
    assert [*map(rows, first)] != [*map(rows, other)]


def test_every_example_is_as_likely_in_dev():
    counts = np.zeros(10)
    for seed in range(300):
        counts[rows(data.split(numbered(10), (0.7, 0.3), key=seed)[1])] += 1
    assert abs(counts - 90).max() < 32  # four standard deviations of a binomial count, √(300 × .3 × .7) = 7.9


def test_names_come_along():
    iris = data.iris()
    for part in data.split(iris, (0.5, 0.5), key=KEY):
        assert (part.classes, part.features, part.name) == (iris.classes, iris.features, "iris")


BAD = {
    "sum": (lambda d: data.split(d, (60, 20, 20), key=KEY), ValueError, "sum to 1, got .60, 20, 20., which sum to 100"),
    "zero": (lambda d: data.split(d, (1.0, 0.0), key=KEY), ValueError, "must be > 0"),
    "one": (lambda d: data.split(d, (1.0,), key=KEY), ValueError, "two or more"),
    "a number": (lambda d: data.split(d, 0.8, key=KEY), ValueError, "two or more"),
    "text": (lambda d: data.split(d, "80:20", key=KEY), TypeError, "must be numbers"),
    "empty part": (
        lambda d: data.split(d, (0.98, 0.01, 0.01), key=KEY),
        ValueError,
        r"\[10, 0, 0\]; none may be empty",
    ),
    "no key": (lambda d: data.split(d, (0.5, 0.5)), TypeError, r"write key=jax.random.key\(0\)"),
    "no data": (lambda d: data.split(d.x, (0.5, 0.5), key=KEY), TypeError, "write fo.data.dataset"),
    "order": (lambda d: data.split(d, (0.5, 0.5), key=KEY, order="times"), ValueError, "did you mean 'time'"),
    "two ways": (lambda d: data.split(d, (0.5, 0.5), key=KEY, stratify=True, order="time"), ValueError, "leave out"),
    "groups length": (lambda d: data.split(d, (0.5, 0.5), key=KEY, groups=[1, 2]), ValueError, r"shape \(10,\)"),
    "few groups": (lambda d: data.split(d, (0.5, 0.5), key=KEY, groups=[1] * 10), ValueError, "1 groups cannot fill 2"),
    "strata of values": (
        lambda d: data.split(d._replace(y=d.x[:, 0].astype(jnp.float32)), (0.5, 0.5), key=KEY, stratify=True),
        ValueError,
        "one class label",
    ),
    "size": (lambda d: data.batches(d, 0, key=KEY), ValueError, "`size` must be a whole number ≥ 1, got 0"),
    "half size": (lambda d: data.batches(d, 2.5, key=KEY), TypeError, "`size` must be a whole number ≥ 1, got 2.5"),
    "yes size": (lambda d: data.batches(d, True, key=KEY), ValueError, "`size` must be a whole"),
    "epochs": (lambda d: data.batches(d, 2, key=KEY, epochs=0), ValueError, "`epochs` must be"),
    "sampling": (lambda d: data.batches(d, 2, key=KEY, sampling="order_"), ValueError, "did you mean 'order'"),
    "batches without key": (lambda d: data.batches(d, 2), TypeError, 'or sampling="order"'),
    "batches of no data": (lambda d: data.batches(d.x, 2, key=KEY), TypeError, "write fo.data.dataset"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    make, error, words = BAD[case]
    with pytest.raises(error, match=words):
        make(numbered(10))


@quick
@given(m=st.sampled_from([1, 2, 11, 40]), size=st.integers(1, 50), epochs=st.integers(1, 3), seed=seeds)
def test_every_example_exactly_once_an_epoch(m, size, epochs, seed):
    got = list(data.batches(numbered(m), size, key=jax.random.key(seed), epochs=epochs))
    step = min(size, m)
    each = -(-m // step)
    assert len(got) == each * epochs
    for epoch in range(epochs):
        some = got[epoch * each : (epoch + 1) * each]
        assert [len(batch.y) for batch in some] == [step] * (each - 1) + [m - step * (each - 1)]
        assert sorted(all_rows(some)) == list(range(m))
        for batch in some:
            np.testing.assert_array_equal(batch.weight, np.array(rows(batch)) + 1)


def test_epochs_differ_and_keys_repeat():
    orders = [rows(batch) for batch in data.batches(numbered(30), 30, key=KEY, epochs=3)]
    assert orders == [rows(batch) for batch in data.batches(numbered(30), 30, key=KEY, epochs=3)]
    assert len({tuple(order) for order in orders}) == 3


def test_replacement_draws_as_many_and_repeats_some():
    drawn = all_rows(data.batches(numbered(50), 8, key=KEY, sampling="replacement"))
    assert len(drawn) == 50
    assert len(set(drawn)) < 50
    many = all_rows(data.batches(numbered(5), 5, key=KEY, sampling="replacement", epochs=200))
    assert abs(np.bincount(many, minlength=5) - 200).max() < 51  # four standard deviations, √(1000 × .2 × .8) = 12.6


def test_weights_are_one_where_there_are_none():
    plain = numbered(5)._replace(weight=None)
    assert [batch.weight.tolist() for batch in data.batches(plain, 3, sampling="order")] == [[1, 1, 1], [1, 1]]


def test_a_mapped_file_is_read_by_the_batch(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (10, 2))
    mapped[:] = np.arange(20).reshape(10, 2)
    much = data.Dataset(mapped, np.arange(10))
    for batch in data.batches(much, 4, key=KEY):
        np.testing.assert_array_equal(batch.x[:, 0], 2 * batch.y.astype(jnp.float32))


@pytest.mark.parametrize("size", [1, 32, 400])
def test_mean_of_batch_gradients_is_the_full_gradient(x64, size):
    iris = data.iris()
    w = jax.random.normal(KEY, (4, 3), jnp.float64)

    def cost(w, x, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(x @ w), y[:, None], axis=1).mean()

    slope = jax.jit(jax.grad(cost))
    parts = [len(b.y) * np.asarray(slope(w, b.x, b.y)) for b in data.batches(iris, size, key=KEY)]
    np.testing.assert_allclose(sum(parts) / len(iris), slope(w, iris.x, iris.y), rtol=1e-12, atol=1e-14)
