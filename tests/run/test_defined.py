"""A score that the labels of a part leave undefined is named before anything is trained."""

from importlib import import_module

import numpy as np
import pytest

import fnopt as fo

R = np.random.default_rng(0)
X = R.normal(size=(40, 3)).astype(np.float32)
LATE = np.r_[np.zeros(20, int), np.arange(20) % 2]  # class 1 stands in the last twenty rows alone
FOLDS = [(np.arange(30), np.arange(30, 40)), (np.arange(5, 40), np.arange(5))]  # the second has class 0 only
SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1))
MODEL = fo.classifier(hidden=())


class Trained(AssertionError):
    """Training began."""


@pytest.fixture(autouse=True)
def nothing_is_trained(monkeypatch):
    def begun(*given, **named):
        raise Trained

    monkeypatch.setattr(import_module("fnopt.run.caviar"), "_stage", begun)
    monkeypatch.setattr(import_module("fnopt.run.fit"), "begin_lanes", begun)


def search(data, model=MODEL, space=SPACE, dev=None, **how):
    return fo.caviar(model, space, data, dev, n=4, epochs=4, key=0, **how)


RULES = {
    "alone": None,
    "halving": fo.halving(),
    "population": fo.population(every=1),
    "early stopping": fo.early_stopping(patience=2),
    "early stopping that is searched": fo.early_stopping(patience=fo.integer(1, 3)),
}


@pytest.mark.parametrize("rule", RULES)
def test_one_class_in_a_fold_under_every_rule(rule):
    data = fo.data.dataset(X, LATE)
    with pytest.raises(ValueError, match="roc_auc is not defined on fold 1: its dev part has class 0 only"):
        search(data, folds=FOLDS, objective="dev/roc_auc", stop=RULES[rule])


def test_the_part_and_the_label_are_named():
    names = np.where(LATE == 1, "yes", "no")
    whole = fo.data.dataset(X, names)
    few = fo.data.dataset(X[:9], names[:9], classes=("no", "yes"))
    with pytest.raises(ValueError, match="roc_auc is not defined on the dev part: it has class no only"):
        search(whole, dev=few, objective="roc_auc")
    with pytest.raises(ValueError, match="roc_auc is not defined on the dev part: it has class no only"):
        fo.fit(MODEL, whole, few, epochs=2, objective="dev/roc_auc", stop=fo.early_stopping(patience=1))
    with (
        pytest.warns(UserWarning, match="no example of class 'yes' in train"),
        pytest.raises(ValueError, match="roc_auc is not defined on the train part: it has class no only"),
    ):
        fo.fit(MODEL, few, whole, epochs=2, objective="train/roc_auc")
    weight = (LATE == 0).astype(float)  # what does not count is not there
    with pytest.raises(ValueError, match="on the dev part: it has class no only"):
        search(whole, dev=whole._replace(weight=weight), objective="roc_auc")
    made = fo.data.folds(whole, 8, key=1, stratify=False)  # class "yes" is missing from some of five rows
    assert any(not LATE[rows].any() for _, rows in made)
    with pytest.raises(ValueError, match=r"roc_auc is not defined on fold \d: its dev part has class (no|yes) only"):
        search(whole, folds=made, objective="dev/roc_auc")


VALUES = fo.regressor(hidden=())
LABELS = fo.multilabel(hidden=())
CONVENTION = [
    *((MODEL, LATE, LATE[:9], name, "no example of class 1") for name in ("f1", "precision", "recall")),
    (MODEL, LATE, LATE[:9], "matthews_corrcoef", "class 0 only"),
    (VALUES, X[:, 0], np.full(9, 2.0), "r2", "one value in all 9 examples"),
    (VALUES, X[:, 0], np.full(9, 2.0), "explained_variance", "one value in all 9 examples"),
    (VALUES, X[:, 0], X[:1, 0], "r2", "1 example"),
    (VALUES, X[:, :2], np.c_[X[:9, 0], np.ones(9)], "r2", "one value in all 9 examples of column 1 of its target"),
    (LABELS, X[:, :2] > 0, np.zeros((9, 2), int), "f1", "no label that is 1"),
]


@pytest.mark.parametrize(("model", "y", "few", "name", "lack"), CONVENTION)
def test_what_has_a_value_by_convention_alone_is_named(model, y, few, name, lack):
    labels = {"classes": (0, 1)} if model is MODEL else {}
    y, few = (np.asarray(some, int) if model is LABELS else some for some in (y, few))
    train, dev = fo.data.dataset(X, y, **labels), fo.data.dataset(X[: len(few)], few, **labels)
    why = f"{name} is not defined on the dev part: it has {lack}, and so it is 0 or 1 there by convention"
    for stop in (None, fo.halving()):
        with pytest.warns(UserWarning, match=why), pytest.raises(Trained):
            search(train, model, dev=dev, objective=f"dev/{name}", stop=stop)
    with pytest.warns(UserWarning, match=why), pytest.raises(Trained):
        fo.fit(model, train, dev, epochs=2, objective=f"dev/{name}")


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "loss", "roc_auc", "f1"])
def test_what_is_defined_goes_on(name):
    data = fo.data.dataset(X, LATE)
    rows = slice(20, 40) if name in ("roc_auc", "f1") else slice(0, 9)
    some = fo.data.dataset(X[rows], LATE[rows], classes=(0, 1))
    with pytest.raises(Trained):
        search(data, dev=some, objective=f"dev/{name}")
    three = fo.data.dataset(X, np.r_[np.zeros(20, int), np.arange(20) % 3])
    with pytest.raises(Trained):  # a mean over classes leaves out those that are absent
        search(three, dev=fo.data.dataset(X[20:30], (np.arange(10) % 2), classes=(0, 1, 2)), objective=f"dev/{name}")


def test_a_score_that_is_no_number_after_training_does_not_blame_the_rate(monkeypatch):
    monkeypatch.undo()
    data = fo.data.dataset(X, LATE)
    sweep = fo.caviar(MODEL, SPACE, data, data, n=2, epochs=1, key=0, objective="dev/roc_auc")
    for at, lane in sweep.kept.lanes.items():
        scores = {**lane.scores, "dev": {**lane.scores["dev"], "roc_auc": np.nan}}
        sweep.kept.lanes[at] = lane._replace(scores=scores)
    with pytest.raises(ValueError, match=r"finite score; .* dev/roc_auc is not a number") as found:
        _ = sweep.best
    assert "learning rate" not in str(found.value)
