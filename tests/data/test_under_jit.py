"""The pieces of ``fo.data`` inside one's own jit and vmap: the same rows as outside."""

import jax
import numpy as np
import pytest

import fnopt as fo

DATA = fo.data.iris()
KEY = jax.random.key(3)


def rows_of(parts):
    return [part.x for part in parts]


PIECES = {
    "split": lambda key: rows_of(fo.data.split(DATA, (0.7, 0.3), key=key)),
    "stratified": lambda key: rows_of(fo.data.split(DATA, (0.5, 0.3, 0.2), key=key, stratify=True)),
    "folds": lambda key: [rows for pair in fo.data.folds(DATA, 4, key=key, repeats=2) for rows in pair],
    "stratified folds": lambda key: [rows for pair in fo.data.folds(DATA, 4, key=key, stratify=True) for rows in pair],
    "parts": lambda key: rows_of(fo.data.folds(DATA, 3, key=key).parts(DATA)[1]),
    "batches": lambda key: [batch.x for batch in fo.data.batches(DATA, 64, key=key, epochs=2)],
    "replacement": lambda key: [batch.y for batch in fo.data.batches(DATA, 64, key=key, sampling="replacement")],
    "standardizer": lambda key: fo.data.standardizer(DATA.x)(DATA.x * jax.random.uniform(key)),
    "dataset": lambda key: fo.data.dataset(DATA.x * jax.random.uniform(key), DATA.y).x,
}


@pytest.mark.parametrize("name", PIECES)
def test_the_same_under_jit_and_vmap(name):
    expected = PIECES[name](KEY)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5), jax.jit(PIECES[name])(KEY), expected
    )
    both = jax.vmap(PIECES[name])(jax.random.wrap_key_data(jax.random.key_data(KEY)[None]))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[0], b, rtol=2e-5, atol=2e-5), both, expected)


def test_data_may_be_traced_and_the_key_known():
    def first(data):
        return fo.data.split(data, (0.7, 0.3), key=KEY)[0].x

    np.testing.assert_array_equal(jax.jit(first)(DATA), first(DATA))


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda k: fo.data.split(DATA, (0.7, 0.3), key=k, groups=DATA.y)[0].x, "whole groups"),
        (lambda k: fo.data.folds(DATA, 3, key=k, groups=DATA.y).pairs, "whole groups"),
        (lambda k: fo.data.folds(DATA._replace(y=DATA.y + k[0]), 3, stratify=True).pairs, "stratify=True"),
    ],
)
def test_what_jit_cannot_know_is_named(act, words):
    key = jax.random.key_data(KEY).astype(np.int32) if "stratify" in words else KEY
    with pytest.raises(ValueError, match=words):
        jax.jit(act)(key)


@pytest.mark.parametrize("names", [["a", "b", "c", "d"], [7, 8, 9, 10]])
def test_single_examples_of_classes_are_named(names):
    data = fo.data.dataset(np.eye(4), names)
    with pytest.raises(ValueError, match=r"4 of 4 classes have one example each \((a|7), (b|8), (c|9) and 1 more\)"):
        fo.data.split(data, (0.5, 0.5), key=KEY, stratify=True)
    with pytest.raises(ValueError, match="has 1 example, too few for k=2"):
        fo.data.folds(data, 2, stratify=True)
    with pytest.raises(ValueError, match="has 1 example, too few for k=2"):
        fo.caviar(fo.classifier(hidden=()), dict(lr=fo.uniform(0.1, 0.2)), data, folds=2, n=1, epochs=1)
