"""The estimators beside fo.fit and among scikit-learn's own tools. One small network, few shapes."""

import importlib
import pickle
import sys
import warnings

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

import fnopt as fo
from fnopt.sklearn import FnoptClassifier, FnoptRegressor

X, Y = load_iris(return_X_y=True)
TWO = Y == 2  # booleans
COLUMNS = np.stack([Y == 0, Y == 1, Y == 2, X[:, 0] > 5.8], axis=1).astype(int)
VALUES = (X @ [0.5, -1.0, 2.0, 0.3]).round(3)
SMALL = dict(hidden_layer_sizes=4, learning_rate_init=0.05, max_iter=5, random_state=0)


def classifier(**changes):
    return FnoptClassifier(**{**SMALL, **changes})


def regressor(**changes):
    return FnoptRegressor(**{**SMALL, **changes})


def test_it_is_fit_with_the_same_names_to_the_bit():
    ours = classifier(alpha=0.64).fit(X, Y)
    hyper = dict(hidden=(4,), lr=0.05, l2=0.64 / 64)
    run = fo.fit(fo.classifier(), fo.data.dataset(X, Y), hyper=hyper, epochs=5, key=0)
    assert all(np.array_equal(a, b["weight"]) for a, b in zip(ours.coefs_, run.params.values(), strict=True))
    np.testing.assert_array_equal(ours.predict(X), run.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), run.predict_proba(X), atol=1e-6)
    assert ours.n_iter_ == 5 and ours.loss_curve_ == run.history["cost"].tolist() and ours.loss_ == ours.loss_curve_[-1]
    assert ours.n_layers_ == 3 and ours.n_outputs_ == 3 and ours.intercepts_[1].shape == (3,)
    assert ours.best_loss_ == min(ours.loss_curve_) and ours.validation_scores_ is None
    assert ours.best_validation_score_ is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ours", "model", "y"),
    [
        (FnoptClassifier, fo.classifier, Y),
        (FnoptRegressor, fo.regressor, VALUES),
        (FnoptClassifier, fo.multilabel, COLUMNS),
    ],
)  # fmt: skip
def test_without_arguments_it_is_the_bare_fit_to_the_bit(ours, model, y):
    made = ours(random_state=3).fit(X, y)
    run = fo.fit(model(), fo.data.dataset(X, y), key=3)
    for mine, layer in zip(made.coefs_, run.params.values(), strict=True):
        np.testing.assert_array_equal(mine, layer["weight"])
    np.testing.assert_allclose(made.predict(X), run.predict(X), rtol=1e-6)
    assert made.run_.plan["held_out"].tolist() == run.plan["held_out"].tolist()
    assert made.score(X, y) > 0.9 and len(made.validation_scores_) == made.n_iter_


@pytest.mark.parametrize("y", [Y, TWO, np.array(["one", "two", "three"])[Y], Y - 1, Y.astype(float)])
def test_labels_come_back_as_they_were(y):
    made = classifier().fit(X, y)
    predicted, chances, margin = made.predict(X), made.predict_proba(X), made.decision_function(X)
    np.testing.assert_array_equal(made.classes_, np.unique(y))
    assert predicted.dtype == made.classes_.dtype and set(predicted) <= set(made.classes_)
    assert chances.shape == (150, len(made.classes_)) and chances.dtype == np.float64
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(made.classes_[chances.argmax(axis=1)], predicted)
    np.testing.assert_allclose(np.exp(made.predict_log_proba(X)), chances, rtol=1e-12)
    second = margin > 0 if len(made.classes_) == 2 else margin.argmax(axis=1)
    np.testing.assert_array_equal(made.classes_[np.asarray(second, int)], predicted)
    assert made.score(X, y) > 0.6


def test_columns_of_labels_and_of_values():
    labels = classifier(max_iter=20).fit(X, COLUMNS)
    assert labels.predict(X).shape == COLUMNS.shape and labels.predict(X).dtype == COLUMNS.dtype
    np.testing.assert_array_equal(labels.predict_proba(X) > 0.5, labels.predict(X))
    np.testing.assert_allclose(np.exp(labels.predict_log_proba(X)), labels.predict_proba(X))
    assert labels.decision_function(X).shape == COLUMNS.shape and labels.score(X, COLUMNS) > 0.5
    thin = classifier(max_iter=20).fit(X, sparse.csr_array(COLUMNS))
    np.testing.assert_array_equal(thin.predict(X), labels.predict(X))
    several = regressor(max_iter=20).fit(X, np.stack([VALUES, -3 * VALUES], axis=1))
    assert several.predict(X).shape == (150, 2) and several.predict(X).dtype == np.float64
    assert several.score(X, np.stack([VALUES, -3 * VALUES], axis=1)) > 0.8
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert regressor().fit(X, VALUES[:, None]).predict(X).shape == (150,)


def test_a_row_of_weight_0_is_not_there():
    counts = np.arange(150) % 3 > 0
    weight = np.where(counts, 1.0, 0.0)
    np.testing.assert_array_equal(
        classifier().fit(X, Y, sample_weight=weight).predict_proba(X),
        classifier().fit(X[counts], Y[counts], sample_weight=np.ones(100)).predict_proba(X),
    )
    np.testing.assert_array_equal(regressor().fit(X, VALUES, 2.0).predict(X), regressor().fit(X, VALUES).predict(X))


def test_heavy_classes_are_named_more_often():
    usual = classifier().fit(X, Y)
    heavy = classifier(class_weight={0: 1.0, 1: 50.0, 2: 1.0}).fit(X, Y)
    assert (heavy.predict(X) == 1).sum() > (usual.predict(X) == 1).sum()
    names = np.array(["one", "two", "three"])[Y]
    by_name = classifier(class_weight={"one": 1.0, "two": 50.0, "three": 1.0}).fit(X, names)
    assert (by_name.predict(X) == "two").sum() > (usual.predict(X) == 1).sum()
    few = np.r_[0:100, 0:47, 100:103]
    plain, balanced = (classifier(class_weight=w).fit(X[few], Y[few]) for w in (None, "balanced"))
    assert (balanced.predict(X) == 2).sum() > (plain.predict(X) == 2).sum()
    by_row = compute_sample_weight("balanced", Y[few])
    np.testing.assert_array_equal(classifier().fit(X[few], Y[few], by_row).predict_proba(X), balanced.predict_proba(X))
    stopped = classifier(class_weight={1: 50.0}, tol=1e-4, max_iter=30).fit(X, Y)  # by the weighted cost
    assert (stopped.predict(X) == 1).sum() > (usual.predict(X) == 1).sum() and stopped.n_iter_ > 15


def test_early_stopping_keeps_the_best_of_held_out_rows():
    made = classifier(early_stopping=True, max_iter=40, n_iter_no_change=3).fit(X, Y)
    assert len(made.run_.plan["held_out"]) == 15 and made.n_iter_ < 40
    assert made.best_validation_score_ == made.validation_scores_[made.run_.best_epoch - 1]
    by_cost = classifier(max_iter=40, tol=10.0, n_iter_no_change=3).fit(X, Y)
    assert by_cost.n_iter_ == 5  # the first cost, and four without improvement


def test_warm_start_begins_where_the_last_fit_ended():
    made = classifier(warm_start=True).fit(X, Y)
    before = made.coefs_
    made.set_params(learning_rate_init=1e-9, max_iter=1).fit(X[25:125], Y[25:125])
    for old, new in zip(before, made.coefs_, strict=True):
        np.testing.assert_allclose(new, old, atol=1e-6)
    cold = classifier(learning_rate_init=1e-9, max_iter=1).fit(X, Y)
    assert not np.allclose(cold.coefs_[0], before[0], atol=1e-3)


def test_partial_fit_goes_on_as_one_longer_fit_does():
    made = classifier()
    for _ in range(5):
        made.partial_fit(X, Y)
    whole = classifier().fit(X, Y)
    np.testing.assert_array_equal(made.predict_proba(X), whole.predict_proba(X))
    assert made.n_iter_ == 5 and made.loss_curve_ == whole.loss_curve_


def test_partial_fit_takes_other_rows_and_classes_that_come_later():
    parts = [np.flatnonzero(k != Y)[:80] for k in (2, 0, 1)]  # two of the classes each
    made, first = classifier(), None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(15):
            part = parts[k % 3]
            made.partial_fit(X[part], Y[part], classes=[0, 1, 2])
            first = first or pickle.dumps(made)
    assert made.score(X, Y) > 0.8 and made.n_iter_ == 15
    again = pickle.loads(first).partial_fit(X, Y)  # its moments are not in the file, its weights are
    assert again.run_.epochs == 1 and set(again.classes_) == {0, 1, 2}
    with pytest.raises(ValueError, match="label 3, which is none of the classes"):
        made.partial_fit(X, Y + 1)
    with pytest.raises(ValueError, match="has 3 features"):
        made.partial_fit(X[:, :3], Y)
    labels = classifier().partial_fit(X, COLUMNS).partial_fit(X, COLUMNS)
    with pytest.raises(ValueError, match=r"shape \(m, 4\) as before"):
        labels.partial_fit(X, COLUMNS[:, :2])
    after = regressor().fit(X, VALUES).partial_fit(X[:70], VALUES[:70])
    assert after.predict(X).shape == (150,)


def test_copies_and_files_answer_alike():
    for made, y in ((classifier(), Y), (regressor(), VALUES)):
        made.fit(X, y)
        same = pickle.loads(pickle.dumps(made))
        np.testing.assert_array_equal(same.predict(X), made.predict(X))
        fresh = clone(made)
        assert fresh.get_params() == made.get_params() and not hasattr(fresh, "run_")
        assert not hasattr(fresh, "n_iter_") and not hasattr(fresh, "coefs_")
        with pytest.raises(NotFittedError):
            fresh.predict(X)


def test_a_row_answers_alike_alone_and_among_others():
    made = classifier().fit(X, Y)
    np.testing.assert_array_equal(made.predict_proba(X[:100])[::-1], made.predict_proba(X[:100][::-1]))
    np.testing.assert_array_equal(made.predict_proba(X[:1]), made.predict_proba(X[:100])[:1])
    assert made.predict(np.tile(X, (30, 1))).tolist() == 30 * made.predict(X).tolist()


def test_random_state_is_what_everything_draws_from():
    draws = [classifier(random_state=state).fit(X, Y).coefs_[0] for state in (0, 0, 1, np.random.RandomState(0))]
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], draws[3])

    none = [classifier(random_state=None).fit(X, Y).coefs_[0] for _ in range(2)]
    assert not np.array_equal(*none)


def test_in_pipelines_and_searches():
    parts = ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", MinMaxScaler(), [2, 3])])
    pipe = make_pipeline(parts, classifier(max_iter=20)).set_output(transform="default")
    assert cross_val_score(pipe, X, Y, cv=2).mean() > 0.6
    grid = GridSearchCV(pipe, {"fnoptclassifier__learning_rate_init": [1e-7, 0.05]}, cv=2).fit(X, Y)
    assert grid.best_params_ == {"fnoptclassifier__learning_rate_init": 0.05}
    assert cross_val_score(regressor(), X, VALUES, cv=2).shape == (2,)
    each = MultiOutputClassifier(classifier()).fit(X, np.stack([Y, (Y + 1) % 3], axis=1))
    assert each.predict(X).shape == (150, 2)


def test_metadata_is_routed():
    weight = np.where(Y == 2, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = make_pipeline(MinMaxScaler(), classifier().set_fit_request(sample_weight=True))
        plain = make_pipeline(MinMaxScaler(), classifier().set_fit_request(sample_weight=False))
        with pytest.warns(UserWarning, match="no example of class 2"):
            routed = asking.fit(X, Y, sample_weight=weight)
        assert 2 not in routed.predict(X)
        assert 2 in plain.fit(X, Y).predict(X)


def test_frames_bring_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    made = classifier().fit(frame, pandas.Series(Y))
    assert made.feature_names_in_.tolist() == ["a", "b", "c", "d"] == list(made.run_.encoding.features)
    np.testing.assert_array_equal(made.predict(frame), classifier().fit(X, Y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        made.predict(frame[["b", "a", "c", "d"]])
    by_name = ColumnTransformer([("s", StandardScaler(), ["a", "b"])], remainder="passthrough")
    pipe = make_pipeline(by_name, classifier()).set_output(transform="pandas").fit(frame, Y)
    assert list(pipe[-1].feature_names_in_) == ["s__a", "s__b", "remainder__c", "remainder__d"]


BAD = X.copy()
BAD[3, 1] = np.nan


@pytest.mark.parametrize(
    ("make", "x", "y", "weight", "words"),
    [
        (classifier, sparse.csr_array(X), Y, None, "Sparse data was passed"),
        (classifier, BAD, Y, None, "Input X contains NaN"),
        (classifier, [*X.astype(str).tolist()[:-1], ["a"] * 4], Y, None, "could not convert string to float"),
        (classifier, X, Y[:-1], None, "inconsistent numbers of samples"),
        (classifier, X, Y * 0, None, "at least two classes, and y has one class only: 0"),
        (classifier, X, Y, Y == 1, "one class only where sample_weight is not zero: 1"),
        (classifier, X, VALUES, None, "Unknown label type"),
        (classifier, X, Y.astype(object), None, "Unknown label type"),
        (classifier, X, np.stack([Y, Y], axis=1), None, "MultiOutputClassifier"),
        (classifier, X, Y, np.zeros(150), "sample_weight is zero for all rows"),
        (classifier, X, Y, -np.ones(150), "must not be negative, got -1 in row 0"),
        (classifier, X, Y, np.ones(3), r"must have shape \(150,\)"),
        (regressor, X, np.where(Y, "a", "b"), None, "wants numbers in y"),
        (regressor, X, np.where(Y, VALUES, np.nan), None, "Input y contains NaN"),
    ],
)  # fmt: skip
def test_bad_data_get_one_clear_error(make, x, y, weight, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make().fit(x, y, sample_weight=weight)


def test_without_scikit_learn_the_line_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "fnopt.sklearn")
    with pytest.raises(ImportError, match=r"pip install 'fnopt\[sklearn\]'"):
        importlib.import_module("fnopt.sklearn")


def test_bad_arguments_get_one_clear_error():
    with pytest.raises(ValueError, match="class_weight names 7, which is none of the classes"):
        classifier(class_weight={7: 2.0}).fit(X, Y)
    with pytest.raises(ValueError, match="weight the rows"):
        classifier(class_weight={0: 2.0}).fit(X, COLUMNS)
    with pytest.raises(ValueError, match=r"class_weight must be None, .balanced. or \{label: weight\}, got 'even'"):
        classifier(class_weight="even").fit(X, Y)
    with pytest.raises(ValueError, match="`class_weight` must be a number ≥ 0, got -1"):
        classifier(class_weight={0: -1}).fit(X, Y)
    with pytest.raises(ValueError, match="class_weight times sample_weight is zero for all rows"):
        classifier(class_weight={0: 0, 1: 0, 2: 0}).fit(X, Y)
    with pytest.raises(ValueError, match="write class_weight as numbers"):
        classifier(class_weight="balanced").partial_fit(X, Y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        classifier(early_stopping=True).partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"training diverged: .* take a smaller learning_rate_init"):
        regressor(learning_rate_init=1e30).fit(X, VALUES)
