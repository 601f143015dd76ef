"""Legends: whole in the picture whatever they say, and kinds of lines and points that differ in more than colour."""

import io
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

import fnopt as fo
from fnopt.plot._axes import look
from fnopt.plot._legend import MOST

LONG = "a class whose name has more words than a legend has room for, as those of users may"
POINTS = np.random.default_rng(0).normal(size=(60, 4))


def legends(figure):
    return [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]


def inside(figure, form, wide=0.25):
    """Whether all legends of a figure lie in it as written, and its first axes have width and height."""
    figure.savefig(io.BytesIO(), format=form)
    ends = np.array([legend.get_window_extent().extents for legend in legends(figure)])
    low, high = figure.bbox.extents[:2], figure.bbox.extents[2:]
    at = figure.axes[0].get_position()
    return len(ends) > 0 and (ends[:, :2] >= low).all() and (ends[:, 2:] <= high).all() and at.width > wide < at.height


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("labels", [np.array(["a", LONG, LONG.upper()]), np.arange(30), np.array(["x" * 90, "b"])])
def test_no_legend_is_cut(labels, dimensions):
    labels = labels[np.arange(len(POINTS)) % len(labels)]
    figure = fo.plot.embedding(POINTS, labels=labels, dimensions=dimensions).figure
    assert inside(figure, "png") and inside(figure, "svg")
    said = [text.get_text().replace("\n", " ") for text in legends(figure)[0].get_texts()]
    assert all(str(label) in said for label in labels if len(str(label)) != 90)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_no_legend_is_cut_in_a_figure_of_the_callers(layout, dimensions):
    figure = Figure(layout=layout)
    axes = figure.add_subplot(projection=None if dimensions == 2 else "3d")
    fo.plot.embedding(fo.data.iris(), dimensions=dimensions, axes=axes)
    assert inside(figure, "svg") and tuple(figure.get_size_inches()) == (6.4, 4.8)


def test_the_left_of_two_axes_keeps_its_legend_to_itself():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    fo.plot.trends([1, 2], {"first": [0.0, 1.0], "second": [1.0, 0.0]}, axes=left)
    assert inside(figure, "png", wide=0.1)
    assert legends(figure)[0].get_window_extent().x1 <= right.get_window_extent().x0


def test_schedules_and_paths_have_whole_legends():
    steps = {f"{LONG}, number {i}": 0.1 * (i + 1) for i in range(2)}
    assert inside(fo.plot.schedule(steps, 10), "svg")
    assert inside(fo.plot.paths("ravine", {LONG: ("sgd", 0.05)}, steps=3), "svg")


def test_beyond_many_labels_the_rest_is_counted():
    made = fo.plot.panels(1)[0]
    for i in range(MOST + 9):
        made.plot([0], [i], label=f"{i}")
    fo.plot.legend_beside(made)
    said = [text.get_text() for text in made.get_legend().get_texts()]
    assert len(said) == MOST and said[-1] == "… and 10 more" and said[-2] == str(MOST - 2)


def test_lines_and_points_differ_in_more_than_colour():
    kinds = [tuple(look(i).values()) for i in range(32)]
    assert len(set(kinds)) == 32
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in pairwise(kinds))
    axes = fo.plot.embedding(POINTS, labels=np.arange(60) % 3, mark=False)
    shapes = [kind.get_paths()[0].vertices.shape for kind in axes.collections]
    assert len(set(shapes)) > 1
    lines = fo.plot.schedule({"a": 0.1, "b": 0.2}, 5).axes[0].lines
    assert [line.get_linestyle() for line in lines] == ["-", "--"]


def test_tick_labels_of_a_space_do_not_overlap():
    axes = fo.plot.embedding(POINTS * 7, dimensions=3)
    axes.figure.savefig(io.BytesIO(), format="png")
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        boxes = [tick.label1.get_window_extent() for tick in axis.get_major_ticks() if tick.label1.get_text()]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
