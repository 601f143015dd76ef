"""Columns, rows and cells as people's tables hold them: what is used, left out or filled, and that it is said."""

import logging
import re

import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import data

ROWS = 60


def table(head, *cells):
    """A table of 60 rows: cells are functions of the row, or lists that come again and again."""
    rows = (",".join(str(c(i)) if callable(c) else str(c[i % len(c)]) for c in cells) for i in range(ROWS))
    return "\n".join([head, *rows]) + "\n"


@pytest.fixture
def read(tmp_path, caplog):
    """Read a text as a table: (dataset, what was said); or what the refusal says."""

    def read(text, target="y", **options):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        caplog.clear()
        with caplog.at_level(logging.WARNING, "fnopt.data"):
            made = data.read_csv(path, target, **options)
        return made, "\n".join(caplog.messages)

    read.path = tmp_path / "table.csv"
    return read


def name(i):
    return f"Person {i}"


# head, columns, options: features, and pieces of what is said
USED = {
    "names": (("n,a,y", name, [1, 2, 3], [0, 1]), {}, ["a"], ["left out n (60 different texts in 60 cells)", "--keep"]),
    "names kept": (("n,a,y", name, [1, 2, 3], [0, 1]), {"keep": "n"}, 61, ["kept", "n (60 of 60 cells)"]),
    "names asked for": (("n,a,y", name, [1, 2, 3], [0, 1]), {"columns": ["n", "a"]}, 61, ["kept"]),
    "names by a pattern": (("n,a,y", name, [1, 2, 3], [0, 1]), {"columns": "*"}, ["a"], ["left out n"]),
    "tickets, most of them numbers": (
        ("t,a,y", lambda i: i * 7 if i % 4 else f"PC {i}", [1, 2, 3], [0, 1]),
        {},
        ["a"],
        ["left out t (60 different texts in 60 cells)"],
    ),
    "names of which some come again": (
        ("n,a,y", lambda i: f"car {i % 40}", [1, 2], [0, 1]),
        {},
        ["a"],
        ["40 different"],
    ),
    "few texts": (("n,y", [f"c{k}" for k in range(20)], [0, 1]), {}, 20, []),
    "numbers called an id": (
        ("CustomerID,a,y", lambda i: 900 + 7 * i, [1, 2], [0, 1]),
        {},
        ["a"],
        ["left out CustomerID"],
    ),
    "an id kept": (("user_id,a,y", lambda i: 900 + 7 * i, [1, 2, 3], [0, 1]), {"keep": "*_id"}, ["user_id", "a"], []),
    "an id that comes again": (("shop_id,y", [1, 2, 3], [0, 1]), {}, ["shop_id"], []),
    "a fraction called an id": (("id,y", lambda i: i / 7, [0, 1]), {}, ["id"], []),
    "a column that counts": (("t,y", lambda i: i + 5, [0, 1]), {}, ["t"], ["t counts the rows by one", "--ignore"]),
    "dates without separators": (("d,y", lambda i: 20200101 + i % 28, [0, 1]), {}, ["d"], ["look like dates: d"]),
    "an index": ((",a,y", lambda i: i, [1, 2], [0, 1]), {}, ["a"], ["left out the first column, an index"]),
    "an index of text": ((",a,y", name, [1, 2], [0, 1]), {}, ["a"], ["left out the first column, an index"]),
    "pandas' index": (("Unnamed: 0,a,y", [7, 7, 8], [1, 2], [0, 1]), {}, ["a"], ["left out the first column"]),
    "pandas' index kept": (("Unnamed: 0,y", [7, 7, 8], [0, 1]), {"keep": "Unnamed: 0"}, ["Unnamed: 0"], []),
    "no name at the end": (("a,y,", [1, 2], [0, 1], [""]), {}, ["a"], ["left out columns without a name: number 3"]),
    "an empty column": (
        ("a,e,y", [1, 2], ["", "NA"], [0, 1]),
        {},
        ["a"],
        ["left out e: all of their cells are missing"],
    ),
    "one number among texts": (
        ("c,y", lambda i: "645" if i == 30 else "red", [0, 1]),
        {},
        ["c=645", "c=red"],
        ["read as text, though numbers stand in them: c (1 number such as '645' (line 32) of 60 cells)"],
    ),
    "codes and numbers": (("c,y", [1, 2, "A1", "B1", "C1"], [0, 1]), {}, 5, ["c (24 numbers such as '1' (line 2)"]),
    "a copy of the target": (
        ("b,a,y", ["no", "yes"], [1, 2, 3], [0, 1]),
        {},
        ["b=no", "b=yes", "a"],
        ["b says the target"],
    ),
    "a multiple": (("b,a,y", lambda i: 4 * i + 1, [1, 2], lambda i: i / 2), {}, ["b", "a"], ["b says the target 'y'"]),
    "left out by name": (("a,b,c,y", [1], [2], [3], [0, 1]), {"ignore": ["a", "b"]}, ["c"], []),
    "left out by commas and patterns": (("a_k,b_k,c,d,y", [1], [2], [3], [4], [0, 1]), {"ignore": "*_k,d"}, ["c"], []),
    "asked for in order": (("a_k,b_k,c,y", [1], [2], [3], [0, 1]), {"columns": "c,*_k"}, ["c", "a_k", "b_k"], []),
    "a name with a comma": (('"a,b",c,y', [1], [2], [0, 1]), {"ignore": "a,b"}, ["c"], []),
    "a name that is a pattern": (("a*,ab,y", [1], [2], [0, 1]), {"ignore": "a*"}, ["ab"], []),
    "years as names": (("2010,2011,y", [1, 2, 6], [3, 4, 5], [0, 1]), {}, ["2010", "2011"], []),
    "counted names": (("0,1,2,y", [1, 2, 6], [3, 4, 7], [5], [0, 1]), {}, ["0", "1", "2"], []),
}


@pytest.mark.parametrize("case", USED)
def test_columns_that_are_used(read, case):
    cells, options, features, pieces = USED[case]
    made, said = read(table(*cells), **options)
    assert len(made.features) == features if isinstance(features, int) else list(made.features) == features
    assert all(piece in said for piece in pieces), said
    assert bool(said) == bool(pieces)
    again = data.read_table(read.path, made.columns, missing=made.missing)
    np.testing.assert_array_equal(again, np.asarray(made.x, np.float64))


# head, columns, options: pieces of the refusal
REFUSED = {
    "one text among numbers": (
        ("a,y", lambda i: "lots" if i == 30 else i, [0, 1]),
        {},
        ["line 32, column 'a'", "'lots' is text in a column of numbers", "--missing-marks", "--text a"],
    ),
    "one mark of its own": (("a,y", [1, 2, "unknown"], [0, 1]), {}, ["'unknown' is text", "19 more such cells"]),
    "two columns at once": (
        ("a,b,y", ["1%"], ["$1"], [0, 1]),
        {},
        ["column 'a': '1%'", "1 more such: line 2, column 'b': '$1'"],
    ),
    "a misspelt ignore": (("size,b,y", [1], [2], [0, 1]), {"ignore": "sise"}, ["'sise'", "did you mean 'size'?"]),
    "a pattern of nothing": (("size,b,y", [1], [2], [0, 1]), {"columns": "*_kode"}, ["no column '*_kode'"]),
    "a misspelt keep": (("size,b,y", [1], [2], [0, 1]), {"keep": "sise"}, ["'sise'", "did you mean 'size'?"]),
    "the target ignored": (("a,y", [1], [0, 1]), {"ignore": "y"}, ["--ignore", "not the target 'y'"]),
    "everything ignored": (("a,y", [1], [0, 1]), {"ignore": "*"}, ["no column beside the target 'y'"]),
    "nothing but names": (("n,y", name, [0, 1]), {}, ["no column is left to learn from", "n (60 different", "--keep"]),
    "a target of dates": (("a,y", [1], ["2020-01-01", "2020-01-02"]), {}, ["'2020-01-01' is a date"]),
    "no target anywhere": (("a,y", [1], ["", "NA"]), {}, ["has no target in any row"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_columns_that_are_refused(read, case):
    cells, options, pieces = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(pieces[0])) as error:
        read(table(*cells), **options)
    assert all(piece in str(error.value) for piece in pieces), error.value
    assert "\n" not in str(error.value)


HOLES = table(
    "a,c,y", [1, "", 3, 4, 5], ["u", "v", "?"], ["p", "q", "p", "q", "p", ""]
)  # of the 50 with a target, a: 10, c: 10, both: 2


@pytest.mark.parametrize(
    ("missing", "rows", "kept", "pieces"),
    [
        (
            None,
            50,
            "mean",
            ["missing numbers, filled by the mean of the training part: a 10", "leave out 18 of 50 rows"],
        ),
        ("mean", 50, "mean", []),
        ("drop", 32, None, ["left out 18 of 50 rows, which have missing cells"]),
    ],
)
def test_missing_cells(read, missing, rows, kept, pieces):
    made, said = read(HOLES, missing=missing)
    assert (len(made), made.missing) == (rows, kept)
    assert "left out 10 of 60 rows, which have no target 'y'" in said
    assert all(piece in said for piece in pieces), said
    assert bool(np.isnan(made.x).any()) == (kept == "mean")
    if missing is None:
        assert "missing texts, taken as no category (all zero): c " in said


def test_missing_cells_as_an_error_count_what_each_cure_costs(read):
    with pytest.raises(
        ValueError, match=r"line 3, column 'a' is missing; .*drop\), which leaves out 18 of 50 rows, or"
    ):
        read(HOLES, missing="error")


def test_columns_left_out_cost_no_rows(read):
    """A text that is an identifier has missing cells; leaving out rows does not ask it."""
    text = table("n,a,y", lambda i: "" if i % 2 else name(i), [1, 2, ""], [0, 1, 1, 0])
    made, said = read(text, missing="drop")
    assert (len(made), made.features) == (40, ("a",))
    assert "left out 20 of 60 rows" in said


def test_whole_numbers_of_a_target_keep_every_digit(read):
    made, _ = read(table("a,y", [1, 2], [10**15, 10**15 + 1, 3]))
    assert np.asarray(made.y).astype(np.int64).tolist()[:3] == [10**15, 10**15 + 1, 3]


def test_numbers_keep_their_digits(read):
    """A time stamp in seconds is not rounded to the 128 seconds that are float32's step there."""
    made, _ = read(table("t,y", lambda i: 1_700_000_000 + 3 * i, [0, 1]))
    assert len(np.unique(np.asarray(made.x))) == ROWS


def test_new_rows_of_a_model_count_what_is_missing_or_unknown(read, tmp_path, caplog):
    made, _ = read(table("c,d,a,y", ["red", "blue"], [f"2020-01-{k:02d}" for k in range(1, 29)], [1, "", 3], [0, 1, 1]))
    new = tmp_path / "new.csv"
    new.write_text("a,d,c\n,2021-02-03,red\n2,,\n3,2021-02-03,green\n")
    with pytest.raises(ValueError, match=r"line 4, column 'c': 'green' is not a category .*--unknown ignore"):
        data.read_table(new, made.columns, missing="mean")
    caplog.clear()
    x = data.read_table(new, made.columns, missing="mean", unknown="ignore")
    nan = np.nan
    wanted = [[0, 1, 2021, 2, 3, 2, nan], [0, 0, nan, nan, nan, nan, 2], [0, 0, 2021, 2, 3, 2, 3]]
    np.testing.assert_array_equal(x, wanted)
    said = "\n".join(caplog.messages)
    assert "filled by the mean of the training part: d 1, a 1" in said
    assert "no category (all zero): c 1" in said
    assert "1 cells of column 'c', green" in said
    with pytest.raises(ValueError, match=r"line 2, column 'a' is missing; .*trained without"):
        data.read_table(new, made.columns, unknown="ignore")


def test_a_missing_text_is_no_category_also_where_training_saw_none(read, tmp_path):
    made, _ = read(table("c,a,y", ["red", "blue"], [1, 2, 3], [0, 1, 1]))
    (tmp_path / "new.csv").write_text("a,c\n1,\n")
    np.testing.assert_array_equal(
        data.read_table(tmp_path / "new.csv", made.columns, missing=made.missing), [[0, 0, 1]]
    )


def test_values_stay_where_jax_may_hold_them(read):
    made, _ = read(table("a,y", [1.5, 2.5], [0, 1]))
    assert made.x.dtype == jnp.float32 and made.y.dtype == jnp.int32
