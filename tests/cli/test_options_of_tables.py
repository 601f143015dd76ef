"""Options of tables in the terminal: what is left out is said, in its words, and stored for resume and predict."""

import csv
import io
from contextlib import redirect_stdout

import pytest
from cli_cases import SPACE, contents

from fnopt.cli.entry import run
from fnopt.run import load

ROWS = 60


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a table as people have them, and the sweep of it that leaves columns out."""
    folder = tmp_path_factory.mktemp("people")
    head = ",Name,a_code,b_code,size,when,colour,y"
    rows = [
        f"{k},Person {k},{k % 3},{k % 5},{k % 7 if k % 9 else '?'},2020-01-{k % 28 + 1:02d} {k % 24}:00,"
        f"{['red', 'blue', ''][k % 3]},{['u', 'v', 'v', 'none'][k % 4]}"
        for k in range(ROWS)
    ]
    (folder / "people.csv").write_text("\n".join([head, *rows]) + "\n")
    (folder / "headless.csv").write_text("\n".join(row.replace("?", "") for row in rows) + "\n")
    (folder / "space.toml").write_text(SPACE)
    return folder


def sweep(home, out, *options, data="people.csv"):
    small = ["--space", str(home / "space.toml"), "--n", "1", "--epochs", "1", "--out", str(home / out)]
    return run(["sweep", str(home / data), *small, *options])


@pytest.fixture(scope="module")
def done(home):
    """The sweep, and what it said."""
    said = io.StringIO()
    with redirect_stdout(said):
        code = sweep(home, "out", "--target", "y", "--ignore", "*_code", "--missing-marks", "none,x")
    assert code == 0
    return said.getvalue()


@pytest.mark.parametrize(
    "fact",
    [
        "people: 45 examples, 8 inputs, 2 classes: u, v",
        "left out the first column, an index without a name",
        "left out 15 of 60 rows, which have no target 'y', as in line 5 ('none')",
        "left out Name (45 different texts in 45 cells): most of their cells differ; --keep NAME takes them",
        "dates become numbers: when (year, month, day, weekday, hour)",
        "missing numbers, filled by the mean of the training part: size 6",
        "--missing drop would leave out 21 of 45 rows",
        "missing texts, taken as no category (all zero): colour 15",
    ],
)
def test_what_is_left_out_or_filled_is_said(done, fact):
    assert fact in done


def test_resume_keeps_the_options(home, done, capsys):
    before = contents(home / "out")
    assert run(["resume", str(home / "out")]) == 0
    assert contents(home / "out") == before


def test_predict_keeps_the_columns_and_says_what_is_odd(home, done, capsys):
    (home / "new.csv").write_text("colour,size,when,extra\nred,1,2021-05-06 7:00,z\n,?,2021-05-06 7:00,z\ngreen,,,\n")
    command = ["predict", str(home / "out"), str(home / "new.csv")]
    assert run(command) == 2
    assert "line 4, column 'colour': 'green' is not a category that the model knows" in capsys.readouterr().err
    assert run([*command, "--unknown", "ignore"]) == 0
    said = capsys.readouterr()
    assert len(list(csv.DictReader(io.StringIO(said.out)))) == 3
    assert "note: missing numbers, filled by the mean of the training part: size 2, when 1" in said.err
    assert "note: missing texts, taken as no category (all zero): colour 1" in said.err
    assert "note: unknown to the model, taken as no category (all zero): 1 cells of column 'colour', green" in said.err
    assert load(home / "out" / "model.safetensors").encoding.columns[0].marks is not None


def test_no_header_goes_through(home, capsys):
    """Named by its number, in training and in prediction; the cure is named where it is left out."""
    assert sweep(home, "none", "--target", "8", "--no-header", "--columns", "3,4,5", data="headless.csv") == 0
    assert "60 examples, 3 inputs" in capsys.readouterr().out
    assert run(["predict", str(home / "none"), str(home / "headless.csv"), "--no-header"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == ROWS + 1
    assert run(["predict", str(home / "none"), str(home / "headless.csv")]) == 2
    assert "--no-header" in capsys.readouterr().err


# options: what the one line says, in the terminal's words
MISTAKES = {
    "a misspelt ignore": (["--target", "y", "--ignore", "colr"], ["--ignore names; did you mean 'colour'?"]),
    "a misspelt column": (["--target", "y", "--columns", "size,colr"], ["--columns names; did you mean 'colour'?"]),
    "a misspelt keep": (["--target", "y", "--keep", "Nme"], ["--keep names; did you mean 'Name'?"]),
    "no target": ([], ["--target", "one of ", "Name, a_code, b_code, size"]),
    "no target, no header": (["--no-header"], ["--target", "by its number, 1 to 8"]),
    "missing cells": (["--target", "y", "--missing", "error"], ["--missing drop, which leaves out", "--missing mean"]),
    "unknown missing": (["--target", "y", "--missing", "mode"], ["--missing"]),
    "header and none": (["--target", "y", "--header", "--no-header"], ["--header and --no-header"]),
    "an encoding of nothing": (["--target", "y", "--encoding", "latn"], ["unknown encoding 'latn'"]),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_line_in_the_terminals_words(home, capsys, case):
    options, pieces = MISTAKES[case]
    assert sweep(home, "never", *options) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(piece in said for piece in pieces), said
    assert "=[" not in said and 'missing="' not in said
    assert not (home / "never").exists()


@pytest.mark.parametrize("option", ["--ignore", "--columns", "--keep", "--missing-marks", "--encoding"])
def test_options_of_tables_are_refused_for_other_data(capsys, option):
    assert run(["sweep", "iris", option, "x"]) == 2
    assert f"{option} is for tables" in capsys.readouterr().err


def test_other_formats_are_named(home, capsys):
    (home / "t.parquet").write_bytes(b"PAR1" + bytes(9))
    for options in ([], ["--target", "y"]):
        assert sweep(home, "never", *options, data="t.parquet") == 2
        assert "is a Parquet file" in capsys.readouterr().err
