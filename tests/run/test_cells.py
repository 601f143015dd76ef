"""Tables that fnopt writes read back equal, whatever the cells hold, in text as short as the numbers allow."""

import csv
import io
import math

import numpy as np
import pytest

from fnopt.run.cells import csv_text, figures, in_unit, short, table_text

HOSTILE = [
    *("plain", "a,b", "a;b", "a|b", "a\tb", "a\rb", "a\nb", "a\r\nb", "\r", "\n", '"', '""', 'say "x"', " a", "a "),
    *("  ", "", "=1+1", "+1", "-1", "@x", "'", "naïve", "日本", "NaN", "0"),
    *("\x1b[2J", "\x07", "\x0b", "\x0c", "\x85", "\u2028", "\ufeff", "\x00"),
]


def read(text):
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_hostile_cells_read_back():
    rows = [["first", "second"], *([a, b] for a in HOSTILE for b in HOSTILE)]
    assert read(csv_text(rows)) == rows
    alone = [["only"], *([a] for a in HOSTILE)]
    assert read(csv_text(alone)) == alone


def test_pandas_reads_them_too():
    pandas = pytest.importorskip("pandas")
    rows = [["k", "cell"], *([k, a] for k, a in enumerate(HOSTILE) if "\0" not in a)]
    frame = pandas.read_csv(io.StringIO(csv_text(rows)), keep_default_na=False, dtype=str)
    assert frame["cell"].tolist() == [row[1] for row in rows[1:]]


def test_our_own_reader_reads_them_too(tmp_path):
    import fnopt as fo

    names = [a for a in HOSTILE if a.strip() == a and a not in ("", "NaN", "\0") and "\0" not in a]
    rows = [["x", "y"], *([k, a] for k, a in enumerate([*names, *names]))]
    (tmp_path / "t.csv").write_bytes(csv_text(rows).encode())
    back = fo.data.read_csv(tmp_path / "t.csv", "y", text=["y"])
    assert [back.classes[k] for k in np.asarray(back.y)] == [row[1] for row in rows[1:]]


def test_short_numbers_give_the_float32_back():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 20_000, dtype=np.uint32).view(np.float32)
    bits = bits[np.isfinite(bits)]
    texts = [short(float(v)) for v in bits]
    assert np.array_equal(np.array(texts, np.float64).astype(np.float32), bits)
    assert max(map(len, texts)) <= 19  # written out up to 1e16
    doubles = rng.normal(size=1000) * 10.0 ** rng.integers(-30, 30, 1000)
    assert [float(short(v)) for v in doubles] == doubles.tolist()
    assert [short(v) for v in (0.1, 1e-4, 3.0, -0.0, math.inf)] == ["0.1", "0.0001", "3.0", "-0.0", "inf"]
    assert short(float(np.float32(0.1))) == "0.1"


def test_figures_are_nine_at_most():
    values = np.random.default_rng(1).normal(size=1000) * 10.0 ** np.random.default_rng(2).integers(-60, 60, 1000)
    back = np.array([float(figures(v)) for v in values])
    np.testing.assert_allclose(back, values, rtol=5e-9)
    assert max(len(figures(v).split("e")[0].replace(".", "").lstrip("-0")) for v in values) <= 9 + 52  # zeros of 1e52
    assert figures(0.9555555582046509) == "0.95555556" and figures(4712.801234567891) == "4712.80123"


@pytest.mark.parametrize("scale", [1e-25, 1e-3, 1.0, 12133.0, 1e25])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e9])
def test_predicted_values_keep_the_networks_resolution(scale, offset):
    z = np.random.default_rng(3).normal(size=200).astype(np.float32).astype(np.float64)
    values = offset * scale + scale * z
    back = np.array([float(in_unit(v, scale)) for v in values])
    np.testing.assert_allclose((back - values) / scale, 0, atol=1.2e-7 + 4e-16 * offset)
    assert offset or max(len(in_unit(v, scale)) for v in values) <= 33


def test_rows_by_column():
    rows = [{"config": 0, "lr": 0.1, "dev/loss": 1 / 3, "why": "a\rb"}, {"config": 1, "b1": None, "dev/loss": math.nan}]
    assert read(table_text(rows)) == [
        ["config", "lr", "dev/loss", "why", "b1"], ["0", "0.1", "0.333333333", "a\rb", ""], ["1", "", "", "", ""]
    ]  # fmt: skip
