"""What a notebook shows: HTML without script, small, of text that came from files too."""

import re
from html.parser import HTMLParser

import jax
import numpy as np
import pytest

import fnopt as fo
from fnopt import _html as html

IRIS = fo.data.iris()._replace(name="<script>alert(1)</script>")
TRAIN, DEV = fo.data.split(IRIS, (0.7, 0.3), key=jax.random.key(0), stratify=True)


@pytest.fixture(scope="module")
def shown():
    net = fo.classifier(hidden=(4,))
    run = fo.fit(net, TRAIN, DEV, epochs=5, hyper=dict(lr=0.1))
    sweep = fo.caviar(net, dict(lr=fo.log_uniform(1e-4, 1e4)), TRAIN, DEV, n=16, epochs=5, seeds=2, key=0)
    values = fo.data.dataset(np.full((3, 2), np.nan), [1.0, 2.0, 3.0], missing="mean")
    more = {"diagnosis": run.diagnose(target=0.01), "importance": sweep.importances()}
    more["inputs"] = run.input_importance(DEV, repeats=1)
    return {**more, "run": run, "sweep": sweep, "plan": sweep.plan, "data": IRIS, "values": values}


class Balanced(HTMLParser):
    """Every tag that opens is closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags = [], set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", ["run", "sweep", "plan", "data", "values", "diagnosis", "importance", "inputs"])
def test_a_display_is_small_and_holds_no_script(kind, shown):
    text = shown[kind]._repr_html_()
    assert len(text.encode()) < 60_000
    assert "script" not in Balanced(text).tags
    assert not re.search(r"https?:|url\(|on\w+=|nan|<img", text.lower().replace("&lt;", ""))


def test_a_run_shows_scores_and_curves(shown):
    text = shown["run"]._repr_html_()
    assert f"{shown['run'].scores['dev']['accuracy']:.4g}" in text
    assert text.count("<polyline") == 2
    assert "weights kept" in text


def test_a_sweep_shows_its_leaderboard_and_band(shown):
    sweep = shown["sweep"]
    text = sweep._repr_html_()
    assert text.count("<tr>") == 11
    assert f"configuration {sweep.best.config}" in text
    assert "<polygon" in text
    assert "<details>" in text
    assert "dev/accuracy" in text


def test_lines_differ_in_more_than_colour_and_the_legend_shows_how():
    text = html.curves("epoch", "loss", {"a": [1.0, 2.0], "b": [2.0, 1.0]})
    assert text.count("stroke-dasharray") == 1 and "—</b> a" in text and "– –</b> b" in text


def test_no_line_of_a_block_is_out_of_sight(shown):
    text = html.block("key    " + "word " * 60 + "\n\nshort   line", hang=7)
    lines = text.split(">", 1)[1].removesuffix("</pre>").split("\n")
    assert max(map(len, lines)) <= html.WIDE and lines[1].startswith("       word") and lines[-1] == "short   line"
    plan = shown["plan"]._repr_html_().split("<pre", 1)[1].split(">", 1)[1]
    assert max(map(len, plan.split("</pre>")[0].split("\n"))) <= html.WIDE + 8  # an escaped sign or two


def test_a_dataset_says_what_it_does_not_show():
    wide = fo.data.dataset(np.zeros((40, 5, 5), np.float32), [f"kind {i % 20}" for i in range(40)])._repr_html_()
    assert "… and 13 more columns" in wide and "… and 8 more classes" in wide
    assert "more" not in IRIS._repr_html_()


def test_text_is_escaped(shown):
    assert "&lt;script&gt;" in shown["data"]._repr_html_()
    assert "<b>" not in html.table(["<b>"], [["<b>"]]).replace("<thead", "")
    assert "&lt;b&gt;" in html.curves("e", "y", {"<b>": [1.0, 2.0]})


def test_curves_leave_gaps_and_never_fail():
    for values in ([], [np.nan], [1.0], [0.0, 0.0], [1e-300, 1e300], [np.inf, 1.0], [-1.0, np.nan, 2.0]):
        Balanced(html.curves("epoch", "loss", {"a": values}))
    assert html.curves("epoch", "loss", {"a": [np.nan]}) == ""
    assert len(html.curves("epoch", "loss", {"a": np.linspace(0, 1, 100_000)})) < 10_000


def test_curves_of_a_sweep_are_its_trials(shown):
    sweep = shown["sweep"]
    for name, get in (("dev/loss", lambda h: h["dev"]["loss"]), ("lr", lambda h: h["lr"])):
        found = sweep.curves(name)
        assert found.shape == (16, 2, 1, 5)
        for config in range(16):
            for lane in sweep.lanes(config):
                curve = get(lane.history)
                row = found[config, lane.seed, lane.fold]
                np.testing.assert_array_equal(row[: len(curve)], curve)
                assert np.isnan(row[len(curve) :]).all()
    np.testing.assert_array_equal(sweep.curves(), sweep.curves("dev/accuracy"))
    with pytest.raises(ValueError, match="no curve 'dev/los'; did you mean 'dev/loss'"):
        sweep.curves("dev/los")


@pytest.mark.parametrize("pandas", [True, False])
def test_frames_hold_the_table(pandas, shown, monkeypatch):
    if pandas:
        pytest.importorskip("pandas")
    else:
        monkeypatch.setattr("fnopt.run.frame.find_spec", lambda name: None)
    sweep, run = shown["sweep"], shown["run"]
    frame, rows = sweep.frame(), sweep.table()
    assert list(frame) == list(rows[0])
    assert list(frame["lr"]) == [row["lr"] for row in rows]
    frame = run.frame()
    assert list(frame["epoch"]) == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(np.asarray(frame["dev/loss"], np.float32), run.history["dev"]["loss"])
