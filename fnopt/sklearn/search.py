"""A randomized search whose candidates are trained side by side."""

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV, check_cv
from sklearn.utils import indexable

from fnopt.sklearn.base import Estimator
from fnopt.sklearn.common import configured
from fnopt.sklearn.lanes import Split, Trained, side_by_side
from fnopt.sklearn.ranges import drawable
from fnopt.sklearn.scoring import Scorer
from fnopt.sweep.population import Population
from fnopt.sweep.stop import Rule


class CaviarSearchCV(RandomizedSearchCV):
    """``RandomizedSearchCV`` over :class:`FnoptClassifier` or :class:`FnoptRegressor`, in one call of ``fo.caviar``.

    Arguments, methods and ``cv_results_`` are those of ``RandomizedSearchCV``; of lists and scipy's distributions the
    same ``random_state`` draws the same candidates. Every candidate is trained in every fold as the estimator trains it
    under ``early_stopping=False``: for ``max_iter`` epochs, without it by the recipe on all rows; ``"balanced"`` class
    weights are those of all rows. The best is then fitted as the estimator says.

    Args:
        estimator: a ``FnoptClassifier`` or a ``FnoptRegressor``; what prepares the inputs goes before the search, as in
            ``make_pipeline(OneHotEncoder(), CaviarSearchCV(…))``.
        param_distributions: a dict of the estimator's arguments to lists, scipy's distributions, or fnopt's ranges
            (``fo.log_uniform(1e-4, 1e-1)``, ``fo.choice((32,), (64, 64))``); or a list of such dicts. Whatever says how
            long and on what all are trained is the estimator's: ``class_weight``, ``tol``, ``standardize``, ….
        n_iter: how many candidates, ≥ 1.
        scoring: a name, a callable, or several as a list, a tuple or a dict; the estimator's ``score`` for None.
        n_jobs, pre_dispatch: without influence; ``fo.caviar`` uses all cores.
        refit: whether the best is fitted on all rows: True; the name of a score where there are several; or a function
            of ``cv_results_`` that gives the best one's number.
        cv: a number of folds, a splitter, or pairs of row numbers.
        verbose: > 0 prints how many fits there are.
        random_state: what candidates are drawn from.
        error_score: the score of a candidate that diverged, or ``"raise"``.
        return_train_score: whether the training rows are scored too.
        stop: ``fo.halving()``, ``fo.hyperband()``, ``fo.asynchronous_halving()`` or ``fo.median()``: poor candidates
            end early, by the score that ``scoring`` names where fnopt has it. ``cv_results_`` then has ``n_epochs`` and
            ``status``, and the best is one that was trained to its end.

    Attributes:
        cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_,
        multimetric_: as ``RandomizedSearchCV`` has them. ``fit_time`` is the time of the whole call by the number of
        fits.
        sweep_: the ``Sweep``; configuration i is candidate i.

    >>> import fnopt as fo
    >>> from fnopt.sklearn import FnoptClassifier
    >>> from sklearn.datasets import load_iris
    >>> space = dict(learning_rate_init=fo.log_uniform(1e-3, 1e-1), hidden_layer_sizes=[4])
    >>> search = CaviarSearchCV(FnoptClassifier(max_iter=3), space, n_iter=2, cv=2, random_state=0)
    >>> search.fit(*load_iris(return_X_y=True)).cv_results_["mean_test_score"].shape
    (2,)
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        stop: Any = None,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.stop = stop

    def fit(self, X: Any, y: Any = None, **params: Any) -> "CaviarSearchCV":
        """Train all candidates, score them, and fit the best.

        Args:
            X, y: as the estimator takes them.
            params: ``sample_weight``, shape=(m,), for training and for scorers that take it; ``groups`` for the
                splitter; with metadata routing whatever scorers and splitter ask for.

        Returns:
            the search itself.

        Raises:
            ValueError, TypeError: for arguments and data that cannot be; where all candidates diverge, or one under
                ``error_score="raise"``.
        """
        self._validate_params()
        _check(self.estimator, self.stop)
        scorers, metric = self._get_scorers()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(params)
        unknown = [name for name in routed.estimator.fit if name != "sample_weight"]
        if unknown:
            raise TypeError(f"fit takes sample_weight and groups, got {unknown[0]!r}")
        splits = self._splits(X, y, routed.splitter.split)
        candidates = list(
            ParameterSampler(drawable(self.param_distributions), self.n_iter, random_state=self.random_state)
        )
        if self.verbose > 0:
            fits = len(candidates) * len(splits)
            print(f"Fitting {len(splits)} folds for each of {len(candidates)} candidates, totalling {fits} fits")
        weight = routed.estimator.fit.get("sample_weight")
        name = self.refit if isinstance(self.refit, str) else self.scoring
        trained = side_by_side(self.estimator, X, y, weight, candidates, splits, self.stop, name)
        scorer = Scorer(scorers, X, y, routed.scorer.score, self.error_score, self.return_train_score)
        out = _scored(trained, scorer, splits)
        self.sweep_ = trained.sweep
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(out[0]["test_scores"])
            metric = self.refit
        told = {} if self.stop is None else _endings(trained)
        self._conclude(self._format_results(candidates, self.n_splits_, out, told), metric)
        self._refitted(X, y, routed.estimator.fit)
        several = getattr(scorers, "_scorers", None)
        self.scorer_ = several if isinstance(several, dict) else scorers
        return self

    def _splits(self, x: Any, y: Any, given: Mapping[str, Any]) -> list[Split]:
        """The folds, once for all candidates."""
        splitter: Any = cast(Any, check_cv)(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splitter.split(x, y, **given))
        self.n_splits_ = len(splits)
        if not splits:
            raise ValueError("`cv` gave no folds; give a number of folds of 2 or more, or pairs of row numbers")
        return splits

    def _conclude(self, results: dict[str, Any], metric: Any) -> None:
        """Keep the results, and which is best."""
        self.cv_results_ = results
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._select_best_index(self.refit, metric, results)
        self.best_params_ = results["params"][self.best_index_]
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]

    def _refitted(self, x: Any, y: Any, params: Mapping[str, Any]) -> None:
        """Fit the best on all rows, where that is asked for."""
        if not self.refit:
            return
        start = time.perf_counter()
        best = configured(self.estimator, self.best_params_)
        self.best_estimator_ = best.fit(x, y, **params)
        self.refit_time_ = time.perf_counter() - start
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_

    @staticmethod
    def _select_best_index(refit: Any, refit_metric: Any, results: Mapping[str, Any]) -> int:
        """The best of those that were trained to their end, where a rule ended some."""
        whole = np.flatnonzero(np.asarray(results.get("status", [])) == "done")
        if callable(refit) or not len(whole):
            return int(RandomizedSearchCV._select_best_index(refit, refit_metric, results))
        return int(whole[results[f"rank_test_{refit_metric}"][whole].argmin()])


def _check(estimator: Any, stop: Any) -> None:
    """TypeError for what cannot be searched, and for a rule that does not compare candidates."""
    if not isinstance(estimator, Estimator):
        name = type(estimator).__name__
        raise TypeError(
            f"CaviarSearchCV searches FnoptClassifier or FnoptRegressor, got {name}"
            + (
                ": put the search in the pipeline, make_pipeline(…, CaviarSearchCV(FnoptClassifier(), …))"
                if hasattr(estimator, "steps")
                else "; take sklearn.model_selection.RandomizedSearchCV for others"
            )
        )
    if stop is not None and (not isinstance(stop, Rule) or isinstance(stop, Population)):
        raise TypeError(
            "`stop` must be None, fo.halving(), fo.hyperband(), fo.asynchronous_halving() or fo.median(), got "
            f"{stop!r}; what ends one training by itself are the estimator's tol and n_iter_no_change"
        )


def _endings(trained: Trained) -> dict[str, list[Any]]:
    """How long each candidate was trained, and why it ended."""
    each = [trained.sweep.kept.standing(i) for i in range(trained.sweep.n)]
    return {"n_epochs": [one.epochs for one in each], "status": [one.status for one in each]}


def _scored(trained: Trained, scorer: Scorer, splits: Sequence[Split]) -> list[dict[str, Any]]:
    """The scores of each candidate in each fold, in this order, as scikit-learn has them.

    Raises:
        ValueError: where all diverged, or one does and ``error_score`` is ``"raise"``.
    """
    count = trained.sweep.n * len(splits)
    failed = [lane for lane in trained.lanes.values() if lane.status == "diverged"]
    if failed:
        words = "\n".join(
            f"candidate {lane.config}, fold {lane.fold}: {lane.why}"
            for lane in sorted(failed, key=lambda lane: (lane.config, lane.fold))[:5]
        )
        said = f"{len(failed)} of {count} fits diverged: take smaller learning rates\n{words}"
        if len(failed) == count or scorer.error_score == "raise":
            raise ValueError(said)
        warnings.warn(f"{said}\ntheir score is {scorer.error_score}", FitFailedWarning, stacklevel=3)
    out = []
    for config in range(trained.sweep.n):
        for fold, (train, test) in enumerate(splits):
            found = scorer.of(trained.fitted(config, fold), train, test)
            out.append({"fit_time": trained.seconds / count, **found})
    return scorer.filled(out)
