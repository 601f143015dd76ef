"""The minutes of a call count from its start, whatever the time goes into; the clock is a made one."""

from importlib import import_module

import numpy as np
import pytest

import fnopt as fo
from fnopt.cli.entry import run
from fnopt.run.store import table_csv
from fnopt.sweep.drive import Silent

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
DATA = fo.data.dataset(X, (X[:, 0] > 0).astype(int))
BEFORE = {  # the first step: what the time goes into, and where it is called
    "proposing": ("fnopt.run.caviar", "propose"),
    "making folds and scaling": ("fnopt.run.caviar", "prepare_folds"),
    "binding": ("fnopt.run.caviar", "bind_folds"),
    "assembling": ("fnopt.run.caviar", "assemble"),
    "the lanes": ("fnopt.run.conduct", "field_of"),
}


@pytest.fixture
def clock(monkeypatch):
    at = [0.0]

    def now():
        at[0] += 1e-6
        return at[0]

    monkeypatch.setattr("fnopt.sweep.deadline.now", now)
    return at


def search(path, minutes=None, watch=False, **how):
    space = dict(lr=fo.log_uniform(1e-3, 1e-1))
    model = fo.classifier(hidden=(), batch_size=16)
    return fo.caviar(model, space, DATA, DATA, n=3, epochs=4, key=0, path=path, minutes=minutes, progress=watch, **how)


@pytest.fixture(scope="module")
def whole():
    return table_csv(search(None).table())


def passing(clock, monkeypatch, place, name):
    """Let two minutes go by in a function."""
    module = import_module(place)
    real = getattr(module, name)

    def slow(*given, **named):
        clock[0] += 120.0
        return real(*given, **named)

    monkeypatch.setattr(module, name, slow)


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("phase", BEFORE)
def test_preparing_counts(phase, resumed, clock, monkeypatch, tmp_path, whole):
    place, name = BEFORE[phase]
    if resumed:
        with pytest.warns(UserWarning, match="training ended there as after Ctrl-C"):
            search(tmp_path / "s", watch=Ends())
    with monkeypatch.context() as patched:
        passing(clock, patched, place, name)
        with pytest.warns(UserWarning, match="out of time before the first step"):
            sweep = search(tmp_path / "s", minutes=1.9)
        assert sweep.ended == "out of time" and not sweep.finished
        assert not sweep.plan.executed  # nothing was trained any more
    assert table_csv(search(tmp_path / "s", minutes=10).table()) == whole


class Ends(Silent):
    """Ends training as Ctrl-C does, after its first segment."""

    def tick(self, epochs):
        raise KeyboardInterrupt


class Late(Silent):
    """Lets two minutes go by while a program is compiled, or in the first segment."""

    def __init__(self, clock, when):
        self.clock, self.when = clock, when

    def compiling(self, number, programs):
        self.clock[0] += 120.0 * (self.when == "compiling" and number > 0)

    def tick(self, epochs):
        self.clock[0] += 120.0 * (self.when == "training")


@pytest.mark.parametrize("when", ["compiling", "training"])
def test_what_comes_later_counts_too(when, clock, tmp_path, whole):
    sweep = search(tmp_path / "s", minutes=1.9, watch=Late(clock, when), threads=1)
    assert sweep.ended in ("out of time", "")  # the segment that was begun is finished, and no other begins
    assert table_csv(search(tmp_path / "s", minutes=10).table()) == whole


@pytest.mark.filterwarnings("ignore:out of time before")
def test_reading_the_table_counts_on_the_command_line(clock, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:
        passing(clock, patched, "fnopt.cli.source", "find")
        run(["sweep", "iris", "--n", "3", "--epochs", "2", "--minutes", "1.9", "--out", "s"])
    assert "out of time" in capsys.readouterr().out and not fo.open(tmp_path / "s").finished
