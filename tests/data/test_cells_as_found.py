"""Cells: numbers written for people, dates, and the marks of missing ones, as features, as targets and in new rows."""

from datetime import UTC, datetime

import numpy as np
import pytest

from fnopt import data

FORMATTED = [
    *(
        "4.812,33",
        "17%",
        "17 %",
        "12,5",
        "1,234.5",
        "1,234",
        "1.234.567",
        "$3750",
        "€ 3,50",
        "3,50 €",
        "-$5",
        "£1,000",
        "5 EUR",
    ),
    *("1'234", "1’234", "1 234", "1\u00a0234", "1\u202f234", "(5)", "R$ 10", "CHF 12.50", "99,–", "−5"),
]
UNITS = ["{} kg", "{}km", "{}k", "{} cm²"]


PANDAS = [
    *(
        "",
        " ",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
    ),
    *("NULL", "NaN", "None", "n/a", "nan", "null"),
]
MARKS = [*PANDAS, "NaT", "NAN", "?", "-", "--"]


@pytest.fixture
def put(tmp_path):
    def put(lines, name="t.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return put


@pytest.mark.parametrize("cell", FORMATTED)
def test_numbers_written_for_people_are_refused_by_name(put, cell):
    """As a feature, beside plain numbers, as a target and among new rows; the cure reads the column as text."""
    feature = put(["a;y", *(f"{cell};{k % 2}" for k in range(30))])
    beside = put(["a;y", *(f"{cell if k % 3 else k};{k % 2}" for k in range(30))], "beside.csv")
    target = put(["a;y", *(f"{k % 7};{cell}" for k in range(30))], "target.csv")
    for path, line, name in ((feature, 2, "a"), (beside, 3, "a"), (target, 2, "y")):
        with pytest.raises(ValueError, match=rf"line {line}, column '{name}': .*decimals with a point.*--text {name}"):
            data.read_csv(path, "y", separator=";")
    assert data.read_csv(feature, "y", text="a", separator=";").features == (f"a={cell}",)
    with pytest.raises(ValueError, match=r"line 2, column 'a': .* (no plain number|has a comma)"):
        data.read_table(feature, [data.Column("a")], separator=";")


@pytest.mark.parametrize("unit", UNITS)
def test_numbers_with_a_unit_are_refused_where_they_are_many(put, unit):
    with pytest.raises(ValueError, match=r"column 'a': .* numbers with a unit; .*--ignore a"):
        data.read_csv(put(["a,b,y", *(f"{unit.format(k)},{k % 7},{k % 2}" for k in range(30))]), "y")
    with pytest.raises(ValueError, match=r"column 'y': .* numbers with a unit"):
        data.read_csv(put(["b,y", *(f"{k % 7},{unit.format(k)}" for k in range(30))]), "y")
    few = data.read_csv(put(["a,y", *(f"{unit.format(12 * (k % 3))},{k % 2}" for k in range(30))]), "y")
    assert len(few.features) == 3


@pytest.mark.parametrize(
    "cells", [["18-25", "26-35", "36+"], ["A1", "B2"], ["2010-11", "2011-12"], ["08:00-09:00", "9:00-10"]]
)
def test_texts_with_digits_are_text(put, cells):
    made = data.read_csv(put(["a,y", *(f"{cells[k % len(cells)]},{k % 2}" for k in range(30))]), "y")
    assert made.columns[0].categories == tuple(sorted(cells))


# how a date is written: (cell of a datetime, with a time)
DATES = {
    "ISO": ("%Y-%m-%d", False),
    "ISO with a time": ("%Y-%m-%d %H:%M:%S", True),
    "ISO with T": ("%Y-%m-%dT%H:%M", True),
    "in UTC": ("%Y-%m-%dT%H:%M:%SZ", True),
    "with slashes, the year first": ("%Y/%m/%d", False),
    "with points": ("%d.%m.%Y", False),
    "the day first": ("%d/%m/%Y", False),
    "the month first": ("%m/%d/%Y", False),
    "the month first, in halves of a day": ("%m/%d/%Y %I:%M %p", True),
    "the month by name": ("%d %b %Y", False),
    "the month by its whole name": ("%B %d, %Y", False),
}


@pytest.mark.parametrize("rows", [4, 300])
@pytest.mark.parametrize("form", DATES)
def test_dates_become_numbers(put, caplog, form, rows):
    """Against Python's own calendar; the same of new rows, whose days may be any."""
    written, time = DATES[form]
    days = [datetime(2019 + k % 3, k % 12 + 1, 28 - k % 28, k % 24, k % 60) for k in range(rows)]
    cell = '"{}"'.format

    def numbers(day):
        hour = day.hour + day.minute / 60
        return [day.year, day.month, day.day, day.weekday(), *([hour] if time else [])]

    made = data.read_csv(put(["d,y", *(f"{cell(day.strftime(written))},{k % 2}" for k, day in enumerate(days))]), "y")
    np.testing.assert_allclose(np.asarray(made.x, np.float64), [numbers(day) for day in days], rtol=1e-6)
    parts = ["year", "month", "day", "weekday", *(["hour"] if time else [])]
    assert list(made.features) == [f"d.{part}" for part in parts]
    assert "dates become numbers: d (" in caplog.text
    new = datetime(2031, 2, 1, 23, 59)
    x = data.read_table(put(["d", cell(new.strftime(written))], "new.csv"), made.columns)
    np.testing.assert_allclose(x, [numbers(new)], rtol=1e-12)
    with pytest.raises(ValueError, match=r"line 2, column 'd': 'someday' is no date in the form of the others"):
        data.read_table(put(["d", "someday"], "new.csv"), made.columns)


def test_dates_with_an_offset_are_those_of_utc(put):
    made = data.read_csv(put(["d,y", "2020-01-01 00:30:00+02:00,1", "2020-06-01 12:00:00-05:00,0"]), "y")
    zones = [datetime.fromisoformat(c).astimezone(UTC) for c in ("2020-01-01 00:30+02:00", "2020-06-01 12:00-05:00")]
    assert made.x[:, [0, 1, 2, 4]].tolist() == [[z.year, z.month, z.day, z.hour + z.minute / 60] for z in zones]


def test_times_alone_are_hours(put):
    made = data.read_csv(put(["d,y", "08:30,1", "23:15,0"]), "y")
    assert (made.x.tolist(), made.features) == ([[8.5], [23.25]], ("d.hour",))


BAD_DATES = {
    "mixed": (["2020-01-31", "31.1.2020"], "dates of more than one form"),
    "the day first and the month first": (["31/1/2020", "1/31/2020"], "dates of more than one form"),
    "with and without a time": (["2020-01-31", "2020-01-31 08:00"], "dates of more than one form"),
    "one text": (
        ["2020-01-31", "2020-01-30", "2020-01-29", "soon"],
        "line 5, column 'd': 'soon' is no date as the others",
    ),
    "no such day": (["2020-02-28", "2020-02-30"], "line 3, column 'd': '2020-02-30' is no date"),
}


@pytest.mark.parametrize("case", BAD_DATES)
def test_dates_that_are_refused(put, case):
    cells, words = BAD_DATES[case]
    with pytest.raises(ValueError, match=words):
        data.read_csv(put(["d,a,y", *(f"{cell},1,{k % 2}" for k, cell in enumerate(cells * 9))]), "y")


@pytest.mark.parametrize(
    ("cells", "why"), [(["1/2/2020", "3/4/2020"], "look alike"), (["1/20/20", "1/21/20"], "two digits")]
)
def test_dates_that_can_be_read_in_two_ways_are_left_out_aloud(put, caplog, cells, why):
    made = data.read_csv(put(["d,a,y", *(f"{cells[k % 2]},{k % 5},{k % 2}" for k in range(30))]), "y")
    assert made.features == ("a",)
    assert "left out dates d (" in caplog.text and why in caplog.text


@pytest.mark.parametrize("mark", MARKS)
def test_marks_are_one_list(put, mark):
    """Of numbers, dates, texts, targets and new rows alike."""
    lines = ["n,d,c,y", *(f"{k % 7},2020-01-{k % 28 + 1},{'uv'[k % 2]},{'pq'[k % 2]}" for k in range(30))]
    made = data.read_csv(put([*lines, f"{mark},{mark},{mark},p", f"1,2020-01-01,u,{mark}"]), "y")
    assert (len(made), made.classes) == (31, ("p", "q"))
    assert made.columns == (data.Column("n"), data.Column("d", form="ymd"), data.Column("c", ("u", "v")))
    wanted = [[np.nan] * 5 + [0, 0]]
    np.testing.assert_array_equal(made.x[30:], wanted)
    np.testing.assert_array_equal(
        data.read_table(put(["n,d,c", f"{mark},{mark},{mark}"]), made.columns, missing="mean"), wanted
    )


def test_marks_are_those_of_pandas_and_more():
    parsers = pytest.importorskip("pandas._libs.parsers")
    assert set(PANDAS) >= parsers.STR_NA_VALUES


@pytest.mark.parametrize("mark", ["NA", '"NA"', "null", "None", "nan", "?", "-"])
def test_in_a_column_of_text_only_the_empty_cell_is_missing(put, mark):
    """So that Namibia is a country: as a category, as a class and in new rows."""
    cells = [mark, "DE", ""]
    path = put(["c,y", *(f"{cells[k % 3]},{cells[k % 2]}" for k in range(30))])
    made = data.read_csv(path, "y", text=["c", "y"])
    here = mark.strip('"')
    assert made.columns == (data.Column("c", tuple(sorted((here, "DE"))), marks=("",)),)
    assert made.classes == tuple(sorted((here, "DE")))
    row = data.read_table(put(["c", mark, '""'], "new.csv"), made.columns)
    assert row.tolist() == [[float(c == here) for c in made.columns[0].categories], [0, 0]]


def test_marks_of_ones_own_go_with_the_columns(put):
    path = put(["a,c,y", *(f"{k if k % 3 else -999},{['u', 'v', 'none'][k % 3]},{k % 2}" for k in range(30))])
    made = data.read_csv(path, "y", missing_marks=["-999", "none"])
    assert np.isnan(made.x[:, 0]).sum() == 10 and made.columns[1].categories == ("u", "v")
    again = data.read_table(path, made.columns, missing="mean")
    np.testing.assert_array_equal(again, np.asarray(made.x, np.float64))
    text = data.read_csv(path, "y", missing_marks="none", text="c")
    assert text.columns[1].categories == ("u", "v")
