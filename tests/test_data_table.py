"""Text tables: what becomes of columns, and one clear line for each that cannot be read."""

import csv
import gzip
import logging

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnopt import data

GOOD = "age,colour,price\n1,red,10.5\n2,blue,20\n3,red,30\n"


@pytest.fixture
def put(tmp_path):
    """Write a file and give its path."""

    def put(text, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return put


def test_columns_become_numbers(put):
    made = data.read_csv(put(GOOD), target="price")
    assert made.features == ("age", "colour=blue", "colour=red")
    assert made.columns == (data.Column("age"), data.Column("colour", ("blue", "red")))
    assert (made.target, made.name, made.missing, made.classes) == ("price", "file", None, None)
    np.testing.assert_array_equal(made.x, np.array([[1, 0, 1], [2, 1, 0], [3, 0, 1]], np.float32))
    np.testing.assert_array_equal(made.y, np.array([10.5, 20, 30], np.float32))
    assert made.x.dtype == made.y.dtype == jnp.float32


@pytest.mark.parametrize(
    ("target", "y", "classes", "dtype"),
    [("age", [1, 2, 3], None, jnp.int32), ("colour", [1, 0, 1], ("blue", "red"), jnp.int32)],
)
def test_targets(put, target, y, classes, dtype):
    made = data.read_csv(put(GOOD), target=target)
    assert (made.y.tolist(), made.classes, made.y.dtype) == (y, classes, dtype)


@pytest.mark.parametrize(
    ("text", "name", "separator"),
    [
        (GOOD, "a.csv", None),
        (GOOD.replace(",", "\t"), "a.tsv", None),
        (GOOD.replace(",", ";"), "a.csv", None),
        (GOOD.replace(",", "|"), "a.txt", "|"),
        (GOOD.replace(",", " "), "a.txt", " "),
        (GOOD.replace("\n", "\r\n"), "a.csv", None),
        (GOOD.replace("\n", "\r"), "a.csv", None),
        (GOOD.removesuffix("\n"), "a.csv", None),
        (GOOD.replace("\n", "\n\n"), "a.csv", None),
        (GOOD.replace(",", " , "), "a.csv", None),
        (GOOD.replace("red", '"red"'), "a.csv", None),
        ("\ufeff" + GOOD, "a.csv", None),
        (gzip.compress(GOOD.encode(), mtime=0), "a.csv.gz", None),
        (gzip.compress(GOOD.encode(), mtime=0), "a.csv", None),
    ],
)
def test_same_table_in_other_clothes(put, text, name, separator):
    expected = data.read_csv(put(GOOD, "good.csv"), target="price")
    got = data.read_csv(put(text, name), target="price", separator=separator)
    np.testing.assert_array_equal(got.x, expected.x)
    np.testing.assert_array_equal(got.y, expected.y)
    assert (got.columns, got.name) == (expected.columns, "a")


def test_separator_is_the_one_that_fits_the_rows(put):
    made = data.read_csv(put("size, in m;price, in EUR\n1;2\n3;5\n"), target="price, in EUR")
    assert made.features == ("size, in m",)


def test_quotes_hold_separators_and_lines(put):
    path = put('note,y\n"a, b",1\n"two\nlines",0\nx,2\nx,oops\n')
    with pytest.raises(ValueError, match="line 6, column 'y': 'oops'"):
        data.read_csv(path, target="y")
    made = data.read_csv(put('note,y\n"a, b",1\n"two\nlines ""here""",0\n'), target="y")
    assert made.columns[0].categories == ("a, b", 'two\nlines "here"')


def test_asked_for_as_text(put):
    made = data.read_csv(put("zip,y\n0123,1\nA7,0\n"), target="y", text=["zip", "y"])
    assert made.columns[0].categories == ("0123", "A7")
    assert made.classes == ("0", "1")


def test_columns_are_chosen_in_order(put):
    made = data.read_csv(put("a,b,c,y\nx1,2,3,4\n1,5,6,7\n"), target="y", columns=["c", "b"])
    np.testing.assert_array_equal(made.x, [[3, 2], [6, 5]])


@pytest.mark.parametrize("cell", ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "?", '""', " "])
class TestMissing:
    def test_is_an_error(self, put, cell):
        path = put(f"a,b,y\n1,2,0\n3,{cell},1\n")
        with pytest.raises(ValueError, match=r"line 3, column 'b' is missing; .*--missing drop.*--missing mean"):
            data.read_csv(path, target="y", missing="error")

    def test_takes_the_training_mean(self, put, cell):
        made = data.read_csv(put(f"a,b,y\n1,2,0\n3,{cell},1\n5,6,1\n"), target="y", missing="mean")
        assert made.missing == "mean"
        np.testing.assert_array_equal(made.x, [[1, 2], [3, np.nan], [5, 6]])
        assert data.standardizer(made.x)(made.x)[1, 1] == 0

    def test_has_no_category(self, put, cell):
        made = data.read_csv(put(f"a,b,y\n1,u,0\n3,{cell},1\n5,v,1\n"), target="y", missing="mean")
        np.testing.assert_array_equal(made.x, [[1, 1, 0], [3, 0, 0], [5, 0, 1]])

    def test_drops_its_row_and_says_so(self, put, cell, caplog):
        path = put(f"a,b,y\n1,u,0\n3,{cell},1\n5,w,1\n7,w,{cell}\n")
        with caplog.at_level(logging.WARNING, "fnopt.data"):
            made = data.read_csv(path, target="y", missing="drop")
        np.testing.assert_array_equal(made.x, [[1, 1, 0], [5, 0, 1]])
        assert made.missing is None
        assert caplog.messages[0].startswith(f"{path}: left out 1 of 4 rows, which have no target 'y'")
        assert caplog.messages[1:] == [f"{path}: left out 1 of 3 rows, which have missing cells"]

    def test_in_a_target_leaves_its_row_out_aloud(self, put, cell, caplog):
        path = put(f"a,y\n1,2\n3,{cell}\n5,6\n")
        for missing in (None, "mean", "error", "drop"):
            caplog.clear()
            made = data.read_csv(path, target="y", missing=missing)
            assert (made.x.tolist(), made.y.tolist()) == ([[1], [5]], [2, 6])
            assert len(caplog.messages) == 1
            assert f"{path}: left out 1 of 3 rows, which have no target 'y'" in caplog.messages[0]

    def test_in_an_unused_column_is_nothing(self, put, cell):
        assert data.read_csv(put(f"a,b,y\n1,2,0\n3,{cell},1\n"), target="y", columns=["a"]).x.shape == (2, 1)


BAD = {
    "empty": ("", {}, "is empty; expected a header"),
    "blank": (" \n \n", {}, "is empty; expected a header"),
    "header only": ("a,y\n", {}, "header and no rows"),
    "ragged, short": ("a,b,y\n1,2,3\n1,2\n", {}, "line 3: expected 3 cells, got 2"),
    "ragged, long": ("a,y\n\n3,14,2\n", {}, "line 3: expected 2 cells, got 3; .*decimals need a point"),
    "text among numbers": ("a,y\n1,0\nx,1\n", {}, r"line 3, column 'a': 'x' is text .*text=\['a'\] \(--text a\)"),
    "number among text": ("a,y\nx,0\n1,1\n", {}, r"line 2, column 'a': 'x' is text .*text=\['a'\] \(--text a\)"),
    "text in target": ("a,y\n1,0\n2,no\n", {}, "line 3, column 'y': 'no' is text"),
    "digits with signs": ("a,y\n1,0\n1_0,1\n", {}, "line 3, column 'a': '1_0' is text"),
    "not UTF-8": (b"a,y\n1,2\n\xe9,3\n", {}, "line 3: byte 0xe9 is not UTF-8"),
    "not UTF-8 in UTF-16": ("a,y\n1,2\n".encode("utf-16"), {}, "is text in UTF-16; .*--encoding utf-16"),
    "decimal comma": ("a;y\n3,14;1\n2,7;2\n", {}, "line 2, column 'a': '3,14' has a comma; write .* point"),
    "decimal comma beside numbers": ("a;y\n3;1\n2,7;2\n", {}, "line 3, column 'a': '2,7' has a comma"),
    "thousands": ('a,y\n"1,234.5",1\n"2,000",2\n', {}, "line 2, column 'a': '1,234.5' has a comma"),
    "wrong separator": (GOOD, {"separator": ";"}, "line 1: one column, 'age,colour,price'.* separator=','"),
    "unknown separator": (GOOD.replace(",", "|"), {}, r"which holds '\|'; write separator='\|'"),
    "unknown separator, spaces": (GOOD.replace(",", " "), {}, "which holds ' '; write separator=' '"),
    "long separator": (GOOD, {"separator": "::"}, "one character"),
    "duplicate names": ("a,b,a,y\n1,2,3,4\n", {}, "line 1: columns 1 and 3 are both called 'a'"),
    "no header": ("1,2,3\n4,5,6\n", {}, "line 1 looks like data, .*--no-header"),
    "no header, text at the end": ("5.1,3.5,iris\n5.2,3.1,iris\n", {}, r"line 1 looks like data, .*'5\.1' is a number"),
    "no target": ("a,yy\n1,2\n", {}, "no target column 'y'; did you mean 'yy'"),
    "target alone": ("y\n1\n2\n", {}, "no column beside the target 'y'"),
    "infinite": ("a,y\n1,0\ninf,1\n", {}, "line 3, column 'a': 'inf' is not a finite number"),
    "infinite in target": ("a,y\n1,0\n1,-Infinity\n", {}, "line 3, column 'y': '-Infinity' is not a finite"),
    "too large": ("a,y\n1,0\n1e39,1\n", {}, "line 3, column 'a': '1e39' is not a finite number"),
    "open quote": ('a,y\n1,2\n"3,4\n', {}, "line 3: unexpected end of data; quotes"),
    "half a quoted cell": ('a,y\n"1"2,2\n', {}, "line 2: .* quotes must enclose a whole cell"),
    "all rows missing": ("a,y\n?,2\n1,?\n", {"missing": "drop"}, "no column is left to learn from, left out are a"),
    "missing how": (GOOD, {"missing": "median"}, "unknown missing 'median'; did you mean 'mean'"),
    "unknown text": ("a,y\n1,2\n", {"text": ["b"]}, "no text column 'b'"),
    "unknown column": ("a,y\n1,2\n", {"columns": ["b"]}, "no column 'b'"),
    "target as input": ("a,y\n1,2\n", {"columns": ["a", "y"]}, "not the target 'y'"),
    "identifiers": (
        "a,y\n" + "".join(f"u{i},{i}\n" for i in range(1001)),
        {"keep": "a"},
        "'a' holds 1001 different texts",
    ),
    "damaged gzip": (gzip.compress(b"a,y\n1,2\n" * 99, mtime=0)[:-9], {}, "damaged gzip"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files(put, case):
    text, options, words = BAD[case]
    path = put(text)
    with pytest.raises(ValueError, match=words) as error:
        data.read_csv(path, target="y", **options)
    assert "\n" not in str(error.value)


def test_no_file(put, tmp_path):
    put(GOOD, "houses.csv")
    with pytest.raises(FileNotFoundError, match=r"houses\.cvs'; did you mean 'houses.csv'"):
        data.read_csv(tmp_path / "houses.cvs", target="y")
    with pytest.raises(FileNotFoundError, match="no file"):
        data.read_csv(tmp_path / "nowhere" / "houses.csv", target="y")
    with pytest.raises(ValueError, match="is a folder"):
        data.read_csv(tmp_path, target="y")


class TestNewRows:
    COLUMNS = (data.Column("age"), data.Column("colour", ("blue", "red")))

    def test_follow_the_training_columns(self, put):
        made = data.read_csv(put(GOOD), target="price")
        np.testing.assert_array_equal(data.read_table(put(GOOD), made.columns), made.x)

    def test_in_any_order_with_more_beside(self, put):
        x = data.read_table(put("name;colour;age\n?;red;4\nx;blue;5\n"), self.COLUMNS)
        np.testing.assert_array_equal(x, np.array([[4, 0, 1], [5, 1, 0]], np.float32))

    def test_missing_where_training_had_some(self, put):
        path = put("age,colour\n,red\n2,\n")
        np.testing.assert_array_equal(data.read_table(path, self.COLUMNS, missing="mean"), [[np.nan, 0, 1], [2, 0, 0]])
        with pytest.raises(ValueError, match="line 2, column 'age' is missing"):
            data.read_table(path, self.COLUMNS)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("age,colour\n1,red\n2,green\n", "line 3, column 'colour': 'green' is not a category .*: blue, red"),
            ("ages,colour\n1,red\n", "lacks the column 'age' .* did you mean 'ages'"),
            ("age,colour\nold,red\n", "line 2, column 'age': 'old' is text in a column of numbers"),
            ('age,colour\n"1,5",red\n', "line 2, column 'age': '1,5' has a comma"),
            ("age,colour\n1\n", "line 2: expected 2 cells, got 1"),
        ],
    )
    def test_that_do_not_fit(self, put, text, words):
        with pytest.raises(ValueError, match=words):
            data.read_table(put(text), self.COLUMNS)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Nd", "Zs", "Zl", "Zp"]), min_size=1)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    rows=st.lists(st.tuples(NUMBERS, WORDS.map("w".__add__), NUMBERS), min_size=1, max_size=8),
    separator=st.sampled_from([",", "\t", ";"]),
)
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, separator):
    path = tmp_path_factory.mktemp("table") / "round.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows([("a", "b", "y"), *rows])
    made = data.read_csv(path, target="y")
    numbers, words, values = zip(*rows, strict=True)
    np.testing.assert_array_equal(made.x[:, 0], np.array(numbers, np.float32))
    np.testing.assert_array_equal(made.y.astype(jnp.float32), np.array(values, np.float32))
    names = made.columns[1].categories
    assert [names[int(k)] for k in made.x[:, 1:].argmax(axis=1)] == list(words)
    np.testing.assert_array_equal(data.read_table(path, made.columns), made.x)
