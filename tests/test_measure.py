"""``plan="measure"``: C by a stopwatch, chosen once, written down, and used again by resume and replay."""

import json

import jax
import pytest
from test_engine import sweep_of

import fnopt as fo
from fnopt.run import measure as measuring
from fnopt.run.store import holds
from fnopt.sweep.compiled import Exhausted

SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), hidden=fo.choice((8,), (16,)), batch_size=16)
SECONDS = ({1: 4.0, 2: 2.05, 4: 2.0, 8: 1.98, 16: 3.0}, {1: 1.0, 2: 2.0, 4: 3.0, 8: float("inf"), 16: float("inf")})


@pytest.fixture
def told(monkeypatch):
    """A stopwatch that says what is in SECONDS, structure by structure; returns what it was asked."""
    asked, structures = [], []

    def timed(sweep, config, width, threads):
        trial = sweep.entries[config].program.trial
        if trial not in structures:
            structures.append(trial)
        asked.append((structures.index(trial), width))
        return SECONDS[structures.index(trial)][width]

    monkeypatch.setattr(measuring, "_timed", timed)
    monkeypatch.setattr(measuring, "CPU", (1, 2, 4, 8, 16))
    return asked


def test_the_fewest_lanes_within_five_percent_of_the_best(told, tmp_path):
    sweep = sweep_of(6, space=SPACE, epochs=2, plan="measure", path=tmp_path / "s")
    assert sorted(told) == [(k, width) for k in (0, 1) for width in (1, 2, 4, 8, 16)]
    assert sweep.widths == [2, 1] and sweep.plan.lanes == (2, 1)
    assert "structure 1: 1 lanes 1000000 µs, 2 lanes 2000000 µs, 4 lanes 3000000 µs" in str(sweep.plan)
    again = fo.open(tmp_path / "s")
    assert again.widths == [2, 1] and [tuple(m) for m in again.measured] == [m for m in sweep.measured if m[2] < 9]
    del told[:]
    for i in range(6):
        for one in (sweep, again):
            assert one.replay(i).going.result.digest == sweep.kept.lanes[i, 0, 0].digest
    more = sweep_of(8, space=SPACE, epochs=2, plan="measure", path=tmp_path / "s")
    assert not told, "measured once"
    assert more.widths == [2, 1]
    assert all(more.kept.lanes[at].digest == r.digest for at, r in sweep.kept.lanes.items())


def test_the_folder_is_there_before_anything_is_timed(monkeypatch, tmp_path):
    """Broken off while it measures, a sweep measures again; a mistake of the model's leaves no folder."""
    folder = tmp_path / "s"

    def breaks(*_):
        assert holds(folder) and json.loads((folder / "sweep.json").read_text())["measured"] == []
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "_timed", breaks)
    with pytest.raises(KeyboardInterrupt):
        sweep_of(4, space=SPACE, epochs=2, plan="measure", path=folder)
    assert holds(folder)
    monkeypatch.setattr(measuring, "_timed", lambda sweep, config, width, threads: float(width))
    sweep = sweep_of(4, space=SPACE, epochs=2, plan="measure", path=folder)
    assert sweep.finished and {*sweep.widths} == {1} and sweep.measured

    def wrong(*_):
        raise ValueError("a mistake")

    monkeypatch.setattr(measuring, "_timed", wrong)
    with pytest.raises(ValueError, match="a mistake"):
        sweep_of(4, space=SPACE, epochs=2, plan="measure", path=tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_it_measures(monkeypatch):
    """The stopwatch itself, and a width for which memory gives out."""
    monkeypatch.setattr(measuring, "CPU", (1, 2, 4))
    trainer = measuring.trainer

    def small(work, chunk, *rest):
        if chunk.cohort.width == 4:
            raise Exhausted(chunk.cohort.program.trial, "RESOURCE_EXHAUSTED")
        return trainer(work, chunk, *rest)

    monkeypatch.setattr(measuring, "trainer", small)
    sweep = sweep_of(4, epochs=2, plan="measure", threads=2)
    one, two, four = (m.seconds for m in sweep.measured)
    assert 0 < one < 10 and 0 < two < 10 and four == float("inf")
    assert sweep.widths in ([1], [2]) and sweep.widths == [1 if one <= measuring.NEAR * min(one, two) else 2]
    assert "4 lanes too large a lane-epoch" in str(sweep.plan)
    with pytest.raises(ValueError, match="unknown plan 'fast'; known: measure"):
        sweep_of(4, epochs=2, plan="fast")
    assert jax.tree.leaves(sweep.lanes(0)[0].history["dev"])


def test_the_memory_of_a_plan_is_that_of_its_own_width(monkeypatch):
    plain = sweep_of(4, epochs=1)
    monkeypatch.setattr(measuring, "_timed", lambda sweep, config, width, threads: float(width))
    narrow = sweep_of(4, epochs=1, plan="measure")
    assert narrow.widths == [1] and plain.widths == [4]
    assert 0 < narrow.plan.memory < plain.plan.memory
    assert sweep_of(4, epochs=1).plan.memory == plain.plan.memory
