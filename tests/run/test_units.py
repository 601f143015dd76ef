"""Scores of values are those of the user's target in its own unit, whatever its size and offset, wherever they show."""

import hashlib
import json

import jax
import numpy as np
import pytest

import fnopt as fo
from benchmarks.offsets import Case, by_fit, by_sweep, compare

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 1))
V = X[:, 0] + RNG.normal(size=120)
LINE = fo.regressor(hidden=())
HYPER = dict(lr=0.1)
NAMES = ("r2", "mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "median_absolute_error")
UNITS = [1e-25, 1e-19, 1.0, 1e18, 1e25]


def by_hand(y, p):
    """The scores in float64, and for what an offset costs nothing."""
    error, spread = y - p, y - y.mean()
    size = np.abs(error).max()
    mean = np.mean((error / size) ** 2) * size**2
    r2 = 1 - np.mean((error / size) ** 2) * size**2 / np.mean((spread / size) ** 2) / size**2
    return dict(zip(NAMES, (r2, mean, np.sqrt(mean), np.abs(error).mean(), np.median(np.abs(error))), strict=True))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_scores_are_those_of_the_predictions(unit, offset):
    y = unit * (offset + V)
    data = fo.data.dataset(X, y)
    run = fo.fit(LINE, data, data, hyper=HYPER, epochs=4)
    expected = by_hand(y, run.predict(X))
    scores = run.evaluate(data)
    for name in NAMES:
        np.testing.assert_allclose(scores[name], expected[name], rtol=1e-4)
    for part in ("train", "dev"):
        for name in ("r2", "mean_squared_error"):
            np.testing.assert_allclose(run.scores[part][name], expected[name], rtol=1e-4)
            assert run.history[part][name][-1] == run.scores[part][name]


def test_pure_noise_far_from_zero_is_not_learned():
    run = fo.fit(LINE, fo.data.dataset(X, 1e9 + RNG.normal(size=120)), hyper=HYPER, epochs=4)
    assert run.scores["train"]["r2"] < 0.2


@pytest.mark.parametrize("unit", UNITS)
def test_a_run_that_goes_on_is_one_longer_run(unit):
    data = fo.data.dataset(X, unit * V)
    a, b = fo.fit(LINE, data, hyper=HYPER, epochs=4), fo.fit(LINE, data, hyper=HYPER, epochs=3).more(1)
    assert a.scores == b.scores
    jax.tree.map(np.testing.assert_array_equal, a.history, b.history)


def test_a_target_that_is_not_standardized_is_scored_in_its_unit():
    y = 1e9 + V
    model = fo.regressor(hidden=(), standardize_target=False)
    with pytest.warns(UserWarning, match="standardize_target=True"):
        run = fo.fit(model, fo.data.dataset(X, y), hyper=HYPER, epochs=1)
    expected = by_hand(y, np.asarray(run.predict(X), np.float64))
    np.testing.assert_allclose(run.scores["train"]["mean_squared_error"], expected["mean_squared_error"], rtol=1e-4)
    assert run.scores["train"]["r2"] < -1e6


def test_columns_of_unlike_size_are_scored_together():
    y = np.stack([1e-6 * V, 1e6 + 1e3 * V**2], axis=1)
    run = fo.fit(LINE, fo.data.dataset(X, y), hyper=HYPER, epochs=2)
    each = [by_hand(y[:, k], run.predict(X)[:, k]) for k in range(2)]
    scores = run.evaluate(fo.data.dataset(X, y))
    for name in NAMES[:4]:
        np.testing.assert_allclose(scores[name], np.mean([one[name] for one in each]), rtol=1e-4)


@pytest.mark.parametrize("unit", [1e-19])
def test_early_stopping_and_ranking_do_not_depend_on_the_unit(unit):
    """The least improvement is in the user's unit, means over folds and rungs too."""
    space = dict(lr=fo.log_uniform(1e-3, 0.3))

    def search(size, stop):
        data = fo.data.dataset(X, size * V)
        objective = "dev/mean_squared_error"
        return fo.caviar(LINE, space, data, folds=2, n=4, epochs=6, objective=objective, stop=stop)

    for stop, scaled in (
        (fo.early_stopping(2, 0.05), fo.early_stopping(2, 0.05 * unit**2)),
        (fo.halving(), fo.halving()),
    ):
        plain, other = search(1.0, stop), search(unit, scaled)
        assert [s.config for s in plain.ranking()] == [s.config for s in other.ranking()]
        assert [r["epochs"] for r in plain.table()] == [r["epochs"] for r in other.table()]
        scores = [np.array([s.score for s in found.ranking()]) for found in (plain, other)]
        np.testing.assert_allclose(scores[1], scores[0] * unit**2, rtol=1e-4)


def test_a_search_of_values_goes_on_from_its_folder(tmp_path):
    data = fo.data.dataset(X, 1e18 * V)
    space = dict(lr=fo.log_uniform(1e-3, 0.3))
    options = dict(folds=2, epochs=6, objective="dev/mean_squared_error", stop=fo.halving())
    whole = fo.caviar(LINE, space, data, n=4, path=tmp_path / "a", **options)
    again = fo.open(tmp_path / "a")
    assert str(again.table()) == str(whole.table()) and again.best == whole.best
    assert again.replay(0).scores["dev"] == whole.lanes(0)[0].scores["dev"]


def test_files_keep_the_moments_and_read_the_older_form(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    x = 1_700_000_000 + np.arange(120.0)[:, None]
    run = fo.fit(LINE, fo.data.dataset(x, 1e9 + V), hyper=HYPER, epochs=1)
    path = run.save(tmp_path / "m.safetensors")
    assert np.array_equal(fo.load(path).predict(x), run.predict(x)) and len(np.unique(run.predict(x))) > 100
    tensors = numpy.load(path.read_bytes())
    moments = [f"{part}.{name}" for part in ("inputs", "target") for name in ("mean", "scale")]
    assert all(tensors[name].dtype == np.float64 for name in moments)
    content = numpy.save({name: a.astype(np.float32) if name in moments else a for name, a in tensors.items()})
    path.write_bytes(content)
    told = json.loads(path.with_suffix(".json").read_text())
    told = {name: value for name, value in told.items() if name not in ("digest", "bytes", "types")}
    told |= {"format": 1, "sha256": hashlib.sha256(content).hexdigest()}
    told["digest"] = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(told))
    older = fo.load(path).predict(x)
    assert np.isfinite(older).all() and abs(older - 1e9).max() < 1e3  # to the digits that it kept


@pytest.mark.parametrize(
    ("door", "cases"),
    [
        (by_fit, [Case("classes", 1e9, 1e-3), Case("classes", 1e12, 1.0)]),
        (by_sweep, [Case("values", 1e12, 1.0, 1e25), Case("values", 1e6, 1e-3, 1e-25)]),
    ],
)
def test_a_few_offsets_and_units(door, cases):
    """A small part of ``benchmarks.offsets``."""
    found = compare(door, cases)
    assert found.held == len(cases) and found.faults == []


@pytest.mark.parametrize(("unit", "offset"), [(1.0, 1e12), (1e15, 0.0), (1e-15, 0.0)])
def test_data_of_another_unit_are_no_better_than_they_are(unit, offset):
    """Scored in the training part's unit, float32 takes such a target for constant: R² 0, explained variance 1."""
    run = fo.fit(LINE, fo.data.dataset(X, V), hyper=HYPER, epochs=2)
    y, p = unit * V + offset, np.asarray(run.predict(X), np.float64)
    found = run.evaluate(fo.data.dataset(X, y))
    for name, score in by_hand(y, p).items():
        assert found[name] == pytest.approx(score, rel=1e-5, abs=1e-6), name
    explained = 1 - np.var(y - p) / np.var(y)
    assert found["explained_variance"] == pytest.approx(explained, rel=1e-3, abs=1e-3)
