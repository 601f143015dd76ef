"""The winner's files: believed only where they are this winner's; tested once; predictions never over what is read."""

import json
import os
import shutil

import pytest
from cli_cases import contents, sweep_pets, write_pets

from fnopt.cli.entry import run
from fnopt.run.manifest import text_digest

pytest.importorskip("typer")
pytest.importorskip("safetensors")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A finished sweep ``a``, another one ``b`` whose winner may have the same number, and their data."""
    home = tmp_path_factory.mktemp("home")
    write_pets(home)
    assert sweep_pets(home, home / "a") == 0
    assert sweep_pets(home, home / "b", "--seed", "1") == 0
    return home


@pytest.fixture
def folder(home, tmp_path, capsys):
    capsys.readouterr()
    return shutil.copytree(home / "a", tmp_path / "a")


def lines_of_test(capsys, folder):
    """The lines of the test scores that ``resume`` shows, and what it says on stderr."""
    assert run(["resume", str(folder)]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("test"))
    return lines[first : first + 2], said.err


CHANGES = {
    "a score": lambda made: made["scores"].update(accuracy=0.999),
    "a row": lambda made: made["each"][0].update(accuracy=-1.0),
    "no scores": lambda made: made.pop("scores"),
    "epochs of half": lambda made: made.update(epochs=1.5),
    "null": lambda made: made.update(epochs=None),
    "text": lambda made: made.update(test_examples="12"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_test_scores_are_made_again(folder, home, capsys, change):
    right, _ = lines_of_test(capsys, folder)
    made = json.loads((folder / "test.json").read_text())
    CHANGES[change](made)
    (folder / "test.json").write_text(json.dumps(made))
    again, err = lines_of_test(capsys, folder)
    assert again == right and "the winner is retrained" in err
    assert (folder / "test.json").read_bytes() == (home / "a" / "test.json").read_bytes()


@pytest.mark.parametrize("name", ["test.json", "model.json", "model.safetensors"])
def test_the_winners_files_of_another_sweep_are_made_again(folder, home, capsys, name):
    right, _ = lines_of_test(capsys, folder)
    shutil.copy(home / "b" / name, folder / name)
    assert lines_of_test(capsys, folder)[0] == right
    for file in ("test.json", "model.json", "model.safetensors"):
        assert (folder / file).read_bytes() == (home / "a" / file).read_bytes()


def test_predict_refuses_the_model_of_another_sweep(folder, home, capsys):
    for name in ("model.json", "model.safetensors"):
        shutil.copy(home / "b" / name, folder / name)
    assert run(["predict", str(folder), str(home / "pets.csv")]) == 2
    assert "is of another sweep: `fnopt resume" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", '{"format": 2}', "9" * 5_000])
@pytest.mark.parametrize("name", ["test.json", "model.json", "sweep.json"])
def test_odd_json_is_one_line(folder, home, capsys, name, text):
    (folder / name).write_text(text)
    assert run(["resume", str(folder)]) == (2 if name == "sweep.json" else 0)
    (folder / name).write_text(text)
    assert run(["predict", str(folder), str(home / "pets.csv")]) in ((0,) if name == "test.json" else (2,))
    err = capsys.readouterr().err
    assert all(line.startswith(("error: ", "warning: ", "note: ")) for line in err.splitlines()), err
    assert "fault of fnopt" not in err


def test_out_refuses_what_is_read_and_what_is_no_file(folder, home, tmp_path, capsys, monkeypatch):
    new = tmp_path / "new.csv"
    shutil.copy(home / "pets.csv", new)
    (tmp_path / "link.csv").symlink_to(new)
    os.link(new, tmp_path / "hard.csv")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path), contents(home)
    for out in (new, "new.csv", "./a/../new.csv", "link.csv", "hard.csv", "pipe", "a", "a/sweep.json", "a/results.csv"):
        assert run(["predict", str(folder), "new.csv", "--out", str(out)]) == 2, out
        assert capsys.readouterr().err.count("\n") == 1
    for out in (home / "space.toml", home / "pets.csv"):
        assert run(["predict", str(folder), "new.csv", "--out", str(out)]) == 2
        assert "would be lost" in capsys.readouterr().err
    assert (contents(tmp_path), contents(home)) == before
    assert run(["predict", str(folder), "new.csv", "--out", "p.csv"]) == 0 and (tmp_path / "p.csv").is_file()


def test_the_test_part_is_left_alone_until_the_end_and_looks_are_counted(folder, home, capsys, monkeypatch):
    """An unfinished sweep has a model and no test score; asked for, the score is there, and the next look says so."""
    from fnopt.cli import sweep as command

    show = command.winner.show_winner
    monkeypatch.setattr(command.winner, "show_winner", lambda *some, score: show(*some, score=False))
    (folder / "test.json").unlink()
    (folder / "model.safetensors").unlink()
    assert run(["resume", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "left alone until the sweep is finished" in said and "or now: fnopt score" in said
    assert (folder / "model.safetensors").exists() and not (folder / "test.json").exists()
    monkeypatch.undo()
    assert run(["score", str(folder)]) == 0
    made = json.loads((folder / "test.json").read_text())
    assert made["looks"] == 1 and (folder / "test.json").read_bytes() == (home / "a" / "test.json").read_bytes()
    made["config"] = made["config"] + 1  # as if another one had led when it was looked at before
    del made["digest"]
    (folder / "test.json").write_text(json.dumps({**made, "digest": text_digest(made)}))
    assert run(["score", str(folder)]) == 0 and "look 2 at this test part" in capsys.readouterr().out


def test_data_that_moved_are_named_anew(folder, home, tmp_path, capsys):
    asked = json.loads((folder / "sweep.json").read_text())
    del asked["digest"]
    asked["notes"]["command"]["data"] = str(tmp_path / "gone.csv")
    (folder / "sweep.json").write_text(json.dumps({**asked, "digest": text_digest(asked)}))
    assert run(["resume", str(folder)]) == 2
    assert f"fnopt resume {folder} --data FILE" in capsys.readouterr().err
    assert run(["resume", str(folder), "--data", str(home / "pets.csv")]) == 0
    text = (home / "pets.csv").read_text()
    (tmp_path / "renamed.csv").write_text(text)
    assert run(["resume", str(folder), "--data", str(tmp_path / "renamed.csv")]) == 0
    (tmp_path / "edited.csv").write_text(text.replace("black", "brown", 1))
    capsys.readouterr()
    assert run(["resume", str(folder), "--data", str(tmp_path / "edited.csv")]) == 2
    assert "does not hold the data that the sweep" in capsys.readouterr().err
