"""Columns and scores of a sweep, and the data of a run, given to the importances."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fnopt._types import Column, Dataset
from fnopt.analysis import Importances, InputImportances, importance, permutation_importance
from fnopt.data._columns import features as inputs_of
from fnopt.model.prepare import in_order
from fnopt.run.lineage import shown
from fnopt.run.setup import as_key
from fnopt.space.entry import Picked
from fnopt.sweep.ledger import Ledger
from fnopt.sweep.population import Population
from fnopt.sweep.ranking import Standing
from fnopt.train import score_of

if TYPE_CHECKING:
    from fnopt.run.run import Run
    from fnopt.run.sweep import Sweep


def importances(sweep: "Sweep", bootstraps: int = 100, seed: int = 0) -> Importances:
    """The importances of what a sweep drew; of a configuration that a rule ended, the score that it had then."""
    columns, there = drawn_columns(sweep)
    scores = [standing.score for standing in there]
    return importance(columns, scores, higher=sweep.kept.higher, bootstraps=bootstraps, seed=seed)


def drawn_columns(sweep: "Sweep") -> tuple[dict[str, list[Any]], list[Standing]]:
    """What each configuration that was trained drew, by name, None where it drew nothing."""
    there = [standing for standing in sorted(sweep.ranking()) if standing.status != "not run"]
    drew = [sweep.space.values_of(shown(sweep, standing.config)) for standing in there]
    labels = sweep.space.labels
    return {labels[path]: [_plain(values.get(path)) for values in drew] for path in sweep.space.drawn}, there


def _plain(value: Any) -> Any:
    """A number as it is, an option as text."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Picked):
        return f"option {value.option}"
    if isinstance(value, tuple):
        return "-".join(map(str, value)) or "none"
    return str(getattr(value, "name", value))


def mean_curves(sweep: "Sweep") -> np.ndarray:
    """The objective after each epoch, a mean over seeds and folds, shape=(n, epochs); NaN where it was not taken."""
    part, metric = sweep.work.objective
    curves = np.full((sweep.n, max(sweep.lengths)), np.nan)
    for i in range(sweep.n):
        rows = [np.asarray(r.history[part][metric], np.float64) for r in sweep.kept.of(i)]
        if len(rows) == len(sweep.kept.replicas):
            least = min(map(len, rows))
            curves[i, :least] = np.mean([row[:least] for row in rows], axis=0)
    return curves


def rung_ages(sweep: "Sweep") -> list[int]:
    """The epochs at which a rule compares configurations, and the last; without one ⅛, ¼, ½ and all of them."""
    most = max(sweep.lengths)
    if sweep.stop is None or isinstance(sweep.stop, Population):
        return sorted({max(most // k, 1) for k in (8, 4, 2, 1)})
    ledger = Ledger(sweep.stop, sweep.n, sweep.work.epochs, sweep.lengths)
    return sorted({age for config in range(sweep.n) for age in ledger.ages(config)} | {most})


def input_importance(run: "Run", data: Dataset, metric: str | None, key: Any, repeats: int) -> InputImportances:
    """The permutation importance of a run's inputs on some data, columns of one category together."""
    data = in_order(run.encoding, data)
    metric = "loss" if metric is None else metric
    x = np.asarray(data.x)

    def judged(truth: Dataset, shuffled: Any) -> float:
        return run.evaluate(truth._replace(x=shuffled))[metric]

    return permutation_importance(
        lambda x: x,
        x,
        data,
        judged,
        as_key(key),
        repeats,
        higher=score_of(run.trial.task, metric, run.trial.metrics).higher,
        groups=groups_of(run.encoding.features, run.encoding.columns, x.shape[1:]),
    )


def groups_of(
    features: Sequence[str] | None, columns: Sequence[Column] | None, shape: tuple[int, ...]
) -> Mapping[str, Sequence[int]]:
    """Numbers of the inputs by the column that they come from; by feature, or by their index in an example."""
    cells = range(int(np.prod(shape)))
    if features is None or len(features) != len(cells):
        return {",".join(map(str, np.unravel_index(k, shape))): (k,) for k in cells}
    home = {name: column.name for column in columns or () for name in inputs_of(column)}
    groups: dict[str, list[int]] = {}
    for k, name in enumerate(features):
        groups.setdefault(home.get(name, name), []).append(k)
    return groups
