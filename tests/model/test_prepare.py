"""What a model takes from a dataset: weights in the moments, classes that a part lacks, targets of the wrong kind."""

import warnings
from functools import partial

import numpy as np
import pytest

import fnopt as fo
from fnopt.model.prepare import prepare

RNG = np.random.default_rng(1)
X = 1e6 + RNG.normal(size=(40, 2))
Y = RNG.integers(0, 2, 40)
SPACE = dict(lr=fo.uniform(0.01, 0.02))


def data(**kept):
    return fo.data.dataset(X, Y, **kept)


@pytest.mark.parametrize("target", [False, True])
def test_a_row_of_weight_two_is_two_rows(target):
    y, model = (X[:, 0], fo.regressor(hidden=())) if target else (Y, fo.classifier(hidden=(), class_weight="balanced"))
    w = np.arange(40) % 3
    a = prepare(model, fo.data.dataset(X, y, w)).frame
    b = prepare(model, fo.data.dataset(np.repeat(X, w, axis=0), np.repeat(y, w))).frame
    for one, other in ((a.inputs, b.inputs), (a.target, b.target))[: 1 + target]:
        np.testing.assert_allclose(one.mean, other.mean, rtol=1e-15)
        np.testing.assert_allclose(one.scale, other.scale, rtol=1e-9)


def test_a_row_of_little_weight_moves_the_scale_little():
    x = np.concatenate([X, [[1e9, 1e9]]])
    scales = [
        prepare(fo.classifier(hidden=()), fo.data.dataset(x, [*Y, 0], [1.0] * 40 + [last])).frame.inputs.scale
        for last in (0.0, 1e-20)
    ]
    np.testing.assert_allclose(scales[0], scales[1], rtol=0.05)


def test_balanced_classes_are_balanced_by_weight():
    w = 1.0 + np.arange(40) % 3
    pull = np.asarray(prepare(fo.classifier(hidden=(), class_weight="balanced"), data(weight=w)).train.pull)[:40]
    np.testing.assert_allclose(pull[Y == 0].sum(), pull[Y == 1].sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("class_weight", "weight"), [({0: 0.0, 1: 0.0}, None), ({0: 0.0, 1: 2.0}, np.where(Y == 0, 1.0, 0.0))]
)
def test_weights_that_leave_nothing_are_refused(class_weight, weight):
    model = fo.classifier(hidden=(), class_weight=class_weight)
    for act in (
        lambda: fo.fit(model, data(weight=weight), epochs=1),
        lambda: fo.caviar(model, SPACE, data(weight=weight), n=1),
    ):
        with pytest.raises(ValueError, match="class_weight times the examples' weights is 0 for all 40"):
            act()


def test_a_declared_class_may_lack_examples():
    known = fo.data.dataset(X, Y, classes=("a", "b", "c"))
    with pytest.warns(UserWarning, match="no example of class 'c' in train"):
        run = fo.fit(fo.classifier(hidden=(), class_weight="balanced"), known, epochs=1)
    assert run.classes == ("a", "b", "c") and run.predict_proba(X).shape == (40, 3)
    assert np.isfinite(run.scores["train"]["loss"])
    scores = run.evaluate(fo.data.dataset(X[:3], ["a", "c", "c"], classes=("a", "b", "c")))
    assert 0 <= scores["balanced_accuracy"] <= 1 and np.isfinite(scores["f1"])


def test_a_label_that_train_lacks_is_refused_where_no_class_was_declared():
    with pytest.raises(ValueError, match=r"class 5 has no example in train; .*name all classes"):
        prepare(fo.classifier(), data(), fo.data.dataset(X, np.where(Y == 0, 5, 1)))


MANY = np.arange(40) * 9 + 25
FLOWERS = fo.data.iris()
OWN = dict(
    init=lambda key, example, hyper: ((), ()),
    loss=lambda params, stats, batch, hyper, key, train: (batch.weight, stats),
    predict=lambda params, stats, x, hyper: x[:, 0],
)
UNSUITED = {  # name: (model, data, error or warning, words)
    "values as classes": (fo.classifier(), (X, MANY), UserWarning, "values from 25 to 376: 40 different"),
    "whole floats as classes": (fo.classifier(), (X, MANY * 1.0), UserWarning, "values from 25 to 376"),
    "fractions as classes": (fo.classifier(), (X, X[:, 0]), ValueError, "got fractions; for values use fo.regressor"),
    "columns as classes": (fo.classifier(), (X, X), ValueError, "one label an example"),
    "names as values": (fo.regressor(), (X, np.array(["no", "yes"])[Y]), ValueError, "the classes 'no', 'yes'"),
    "names as own values": (
        fo.supervised(**OWN, task="values"),
        (X, np.array(["no", "yes"])[Y]),
        ValueError,
        "classes",
    ),
    "names as labels": (fo.multilabel(), (X, np.array(["no", "yes"])[Y]), ValueError, "holding 0 and 1"),
    "values as labels": (fo.multilabel(), (X, X), ValueError, "holding 0 and 1"),
}


@pytest.mark.parametrize("name", UNSUITED)
@pytest.mark.parametrize("act", ["fit", "caviar"])
def test_a_target_of_another_kind_is_named(name, act):
    model, arrays, kind, words = UNSUITED[name]
    given = fo.data.dataset(*arrays)
    call = partial(fo.fit, model, given) if act == "fit" else partial(fo.caviar, model, dict(lr=0.1), given, n=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(kind, match=words):
            call(epochs=1)


@pytest.mark.parametrize("y", [Y, Y * 1.0, Y.astype(bool), MANY // 100, np.array(["a", "b"])[Y]])
def test_labels_are_no_values(y):
    prepare(fo.classifier(), fo.data.dataset(X, y))


def test_numbers_that_stand_for_classes_are_values_as_they_stand():
    made = prepare(fo.regressor(), fo.data.dataset(X, Y, classes=(10, 30)))
    np.testing.assert_allclose(made.frame.target.mean, np.where(Y == 0, 10, 30).mean())


@pytest.mark.parametrize(
    ("y", "words"),
    [(np.full(40, 7.5), "y is 7.5 in every"), (np.stack([X[:, 0], np.ones(40)], 1), "y is 1 in column 1 in every")],
)
def test_a_constant_target_is_named(y, words):
    with pytest.warns(UserWarning, match=words):
        prepare(fo.regressor(), fo.data.dataset(X, y))


FAR = np.where(np.arange(40) == 7, 1e30, np.arange(40.0))
UNRESOLVED = {  # name: (model, x, y, words): float32 cannot hold what the data tell apart
    "one far off": (fo.classifier(), np.stack([FAR, X[:, 0]], 1), Y, "`x` .*column 0: 40 different values become 2"),
    "not scaled": (fo.classifier(standardize=False), 1e9 + X, Y, "`x` .*standardize=True"),
    "target": (fo.regressor(), X, FAR, "`y`"),
    "target not scaled": (fo.regressor(standardize_target=False), X, 1e9 + X[:, 0], "`y` .*standardize_target=True"),
    "constant but for rounding": (fo.classifier(), np.stack([np.nextafter(0.3, Y), X[:, 0]], 1), Y, "column 0"),
}


@pytest.mark.parametrize("name", UNRESOLVED)
def test_what_float32_cannot_tell_apart_is_named(name):
    model, x, y, words = UNRESOLVED[name]
    with pytest.warns(UserWarning, match=words):
        prepare(model, fo.data.dataset(x, y))


@pytest.mark.parametrize("x", [1e12 + RNG.normal(size=(4000, 2)), 1e9 + np.arange(400.0)[:, None], FLOWERS.x])
def test_what_it_can_tell_apart_is_not(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(fo.classifier(), fo.data.dataset(x, np.arange(len(x)) % 2))
