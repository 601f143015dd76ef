"""Configurations of unlike length in one sweep: each has the bits of a sweep of its own length."""

import math
import signal
import time

import jax
import numpy as np
import pytest
from cli_cases import sweep_pets, write_pets

import fnopt as fo
from fnopt._compile import TRACES
from fnopt.run.hypergrad import problem_of
from fnopt.run.store import curves_csv
from fnopt.sweep.drive import Silent

KEY = jax.random.key(3)
MODEL = fo.classifier(hidden=6, optimizer="momentum", batch_size=16)
SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), dropout=fo.uniform(0.0, 0.6))
OWN = SPACE | dict(epochs=fo.choice(2, 5, 6))
EPOCHS, N = 6, 10


def blobs(m=96):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, m).astype(np.int32)
    return fo.data.dataset(rng.normal(size=(m, 4)).astype(np.float32) + np.eye(3, 4, dtype=np.float32)[y], y)


PARTS = fo.data.split(blobs(), (0.6, 0.4), key=jax.random.key(0))


def sweep_of(space=OWN, n=N, epochs=EPOCHS, **options):
    return fo.caviar(MODEL, space, *PARTS, n=n, epochs=epochs, key=KEY, **options)


@pytest.fixture(scope="module")
def own():
    return sweep_of()


@pytest.fixture(scope="module")
def alike(own):
    """Sweeps of one length each, and what they and the uneven one compiled: nothing after it."""
    before = TRACES["advance"]
    made = {epochs: sweep_of(SPACE, epochs=epochs) for epochs in sorted({*own.lengths})}
    assert TRACES["advance"] == before, "a length is compiled into no program"
    return made


def same(one, other):
    """Two lanes, bit for bit: weights and all curves, NaN where the training part was not scored."""
    assert (one.digest, one.epochs, one.status, one.scores) == (other.digest, other.epochs, other.status, other.scores)
    jax.tree.map(np.testing.assert_array_equal, one.history, other.history)


def test_each_has_the_bits_of_a_sweep_of_its_length(own, alike):
    assert {*own.lengths} == {2, 5, 6} and len(own.widths) == 1
    for config, length in enumerate(own.lengths):
        assert own.configs[config] == alike[length].configs[config] | {"epochs": length}
        same(own.lanes(config)[0], alike[length].lanes(config)[0])


def test_no_epoch_is_trained_for_nothing(own):
    alive = [sum(length > age for length in own.lengths) for age in range(EPOCHS)]
    width = own.widths[0]
    assert (own.plan.live, own.plan.executed) == (sum(alive), sum(width * math.ceil(m / width) for m in alive))
    assert own.plan.occupancy == own.plan.live / own.plan.executed


def test_a_bar_is_told_lane_epochs():
    class Counting(Silent):
        told, ticked = None, 0

        def start(self, lanes, epochs):
            self.told = lanes, epochs

        def tick(self, epochs):
            self.ticked += epochs

    for stop in (None, fo.halving(eta=2)):
        watch = Counting()
        sweep = sweep_of(progress=watch, seeds=2, stop=stop)
        assert watch.told == (2 * N, 2 * sum(sweep.lengths)) and watch.ticked == watch.told[1]


def refitted(sweep, config, epochs):
    """Epochs on all rows that make the updates of so many on the training part."""
    size = sweep.trials[config].batch_size
    batches, again = (-(-rows // size) for rows in (len(PARTS[0]), sum(map(len, PARTS))))
    return max(round(epochs * batches / again), 1)


def test_replay_refit_and_fit_take_the_length_that_was_chosen(own):
    for config in (own.lengths.index(2), own.lengths.index(5)):
        run = own.replay(config)
        assert (run.epochs, run.going.result.digest) == (own.lengths[config], own.lanes(config)[0].digest)
        assert "epochs" not in run.hyper and own.refit(config=config).epochs == refitted(
            own, config, own.lengths[config]
        )
    best = own.best
    assert best.hyper["epochs"] == own.lengths[best.config]
    assert fo.fit(MODEL, *PARTS, hyper=best.hyper).epochs == best.hyper["epochs"]
    assert fo.fit(MODEL, *PARTS, hyper=best.hyper, epochs=1).epochs == 1
    assert fo.check.lane_identity(own).passed
    assert f"{N} configurations × 1 seed, 2 to 6 epochs" in str(own)
    row = own.table()[best.config]
    assert row["most_epochs"] == row["epochs"] == best.hyper["epochs"]
    with pytest.raises(ValueError, match="`epochs` must be a whole number ≥ 1, got 0"):
        fo.fit(MODEL, *PARTS, hyper={"epochs": 0})


def test_hypergrad_takes_it_too():
    problem = problem_of(MODEL, *PARTS, {"lr": 0.05, "epochs": 2})
    assert problem.steps == 2 * problem.batches
    assert problem_of(MODEL, *PARTS, {"lr": 0.05, "epochs": 2}, epochs=3).steps == 3 * problem.batches


class Breaking(Silent):
    """Asks for the end at the k-th cut, and waits until it is heard."""

    def __init__(self, cuts):
        self.cuts = cuts

    def tick(self, epochs):
        self.cuts -= 1
        if self.cuts == 0:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.15)


@pytest.mark.parametrize("stop", [None, fo.asynchronous_halving(eta=2)])
def test_broken_off_and_gone_on(tmp_path, own, stop):
    whole, cuts = (own if stop is None else sweep_of(stop=stop)), 1
    path = tmp_path / "s"
    while not (sweep := sweep_of(stop=stop, path=path, progress=Breaking(cuts), threads=1)).finished:
        assert sweep.ended == "interrupted"
        cuts += 2
    assert cuts > 3
    np.testing.assert_equal([*sweep.table()], [*whole.table()])  # where NaN is NaN
    assert curves_csv(sweep) == curves_csv(whole) == (path / "curves.csv").read_text()
    opened = fo.open(path)
    assert opened.lengths == own.lengths and opened.best.hyper == whole.best.hyper
    assert opened.replay(0).going.result.digest == whole.lanes(0)[0].digest
    head = (path / "results.csv").read_text().splitlines()[0].split(",")
    assert head.count("most_epochs") == head.count("epochs") == 1
    more = sweep_of(stop=stop, path=path, n=N + 3)
    assert [more.lanes(c)[0].digest for c in range(N)] == [whole.lanes(c)[0].digest for c in range(N)]


@pytest.mark.parametrize("rule", [fo.halving(eta=2), fo.hyperband(eta=2), fo.median(min_epochs=1, warmup=1)])
def test_rules_compare_those_that_train_beyond_a_rung(own, rule):
    """By hand for halving, with rungs at 1 and 3: configurations of length 2 are judged at 1 and not at 3."""
    sweep = sweep_of(stop=rule)
    for config, length in enumerate(sweep.lengths):
        (lane,) = sweep.lanes(config)
        assert lane.status in ("done", "pruned") and (lane.epochs == length) == (lane.status == "done")
        assert (lane.digest == own.lanes(config)[0].digest) == (lane.status == "done")
    if isinstance(rule, fo.sweep.stop.Halving):
        curves = {c: own.lanes(c)[0].history["dev"] for c in range(N)}
        on, done = [*range(N)], set()
        for age in (1, 3):
            done |= {c for c in on if own.lengths[c] <= age}
            on = [c for c in on if own.lengths[c] > age]
            order = sorted(on, key=lambda c: (-curves[c]["accuracy"][age - 1], curves[c]["loss"][age - 1], c))
            on = order[: math.ceil(len(on) / 2)]
        assert {c for c in range(N) if sweep.lanes(c)[0].status == "done"} == done | {*on}


def test_early_stopping_may_come_before_the_end():
    stop = fo.early_stopping(patience=1)
    sweep, long = (sweep_of(space, stop=stop) for space in (OWN, SPACE))
    for config, length in enumerate(sweep.lengths):
        (one,), (other,) = sweep.lanes(config), long.lanes(config)
        assert one.epochs == min(length, other.epochs)
        assert one.best == int(np.argmax(other.history["dev"]["accuracy"][: one.epochs])) or one.status == "stopped"
        assert sweep.refit(config=config).epochs == refitted(sweep, config, one.best + 1)


def test_a_range_a_grid_and_a_condition():
    fixed = dict(lr=0.1, dropout=0.1)
    assert sweep_of(fixed | dict(epochs=fo.integer(1, 3)), search="grid", n=None).lengths == [1, 2, 3]
    assert [r.epochs for r in sweep_of(fixed | dict(epochs=2), n=1).lanes(0)] == [2]
    space = dict(lr=0.1, dropout=fo.choice(0.1, 0.5), epochs=fo.when(dropout=0.5, epochs=fo.choice(1, 2)))
    sweep = sweep_of(space, n=None, search="grid", epochs=3)
    assert sweep.lengths == [3, 1, 2] and [r["most_epochs"] for r in sweep.table()] == [None, 1, 2]


@pytest.mark.filterwarnings("ignore:coarse to fine")
def test_coarse_to_fine_shortens_each():
    sweep = sweep_of(SPACE | dict(epochs=fo.choice(3, 9, 12)), n=9, epochs=12, search="coarse_to_fine")
    drawn = [h["epochs"] for h in sweep.coarse.configs]
    assert {*drawn} <= {2, 3, 4} and drawn == [sweep.coarse.lanes(c)[0].epochs for c in range(5)]
    assert {*sweep.lengths} <= {3, 9, 12} and sweep.lengths == [sweep.lanes(c)[0].epochs for c in range(4)]


WRONG = {
    "above": (fo.choice(2, 9), "goes to 9, above epochs=6, the most .*: write epochs=9, or lower it in the space"),
    "a range above": (fo.integer(2, 9), "goes to 9, above epochs=6"),
    "none": (fo.choice(0, 2), "whole numbers from 1 to 6, got 0"),
    "a fraction": (2.5, "whole numbers from 1 to 6, got 2.5"),
    "fractions": (fo.uniform(1, 5), r"as fo.integer\(5, 30\) or .*, got uniform\(1, 5\)"),
    "under a condition": (fo.when(lr=0.1, epochs=7), "goes to 7, above epochs=6"),
}


@pytest.mark.parametrize("name", WRONG)
def test_lengths_that_cannot_be(name):
    value, says = WRONG[name]
    with pytest.raises(ValueError, match=says):
        sweep_of(dict(lr=0.1, epochs=value))


def test_what_takes_no_lengths_says_so():
    with pytest.raises(ValueError, match=r"population\(\) .* take `epochs` out of the space"):
        sweep_of(stop=fo.population(every=2))
    with pytest.raises(TypeError, match="no argument 'epochs'"):
        fo.classifier(epochs=3)
    with pytest.raises(ValueError, match="call the model's own something else"):
        fo.supervised(len, len, len, numbers={"epochs": 1.0})
    with pytest.raises(ValueError, match="unknown name 'epoch'; did you mean 'epochs'"):
        fo.fit(MODEL, *PARTS, hyper={"epoch": 3})


def test_from_a_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("fnopt.cli.winner.show_winner", lambda *told, **more: None)
    write_pets(tmp_path)
    with (tmp_path / "space.toml").open("a") as file:
        file.write("epochs = {choice = [1, 3]}\n")
    assert sweep_pets(tmp_path, tmp_path / "out", n=4, epochs=3) == 0
    said = capsys.readouterr().out
    assert "4 configurations, up to 3 epochs, random search" in said and "most_epochs" in said
    assert {*fo.open(tmp_path / "out").lengths} == {1, 3}
    assert sweep_pets(tmp_path, tmp_path / "other", n=4, epochs=2) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "goes to 3, above --epochs 2" in line and "write --epochs 3" in line
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("rule", [None, fo.halving(eta=2)], ids=["no rule", "halving"])
def test_a_lane_that_dies_where_another_ends_is_as_alone(rule):
    """Its chunk ended, and the training part was scored, for the other; and at rungs, where it is scored for all."""
    space = dict(lr=fo.choice(1e37, 0.01), optimizer="sgd") | ({} if rule else {"epochs": fo.choice(1, 4)})
    sweep = fo.caviar(MODEL, space, *PARTS, search="grid", epochs=4, stop=rule, key=KEY, threads=1)
    assert fo.check.lane_identity(sweep).passed, fo.check.lane_identity(sweep)
    assert {row["status"] for row in sweep.table()} >= {"diverged"}


@pytest.mark.parametrize(
    "rule", [fo.median(min_epochs=3, every=3, warmup=20), fo.halving(eta=3)], ids=["median", "halving"]
)
def test_scores_do_not_depend_on_who_ends_where_another_is_judged(rule):
    """The training part is scored where a lane ends, and its sisters, who are at a rung there, have no score for it."""
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), epochs=fo.choice(3, 9), batch_size=16)
    sweep = fo.caviar(MODEL, space, *PARTS, n=12, epochs=9, stop=rule, key=KEY)
    assert fo.check.lane_identity(sweep).passed, fo.check.lane_identity(sweep)
    few = fo.caviar(MODEL, space, *PARTS, n=5, epochs=9, stop=rule, key=KEY)
    if rule.ordered:
        for i in range(5):
            np.testing.assert_equal(few.lanes(i)[0].history, sweep.lanes(i)[0].history)
