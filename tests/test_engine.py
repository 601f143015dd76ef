"""The lane engine: rules, folds, faults, devices and breaks change which lanes train, and no lane's bits."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest

import fnopt as fo
from fnopt._compile import TRACES
from fnopt.run import store
from fnopt.run.store import curves_csv, table_csv
from fnopt.sweep import compiled

KEY = jax.random.key(3)
SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), l2=fo.log_uniform(1e-6, 1e-2), dropout=fo.uniform(0.0, 0.6), batch_size=16)
MODEL = fo.classifier(hidden=8)
RULES = {
    "halving": fo.halving(eta=2),
    "hyperband": fo.hyperband(eta=2),
    "asynchronous": fo.asynchronous_halving(eta=2),
    "median": fo.median(min_epochs=2, warmup=2),
}


def blobs(m=150, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, m).astype(np.int32)
    x = rng.normal(size=(m, 4)).astype(np.float32) + np.eye(3, 4, dtype=np.float32)[y]
    return fo.data.dataset(x, y)


WHOLE = blobs()
PARTS = fo.data.split(WHOLE, (0.6, 0.4), key=jax.random.key(0))


def sweep_of(n, **options):
    options = {"epochs": 8, "key": KEY, **options}
    return fo.caviar(MODEL, options.pop("space", SPACE), *options.pop("data", PARTS), n=n, **options)


def digests(sweep):
    return {at: r.digest for at, r in sorted(sweep.kept.lanes.items())}


@pytest.fixture(scope="module")
def full():
    return sweep_of(14)


@pytest.mark.parametrize("name", RULES)
def test_survivors_are_the_lanes_of_a_full_sweep(full, name):
    """Stopping changes nothing but the length: curves are the full sweep's, cut off; survivors end in the same bits."""
    before = TRACES["advance"]
    sweep = sweep_of(14, stop=RULES[name])
    assert TRACES["advance"] == before, "no rung compiles anything"
    assert {row["status"] for row in sweep.table()} == {"done", "pruned"}
    for at, r in sweep.kept.lanes.items():
        whole = full.kept.lanes[at]
        for score in ("loss", "accuracy"):
            np.testing.assert_array_equal(r.history["dev"][score], whole.history["dev"][score][: r.epochs])
        assert (r.digest == whole.digest) == (r.status == "done")
    assert sweep.ranking()[0].status == "done" and sweep.plan.live == sum(r.epochs for r in sweep.kept.lanes.values())
    pruned = next(i for i, row in enumerate(sweep.table()) if row["status"] == "pruned")
    assert " at epoch " in sweep.table()[pruned]["why"]
    assert sweep.replay(pruned).status == "pruned"
    assert str(sweep.stop).split("(")[0].lower() in repr(sweep.stop).lower()


def test_halving_keeps_the_best_half_of_each_rung(full):
    """By hand, from the full sweep's curves: 14 → 7 after epoch 1, → 4 after 2, → 2 after 4."""
    lanes = [full.lanes(c)[0].history["dev"] for c in range(14)]
    rows = [(dev["accuracy"], dev["loss"]) for dev in lanes]
    alive = list(range(14))
    for age, keep in ((1, 7), (2, 4), (4, 2)):
        alive = sorted(alive, key=lambda c: (-rows[c][0][age - 1], rows[c][1][age - 1], c))[:keep]
    sweep = sweep_of(14, stop=RULES["halving"])
    assert {i for i, row in enumerate(sweep.table()) if row["status"] == "done"} == set(alive)


def test_folds_are_an_axis():
    """Each fold is the sweep of its own two parts: same scaling, and a mean score over folds with its error."""
    folds = fo.data.folds(WHOLE, 4, key=jax.random.key(9), stratify=True)
    sweep = sweep_of(5, data=(WHOLE,), folds=folds, seeds=2, epochs=2)
    assert len(sweep.kept.lanes) == 40
    row = sweep.table()[3]
    scores = [r.scores["dev"]["accuracy"] for r in sweep.lanes(3)]
    assert row["score"] == pytest.approx(np.mean(scores))
    assert row["standard_error"] == pytest.approx(np.std(scores, ddof=1) / np.sqrt(8))
    for fold, (train, dev) in enumerate(folds.parts(WHOLE)):
        np.testing.assert_allclose(sweep.frames[fold].inputs.mean, np.mean(np.asarray(train.x), axis=0), rtol=1e-4)
        run = sweep.replay(3, seed=1, fold=fold)
        found = next(r for r in sweep.lanes(3) if (r.seed, r.fold) == (1, fold))
        assert run.going.result.digest == found.digest
        assert run.evaluate(dev)["accuracy"] == pytest.approx(found.scores["dev"]["accuracy"])
    pair = sweep.compare(0, 1)
    a, b = ([r.scores["dev"]["accuracy"] for r in sweep.lanes(i)] for i in (0, 1))
    assert pair["difference"] == pytest.approx(np.mean(a) - np.mean(b)) and pair["lanes"] == 8
    assert pair["error"] == pytest.approx(np.std(np.subtract(a, b), ddof=1) / np.sqrt(8))


def test_folds_of_unlike_size_share_a_program_and_the_padding_changes_nothing():
    """149 rows in 4 folds: train parts of 111 and 112. The lane of a fold is that of its own two parts, to rounding."""
    data = blobs(149)
    folds = fo.data.folds(data, 4, key=jax.random.key(1))
    before = TRACES["advance"]
    sweep = sweep_of(2, data=(data,), folds=folds, epochs=2)
    assert TRACES["advance"] <= before + 1
    train, dev = folds.parts(data)[3]
    key = jax.random.fold_in(jax.random.fold_in(sweep.work.key, 0), 3)
    alone = fo.fit(MODEL, train, dev, hyper=sweep.configs[1], epochs=2, key=key)
    for score in ("loss", "accuracy"):
        np.testing.assert_allclose(alone.history["dev"][score], sweep.lanes(1)[3].history["dev"][score], rtol=1e-5)


def test_devices_give_the_same_bits(full):
    """One chunk program on each of two host devices, by turns."""
    if len(jax.devices()) < 2:
        pytest.skip("one device")
    two = sweep_of(14, devices=jax.devices()[:2], threads=2)
    assert digests(two) == digests(full)
    assert two.plan.devices == 2


def test_a_third_of_nan_lanes_changes_no_neighbour(full):
    """Every third configuration diverges at once: the others' bits stay, and the places of the dead are reclaimed."""
    numbers = [{name: float(full.configs[i][name]) for name in ("lr", "l2", "dropout")} for i in range(14)]
    lr = fo.choice(*(1e30 + i * 1e25 if i % 3 == 0 else one["lr"] for i, one in enumerate(numbers)))
    assert lr.options[1] == numbers[1]["lr"]
    sweep = fo.caviar(MODEL, dict(lr=lr, l2=1e-4, dropout=0.2, batch_size=16), *PARTS, search="grid", epochs=8, key=KEY)
    clean = fo.caviar(
        MODEL,
        dict(lr=fo.choice(*(one["lr"] for i, one in enumerate(numbers) if i % 3)), l2=1e-4, dropout=0.2, batch_size=16),
        *PARTS,
        search="grid",
        epochs=8,
        key=KEY,
    )
    kept = [r for r in sweep.kept.lanes.values() if r.status == "done"]
    assert [r.digest for r in sorted(kept)] == [r.digest for _, r in sorted(clean.kept.lanes.items())]
    bad = [row for row in sweep.table() if row["status"] == "diverged"]
    assert len(bad) == 5 and all("not finite at step" in row["why"] for row in bad)
    assert sweep.plan.occupancy > 0.6, "dead lanes leave at the first cut"


def test_debug_names_the_first_bad_leaf():
    sweep = sweep_of(2, space={**SPACE, "lr": 1e30}, epochs=1)
    run = sweep.replay(1, debug=True)
    found = run.autopsy
    assert found is not None and found.first and found.first in run.why
    assert f"step {found.step}" in run.why and found.epoch == 1
    assert any(leaf.bad for leaf in found.leaves) or not np.isfinite(found.cost)
    assert sweep.replay(1).autopsy is None


def test_a_program_too_large_is_halved_aloud(full, monkeypatch):
    """Memory gives out at more than 2 lanes: C is halved, recorded, and every lane is its own replay."""
    real = compiled.program

    def small(trial, objective, device, lanes, *rest):
        if lanes.state.step.shape[0] > 2:
            raise compiled.Exhausted(trial, "no room")
        return real(trial, objective, device, lanes, *rest)

    monkeypatch.setattr("fnopt.sweep.chunk.program", small)
    with pytest.warns(UserWarning, match="too little memory for 4 lanes a chunk .*continuing with 2"):
        sweep = sweep_of(6, epochs=2)
    assert sweep.widths == [2] and sweep.plan.lanes == (2,)
    assert sweep.replay(3).going.result.digest == digests(sweep)[3, 0, 0]

    def none(trial, *rest):
        raise compiled.Exhausted(trial, "no room")

    monkeypatch.setattr("fnopt.sweep.chunk.program", none)
    warnings.simplefilter("ignore")
    with pytest.raises(MemoryError, match="alone is too large"):
        sweep_of(1, epochs=1)


# Breaks


CODE = """
import sys, jax
sys.path.insert(0, sys.argv[2])
import conftest
from test_engine import RULES, sweep_of, WHOLE
rule = RULES.get(sys.argv[3])
sweep = sweep_of(14, path=sys.argv[1], epochs=60, stop=rule, data=(WHOLE,), folds=2)
assert sweep.finished
"""


def start(path, rule):
    arguments = [sys.executable, "-c", CODE, str(path), str(Path(__file__).parent), rule]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, cwd=Path(__file__).parent.parent)


@pytest.mark.parametrize("rule", ["none", "halving"])
def test_killed_and_gone_on_is_the_unbroken_run(tmp_path, rule):
    """kill -9 while it trains, then SIGTERM, then to the end: every byte of the tables is that of an unbroken run."""
    path = tmp_path / "s"
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = start(path, rule)
        deadline = time.monotonic() + 60
        seen = {p.name for p in path.glob("checkpoint-*")} if path.exists() else set()
        while process.poll() is None and time.monotonic() < deadline:
            now = {p.name for p in path.glob("checkpoint-*")} if path.exists() else set()
            if now - seen or (number == signal.SIGKILL and path.exists()):
                break
            time.sleep(0.01)
        process.send_signal(number)
        process.communicate()
    assert path.exists()
    broken = sweep_of(14, path=path, epochs=60, stop=RULES.get(rule), data=(WHOLE,), folds=2)
    whole = sweep_of(14, epochs=60, stop=RULES.get(rule), data=(WHOLE,), folds=2)
    assert broken.finished and digests(broken) == digests(whole)
    assert (path / "results.csv").read_text() == table_csv(whole.table())
    assert (path / "curves.csv").read_text() == curves_csv(whole)


def test_killed_between_state_and_tables_gets_its_tables(tmp_path):
    """A folder whose sweep is finished and whose tables are missing or of an earlier day: the same call mends them."""
    path = tmp_path / "s"
    sweep_of(4, path=path)
    tables = {name: (path / name).read_bytes() for name in ("results.csv", "curves.csv")}
    (path / "results.csv").unlink()
    (path / "curves.csv").write_bytes(tables["curves.csv"][:100])
    assert sweep_of(4, path=path).finished
    assert {name: (path / name).read_bytes() for name in tables} == tables


class Breaking:
    """A watch that asks for the end at the k-th cut, and waits until it is heard."""

    def __init__(self, cuts):
        self.cuts = cuts

    def start(self, lanes, epochs): ...
    def done(self, results): ...
    def tick(self, epochs):
        self.cuts -= 1
        if self.cuts == 0:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.15)


@pytest.mark.parametrize("rule", [None, *RULES])
def test_broken_off_and_gone_on_is_the_unbroken_run(tmp_path, rule, full):
    """Broken off at the 1st, 2nd, 3rd, … cut after each start; it decides and ends as one that was never broken."""
    stop, cuts = RULES.get(rule), 1
    while not (sweep := sweep_of(14, stop=stop, path=tmp_path / "s", progress=Breaking(cuts), threads=1)).finished:
        assert sweep.ended == "interrupted" and {s.status for s in sweep.ranking()} & {"cut", "not run"}
        again = fo.open(tmp_path / "s")
        assert table_csv(again.table()) == table_csv(sweep.table())
        cuts += 1
    assert cuts > 3
    whole = full if stop is None else sweep_of(14, stop=stop)
    assert digests(sweep) == digests(whole) and table_csv(sweep.table()) == table_csv(whole.table())


def test_minutes_end_a_sweep(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("fnopt.sweep.deadline.now", lambda: clock[0])

    class Slow(Breaking):
        def tick(self, epochs):
            clock[0] += 1.0
            time.sleep(0.1)

    sweep = sweep_of(14, path=tmp_path / "s", minutes=0.01, progress=Slow(0))
    assert not sweep.finished and sweep.ended == "out of time"
    assert sweep_of(14, path=tmp_path / "s").finished


def test_a_larger_n_extends(tmp_path, full):
    sweep_of(5, path=tmp_path / "s")
    larger = sweep_of(14, path=tmp_path / "s")
    assert digests(larger) == digests(full)
    assert larger.plan.live == 9 * 8, "the first five are not trained again"
    sweep_of(4, path=tmp_path / "h", stop=RULES["halving"])
    with pytest.raises(ValueError, match="cannot be extended"):
        sweep_of(14, path=tmp_path / "h", stop=RULES["halving"])
    sweep_of(5, path=tmp_path / "a", stop=RULES["asynchronous"])
    longer = sweep_of(14, path=tmp_path / "a", stop=RULES["asynchronous"])
    assert digests(longer) == digests(sweep_of(14, stop=RULES["asynchronous"]))


def test_other_cores_are_refused_by_name(tmp_path, monkeypatch):
    sweep_of(14, path=tmp_path / "s", progress=Breaking(1))
    monkeypatch.setenv("NPROC", str(len(os.sched_getaffinity(0)) + 1))
    with pytest.raises(ValueError, match=r"cores was '\d+' and is '\d+': set NPROC=\d+ .*anyway"):
        sweep_of(14, path=tmp_path / "s")
    assert sweep_of(14, path=tmp_path / "s", anyway=True).finished


def test_two_writers_are_refused(tmp_path):
    from fnopt.run.lock import locked

    sweep_of(2, path=tmp_path / "s")
    with locked(tmp_path / "s"), pytest.raises(ValueError, match=r"pid|process"):
        sweep_of(2, path=tmp_path / "s")


def test_bad_rules_say_what_to_write():
    with pytest.raises(ValueError, match="`eta` must be a number above 1"):
        fo.halving(eta=1)
    with pytest.raises(TypeError, match=r"use it in fo\.caviar"):
        fo.fit(MODEL, *PARTS, stop=fo.halving(), epochs=1)
    with pytest.raises(TypeError, match=r"fo\.hyperband"):
        sweep_of(2, stop="halving")
    with pytest.raises(ValueError, match="leave out `dev`, or `folds`"):
        sweep_of(2, folds=3)
    with pytest.raises(ValueError, match="`minutes` must be a number above 0"):
        sweep_of(2, minutes=0)


def test_killed_while_it_is_extended_goes_on(tmp_path, full):
    """The folder asks for more than its newest state holds, which says "finished": it is not."""
    from fnopt.run.manifest import manifest
    from fnopt.run.store import _text

    sweep_of(5, path=tmp_path / "s")
    (tmp_path / "s" / "sweep.json").write_bytes(_text(manifest(full)))
    assert not fo.open(tmp_path / "s").finished
    assert digests(sweep_of(14, path=tmp_path / "s")) == digests(full)
    assert fo.open(tmp_path / "s").finished


def test_folds_that_lack_a_class_are_refused():
    y = np.array([0, 1] * 20 + [2] * 10)
    data = fo.data.dataset(np.ones((50, 2), np.float32), y.astype(np.int32))
    pairs = [(np.arange(20), np.arange(20, 40)), (np.arange(10, 45), np.arange(45, 50))]
    with pytest.raises(ValueError, match=r"fold 1 has the classes .* name them all"):
        fo.caviar(MODEL, SPACE, data, n=1, epochs=1, folds=pairs)


def test_schedules_count_the_epochs_of_each_fold():
    """Folds of a time series grow; a learning rate halved each epoch is so in each of them."""
    folds = fo.data.folds(WHOLE, 3, kind="time_series")
    space = {**SPACE, "lr": fo.schedules.exponential(0.1, 0.5).every()}
    sweep = sweep_of(1, space=space, data=(WHOLE,), folds=folds, epochs=3)
    for r in sweep.lanes(0):
        np.testing.assert_allclose(r.history["lr"], [0.1, 0.05, 0.025], rtol=1e-5)
    assert sweep.replay(0, fold=2).going.result.digest == sweep.lanes(0)[2].digest


def test_numbers_of_two_meanings_are_refused():
    def loss(params, stats, batch, hyper, key, train):
        return (batch.x @ params)[:, 0] ** 2, stats

    def init(key, example, hyper):
        return jax.numpy.zeros((4, 1)), ()

    model = fo.supervised(init, loss, lambda p, s, x, h: x @ p, task="values", numbers=dict(beta=0.5))
    with pytest.raises(ValueError, match="'beta' is one of momentum's too"):
        fo.fit(model, blobs(), hyper=dict(optimizer="momentum"), epochs=1)


def test_too_large_a_program_is_refused_each_time(monkeypatch):
    """What a sweep's C comes to does not depend on the sweeps before it in the same process."""
    from fnopt.sweep import compiled

    train, dev = fo.data.split(fo.data.iris(), (0.5, 0.5), key=jax.random.key(0))
    go = lambda: fo.caviar(fo.classifier(hidden=(5,)), dict(lr=fo.log_uniform(1e-3, 1e-1)), train, dev, n=5, epochs=2)  # noqa: E731
    sweep = go()
    bytes_ = sweep.plan.memory
    monkeypatch.setattr(compiled, "total_memory", lambda device: bytes_ - 1)
    for _ in range(2):
        with pytest.warns(UserWarning, match="too little memory for 4 lanes"):
            small = go()
        assert small.widths == [2] and "since 4 need too much memory" in str(small.plan)


def test_settings_of_the_caller_hold_in_all_threads():
    """`with` sets them for the calling thread alone; the programs' names tell with what they were compiled."""
    from fnopt.sweep.compiled import _PROGRAMS

    with jax.default_matmul_precision("float32"):
        train, dev = fo.data.split(fo.data.iris(), (0.5, 0.5), key=jax.random.key(0))
        sweep = fo.caviar(fo.classifier(hidden=(6,)), dict(lr=fo.log_uniform(1e-3, 1e-1)), train, dev, n=5, epochs=2)
    mine = [name for name in _PROGRAMS._made if sweep.entries[0].program.trial in name]
    assert mine and all("float32" in name for name in mine)


def test_a_tracing_inside_a_tracing_is_not_waited_for(monkeypatch):
    """As where a loss fits a teacher when it is first traced; in another thread the turn is given up after a while."""
    from concurrent.futures import ThreadPoolExecutor

    from fnopt.sweep import compiled

    monkeypatch.setattr(compiled, "PATIENCE", 0.01)

    def inner(x):
        return x + 1

    def outer(x):
        with jax.ensure_compile_time_eval(), ThreadPoolExecutor(1) as pool:
            assert (
                compiled._lowered(jax.jit(inner), 1.0) and pool.submit(compiled._lowered, jax.jit(inner), 1.0).result()
            )
        return x

    assert compiled._lowered(jax.jit(outer), 1.0)


def test_another_engine_is_refused_by_name():
    from fnopt.sweep.plan import ENGINE, differences, fingerprint

    now = fingerprint()
    old = {name: value for name, value in now.items() if name != "engine"}
    assert differences(now, now) == []
    assert differences(old, now) == [f"engine was '1' and is '{ENGINE}': take the fnopt that began it"]


@pytest.mark.parametrize("every", [0.0, 1e9])
def test_a_full_disk_under_a_sweep_loses_nothing(full, tmp_path, monkeypatch, every):
    """The first checkpoint, or the last, does not fit: the folder stays, no thread trains on, the same call resumes."""
    from fnopt.run import conduct

    write = store.write

    def fills(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(conduct, "run_field", partial(conduct.run_field, every=every))
    monkeypatch.setattr(store, "write", fills)
    with pytest.raises(OSError, match="No space left"):
        sweep_of(14, path=tmp_path / "s")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fnopt-")]
    assert fo.open(tmp_path / "s").n == 14
    monkeypatch.setattr(store, "write", write)
    assert digests(sweep_of(14, path=tmp_path / "s")) == digests(full)


def test_a_fault_at_any_write_of_a_folder_loses_nothing(full, tmp_path, monkeypatch):
    """Whichever of all calls that put something in place fails, from the folder's beginning to its last table."""
    named = [(os, "fsync"), (os, "replace"), (os, "open"), (Path, "rename"), (tempfile, "mkdtemp")]
    calls: list[str] = []

    def run(folder, fault):
        del calls[:]

        def counted(name, function, *args, **kwargs):
            calls.append(name)
            if len(calls) == fault:
                raise OSError(errno.EIO, "Input/output error")
            return function(*args, **kwargs)

        with monkeypatch.context() as patched:
            for where, name in named:
                patched.setattr(where, name, bound(where, partial(counted, name, getattr(where, name))))
            return sweep_of(14, path=folder)

    whole = digests(run(tmp_path / "whole", 0))
    assert whole == digests(full) and len(calls) >= 12
    several = len(calls)
    for fault in range(1, several + 1):
        folder = tmp_path / str(fault)
        with contextlib.suppress(OSError):  # what it only tidies up may fail in silence
            run(folder, fault)
        assert len(calls) >= fault
        if store.holds(folder):
            assert fo.open(folder).n == 14, fault
        else:  # it never began, and that is said
            with pytest.raises((ValueError, FileNotFoundError), match=r"no folder|holds no sweep"):
                fo.open(folder)
        assert digests(sweep_of(14, path=folder)) == whole, fault
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def bound(where, function):
    """In the place of a module's function, or of a class's method, which is given ``self`` too."""
    return (lambda *args, **kwargs: function(*args, **kwargs)) if isinstance(where, type) else function
