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


def test_schedules_are_drawn_step_by_step():
    some = {"a": fo.schedules.cosine(0.1, 9), "b": fo.schedules.exponential(0.1, 0.5).every(3)}
    [axes] = fo.plot.schedule(some, 12, logarithmic=True).axes
    for name, rule in some.items():
        np.testing.assert_allclose(lines(axes)[name][:, 1], rule(jnp.arange(12)))
    assert axes.get_yscale() == "log"
    [axes] = fo.plot.schedule(some["a"], 3).axes
    assert len(axes.lines) == 1


def line(n=12):
    return np.linspace(-1.0, 1.0, n)


def plane(n=12):
    return np.stack([line(n), line(n) ** 2], axis=1)


def one_path(optimizers=("sgd",), surface="ravine", **more):
    return lambda: fo.plot.paths(surface, optimizers, steps=2, **more)


MISTAKES = {  # call, error, what it says
    "surface misspelt": (one_path(surface="ravin"), ValueError, "unknown surface 'ravin'; did you mean 'ravine'"),
    "surface a function": (one_path(surface=lambda p: p[0]), TypeError, r"`surface` must be a Surface .*Surface\("),
    "surface level": (
        one_path(surface=fo.surfaces.Surface("level", lambda p: 0 * p[0], ((0, 1), (0, 1)), (0.5, 0.5), ())),
        ValueError,
        "heights .* must be finite and not all alike, .* got 0 everywhere",
    ),
    "optimizer misspelt": (one_path(["adm"]), ValueError, "unknown optimizer 'adm'; did you mean 'adam'"),
    "optimizer not named": (one_path({"fast": 0.1}), ValueError, "unknown optimizer 'fast'"),
    "optimizer a list of numbers": (
        one_path({"sgd": [0.1]}),
        TypeError,
        r"`optimizers` must be names .*\[0.1\] for 'sgd'",
    ),
    "optimizer a number": (one_path(0.1), TypeError, "`optimizers` must be names or label to numbers, .*got 0.1"),
    "optimizers none": (one_path({}), ValueError, "`optimizers` must have at least one"),
    "optimizer's lr": (one_path({"sgd": -0.1}), ValueError, r"`lr` must be in \[0, inf\), got -0.1"),
    "start of three": (one_path(start=(1, 2, 3)), ValueError, r"`start` must be two finite numbers, .*got \(1, 2, 3\)"),
    "start not finite": (one_path(start=(1, np.nan)), ValueError, "`start` must be two finite numbers"),
    "start ragged": (one_path(start=[(1, 2), (1,)]), ValueError, "`start` must be two finite numbers"),
    "batches, lengths": (lambda: fo.plot.batches(line(), line(9)), ValueError, r"each of the 12 examples .*\(9,\)"),
    "batches, 2-D x": (lambda: fo.plot.batches(plane(), line()), ValueError, r"`x` must have shape \(m,\).*\(12, 2\)"),
    "batches, text": (lambda: fo.plot.batches(["a", "b"], [1, 2]), ValueError, "`x` must be an array of numbers"),
    "batches, NaN": (lambda: fo.plot.batches(line(), np.nan * line()), ValueError, "`y` must be finite, got 12 values"),
    "batches, constant": (
        lambda: fo.plot.batches(0 * line() + 3, line()),
        ValueError,
        "`x` must vary, .*got 3 in all 12",
    ),
    "batches, none": (lambda: fo.plot.batches([], []), ValueError, "`x` must vary, .*got no examples"),
    "batches, lr": (lambda: fo.plot.batches(line(), line(), lr=-1), ValueError, r"`lr` must be in \[0, inf\), got -1"),
    "batches, sizes": (
        lambda: fo.plot.batches(line(), line(), sizes=()),
        ValueError,
        "`sizes` must be from 1 to the 12",
    ),
    "batches, start": (lambda: fo.plot.batches(line(), line(), start=1.0), ValueError, "`start` must be two finite"),
    "batches diverge": (
        lambda: fo.plot.batches(line(), line(), lr=3.0, epochs=20),
        ValueError,
        "batches of 12 .* with lr=3 it diverges .*; lower `lr`",
    ),
    "batches overflow": (
        lambda: fo.plot.batches(line(), line(), lr=3.0, epochs=300),
        ValueError,
        "with lr=3 it diverges",
    ),
    "normalization, one input": (
        lambda: fo.plot.normalization(plane()[:, :1], line()),
        ValueError,
        r"`x` must have shape \(m, 2\), 2 inputs an example, got \(12, 1\)",
    ),
    "normalization, lengths": (
        lambda: fo.plot.normalization(plane(), line(9)),
        ValueError,
        r"`y` must have one value for each of the 12 examples of `x`, got shape \(9,\)",
    ),
    "normalization, constant": (
        lambda: fo.plot.normalization(0 * plane() + 5, line()),
        ValueError,
        r"`x\[:, 0\]` must vary, .*got 5 in all 12 examples",
    ),
    "normalization, one constant": (
        lambda: fo.plot.normalization(plane() * np.array([1, 0]), line()),
        ValueError,
        r"`x\[:, 1\]` must vary",
    ),
    "normalization, on a line": (
        lambda: fo.plot.normalization(np.stack([line(), 3 * line() + 1], axis=1), line()),
        ValueError,
        "must not lie on a line",
    ),
    "normalization, lr": (
        lambda: fo.plot.normalization(plane(), line(), lr=0),
        ValueError,
        r"`lr` must be in \(0, inf\), got 0",
    ),
    "schedule in a list": (
        lambda: fo.plot.schedule([fo.schedules.constant(0.1)], 10),
        TypeError,
        "`schedules` must be schedules or numbers, as fo.schedules",
    ),
    "schedule by name": (lambda: fo.plot.schedule("cosine", 10), TypeError, "`schedules` must be .* got 'cosine'"),
    "schedules none": (lambda: fo.plot.schedule({}, 10), ValueError, "`schedules` must have at least one"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_say_what_was_expected_and_what_came(name):
    call, error, text = MISTAKES[name]
    with pytest.raises(error, match=text):
        call()


SAME = {  # written otherwise, the same path of sgd
    "name": "sgd",
    "names": ["sgd"],
    "optimizers": [fo.optim.sgd],
    "lr alone": {"sgd": fo.optim.sgd.lr},
    "lr of NumPy": {"sgd": np.float64(0.1)},
    "optimizer alone": {"sgd": fo.optim.sgd},
    "no numbers": {"sgd": {}},
    "pair of name and lr": {"sgd": ("sgd", 0.1)},
}


@pytest.mark.parametrize("form", SAME)
def test_optimizers_and_surfaces_go_by_name_too(form):
    [axes] = fo.plot.paths("beale", SAME[form], steps=3).axes
    expected = descend(SURFACES["beale"], fo.optim.sgd, (1.0, 1.5), 3, lr=0.1)
    seen = lines(axes)["sgd (lr 0.1)"]
    np.testing.assert_allclose(seen, expected[: len(seen)])
    assert len(seen) > 1


def test_each_optimizer_has_a_default_rate_to_be_drawn_with():
    [axes] = fo.plot.paths("ravine", list(fo.optim.NAMES), steps=1).axes
    assert {label.split(" ")[0] for label in lines(axes)} >= set(fo.optim.NAMES)


def test_paths_from_several_starts_have_one_label_each():
    starts = [(-4.5, 0.3), (0.3, 3.6)]
    figure = fo.plot.paths("himmelblau", {"sgd": 0.01, "adam": 0.3}, start=starts, steps=5)
    [axes] = figure.axes
    drawn = [np.array(one.get_data()).T for one in axes.lines]
    for optimizer, lr in ((fo.optim.sgd, 0.01), (fo.optim.adam, 0.3)):
        for start in starts:
            path = descend(SURFACES["himmelblau"], optimizer, start, 5, lr=lr)
            assert sum(p.shape == path.shape and np.allclose(p, path) for p in drawn) == 1
    np.testing.assert_allclose(lines(axes)["start"], starts)
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == ["sgd (lr 0.01)", "adam (lr 0.3)", "start", "end", "minimum", "maximum", "saddle"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    widths = [one.get_linewidth() for one in axes.lines if one.get_label() in told[:2]]
    assert widths[0] > widths[1]  # so that the second does not hide the first


def dots(axes):
    """(place, whether it is hollow) of the ends of paths."""
    ends = [one for one in axes.lines if one.get_marker() == "o" and len(one.get_xdata()) == 1]
    return [(np.array(one.get_data()).ravel(), one.get_markerfacecolor() == "white") for one in ends]


def test_where_a_path_leaves_the_picture_is_a_hollow_dot():
    figure = fo.plot.paths("saddle", {"sgd": 0.5}, start=(1.0, 1.0), steps=3)  # (1/2, 3/2), (1/4, 9/4), …
    [(place, hollow)] = dots(figure.axes[0])
    np.testing.assert_allclose(place, [0.5 - 0.25 * (0.5 / 0.75), 2.0], rtol=1e-6)
    assert hollow
    assert [text.get_text() for text in figure.legends[0].get_texts()][1:3] == ["start", "leaves the picture"]
    [(place, hollow)] = dots(fo.plot.paths("saddle", {"sgd": 0.5}, start=(1.0, 1.0), steps=1).axes[0])
    np.testing.assert_allclose(place, [0.5, 1.5])
    assert not hollow


def test_momentum_stays_in_the_picture_of_the_ravine():
    surface = SURFACES["ravine"]
    path = np.asarray(descend(surface, fo.optim.momentum, surface.start, 80, lr=0.3))
    low, high = np.array(surface.domain).T
    assert ((path > low) & (path < high)).all()


def test_a_long_path_of_batches_is_thin_and_the_marks_are_told():
    x, y = points_of_a_line(40)
    figure = fo.plot.batches(x, y, sizes=(40, 1), epochs=4)
    few, many = (axes.lines[0] for axes in figure.axes)
    assert many.get_linewidth() < few.get_linewidth() and many.get_alpha() < 0.6
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["start", "end", "minimum"]
    told = [text.get_text() for text in fo.plot.normalization(plane(), line(), lr=3.0).legends[0].get_texts()]
    assert told == ["start", "leaves the picture", "minimum"]


def test_numbers_are_constant_schedules():
    [axes] = fo.plot.schedule(0.1, 10).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.full(10, 0.1))
    [axes] = fo.plot.schedule({"a": np.float32(0.2), "b": lambda step: 0.3}, 4).axes
    np.testing.assert_allclose(lines(axes)["a"][:, 1], np.full(4, 0.2), rtol=1e-6)
    np.testing.assert_allclose(lines(axes)["b"][:, 1], np.full(4, 0.3))


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
