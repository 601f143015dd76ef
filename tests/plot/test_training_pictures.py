"""Curves, averages, fits and trends: the data in their axes."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("matplotlib")

import fnopt as fo
from fnopt.plot.averages import averaged


def lines(axes):
    """(x, y) of each line by its label."""
    return {line.get_label(): np.array(line.get_data()).T for line in axes.lines}


def bands(axes):
    """Low and high of each band at its epochs, shape=(bands, 2, epochs), the wide one first."""
    found = []
    for band in axes.collections:
        points = band.get_paths()[0].vertices
        across = np.unique(points[:, 0])
        found.append([[f(points[points[:, 0] == x, 1]) for x in across] for f in (np.min, np.max)])
    return np.array(found)


def a_run(best=3, epochs=5):
    dev = np.array([5.0, 4.0, 3.0, 3.5, 4.0])[:epochs]
    history = {
        "train": {"loss": np.arange(epochs, 0.0, -1), "accuracy": np.linspace(0, 1, epochs)},
        "dev": {"loss": dev, "accuracy": np.linspace(0, 0.8, epochs)},
        "cost": np.arange(epochs, 0.0, -1),
    }
    return SimpleNamespace(history=history, best_epoch=best, epochs=epochs)


def test_curves_of_arrays():
    rng = np.random.default_rng(0)
    dev = rng.normal(size=(9, 4))
    axes = fo.plot.curves({"train": [4.0, 3.0, 2.0, 1.0], "dev": dev}, "loss", stop=2.5, logarithmic=True)
    drawn = lines(axes)
    np.testing.assert_allclose(drawn["train"], [(1, 4), (2, 3), (3, 2), (4, 1)])
    np.testing.assert_allclose(drawn["dev"][:, 1], np.median(dev, axis=0))
    np.testing.assert_allclose(bands(axes)[0], np.quantile(dev, (0.05, 0.95), axis=0))
    np.testing.assert_allclose(bands(axes)[1], np.quantile(dev, (0.25, 0.75), axis=0))
    assert drawn["stopped at epoch 2.5"][:, 0].tolist() == [2.5, 2.5]
    on_train = [p for p in (np.array(line.get_data()).ravel() for line in axes.lines) if p.tolist() == [2.5, 2.5]]
    assert len(on_train) == 1  # the dot on the curve, half way from 3 to 2
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("epoch", "loss", "log")


def test_a_lane_that_ended_counts_while_it_was_there():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.inf]])
    np.testing.assert_allclose(lines(fo.plot.curves({"a": values}))["a"], [(1, 2), (2, 5)])


def test_curves_of_a_run_with_the_epoch_whose_weights_count():
    axes = fo.plot.curves(a_run())
    drawn = lines(axes)
    assert drawn["dev"][:, 1].tolist() == [5.0, 4.0, 3.0, 3.5, 4.0] and "train" in drawn
    assert drawn["stopped at epoch 3"][:, 0].tolist() == [3, 3]
    assert axes.get_ylabel() == "loss"
    axes = fo.plot.curves(a_run(best=5), "dev/accuracy")
    assert list(lines(axes)) == ["dev"]  # it ran to its end: nothing was stopped
    assert axes.get_ylabel() == "accuracy"


def test_a_part_that_was_scored_now_and_then_is_one_line():
    run = a_run()
    run.history["train"]["loss"] = np.array([5.0, np.inf, np.inf, np.inf, 1.0])
    assert lines(fo.plot.curves(run))["train"].tolist() == [[1, 5], [5, 1]]


def test_scores_of_values_have_their_unit():
    run = a_run()
    run.history["dev"]["mean_squared_error"] = run.history["dev"]["loss"]
    run.encoding = SimpleNamespace(name="price")
    assert fo.plot.curves(run, "dev/mean_squared_error").get_ylabel() == "mean_squared_error (in units of price²)"


def test_averages_are_the_formula():
    y = np.array([4.0, 2.0, 6.0, 1.0])
    axes = fo.plot.averages(y, (0.5, 0.9), corrected=False, name="°C")
    for line, beta in zip(axes.lines[1:], (0.5, 0.9), strict=True):
        v, expected = 0.0, []
        for value in y:
            v = beta * v + (1 - beta) * value
            expected.append(v)
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-6)
        corrected = expected / (1 - beta ** np.arange(1, 5))
        np.testing.assert_allclose(averaged(y, beta), corrected, rtol=1e-5)
    assert axes.get_ylabel() == "°C"


@pytest.mark.parametrize("beta", [0.5, np.float32(0.5), jnp.array(0.5)])
def test_one_beta_is_a_list_of_one(beta):
    one, listed = fo.plot.averages([4.0, 2.0], beta), fo.plot.averages([4.0, 2.0], (0.5,))
    assert [line.get_label() for line in one.lines] == [line.get_label() for line in listed.lines]
    np.testing.assert_array_equal(one.lines[1].get_ydata(), listed.lines[1].get_ydata())


def test_fits_and_lines():
    x, y = [0.0, 2.0, 1.0], [1.0, 0.0, 1.0]
    made = fo.plot.fits(x, y, {"up": lambda x: x, "down": lambda x: -x}, truth=jnp.sin)
    assert [axes.get_title() for axes in made] == ["up", "down"]
    np.testing.assert_allclose(lines(made[1])["fit"][:, 1], -np.linspace(0, 2, 301))
    np.testing.assert_allclose(lines(made[0])["points"], np.stack([x, y], axis=-1))
    assert made[0].get_ylim() == made[1].get_ylim()
    axes = fo.plot.fitted_lines(x, y, [[1.0, 0.0], [0.0, 2.0]])
    assert [line.get_ydata().tolist() for line in axes.lines[:2]] == [[1, 1], [0, 4]]


def test_trends_with_repeats():
    values = np.array([[1.0, 2.0], [3.0, 4.0], [2.0, 9.0]])
    axes = fo.plot.trends([1, 10], {"a": values, "b": [5.0, np.nan]}, names=("λ", "norm"), logarithmic="x")
    drawn = lines(axes)
    assert drawn["a"].tolist() == [[1, 2], [10, 4]] and drawn["b"].tolist() == [[1, 5]]
    np.testing.assert_allclose(bands(axes)[0], np.quantile(values, (0.25, 0.75), axis=0))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")


MISTAKES = {
    "curves, score": (lambda: fo.plot.curves(a_run(), "accurcy"), ValueError, "unknown score 'accurcy'; did you mean"),
    "curves, part": (lambda: fo.plot.curves(a_run(), "test/loss"), ValueError, "unknown part 'test'"),
    "curves, none": (lambda: fo.plot.curves({}), ValueError, "`source` must have at least one entry, as"),
    "curves, text": (lambda: fo.plot.curves({"a": ["x"]}), ValueError, "`source` must be an array of numbers"),
    "curves, stop": (lambda: fo.plot.curves({"a": [1.0]}, stop=0), ValueError, "`stop` must be .* of at least 1"),
    "axes": (lambda: fo.plot.curves({"a": [1.0]}, axes="here"), TypeError, "`axes` must be a matplotlib Axes"),
    "β of 1": (lambda: fo.plot.averages([1.0], (1.0,)), ValueError, r"`betas` must be in \[0, 1\), got 1"),
    "β of 2, alone": (lambda: fo.plot.averages([1.0], betas=2), ValueError, r"`betas` must be in \[0, 1\), got 2"),
    "β, text": (lambda: fo.plot.averages([1.0], betas="0.9"), TypeError, "`betas` must be a number"),
    "β none": (lambda: fo.plot.averages([1.0], ()), ValueError, "`betas` must have at least one"),
    "averages, NaN": (lambda: fo.plot.averages([np.nan]), ValueError, "`y` must be finite, got 1 values that are not"),
    "fits, none": (lambda: fo.plot.fits([0.0], [0.0], {}), ValueError, "`fitted` must be label to function"),
    "fits, shape": (lambda: fo.plot.fits([0.0], [0.0], {"a": lambda x: x[:3]}), ValueError, "one entry for each of"),
    "fits, lengths": (lambda: fo.plot.fits([0.0, 1.0], [0.0], {"a": abs}), ValueError, "each of the 2 of `x`, got 1"),
    "lines, shape": (lambda: fo.plot.fitted_lines([0.0], [0.0], [[1.0]]), ValueError, "must hold φ₀ and φ₁"),
    "trends, length": (lambda: fo.plot.trends([1, 2], [1.0]), ValueError, "one entry for each of the 2 of `at`"),
    "trends, axis": (lambda: fo.plot.trends([1], [1.0], logarithmic="z"), ValueError, "unknown axis 'z'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, text = MISTAKES[name]
    with pytest.raises(error, match=text):
        call()


def test_axes_of_ones_own_are_drawn_into(tmp_path):
    left, right = fo.plot.panels(2)
    assert fo.plot.curves({"a": [1.0, 2.0]}, axes=right, path=tmp_path / "new" / "a.png") is right
    assert not left.lines and (tmp_path / "new" / "a.png").read_bytes()[:4] == b"\x89PNG"
