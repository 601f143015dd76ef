"""CaviarSearchCV beside RandomizedSearchCV: the same candidates, the same results table, one call of fo.caviar."""

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GroupKFold, KFold, RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fnopt as fo
from fnopt._compile import TRACES
from fnopt.sklearn import CaviarSearchCV, FnoptClassifier, FnoptRegressor
from fnopt.sklearn.lanes import asked_by
from fnopt.sklearn.ranges import drawn

X, Y = load_iris(return_X_y=True)
VALUES = (X @ [0.5, -1.0, 2.0, 0.3]).round(3)
NET = FnoptClassifier(hidden_layer_sizes=4, max_iter=5, random_state=0)
SPACE = dict(learning_rate_init=loguniform(1e-3, 1e-1), alpha=loguniform(1e-4, 1e-1))


def search(space=SPACE, net=NET, x=X, y=Y, given=None, **changes):
    made = CaviarSearchCV(net, space, **{**dict(n_iter=4, cv=2, random_state=0), **changes})
    return made.fit(x, y, **(given or {}))


def test_candidates_and_the_table_are_those_of_the_other():
    theirs = RandomizedSearchCV(NET, SPACE, n_iter=4, cv=2, random_state=0, return_train_score=True)
    theirs.fit(X, Y)
    before = TRACES["advance"]
    ours = search(return_train_score=True, refit=False)
    assert TRACES["advance"] - before <= 1  # one program for all candidates in all folds
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, column in theirs.cv_results_.items():
        mine = ours.cv_results_[name]
        assert type(mine) is type(column) and getattr(mine, "dtype", None) == getattr(column, "dtype", None), name
        assert len(mine) == len(column)
    assert ours.n_splits_ == 2 and not hasattr(ours, "best_estimator_")


def test_scores_are_of_each_candidate_in_each_fold():
    ours = search()
    folds = list(StratifiedKFold(2).split(X, Y))
    for i in range(4):
        for fold, (_, test) in enumerate(folds):
            score = ours.cv_results_[f"split{fold}_test_score"][i]
            replayed = ours.sweep_.replay(i, fold=fold)
            assert score == accuracy_score(Y[test], replayed.predict(X[test]))
            (lane,) = [r for r in ours.sweep_.lanes(i) if r.fold == fold]
            assert score == pytest.approx(lane.scores["dev"]["accuracy"], abs=1e-6)
    assert [c["l2"] for c in ours.sweep_.configs] == [p["alpha"] / 64 for p in ours.cv_results_["params"]]
    best = ours.best_index_
    assert ours.best_score_ == ours.cv_results_["mean_test_score"].max() == ours.cv_results_["mean_test_score"][best]
    alone = FnoptClassifier(**{**NET.get_params(), **ours.best_params_}).fit(X, Y)
    np.testing.assert_array_equal(ours.predict_proba(X), alone.predict_proba(X))
    assert ours.score(X, Y) == alone.score(X, Y) and ours.classes_.tolist() == [0, 1, 2] and ours.n_features_in_ == 4


def test_several_scores_by_names_callables_and_functions():
    named = search(scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss", n_iter=3)
    assert named.multimetric_ and set(named.scorer_) == {"accuracy", "neg_log_loss"}
    assert named.best_index_ == named.cv_results_["rank_test_neg_log_loss"].argmin()
    assert (named.cv_results_["mean_test_neg_log_loss"] < 0).all()

    def both(net, x, y):
        return {"right": accuracy_score(y, net.predict(x)), "wrong": 1 - accuracy_score(y, net.predict(x))}

    made = search(scoring=both, refit="right", n_iter=3)
    np.testing.assert_array_equal(made.cv_results_["mean_test_right"], named.cv_results_["mean_test_accuracy"])
    chosen = search(scoring={"f": make_scorer(f1_score, average="macro")}, refit=lambda results: 2, n_iter=3)
    assert chosen.best_index_ == 2 and not hasattr(chosen, "best_score_")
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        search(scoring=["accuracy", "neg_log_loss"])


def test_groups_splitters_and_weights():
    groups = np.arange(150) % 4 + 10
    grouped = search(cv=GroupKFold(2), given=dict(groups=groups), n_iter=1, refit=False)
    assert grouped.n_splits_ == 2
    for train, dev in grouped.sweep_.folds:
        assert not {*groups[train]} & {*groups[dev]} and len({*groups[dev]}) == 2
    odd = np.arange(150) % 2 == 1
    own = search(cv=[(odd, ~odd), (np.flatnonzero(~odd), np.flatnonzero(odd))], n_iter=1, refit=False)
    assert [dev.tolist() for _, dev in own.sweep_.folds] == [list(range(0, 150, 2)), list(range(1, 150, 2))]
    weight = np.where(np.arange(150) % 3 == 0, 0.0, 1.0)
    heavy = search(given=dict(sample_weight=weight), cv=KFold(2, shuffle=True, random_state=0), n_iter=1)
    for train, _ in heavy.sweep_.folds:
        assert (weight[train] > 0).all()
    test = heavy.sweep_.folds.pairs[0][1]
    predicted = heavy.sweep_.replay(0).predict(X[test])
    right = accuracy_score(Y[test], predicted, sample_weight=weight[test])
    assert heavy.cv_results_["split0_test_score"][0] in (pytest.approx(right), accuracy_score(Y[test], predicted))


@pytest.mark.slow
def test_structure_and_length_are_searched_too():
    space = [
        dict(solver=["sgd"], hidden_layer_sizes=[(4,), (3, 3)], max_iter=[2, 4], momentum=[0.5]),
        dict(solver=["adam"], beta_1=fo.uniform(0.5, 0.9), batch_size=fo.choice(16, 32)),
    ]
    ours = search(space, n_iter=8, refit=False)
    for config, params in zip(ours.sweep_.configs, ours.cv_results_["params"], strict=True):
        assert config["optimizer"] == ("adam" if params["solver"] == "adam" else "nesterov")
        assert config["epochs"] == params.get("max_iter", 5)
        assert config.get("b1") == params.get("beta_1") and ("beta" in config) == (params["solver"] == "sgd")
    assert ours.cv_results_["param_momentum"].mask.tolist() == [
        "momentum" not in params for params in ours.cv_results_["params"]
    ]


def test_ranges_of_fnopt_draw_inside_and_alike():
    rng = np.random.RandomState(0)
    for space in (fo.log_uniform(1e-4, 1e-1), fo.uniform(-1, 1), fo.one_minus_log_uniform(0.5, 0.999)):
        some = np.array([drawn(space, rng) for _ in range(400)])
        assert some.min() >= space.low and some.max() <= space.high
        shares = np.array([space.to_unit(x) for x in some])
        assert abs(shares.mean() - 0.5) < 0.05 and abs(shares.std() - 12**-0.5) < 0.03
    whole = [drawn(fo.integer(3, 6), rng) for _ in range(2000)]
    assert all(400 < count < 600 for count in np.bincount(whole)[3:]) and set(whole) == {3, 4, 5, 6}
    assert abs(np.mean([drawn(fo.normal(2.0, 0.5), rng) for _ in range(400)]) - 2) < 0.1
    picked = drawn(fo.choice(fo.uniform(0, 1), (fo.integer(2, 3), 7)), rng)
    assert isinstance(picked, float | tuple)
    space = dict(learning_rate_init=fo.log_uniform(1e-3, 1e-1), hidden_layer_sizes=fo.choice((4,), (5,)))
    one, two = (search(space, n_iter=3, refit=False).cv_results_["params"] for _ in range(2))
    assert one == two and len({params["learning_rate_init"] for params in one}) == 3


def test_halving_ends_the_poor_and_the_best_is_whole():
    space = dict(learning_rate_init=list(np.geomspace(1e-5, 1e-1, 9)))
    ours = search(space, net=FnoptClassifier(**{**NET.get_params(), "max_iter": 9}), n_iter=9, stop=fo.halving())
    status, epochs = ours.cv_results_["status"], ours.cv_results_["n_epochs"]
    assert set(status) == {"done", "pruned"} and ours.best_score_ > 0.6
    assert (epochs[status == "done"] == 9).all() and (epochs[status == "pruned"] < 9).all()
    assert status[ours.best_index_] == "done"
    table = {"status": np.array(["pruned", "done"]), "rank_test_score": np.array([1, 2])}
    assert CaviarSearchCV._select_best_index(True, "score", table) == 1


@pytest.mark.slow
def test_values_in_pipelines():
    pipe = make_pipeline(
        StandardScaler(), CaviarSearchCV(FnoptRegressor(max_iter=5, random_state=0), SPACE, n_iter=2, cv=2)
    )
    assert pipe.fit(X, VALUES).predict(X).shape == (150,)


def test_without_a_length_the_recipe_is_trained_on_all_rows():
    plan = fo.recipes.default("values", rows=75, columns=4)
    net = FnoptRegressor(random_state=0)
    net._remember(None, None)
    data = fo.data.dataset(X, VALUES)
    asked = asked_by(net, FnoptRegressor(alpha=0.64), data, fo.data.folds(data, 2))
    assert asked.epochs == 1000 and asked.stop is None  # batches of 32 in 75 rows: 3 an epoch
    assert asked.hyper["l2"] == pytest.approx(0.01) and asked.hyper["weight_decay"] == plan["weight_decay"]


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_candidate_that_diverges_has_the_error_score():
    net = FnoptRegressor(hidden_layer_sizes=4, max_iter=5, random_state=0)
    space = dict(learning_rate_init=[1e30, 0.01])
    with pytest.warns(FitFailedWarning, match="2 of 4 fits diverged"):
        ours = search(space, net, y=VALUES, n_iter=2)
    bad = [params["learning_rate_init"] == 1e30 for params in ours.cv_results_["params"]]
    assert np.isnan(ours.cv_results_["mean_test_score"]).tolist() == bad
    assert ours.best_params_ == {"learning_rate_init": 0.01}
    with pytest.raises(ValueError, match="2 of 4 fits diverged"):
        search(space, net, y=VALUES, n_iter=2, error_score="raise")
    with pytest.raises(ValueError, match="2 of 2 fits diverged"):
        search(dict(learning_rate_init=[1e30]), net, y=VALUES, n_iter=1)


def test_a_scorer_that_fails_has_the_error_score():
    def broken(net, x, y):
        raise RuntimeError("no score")

    with pytest.warns(UserWarning, match="Scoring failed"):
        assert (search(scoring=broken, error_score=-1.0, n_iter=1).cv_results_["mean_test_score"] == -1).all()
    with pytest.raises(RuntimeError, match="no score"):
        search(scoring=broken, error_score="raise", n_iter=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(net=make_pipeline(StandardScaler(), NET)), "put the search in the pipeline"),
        (dict(net=GroupKFold()), "FnoptClassifier or FnoptRegressor, got GroupKFold|must be an object"),
        (dict(net=FnoptClassifier(early_stopping=True)), "holds rows out inside each fold"),
        (dict(space=dict(class_weight=[None, "balanced"]), n_iter=2), "`class_weight` is one for all candidates"),
        (dict(space=dict(lr=[0.1]), n_iter=1), "Invalid parameter 'lr'"),
        (dict(space=dict(alpha=fo.when(solver="adam", alpha=fo.uniform(0, 1)))), "list of dicts"),
        (dict(space=dict(alpha=0.1)), "not iterable"),
        (dict(stop=fo.early_stopping(patience=3)), "`stop` must be None, fo.halving"),
        (dict(stop=fo.population()), "`stop` must be None, fo.halving"),
        (dict(net=FnoptClassifier(max_iter=3, tol=0.1), stop=fo.halving()), "go by the training loss"),
        (dict(n_iter=0), "n_iter"),
        (dict(given=dict(classes=[0])), "classes"),
        (dict(space=dict(alpha=[-1.0]), n_iter=1), "`alpha` must be a number"),
        (dict(cv=[]), "no folds"),
    ],
)
def test_what_one_call_cannot_hold_is_said(changes, words):
    with pytest.raises((ValueError, TypeError), match=words):
        search(**changes)
