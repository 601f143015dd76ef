"""Scores of fitted candidates by scikit-learn's scorers."""

import time
import warnings
from collections.abc import Mapping, Sequence
from traceback import format_exc
from typing import Any

from sklearn.utils import _safe_indexing


class Scorer:
    """What scores a candidate, one score or several by name, on some rows."""

    def __init__(
        self, scorers: Any, x: Any, y: Any, params: Mapping[str, Any], error_score: Any, return_train_score: bool
    ):
        """The scorer of a search, its data and what else goes to it, row by row."""
        self.scorers, self.x, self.y, self.params = scorers, x, y, params
        self.error_score, self.return_train_score = error_score, return_train_score

    def of(self, estimator: Any, train: Any, test: Any) -> dict[str, Any]:
        """``test_scores``, ``train_scores`` where they are asked for, and ``score_time``; None for what diverged."""
        start = time.perf_counter()
        found = {"test_scores": self._on(estimator, test)}
        seconds = time.perf_counter() - start
        if self.return_train_score:
            found["train_scores"] = self._on(estimator, train)
        return {**found, "score_time": seconds}

    def _on(self, estimator: Any, rows: Any) -> Any:
        if estimator is None:
            return None
        params = {name: some_rows(value, rows) for name, value in self.params.items()}
        try:
            scores = self.scorers(estimator, some_rows(self.x, rows), some_rows(self.y, rows), **params)
        except Exception:
            if self.error_score == "raise":
                raise
            return self._failed(format_exc())
        if isinstance(scores, dict):  # of several a failed one is its error's text
            return {name: self._failed(x) if isinstance(x, str) else float(x) for name, x in scores.items()}
        return float(scores)

    def _failed(self, why: str) -> Any:
        warnings.warn(f"Scoring failed; the score is set to {self.error_score}. Details:\n{why}", stacklevel=2)
        return self.error_score

    def filled(self, out: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Scores with the error score in the place of those that are not there."""
        names = next((one["test_scores"] for one in out if isinstance(one["test_scores"], dict)), None)
        failed = self.error_score if names is None else dict.fromkeys(names, self.error_score)

        def whole(scores: Any) -> Any:
            return failed if scores is None or (names is not None and not isinstance(scores, dict)) else scores

        return [{name: whole(x) if name.endswith("_scores") else x for name, x in one.items()} for one in out]


def some_rows(values: Any, rows: Any) -> Any:
    """Some rows of an array, a data frame or a list; what has no rows as it is."""
    return _safe_indexing(values, rows) if hasattr(values, "__len__") and not isinstance(values, str) else values
