"""A score of a run is the one of that name in ``fo.metrics`` and in scikit-learn, for classes, labels and values."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt.train import EVALUATED, SCORES

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
AVERAGED = ("f1", "precision", "recall", "specificity", "jaccard")  # scores of labels
RANKED = ("roc_auc", "average_precision")  # scores of margins
CHANCES = ("log_loss", "brier", "expected_calibration_error", "d2_log_loss", "d2_brier")


def split(name):
    """A score's name in fo.metrics, and its average."""
    for average in ("micro", "macro", "weighted", "samples"):
        if name.endswith(f"_{average}"):
            return name.removesuffix(f"_{average}"), average
    return name, None


@pytest.mark.parametrize(("task", "name"), CASES)
def test_a_score_is_the_metric_of_its_name(task, name, runs):
    """Every score of a task, taken of the outputs as a run takes it, against the metric of what a user sees."""
    data, run = runs[task]
    y, (metric, average) = TASKS[task][1], split(name)
    classes = {} if TASKS[task][0].task != "classes" else {"classes": max(2, y.max() + 1)}
    ours = {**classes, "average": average or AVERAGE[task]} if metric in AVERAGED else {}
    ours |= {"average": average} if average and metric in RANKED else {}
    given = run.predict(X)
    if metric in (*RANKED, *CHANCES):
        given = run.predict_proba(X)
        given = given[:, 1] if task == "two classes" else given
    outputs = np.asarray(run.outputs(X))
    outputs = outputs if TASKS[task][0].task != "values" else run.predict(X).reshape(y.shape)
    found = float(SCORES[TASKS[task][0].task][name].of(jnp.asarray(y), jnp.asarray(outputs), jnp.asarray(W)))
    mine = float(getattr(fo.metrics, metric)(y, given, weight=W, **ours))
    assert found == pytest.approx(mine, rel=5e-5, abs=1e-6)
    if name in EVALUATED[TASKS[task][0].task]:
        assert run.evaluate(data)[name] == pytest.approx(mine, rel=2e-5)
    if name in run.scores["train"]:
        assert run.scores["train"][name] == pytest.approx(mine, rel=2e-5)


USUAL = [(task, name) for task, (model, _) in TASKS.items() for name in EVALUATED[model.task]]


@pytest.mark.parametrize(("task", "name"), USUAL)
def test_a_score_is_scikit_learns(task, name, runs):
    data, run = runs[task]
    y, theirs, given = TASKS[task][1], {}, run.predict(X)
    if name in ("f1", "precision", "recall"):
        theirs = {"average": AVERAGE[task]}
    if name == "roc_auc":
        chances = run.predict_proba(X)
        given = chances[:, 1] if task == "two classes" else chances
        theirs = {"multi_class": "ovr"} if task == "three classes" else {}
    peer = getattr(sk, NAMES.get(name, name), None) or getattr(sk, f"{name}_score")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = float(peer(y, given, sample_weight=W, **theirs))
    assert run.evaluate(data)[name] == pytest.approx(expected, rel=2e-4), name


def test_labels_count_alike_in_a_run_a_sweep_and_the_metric():
    model, y = TASKS["labels"]
    data = fo.data.dataset(X, y)
    sweep = fo.caviar(model, dict(lr=fo.uniform(0.01, 0.1)), data, data, n=2, epochs=2, objective="dev/accuracy", key=0)
    for i in range(2):
        predicted = sweep.replay(i).predict(X)
        score = sweep.table()[i]["score"]
        assert score == pytest.approx(float((predicted == y).all(axis=1).mean()), rel=1e-6)
        assert score == pytest.approx(float(fo.metrics.accuracy(y, predicted)), rel=1e-6)
