"""Folds: every row scored once a repeat, none on both sides, balance, and scikit-learn's where there is no chance."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import model_selection as sk

from fnopt import data

KEY = jax.random.key(0)
quick = settings(derandomize=True, deadline=None, max_examples=25)
seeds = st.none() | st.integers(0, 2**31 - 1)
sizes = st.sampled_from([12, 41])  # few: each is a program
numbers = st.integers(2, 6)


def numbered(m, y=None, **names):
    """Examples that carry their number in x and in their weight."""
    return data.dataset(np.arange(m)[:, None], np.zeros(m, int) if y is None else y, np.arange(m) + 1, **names)


def drawn(elements):
    return sizes.flatmap(lambda m: st.lists(elements, min_size=m, max_size=m)).map(np.array)


def lists(folds):
    return [(train.tolist(), dev.tolist()) for train, dev in folds]


def spread(counts):
    return max(counts) - min(counts)


def check_partition(folds, m, k):
    """Each of the repeats scores every row once, and trains on exactly the others."""
    assert len(folds) % k == 0
    for r in range(0, len(folds), k):
        assert sorted(np.concatenate([dev for _, dev in folds.pairs[r : r + k]]).tolist()) == list(range(m))
    for train, dev in folds:
        assert len(train) and len(dev)
        assert np.union1d(train, dev).tolist() == list(range(m)) and len(train) + len(dev) == m
        for rows in (train, dev):
            assert rows.dtype == np.int32 and (np.diff(rows) > 0).all()


# ---- scikit-learn ----------------------------------------------------------------------------------------------------

LABELS = np.array([2, 0, 0, 1, 2, 2, 1, 0, 1, 1, 2, 0, 2, 2, 0, 1, 2])  # unlike counts, none first by number
GROUPS = np.repeat(["d", "a", "c", "b", "e"], [1, 5, 2, 6, 3])  # sizes all different: one way to put the largest first
ORACLES = {
    "two blocks": (17, {"k": 2}, sk.KFold(2)),
    "blocks": (17, {"k": 5}, sk.KFold(5)),
    "as many as rows": (7, {"k": 7}, sk.KFold(7)),
    "classes": (17, {"k": 3, "stratify": True}, sk.StratifiedKFold(3)),
    "classes, as many as members": (17, {"k": 5, "stratify": True}, sk.StratifiedKFold(5)),
    "groups": (17, {"k": 3, "groups": GROUPS}, sk.GroupKFold(3)),
    "each group": (17, {"k": 5, "groups": GROUPS}, sk.GroupKFold(5)),
    "one": (9, {"kind": "leave_one_out"}, sk.LeaveOneOut()),
    "one group": (17, {"kind": "leave_one_out", "groups": GROUPS}, sk.LeaveOneGroupOut()),
    "time": (17, {"k": 4, "kind": "time_series"}, sk.TimeSeriesSplit(4)),
    "time, all but one": (6, {"k": 5, "kind": "time_series"}, sk.TimeSeriesSplit(5)),
    "time with a gap": (17, {"k": 3, "kind": "time_series", "gap": 2}, sk.TimeSeriesSplit(3, gap=2)),
    "recent time": (
        23,
        {"k": 4, "kind": "time_series", "gap": 1, "max_train": 5},
        sk.TimeSeriesSplit(4, gap=1, max_train_size=5),
    ),
}


@pytest.mark.parametrize("case", ORACLES)
def test_as_scikit_learn(case):
    m, options, oracle = ORACLES[case]
    y = LABELS[:m] if m <= len(LABELS) else np.zeros(m, int)
    expected = [(a.tolist(), b.tolist()) for a, b in oracle.split(np.zeros((m, 1)), y, options.get("groups"))]
    assert lists(data.folds(numbered(m, y), **options)) == expected


@quick
@given(groups=drawn(st.integers(0, 9)), k=numbers)
def test_group_sizes_as_scikit_learn(groups, k):
    groups[:6] = range(6)
    ours = [len(dev) for _, dev in data.folds(numbered(len(groups)), k, groups=groups)]
    assert ours == [len(dev) for _, dev in sk.GroupKFold(k).split(groups, groups=groups)]


def test_shuffled_counts_as_scikit_learn():
    iris = data.iris()
    ours = data.folds(iris, 7, key=KEY, stratify=True, repeats=2)
    theirs = [*sk.RepeatedStratifiedKFold(n_splits=7, n_repeats=2, random_state=0).split(iris.x, iris.y)]
    assert sorted(len(dev) for _, dev in ours) == sorted(len(dev) for _, dev in theirs)


# ---- properties ------------------------------------------------------------------------------------------------------


@quick
@given(m=sizes, k=numbers, key=seeds, more=st.integers(1, 3))
def test_every_row_scored_once(m, k, key, more):
    repeats = 1 if key is None else more
    folds = data.folds(numbered(m), k, key=key, repeats=repeats)
    assert len(folds) == k * repeats
    check_partition(folds, m, k)
    assert spread([len(dev) for _, dev in folds]) <= 1


@quick
@given(y=drawn(st.integers(0, 3)), k=st.integers(2, 3), key=seeds)
def test_classes_and_sizes_within_one(y, k, key):
    y = np.where(np.bincount(y, minlength=4)[y] < k, 4, y)  # the rare ones as one class
    y[:k] = 4
    y = np.where(np.bincount(y, minlength=5)[y] < k, 4, y)
    folds = data.folds(numbered(len(y), y), k, key=key, stratify=True)
    check_partition(folds, len(y), k)
    assert spread([len(dev) for _, dev in folds]) <= 1
    for label in np.unique(y):
        assert spread([int((y[dev] == label).sum()) for _, dev in folds]) <= 1


@quick
@given(groups=drawn(st.sampled_from([*range(10), 0, 0, 0, 0, 0, 1, 1, 1])), k=numbers, key=seeds)
def test_groups_on_one_side(groups, k, key):
    groups = np.concatenate([groups, np.arange(10)])
    folds = data.folds(numbered(len(groups)), k, key=key, groups=groups)
    check_partition(folds, len(groups), k)
    assert not any(set(groups[train]) & set(groups[dev]) for train, dev in folds)
    assert spread([len(dev) for _, dev in folds]) <= np.bincount(groups).max()


@quick
@given(m=st.integers(8, 60), k=numbers, gap=st.integers(0, 1), longest=st.none() | st.integers(1, 9))
def test_time_looks_back_only(m, k, gap, longest):
    folds = data.folds(numbered(m), k, kind="time_series", gap=gap, max_train=longest)
    assert len(folds) == k
    assert np.concatenate([dev for _, dev in folds]).tolist() == list(range(m - k * (m // (k + 1)), m))
    for train, dev in folds:
        assert train[-1] + gap + 1 == dev[0]
        assert (np.diff(train) == 1).all()
        assert train[0] == 0 if longest is None else len(train) == min(longest, dev[0] - gap)


@pytest.mark.parametrize("options", [{}, {"stratify": True}, {"groups": np.arange(30) // 2}], ids=str)
def test_keys_name_folds(options):
    few = data.folds(numbered(30, np.arange(30) % 3), 3, key=jax.random.key(5), **options)
    some = numbered(30, np.arange(30) % 3)
    for key in (5, jax.random.key(5), jax.random.key_data(jax.random.key(5))):
        assert data.folds(some, 3, key=key, **options) == few
    many = data.folds(some, 3, key=5, repeats=4, **options)
    assert lists(many)[:3] == lists(few)  # how many repeats there are changes none of them
    assert len({tuple(dev.tolist()) for _, dev in many}) == 12
    assert data.folds(some, 3, key=6, **options) != few


def test_no_key_is_the_order_of_the_rows():
    assert [dev.tolist() for _, dev in data.folds(numbered(5), 2)] == [[0, 1, 2], [3, 4]]
    mixed = data.folds(numbered(5, [1, 0, 1, 0, 1]), 2, stratify=True)
    assert [dev.tolist() for _, dev in mixed] == [[0, 1, 2], [3, 4]]


def test_two_rows_are_as_likely_together():
    together = np.zeros((6, 6))
    for seed in range(300):
        for _, dev in data.folds(numbered(6), 3, key=seed):
            together[np.ix_(dev, dev)] += 1
    apart = together[~np.eye(6, dtype=bool)]  # by chance 1 in 5; √(300 × .2 × .8) = 6.9, four of them 28
    assert abs(apart - 60).max() < 28


def test_groups_of_unlike_sizes_still_shuffle():
    groups = np.repeat(np.arange(12), np.arange(20, 32))  # by the largest first alone, one way
    many = data.folds(numbered(len(groups)), 3, groups=groups, key=KEY, repeats=5)
    assert len({frozenset(dev.tolist()) for _, dev in many}) > 12
    assert spread([len(dev) for _, dev in many]) <= 31  # the largest group


def test_groups_may_be_text():
    folds = data.folds(numbered(4), 2, groups=np.array(["a", "b", "a", "b"], object))
    assert [dev.tolist() for _, dev in folds] == [[0, 2], [1, 3]]


# ---- the record ------------------------------------------------------------------------------------------------------


def test_parts_are_the_rows_with_their_names():
    iris = data.iris()
    folds = data.folds(iris, 4, key=KEY, stratify=True)
    for (train, dev), rows in zip(folds.parts(iris), folds, strict=True):
        for part, some in zip((train, dev), rows, strict=True):
            np.testing.assert_array_equal(part.x, np.asarray(iris.x)[some])
            np.testing.assert_array_equal(part.y, np.asarray(iris.y)[some])
            assert (part.classes, part.features) == (iris.classes, iris.features)
    some = numbered(4)
    np.testing.assert_array_equal(data.folds(some, 2).parts(some)[0][0].weight, [3, 4])


def test_json_there_and_back():
    own = [([4, 0], [2]), ([1, 0], [3, 2]), ([3, 4, 1, 0], [2])]
    for k, options in [
        (5, {}),
        (3, {"key": KEY, "repeats": 2}),
        (2, {"kind": "time_series"}),
        (own, {}),
    ]:
        folds = data.folds(numbered(5), k, **options)
        again = data.folds(numbered(5), json.loads(json.dumps(folds.plain(), allow_nan=False)))
        assert again == folds and hash(again) == hash(folds)
    assert lists(again) == own  # in their own order
    assert data.folds(numbered(5), 5) != data.folds(numbered(5), own)
    assert data.folds(numbered(5), 5) != 5
    assert data.folds(numbered(5), own) != data.folds(numbered(6), own)
    assert [train for train, _ in data.folds(numbered(5), 5).plain()] == [None] * 5


def test_own_folds():
    some = numbered(6)
    expected = data.folds(some, 3)
    assert data.folds(some, expected) == expected
    assert data.folds(some, sk.KFold(3).split(np.zeros(6))) == expected
    assert data.folds(some, [(None, dev) for _, dev in expected]) == expected
    assert data.folds(some, [(jnp.arange(2, 6), np.arange(2, dtype=np.uint8))]).pairs[0][1].tolist() == [0, 1]


def test_folds_stay_as_they_are():
    mine = np.array([1, 2], np.int32)
    folds = data.folds(numbered(4), [(mine, [0])])
    mine[0] = 3
    train, _ = folds.pairs[0]
    assert train.tolist() == [1, 2] and train.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        train[0] = 3
    with pytest.raises(AttributeError):
        folds.examples = 5


# ---- mistakes --------------------------------------------------------------------------------------------------------

NAMED = numbered(10, ["oak"] * 4 + ["elm"] * 3 + ["ash"] * 2 + ["yew"])
BAD = {
    "one fold": (1, {}, ValueError, "`k` must be a whole number ≥ 2, got 1"),
    "half a fold": (2.5, {}, ValueError, "`k` must be a whole number ≥ 2, got 2.5"),
    "a yes": (True, {}, ValueError, "`k` must be a whole number"),
    "text": ("five", {}, ValueError, "`k` must be a whole number ≥ 2, got 'five'"),
    "more than rows": (11, {}, ValueError, "k=11 folds are more than the 10 examples: take k ≤ 10"),
    "more than members": (3, {"stratify": True}, ValueError, "'yew' has 1 example, too few for k=3.*or stratify=False"),
    "strata of more than rows": (11, {"stratify": True}, ValueError, "more than the 10 examples"),
    "more than groups": (3, {"groups": [1, 2] * 5}, ValueError, "k=3 folds are more than the 2 groups: take k ≤ 2"),
    "groups length": (
        2,
        {"groups": [1, 2]},
        ValueError,
        r"`groups` must have shape \(10,\), one an example, got \(2,\)",
    ),
    "one group": (5, {"kind": "leave_one_out", "groups": ["a"] * 10}, ValueError, "two or more groups, got 1"),
    "kind": (5, {"kind": "leaveoneout"}, ValueError, "unknown kind 'leaveoneout'; did you mean 'leave_one_out'"),
    "kind of time": (5, {"kind": "time"}, ValueError, "did you mean 'time_series'"),
    "own by name": (5, {"kind": "own"}, ValueError, "unknown kind 'own'"),
    "more than groups of classes": (3, {"groups": [1, 2] * 5, "stratify": True}, ValueError, "more than the 2 groups"),
    "classes in time": (2, {"kind": "time_series", "stratify": True}, ValueError, "takes gap, max_train and no strat"),
    "one out twice": (2, {"kind": "leave_one_out", "repeats": 2}, ValueError, "takes groups and no repeats"),
    "gap": (2, {"gap": 1}, ValueError, "'kfold' takes stratify, groups, repeats and no gap: leave out gap"),
    "no repeats": (2, {"repeats": 0, "key": KEY}, ValueError, "`repeats` must be a whole number ≥ 1, got 0"),
    "repeats without key": (2, {"repeats": 2}, ValueError, r"write key=jax.random.key\(0\)"),
    "key": (2, {"key": "a"}, TypeError, "`key` must be one key, got 'a'"),
    "little time": (
        10,
        {"kind": "time_series"},
        ValueError,
        "k=10 folds in time need 11 examples .* got 10: take k ≤ 9",
    ),
    "wide gap": (3, {"kind": "time_series", "gap": 4}, ValueError, "starts at row 4: take gap ≤ 3 or fewer folds"),
    "gap back": (3, {"kind": "time_series", "gap": -1}, ValueError, "`gap` must be a whole number ≥ 0, got -1"),
    "no train": (3, {"kind": "time_series", "max_train": 0}, ValueError, "`max_train` must be a whole number ≥ 1"),
    "no folds": ([], {}, ValueError, "no folds: give one pair"),
    "not pairs": ([1, 2], {}, TypeError, r"fold 0 must be a pair \(train rows, dev rows\), got int"),
    "triples": ([([0], [1], [2])], {}, TypeError, "fold 0 must be a pair"),
    "range": ([(None, [1]), ([0], [10])], {}, ValueError, "fold 1's dev part has row 10; the rows of 10 .* are 0 to 9"),
    "negative": ([([-1], [0])], {}, ValueError, "fold 0's train part has row -1"),
    "overlap": ([([0, 1, 2], [2, 3])], {}, ValueError, "fold 0 has row 2 in both train and dev"),
    "empty": ([([0, 1], [])], {}, ValueError, "fold 0's dev part is empty"),
    "all": ([(None, range(10))], {}, ValueError, "fold 0's train part is empty"),
    "twice": ([([0, 1, 1], [2])], {}, ValueError, "fold 0's train part has row 1 more than once; .* give it a weight"),
    "mask": ([(np.arange(10) > 2, [1])], {}, TypeError, r"got bool of shape \(10,\); of a mask take np.flatnonzero"),
    "floats": ([([0.0], [1])], {}, TypeError, "must be row numbers"),
    "own and more": ([([0], [1])], {"stratify": True}, ValueError, "stand as they are: leave out stratify"),
    "other data": (data.folds(numbered(8), 2), {}, ValueError, "folds are of 8 examples, the data have 10"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    k, options, error, words = BAD[case]
    with pytest.raises(error, match=words):
        data.folds(NAMED, k, **options)


def test_bad_data():
    with pytest.raises(TypeError, match=r"write fo.data.dataset"):
        data.folds(NAMED.x, 2)
    with pytest.raises(ValueError, match="one class label an example"):
        data.folds(NAMED._replace(y=NAMED.x[:, 0].astype(jnp.float32)), 2, stratify=True)
    with pytest.raises(ValueError, match="two or more examples, got 1"):
        data.folds(numbered(1), kind="leave_one_out")
    with pytest.raises(ValueError, match=r"class 7 has 2 examples.*take k ≤ 2"):
        data.folds(numbered(9, [7] * 2 + [3] * 7), 3, stratify=True)
    with pytest.raises(ValueError, match=r"class 7 has 1 example, .* take more data or"):
        data.folds(numbered(9, [7] + [3] * 8), 3, stratify=True)
    with pytest.raises(ValueError, match="fold 2 has weight 0 throughout its dev part: drop"):
        data.folds(numbered(6)._replace(weight=jnp.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])), 3)
    with pytest.raises(ValueError, match="folds are of 10 examples, the data have 9"):
        data.folds(NAMED, 2).parts(numbered(9))
