"""A score of a run is the one of that name in ``fo.metrics`` and in scikit-learn, for classes, labels and values."""

import warnings

import numpy as np
import pytest

import fnopt as fo
from fnopt.train import SCORES

sk = pytest.importorskip("sklearn.metrics")

R = np.random.default_rng(0)
X = R.normal(size=(90, 3))
W = R.integers(0, 4, 90).astype(float)  # some examples do not count
Z = X @ R.normal(size=(3, 3)) + R.normal(size=(90, 3))
TASKS = {
    "two classes": (fo.classifier(hidden=()), (Z[:, 0] > 0.4).astype(int)),
    "three classes": (fo.classifier(hidden=()), Z.argmax(axis=1)),
    "labels": (fo.multilabel(hidden=()), (Z > 0.5).astype(int)),
    "a value": (fo.regressor(hidden=()), 40 + 3 * Z[:, 0]),
    "values": (fo.regressor(hidden=()), 40 + 3 * Z),
}
AVERAGE = {"two classes": "binary", "three classes": "macro", "labels": "micro"}
# scikit-learn's name, where it is not ours with _score or none
NAMES = {"r2": "r2_score", "accuracy": "accuracy_score", "f1": "f1_score", "roc_auc": "roc_auc_score"}


@pytest.fixture(scope="module")
def runs():
    made = {}
    for task, (model, y) in TASKS.items():
        data = fo.data.dataset(X, y, weight=W)
        made[task] = data, fo.fit(model, data, hyper=dict(lr=0.05), epochs=3)
    return made


CASES = [(task, name) for task, (model, _) in TASKS.items() for name in SCORES[model.task]]


@pytest.mark.parametrize(("task", "name"), CASES)
def test_a_score_is_the_metric_of_its_name(task, name, runs):
    data, run = runs[task]
    y = TASKS[task][1]
    ours, theirs = {}, {}
    if name in ("f1", "precision", "recall"):
        ours = theirs = {"average": AVERAGE[task]}
    given = run.predict(X)
    if name == "roc_auc":
        chances = run.predict_proba(X)
        given = chances[:, 1] if task == "two classes" else chances
        theirs = {"multi_class": "ovr"} if task == "three classes" else {}
    found = run.evaluate(data)[name]
    mine = getattr(fo.metrics, name)(y, given, weight=W, **ours)
    assert found == pytest.approx(float(mine), rel=2e-5)
    peer = getattr(sk, NAMES.get(name, name), None) or getattr(sk, f"{name}_score")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found == pytest.approx(float(peer(y, given, sample_weight=W, **theirs)), rel=2e-4), name
    if name in run.scores["train"]:
        assert run.scores["train"][name] == pytest.approx(found, rel=1e-6)


def test_labels_count_alike_in_a_run_a_sweep_and_the_metric():
    model, y = TASKS["labels"]
    data = fo.data.dataset(X, y)
    sweep = fo.caviar(model, dict(lr=fo.uniform(0.01, 0.1)), data, data, n=2, epochs=2, objective="dev/accuracy", key=0)
    for i in range(2):
        predicted = sweep.replay(i).predict(X)
        score = sweep.table()[i]["score"]
        assert score == pytest.approx(float((predicted == y).all(axis=1).mean()), rel=1e-6)
        assert score == pytest.approx(float(fo.metrics.accuracy(y, predicted)), rel=1e-6)
