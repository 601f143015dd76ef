"""`fnopt sweep`: what it says, what it writes, what a second call does, and what Ctrl-C leaves."""

import csv
import io
import json
import re
import signal
import threading
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from cli_cases import SPACE, contents, sweep_pets, write_pets
from rich.console import Console

import fnopt as fo
from fnopt.cli import show, source
from fnopt.cli.entry import run
from fnopt.run import load, open_sweep
from fnopt.run.leaderboard import parts_of
from fnopt.run.progress import Board
from fnopt.sweep.drive import Silent
from fnopt.train import objective_of

FILES = {
    ".lock",
    "curves.csv",
    "data.npz",
    "model.json",
    "model.safetensors",
    "results.csv",
    "sweep.json",
    "test.json",
}
RESULTS = ["config", "rank", "lr", "hidden", "optimizer", "batch_size", "score", "standard_error"]
ACCURACY = objective_of("classes", None, dev=True)
SCORES = [f"{part}/{name}" for part in ("train", "dev") for name in ("loss", "accuracy")]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One finished sweep of the table of pets."""
    folder = tmp_path_factory.mktemp("pets")
    write_pets(folder)
    said = io.StringIO()
    with redirect_stdout(said):
        code = sweep_pets(folder, folder / "out")
    return SimpleNamespace(code=code, said=said.getvalue(), home=folder, out=folder / "out")


@pytest.mark.parametrize(
    "fact",
    [
        "pets: 60 examples, 5 inputs, 2 classes: cat, dog",
        "classes, recognised from 'kind'; --task values takes it otherwise",
        "36 train, 12 dev, 12 test, stratified by seed 0",
        "lr         = log_uniform(0.001, 0.1)",
        "3 configurations, 2 epochs, random search, ranked by dev/accuracy",
        "retrained   on train and dev, 48 examples",
        "(standard error of 12 examples)",
    ],
)
def test_sweep_says_what_it_does(done, fact):
    assert done.code == 0
    assert fact in done.said


def test_sweep_writes_its_folder_and_the_leaderboard_is_the_sweeps(done):
    assert {name for name in contents(done.out) if not name.startswith("checkpoint-")} == FILES
    assert str(open_sweep(done.out)) in done.said


def test_results_hold_neither_times_nor_paths(done):
    with (done.out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert set(rows[0]) == {*RESULTS, *SCORES, "epochs", "status", "why"}


def test_the_winner_is_tested_on_what_no_training_saw(done):
    made = json.loads((done.out / "test.json").read_text())
    found = source.find(str(done.home / "pets.csv"), "kind", None, (), None, None, None)
    train, dev, test = source.parts(found, "0.6,0.2,0.2", 0)
    model = load(done.out / "model.safetensors")
    assert model.evaluate(test) == made["scores"]
    assert made["test_examples"] == len(test) == 12
    assert made["examples"] == len(train) + len(dev)
    p = made["scores"]["accuracy"]
    assert f"accuracy {p:.4f} ± {np.sqrt(p * (1 - p) / 12):.4f}" in done.said


def test_equal_sweeps_write_equal_results(done, tmp_path):
    assert sweep_pets(done.home, tmp_path / "again", "--threads", "1") == 0
    for name in ("results.csv", "curves.csv", "test.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (done.out / name).read_bytes()


def test_a_second_call_shows_the_finished_sweep_and_changes_nothing(done, capsys):
    before = contents(done.out)
    assert sweep_pets(done.home, done.out) == 0
    said = capsys.readouterr().out
    assert "holds this very sweep, finished: nothing was trained again" in said
    assert str(open_sweep(done.out)) in said
    assert said.splitlines()[-4:] == done.said.splitlines()[-4:]  # retrained, test (two lines), written
    assert contents(done.out) == before


@pytest.mark.parametrize("other", [("--seed", "1"), ("--seeds", "2"), ("--patience", "1"), ("--search", "sobol")])
def test_another_sweep_does_not_touch_the_folder(done, capsys, other):
    before = contents(done.out)
    assert sweep_pets(done.home, done.out, *other) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert re.search(
        r"holds another sweep: --\w+ .* → .*; `fnopt resume .*` continues the other|holds another sweep", said.err
    )
    assert contents(done.out) == before


def test_repeat_trains_the_winner_under_other_keys(done, tmp_path, capsys):
    assert sweep_pets(done.home, tmp_path / "out", "--repeat", "3") == 0
    made = json.loads((tmp_path / "out" / "test.json").read_text())
    losses = [scores["loss"] for scores in made["each"]]
    assert len(set(losses)) == 3
    assert made["scores"]["loss"] == pytest.approx(np.mean(losses))
    assert f"± {np.std(losses, ddof=1) / np.sqrt(3):.4f} over 3 trainings" in capsys.readouterr().out
    assert made["each"][0] == json.loads((done.out / "test.json").read_text())["each"][0]


def test_grid_takes_the_whole_grid(tmp_path, capsys):
    write_pets(tmp_path)
    (tmp_path / "space.toml").write_text(SPACE.replace("1e-1]", "1e-1], points = 3"))
    table, space, out = (str(tmp_path / name) for name in ("pets.csv", "space.toml", "out"))
    grid = ["--space", space, "--search", "grid", "--epochs", "1", "--out", out]
    assert run(["sweep", table, "--target", "kind", *grid]) == 0
    assert "the whole grid, 1 epochs" in capsys.readouterr().out
    assert [row["lr"] for row in open_sweep(out).table()] == pytest.approx([1e-3, 1e-2, 1e-1])


def test_what_is_odd_but_possible_is_accepted(tmp_path, capsys):
    """A constant column, labels that are not 0 to K − 1, and a batch larger than the data."""
    rows = [f"{k % 7},5,{3 if k % 2 else 7}" for k in range(40)]
    (tmp_path / "odd.csv").write_text("\n".join(["a,constant,y", *rows]))
    (tmp_path / "space.toml").write_text(SPACE.replace("= 16", "= 1000"))
    table, space, out = (str(tmp_path / name) for name in ("odd.csv", "space.toml", "out"))
    assert run(["sweep", table, "--target", "y", "--space", space, "--n", "2", "--epochs", "2", "--out", out]) == 0
    assert "2 classes: 3, 7" in capsys.readouterr().out
    model = load(Path(out) / "model.safetensors")
    assert set(model.predict(np.array([[1.0, 5.0], [2.0, 5.0]], np.float32)).tolist()) <= {3, 7}


def test_values_are_split_plainly_and_scored_by_r2(tmp_path, capsys):
    (tmp_path / "space.toml").write_text(SPACE.replace("= 16", "= 64"))
    tiny = ["--n", "2", "--epochs", "2", "--space", str(tmp_path / "space.toml"), "--out", str(tmp_path / "out")]
    assert run(["sweep", "diabetes", *tiny]) == 0
    said = capsys.readouterr().out
    for fact in (
        "values from 25 to 346",
        "recognised from 'progression'; --task classes",
        "at random",
        "test        r2 ",
    ):
        assert fact in said


class Interrupting(Silent):
    """Ctrl-C as soon as the first chunk is done."""

    home = False

    def done(self, results):
        signal.raise_signal(signal.SIGINT)
        time.sleep(1.0)  # the main thread hears of it; this one still holds the lock
        self.home = True


def test_ctrl_c_keeps_what_is_done(tmp_path, monkeypatch, capsys):
    write_pets(tmp_path)
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        watch = Interrupting()
        patch.setattr(show, "watch_for", lambda *_: watch)
        assert sweep_pets(tmp_path, out, "--threads", "1", n=12) == 130
    assert watch.home  # nothing is written while a thread still trains
    sweep = open_sweep(out)
    statuses = [row["status"] for row in sweep.table()]
    there = statuses.count("done")
    assert 0 < there < 12 and not sweep.finished and sweep.ended == "interrupted"
    said = capsys.readouterr().out
    assert f"interrupted {there} of 12 configurations are done" in said
    assert f"continue    fnopt resume {out}" in said
    assert not (out / "model.safetensors").exists()
    assert run(["resume", str(out)]) == 0
    assert sweep_pets(tmp_path, tmp_path / "whole", n=12) == 0
    for name in ("results.csv", "curves.csv", "model.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (out / name).read_bytes()
    assert run(["resume", str(out)]) == 0
    assert "finished: nothing was trained again" in capsys.readouterr().out


@pytest.mark.parametrize("width", [54, 80, 200])
def test_on_a_terminal_the_leaderboard_is_drawn_whole(done, capsys, monkeypatch, width):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    sweep = open_sweep(done.out)
    show.show(sweep)
    said = capsys.readouterr().out
    assert "─" in said
    assert max(map(len, re.sub("\x1b\\[[0-9;]*m", "", said).splitlines()[1:])) <= width
    for cell in [text for row in parts_of(sweep)[1][1:] for text in row]:
        assert cell in said
    assert "…" not in said


def test_on_a_narrow_terminal_it_is_plain_text(done, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    show.show(open_sweep(done.out))
    assert capsys.readouterr().out.strip() == str(open_sweep(done.out))


def test_the_bar_shows_who_leads():
    def result(config, score, status="done"):
        return SimpleNamespace(config=config, scores={"dev": {"accuracy": score}}, status=status, epochs=3)

    file = io.StringIO()
    bar = Board(ACCURACY, Console(file=file, force_terminal=True, width=200))
    bar.configs = [{"lr": 0.5}, {"lr": 0.25}, {"lr": 0.125, "optimizer": "adam"}, {"lr": 1.0}]
    bar.start(4, 1)
    bar.done([result(0, 0.5), result(1, 0.75)])
    bar.tick(2)
    assert [config for config, *_ in bar.leaders()] == [1, 0]
    bar.done([result(2, 0.9, "pruned"), result(3, 0.99, "diverged")])
    assert [config for config, *_ in bar.leaders()] == [1, 0, 2]
    said = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    assert "best dev/accuracy 0.7500 (1)" in said and "4/4, 1 diverged" in said


def test_taking_results_down_ranks_nobody(monkeypatch):
    """Who leads is looked at by the thread that draws: threads that train do not wait for it."""
    bar = Board(ACCURACY, Console(file=io.StringIO(), force_terminal=True, width=200))
    looked = []
    monkeypatch.setattr(bar, "leaders", lambda: looked.append(threading.current_thread()) or [])
    bar.start(300, 1)
    for k in range(200):
        bar.done([SimpleNamespace(config=k, scores={"dev": {"accuracy": 0.5}}, status="done", epochs=1)])
    assert threading.main_thread() not in looked[1:]  # but as it starts
    bar.stop()


def test_the_board_shows_the_best_configurations_while_a_sweep_runs():
    file = io.StringIO()
    board = Board(ACCURACY, Console(file=file, force_terminal=True, width=200))
    train, dev = fo.data.split(fo.data.iris(), (0.5, 0.5), key=jax.random.key(0))
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), optimizer=fo.choice("sgd", "adam"))
    sweep = fo.caviar(fo.classifier(hidden=(4,)), space, train, dev, n=6, epochs=2, progress=board)
    best = [standing.config for standing in sweep.ranking()]
    assert board.leaders()[0][0] == best[0] and len(board.leaders()) == 5
    assert board.configs[best[0]]["optimizer"] == sweep.configs[best[0]]["optimizer"]
    drawn = io.StringIO()
    board._over = False
    Console(file=drawn, width=200).print(board._drawn())
    assert "optimizer" in drawn.getvalue() and f"{sweep.configs[best[0]]['lr']:.4g}" in drawn.getvalue()
    board.stop()
    assert not board._screen.is_started
