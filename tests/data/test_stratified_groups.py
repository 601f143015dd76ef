"""Whole groups with the classes' shares: as scikit-learn deals them to folds, and parts of any size."""

import jax
import numpy as np
import pytest

import fnopt as fo

KEY = jax.random.key(0)


def grouped(seed, count=40, classes=3):
    """Groups of unlike size, each mostly of one class."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, count)
    groups = np.repeat(rng.permutation(count), sizes)
    mostly = rng.integers(0, classes, count)[groups]
    y = np.where(rng.uniform(size=len(groups)) < 0.7, mostly, rng.integers(0, classes, len(groups)))
    y[:classes] = np.arange(classes)
    return fo.data.dataset(np.arange(len(y), dtype=np.float32)[:, None], y), groups


@pytest.mark.parametrize("seed", range(6))
def test_folds_are_those_of_scikit_learn(seed):
    """Without a key: theirs shuffles nothing then."""
    StratifiedGroupKFold = pytest.importorskip("sklearn.model_selection").StratifiedGroupKFold
    data, groups = grouped(seed)
    for k in (2, 3, 5):
        theirs = StratifiedGroupKFold(k).split(np.zeros(len(data)), np.asarray(data.y), groups)
        mine = fo.data.folds(data, k, stratify=True, groups=groups)
        for (train, dev), (rest, part) in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(train, rest)
            np.testing.assert_array_equal(dev, part)


def uneven(y, part, shares):
    """The largest distance of a class's share of a part from what it should be."""
    return max(abs(np.mean(part[y == c] == k) - s) for c in np.unique(y) for k, s in enumerate(shares))


def test_parts_hold_whole_groups_and_near_shares_of_each_class():
    shares = (0.6, 0.2, 0.2)
    both, alone = [], []
    for seed in range(6):
        data, groups = grouped(seed, count=60)
        y, each = np.asarray(data.y), []
        for stratify in (True, False):
            parts = fo.data.split(data, shares, key=KEY, stratify=stratify, groups=groups)
            part = np.empty(len(data), int)
            for k, some in enumerate(parts):
                part[np.asarray(some.x)[:, 0].astype(int)] = k
            assert all(len({*part[groups == g]}) == 1 for g in np.unique(groups))
            assert sum(map(len, parts)) == len(data)
            each.append(uneven(y, part, shares))
        both.append(each[0])
        alone.append(each[1])
    assert max(both) < 0.06 and np.mean(both) < 0.5 * np.mean(alone)


def test_the_key_decides_and_no_part_is_empty():
    data, groups = grouped(1)
    one, same, other = (fo.data.folds(data, 4, key=jax.random.key(k), stratify=True, groups=groups) for k in (0, 0, 1))
    assert one == same and one != other
    few = fo.data.dataset(np.zeros((6, 1)), [0, 1, 0, 1, 0, 1])
    parts = fo.data.split(few, (0.98, 0.01, 0.01), key=KEY, stratify=True, groups=[0, 0, 1, 1, 2, 2])
    assert [len(part) for part in parts] == [2, 2, 2]
    with pytest.raises(ValueError, match="2 groups cannot fill 3 parts"):
        fo.data.split(few, (0.98, 0.01, 0.01), key=KEY, stratify=True, groups=[0, 0, 1, 1, 1, 1])


def test_a_search_over_such_folds():
    data, groups = grouped(2)
    folds = fo.data.folds(data, 3, key=KEY, stratify=True, groups=groups)
    assert fo.caviar(fo.classifier(hidden=2), dict(lr=fo.uniform(0.01, 0.1)), data, folds=folds, n=1, epochs=1).finished
