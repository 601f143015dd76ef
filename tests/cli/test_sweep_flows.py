"""One sweep after another from a terminal: folders, hostile names, Ctrl-C in each phase, what is said before."""

import csv
import os
import re
import signal
import threading
import time

import numpy as np
import pytest
from cli_cases import contents, write_pets

import fnopt as fo
from fnopt.cli import source, sweep, winner
from fnopt.cli.entry import run

HOSTILE = {"cat": "\x1b]0;title\x07\rcat", "dog": ' =1+1, "x"\n'}  # classes


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flows")
    write_pets(folder)
    return folder


@pytest.fixture
def pets(home, monkeypatch, capsys):
    """Run a command in the folder of pets; its exit code, stdout and stderr."""
    monkeypatch.chdir(home)

    def call(*more, words=("sweep", "pets.csv", "--target", "kind", "--space", "space.toml", "--n", "2")):
        code = run([*words, *more])
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err and "Traceback" not in said.err
        return code, said.out, said.err

    return call


def test_every_experiment_has_a_folder_of_its_own(pets, home):
    code, said, log = pets("--epochs", "2")
    assert code == 0 and "folder  " not in said and " %: " in log
    before = contents(home / "runs" / "pets")
    code, said, _ = pets("--epochs", "3")
    assert code == 0 and "written     runs/pets-2: " in said
    assert "folder      runs/pets-2, as 'runs/pets' holds another sweep: --epochs 2 → 3" in said
    assert contents(home / "runs" / "pets") == before
    code, said, _ = pets("--epochs", "3")
    assert code == 0 and "runs/pets-2 holds this very sweep, finished" in said
    code, _, said = pets("--epochs", "3", "--out", "runs/pets")
    assert code == 2 and "--epochs 2 → 3" in said and "remove" not in said and "fo." not in said
    assert sorted(os.listdir(home / "runs")) == ["pets", "pets-2"]
    assert fo.load("runs/pets").predict(np.zeros((2, 5))).shape == (2,)  # a sweep's folder, as `fnopt predict` takes it


def test_ctrl_c_while_the_winner_is_retrained(pets, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(winner, "_retrained", lambda *_: signal.raise_signal(signal.SIGINT))
        code, said, log = pets("--epochs", "2", "--out", "broken")
    assert code == 130 and "stopping as soon as this step of the retraining ends" in log
    assert "interrupted all 2 configurations are done and kept in broken; the winner was not tested" in said
    assert said.splitlines()[-1] == "continue    fnopt resume broken"
    code, _, said = pets(words=("predict", "broken", "pets.csv"))
    assert code == 2 and "`fnopt resume broken` finishes" in said
    with pytest.raises(FileNotFoundError, match="fnopt resume broken"):
        fo.load("broken")
    code, said, _ = pets(words=("resume", "broken"))
    assert code == 0 and "test        accuracy" in said


def stopped(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("module", "name"), [(source, "find"), (sweep, "caviar"), (sweep, "read_space")])
def test_ctrl_c_before_anything_was_begun(pets, monkeypatch, home, module, name):
    monkeypatch.setattr(module, name, stopped)
    code, _, log = pets("--out", "new")
    assert code == 130 and log == "interrupted: nothing was begun\n" and not (home / "new").exists()


def test_ctrl_c_twice_while_training(pets, monkeypatch, home):
    def begun(*_, **__):
        (home / "twice").mkdir()
        (home / "twice" / "sweep.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "caviar", begun)
    code, _, log = pets("--out", "twice")
    assert code == 130
    assert log == "interrupted: what was written last is kept in twice; fnopt resume twice continues\n"


def test_ctrl_c_is_answered_while_python_cannot(capfd):
    """While the main thread is in compiled code: the line comes before the exception does."""
    from fnopt.cli.interrupts import answered

    def press():
        time.sleep(0.1)
        signal.raise_signal(signal.SIGINT)

    def wait():
        with answered("heard"):
            threading.Thread(target=press).start()
            time.sleep(5)

    with pytest.raises(KeyboardInterrupt):
        wait()
    assert capfd.readouterr().err == "heard\n"
    assert signal.set_wakeup_fd(-1) == -1


def test_hostile_names_in_every_line_and_file(pets, home):
    with open(home / "pets.csv", newline="") as file:
        names, *rows = csv.reader(file)
    names[0], names[1], target = "wei\x1b[2Jght\x01", "co\rlour", "ki\x07nd"
    rows = [[*row[:1], f"\x9b{row[1]}", row[2], HOSTILE[row[3]]] for row in rows]
    with open(home / "ho\x1b[2Jstile.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        writer.writerows([[*names[:3], target], *rows])
    words = ("sweep", "ho\x1b[2Jstile.csv", "--target", target, "--space", "space.toml", "--n", "2", "--epochs", "2")
    code, said, log = pets("--out", "out\x1b[2J", words=words)
    assert code == 0, log
    shown = [r"\x1b[2J", r"\x07", r"\x1b]0;title\x07\rcat"]
    assert all(name in said for name in shown) and not {"\x1b", "\x07", "\x9b", "\x01"} & set(said + log)
    code, _, log = pets("--proba", "--out", "p.csv", words=("predict", "out\x1b[2J", "ho\x1b[2Jstile.csv"))
    assert code == 0, log
    with open(home / "p.csv", newline="") as file:
        head, *answers = csv.reader(file, strict=True)
    assert (
        len(answers) == 60
        and head[0] == target
        and {row[0].strip() for row in answers} <= {name.strip() for name in HOSTILE.values()}
    )
    for row in answers:
        assert np.isclose(sum(map(float, row[1:])), 1, atol=1e-6) and all(len(cell) <= 14 for cell in row[1:])
    (home / "bad.csv").write_text("a,b\n1,2\n")
    code, _, log = pets(words=("predict", "out\x1b[2J", "bad.csv"))
    assert code == 2 and log.count("\n") == 1 and r"\x1b[2J" in log


def test_paths_that_cannot_be_written_are_named_as_typed(pets, home):
    (home / "file").write_text("x")
    before = contents(home)
    for out in ("file", "file/inside", "/proc/nope", "pets.csv"):
        code, said, log = pets("--out", out)
        assert code == 2 and f"cannot write {out!r}" in log and log.count("\n") == 1
        assert said == "" or out == "/proc/nope"  # before the plan, where that can be known
    assert contents(home) == before


def test_folds_are_looked_at_before_the_plan(pets):
    code, said, log = pets("--folds", "60")
    assert code == 2 and said == ""
    assert "--folds 60 is more than the 48 examples: take --folds 24 or less" in log
    code, said, log = pets("--folds", "30")
    assert code == 2 and said == "" and "too few for --folds 30: take --folds 24 or less" in log
    assert not any(word in log for word in ("k=", "stratify", "fo."))


def test_values_are_ranked_in_their_unit_and_tested_with_an_error(pets, home):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5))
    y = 1e6 * x[:, 0] + 3e5 * rng.normal(size=60)
    rows = [",".join(f"{v:.4f}" for v in (*row, cost)) for row, cost in zip(x, y, strict=True)]
    (home / "costs.csv").write_text("\n".join(["a,b,c,d,e,cost", *rows]) + "\n")
    words = ("sweep", "costs.csv", "--target", "cost", "--space", "space.toml", "--n", "2", "--epochs", "2")
    code, said, _ = pets("--out", "costs", words=words)
    assert code == 0 and "ranked by dev/root_mean_squared_error" in said
    best = fo.open("costs").best
    assert best.score == best.scores["dev"]["root_mean_squared_error"] > 1e5
    made = winner.json.loads((home / "costs" / "test.json").read_text())
    found = source.find("costs.csv", "cost", None, (), None, None, None)
    test = source.parts(found, "0.6,0.2,0.2", 0)[-1]
    residuals = np.asarray(fo.load("costs").predict(test.x), np.float64) - np.asarray(test.y, np.float64)
    rmse, m = np.sqrt(np.mean(residuals**2)), len(residuals)
    wanted = np.std(residuals**2, ddof=1) / np.sqrt(m) / (2 * rmse)
    assert np.isclose(made["scores"]["root_mean_squared_error"], rmse, rtol=1e-5)
    assert np.isclose(made["standard_errors"]["root_mean_squared_error"], wanted, rtol=1e-5)
    (shown,) = re.findall(r"± (\S+) \(standard error of 12 examples\), in units of 'cost'", said)
    assert np.isclose(float(shown), wanted, rtol=1e-4)


def test_ctrl_c_is_not_lost_where_python_drops_exceptions():
    """Nor in typer, which ends without a word: the line is said all the same."""
    from fnopt.cli.interrupts import never_lost

    before = signal.getsignal(signal.SIGINT)
    ran = []

    def _xla_gc_callback():
        signal.raise_signal(signal.SIGINT)
        ran.append(True)  # nothing is raised here

    def wait():
        _xla_gc_callback()
        time.sleep(5)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        never_lost()
        with pytest.raises(KeyboardInterrupt):
            wait()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        never_lost()
        assert ran == [True] and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_within_typer_is_named(capsys, monkeypatch):
    import typer

    monkeypatch.setattr(typer.Typer, "__call__", lambda *_, **__: 130)
    assert run(["doctor"]) == 130 and capsys.readouterr().err == "interrupted: nothing was begun\n"


def test_two_shares_leave_out_the_test_part_and_say_so(pets, home):
    code, said, _ = pets("--epochs", "2", "--split", "0.75,0.25", "--out", "untested")
    assert code == 0
    assert "45 train, 15 dev, stratified by seed 0" in said and "no test part" in said
    assert "on train and dev, 60 examples" in said and "test        none: --split left it out" in said
    assert (home / "untested" / "model.safetensors").exists() and not (home / "untested" / "test.json").exists()
    code, _, said = pets(words=("score", "untested"))
    assert code == 2 and "has no test part: its --split, 0.75,0.25, left it out" in said
    code, said, _ = pets(words=("resume", "untested"))
    assert code == 0 and "nothing was trained again" in said and "none: --split left it out" in said
