"""The pictures of the notes, at small size: each file is written, and each trend that it shows is so."""

import importlib.util
from pathlib import Path

import jax
import numpy as np
import pytest

pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SMALL = 5_000  # bytes that a picture has at least


@pytest.fixture
def example(request):
    """The module of one example, imported from its file, under the usual rules of JAX."""
    spec = importlib.util.spec_from_file_location(f"example_{request.param}", EXAMPLES / f"{request.param}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield module


def written(folder, *names):
    found = {path.stem: path.stat().st_size for path in folder.glob("*.png")}
    assert set(found) == set(names)
    assert min(found.values()) > SMALL


def labels_of_trends(monkeypatch, example):
    """Where the labels of each curve go that an example draws as a trend."""
    seen, drawn = [], example.fo.plot.trends

    def trends(at, series, **more):
        seen.extend(series)
        return drawn(at, series, **more)

    monkeypatch.setattr(example.fo.plot, "trends", trends)
    return seen


def rising(values, least=0.0):
    """Whether no value is below the one before, and the last is above the first by more than ``least``."""
    return bool((np.diff(values) >= -1e-9).all() and values[-1] - values[0] > least)


@pytest.mark.parametrize("example", ["picture_averages"], indirect=True)
def test_a_larger_beta_is_smoother_and_later(example, tmp_path):
    found = example.main(tmp_path)
    assert found["rough"][0] > found["rough"][1] > found["rough"][2]
    assert found["late"][0] < found["late"][1] < found["late"][2]
    written(tmp_path, "averages", "averages_uncorrected")


@pytest.mark.parametrize("example", ["picture_gradient_noise"], indirect=True)
def test_gradient_noise_falls_as_one_over_b(example, tmp_path, monkeypatch):
    labels = labels_of_trends(monkeypatch, example)
    slopes = example.main(tmp_path)
    assert len(labels) == 4 and all(" slope −" in label and "-" not in label for label in labels)
    assert set(slopes) == {f"{layer}.{part}" for layer in ("hidden_0", "output") for part in ("weight", "bias")}
    assert all(abs(slope + 1) < 0.05 for slope in slopes.values())
    written(tmp_path, "gradient_noise")


@pytest.mark.parametrize("example", ["picture_boundaries"], indirect=True)
def test_four_classes_have_straight_boundaries_without_a_hidden_layer(example, tmp_path):
    found = example.main(tmp_path, epochs=20)
    assert found["straight"] == 1.0 > found["bent"]
    written(tmp_path, "boundaries_straight", "boundaries_bent")


@pytest.mark.slow
@pytest.mark.parametrize("example", ["picture_fits"], indirect=True)
def test_fits_go_from_stiff_to_bent(example, tmp_path):
    found = example.main(tmp_path, epochs=2500, hidden=(64, 64))
    assert rising([-loss for loss in found["losses"]], 10.0)  # of the line, step by step
    for on_train, on_dev in (found["polynomials"], found["nets"]):
        assert on_train[0] > on_train[1] > on_train[2]
        assert on_dev[1] == min(on_dev)
    written(tmp_path, "fitted_lines", "fits_polynomials", "fits_nets")


@pytest.mark.slow
@pytest.mark.parametrize("example", ["picture_gabor"], indirect=True)
def test_small_batches_and_large_rates_leave_minima_and_saddles(example, tmp_path):
    _, losses, left = example.main(tmp_path, count=160, steps=150)
    assert len(losses) >= 5 and losses == sorted(losses) and losses[1] > 3 * losses[0]
    for kind in ("minimum", "saddle"):
        one, five, whole = (left[kind][f"b = {b}"] for b in (1, 5, 28))
        assert rising(one, 0.5) and rising(five, 0.5)  # against the learning rate
        assert (one >= five - 0.02).all() and (five >= whole - 0.02).all()  # against the batch size
    assert not left["minimum"]["b = 28"].any()  # full-batch descent stays in its minimum
    assert left["saddle"]["b = 28"][-1] > 0.5  # but does leave saddles
    written(tmp_path, "gabor_surface", "gabor_fits", "gabor_escapes")


@pytest.mark.slow
@pytest.mark.parametrize("example", ["picture_regularization"], indirect=True)
def test_what_regularization_does_to_weights_and_units(example, tmp_path):
    found = example.main(tmp_path, seeds=2, steps=500)
    middle = {kind: {k: v.mean(axis=0) for k, v in some.items()} for kind, some in found.items()}
    for kind in ("l2", "l1", "dropout"):
        norm = middle[kind]["squared norm of the weights"]
        assert (np.diff(norm) < 0).all() and norm[-1] < 0.7 * norm[0]
    for kind in ("l2", "l1"):
        assert rising(-middle[kind]["share of saturated outputs"], 0.3)
        assert middle[kind]["share of units without influence"][-1] > 0.25
        assert middle[kind]["share of units without influence"][0] == 0
    assert rising(middle["l2"]["share of outputs in the linear region"], 0.3)
    assert rising(middle["l1"]["share of zeros"], 0.8)
    assert not middle["l2"]["share of zeros"].any()  # L2 makes weights small, and none zero
    written(tmp_path, "regularization_l2", "regularization_l1", "regularization_dropout")


@pytest.mark.parametrize("example", ["picture_batch_norm"], indirect=True)
def test_a_negative_slope_has_a_minus(example, tmp_path, monkeypatch):
    labels = labels_of_trends(monkeypatch, example)
    monkeypatch.setattr(
        example, "outputs_of_one", lambda net, params, stats, x, b, draws: np.array([[-1.0], [1.0]]) / b
    )
    assert example.noise(tmp_path, np.zeros((4, 3)), 2) == pytest.approx(-2)
    assert labels == ["slope −2.00"]


@pytest.mark.slow
@pytest.mark.parametrize("example", ["picture_batch_norm"], indirect=True)
def test_batch_norm_widens_the_range_and_steadies_later_layers(example, tmp_path):
    wide, slope, shift = example.main(tmp_path, rows=400, epochs=4)
    assert wide["with batch norm"] > wide["without"]
    assert -1.2 < slope < -0.8
    assert shift["with batch norm"][-1] < 0.1 * shift["without"][-1]
    written(tmp_path, "batch_norm_rates", "batch_norm_noise", "batch_norm_shift")


@pytest.mark.slow
@pytest.mark.parametrize("example", ["picture_deep"], indirect=True)
def test_twenty_layers_train_with_batch_norm_and_not_without(example, tmp_path):
    best = example.main(tmp_path)
    assert best["sigmoid"]["without"] < 0.2 < 0.4 < best["sigmoid"]["with batch norm"]
    gains = {kind: one["with batch norm"] - one["without"] for kind, one in best.items()}
    assert gains["sigmoid"] > gains["arctan"] > gains["relu"]
    written(tmp_path, "deep_layers", "deep_activations")


@pytest.mark.slow
@pytest.mark.parametrize("example", ["picture_search"], indirect=True)
def test_searches_are_coarse_then_dense(example, tmp_path):
    fine, halved, evolved = example.main(tmp_path)
    assert example.spread(fine, "lr") < example.spread(fine.coarse, "lr")
    assert len(list(tmp_path.glob("search_*.png"))) == 8
    assert halved.best.score < 1 and any(evolved.lineage(i) for i in range(evolved.n))


@pytest.mark.slow
@pytest.mark.parametrize("example", ["picture_scores"], indirect=True)
def test_early_stopping_is_at_the_minimum_of_the_curve(example, tmp_path):
    run, test = example.main(tmp_path)
    losses = run.history["dev"]["loss"]
    assert losses[run.best_epoch - 1] == min(losses) and run.best_epoch < run.epochs
    assert run.evaluate(test)["accuracy"] > 0.85
    assert len(list(tmp_path.glob("*.png"))) == 13
