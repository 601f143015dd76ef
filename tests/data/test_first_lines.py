"""The beginning of a table: headers and what only looks like one, comments, quotes, encodings, other formats."""

import gzip
import re

import pytest

from fnopt import data

ROWS = 30


def lines(*cells, rows=ROWS):
    return "".join(",".join(str(c[i % len(c)]) for c in cells) + "\n" for i in range(rows))


@pytest.fixture
def put(tmp_path):
    def put(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


HEADLESS = {
    "numbers and a text": (lines("MFI", [0.45, 0.35, 0.53], [15, 7, 9]), "'0.45' is a number"),
    "a mark of a missing cell": (lines([3, 1], ["?", "?", 1], ["alfa", "audi"]), "'?' stands for a missing cell"),
    "numbers": (lines([6, 1], [148, 85], [72, 66]), "'6' is a number"),
    "few numbers among texts": (
        lines([39, 50], ["State-gov", "Private"], [77516, 3311], ["BA", "HS"]),
        "'39' is a number",
    ),
    "letters alone": (lines("pe", "xb", "sy", "nw"), "'p', 'x' stand below again as cells"),
    "counted": (lines([1, 2], [2, 3], [3, 4]), "all of it is numbers"),
    "a negative": (lines(["a", "b"], [-1, 1], [1, 2]), "'-1' is a number"),
}


@pytest.mark.parametrize("case", HEADLESS)
def test_a_first_line_of_data_is_refused_and_the_cure_reads_it(put, case):
    content, why = HEADLESS[case]
    path = put(content)
    first = content.split("\n")[0].split(",")
    with pytest.raises(ValueError, match=rf"line 1 looks like data, .*{re.escape(why)}; .*--no-header.*--header"):
        data.read_csv(path, first[-1])
    made = data.read_csv(path, len(first), header=False)
    assert (len(made), made.target) == (ROWS, str(len(first)))
    assert [column.name for column in made.columns] == [str(k + 1) for k in range(len(first) - 1)]
    assert data.read_table(path, made.columns, missing=made.missing, header=False).shape == made.x.shape
    with pytest.raises(ValueError, match="--no-header"):
        data.read_table(path, made.columns, missing=made.missing)
    with pytest.raises(ValueError, match="did you mean '2'" if len(first) == 2 else "no target column '12'"):
        data.read_csv(path, 12, header=False)


def test_names_that_are_numbers_may_be_said_to_be_names(put):
    made = data.read_csv(put("0,1,2\n" + lines([4, 5, 6], [5.5, 7.5], [0, 1])), "2", header=True)
    assert (made.features, len(made)) == (("0", "1"), ROWS)


@pytest.mark.parametrize("comment", ["# exported 2020", "My report", "My report,,", "% made, by hand", "// x"])
def test_what_stands_above_the_header_is_named(put, comment):
    kind = "title" if comment.startswith("My") else "comment"
    with pytest.raises(ValueError, match=f"line 1 looks like a {kind}, '.*', above 3 columns; delete it"):
        data.read_csv(put(f"{comment}\na,b,y\n" + lines([1, 2], [3, 4, 5], [0, 1])), "y")


@pytest.mark.parametrize("separator", ",;\t")
@pytest.mark.parametrize("cell", ['"x \\"q\\" z"', '"x" z', '"x'])
def test_an_error_of_quotes_is_named_with_its_line(put, cell, separator):
    content = separator.join("aty") + "\n" + separator.join(("1", cell, "0")) + "\n"
    for given in (None, separator):
        with pytest.raises(ValueError, match=r"line 2: .*quotes must enclose a whole cell"):
            data.read_csv(put(content), "y", separator=given)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32"])
def test_wide_encodings_are_named_and_read_where_they_are_said(put, encoding):
    path = put(("a,name,y\n" + lines([1, 2, 3], ["Zoë", "Ann"], [0, 1])).encode(encoding))
    with pytest.raises(ValueError, match=rf"is text in {encoding[:6].upper()}.*--encoding {encoding}\)"):
        data.read_csv(path, "y")
    assert data.read_csv(path, "y", encoding=encoding).features == ("a", "name=Ann", "name=Zoë")


@pytest.mark.parametrize(("encoding", "text"), [("latin-1", "Malmö"), ("cp1252", "5 €uro")])
def test_western_encodings_are_named_with_line_and_byte(put, encoding, text):
    path = put(f"a,y\nx,0\n{text},1\n".encode(encoding))
    with pytest.raises(ValueError, match=rf"line 3: byte 0x.. is not UTF-8, near '.*{text}.*--encoding {encoding}\)"):
        data.read_csv(path, "y")
    assert data.read_csv(path, "y", encoding=encoding).features == tuple(sorted((f"a={text}", "a=x")))
    with pytest.raises(ValueError, match="unknown encoding 'latn-1'"):
        data.read_csv(path, "y", encoding="latn-1")


@pytest.mark.parametrize("marks", [1, 2, 3])
def test_marks_of_byte_order_are_no_part_of_a_name(put, marks):
    assert data.read_csv(put("\ufeff" * marks + '"a b",y\n1,0\n2,1\n'), "y").features == ("a b",)


FORMATS = {
    "is a Parquet file": b"PAR1" + bytes(9),
    "is a zip archive": b"PK\x03\x04" + bytes(9),
    "is a bzip2 file": b"BZh91AY&SY",
    "is an xz file": b"\xfd7zXZ\x00\x00",
    "is a Zstandard file": b"\x28\xb5\x2f\xfd",
    "is an old Excel file": b"\xd0\xcf\x11\xe0\xa1",
    "is an HDF5 file": b"\x89HDF\r\n",
    "is an SQLite database": b"SQLite format 3\x00",
    "is a NumPy array": b"\x93NUMPY\x01",
    "is a pickle": b"\x80\x04\x95",
    "is JSON": b'[{"a": 1, "y": 2},\n' * 3000,
    "is JSON;": b'{"a": 1, "y": 2}\n' * 3000,
    "is HTML or XML": b"<!DOCTYPE html><html>",
    "is a picture": b"\x89PNG\r\n",
    "is no text, it holds bytes of zero": b"a\x00\x01,b",
    "is a gzip file inside a gzip file": gzip.compress(gzip.compress(b"a,y\n1,2\n")),
}


@pytest.mark.parametrize("words", FORMATS)
def test_other_formats_are_named_in_one_short_line(put, words):
    path = put(FORMATS[words])
    for call in (lambda: data.read_csv(path, "y"), lambda: data.read_table(path, [data.Column("a")])):
        with pytest.raises(ValueError, match=f"table.csv {words}") as error:
            call()
        assert len(str(error.value).removeprefix(str(path))) < 200


LONG = {
    "a cell": "a,y\n" + lines(["z" * 99_999, 1, 2, 3, 4], [0, 1]),
    "a name": "a" * 99_999 + ",y\n1,0\n",
    "a line": "a,y\n" + "1," * 60_000 + "\n",
    "many names": ",".join(f"column{k}" for k in range(9000)) + "\n",
    "a cell beyond what is read": "a,y\n" + "z" * 200_000 + ",1\n",
    "a target": "a,y\n1,0\n2," + "z" * 99_999 + "\n3,1\n" * 9,
}


@pytest.mark.parametrize("case", LONG)
def test_what_is_long_is_cut(put, case):
    path = put(LONG[case])
    for target in ("q",) if case == "a name" else ("y", "q"):
        with pytest.raises(ValueError, match=r"table\.csv") as error:
            data.read_csv(path, target)
        assert len(str(error.value).replace(str(path), "")) < 700


def test_names_and_files_are_distinguished(tmp_path):
    with pytest.raises(ValueError, match=r"fo\.data\.read_csv\('houses\.csv', target=…\) reads it"):
        data.load("houses.csv")
    with pytest.raises(ValueError, match=r"fo\.data\.read_npz\('some/houses\.npz'\) reads it"):
        data.load("some/houses.npz")
    with pytest.raises(ValueError, match=r"'iris' is built in: fo\.data\.load\('iris'\)"):
        data.read_csv("iris", "species")


def test_control_characters_never_come_back_raw(put):
    hostile = "\x1b]0;mine\x07"
    for content, target in (
        (f"{hostile},y\n1,0\n", "z"),
        (f"a,y\n{hostile},0\n1,1\n2,1\n", "y"),
        (f"{hostile},{hostile},y\n1,2,0\n", "y"),
    ):
        with pytest.raises(ValueError, match="table") as error:
            data.read_csv(put(content), target)
        assert str(error.value).isprintable()
