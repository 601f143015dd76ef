"""A chunk: up to C lanes of one cohort, trained from one age to another. Pure, and the same bits each time."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import chex
import jax
import numpy as np

from fnopt._types import Batch, Params, Stats, Trial
from fnopt.schedules import follows
from fnopt.space.stopping import STOP
from fnopt.sweep.compiled import exhausting, first_program, program
from fnopt.sweep.draws import Draws, draws_of
from fnopt.sweep.lanes import apart, packed, stack
from fnopt.sweep.lineage import Lineage, founder_of
from fnopt.sweep.merge import Program
from fnopt.train import EarlyStopping, Lane, Objective, Part, Records, When, active, in_unit, seen_by, window, with_gaps


class Data(NamedTuple):
    """The data of one fold, on the device."""

    train: Part
    dev: Part | None
    example: Batch


class Work(NamedTuple):
    """What every chunk of a sweep has in common."""

    folds: tuple[Data, ...]  # one without cross-validation
    objective: Objective
    rule: EarlyStopping | None
    epochs: int
    key: chex.PRNGKey  # that the seeds come from
    every: int = 1  # the training part is scored each so many epochs; 0: only where the training ends
    unit: float = 1.0  # of a target of values, in the user's unit: lanes score in it, results are in the user's

    def on(self, device: Any) -> "Work":
        """The same with its data on another device."""
        return self._replace(folds=jax.device_put(self.folds, device), key=jax.device_put(self.key, device))


class Cohort(NamedTuple):
    """What lanes must share to share a chunk: the program and its width, the data, their order and all draws."""

    program: Program
    width: int  # C
    numbers: Any  # the tree structure of their numbers
    seed: int
    fold: int


class Place(NamedTuple):
    """A lane between two legs: which it is, how far, and what it carries, as arrays on the host."""

    config: int
    seed: int
    fold: int
    numbers: dict[str, Any]
    age: int = 0  # epochs trained
    lane: Lane | None = None  # None before its first step
    seen: Records | None = None  # one row an epoch
    lineage: Lineage = ()  # whom it descends from, in a population
    generation: int = 0  # how many decisions of a population it was there for

    @property
    def founder(self) -> int:
        """The configuration whose structure it has: its own, but in a population."""
        return founder_of(self.config, self.lineage)


class Chunk(NamedTuple):
    """At most C lanes of one cohort and one age."""

    cohort: Cohort
    places: tuple[Place, ...]


Tick = Callable[[int], bool]
Publish = Callable[[Sequence[Place]], None]
Step = Callable[[Lane, int, int], tuple[Lane, Records, float]]


def run_draws(work: Work, trial: Trial, seed: int, fold: int) -> Draws:
    """What the lanes of one seed and fold draw from: the same for every configuration."""
    return draws_of(work.key, seed, None if len(work.folds) == 1 else fold, trial.augment is not None)


LEAST = 0.01  # seconds; what a segment costs the host is a twentieth of so much


class Pace:
    """How many epochs make a segment: long enough that the host does not count, short enough that Ctrl-C is heard.

    Where time is cut has no influence on the bits, so this may look at the clock. Lengths are powers of two, and cuts
    lie at their multiples: chunks of a cohort pause at the same ages, where their living lanes can be packed.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.epoch: dict[Any, float] = {}  # seconds an epoch, the least seen

    def next(self, cohort: Cohort, age: int, until: int, most: int) -> int:
        """Epochs from ``age`` to the next cut, within a block of ``most``, a power of two."""
        each = self.epoch.get(cohort[:3])
        if each is None:
            return 1
        young = max(2, age)  # epochs; looked at sooner, as lanes that diverge mostly do so at once
        length = 1
        while 2 * length <= most and 2 * length * each <= (self.seconds if 2 * length <= young else LEAST):
            length *= 2
        return min((age // length + 1) * length, until) - age

    def took(self, cohort: Cohort, count: int, seconds: float) -> None:
        """A segment of ``count`` epochs took so long."""
        self.epoch[cohort[:3]] = min(seconds / count, self.epoch.get(cohort[:3], np.inf))


class Clock:
    """Where the time of a thread goes, in seconds."""

    def __init__(self) -> None:
        self.working = self.device = self.compiling = 0.0


def run_chunk(
    work: Work,
    chunk: Chunk,
    until: int,
    tick: Tick = lambda epochs: True,
    *,
    ends: bool = True,
    pace: Pace | None = None,
    publish: Publish | None = None,
    clock: Clock | None = None,
) -> list[Place]:
    """Train a chunk to the age ``until``, and give its lanes back, on the host.

    It ends earlier, at a cut, when a lane no longer trains (the living go on in a fuller chunk) or when ``tick``, which
    hears how many lane-epochs are done, answers False. ``publish`` gets the lanes after each segment. ``ends`` is
    whether training ends at ``until``, where the training part is scored then; a rule decides by the objective alone.
    """
    places, pace, clock = list(chunk.places), pace or Pace(0.25), clock or Clock()
    cohort, age = chunk.cohort, places[0].age
    draws = run_draws(work, cohort.program.trial, cohort.seed, cohort.fold)
    most = window(work.folds[cohort.fold].train.x.shape[0])
    step = trainer(work, chunk, draws, until, ends, clock)
    lanes = begin_lanes(work, chunk, draws) if places[0].lane is None else _resumed(chunk)
    records: list[Records] = []
    going = True
    while age < until and going:
        count = pace.next(cohort, age, until, most)
        lanes, seen, seconds = step(lanes, age, count)
        pace.took(cohort, count, seconds)
        age += count
        records.append(jax.tree.map(lambda a, n=count: a[:, :n], seen))
        alive = going_on(lanes)[: len(places)]
        going = tick(count * len(places)) and bool(alive.all())
        if publish is not None and going and age < until:
            publish(_given_back(places, lanes, records, age))
    return _given_back(places, lanes, records, age)


def _resumed(chunk: Chunk) -> Lane:
    return packed([place.lane for place in chunk.places if place.lane is not None], chunk.cohort.width)


def _given_back(places: list[Place], lanes: Lane, records: list[Records], age: int) -> list[Place]:
    new = jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *records) if len(records) > 1 else records[0]
    back, count = [], len(places)
    for place, lane, seen in zip(places, apart(lanes, count), apart(new, count), strict=True):
        if place.seen is not None:
            seen = jax.tree.map(lambda a, b: np.concatenate([a, b]), place.seen, seen)
        back.append(place._replace(age=age, lane=lane, seen=seen))
    return back


def trainer(work: Work, chunk: Chunk, draws: Draws, until: int, ends: bool = True, clock: Clock | None = None) -> Step:
    """``step(lanes, age, count)`` trains a chunk's lanes ``count`` more epochs, within a block, towards ``until``.

    It eats the lanes, and gives them back with what was seen and the seconds that it took. Its program is looked up
    once.
    """
    clock = clock or Clock()
    trial, which, batch_size = chunk.cohort.program[:3]
    data = work.folds[chunk.cohort.fold]
    train, dev = seen_by(trial, data.train), data.dev if data.dev is None else seen_by(trial, data.dev)
    size = None if batch_size is None else np.int32(batch_size)
    (device,) = data.train.x.devices()
    last = np.int32(until if ends or work.objective.part == "train" else 0)
    run: Any = None

    def step(lanes: Lane, age: int, count: int) -> tuple[Lane, Records, float]:
        nonlocal run
        start = time.perf_counter()
        when = When(every=np.int32(scored_each(work, lanes)), last=last)
        with exhausting(trial):
            orders = draws.orders(data.train, trial.shuffle, age, until)
            numbers = np.int32(age), np.int32(count), when, np.int32(which), size
            arguments = lanes, train, dev, draws.keys, orders, *numbers
            run = run or program(trial, work.objective, device, *arguments)
            begun = time.perf_counter()
            made = jax.block_until_ready(run(*arguments))
        end = time.perf_counter()
        clock.compiling += begun - start
        clock.device += end - begun
        trained, seen = made
        return trained, with_gaps(seen, age, count, when), end - begun

    return step


def scored_each(work: Work, lanes: Lane) -> int:
    """Each how many epochs the training part of lanes is scored: each one, where they go by its scores."""
    watched = work.objective.part == "train" and (work.rule is not None or follows((lanes.state.hyper, lanes.numbers)))
    return 1 if watched else work.every


def begin_lanes(work: Work, chunk: Chunk, draws: Draws, weights: tuple[Params, Stats] | None = None) -> Lane:
    """The chunk's lanes before their first step, filled up to C with copies of the first."""
    cohort = chunk.cohort
    trial, which = cohort.program.trial, np.int32(cohort.program.which)
    hyper = stack([place.numbers for place in chunk.places], cohort.width)
    if STOP in hyper:
        hyper = {**hyper, STOP: _in_unit(work, EarlyStopping(**hyper[STOP]))._asdict()}
    example = work.folds[cohort.fold].example
    (device,) = example.x.devices()
    with exhausting(trial):
        weights = draws.weights(trial, example) if weights is None else weights
        rule = None if work.rule is None else _in_unit(work, work.rule)
        arguments = draws.keys.init, example, hyper, rule, which, weights
        return jax.block_until_ready(first_program(trial, device, *arguments)(*arguments))


def _in_unit(work: Work, rule: EarlyStopping) -> EarlyStopping:
    """The rule as lanes see it: its least improvement in the unit that they score in."""
    least = np.asarray(rule.min_delta)
    scaled = in_unit((work.objective.score,), least[..., None], 1 / work.unit)[..., 0]
    return rule._replace(min_delta=scaled.astype(least.dtype))


def going_on(lanes: Lane) -> Any:
    """Which lanes still train, shape=(lanes,), asked on the host: a program for it would be one more to compile."""
    fault, patience = lanes.fault._replace(step=np.asarray(lanes.fault.step)), lanes.patience
    if patience is not None:
        patience = jax.tree.map(np.asarray, patience._replace(params=(), stats=()))
    return active(lanes._replace(fault=fault, patience=patience))
