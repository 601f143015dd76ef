"""Pictures: the data in their axes, not their pixels."""

import ast
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("matplotlib")

import fnopt as fo
from fnopt.plot.batches import batch_path
from fnopt.surfaces import SURFACES, descend


def lines(axes):
    """(x, y) of each line by its label."""
    return {line.get_label(): np.array(line.get_data()).T for line in axes.lines}


def test_paths_are_those_of_the_optimizers():
    surface = SURFACES["beale"]
    given = {"sgd": dict(lr=0.01), "fast": (fo.optim.adam, dict(lr=0.3))}
    [axes] = fo.plot.paths(surface, given, steps=7).axes
    drawn = lines(axes)
    np.testing.assert_allclose(drawn["sgd (lr 0.01)"], descend(surface, fo.optim.sgd, (1.0, 1.5), 7, lr=0.01))
    np.testing.assert_allclose(drawn["fast (lr 0.3)"], descend(surface, fo.optim.adam, (1.0, 1.5), 7, lr=0.3))
    known = {kind: [k.point for k in surface.critical if k.kind == kind] for kind in ("minimum", "saddle")}
    for kind, points in known.items():
        np.testing.assert_allclose(drawn[kind], points)
    assert "maximum" not in drawn
    assert (axes.get_xlim(), axes.get_ylim()) == surface.domain


def test_a_path_from_elsewhere_that_leaves_the_picture_is_cut():
    [axes] = fo.plot.paths(SURFACES["saddle"], {"sgd": dict(lr=3.0)}, start=(0.0, 1.0), steps=90).axes
    points = lines(axes)["sgd (lr 3)"]
    np.testing.assert_allclose(points, [[0, 1], [0, 4]])  # then 16, far outside
    [axes] = fo.plot.paths(SURFACES["beale"], {"sgd": dict(lr=1e3)}, steps=20).axes
    assert lines(axes)["sgd (lr 1000)"].tolist() == [[1.0, 1.5]]


def test_schedules_are_told_without_a_number():
    rule = fo.schedules.cosine(0.1, 5)
    [axes] = fo.plot.paths(SURFACES["ravine"], {"sgd": dict(lr=rule)}, steps=5).axes
    assert len(lines(axes)["sgd"]) == 6


@pytest.mark.parametrize("name", sorted(SURFACES))
def test_contours_cover_each_surface(name):
    [axes] = fo.plot.paths(SURFACES[name], {"sgd": dict(lr=1e-3)}, steps=1).axes
    filled, thin = axes.collections[:2]
    assert len(filled.levels) > 15
    assert len(thin.levels) == len(filled.levels) - 2
    (left, right), (bottom, top) = SURFACES[name].domain
    corners = jax.vmap(SURFACES[name])(jnp.array([(x, y) for x in (left, right) for y in (bottom, top)]))
    assert filled.levels[-1] >= corners.max() * (1 - 1e-5)


def points_of_a_line(m=12):
    x = np.linspace(-1.0, 1.0, m)
    return x, 2 * x + 1 + 0.1 * np.cos(9 * x)


def by_hand(x, y, orders, lr):
    """(w, b) after each update in NumPy; ``orders``: rows of each update."""
    p = np.zeros(2)
    path = [p]
    for rows in orders:
        r = p[0] * x[rows] + p[1] - y[rows]
        p = p - lr * 2 * np.array([np.mean(r * x[rows]), np.mean(r)])
        path.append(p)
    return np.array(path)


def test_batches_of_three_sizes():
    x, y = points_of_a_line()
    figure = fo.plot.batches(x, y, sizes=(12, 4, 1), epochs=3, lr=0.1)
    drawn = [lines(axes)[""] if "" in lines(axes) else np.array(axes.lines[0].get_data()).T for axes in figure.axes]
    assert [len(points) - 1 for points in drawn] == [3, 9, 36]
    assert [axes.get_title() for axes in figure.axes] == [
        "batch: 3 updates",
        "mini-batches of 4: 9 updates",
        "single examples: 36 updates",
    ]
    np.testing.assert_allclose(drawn[0], by_hand(x, y, [np.arange(12)] * 3, 0.1), rtol=1e-5)
    best = np.array(figure.axes[0].lines[-1].get_data()).ravel()
    np.testing.assert_allclose(best, np.polyfit(x, y, 1))
    for points in drawn:  # the lines go on to where the star is
        assert np.linalg.norm(points[-1] - best) < np.linalg.norm(points[0] - best)


@pytest.mark.parametrize("size", [1, 5])
def test_batch_paths_visit_whole_batches_in_a_new_order_each_pass(size):
    x, y = points_of_a_line()
    key, each = jax.random.key(7), 12 // size
    orders = [np.asarray(jax.random.permutation(jax.random.fold_in(key, e), 12))[: each * size] for e in range(2)]
    assert (orders[0] != orders[1]).any()
    rows = np.concatenate([order.reshape(each, size) for order in orders])
    f = jnp.result_type(float)
    got = batch_path(jnp.asarray(x, f), jnp.asarray(y, f), size, 2, 0.1, jnp.zeros(2), key)
    np.testing.assert_allclose(got, by_hand(x, y, rows, 0.1), rtol=1e-4, atol=1e-5)


def test_batches_refuses_sizes_that_cannot_be():
    x, y = points_of_a_line()
    with pytest.raises(ValueError, match="`sizes` must be from 1 to the 12 examples"):
        fo.plot.batches(x, y, sizes=(13,))
    with pytest.raises(ValueError, match="`size` must be a whole number"):
        fo.plot.batches(x, y, sizes=(0,))


def test_normalization_makes_the_contours_rounder():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2)) * np.array([1.0, 10.0])
    y = x @ np.array([1.0, 0.5])
    figure = fo.plot.normalization(x, y, steps=10)
    told = [float(axes.get_title().rsplit(" ", 1)[1]) for axes in figure.axes]
    centred = (x - x.mean(axis=0)) / x.std(axis=0)
    for condition, inputs in zip(told, (x, centred), strict=True):
        assert condition == pytest.approx(np.linalg.cond(inputs.T @ inputs), rel=0.01)
    assert told[0] > 50 > 2 > told[1]
    raw, scaled = (np.array(axes.lines[0].get_data()).T for axes in figure.axes)
    goals = [np.array(axes.lines[-1].get_data()).ravel() for axes in figure.axes]
    begun, away = ([np.linalg.norm(p[k] - goal) for p, goal in zip((raw, scaled), goals, strict=True)] for k in (0, -1))
    assert away[0] / begun[0] > 0.5 and away[1] / begun[1] < 0.01
    with pytest.raises(ValueError, match="`x` must have two inputs"):
        fo.plot.normalization(x[:, :1], y)


def test_schedules_are_drawn_step_by_step():
    some = {"a": fo.schedules.cosine(0.1, 9), "b": fo.schedules.exponential(0.1, 0.5).every(3)}
    [axes] = fo.plot.schedule(some, 12, logarithmic=True).axes
    for name, rule in some.items():
        np.testing.assert_allclose(lines(axes)[name][:, 1], rule(jnp.arange(12)))
    assert axes.get_yscale() == "log"
    [axes] = fo.plot.schedule(some["a"], 3).axes
    assert len(axes.lines) == 1


def test_path_writes_the_file(tmp_path):
    fo.plot.schedule(fo.schedules.constant(0.1), 3, path=tmp_path / "new" / "s.png")
    assert (tmp_path / "new" / "s.png").read_bytes()[:4] == b"\x89PNG"
    fo.plot.schedule(fo.schedules.constant(0.1), 3, path=str(tmp_path / "s.svg"))
    assert "<svg" in (tmp_path / "s.svg").read_text()


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs matplotlib, .* pip install 'fnopt\[plot\]'"):
        fo.plot.schedule(fo.schedules.constant(0.1), 3)


def test_no_picture_touches_a_display_or_global_state():
    for path in Path(fo.plot.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        assert not {"pyplot", "plt"} & names
        assert not any(text.startswith("matplotlib") and "pyplot" in text for text in texts)
