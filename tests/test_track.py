"""Trackers: each lane once, whatever breaks off or fails, and the numbers of the sweep's own tables."""

import csv
import json
import os
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from test_engine import KEY, MODEL, PARTS, SPACE, sweep_of

import fnopt as fo
from fnopt.run.store import curves_csv, table_csv
from fnopt.track import About, Record

WIDE = {**SPACE, "optimizer": fo.choice("sgd", "adam"), "b1": fo.when(optimizer="adam", b1=fo.uniform(0.5, 0.9))}


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def named(rows):
    return sorted((int(r["config"]), int(r["seed"]), int(r["fold"])) for r in rows)


class Kept:
    """A tracker that keeps what it gets; ``broken`` says where it fails."""

    def __init__(self, broken=""):
        self.broken, self.there, self.got, self.opened, self.threads = broken, set(), [], [], set()

    def __repr__(self):
        return "Kept()"

    def open(self, about):
        if self.broken == "open":
            raise OSError("no such disk")
        self.opened.append(about)
        return self

    def write(self, record):
        if self.broken == "write":
            raise ValueError("a disk of stone")
        self.threads.add(threading.current_thread().name)
        self.got.append(record)

    def close(self):
        self.opened.append("closed")
        if self.broken == "close":
            raise OSError("not even now")


def test_tables_hold_what_the_sweep_holds(tmp_path):
    """Every number of lanes.csv, curves.csv and the JSON lines, against the sweep's own tables."""
    mine = Kept()
    track = [fo.track.csv(tmp_path / "t"), fo.track.jsonl(tmp_path / "deep" / "l.jsonl"), mine]
    sweep = sweep_of(6, space=WIDE, seeds=2, epochs=3, track=track)
    lanes, curves = rows_of(tmp_path / "t" / "lanes.csv"), rows_of(tmp_path / "t" / "curves.csv")
    objects = lines_of(tmp_path / "deep" / "l.jsonl")
    everything = [(c, s, 0) for c in range(6) for s in range(2)]
    assert named(lanes) == named(objects) == sorted(r[1:4] for r in mine.got) == everything
    assert len({r["sweep"] for r in (*lanes, *curves, *objects)}) == 1 and mine.threads == {"fnopt-track"}
    own = {(r["config"], r["seed"], r["epoch"]): r for r in csv.DictReader(curves_csv(sweep).splitlines())}
    assert len(curves) == len(own) == 36
    for row in curves:
        expected = own[row["config"], row["seed"], row["epoch"]]
        assert {name: row[name] for name in expected} == expected
    table = list(csv.DictReader(table_csv(sweep.table()).splitlines()))
    for row in lanes:
        at = int(row["config"])
        assert all(row[name] == table[at][name] for name in ("lr", "b1", "optimizer", "status"))
        (r,) = [r for r in sweep.lanes(at) if r.seed == int(row["seed"])]
        assert np.float32(row["dev/loss"]) == r.scores["dev"]["loss"] and row["epochs"] == "3"
        (line,) = [o for o in objects if (o["config"], o["seed"]) == (at, r.seed)]
        assert np.float32(line["scores"]["dev/accuracy"]) == r.scores["dev"]["accuracy"]
        assert np.array_equal(np.float32(line["curves"]["dev/loss"]), r.history["dev"]["loss"])
        assert line["curves"]["train/loss"][0] is None and len(line["curves"]["cost"]) == 3, "not scored in between"
        assert ("b1" in line["hyper"]) == (line["hyper"]["optimizer"] == "adam") == (row["b1"] != "")
    about = mine.opened[0]
    assert isinstance(about, About) and {"lr", "b1"} <= {*about.numbers} and "dev/loss" in about.scores
    assert mine.opened[1:] == ["closed"] and all(isinstance(r, Record) for r in mine.got)


def test_a_lane_is_written_once(tmp_path):
    """Again, extended, attached, in memory: what is there stays as it is."""
    track = [fo.track.csv(tmp_path / "t"), fo.track.jsonl(tmp_path / "l.jsonl")]
    path = tmp_path / "s"
    sweep_of(3, path=path, epochs=2)  # nobody listened
    sweep_of(3, path=path, epochs=2, track=track)  # finished: all is told now
    before = (tmp_path / "l.jsonl").read_bytes()
    assert named(lines_of(tmp_path / "l.jsonl")) == [(c, 0, 0) for c in range(3)]
    sweep_of(3, path=path, epochs=2, track=track)
    sweep_of(3, epochs=2, track=track)
    assert (tmp_path / "l.jsonl").read_bytes() == before
    sweep_of(5, path=path, epochs=2, track=track)
    assert (tmp_path / "l.jsonl").read_bytes().startswith(before)
    for rows in (lines_of(tmp_path / "l.jsonl"), rows_of(tmp_path / "t" / "lanes.csv")):
        assert named(rows) == [(c, 0, 0) for c in range(5)]
    assert len(rows_of(tmp_path / "t" / "curves.csv")) == 10
    sweep_of(2, epochs=3, track=track)  # another sweep, beside it
    assert len(rows_of(tmp_path / "t" / "lanes.csv")) == 7


class Breaking:
    """A watch that asks for the end at the second cut."""

    def __init__(self):
        self.cuts = 0

    def start(self, lanes, epochs): ...
    def done(self, results): ...
    def tick(self, epochs):
        self.cuts += 1
        if self.cuts == 2:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.15)


def test_broken_off_and_gone_on(tmp_path):
    """Lanes under way are not told; those that ended before are not told again."""
    mine = Kept()
    options = dict(path=tmp_path / "s", epochs=8, track=mine, stop=fo.halving(eta=2), threads=1)
    sweep = sweep_of(14, progress=Breaking(), **options)
    assert not sweep.finished and len(mine.got) < 14
    sweep = sweep_of(14, **options)
    assert sorted(r.config for r in mine.got) == list(range(14))
    assert {r.status for r in mine.got} == {"done", "pruned"}
    for r in mine.got:
        (lane,) = sweep.lanes(r.config)
        assert (r.status, r.why, r.epochs) == (lane.status, lane.why, lane.epochs)


def test_what_a_kill_left_is_cut_off(tmp_path):
    """Half a line, and curves whose lane has no row yet: gone when the same sweep is tracked again."""
    track = [fo.track.csv(tmp_path), fo.track.jsonl(tmp_path / "l.jsonl")]
    sweep_of(3, epochs=2, track=track)
    files = {name: (tmp_path / name).read_bytes() for name in ("lanes.csv", "curves.csv", "l.jsonl")}
    for name, cut in (("lanes.csv", 5), ("curves.csv", 0), ("l.jsonl", 40)):
        data = files[name]
        (tmp_path / name).write_bytes(data[: len(data) - cut])
    sweep_of(3, epochs=2, track=track)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    (tmp_path / "lanes.csv").write_text("name,age\nAnna,3\n")
    with pytest.warns(UserWarning, match=r"Csv.* is left out .*is another table"):
        sweep_of(3, epochs=2, track=track[0])


@pytest.mark.parametrize("where", ["open", "write", "close"])
def test_a_tracker_that_fails_is_named_once_and_the_sweep_goes_on(where):
    bad, good = Kept(where), Kept()
    with pytest.warns(UserWarning, match="left out") as told:
        sweep = sweep_of(5, epochs=2, track=[bad, good])
    assert sweep.finished and len(good.got) == 5 and good.opened[-1] == "closed"
    assert [str(w.message).split(":")[0] for w in told] == [
        "Kept() failed and is left out from here on, training goes on"
    ]
    with pytest.raises(UserWarning, match="left out"):  # asked to be loud, as these tests are, it is so at the end
        sweep_of(5, epochs=2, track=bad)


def test_what_is_no_tracker_is_refused_at_once():
    for track in ("logs", 3, [fo.track.csv], Kept):
        with pytest.raises(TypeError, match=r"fo\.track\.csv\(folder\)"):
            sweep_of(2, track=track)
        with pytest.raises(TypeError, match=r"fo\.track\.csv\(folder\)"):
            fo.fit(MODEL, *PARTS, epochs=1, track=track)


def test_one_run(tmp_path):
    """fit tells its curves when it ends; the same fit again is the same run, another one is beside it."""
    mine, track = Kept(), fo.track.jsonl(tmp_path / "l.jsonl")
    for epochs in (3, 3, 4):
        run = fo.fit(MODEL, *PARTS, hyper=dict(lr=0.02), epochs=epochs, key=KEY, track=[mine, track])
        mine.there = set()
    first, _, last = lines = mine.got
    assert [r.sweep == first.sweep for r in lines] == [True, True, False] and first.lane == "c0000-s0-f0"
    assert last.hyper["lr"] == 0.02 and last.epochs == 4 and last.status == "done"
    np.testing.assert_array_equal(last.curves["dev/loss"], run.history["dev"]["loss"])
    assert [line["epochs"] for line in lines_of(tmp_path / "l.jsonl")] == [3, 4]


def test_numbers_that_change_are_tracked(tmp_path):
    """Of a later fit too, whose columns the file has not yet."""
    track, hyper = fo.track.csv(tmp_path), dict(dropout=fo.schedules.linear(0.4, 0.0, 2).every())
    fo.fit(MODEL, *PARTS, epochs=2, key=KEY, track=track)
    run = fo.fit(MODEL, *PARTS, hyper=hyper, epochs=2, key=KEY, track=track)
    rows = rows_of(tmp_path / "curves.csv")
    assert [row["dropout"] for row in rows[:2]] == ["", ""]
    assert np.array_equal(np.float32([row["dropout"] for row in rows[2:]]), run.history["dropout"])
    assert run.history["dropout"].tolist() == pytest.approx([0.4, 0.2])
    assert [float(row["updates"]) for row in rows[2:]] == run.history["updates"].tolist()


def test_trackers_are_values(tmp_path):
    assert fo.track.csv(tmp_path) == fo.track.csv(str(tmp_path)) != fo.track.csv(tmp_path / "b")
    assert len({fo.track.jsonl("a"), fo.track.jsonl("a"), fo.track.jsonl("b")}) == 2


@pytest.mark.parametrize(("name", "library"), [("tensorboard", "tensorboardX"), ("mlflow", "mlflow")])
def test_a_missing_library_is_named_with_its_extra(name, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"needs {library}.*pip install 'fnopt\[track\]'"):
        getattr(fo.track, name)("logs")


@pytest.mark.parametrize("address", ["http://localhost:5000", "https://here", "databricks://x", "sqlite:///a.db"])
def test_mlflow_opens_no_connection(address):
    with pytest.raises(ValueError, match=r"fnopt opens no connection.*client=mlflow\.MlflowClient"):
        fo.track.mlflow("digits", address)


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX")
    track = [fo.track.tensorboard(tmp_path / "a"), fo.track.tensorboard(tmp_path / "b", curves=False)]
    for n in (2, 3):
        sweep = sweep_of(n, space=WIDE, epochs=3, track=track)
    (folder,) = (tmp_path / "a").iterdir()
    assert sorted(p.name for p in folder.iterdir()) == [f"c000{c}-s0-f0" for c in range(3)]
    tags, params = events(folder / "c0001-s0-f0")
    (r,) = sweep.lanes(1)
    np.testing.assert_array_equal([tags["dev/loss", e] for e in (1, 2, 3)], np.float32(r.history["dev"]["loss"]))
    assert tags["final/dev/accuracy", 3] == np.float32(r.scores["dev"]["accuracy"])
    assert ("train/loss", 1) not in tags and tags["lr", 2] == np.float32(sweep.configs[1]["lr"])
    assert params["lr"] == float(sweep.table()[1]["lr"]) and params["status"] == "done"
    few, _ = events(next((tmp_path / "b").iterdir()) / "c0001-s0-f0")
    assert {name.split("/")[0] for name, _ in few} == {"final"}


def events(folder):
    """What TensorBoard reads: scalars by (tag, step), and the hyperparameters."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    (file,) = folder.iterdir()
    data, place, tags, params = file.read_bytes(), 0, {}, {}
    while place < len(data):  # length (8 bytes), its checksum (4), the event, its checksum (4)
        size = int.from_bytes(data[place : place + 8], "little")
        event = Event.FromString(data[place + 12 : place + 12 + size])
        place += size + 16
        for value in event.summary.value:
            content = value.metadata.plugin_data.content
            if value.metadata.plugin_data.plugin_name == "hparams":
                start = HParamsPluginData.FromString(content).session_start_info.hparams
                params |= {n: getattr(v, v.WhichOneof("kind")) for n, v in start.items()}
            else:
                tags[value.tag, event.step] = value.simple_value
    return tags, params


def test_mlflow(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow = pytest.importorskip("mlflow")
        sockets = []
        sys.addaudithook(lambda event, args: sockets.append(event) if event == "socket.connect" else None)
        track = fo.track.mlflow("digits", tmp_path / "mlruns")
        for n in (2, 3):
            sweep = sweep_of(n, space=WIDE, epochs=3, track=track)
        client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
        own = fo.track.mlflow("digits", client=client, curves=False)
        sweep_of(3, space=WIDE, epochs=3, track=own)
        (experiment,) = [e for e in client.search_experiments() if e.name == "digits"]
        runs = {int(run.data.params["config"]): run for run in client.search_runs([experiment.experiment_id])}
        assert sorted(runs) == [0, 1, 2] and len(client.search_runs([experiment.experiment_id])) == 3
        points = client.get_metric_history(runs[1].info.run_id, "dev/loss")
    (r,) = sweep.lanes(1)
    assert not sockets and os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert [p.value for p in sorted(points, key=lambda p: p.step)] == list(map(float, r.history["dev"]["loss"]))
    assert runs[1].data.metrics["final/dev/accuracy"] == r.scores["dev"]["accuracy"]
    assert runs[1].info.status == "FINISHED" and float(runs[1].data.params["lr"]) == sweep.table()[1]["lr"]
