"""Coarse to fine: what a space is narrowed to, and the two sweeps of one search."""

import math
import shutil
import time

import jax
import numpy as np
import pytest
from cli_cases import contents, sweep_pets, write_pets
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine import KEY, MODEL, PARTS, SPACE, WHOLE, Breaking, digests

import fnopt as fo
from fnopt.cli.entry import run
from fnopt.run.coarse import sample
from fnopt.run.store import curves_csv, table_csv
from fnopt.space.narrow import narrow
from fnopt.sweep import propose

# Few configurations are tried here, so that the best often sit at an edge: tests/space/test_edges.py looks at that.
pytestmark = pytest.mark.filterwarnings("ignore:coarse to fine")

# Narrowing

COSINE = fo.schedules.cosine(peak=fo.log_uniform(1e-4, 1.0), steps=100)
BY_HAND = {  # space, the best values, and what is left: bounds, or options
    "uniform": (fo.uniform(0.0, 10.0), (4.0, 5.5, 5.0), (3.0, 6.5)),
    "cut at its bounds": (fo.uniform(-1.0, 1.0), (-0.9, 0.95, 0.0), (-1.0, 1.0)),
    "one value": (fo.uniform(0.0, 1.0), (0.5, 0.5, 0.5), (0.4, 0.6)),
    "log_uniform": (fo.log_uniform(1e-4, 1.0), (0.01, 0.1, 0.02), (10**-2.4, 10**-0.6)),
    "one_minus_log_uniform": (fo.one_minus_log_uniform(0.9, 0.999), (0.99, 0.99, 0.99), (1 - 10**-1.8, 1 - 10**-2.2)),
    "integer": (fo.integer(0, 20), (7, 9, 8), (5, 11)),
    "integer, outwards": (fo.integer(1, 4), (2, 2, 2), (1, 3)),
    "log_integer": (fo.log_integer(1, 1000), (30, 60, 30), (15, 120)),
    "normal": (fo.normal(1.0, 0.5), (0.0, 3.0, 1.0), (-0.2, 3.2)),
    "log_normal": (fo.log_normal(0.0, 1.0), (1.0, math.e, 2.0), (math.exp(-0.4), math.exp(1.4))),
    "choice": (fo.choice("a", "b", "c"), ("c", "a", "c"), ("a", "c")),
    "choice of widths": (fo.choice((8,), (8, 8), None), ((8, 8), None, None), ((8, 8), None)),
    "choice of unlike types": (fo.choice(1, 1.0, True), (1.0, 1.0, 1.0), (1.0,)),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_left_by_hand(name):
    space, best, left = BY_HAND[name]
    ranked = [{"a": x} for x in (*best, *best[:1] * 12)]  # a fifth of 15, and no more
    ranked[3]["a"] = getattr(space, "high", None) or space.options[0]
    found = narrow({"a": space}, ranked)["a"]
    if isinstance(left[0], float | int) and hasattr(found, "kind"):
        assert found.kind == {"normal": "uniform", "log_normal": "log_uniform"}.get(space.kind, space.kind)
        assert (found.low, found.high) == pytest.approx(left, rel=1e-6)
    else:
        assert found.options == left and [type(o) for o in found.options] == [type(o) for o in left]


def test_how_many_are_the_best():
    """A fifth, rounded up, and at least three."""
    space = {"a": fo.uniform(0.0, 100.0)}
    for count, taken in ((1, 1), (3, 3), (5, 3), (15, 3), (16, 4), (40, 8)):
        high = narrow(space, [{"a": 20.0 + k} for k in range(count)])["a"].high
        assert high == pytest.approx(20 + taken - 1 + 10), (count, taken)


def test_conditions_schedules_and_tuples():
    space = dict(
        optimizer=fo.choice("adam", "sgd"),
        b1=fo.when(optimizer="adam", b1=fo.uniform(0.0, 1.0)),
        b2=fo.when(optimizer=["adamw"], b2=fo.uniform(0.0, 1.0)),
        lr=COSINE,
        hidden=(fo.integer(10, 50), 7, fo.choice(8, 16)),
        batch_size=16,
    )
    rest = dict(lr=fo.schedules.cosine(peak=0.01, steps=100), hidden=(20, 7, 16), batch_size=16)
    ranked = [dict(optimizer="sgd", **rest), dict(optimizer="adam", b1=0.25, **rest), dict(optimizer="sgd", **rest)]
    found = narrow(space, ranked)
    assert list(found) == list(space)
    assert repr(found["b1"]) == "when(optimizer='adam', b1=uniform(0.15, 0.35))"
    assert found["b2"] == space["b2"] and found["batch_size"] == 16
    assert (found["lr"].peak.low, found["lr"].peak.high) == pytest.approx((10**-2.4, 10**-1.6))
    assert found["lr"].steps == 100
    assert repr(found["hidden"]) == "(integer(16, 24), 7, choice(16))"
    assert narrow(space, []) == space
    again = narrow(found, propose(found, 9, KEY, "random"))
    assert list(again) == list(space)


UNIT = st.floats(0, 1)
KINDS = {
    "uniform": (st.floats(-1e3, 1e3), lambda low, w: fo.uniform(low, low + 1 + w)),
    "log_uniform": (st.floats(1e-6, 1e2), lambda low, w: fo.log_uniform(low, low * (1.5 + 1e3 * w))),
    "one_minus_log_uniform": (
        st.floats(1e-5, 0.5), lambda low, w: fo.one_minus_log_uniform(1 - 2 * low, 1 - low * (0.01 + 0.9 * w))
    ),
    "integer": (st.integers(-50, 50), lambda low, w: fo.integer(low, low + 1 + int(99 * w))),
    "log_integer": (st.integers(1, 50), lambda low, w: fo.log_integer(low, low + 1 + int(999 * w))),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data())
def test_a_narrowed_range_lies_within_and_holds_the_best(kind, data):
    """Also when narrowed again; and it is a range that can be drawn from, unless a bound was."""
    lows, make = KINDS[kind]
    space = make(data.draw(lows), data.draw(UNIT))
    shares = np.array(data.draw(st.lists(UNIT, min_size=1, max_size=12)))
    values = space.low + shares * (space.high - space.low)
    values = np.clip(np.floor(values) if space.whole else values, space.low, space.high).tolist()
    ranked = [{"a": v} for v in values]
    once = narrow({"a": space}, ranked)
    for outer, inner in ((space, once["a"]), (once["a"], narrow(once, ranked)["a"])):
        assert inner.kind == space.kind and outer.low <= inner.low < inner.high <= outer.high
        assert all(inner.low <= v <= inner.high for v in values[:3])
        assert not space.whole or (float(inner.low).is_integer() and float(inner.high).is_integer())


# Examples


def test_the_sample_is_stratified_and_large_enough():
    labels = np.repeat([0, 1, 2, 3], [600, 200, 25, 4])
    rows = sample(labels, KEY)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert np.bincount(labels[rows]).tolist() == [150, 50, 10, 4]
    assert sample(labels, KEY).tolist() == rows.tolist() != sample(labels, jax.random.key(4)).tolist()
    assert len(sample(labels[:30], KEY)) == 30


# Two sweeps


def search_of(n=12, **options):
    options = {"epochs": 6, "key": KEY, "search": "coarse_to_fine", **options}
    return fo.caviar(MODEL, options.pop("space", SPACE), *options.pop("data", PARTS), n=n, **options)


@pytest.fixture(scope="module")
def whole():
    return search_of()


def same(one, other):
    return digests(one) == digests(other) and table_csv(one.table()) == table_csv(other.table())


def test_the_first_sweep_is_small_and_the_second_lies_where_it_was_good(whole):
    coarse = whole.coarse
    assert (coarse.n, coarse.work.epochs, whole.n, whole.work.epochs) == (5, 2, 7, 6)
    assert coarse.coarse is None and coarse.finished and whole.finished
    train, dev = PARTS
    assert 64 <= len(coarse.train) < len(train) == len(whole.train) and coarse.dev is whole.dev is dev
    rows = {row.tobytes() for row in np.asarray(train.x)}
    assert all(row.tobytes() in rows for row in np.asarray(coarse.train.x))
    assert "7 configurations × 1 seed, 6 epochs, coarse_to_fine search" in str(whole)
    best = [coarse.configs[s.config] for s in coarse.ranking()[:3]]
    for name in ("lr", "l2"):
        given, logs = SPACE[name], np.log([float(hyper[name]) for hyper in best])
        margin = 0.1 * (math.log(given.high) - math.log(given.low))
        low = max(given.low, math.exp(min(logs) - margin))
        high = min(given.high, math.exp(max(logs) + margin))
        assert repr(whole.space[name]) == f"log_uniform({low:g}, {high:g})"
        assert all(low * (1 - 1e-6) <= float(hyper[name]) <= high * (1 + 1e-6) for hyper in whole.configs)
    assert whole.space["batch_size"] == 16 and coarse.space == SPACE
    for sweep in (coarse, whole):
        assert sweep.replay(1).going.result.digest == digests(sweep)[1, 0, 0]


def test_the_key_decides(whole):
    assert same(search_of(threads=1), whole)
    assert search_of(key=jax.random.key(4)).configs != whole.configs


def test_a_longer_search_with_the_same_coarse_sweep_begins_with_the_shorter(whole):
    longer = search_of(14)
    assert longer.configs[:7] == whole.configs and same(longer.coarse, whole.coarse)


def test_all_diverged_leaves_the_space_as_it_is():
    sweep = search_of(6, space={**SPACE, "lr": fo.log_uniform(1e29, 1e30)}, epochs=2)
    assert sweep.space == sweep.coarse.space and sweep.n == 1


def test_folds_seeds_and_rules():
    """Each fold's own training part is thinned; what it is scored on stays."""
    folds = fo.data.folds(WHOLE, 2, key=jax.random.key(9), stratify=True)
    sweep = search_of(data=(WHOLE,), folds=folds, seeds=2, stop=fo.halving(eta=2))
    assert len(sweep.kept.lanes) == 7 * 4 and len(sweep.coarse.kept.lanes) == 5 * 4
    for (train, dev), (some, same_dev) in zip(sweep.folds, sweep.coarse.folds, strict=True):
        assert set(some.tolist()) < set(train.tolist()) and dev.tolist() == same_dev.tolist()
    for one in (sweep, sweep.coarse):
        assert {row["status"] for row in one.table()} == {"done", "pruned"}
        assert one.stop == fo.halving(eta=2)


def test_regression_and_patience():
    data = fo.data.dataset(np.asarray(WHOLE.x), np.asarray(WHOLE.x)[:, 0] * 2)
    stop = fo.early_stopping(patience=1)
    space = dict(lr=SPACE["lr"], batch_size=16)
    sweep = fo.caviar(fo.regressor(hidden=8), space, data, n=6, epochs=3, search="coarse_to_fine", stop=stop, key=KEY)
    assert len(sweep.coarse.train) == 64 and sweep.objective == "train/loss"
    assert sweep.work.rule is not None and sweep.coarse.work.rule is not None


# In a folder


class BreakingEach(Breaking):
    """Asks for the end at the first cut of either stage."""

    def start(self, lanes, epochs):
        self.cuts = 1


def result_text(sweep):
    """The printed sweep without its last line, which says how this process ran it."""
    return [line for line in str(sweep).splitlines() if not line.startswith("occupancy")]


def test_broken_off_in_either_stage_and_gone_on(tmp_path, whole):
    path, stages = tmp_path / "s", []
    while not (sweep := search_of(path=path, progress=BreakingEach(1), threads=1)).finished:
        assert sweep.ended == "interrupted"
        again = fo.open(path)
        assert table_csv(again.table()) == table_csv(sweep.table())
        assert (again.finished, again.ended, again.search) == (False, "interrupted", sweep.search)
        stages.append(sweep.search)
    assert set(stages) == {"coarse", "coarse_to_fine"}, stages
    assert same(sweep, whole) and same(sweep.coarse, whole.coarse)
    opened = fo.open(path)
    assert same(opened, whole) and same(opened.coarse, whole.coarse) and opened.finished
    assert opened.space == whole.space and result_text(opened) == result_text(whole)
    for folder, one in ((path, whole), (path / "coarse", whole.coarse)):
        assert (folder / "results.csv").read_text() == table_csv(one.table())
        assert (folder / "curves.csv").read_text() == curves_csv(one)
    before = contents(path)
    handed = search_of(path=path)
    assert same(handed, whole) and handed.attached and handed.coarse.attached
    assert contents(path) == before


def test_killed_between_and_around_the_stages(tmp_path, whole):
    path = tmp_path / "s"
    search_of(path=path)
    shutil.move(path / "coarse", tmp_path / "coarse")
    shutil.rmtree(path)
    path.mkdir()
    (path / ".lock").touch()
    shutil.copytree(tmp_path / "coarse", path / "coarse")
    (path / "data.npz").write_bytes(b"all")  # and killed before sweep.json had its name
    (path / ".sweep.json.0123456789abcdef.tmp").write_bytes(b"all")
    begun = fo.open(path)
    assert begun.search == "coarse" and not begun.finished and begun.ended == "interrupted"
    with pytest.raises(ValueError, match="holds something else"):
        search_of(path=path, search="random")
    sweep = search_of(path=path)
    assert same(sweep, whole) and sweep.coarse.attached, "the coarse sweep is not trained again"


def test_a_larger_n_extends_where_the_coarse_sweep_is_the_same(tmp_path, whole):
    path = tmp_path / "s"
    search_of(path=path)
    larger = search_of(14, path=path)
    assert same(larger, search_of(14)) and larger.plan.live == 2 * 6
    before = contents(path)
    with pytest.raises(ValueError, match=r"a search whose coarse sweep has 5 configurations, .* would have 6; choose"):
        search_of(18, path=path)
    with pytest.raises(ValueError, match=r"another sweep: space lr: .* → .*, search coarse_to_fine → random"):
        search_of(path=path, search="random")
    with pytest.raises(ValueError, match="another sweep: another key"):
        search_of(path=path, key=jax.random.key(4))
    assert contents(path) == before


def test_nothing_is_written_into_what_holds_something_else(tmp_path):
    other, table = tmp_path / "other", tmp_path / "table"
    search_of(2, path=other, search="random")
    table.mkdir()
    (table / "mine.csv").write_text("a,b\n")
    before = contents(tmp_path)
    for path, message in ((other, "its search differs"), (table, "something else")):
        with pytest.raises(ValueError, match=message):
            search_of(path=path)
    assert contents(tmp_path) == before


def test_minutes_are_for_both(tmp_path, whole, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("fnopt.sweep.deadline.now", lambda: clock[0])

    class Slow(Breaking):
        def tick(self, epochs):
            clock[0] += 1.0
            time.sleep(0.1)

    sweep = search_of(path=tmp_path / "s", minutes=0.01, progress=Slow(0))
    assert not sweep.finished and sweep.ended == "out of time"
    assert same(search_of(path=tmp_path / "s", minutes=10), whole)


@pytest.mark.parametrize(("n", "message"), [(None, "has no end"), (5, "wants n ≥ 6"), (0, "`n` must be")])
def test_no_room_for_two_stages(n, message):
    with pytest.raises(ValueError, match=message):
        search_of(n)


def test_an_unknown_search_names_it():
    with pytest.raises(ValueError, match="did you mean 'coarse_to_fine'"):
        search_of(search="coarse")


def test_from_the_command_line(tmp_path, capsys):
    write_pets(tmp_path)
    out, same_out = tmp_path / "out", tmp_path / "same"
    assert sweep_pets(tmp_path, out, "--search", "coarse_to_fine", n=7) == 0
    said = capsys.readouterr().out
    assert "7 configurations, 2 epochs, coarse_to_fine search" in said
    assert "2 configurations × 1 seed, 2 epochs, coarse_to_fine search" in said
    same_out.mkdir()
    shutil.copytree(out / "coarse", same_out / "coarse")  # as if killed after the first stage
    assert run(["resume", str(same_out)]) == 0
    for name in ("results.csv", "curves.csv", "test.json", "model.safetensors"):
        assert (same_out / name).read_bytes() == (out / name).read_bytes()
