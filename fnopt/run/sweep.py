"""A sweep: what many configurations came to, and the way back to each of them."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fnopt._checks import nearest
from fnopt._types import Dataset, Trial
from fnopt.analysis import Diagnosis, Importances, expected_best, rank_correlation
from fnopt.data import Folds
from fnopt.model import Frame, Model
from fnopt.report import sweep_html
from fnopt.run.frame import as_frame
from fnopt.run.lineage import course_of, lineage_of, over_time, retraced, shown, with_courses
from fnopt.run.run import Going, Run, as_run, dissected
from fnopt.run.shown import Scores
from fnopt.space.columns import columns_of
from fnopt.space.edges import Edge
from fnopt.space.epochs import NAME, own_length
from fnopt.space.perturb import Ranges
from fnopt.space.search_space import SearchSpace
from fnopt.sweep.chunk import Chunk, Cohort, Place, Work, run_draws
from fnopt.sweep.field import Entry
from fnopt.sweep.lanes import packed
from fnopt.sweep.lineage import Move
from fnopt.sweep.merge import Options
from fnopt.sweep.plan import Plan, differences, fingerprint
from fnopt.sweep.population import Population
from fnopt.sweep.ranking import Kept, Standing, score_of, standard_error
from fnopt.sweep.result import LaneResult, result_of
from fnopt.sweep.stop import Rule

if TYPE_CHECKING:
    from fnopt.run.faults import Faults
    from fnopt.run.polish import Polished


@dataclass(frozen=True)
class Best:
    """The configuration that came first."""

    config: int
    hyper: dict[str, Any]  # structure and numbers, as ``fit`` takes them; in a population, ``piecewise`` over epochs
    score: float
    scores: dict[str, dict[str, float]]  # mean over seeds


@dataclass(eq=False)
class Sweep:
    """All configurations of a search, their scores and curves; printed, a leaderboard."""

    model: Model
    train: Dataset = field(repr=False)
    dev: Dataset | None = field(repr=False)
    folds: Folds | None
    frames: tuple[Frame, ...] = field(repr=False)  # one a fold
    work: Work = field(repr=False)
    configs: list[dict[str, Any]] = field(repr=False)
    trials: list[Trial] = field(repr=False)
    entries: list[Entry] = field(repr=False)
    widths: list[int] = field(repr=False)  # C of each structure
    options: Options = field(repr=False)
    kept: Kept = field(repr=False)
    seeds: int
    space: SearchSpace = field(repr=False)
    search: str
    stop: Rule | None
    fingerprint: dict[str, str] = field(repr=False)
    places: list[Place] = field(default_factory=list, repr=False)  # lanes under way, where the sweep was broken off
    notes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    measured: list[Any] = field(default_factory=list, repr=False)  # what C was chosen by, where it was measured
    halved: list[str] = field(default_factory=list, repr=False)  # where memory was too small for C lanes, in words
    ranges: Ranges = field(default_factory=dict, repr=False)  # of a population: what its numbers are drawn from
    plan: Plan | None = None
    coarse: "Sweep | None" = field(default=None, repr=False)  # the first stage of a coarse-to-fine search
    finished: bool = False
    attached: bool = False  # it stood in its folder, finished, and this call trained nothing
    ended: str = ""  # why, where it did not come to its end

    @property
    def names(self) -> set[str]:
        """All names that its configurations may have."""
        return {*self.space, *self.model.structure, *self.model.numbers}

    @property
    def n(self) -> int:
        """How many configurations."""
        return len(self.configs)

    @property
    def lengths(self) -> list[int]:
        """How many epochs each configuration trains, where nothing ends it before."""
        return [own_length(config, self.work.epochs) for config in self.configs]

    @property
    def objective(self) -> str:
        """What ranks them, as ``part/score``."""
        return self.work.objective.title

    def ranking(self) -> list[Standing]:
        """All configurations, best first."""
        return self.kept.ranking()

    @property
    def best(self) -> Best:
        """The first of the ranking, or ValueError where none has a finite score."""
        first = self.ranking()[0]
        if not first.ranked:
            raise ValueError(f"no configuration came to a finite score; {self._why_none()}")
        return Best(first.config, over_time(self, first.config), first.score, self._means(first.config))

    def _why_none(self) -> str:
        """What to do where no score is finite: training failed, the score did, or none came so far."""
        lanes = list(self.kept.lanes.values())
        part, metric = self.work.objective
        if not lanes:
            return "none was trained far enough to have one: give it more time, or go on with the same call"
        if {standing.status for standing in self.ranking()} <= {"diverged", "not run"}:
            return "all diverged: see sweep.table(), and try smaller learning rates"
        whole = [r for r in lanes if r.status != "diverged"]
        if metric != "loss" and all(math.isfinite(r.scores[part]["loss"]) for r in whole if part in r.scores):
            return (
                f"their costs are finite, but {part}/{metric} is not a number: see sweep.table() and the labels of the "
                f"{part} part, and rank by another score, as objective='{part}/loss'"
            )
        return "see sweep.table()"

    def lineage(self, config: int) -> tuple[Move, ...]:
        """Whom a configuration descends from in a population, oldest first; empty for who was never replaced.

        Each ``Move`` says after which ``epoch`` ``config`` became a copy of ``donor``, and with which ``numbers`` it
        went on from there. The last one's ``config`` is the one asked for, and its numbers are those it has at the end.

        Raises:
            ValueError: for a configuration that the sweep does not have.
        """
        self._known(config)
        text = self.space.labels
        return tuple(
            move._replace(numbers={text[path]: x for path, x in move.numbers.items()})
            for move in lineage_of(self, config)
        )

    def _means(self, config: int) -> dict[str, dict[str, float]]:
        lanes = self.kept.of(config)
        return {
            part: Scores({name: float(np.mean([r.scores[part][name] for r in lanes])) for name in rows})
            for part, rows in lanes[0].scores.items()
        }

    def lanes(self, config: int) -> list[LaneResult]:
        """What each seed and fold of one configuration came to: curves, scores, why it ended.

        ``history`` has the scores of both parts, cost, learning rate and updates made, and the value of every other
        number that is a schedule, epoch by epoch.
        """
        return [r._replace(history={**course_of(self, r), **r.history}) for r in self.kept.of(config)]

    def table(self) -> list[dict[str, Any]]:
        """One dict a configuration, row i being configuration i: what it was, its scores and why it ended.

        A number or structure that a configuration lacks is None. ``rank`` is its place in the ranking, None where it
        has no score. ``epochs`` is how many it trained, ``most_epochs`` how many it was to train, where the space holds
        ``epochs``. ``score`` is the mean of the objective over seeds and folds, ``standard_error`` that of this mean.
        In a population, numbers are those at the end, and ``ancestors`` says how many there were before.

        ``pandas.DataFrame(sweep.table())`` is the same as a frame.
        """
        ranks = {standing.config: k for k, standing in enumerate(self.ranking(), 1) if standing.ranked}
        configs = [columns_of(shown(self, i), self.names) for i in range(self.n)]
        columns = list(dict.fromkeys(name for config in configs for name in config))
        rows = []
        for i in range(self.n):
            standing, values = self.kept.standing(i), configs[i]
            scores = self._means(i) if self.kept.of(i) else {}
            rows.append(
                {
                    "config": i,
                    "rank": ranks.get(i),
                    **{name: values.get(name) for name in columns},
                    **({"ancestors": len(self.lineage(i))} if isinstance(self.stop, Population) else {}),
                    "score": standing.score,
                    "standard_error": standing.error,
                    **{f"{part}/{name}": v for part, some in scores.items() for name, v in some.items()},
                    "epochs": int(standing.epochs) if standing.epochs.is_integer() else standing.epochs,
                    "status": standing.status,
                    "why": standing.why,
                }
            )
        return rows

    def frame(self) -> Any:
        """:meth:`table` as a data frame of pandas where that is installed, else as arrays by column."""
        rows = self.table()
        return as_frame({name: [row[name] for row in rows] for name in rows[0]})

    def curves(self, name: str | None = None) -> np.ndarray:
        """A score over epochs of every trial, shape=(configurations, seeds, folds, epochs); NaN where there is none.

        Args:
            name: ``"dev/loss"``, ``"train/accuracy"`` and the like, ``"cost"``, ``"lr"`` or ``"updates"``; what ranks
                the configurations unless given.

        Raises:
            ValueError: for a curve that the sweep does not have, with the nearest name.
        """
        name = "/".join(self.work.objective) if name is None else name
        seeds, folds = self.seeds, len(self.frames)
        found = np.full((self.n, seeds, folds, self.work.epochs), np.nan)
        for (config, seed, fold), result in self.kept.lanes.items():
            curve = curve_of(result.history, name)
            found[config, seed, fold, : len(curve)] = curve
        return found

    def replay(self, config: int, *, seed: int = 0, fold: int = 0, debug: bool = False) -> Run:
        """Configuration ``config`` alone, trained again in the sweep's own kernel: the same bits.

        In a population its lineage is trained from the first step, its numbers changed where they changed.
        Trained as long as it was in the sweep, or to the end where the sweep never came to it. With ``debug`` the run
        of a configuration that diverged has an ``autopsy``: its failing step leaf by leaf, the first bad one named.

        Raises:
            ValueError: for a configuration, a seed or a fold that the sweep does not have.
            RuntimeError: if the bits differ although nothing that they depend on does. Where a field of the fingerprint
                differs, a warning names it.
        """
        if not (0 <= config < self.n and 0 <= seed < self.seeds and 0 <= fold < len(self.frames)):
            raise ValueError(
                f"this sweep has configurations 0 to {self.n - 1}, seeds 0 to {self.seeds - 1} and folds 0 to "
                f"{len(self.frames) - 1}, got config={config}, seed={seed}, fold={fold}"
            )
        recorded = self.kept.lanes.get((config, seed, fold))
        pruned = recorded.why if recorded is not None and recorded.status in ("pruned", "cut") else ""
        until = recorded.epochs if recorded is not None and pruned else self.lengths[config]
        place = retraced(self, config, seed, fold, until)
        entry = self.entries[place.founder]
        cohort = Cohort(entry.program, entry.width, jax.tree.structure(entry.numbers), seed, fold)
        assert place.lane is not None
        result = result_of(self.work, entry.program, place, pruned, entry.trim)
        if recorded is not None and recorded.status == "cut":
            result = result._replace(status="cut")
        self._compare(result)
        alone = Chunk(cohort, (with_courses(self, config, place)._replace(lane=None, seen=None, age=0),))
        lanes = packed([place.lane], entry.width)
        hyper = over_time(self, config)
        hyper = {**self.model.split(hyper)[0], **{name: x for name, x in hyper.items() if name != NAME}}
        result = result._replace(history={**course_of(self, result), **result.history})
        going = Going(
            self.work, lanes, run_draws(self.work, entry.program.trial, seed, fold), alone, result, entry.trim
        )
        run = as_run(self.model, self.frames[fold], self.trials[place.founder], hyper, going)
        return dissected(run, going, place.lane) if debug and result.status == "diverged" else run

    def faults(self, configs: Sequence[int] | None = None) -> "Faults":
        """Where each lane stopped being finite: one dict a lane that diverged; printed, a line each.

        Each is trained again up to its failing step, which is then looked at leaf by leaf, as ``replay(i, debug=True)``
        does: training itself records step and cost alone, since more would slow down every lane that does not fail.

        Args:
            configs: which to look at; all unless given.

        Returns:
            dicts with ``config``, ``seed``, ``fold``; ``step`` (the update that failed, from 0), ``epoch`` and
            ``batch`` (from 1), ``cost`` at that step, ``last`` (the last finite cost, NaN before any), ``leaf`` (the
            first bad leaf; "" where the cost alone is not finite), ``gradient`` (its norm over all leaves) and
            ``autopsy``, the table of all leaves; None, and the record alone, where looking again did not show it.

        Raises:
            ValueError: for a configuration that the sweep does not have.
        """
        from fnopt.run.faults import faults

        return faults(self, configs)

    def compare(self, one: int, other: int) -> dict[str, float]:
        """Two configurations, paired over seeds and folds, which share data, order and draws: one minus other.

        Where a rule stopped one of a pair, both are compared after as many epochs as the shorter one trained.

        Returns:
            ``difference``: mean of the differences of the objective; ``error``: its standard error; ``lanes``: how many
            pairs; ``t``: difference / error (NaN with fewer than two pairs, or where all differences are equal).

        Raises:
            ValueError: for a configuration that the sweep does not have, and where a lane of either is missing or
                diverged.
        """
        for config in (one, other):
            self._known(config)
        pairs = []
        for at in self.kept.replicas:
            two = [r for config in (one, other) if (r := self.kept.lanes.get((config, *at))) is not None]
            if len(two) < 2 or any(r.status == "diverged" for r in two):
                raise ValueError(
                    f"configurations {one} and {other} cannot be paired: under seed {at[0]}, fold {at[1]} one of them "
                    "diverged, or was not trained"
                )
            a, b = self._at_one_age(two)
            pairs.append(a - b)
        mean, error = float(np.mean(pairs)), standard_error(pairs)
        return {
            "difference": mean,
            "error": error,
            "lanes": float(len(pairs)),
            "t": mean / error if error else math.nan,
        }

    def importances(self, *, bootstraps: int = 100, seed: int = 0) -> Importances:
        """The share of the variance of the objective that each name of the space explains, and each pair.

        See :func:`fnopt.analysis.importance`: shares are over the ranges as they were drawn from; of a configuration
        that a rule ended the score is that which it had then, and one that diverged counts as the worst.

        Args:
            bootstraps: how often configurations are drawn anew for the bars; 0 for none.
            seed: of the draws.

        Raises:
            ValueError: for fewer than 16 configurations with a score, and where nothing varies.
        """
        from fnopt.run.importance import importances

        return importances(self, bootstraps, seed)

    def edges(self) -> list[Edge]:
        """The numbers whose best value lies at an edge of what it was drawn from, where it can go further."""
        from fnopt.run.remarks import edges_of

        return edges_of(self)

    def rank_correlation(self, epochs: Sequence[int] | None = None) -> dict[int, dict[int, float]]:
        """Spearman's ρ between the objective at some epochs, as ``found[3][30]``: what an early rung foretells.

        Args:
            epochs: from 1; unless given those at which a rule compares configurations and the last; without a rule an
                eighth, a quarter, half and all of the epochs.
        """
        from fnopt.run.importance import mean_curves, rung_ages

        ages = rung_ages(self) if epochs is None else list(epochs)
        table = rank_correlation(mean_curves(self), ages).tolist()
        return {a: dict(zip(ages, row, strict=True)) for a, row in zip(ages, table, strict=True)}

    def expected_best(self, tries: Sequence[int] | None = None) -> np.ndarray:
        """The expected best score of k configurations, against k: :func:`fnopt.analysis.expected_best`."""
        scores = [standing.score for standing in self.ranking() if standing.status != "not run"]
        return expected_best(scores, tries, higher=self.kept.higher)

    def diagnose(
        self, *, target: float | None = None, train_dev: Dataset | None = None, metric: str | None = None
    ) -> Diagnosis:
        """The diagnosis of the winner over its seeds and folds, and which others its noise cannot tell from it.

        See :meth:`Run.diagnose`. ``within`` holds the configurations inside the noise of the winner, which the printed
        leaderboard marks too; of several configurations the best is also lucky, so there may be more.

        Args:
            target: the error that can be reached; 0 unless given.
            train_dev: rows of the training distribution that no training saw; the winner is replayed to score them.
            metric: the score whose error counts; accuracy or R² where it was followed, else the loss.

        Raises:
            ValueError: where no configuration has a finite score, and for a target that the score cannot have.
            TypeError: for a ``train_dev`` that is no ``Dataset``.
        """
        from fnopt.run.diagnosis import diagnose_sweep

        return diagnose_sweep(self, target, train_dev, metric)

    def _at_one_age(self, two: list[LaneResult]) -> list[float]:
        """The objective of two lanes: of the weights that count; at the age of the shorter, where one was stopped."""
        if any(r.status in ("pruned", "cut") for r in two):
            age = min(r.epochs for r in two)
            return [self.work.objective.value(r.history, age) for r in two]
        return [score_of(self.work.objective, r) for r in two]

    def _known(self, config: int) -> None:
        if not 0 <= config < self.n:
            raise ValueError(f"this sweep has configurations 0 to {self.n - 1}, got {config}")

    def _compare(self, result: LaneResult) -> None:
        recorded = self.kept.lanes.get((result.config, result.seed, result.fold))
        if recorded is None or recorded.digest == result.digest:
            return
        other = differences(self.fingerprint, fingerprint())
        if not other:
            raise RuntimeError(
                f"configuration {result.config}, seed {result.seed}, fold {result.fold} gave other bits than the "
                "sweep, on the same fingerprint: was the data or the model's code changed?"
            )
        warnings.warn(f"other bits than in the sweep, which ran elsewhere ({'; '.join(other)})", stacklevel=3)

    def refit(self, *parts: Dataset, config: int | None = None, key: Any = None, progress: Any = False) -> Run:
        """Train the winner (or ``config``) on all the given data, as long as was best; no dev is left.

        It makes the updates of the tuned run, u = (epochs that were best) · (batches of its epochs), a mean over seeds
        and folds: on more rows, fewer epochs, round(u / batches of an epoch now), at least one. Every schedule, in
        steps or in epochs, has over them the course that it had over the u updates: it is stretched so that the first
        and the last update have the numbers that they had. A plateau takes the course again that it took there, under
        the first seed and fold.

        Args:
            parts: datasets to train on together; the sweep's own train and dev where none are given.
            config: another configuration than the best.
            key: what it draws from; seed 0 of the sweep unless given.
            progress: True for a bar on the terminal.

        Returns:
            a ``Run``; its ``hyper`` holds the schedules as they were trained.

        Raises:
            ValueError: for a configuration that the sweep does not have, or never trained.
        """
        from fnopt.run.refit import refit

        return refit(self, parts, config=config, key=key, progress=progress)

    def polish(
        self,
        k: int = 8,
        *,
        steps: int = 5,
        numbers: str | Sequence[str] | None = None,
        first: float = 0.1,
        progress: Any = False,
    ) -> "Polished":
        """Move the numbers of the best ``k`` configurations along the hypergradient of their dev loss.

        Each number goes as a share u of its range (log u for a log range, of 1 − x for a decay); a step is
        u ← u − length · g / max|g| with g = d loss / d u, clipped to the range, a third as long as long as it does not
        lower the dev loss of a full training, and given up after four. So no configuration gets worse, and runs, draws
        and length of training are those of the sweep. The sweep itself stays as it is.

        The dev loss is fitted here: after polishing it is no fair estimate any more, less so than the best of n already
        is (the winner's curse). Judge on a test part.

        Args:
            k: how many, ≥ 1, of the ranking's head; those that diverged are left out.
            steps: most steps for each, ≥ 1: a run with derivatives and one to four without.
            numbers: which of the ranges searched to move, one name or several; all unless given. Choices and fixed
                values stay.
            first: length of the first step, in (0, 1], as a share of each range.
            progress: True for a bar on the terminal.

        Returns:
            a ``Polished``: ``rows`` (before, after, numbers, ``hyper`` for ``fit``), ``improved``, ``best``, ``cost``.

        Raises:
            ValueError: for a sweep without a dev part, or without ranges of numbers.

        Source: derivatives through a whole training are those of Maclaurin, Duvenaud and Adams, "Gradient-based
        Hyperparameter Optimization through Reversible Learning", 2015, https://arxiv.org/abs/1502.03492.

        >>> import fnopt as fo
        >>> train, dev = fo.data.split(fo.data.iris(), (0.5, 0.5), key=jax.random.key(0))
        >>> space = dict(lr=fo.log_uniform(1e-3, 1e-1))
        >>> sweep = fo.caviar(fo.classifier(hidden=(4,)), space, train, dev, n=2, epochs=1, objective="dev/loss")
        >>> row = sweep.polish(k=1, steps=1, numbers="lr").rows[0]
        >>> row.after <= row.before
        True
        """
        from fnopt.run.polish import polish

        return polish(self, k, steps=steps, numbers=numbers, first=first, progress=progress)

    def _repr_html_(self) -> str:
        from fnopt.run.leaderboard import notes_of, parts_of

        head, rows, _ = parts_of(self)
        first = self.ranking()[0]
        best = first.config if first.ranked else None
        plan = "" if self.plan is None else str(self.plan)
        return sweep_html(head, rows, notes_of(self), self.curves(), best, "/".join(self.work.objective), plan)

    def __str__(self) -> str:
        from fnopt.run.leaderboard import leaderboard

        return leaderboard(self)


def curve_of(history: Mapping[str, Any], name: str) -> np.ndarray:
    """The curve called ``part/score`` or ``cost`` among those of a trial; ValueError with the nearest name."""
    part, _, score = name.partition("/")
    found = history.get(part) if not score else history.get(part, {}).get(score)
    if found is None or isinstance(found, Mapping):
        known = [f"{p}/{s}" for p in ("train", "dev") for s in history.get(p, {})]
        known += [other for other in history if other not in ("train", "dev")]
        raise ValueError(f"no curve {name!r}{nearest(name, known)}")
    return np.asarray(found)
