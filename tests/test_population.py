"""Population-based training: decisions by definition, lanes by lineage, and the same bits whatever breaks in."""

import math
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple
from zlib import crc32

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fnopt as fo
from fnopt._types import Score, State, parameters
from fnopt.run.lineage import lane_numbers
from fnopt.space import SearchSpace
from fnopt.space.path import salt
from fnopt.space.perturb import perturbed, ranges_of
from fnopt.sweep.chunk import Data, Work
from fnopt.sweep.evolve import Evolving
from fnopt.sweep.field import Entry
from fnopt.sweep.merge import Program
from fnopt.sweep.population import PURPOSE, decide
from fnopt.sweep.stop import Mark
from fnopt.train import Fault, Lane, Records, objective_of, score_of

KEY = jax.random.key(5)


# ---------------------------------------------------------------- numbers that change


@pytest.mark.parametrize(
    ("space", "x", "up", "down"),
    [
        (fo.uniform(0.0, 1.0), 0.5, 0.625, 0.4),
        (fo.uniform(-2.0, 1.0), -1.0, -1.25, -0.8),
        (fo.uniform(0.0, 0.6), 0.55, 0.6, 0.44),
        (fo.log_uniform(1e-3, 1e-1), 1e-3, 1.25e-3, 1e-3),
        (fo.one_minus_log_uniform(0.5, 0.999), 0.9, 0.875, 0.92),
        (fo.one_minus_log_uniform(0.5, 0.9), 0.9, 0.875, 0.9),
        (fo.integer(1, 9), 2, 3, 1),
        (fo.integer(1, 9), 8, 9, 6),
        (fo.log_integer(8, 512), 100, 125, 80),
        (fo.normal(1.0, 0.1), 1.2, 1.3, 0.96),  # the range of a bell ends at 3 standard deviations
        (fo.log_normal(0.0, 0.1), 1.3, math.exp(0.3), 1.04),
        (fo.choice(0.1, 0.001, 0.01), 0.01, 0.1, 0.001),
        (fo.choice(0.1, 0.001, 0.01), 0.1, 0.1, 0.01),
    ],
)
def test_a_number_moves_by_the_factor_in_its_own_scale(space, x, up, down):
    for way, expected in ((0.0, up), (0.49, up), (0.5, down), (0.99, down)):
        got = perturbed(space, x, (0.2, way, 0.7), factor=1.25, resample=0.2)
        assert got == pytest.approx(expected, rel=1e-6)
        assert type(got) is (int if getattr(space, "whole", False) else float)


@given(
    st.sampled_from([fo.log_uniform(1e-4, 1.0), fo.uniform(-1.0, 3.0), fo.one_minus_log_uniform(0.0, 0.9999)]),
    st.tuples(*[st.floats(0, 0.999)] * 4),
    st.floats(1.01, 4),
    st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_a_number_stays_in_its_range_and_is_drawn_anew_as_often_as_asked(space, draws, factor, resample):
    x = value_at(space, draws[3])
    got = perturbed(space, x, draws[:3], factor, resample)
    assert np.float32(space.low) <= got <= np.float32(space.high) and got == np.float32(got)
    if draws[0] < resample:
        assert got == pytest.approx(value_at(space, draws[2]), rel=1e-4, abs=1e-6)


def value_at(space, u):
    """A range's value at the share ``u`` of its draws."""
    if space.kind == "uniform":
        return space.low + u * (space.high - space.low)
    low, high = (space.low, space.high) if space.kind == "log_uniform" else (1 - space.high, 1 - space.low)
    x = low * (high / low) ** (u if space.kind == "log_uniform" else 1 - u)
    return x if space.kind == "log_uniform" else 1 - x


def test_what_changes_are_the_numbers_that_a_space_draws():
    space = dict(
        lr=fo.schedules.exponential(fo.log_uniform(1e-3, 1e-1), 0.5).every(),
        dropout=(fo.uniform(0.0, 0.5), 0.1),
        hidden=fo.choice(4, 8),
        l2=fo.choice(0.0, 1e-4),
        beta=fo.when(optimizer="momentum", beta=fo.uniform(0.5, 0.9)),
        rate=fo.when(l1=[0.1], rate=fo.uniform(0.0, 1.0)),
        l1=fo.choice(0.0, 0.1),  # asked for by a condition
        other=fo.choice(0.1, "auto"),
        fixed=3.0,
    )
    space = SearchSpace(space)
    paths = [("beta",), ("dropout", 0), ("l2",), ("lr", "schedule", "value"), ("rate",)]
    assert list(ranges_of(space, {"hidden", "optimizer"})) == paths
    hyper = dict(lr=fo.schedules.exponential(0.1, 0.5).every(), dropout=(0.2, 0.1), hidden=4, l2=0.0)
    found = space.values_of(hyper)
    assert found == {
        ("lr", "schedule", "value"): pytest.approx(0.1), ("dropout", 0): 0.2, ("l2",): 0.0, ("hidden",): 4
    }  # fmt: skip
    changed = space.changed(hyper, {("lr", "schedule", "value"): 0.3, ("dropout", 0): 0.4})
    assert float(changed["lr"].schedule(0)) == np.float32(0.3)
    assert changed["dropout"] == (0.4, 0.1) and changed["hidden"] == 4 and hyper["dropout"] == (0.2, 0.1)


# ---------------------------------------------------------------- decisions


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.3, math.nan]), min_size=1, max_size=24),
    st.sampled_from([0.05, 0.2, 0.25, 1 / 3, 0.5]),
)
@settings(max_examples=80, deadline=None)
def test_the_best_give_and_the_worst_and_the_diverged_are_replaced(scores, share):
    marks = [Mark(math.isnan(s), 0.0 if math.isnan(s) else s, 0.0, i) for i, s in enumerate(scores)]
    donors, worst = fo.population(share=share).split(marks)
    order = sorted(range(len(scores)), key=lambda i: (math.isnan(scores[i]), scores[i], i))
    k = max(1, int(len(scores) * share + 1e-9))
    good = [i for i in order if not math.isnan(scores[i])]
    assert donors == sorted(i for i in order[:k] if i in good)
    expected = {*order[-k:], *(set(order) - set(good))} if good else set()
    if len(scores) > 1:
        assert set(worst) == expected and not set(donors) & set(worst)


RANGES = {"lr": fo.log_uniform(1e-4, 1.0), "l2": fo.uniform(0.0, 1.0)}


def by_hand(key, config, generation, donors, numbers, factor, resample, taken=None, most=math.inf):
    """One configuration's draws, written out again; drawn anew while they are taken, or ``l2`` is above ``most``."""
    key = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(key, crc32(b"population")), config), generation)

    def uniform(path):
        return np.asarray(jax.random.uniform(reduce(jax.random.fold_in, salt(path), key), (24, 3)), float)

    u = {name: uniform(name) for name in RANGES}
    donor = donors[int(uniform(())[0, 0] * len(donors))]
    taken = {} if taken is None else taken
    known = taken.setdefault(donor, [np.float32(list(numbers[donor].values())).tolist()])
    for k in range(24):
        mine = {}
        for name, x in numbers[donor].items():
            again, way, where = u[name][k]
            low, high = float(RANGES[name].low), float(RANGES[name].high)
            if again < (resample if k < 12 else 1):
                mine[name] = low * (high / low) ** where if name == "lr" else low + where * (high - low)
            else:
                power = 1 - 2 * way if k else 1 if way < 0.5 else -1
                mine[name] = min(max(x * factor**power, low), high)
        row = np.float32(list(mine.values())).tolist()
        if row not in known and mine["l2"] <= most:
            known.append(row)
            return donor, mine
    raise AssertionError("24 draws were all taken")


def test_draws_are_a_key_for_each_configuration_and_generation():
    rng = np.random.default_rng(0)
    rule = fo.population(share=0.4, factor=1.5, resample=0.3)
    assert crc32(b"population") == PURPOSE
    seen = set()
    for generation in (1, 2, 9):
        marks = [Mark(i == 3, s, 0.0, i) for i, s in enumerate(rng.permutation(12).astype(float))]
        numbers = [{"lr": float(10 ** rng.uniform(-4, 0)), "l2": float(rng.random())} for _ in marks]
        moves = decide(rule, marks, numbers, RANGES, KEY, generation, 5 * generation)
        donors, worst = rule.split(marks)
        assert [m.config for m in moves] == worst
        taken = {}
        for move in moves:
            donor, mine = by_hand(KEY, move.config, generation, donors, numbers, 1.5, 0.3, taken)
            assert (move.epoch, move.donor) == (5 * generation, donor)
            assert move.numbers == pytest.approx(mine, rel=1e-5)
            seen.add(tuple(round(move.numbers[n] / numbers[donor][n], 4) for n in RANGES))
        back = decide(rule, marks[::-1], numbers, RANGES, KEY, generation, 5 * generation)
        assert back == moves  # the order of the question does not count
        names = dict(reversed(RANGES.items()))
        assert decide(rule, marks, numbers, names, KEY, generation, 5 * generation) == moves  # nor that of names
    assert len(seen) > 4


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"every": 0}, "`every` must be a whole number ≥ 1, got 0"),
        ({"share": 0.6}, r"`share` must be a number in \(0, 0.5\], got 0.6"),
        ({"share": True}, "`share` must be"),
        ({"factor": 1.0}, "`factor` must be a number above 1, got 1.0"),
        ({"factor": math.inf}, "`factor` must be"),
        ({"resample": -0.1}, r"`resample` must be a number in \[0, 1\], got -0.1"),
    ],
)
def test_its_numbers_are_checked(told, why):
    with pytest.raises((ValueError, TypeError), match=why):
        fo.population(**told)


def test_the_rule_is_a_value():
    assert fo.population() == fo.population() != fo.population(every=2)
    assert repr(fo.population(every=2)) == "Population(every=2, share=0.25, factor=1.2, resample=0.1)"
    assert fo.population(every=3).ages(9) == (3, 6) and fo.population(every=9).ages(9) == ()
    assert fo.population(every=3).brackets(1, 9)[0].ages == ()  # one alone has nobody to learn from


# ---------------------------------------------------------------- a field without training

EPOCHS, EVERY, BATCHES = 11, 3, 2


class Trial(NamedTuple):
    """As much of a trial as results need."""

    name: int
    metrics: tuple[Score, ...] = (score_of("classes", "accuracy"),)
    batch_size: int = 5
    batch: str | None = None
    task: str = "classes"
    optimizer: Any = type("", (), {"readout": staticmethod(parameters)})

    def __hash__(self):
        return hash(self.name)


class Hyper(NamedTuple):
    """An optimizer's numbers."""

    lr: Any


def epoch(program, lr, l2, seed, fold, age, w):
    """One epoch of a lane that is a number; None where it diverges. What it comes to depends on all that it was."""
    if lr > 0.3 and (age + seed) % 3 == 1:
        return None
    gain = program * 0.3 - (np.log10(np.float32(lr)) + 1 + age / 4) ** 2 - l2 - 0.1 * seed * fold
    return np.float32(np.float32(w) * np.float32(0.7) + np.float32(gain))


def scores(w):
    return np.float32([-w, np.round(w, 1)])  # loss, and an accuracy that often ties


def plan_of(seed, n=11, seeds=1, folds=1):
    rng = np.random.default_rng(seed)
    numbers = [
        {"lr": float(np.float32(10 ** rng.uniform(-4, 0))), "l2": float(np.float32(0.9 * rng.random()))}
        for _ in range(n)
    ]
    programs = [int(rng.integers(2)) for _ in range(n)]
    return numbers, programs, seeds, folds, fo.population(every=EVERY, share=0.3, factor=1.6, resample=0.2)


def field_of(plan):
    numbers, programs, seeds, folds, rule = plan
    data = Data(train=type("", (), {"rows": BATCHES * 5}), dev=None, example=None)
    work = Work((data,) * folds, objective_of("classes", None, dev=True), None, EPOCHS, KEY)
    made = [Program(Trial(k)) for k in range(2)]
    entries = [Entry(made[p], 3, dict(x)) for p, x in zip(programs, numbers, strict=True)]

    def remake(founder, fold, new):
        if new["l2"] > 0.95:
            raise ValueError("a model that takes no more than 0.95")
        return {**entries[founder].numbers, **new}

    return Evolving(work, entries, seeds, rule, True, ranges=RANGES, numbers=numbers, remake=remake)


def trained(place, program, age):
    """A lane some epochs on, as ``run_chunk`` gives it back: by its own numbers, not by who it is."""
    if place.lane is None:
        state = State(np.int32(0), {"w": np.float32(0)}, Hyper(np.float32(place.numbers["lr"])), ())
        fault = Fault(np.int32(-1), np.float32(0), np.float32(0))
        place = place._replace(lane=Lane(state, (), {"l2": np.float32(place.numbers["l2"])}, fault, None))
    lane, rows = place.lane, [] if place.seen is None else [*place.seen.train]
    for e in range(place.age, age):
        lr, l2 = float(lane.state.hyper.lr), float(lane.numbers["l2"])
        w = None if lane.fault.step >= 0 else epoch(program, lr, l2, place.seed, place.fold, e, lane.state.params["w"])
        if w is None:
            first = e * BATCHES if lane.fault.step < 0 else int(lane.fault.step)
            lane = lane._replace(fault=lane.fault._replace(step=np.int32(first)))
        else:
            lane = lane._replace(state=lane.state._replace(params={"w": w}))
        rows.append(scores(lane.state.params["w"]))
    table = np.stack(rows)
    seen = Records(train=table, dev=table, cost=table[:, 0], lr=table[:, 1], updates=table[:, 1])
    return place._replace(age=age, lane=lane, seen=seen)


class Sim:
    """Threads that take chunks of a field and give them back, in an order drawn from ``rng``."""

    def __init__(self, plan, rng, threads=3, restored=None):
        self.plan, self.rng, self.threads = plan, rng, threads
        self.field, self.chunks, self.results = field_of(plan), {}, {}
        if restored is None:
            self.field.start()
        else:
            new = self.field.restore(*restored)
            if self.field.generation == len(self.field.rungs):  # else what has ended since then ends again
                self._collect(restored[0])
            self._collect(new)

    def _collect(self, new):
        for r in new:
            assert (r.config, r.seed, r.fold) not in self.results
            self.results[r.config, r.seed, r.fold] = r

    def step(self):
        if len(self.chunks) < self.threads:
            taken = self.field.take(lambda cohort: True, lambda cohort: False)
            if taken is not None:
                self.chunks[taken[0]] = taken[1], list(taken[1].chunk.places)
            elif not self.chunks:
                return False
        number = list(self.chunks)[self.rng.integers(len(self.chunks))]
        task, places = self.chunks[number]
        age = int(self.rng.integers(places[0].age + 1, task.until + 1))
        places = [trained(p, task.chunk.cohort.program.trial.name, age) for p in places]
        dead = any(p.lane.fault.step >= 0 for p in places)
        if age == task.until or dead or self.rng.random() < 0.1:
            del self.chunks[number]
            ended, over = self.field.give_back(number, task, places)
            assert not over, "lanes of a population end together: a checkpoint holds all or none of their results"
            self._collect(ended)
        else:
            self.chunks[number] = task, places
            self.field.publish(number, places)
        return True

    def run(self):
        while self.step():
            pass
        assert not self.field.under_way() and not any(self.field.open)
        return told(self.results.values())


def told(results):
    return {
        (r.config, r.seed, r.fold): (
            r.status,
            r.epochs,
            float(r.params["w"]),
            [(m.epoch, m.config, m.donor) for m in r.lineage],
            r.lineage[-1].numbers if r.lineage else None,
            r.history["dev"]["loss"].tobytes(),
        )
        for r in results
    }


def in_lockstep(plan):
    """The same population by its definition: epoch after epoch, all configurations side by side."""
    numbers, programs, seeds, folds, _ = plan
    lanes = [(s, f) for s in range(seeds) for f in range(folds)]
    pop = [
        {
            "p": p,
            "x": dict(x),
            "w": dict.fromkeys(lanes, np.float32(0)),
            "rows": {at: [] for at in lanes},
            "dead": {},
            "line": [],
        }
        for p, x in zip(programs, numbers, strict=True)
    ]
    for age in range(EPOCHS):
        for c in pop:
            for at in lanes:
                if at not in c["dead"]:
                    w = epoch(c["p"], c["x"]["lr"], c["x"]["l2"], *at, age, c["w"][at])
                    c["dead"].update({at: age + 1} if w is None else {})
                    c["w"][at] = c["w"][at] if w is None else w
                    c["rows"][at].append(-c["w"][at])
        if (age + 1) % EVERY == 0 and age + 1 < EPOCHS and len(pop) > 1:
            mean = [[math.fsum(float(scores(c["w"][at])[k]) for at in lanes) / len(lanes) for k in (1, 0)] for c in pop]
            order = sorted(range(len(pop)), key=lambda i: (bool(pop[i]["dead"]), -mean[i][0], mean[i][1], i))
            k = max(1, int(0.3 * len(pop)))
            good = [i for i in order if not pop[i]["dead"]]
            if not good:
                break
            donors = sorted(i for i in order[:k] if i in good)
            old = [{**c, "w": dict(c["w"]), "rows": {a: list(r) for a, r in c["rows"].items()}} for c in pop]
            taken = {}
            for i in sorted({*order[-k:], *(set(order) - set(good))}):
                now = [c["x"] for c in old]
                donor, x = by_hand(KEY, i, (age + 1) // EVERY, donors, now, 1.6, 0.2, taken, most=0.95)
                x = {name: float(np.float32(v)) for name, v in x.items()}
                d = old[donor]
                rows = {a: list(r) for a, r in d["rows"].items()}
                line = [*d["line"], (age + 1, i, donor)]
                pop[i] = {"p": d["p"], "x": dict(x), "w": dict(d["w"]), "rows": rows, "dead": {}, "line": line}
    return pop


SHAPES = [dict(), dict(seeds=2, folds=2, n=6), dict(n=2), dict(n=1), dict(n=25)]


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_a_population_is_that_of_the_definition(shape):
    healed = replaced = 0
    for seed in range(6):
        plan = plan_of(seed, **SHAPES[shape])
        got = Sim(plan, np.random.default_rng(seed)).run()
        pop = in_lockstep(plan)
        assert len(got) == len(pop) * len(pop[0]["w"])
        for (config, *at), (status, epochs, w, line, new, rows) in got.items():
            c, at = pop[config], tuple(at)
            assert (status == "diverged") == (at in c["dead"]), (seed, config)
            assert epochs == c["dead"].get(at, len(c["rows"][at])) and line == c["line"]
            assert w == pytest.approx(float(c["w"][at]), rel=1e-4)
            assert new is None or new == pytest.approx(c["x"], rel=1e-4)
            assert np.frombuffer(rows, np.float32) == pytest.approx(np.float32(c["rows"][at][:epochs]), rel=1e-4)
            replaced += bool(line)
            healed += bool(line) and line[-1][1] == config and plan[0][config]["lr"] > 0.3 and status == "done"
    assert (replaced > 0 or shape == 3) and (healed > 0 or shape in (2, 3))


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_no_order_and_no_break_changes_a_result(shape, newer):
    """Broken off again and again, from lanes under way that may be older than the results."""
    for seed in range(8):
        plan = plan_of(seed, **SHAPES[shape])
        expected = Sim(plan, np.random.default_rng(0), threads=1).run()
        assert Sim(plan, np.random.default_rng(seed), threads=4).run() == expected
        rng = np.random.default_rng(100 + seed)
        sim = Sim(plan, rng)
        for _ in range(4):
            for _ in range(int(rng.integers(1, 60))):
                sim.step()
            places, results = sim.field.under_way(), dict(sim.results)
            if newer:
                for _ in range(int(rng.choice([1, 3, 30, 300]))):
                    sim.step()
                results = dict(sim.results)
            sim = Sim(plan, rng, threads=int(rng.integers(1, 5)), restored=(list(results.values()), places))
        assert sim.run() == expected, seed


def test_a_population_of_which_all_diverged_ends():
    plan = plan_of(0, n=4)
    for x in plan[0]:
        x["lr"] = 0.9
    got = Sim(plan, np.random.default_rng(0)).run()
    assert {status for status, *_ in got.values()} == {"diverged"}
    assert all(line == [] for *_, line, _, _ in got.values())


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_a_population_that_has_no_finite_score_goes_on_from_any_moment(generation, monkeypatch):
    """All end at one rung, the living by the rule; what is written in between leads to the same end."""
    marked = Evolving._mark

    def bad(self, config, age):
        mark = marked(self, config, age)
        return mark._replace(bad=True) if age == self.rungs[generation] else mark

    monkeypatch.setattr(Evolving, "_mark", bad)
    for seed in range(4):
        plan = plan_of(seed, n=4, seeds=2, folds=1)
        expected = Sim(plan, np.random.default_rng(0), threads=1).run()
        sim, rng = Sim(plan, np.random.default_rng(0), threads=1), np.random.default_rng(1)
        moments = []
        while sim.step():
            moments.append((list(sim.results.values()), sim.field.under_way()))
        for results, places in moments[-12:]:
            assert Sim(plan, rng, threads=1, restored=(results, places)).run() == expected, seed


# ---------------------------------------------------------------- the engine

SPACE = dict(
    lr=fo.log_uniform(1e-3, 1.0),
    l2=fo.log_uniform(1e-6, 1e8),  # much of it diverges
    beta=fo.when(optimizer="momentum", beta=fo.one_minus_log_uniform(0.5, 0.99)),
    dropout=fo.uniform(0.0, 0.5),
    optimizer=fo.choice("momentum", "sgd"),
    batch_size=fo.choice(16, 32),
    hidden=fo.choice(5, 7),
)
RULE = fo.population(every=2, share=0.3)


def blobs(m=120, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, m).astype(np.int32)
    x = rng.normal(size=(m, 4)).astype(np.float32) + np.eye(3, 4, dtype=np.float32)[y]
    return fo.data.dataset(x, y)


PARTS = fo.data.split(blobs(), (0.6, 0.4), key=jax.random.key(0))


def sweep_of(**options):
    options = {"n": 10, "epochs": 7, "key": KEY, "stop": RULE, "objective": "dev/loss", **options}
    return fo.caviar(fo.classifier(hidden=7), options.pop("space", SPACE), *options.pop("data", PARTS), **options)


def digests(sweep):
    return {at: (r.digest, r.lineage) for at, r in sorted(sweep.kept.lanes.items())}


@pytest.fixture(scope="module")
def plain():
    return sweep_of(stop=None)


@pytest.fixture(scope="module")
def evolved():
    return sweep_of(threads=1)


def test_threads_change_nothing(evolved):
    assert digests(sweep_of(threads=2)) == digests(evolved)
    if len(jax.devices()) > 1:
        assert digests(sweep_of(threads=2, devices=jax.devices()[:2])) == digests(evolved)


def test_what_diverged_is_replaced_and_lives(plain, evolved):
    lost = {i for i, row in enumerate(plain.table()) if row["status"] == "diverged"}
    assert len(lost) > 2 and all(evolved.lineage(i) for i in lost)
    assert {row["status"] for row in evolved.table()} == {"done"}
    assert evolved.ranking()[0].score < plain.ranking()[0].score or evolved.best.config == plain.best.config


def test_the_first_generation_is_that_of_the_plain_curves(plain, evolved):
    """Before the first rung nothing differs, so who gives and who goes can be read off a sweep without a rule."""
    losses = [(len(c) < 3, c[:2][-1], i) for i in range(10) for c in [plain.lanes(i)[0].history["dev"]["loss"]]]
    losses = [(bad or not np.isfinite(x), x if np.isfinite(x) else 0.0, i) for bad, x, i in losses]
    order = [i for *_, i in sorted(losses)]
    bad = {i for lost, _, i in losses if lost}
    first = {m.config: m.donor for i in range(10) for m in evolved.lineage(i) if m.epoch == 2}
    assert first and set(first) <= {*order[-3:], *bad} and set(first.values()) <= set(order[:3])
    for i in range(10):
        if (line := evolved.lineage(i)) and line[-1].config == i:
            curve = evolved.lanes(i)[0].history["dev"]["loss"]
            np.testing.assert_array_equal(curve[:2], plain.lanes(line[0].donor)[0].history["dev"]["loss"][:2])
            assert len(curve) == 7


def test_a_lineage_trains_again_to_the_same_bits(evolved):
    before = fo.sweep.TRACES["advance"]
    deep = 0
    for i in range(10):
        run = evolved.replay(i)  # compares the digest itself, too
        assert run.going.result.digest == evolved.lanes(i)[0].digest
        np.testing.assert_array_equal(run.history["lr"], evolved.lanes(i)[0].history["lr"])
        deep = max(deep, len(evolved.lineage(i)))
    assert deep > 1 and fo.sweep.TRACES["advance"] == before
    structures = {(c["optimizer"], c["batch_size"], c["hidden"]) for c in evolved.table()}
    assert len(structures) > 1
    assert fo.check.lane_identity(evolved).passed


def test_the_table_and_the_best_show_what_a_lineage_came_to(evolved):
    for i, row in enumerate(evolved.table()):
        line = evolved.lineage(i)
        founder = line[0].donor if line else i
        assert row["ancestors"] == len(line)
        for name in ("hidden", "optimizer", "batch_size"):
            assert row[name] == evolved.configs[founder][name]
        for name, x in (line[-1].numbers if line else {}).items():
            assert row[name] == x
        assert not line or line[-1].config == i
        assert all(m.config == n.donor for m, n in pairwise(line))
    assert "lr" in str(evolved) and f"{evolved.table()[evolved.best.config]['lr']:.4g}" in str(evolved)
    with pytest.raises(ValueError, match="configurations 0 to 9, got 10"):
        evolved.lineage(10)


def test_the_best_is_a_schedule_that_fit_takes(evolved):
    config = max(range(10), key=lambda i: len(evolved.lineage(i)))
    from fnopt.run.lineage import over_time

    hyper = over_time(evolved, config)
    assert evolved.best.hyper.keys() == over_time(evolved, evolved.best.config).keys()
    run = fo.fit(fo.classifier(hidden=7), *PARTS, hyper=hyper, epochs=7, key=jax.random.fold_in(evolved.work.key, 0))
    lane = evolved.lanes(config)[0]
    np.testing.assert_allclose(run.history["lr"], lane.history["lr"], rtol=1e-6)
    assert len(set(lane.history["lr"].tolist())) > 1
    again = evolved.replay(config)
    np.testing.assert_allclose(again.history["l2"], run.history["l2"], rtol=1e-6)
    refitted, whole = evolved.refit(config=config), evolved.lanes(config)[0].history["updates"][-1]
    assert refitted.epochs == round(whole / refitted.history["updates"][0])  # on more rows, fewer epochs


def test_what_follows_from_a_number_follows_again(evolved):
    """Momentum's dampening is its beta unless given: a changed beta changes both, and numbers of others stay."""
    i = next(i for i, c in enumerate(evolved.configs) if c["optimizer"] == "momentum")
    new = lane_numbers(evolved, i, 0, {("beta",): 0.75, ("lr",): 0.5})
    old = evolved.entries[i].numbers
    assert new["beta"] == new["dampening"] == 0.75 and new["lr"] == 0.5
    assert new.keys() == old.keys() and new["l2"] == old["l2"] and jax.tree.structure(new) == jax.tree.structure(old)


class Crash(BaseException):
    """What no one but the test catches: errors of a bar end training as Ctrl-C does."""


class Break(fo.sweep.drive.Silent):
    """Ends a sweep in the middle of a segment's end, as a crash does; what is in the folder is the last checkpoint."""

    def __init__(self, after):
        self.left = after

    def tick(self, epochs):
        """Count down."""
        self.left -= 1
        if self.left == 0:
            raise Crash


def test_what_no_number_tells_is_not_in_the_history():
    """Numbers of an optimizer that gathers batches, once a population moved some; and inside a schedule that moved."""
    every, ramp = fo.uniform(1.5, 4.0), fo.schedules.linear(fo.uniform(0.1, 0.5), 0.0, 8).every()
    space = dict(
        lr=fo.uniform(0.05, 0.1), every_k=every, beta=fo.schedules.linear(0.0, 0.9, 8).every(), dropout=(ramp,)
    )
    model = fo.classifier(hidden=(5,), optimizer=fo.optim.accumulate(fo.optim.momentum), batch_size=16)
    sweep = fo.caviar(model, space, *PARTS, n=4, epochs=4, stop=fo.population(every=2, share=0.5), key=KEY)
    moved = [i for i in range(4) if sweep.lineage(i)]
    assert moved and len(moved) < 4
    for i in range(4):
        for history in (sweep.lanes(i)[0].history, sweep.replay(i).history):
            assert ({"beta", "dropout.0", "every_k"} & {*history}) == (set() if i in moved else {"beta", "dropout.0"})
            assert len(history["updates"]) == 4


def test_a_population_that_was_broken_off_comes_to_the_same(evolved, tmp_path):
    breaks = 0
    for after in (2, 4, 3, 5, 3, 4):
        try:
            sweep_of(path=tmp_path / "p", threads=2, progress=Break(after))
            break
        except Crash:
            breaks += 1
            shown = fo.open(tmp_path / "p")
            assert not shown.finished and len(shown.table()) == 10
    done = sweep_of(path=tmp_path / "p", threads=1)
    assert breaks > 2 and done.finished and digests(done) == digests(evolved)


def test_a_finished_population_stands_in_its_folder(evolved, tmp_path):
    sweep_of(path=tmp_path / "p")
    there = fo.open(tmp_path / "p")
    assert there.finished and digests(there) == digests(evolved) and there.stop == RULE
    assert there.table() == evolved.table() and there.best.config == evolved.best.config
    config = max(range(10), key=lambda i: len(there.lineage(i)))
    assert there.replay(config).going.result.digest == there.lanes(config)[0].digest
    assert sweep_of(path=tmp_path / "p").attached
    with pytest.raises(ValueError, match="population compares all its configurations and cannot be extended"):
        sweep_of(path=tmp_path / "p", n=12)
    with pytest.raises(ValueError, match="holds another sweep: stop population"):
        sweep_of(path=tmp_path / "p", stop=fo.population(every=3, share=0.3))
    with pytest.raises(ValueError, match="population\\(\\) changes them"):
        there.polish()


def test_seeds_folds_and_schedules(tmp_path):
    """Whole configurations move, all their replicas with them; a schedule's own numbers change and its memory stays."""
    space = dict(
        lr=fo.schedules.plateau(fo.log_uniform(1e-3, 1e1), patience=1),
        l2=fo.schedules.exponential(fo.log_uniform(1e-5, 1e-2), 0.9).every(),
        dropout=(fo.uniform(0.0, 0.5),),
        batch_size=16,
    )
    rule = fo.population(every=2, share=0.4)
    options = dict(space=space, data=(blobs(61),), folds=2, seeds=2, n=5, epochs=5, stop=rule)
    sweep = sweep_of(**options)
    assert len(sweep.kept.lanes) == 20
    moved = [i for i in range(5) if sweep.lineage(i)]
    assert moved and all(len({r.lineage[-1] == sweep.lineage(i)[-1] for r in sweep.lanes(i)}) == 1 for i in moved)
    for seed, fold in ((0, 1), (1, 0)):
        run = sweep.replay(moved[-1], seed=seed, fold=fold)
        found = next(r for r in sweep.lanes(moved[-1]) if (r.seed, r.fold) == (seed, fold))
        assert run.going.result.digest == found.digest and "l2" not in run.history
    names = {"lr.value", "l2.schedule.value", "dropout.0"}
    assert set(sweep.lineage(moved[0])[-1].numbers) == names
    hyper = over_time_of(sweep, moved[0])
    assert float(hyper["lr"].value) == np.float32(sweep.lineage(moved[0])[-1].numbers["lr.value"])
    assert callable(hyper["dropout"][0])
    with pytest.raises(Crash):
        sweep_of(**options, path=tmp_path / "p", progress=Break(12))
    assert digests(sweep_of(**options, path=tmp_path / "p")) == digests(sweep)


def over_time_of(sweep, config):
    from fnopt.run.lineage import over_time

    return over_time(sweep, config)


def test_a_learning_rate_that_must_fall_falls():
    """Least squares by single noisy examples: a large rate is fast and ends in noise, a small one never arrives."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype(np.float32)
    y = (x @ np.float32([3.0, -2.0, 1.0, 4.0]) + rng.normal(size=60)).astype(np.float32)
    data = fo.data.split(fo.data.dataset(x, y), (0.5, 0.5), key=jax.random.key(1))
    model = fo.regressor(hidden=(), optimizer="sgd", batch_size=1)
    space = dict(lr=fo.log_uniform(1e-4, 0.25))
    common: dict[str, Any] = dict(n=12, epochs=24, key=jax.random.key(2), objective="train/loss")
    rule = fo.population(every=2, share=0.3, factor=2.0, resample=0.0)
    evolved, plain = (fo.caviar(model, space, *data, stop=stop, **common) for stop in (rule, None))
    rates = evolved.lanes(evolved.best.config)[0].history["lr"]
    assert rates[-1] < rates.max() / 3 and evolved.best.score < plain.best.score
    alone = fo.fit(model, *data, hyper=evolved.best.hyper, epochs=24, key=jax.random.fold_in(evolved.work.key, 0))
    np.testing.assert_allclose(alone.history["lr"], rates, rtol=1e-6)
    np.testing.assert_allclose(alone.scores["train"]["loss"], evolved.best.score, rtol=1e-3)


def test_what_cannot_be_is_said_before_anything_is_trained():
    with pytest.raises(ValueError, match=r"draws none .*: give a range"):
        sweep_of(space=dict(hidden=fo.choice(3, 4)))
    with pytest.raises(ValueError, match="take another search, or another rule"):
        sweep_of(search="coarse_to_fine", n=20)
    with pytest.raises(TypeError, match=r"Population compares configurations, and here is one"):
        fo.fit(fo.classifier(), *PARTS, stop=RULE)


def test_where_no_generation_fits_the_sweep_is_a_plain_one(plain):
    alike = sweep_of(stop=fo.population(every=7))
    assert {at: r.digest for at, r in alike.kept.lanes.items()} == {at: r.digest for at, r in plain.kept.lanes.items()}
