"""Every mistake on the command line: one line on stderr, exit code 2, and nothing written."""

import gzip

import numpy as np
import pytest
from cli_cases import contents

from fnopt.cli.entry import run

GOOD = b"a,b,y\n1,2,u\n3,4,v\n5,6,u\n7,8,v\n9,1,u\n2,3,v\n4,5,u\n6,7,v\n8,9,u\n1,3,v\n"
XY = {"x": np.arange(20.0).reshape(10, 2), "y": np.arange(10) % 2}

# what the file holds: what the one line says
TABLES = {
    "empty file": (b"", "is empty"),
    "header only": (b"a,b,y\n", "holds a header and no rows"),
    "ragged row": (b"a,b,y\n1,2,u\n3,4\n", "line 3", "expected 3 cells", "got 2"),
    "text among numbers": (b"a,b,y\n1,2,u\n3,four,v\n", "line 3, column 'b'", "'four' is text", "--text b"),
    "missing cell": (b"a,b,y\n1,,u\n3,4,v\n", "line 2, column 'b' is missing", "--missing drop", "--missing mean"),
    "not UTF-8": (b"a,b,y\n1,2,u\n3,4,\xe9\n", "line 3", "0xe9", "save the file as UTF-8"),
    "decimal comma": (b"a;b;y\n1,5;2;u\n3;4;v\n", "line 2, column 'a'", "'1,5' has a comma"),
    "decimal comma between commas": (b"a,b,y\n1,5,2,u\n", "line 2", "decimals need a point"),
    "wrong separator": (b"a|b|y\n1|2|u\n", "which holds '|'", "--separator '|'"),
    "columns of one name": (b"a,a,y\n1,2,u\n", "both called 'a'; rename one"),
    "no target column": (b"a,b,kind\n1,2,u\n", "has no target column 'y'"),
    "one class": (b"a,y\n" + b"1,u\n" * 10, "at least two classes, got only", "'u'"),
    "too few rows": (b"a,y\n1,u\n2,v\n", "none may be empty"),
    "infinite input": (b"a,y\n1,u\ninf,v\n", "line 3, column 'a'", "'inf' is not a finite number"),
    "infinite target": (b"a,y\n1,1.5\n2,-inf\n", "line 3, column 'y'", "not a finite number"),
    "missing target": (b"a,y\n1,\n2,\n", "has no target in any row: column 'y' is all missing"),
}

# what .npz holds: what the one line says
ARRAYS = {
    "NaN in x": ({**XY, "x": np.where(XY["x"] == 7, np.nan, XY["x"])}, "`x` in row 3, column 1", "not finite"),
    "NaN in y": ({**XY, "y": np.array([0.5, np.nan] * 5)}, "`y` in row 1", "not finite"),
    "other lengths": ({**XY, "y": np.arange(9)}, "`x` has 10 rows and `y` has 9"),
    "no y": ({"x": XY["x"]}, "'y'", "known: x"),
    "x in one axis": ({**XY, "x": np.arange(10.0)}, "examples in rows", "x[:, None]"),
    "objects": ({**XY, "y": np.array([None] * 10)}, "holds Python objects"),
}

# space.toml: what the one line says
SPACES = {
    "negative learning rate": ("lr = -0.1", "lr", "-0.1"),
    "learning rate that can be negative": ("lr = {uniform = [-0.1, 0.1]}", "lr"),
    "beta of 1 or more": ('optimizer = "adam"\nb1 = 1.0', "b1"),
    "beta below 0": ('optimizer = "momentum"\nbeta = -0.5', "beta"),
    "log range from 0": ("lr = {log_uniform = [0, 0.1]}", "space.toml: lr:", "bounds above 0, got 0"),
    "reversed range": ("lr = {log_uniform = [0.1, 0.001]}", "is reversed; write log_uniform(0.001, 0.1)"),
    "one bound": ("lr = {log_uniform = [0.1]}", "log_uniform wants two numbers, got 1"),
    "bounds of text": ('lr = {log_uniform = ["a", "b"]}', "`low of log_uniform` must be a finite number, got 'a'"),
    "decay up to 1": ("b1 = {one_minus_log_uniform = [0.5, 1.0]}", "bounds below 1, got 1"),
    "empty choice": ("batch_size = {choice = []}", "space.toml: batch_size: choice() is empty"),
    "choice that is no list": ("batch_size = {choice = 32}", "choice wants a list"),
    "unknown range": ("lr = {log_unifrm = [1e-3, 1e-1]}", "'log_unifrm'", "did you mean 'log_uniform'?"),
    "two ranges": ("lr = {uniform = [0, 1], choice = [1]}", "expected one of", "got uniform, choice"),
    "no range": ("lr = {points = 3}", "expected one of"),
    "unknown name": ("learning_rat = 0.1", "unknown name 'learning_rat'"),
    "unknown optimizer": ('optimizer = "adm"', "'adm'", "did you mean 'adam'?"),
    "unknown schedule": ('lr = {schedule = "cosin", peak = 0.1}', "did you mean 'cosine'?"),
    "batch size of 0": ("batch_size = 0", "`batch_size` must be a whole number ≥ 1, got 0"),
    "width of 0": ("hidden = [0]", "hidden", "0"),
    "a number that no structure has": ('optimizer = "sgd"\nb1 = 0.9', "has the number 'b1'"),
    "when of nothing": ("b1 = {uniform = [0.5, 0.9], when = 3}", "space.toml: b1: `when` wants names"),
    "when of itself": ("l2 = {uniform = [0, 1], when = {l2 = 0.1}}", "space.toml: l2: `when` names l2 itself"),
    "lists for a number": (
        "max_norm = {choice = [[1], [2]]}",
        "space.toml: `max_norm` must be one number or one schedule",
    ),
    "a list for a number": ("max_norm = [0.1, 0.2]", "space.toml: `max_norm` must be one number or one schedule"),
    "strengths of another number of layers": ("l2 = [0.1, 0.2, 0.3]", "space.toml: `l2` must be one number, or 2: one"),
    "400 digits": (f"lr = {'9' * 400}", "space.toml: `lr` must be in [0, inf), got inf"),
    "layers beyond counting": ("hidden = [1000000000000]", "`hidden` must be a whole number below 2147483648"),
    "nothing": ("# nothing\n", "names nothing to search"),
    "not TOML": ("lr = [", "is not TOML"),
}

# options: what the one line says
OPTIONS = {
    "unknown data": (["sweep", "digit"], "unknown data 'digit'; did you mean 'digits'?"),
    "no such file": (["sweep", "nowhere.csv", "--target", "y"], "no file 'nowhere.csv'"),
    "no such array file": (["sweep", "nowhere.npz"], "no file 'nowhere.npz'"),
    "a folder": (["sweep", "."], "is a folder"),
    "no target": (["sweep", "good.csv"], "--target"),
    "target without a table": (["sweep", "iris", "--target", "species"], "--target is for tables"),
    "no labels beside": (["sweep", "good.bin"], "name the file of labels with --labels"),
    "no configurations": (["sweep", "iris", "--n", "0"], "--n must be a whole number ≥ 1, got 0"),
    "no epochs": (["sweep", "iris", "--epochs", "0"], "--epochs must be a whole number ≥ 1, got 0"),
    "n of text": (["sweep", "iris", "--n", "many"], "--n must be a whole number ≥ 1, got many"),
    "negative patience": (["sweep", "iris", "--patience", "-1"], "--patience must be a whole number ≥ 0"),
    "unknown search": (["sweep", "iris", "--search", "randon"], "did you mean 'random'?"),
    "unknown task": (["sweep", "iris", "--task", "clases"], "did you mean 'classes'?"),
    "values of text": (["sweep", "iris", "--task", "values"], "--task values wants numbers in 'species'"),
    "classes of fractions": (["sweep", "frac.npz", "--task", "classes"], "--task classes wants labels in 'y'"),
    "unknown missing": (["sweep", "good.csv", "--target", "y", "--missing", "men"], "did you mean 'mean'?"),
    "unknown objective": (["sweep", "iris", "--objective", "dev/acuracy"], "did you mean 'accuracy'?"),
    "objective without a part": (["sweep", "iris", "--objective", "acuracy"], "did you mean 'accuracy'?"),
    "one share": (["sweep", "iris", "--split", "0.8"], "--split wants three shares", "or two without a test part"),
    "shares above 1": (["sweep", "iris", "--split", "0.8,0.2,0.2"], "sum is 1"),
    "no space file": (["sweep", "iris", "--space", "nowhere.toml"], "no file 'nowhere.toml'"),
    "unknown text column": (["sweep", "good.csv", "--target", "y", "--text", "c"], "no text column 'c'"),
    "unknown option": (["sweep", "iris", "--lr", "0.1"], "--lr"),
    "unknown command": (["swep", "iris"], "swep"),
    "predict without a model": (["predict", "nowhere", "good.csv"], "nowhere"),
    "predict from a folder of other things": (["predict", ".", "good.csv"], "holds no model.safetensors"),
}


@pytest.fixture
def fails(tmp_path, monkeypatch, capsys):
    """Run a command in a folder of its own; it must fail on one line and write nothing. The line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_bytes(GOOD)
    (tmp_path / "good.bin").write_bytes(bytes(16))
    np.savez(tmp_path / "frac.npz", x=XY["x"], y=XY["y"] + 0.5)

    def check(arguments):
        before = contents(tmp_path)
        assert run(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ")
        assert said.count("\n") == 1
        assert "Traceback" not in said
        assert contents(tmp_path) == before
        assert not (tmp_path / "runs").exists()
        return said

    check.home = tmp_path
    return check


@pytest.mark.parametrize("case", TABLES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_tables(fails, case, packed):
    content, *pieces = TABLES[case]
    name = "table.csv" + ".gz" * packed
    (fails.home / name).write_bytes(gzip.compress(content) if packed else content)
    said = fails(["sweep", name, "--target", "y", "--missing", "error", "--n", "1", "--epochs", "1"])
    assert all(piece in said for piece in pieces), said


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays(fails, case):
    content, *pieces = ARRAYS[case]
    np.savez(fails.home / "arrays.npz", **content)
    said = fails(["sweep", "arrays.npz", "--n", "1", "--epochs", "1"])
    assert all(piece in said for piece in pieces), said


@pytest.mark.parametrize("case", SPACES)
def test_spaces(fails, case):
    content, *pieces = SPACES[case]
    (fails.home / "space.toml").write_text(content)
    said = fails(["sweep", "iris", "--space", "space.toml", "--n", "4", "--epochs", "1"])
    assert all(piece in said for piece in pieces), said


@pytest.mark.parametrize("case", OPTIONS)
def test_options(fails, case):
    arguments, *pieces = OPTIONS[case]
    said = fails(arguments)
    assert all(piece in said for piece in pieces), said


def test_a_folder_with_other_things_is_not_touched(fails):
    (fails.home / "out").mkdir()
    (fails.home / "out" / "letter.txt").write_text("dear reader")
    assert "holds something else" in fails(["sweep", "iris", "--n", "1", "--epochs", "1", "--out", "out"])


def test_missing_libraries_are_named_with_the_line_that_installs_them(fails, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "typer", None)
    assert "pip install 'fnopt[cli]'" in fails(["doctor"])


def test_a_bug_is_told_from_a_mistake(fails, monkeypatch):
    """What no check of fnopt's raised says how to see where it came from."""
    monkeypatch.setattr("fnopt.cli.doctor.facts", lambda: int("seven"))
    assert "FNOPT_TRACEBACK=1 shows where" in fails(["doctor"])
    monkeypatch.setenv("FNOPT_TRACEBACK", "1")
    with pytest.raises(ValueError, match="seven"):
        run(["doctor"])


@pytest.mark.parametrize(
    ("arguments", "pieces"),
    [
        ([], ["sweep", "predict", "doctor"]),
        (["--help"], ["sweep", "predict", "doctor"]),
        (["sweep", "--help"], ["--target", "--space", "--repeat", "DATA"]),
        (["predict", "--help"], ["--proba", "RUN"]),
        (["--version"], ["fnopt"]),
    ],
)
def test_help_and_version(arguments, pieces, capsys):
    assert run(arguments) == 0
    said = capsys.readouterr()
    assert all(piece in said.out for piece in pieces)
    assert not said.err
