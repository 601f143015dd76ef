"""The lines that the README shows for a terminal run as they stand, from the clone, with what is in it."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

import fnopt as fo
from fnopt.cli import doctor, sweep
from fnopt.cli import predict as predicting
from fnopt.cli.entry import run
from fnopt.cli.spaces import read_space

ROOT = Path(fo.__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = README.split("<!-- terminal -->\n```\n", 1)[1].split("```", 1)[0]
LINES = [line.split("  #")[0].split(" > ")[0].strip() for line in BLOCK.splitlines()]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_lines_run(clone, monkeypatch, capsys):
    """Data, options and spaces are read and accepted; training stands elsewhere."""
    ready = []

    def searched(asked, found, anyway, deadline):
        ready.append((asked, found))
        return None, Path("runs"), 0.0

    monkeypatch.setattr(sweep, "_searched", searched)
    monkeypatch.setattr(sweep, "_finish", lambda *_: 0)
    monkeypatch.setattr(sweep, "resume", lambda folder, *_: str(folder) != "runs/iris")
    monkeypatch.setattr(predicting, "run_predict", lambda model, new, *_, **__: not (clone / new).is_file())
    monkeypatch.setattr(doctor, "facts", lambda: {"fnopt": "here"})
    assert len(LINES) == 7 and all(line.startswith("fnopt ") for line in LINES)
    for line in LINES:
        assert run(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    names = [found.found.name for _, found in ready]
    assert names == ["digits", "houses", "houses", "iris"]
    assert {f"runs/{name}" for name in names} >= {"runs/iris", "runs/houses"}  # what the lines after them name
    houses = ready[1][1].found
    assert houses.task == "values" and len(houses.data) == 240 and len(houses.data.features) >= 8
    said = capsys.readouterr().out
    assert "ranked by dev/root_mean_squared_error" in said


def test_new_houses_have_the_columns_of_the_old_ones(clone):
    old, new = ((clone / "examples" / name).read_text().splitlines() for name in ("houses.csv", "new_houses.csv"))
    assert old[0] == new[0] + ",price" and len(new) == 13


def test_the_space_of_the_readme_is_the_one_in_the_clone(tmp_path):
    (tmp_path / "space.toml").write_text(README.split("<!-- space -->\n```toml\n", 1)[1].split("```", 1)[0])
    assert repr(read_space(tmp_path / "space.toml")) == repr(read_space(ROOT / "examples" / "space.toml"))


def test_the_words_of_the_output_are_explained():
    table = README.split("<!-- words -->\n", 1)[1].split("\n\n", 1)[0]
    words = {word for line in table.splitlines()[2:] for word in re.split(", ", line.split("|")[1].strip())}
    assert words >= {
        "configuration",
        "train",
        "dev",
        "test",
        "epoch",
        "seed",
        "fold",
        "objective",
        "±",
        "diverged",
        "b1",
    }
