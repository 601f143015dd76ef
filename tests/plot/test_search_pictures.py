"""Slices, parallel coordinates, points, rungs, lineage, anytime best, importance: of arrays and of sweeps alike."""

import warnings

import jax
import numpy as np
import pytest

pytest.importorskip("matplotlib")

import fnopt as fo
from fnopt.plot.anytime import so_far
from fnopt.plot.lineage import Taken, ancestry

COLUMNS = {"lr": [0.001, 0.1, 0.01], "hidden": [(8,), (16, 16), (8,)], "b1": [None, 0.9, 0.99]}
SCORES = [0.5, 0.9, np.nan]


@pytest.fixture(scope="module")
def sweep():
    """Six configurations of two structures under halving, each under two seeds."""
    space = dict(
        lr=fo.log_uniform(1e-3, 1e-1),
        b1=fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.99)),
        optimizer=fo.choice("adam", "sgd"),
        hidden=(4,),
    )
    train, dev = fo.data.split(fo.data.iris(), (0.5, 0.5), key=jax.random.key(0))
    shared = dict(n=6, epochs=4, seeds=2, stop=fo.halving(eta=2), objective="dev/loss", key=jax.random.key(1))
    return fo.caviar(fo.classifier(), space, train, dev, **shared)


def test_slices_of_columns():
    made = fo.plot.slices(COLUMNS, SCORES, logarithmic=["lr"], higher=True, objective="accuracy")
    assert [axes.get_xlabel() for axes in made] == list(COLUMNS)
    assert [axes.get_xscale() for axes in made] == ["log", "linear", "linear"]
    assert [text.get_text() for text in made[1].get_xticklabels()] == ["8", "16-16"]
    dots, lost = made[0].collections
    assert dots.get_offsets().tolist() == [[0.001, 0.5], [0.1, 0.9]]
    assert lost.get_offsets().data[:, 0].tolist() == [0.01]
    assert [float(a) for a in np.ravel(made[0].lines[0].get_data())] == [0.1, 0.9]  # the star
    assert made[0].get_ylabel() == "accuracy"


def test_slices_of_a_sweep_have_the_scales_of_its_space(sweep):
    made = {axes.get_xlabel(): axes for axes in fo.plot.slices(sweep)}
    assert set(made) == {"lr", "1 − b1", "optimizer"}
    assert made["lr"].get_xscale() == made["1 − b1"].get_xscale() == "log"
    assert made["1 − b1"].xaxis_inverted()
    rows = sweep.table()
    with_b1 = [(1 - row["b1"], row["score"]) for row in rows if row["b1"] is not None]
    seen = made["1 − b1"].collections[0].get_offsets().data
    np.testing.assert_allclose(seen[~np.isnan(seen[:, 0])], with_b1)


def test_parallel_passes_each_axis_at_its_value():
    axes = fo.plot.parallel(COLUMNS, SCORES, logarithmic=["lr"], higher=True)
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 4]
    assert len(drawn) == 3  # two with a score, and the best again
    np.testing.assert_allclose(drawn[0], [0, 0, -0.08, 0])  # lr the lowest, hidden the first, no b1, score the lowest
    np.testing.assert_allclose(drawn[-1], [1, 1, 0, 1])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["lr", "hidden", "b1", "score"]
    assert "0.01" in [text.get_text() for text in axes.texts]  # half way from .001 to .1


def test_parallel_of_a_sweep(sweep):
    axes = fo.plot.parallel(sweep, names=["optimizer", "lr"])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["optimizer", "lr", "dev/loss"]
    assert sum(len(line.get_xdata()) == 3 for line in axes.lines) == 7


def test_points_in_a_square_and_a_cube():
    columns = {"lr": [0.1, 0.01], "l2": [1.0, 2.0], "momentum": [0.5, 0.9]}
    axes = fo.plot.points(columns, [3.0, 1.0], names=("lr", "l2"), logarithmic=["lr"])
    assert axes.collections[0].get_offsets().tolist() == [[0.1, 1], [0.01, 2]]
    assert axes.collections[1].get_offsets().tolist() == [[0.01, 2]]  # lower is better unless said
    assert axes.get_xscale() == "log"
    axes = fo.plot.points(columns, [3.0, 1.0], names=tuple(columns), logarithmic=["lr"], higher=True)
    assert (axes.name, axes.get_xlabel(), axes.get_zlabel()) == ("3d", "log₁₀ lr", "momentum")
    np.testing.assert_allclose(np.array(axes.collections[1]._offsets3d).ravel(), [-1, 1, 0.5])


def test_points_of_two_stages_and_the_frame_of_the_dense_one():
    coarse, dense = {"a": [0.0, 9.0, 4.0], "b": [1.0, 5.0, 9.0]}, {"a": [3.0, 5.0], "b": [4.0, 6.0]}
    axes = fo.plot.points([coarse, dense])
    told = [text.get_text() for text in axes.get_legend().get_texts()]
    assert told == ["coarse", "dense", "dense part"]
    [frame] = axes.lines
    assert frame.get_xydata().tolist() == [[3, 4], [5, 4], [5, 6], [3, 6], [3, 4]]


def test_rungs_of_curves():
    curves = np.array([[3.0, 2.0, 1.0, 1.0], [3.0, np.nan, np.nan, np.nan], [2.0, 2.0, np.nan, np.nan]])
    axes = fo.plot.rungs(curves, ages=[1, 2])
    assert [text.get_text() for text in axes.texts] == ["3 → 2", "2 → 1"]
    ends = [line.get_xydata().ravel().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert ends == [[1, 3], [2, 2]]
    assert axes.get_xscale() == "log"


def test_rungs_and_curves_of_a_sweep(sweep):
    axes = fo.plot.rungs(sweep)
    assert [text.get_text() for text in axes.texts] == ["6 → 3", "3 → 2"]  # rungs at 1 and 2 of 4 epochs, eta 2
    axes = fo.plot.curves(sweep)
    median = next(line for line in axes.lines if line.get_label() == "all 6 configurations")
    first = [lane.history["dev"]["loss"][0] for i in range(6) for lane in sweep.lanes(i)]
    assert len(first) == 12
    assert median.get_ydata()[0] == pytest.approx(np.median(first))
    assert f"configuration {sweep.best.config}, the best" in [line.get_label() for line in axes.lines]


def test_lineage_follows_the_weights():
    moves = [Taken(2, 1, 0), Taken(2, 3, 0), Taken(4, 2, 1), Taken(6, 1, 3)]
    assert ancestry(moves, 2, 8) == ([0, 2, 2, 4, 4, 8], [0, 0, 1, 1, 2, 2])
    assert ancestry(moves, 1, 8) == ([0, 2, 2, 6, 6, 8], [0, 0, 3, 3, 1, 1])
    axes = fo.plot.lineage(moves, n=4, epochs=8, config=2)
    assert len([text for text in axes.texts if text.arrow_patch is not None]) == 4
    assert axes.lines[-1].get_label() == "ancestry of 2"


def test_lineage_of_a_population():
    train = fo.data.iris()
    space = dict(lr=fo.log_uniform(1e-4, 1e-1), hidden=(4,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sweep = fo.caviar(
            fo.classifier(), space, train, n=4, epochs=3, stop=fo.population(every=1), objective="train/loss"
        )
    axes = fo.plot.lineage(sweep)
    moves = {(m.epoch, m.config, m.donor) for i in range(4) for m in sweep.lineage(i)}
    arrows = {(text.xy, text.xyann) for text in axes.texts if text.arrow_patch is not None}
    assert arrows == {((e, c), (e, d)) for e, c, d in moves}


def test_anytime_best():
    at, best = so_far(np.array([np.nan, 2.0, 3.0, 1.0]), [1, 1, 5, 2])
    assert at.tolist() == [2, 7, 9] and best.tolist() == [2, 2, 1]
    axes = fo.plot.anytime({"a": [1.0, 3.0], "b": [2.0, 1.0]}, {"a": [1, 1], "b": [3, 3]}, higher=True)
    assert [line.get_ydata().tolist() for line in axes.lines] == [[1, 3], [2, 2]]
    assert axes.lines[1].get_xdata().tolist() == [3, 6]


def test_anytime_of_a_sweep_counts_its_epochs(sweep):
    [line] = fo.plot.anytime(sweep).lines
    assert line.get_xdata()[-1] == sum(lane.epochs for i in range(6) for lane in sweep.lanes(i))
    assert line.get_ydata()[-1] == min(row["score"] for row in sweep.table())


def test_importance_and_rank_correlation():
    axes = fo.plot.importance(["a", "b", "c"], [0.2, 0.5, 0.1], [[0.1, 0.3], [0.4, 0.7], [0.1, 0.2]])
    assert [bar.get_width() for bar in axes.patches] == [0.1, 0.2, 0.5]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["c", "a", "b"]
    ends = [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()]
    np.testing.assert_allclose(ends, [[0.1, 0.2], [0.1, 0.3], [0.4, 0.7]])
    axes = fo.plot.rank_correlation([1, 3], [[1.0, np.nan], [np.nan, 1.0]])
    assert [text.get_text() for text in axes.texts] == ["1.00", "1.00"]


MISTAKES = {
    "slices, what": (lambda: fo.plot.slices([1.0]), TypeError, "takes a sweep, or columns and scores as"),
    "slices, name": (
        lambda: fo.plot.slices(COLUMNS, SCORES, names=["lrr"]),
        ValueError,
        "name 'lrr'; did you mean 'lr'",
    ),
    "slices, lengths": (lambda: fo.plot.slices({"a": [1.0]}, SCORES), ValueError, "each of the 3 of `scores`, got 1"),
    "slices, log": (lambda: fo.plot.slices({"a": [0.0]}, [1.0], logarithmic="a"), ValueError, "`a` must be above 0"),
    "parallel, none": (lambda: fo.plot.parallel({"a": [1.0]}, [np.nan]), ValueError, "no configuration has a finite"),
    "points, one": (lambda: fo.plot.points({"a": [1.0]}), ValueError, "in two or three numbers, got .'a'."),
    "points, three stages": (lambda: fo.plot.points([{}, {}, {}]), ValueError, "the coarse and the dense one, got 3"),
    "rungs, ages": (lambda: fo.plot.rungs([[1.0]], ages=[0]), ValueError, "`ages` must be a whole number"),
    "lineage, n": (lambda: fo.plot.lineage([(1, 0, 1)]), ValueError, "`n` must be a whole number"),
    "lineage, config": (lambda: fo.plot.lineage([(1, 0, 5)], 3, 4), ValueError, "configurations 0 to 2, got 5"),
    "anytime, none": (lambda: fo.plot.anytime([np.nan]), ValueError, "no score is finite"),
    "importance, lengths": (lambda: fo.plot.importance(["a"], [1.0, 2.0]), ValueError, "each of the 1 of `names`"),
    "importance, bars": (lambda: fo.plot.importance(["a"], [0.5], [[0.6, 0.7]]), ValueError, "`bars` must be half"),
    "correlation, range": (lambda: fo.plot.rank_correlation([1], [[2.0]]), ValueError, "in .-1, 1."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, text = MISTAKES[name]
    with pytest.raises(error, match=text):
        call()


def test_sweeps_without_rungs_or_a_population_say_so(sweep):
    with pytest.raises(
        ValueError, match=r"no configuration of this sweep was replaced: search with stop=fo.population"
    ):
        fo.plot.lineage(sweep)
    with pytest.raises(ValueError, match="unknown score 'acuracy'; did you mean 'accuracy'"):
        fo.plot.curves(sweep, "dev/acuracy")
    with pytest.raises(ValueError, match="a part and a score, got 'loss'"):
        fo.plot.curves(sweep, "loss")
