"""The configurations of a population as their lineages: numbers over the epochs, and the way back from the first."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fnopt.model import Prepared
from fnopt.run.course import course
from fnopt.run.setup import bind
from fnopt.schedules import piecewise
from fnopt.space.path import Path, leaves
from fnopt.sweep.chunk import Chunk, Cohort, Pace, Place, run_chunk
from fnopt.sweep.evolve import Evolving, reborn
from fnopt.sweep.field import dead
from fnopt.sweep.ledger import Ledger
from fnopt.sweep.lineage import Lineage, Move, founder_of
from fnopt.sweep.population import Population
from fnopt.sweep.result import LaneResult

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep


def field_of_population(sweep: "Sweep", rule: Population) -> Evolving:
    """The lanes of a population before its first step."""
    return Evolving(
        sweep.work,
        sweep.entries,
        sweep.seeds,
        rule,
        sweep.kept.higher,
        ranges=sweep.ranges,
        numbers=[_some(sweep.space.values_of(config), sweep.ranges) for config in sweep.configs],
        remake=lambda founder, fold, numbers: lane_numbers(sweep, founder, fold, numbers),
    )


def lane_numbers(sweep: "Sweep", founder: int, fold: int, numbers: Mapping[Path, float]) -> dict[str, Any]:
    """All numbers of a lane of this structure with some of them changed; what follows from these follows again.

    Raises:
        ValueError: for a number that the model cannot take.
    """
    return _lane_numbers(sweep, founder, fold, sweep.space.changed(sweep.configs[founder], numbers))


def _lane_numbers(sweep: "Sweep", founder: int, fold: int, hyper: Mapping[str, Any]) -> dict[str, Any]:
    data, frame = sweep.work.folds[fold], sweep.frames[fold]
    prepared = Prepared(frame, data.train, data.dev, data.example, int(np.prod(frame.shape)))
    complete = bind(sweep.model, hyper, prepared, sweep.trials[0].metrics).complete
    return jax.device_get({name: complete.get(name, x) for name, x in sweep.entries[founder].of(fold).items()})


def retraced(sweep: "Sweep", config: int, seed: int, fold: int, until: int, ends: bool = True) -> Place:
    """One lane trained alone from its first step to ``until``; in a population, along its lineage.

    ``ends`` is whether the training part is scored there, which it was not where a rule ended the lane.
    """
    recorded = sweep.kept.lanes.get((config, seed, fold))
    lineage = () if recorded is None else recorded.lineage
    founder = founder_of(config, lineage)
    entry = sweep.entries[founder]
    cohort = Cohort(entry.program, entry.width, jax.tree.structure(entry.numbers), seed, fold)
    place = Place(founder, seed, fold, entry.of(fold))
    moves = {move.epoch: move for move in lineage}
    # Where the training part decides it is scored at every rung, and so a lane pauses there, as it did in the sweep.
    if isinstance(sweep.stop, Population):
        rungs = sweep.stop.ages(until)
    else:
        ages = Ledger(sweep.stop, sweep.n, sweep.work.epochs, sweep.lengths).ages(config)
        rungs = tuple(age for age in ages if age < until)
    for age in (*rungs, until):
        leg = Chunk(cohort, (place,))
        (place,) = run_chunk(sweep.work, leg, age, ends=ends and age == until, pace=Pace(1.0))
        if dead(place):
            break
        if age in moves:
            place = reborn(place, moves[age], lane_numbers(sweep, founder, fold, moves[age].numbers))
    return place._replace(config=config, lineage=lineage)


def lineage_of(sweep: "Sweep", config: int) -> Lineage:
    """Where a configuration comes from, with the paths of its numbers; empty for one that was never replaced."""
    lanes = sweep.kept.of(config)
    return lanes[0].lineage if lanes else ()


def shown(sweep: "Sweep", config: int) -> dict[str, Any]:
    """A configuration as it is at the end: in a population, the structure of its founder and its last numbers."""
    lineage = lineage_of(sweep, config)
    if not lineage:
        return sweep.configs[config]
    return sweep.space.changed(sweep.configs[founder_of(config, lineage)], lineage[-1].numbers)


def over_time(sweep: "Sweep", config: int, lineage: Lineage | None = None) -> dict[str, Any]:
    """A configuration as ``fit`` takes it: each number that changed is ``piecewise``, counted in epochs.

    A number inside a schedule is what it was at the end: the schedule's time went on, and no schedule says so.
    ``lineage`` is that which the sweep holds, unless given.
    """
    lineage = lineage_of(sweep, config) if lineage is None else lineage
    if not lineage:
        return dict(sweep.configs[config])
    founder = sweep.configs[founder_of(config, lineage)]
    at_end = sweep.space.changed(founder, lineage[-1].numbers)
    alone = {path for path, x in leaves(at_end, callable) if not callable(x)}  # no number inside a schedule
    begun = _some(sweep.space.values_of(founder), lineage[-1].numbers)
    courses = {path: _course(path, x, lineage) for path, x in begun.items() if sweep.space.places[path] in alone}
    return sweep.space.changed(at_end, courses)


def with_courses(sweep: "Sweep", config: int, place: Place) -> Place:
    """A lane of a lineage whose first numbers say how they changed; schedules that changed inside are left out."""
    if not place.lineage:
        return place
    hyper = over_time(sweep, config, place.lineage)
    began = sweep.configs[place.founder]
    inside = {
        name for name in _tops(place.lineage) if any(map(callable, jax.tree.leaves(began[name], is_leaf=callable)))
    }
    numbers = _lane_numbers(sweep, place.founder, place.fold, hyper)
    return place._replace(numbers={name: x for name, x in numbers.items() if name not in inside})


def course_of(sweep: "Sweep", result: LaneResult) -> dict[str, Any]:
    """What each number of a lane that changed was, epoch by epoch."""
    place = Place(result.config, result.seed, result.fold, sweep.entries[result.founder].of(result.fold))
    place = with_courses(sweep, result.config, place._replace(lineage=result.lineage))
    return course(sweep.trials[result.founder], place, sweep.work, result.history)


def _tops(lineage: Lineage) -> set[str]:
    return {str(path[0]) for path in lineage[-1].numbers}


def _some(values: Mapping[Path, Any], paths: Collection[Path]) -> dict[Path, Any]:
    return {path: values[path] for path in paths if path in values}


def _course(path: Path, first: float, lineage: Lineage) -> Any:
    """One number over the epochs: itself where it never changed."""
    values = [first, *(move.numbers[path] for move in lineage)]
    changes = [(move.epoch, b) for move, (a, b) in zip(lineage, pairwise(values), strict=True) if a != b]
    if not changes:
        return first
    epochs, after = zip(*changes, strict=True)
    return piecewise(tuple(map(float, epochs)), (float(first), *map(float, after))).every()


def lineages_plain(lanes: Sequence[Place] | Sequence[LaneResult]) -> dict[str, Any]:
    """The lineages of some lanes as JSON: each move once, and which are each lane's."""
    moves = {(m.epoch, m.config): m for lane in lanes for m in lane.lineage}
    number = {at: k for k, at in enumerate(moves)}
    return {
        "moves": [[m.epoch, m.config, m.donor, [[list(p), x] for p, x in m.numbers.items()]] for m in moves.values()],
        "of": [[number[m.epoch, m.config] for m in lane.lineage] for lane in lanes],
    }


def lineages_from(plain: Mapping[str, Any] | None, count: int) -> list[Lineage]:
    """What :func:`lineages_plain` gave for so many lanes; empty ones where nothing is written."""
    if plain is None:
        return [()] * count
    moves = [
        Move(epoch, config, donor, {tuple(path): x for path, x in numbers})
        for epoch, config, donor, numbers in plain["moves"]
    ]
    return [tuple(moves[k] for k in mine) for mine in plain["of"]]
