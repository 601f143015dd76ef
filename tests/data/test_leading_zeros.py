"""Whole numbers with leading zeros are codes: a label keeps its zeros, a column of codes is named; NUL in a cell."""

import logging

import numpy as np
import pytest

from fnopt import data

COLOURS = ["red", "blue", "green"]


def put(tmp_path, cells, target, name="t.csv"):
    path = tmp_path / name
    rows = (f"{k % 7}.5,{cell},{label}" for k, (cell, label) in enumerate(zip(cells, target, strict=True)))
    path.write_text("\n".join(["a,code,y", *rows]))
    return path


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["007", "008"], ("007", "008")),
        (["007", "7", "8"], ("007", "7", "8")),
        (["01", "10"], ("01", "10")),
        (["00", "0", "1"], ("0", "00", "1")),
        (["-01", "2"], ("-01", "2")),
    ],
)
def test_labels_keep_their_zeros_and_this_is_said(tmp_path, caplog, labels, classes):
    target = [labels[k % len(labels)] for k in range(30)]
    with caplog.at_level(logging.WARNING, "fnopt.data"):
        read = data.read_csv(put(tmp_path, COLOURS * 10, target), "y")
    assert read.classes == classes
    assert [classes[k] for k in np.asarray(read.y)] == target
    assert "leading zeros" in caplog.text and "y (" in caplog.text


@pytest.mark.parametrize("labels", [["0", "1"], ["10", "20"], ["0.5", "0.25"], ["0", "0.5"], ["-1", "+1"]])
def test_numbers_without_leading_zeros_are_what_they_were(tmp_path, caplog, labels):
    target = [labels[k % 2] for k in range(30)]
    with caplog.at_level(logging.WARNING, "fnopt.data"):
        read = data.read_csv(put(tmp_path, COLOURS * 10, target), "y")
    assert read.classes is None and np.asarray(read.y).tolist() == [float(t) for t in target]
    assert "zeros" not in caplog.text


def test_codes_of_one_width_are_categories_and_new_rows_agree(tmp_path, caplog):
    codes = ["01234", "09999", "10001"]
    path = put(tmp_path, [codes[k % 3] for k in range(60)], [k % 2 for k in range(60)])
    with caplog.at_level(logging.WARNING, "fnopt.data"):
        read = data.read_csv(path, "y")
    assert read.features == ("a", *(f"code={code}" for code in codes))
    assert "code (3 codes" in caplog.text and "leading zeros" in caplog.text
    new = put(tmp_path, ["10001", "01234"], [0, 0], "new.csv")
    assert data.read_table(new, read.columns)[:, 1:].tolist() == [[0, 0, 1], [1, 0, 0]]
    bare = put(tmp_path, ["1234"], [0], "bare.csv")
    with pytest.raises(ValueError, match="line 2, column 'code': '1234' is not a category"):
        data.read_table(bare, read.columns)


@pytest.mark.parametrize(
    "codes",
    [[f"{k:05d}" for k in range(60)], ["01", "2", "3003", "44", "5"] * 12],
    ids=["all different", "of many widths"],
)
def test_other_columns_with_leading_zeros_stay_numbers_and_are_named(tmp_path, caplog, codes):
    path = put(tmp_path, codes[:30] + codes[:30], [k % 2 for k in range(60)])
    with caplog.at_level(logging.WARNING, "fnopt.data"):
        read = data.read_csv(path, "y")
    assert read.features == ("a", "code")
    assert np.asarray(read.x)[1, 1] == float(codes[1])
    assert "leading zeros" in caplog.text and "--text" in caplog.text


def test_a_nul_character_is_refused_by_its_place(tmp_path):
    """One in the first 64 kB is taken for a file that is no text; further down two labels would become one."""
    for label in ("a\0", "a\0b"):
        path = put(tmp_path, COLOURS * 3000, [*["a", "b"] * 4000, label, *["a"] * 999])
        with pytest.raises(ValueError, match=r"line 8002, column 'y'.*NUL"):
            data.read_csv(path, "y")


@pytest.mark.parametrize("made", [list, lambda cells: np.array(cells, object)], ids=["list", "objects"])
def test_labels_that_numpy_would_cut_are_refused(made):
    with pytest.raises(ValueError, match=r"`y` in row 1.*NUL"):
        data.dataset(np.arange(3.0)[:, None], made(["a", "a\0", "b"]))
