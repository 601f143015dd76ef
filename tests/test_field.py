"""A whole sweep without training: lanes that age by a table, under random threads, cuts and breaks.

What each lane would see, and when it dies, stands in a table. So every run of a sweep must come to the same results,
whichever thread gives back first, wherever chunks are cut, and wherever the sweep is broken off.
"""

import math
from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

import fnopt as fo
from fnopt._types import Score, parameters
from fnopt.sweep.chunk import Data, Place, Work
from fnopt.sweep.field import Entry, Field
from fnopt.sweep.ledger import Ledger
from fnopt.sweep.merge import Program
from fnopt.train import EarlyStopping, Fault, Lane, Records, objective_of, score_of
from fnopt.train.early_stopping import Waiting
from fnopt.train.lane import Patience

EPOCHS, BATCHES = 20, 2
RULES = {
    "none": None,
    "halving": fo.halving(eta=2),
    "hyperband": fo.hyperband(eta=3),
    "asynchronous": fo.asynchronous_halving(eta=2),
    "median": fo.median(min_epochs=2, every=4, warmup=2),
}


class Trial(NamedTuple):
    """As much of a trial as results need."""

    name: int
    metrics: tuple[Score, ...] = (score_of("classes", "accuracy"),)
    batch_size: int = 5
    batch: str | None = None
    task: str = "classes"
    optimizer: SimpleNamespace = SimpleNamespace(readout=parameters)

    def __hash__(self):
        return hash(self.name)


class Plan(NamedTuple):
    """A sweep, and all that its lanes will see."""

    work: Work
    entries: list[Entry]
    seeds: int
    rule: fo.sweep.stop.Rule | None
    curves: np.ndarray  # shape=(configurations, seeds, folds, epochs, 2): loss and accuracy
    ends: dict[tuple[int, int, int], tuple[str, int]]  # which lanes "diverged" or "stopped", and in which epoch
    lengths: list[int] | None = None  # of configurations of unlike length

    def length(self, config):
        return self.lengths[config] if self.lengths else EPOCHS

    def field(self):
        ledger = Ledger(self.rule, len(self.entries), EPOCHS, self.lengths)
        return Field(self.work, self.entries, self.seeds, ledger, True)


def plan_of(seed, rule, n=12, seeds=1, folds=1, programs=2, width=4, patience=True, dying=0.4, uneven=False):
    rng = np.random.default_rng(seed)
    data = Data(train=SimpleNamespace(rows=BATCHES * 5), dev=None, example=None)
    stopping = EarlyStopping(1.0) if patience else None
    work = Work((data,) * folds, objective_of("classes", None, dev=True), stopping, EPOCHS, None)
    made = [Program(Trial(k)) for k in range(programs)]
    entries = [Entry(made[rng.integers(programs)], width, {"lr": float(i)}) for i in range(n)]
    curves = rng.choice(np.float32([0.1, 0.2, 0.3, 0.7]), size=(n, seeds, folds, EPOCHS, 2))
    curves[rng.random(curves.shape) < 0.01] = np.nan
    kinds = ("diverged", "stopped") if patience else ("diverged",)
    ends = {
        at: (str(rng.choice(kinds)), int(rng.choice([1, 2, 4, 5, 6, 10, 19, 20, rng.integers(1, EPOCHS + 1)])))
        for at in np.ndindex(n, seeds, folds)
        if rng.random() < dying
    }
    ends = {at: (kind, max(epoch, 2) if kind == "stopped" else epoch) for at, (kind, epoch) in ends.items()}
    lengths = [int(rng.choice([1, 4, 5, 10, 20, rng.integers(1, EPOCHS + 1)])) for _ in range(n)] if uneven else None
    return Plan(work, entries, seeds, rule, curves, ends, lengths)


def trained(plan, place, age):
    """A lane after some more epochs, as ``run_chunk`` gives it back."""
    at = place.config, place.seed, place.fold
    kind, end = plan.ends.get(at, ("", math.inf))
    dead = age >= end
    step = BATCHES * (end - 1) + 1 if dead and kind == "diverged" else -1
    weights = {"w": np.float32([place.config, place.seed, place.fold, min(age, end)])}
    patience = None
    if plan.work.rule is not None:
        stopped = dead and kind == "stopped"
        epoch, waited, seen = (end - 2, 1, end) if stopped else (age - 1, 0, age)
        memory = Waiting(np.float32(0), np.float32(0), *map(np.int32, (epoch, waited, seen)))
        patience = Patience(plan.work.rule, memory, weights, ())
    fault = Fault(**{**dict.fromkeys(Fault._fields, np.float32(0)), "step": np.int32(step)})
    lane = Lane(SimpleNamespace(params=weights), (), {}, fault, patience)
    rows = plan.curves[at][:age].copy()
    rows[end if dead else age :] = -1  # after its end a lane stands still, and what it sees there must not count
    return place._replace(
        age=age, lane=lane, seen=Records(train=rows, dev=rows, cost=rows[:, 0], lr=rows[:, 1], updates=rows[:, 1])
    )


def is_dead(plan, place):
    return place.age >= plan.ends.get((place.config, place.seed, place.fold), ("", math.inf))[1]


class Sim:
    """Threads that take chunks of a field and give them back, in an order drawn from ``rng``."""

    def __init__(self, plan, rng, threads=3, field=None, results=()):
        self.plan, self.rng, self.threads = plan, rng, threads
        self.field = field or plan.field()
        if field is None:
            self.field.start()
        self.results = list(results)
        self.chunks = {}  # number -> task, its places now
        self.over = []  # lanes that a rule ended, whose results are to be taken down
        self.compiled = set()
        self.live = self.executed = 0
        self.most = 0

    def step(self):
        """One event: a chunk is taken, trains, comes back, or a result is taken down. False where nothing is left."""
        if self.over and (len(self.over) > 20 or self.rng.random() < 0.5):
            return self._take_down()
        if len(self.chunks) < self.threads and (not self.chunks or self.rng.random() < 0.5):
            if self._take():
                return True
            if not self.chunks:
                return self._take_down()
        number = list(self.chunks)[self.rng.integers(len(self.chunks))]
        task, places = self.chunks[number]
        begin = places[0].age
        age = int(self.rng.integers(begin + 1, task.until + 1))
        places = [trained(self.plan, p, age) for p in places]
        self._note(task, places, begin)
        if age == task.until or any(is_dead(self.plan, p) for p in places) or self.rng.random() < 0.1:
            del self.chunks[number]
            self.compiled.add(task.chunk.cohort.program)
            ended, over = self.field.give_back(number, task, places)
            self._collect(ended)
            self.over += over
            assert self.field.counts == (self.live, self.executed) or self.chunks
        else:
            self.chunks[number] = task, places
            self.field.publish(number, places)
        self.most = max(self.most, sum(p.lane is not None for p in self.field.under_way()))
        return True

    def _take_down(self):
        if not self.over:
            return False
        lane = self.over.pop(0)
        self._collect([self.field.result(lane)])
        self.field.taken(lane)
        return True

    def _take(self):
        def takable(cohort):
            return cohort.program in self.compiled or all(
                task.chunk.cohort.program != cohort.program for task, _ in self.chunks.values()
            )

        pools = {}  # what could be taken: where a whole chunk waits, none with empty places may be
        for pool in self.field.pools.values():
            for _, p in pool:
                e = self.plan.entries[p.config]
                rung = self.field.ledger.rung(p.config, p.age)
                pools.setdefault((e.program, p.seed, p.fold, p.age, rung), []).append(p)
        whole = {name for name, pool in pools.items() if len(pool) >= self.plan.entries[0].width}
        crowded = self.field._crowded()
        taken = self.field.take(takable, lambda cohort: cohort.program not in self.compiled)
        if taken is None:
            assert not any(takable(SimpleNamespace(program=name[0])) for name in pools)
            return False
        number, task = taken
        cohort, places = task.chunk
        assert 1 <= len(places) <= cohort.width and len({p[:3] for p in places}) == len(places)
        for p in places:
            assert (self.plan.entries[p.config].program, p.seed, p.fold) == (cohort.program, cohort.seed, cohort.fold)
            assert p.age == places[0].age < task.until <= self.plan.length(p.config)
            assert not (p.lane and is_dead(self.plan, p))
        assert task.until == min(self.field.ledger.until(p.config, p.age) for p in places)
        fresh = cohort.program not in self.compiled
        if len(places) < cohort.width and not crowded:
            others = [name for name in whole if (name[0] not in self.compiled) == fresh]
            assert not any(takable(SimpleNamespace(program=name[0])) for name in others)
        self.chunks[number] = task, list(places)
        return True

    def _note(self, task, places, begin):
        """Lane-epochs by counting each."""
        for p in places:
            end = self.plan.ends.get((p.config, p.seed, p.fold), ("", math.inf))[1]
            self.live += sum(e <= end for e in range(begin + 1, p.age + 1))
        self.executed += (places[0].age - begin) * task.chunk.cohort.width

    def _collect(self, new):
        self.results += new

    def run(self):
        while self.step():
            pass
        return self


def told(results):
    """What results say, in one order; each lane must have ended once."""
    by = {
        (r.config, r.seed, r.fold): (r.status, r.epochs, r.why, r.best, r.digest, r.history["dev"]["loss"].tobytes())
        for r in results
    }
    assert len(by) == len(results)
    return by


def reference(plan):
    return told(Sim(plan, np.random.default_rng(0), threads=1).run().results)


SHAPES = [
    dict(),
    dict(seeds=3),
    dict(folds=3, patience=False),
    dict(seeds=2, folds=2, programs=1, dying=0.7, n=9),
    dict(seeds=2, uneven=True),
]


@pytest.mark.parametrize("shape", range(len(SHAPES)))
@pytest.mark.parametrize("rule", RULES)
def test_no_order_of_events_changes_a_result(rule, shape):
    for seed in range(4):
        plan = plan_of(seed, RULES[rule], **SHAPES[shape])
        expected = reference(plan)
        assert set(expected) == set(np.ndindex(plan.curves.shape[:3]))  # each lane has ended
        for other in range(1, 6):
            sim = Sim(plan, np.random.default_rng(other), threads=other).run()
            assert told(sim.results) == expected, (seed, other)
            assert not sim.field.under_way() and not any(sim.field.open)
            assert sim.field.counts == (sim.live, sim.executed)


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_results_are_those_of_the_definition(rule, uneven):
    """Against a sweep in lockstep: all lanes of all configurations train to a rung, then the rung is judged."""
    for seed in range(6):
        plan = plan_of(seed, RULES[rule], seeds=3, n=14, uneven=uneven)
        got = reference(plan)
        expected = by_definition(plan)
        assert {at: values[:2] for at, values in got.items()} == expected, seed


def by_definition(plan):
    """(status, epochs) of each lane."""
    n, lanes = len(plan.entries), list(np.ndindex(plan.curves.shape[1:3]))
    end = {(c, *at): plan.ends.get((c, *at), ("done", EPOCHS)) for c in range(n) for at in lanes}
    for (c, *at), (_, epoch) in end.items():
        if epoch > plan.length(c):
            end[c, *at] = "done", plan.length(c)
    verdicts = {}
    brackets = [] if plan.rule is None else plan.rule.brackets(n, EPOCHS)
    for bracket in brackets:
        alive = list(bracket.members)
        for age in bracket.ages:
            # A lane that dies, or comes to its end, in the very epoch of a rung is not compared there.
            here = {c: [at for at in lanes if age < end[c, *at][1]] for c in alive}
            alive = [c for c in alive if here[c]]
            keys = {}
            for c in alive:
                rows = np.asarray([plan.curves[c, *at][age - 1] for at in here[c]], np.float64)
                lost = any(end[c, *at][0] == "diverged" and end[c, *at][1] <= age for at in lanes)
                loss, score = (math.fsum(column) / len(rows) for column in rows.T)
                bad = lost or math.isnan(score)
                keys[c] = bad, 0.0 if bad else -score, math.inf if math.isnan(loss) else loss, c
            on = going_on(plan.rule, keys)
            verdicts |= {c: age for c in alive if c not in on}
            alive = [c for c in alive if c in on]
    return {
        at: ("pruned", verdicts[at[0]]) if at[0] in verdicts and epoch > verdicts[at[0]] else (status, epoch)
        for at, (status, epoch) in end.items()
    }


def going_on(rule, keys):
    if not rule.ordered:
        share = math.ceil(len(keys) / rule.eta - 1e-9)
        return {c for c in keys if not keys[c][0] and keys[c] in sorted(keys.values())[:share]}
    on, before = set(), []
    for c, mine in keys.items():
        better = sum(k[:3] < mine[:3] if rule.ties else k < mine for k in before)
        if not mine[0] and rule.keeps(better, len(before)):
            on.add(c)
        before.append(mine)
    return on


def restored(plan, results, places, rng):
    field = plan.field()
    new = field.restore(list(results), [*places])
    return Sim(plan, rng, threads=int(rng.integers(1, 5)), field=field, results=[*results, *new])


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
@pytest.mark.parametrize("rule", RULES)
def test_a_sweep_that_was_broken_off_comes_to_the_same(rule, shape, newer):
    """Broken off again and again; where ``newer``, results are taken down some time after the lanes under way were."""
    for seed in range(12):
        plan = plan_of(seed, RULES[rule], **SHAPES[shape])
        expected = reference(plan)
        rng = np.random.default_rng(100 + seed)
        sim = Sim(plan, rng)
        for _ in range(4):
            for _ in range(int(rng.integers(1, 40))):
                sim.step()
            places, known = sim.field.under_way(), len(sim.results)
            if newer:
                for _ in range(int(rng.choice([1, 3, 30, 300]))):
                    sim.step()
                known = int(rng.integers(known, len(sim.results) + 1))  # a batch may be half taken down
            mixed = list(sim.results[:known])
            rng.shuffle(mixed)
            sim = restored(plan, mixed, places, rng)
        assert told(sim.run().results) == expected, seed
        assert not sim.field.under_way() and not any(sim.field.open)


@pytest.mark.parametrize("rule", RULES)
def test_every_moment_of_a_sweep_can_be_gone_on_from(rule):
    plan = plan_of(5, RULES[rule], n=7, seeds=2, width=2)
    expected, rng = reference(plan), np.random.default_rng(1)
    sim = Sim(plan, rng)
    moments = [([], [])]
    while sim.step():
        moments.append((list(sim.results), sim.field.under_way()))
    for k, (results, places) in enumerate(moments):
        assert told(restored(plan, results, places, rng).run().results) == expected, k


def test_what_was_decided_and_not_taken_down_ends_at_once():
    """One lane of a batch is taken down, and what its end decided is not."""
    plan = plan_of(0, fo.halving(eta=2), n=4, dying=0.0, programs=1)
    plan.ends[3, 0, 0] = "diverged", 1
    plan.curves[:, 0, 0, :, 1] = np.float32([0.9, 0.8, 0.7, 0.6])[:, None]
    (end, *_) = results = Sim(plan, np.random.default_rng(0)).run().results
    assert end.config == 3 and end.status == "diverged"
    at_rung = [trained(plan, Place(i, 0, 0, plan.entries[i].numbers), 1) for i in range(3)]
    field = plan.field()
    new = field.restore([end], at_rung)
    assert [(r.config, r.status, r.why) for r in new] == [(2, "pruned", "3rd of 3 at epoch 1")]
    assert [p.config for p in field.under_way()] == [0, 1] and field.open == [1, 1, 0, 0] and not field.rung
    again = Sim(plan, np.random.default_rng(0), field=field, results=[end, *new]).run()
    assert told(again.results) == told(results)


def test_more_configurations_go_on_from_a_finished_sweep():
    """An ordered rule decides the same for the first: their results stand, and the others are as in one long sweep."""
    for rule in ("none", "asynchronous", "median"):
        plan = plan_of(3, RULES[rule], n=16, seeds=2)
        few = plan._replace(entries=plan.entries[:9])
        first = Sim(few, np.random.default_rng(0)).run().results
        assert told(restored(plan, first, [], np.random.default_rng(1)).run().results) == reference(plan)


@pytest.mark.parametrize("width", [3, 8, 100])
def test_lanes_of_unlike_length_are_packed(width):
    """As few chunks at every age as the lanes alive there fill, and each lane trains its own length."""
    plan = plan_of(0, None, n=90, programs=1, width=width, dying=0.0, uneven=True)
    sim = Sim(plan, np.random.default_rng(0), threads=1)
    results = sim.run().results
    assert {r.config: (r.epochs, r.status) for r in results} == {c: (plan.length(c), "done") for c in range(90)}
    alive = [sum(length > age for length in plan.lengths) for age in range(EPOCHS)]
    assert sim.field.counts == (sum(alive), sum(width * -(-some // width) for some in alive))


def test_memory_stays_flat():
    """Of 1000 configurations that stop at random ages, few are under way at once."""
    programs, width, threads = 3, 8, 4
    plan = plan_of(0, None, n=1000, programs=programs, width=width, dying=0.8)
    sim = Sim(plan, np.random.default_rng(0), threads).run()
    # Each pool of each age holds less than one chunk, beside what the threads hold.
    assert sim.most <= programs * EPOCHS * width + threads * width
    assert sim.most < 300  # 480 at the worst
    assert len(sim.results) == 1000


@pytest.mark.parametrize("rule", ["asynchronous", "median"])
def test_memory_stays_flat_under_rules_that_judge_one_by_one(rule):
    """Nobody waits long for a configuration of lower number, even where its program has no others."""
    plan = plan_of(0, RULES[rule], n=1200, width=8, dying=0.1)
    plan.entries[0] = plan.entries[0]._replace(program=Program(Trial(9)))
    # At rungs, (2 + 4 threads) chunks of each of 3 programs; and some in pools.
    assert Sim(plan, np.random.default_rng(0), 4).run().most < 6 * 3 * 8 + 100


def test_lanes_that_did_not_begin_are_not_under_way():
    field = plan_of(0, None).field()
    field.start()
    assert field.under_way() == []
    taken = field.take(lambda cohort: True, lambda cohort: False)
    assert taken is not None
    task = taken[1]
    assert field.under_way() == [] and all(isinstance(p, Place) and p.age == 0 for p in task.chunk.places)
    assert field.take(lambda cohort: False, lambda cohort: False) is None


def test_a_program_that_is_yet_to_be_compiled_comes_first():
    plan = plan_of(1, None, n=40, programs=3)
    field = plan.field()
    field.start()
    seen = []
    while (taken := field.take(lambda cohort: True, lambda cohort: cohort.program.trial.name not in seen)) is not None:
        seen.append(taken[1].chunk.cohort.program.trial.name)
    assert sorted(seen[:3]) == [0, 1, 2]
    sizes = Counter(e.program.trial.name for e in plan.entries)
    assert Counter(seen) == {name: math.ceil(size / 4) for name, size in sizes.items()}


def test_the_mean_at_a_rung_does_not_depend_on_who_came_first():
    """Three float32 numbers whose sum is another in another order, against the same mean exactly."""
    plan = plan_of(0, fo.halving(eta=2), n=2, seeds=3, programs=1, width=2, patience=False, dying=0.0)
    plan.curves[0, :, 0, :, 1] = np.float32([1e8, 1.0, -1e8])[:, None]
    plan.curves[1, :, 0, :, 1] = np.float32([0.5, 0.25, 0.125])[:, None]
    everything = defaultdict(set)
    for seed in range(20):
        results = Sim(plan, np.random.default_rng(seed)).run().results
        for r in results:
            everything[r.config].add((r.status, r.epochs))
    assert everything == {0: {("done", EPOCHS)}, 1: {("pruned", 1)}}


def test_a_chunk_that_is_not_full_waits_while_nothing_is_idle():
    """Its sisters may come from what is running. Full ones are taken, and so is one whose program is to be compiled."""
    field = plan_of(0, None, n=7, programs=1, width=4).field()
    field.start()
    full = field.take(lambda cohort: True, lambda cohort: False, False)
    assert full is not None and len(full[1].chunk.places) == 4
    assert field.take(lambda cohort: True, lambda cohort: False, False) is None
    thin = field.take(lambda cohort: True, lambda cohort: True, False)
    assert thin is not None and len(thin[1].chunk.places) == 3
