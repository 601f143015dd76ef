"""The pictures of the notes, at small size: each file is written, and each trend that it shows is so."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SMALL = 5_000  # bytes that a picture has at least


@pytest.fixture
def example(request):
    """The module of one example, imported from its file."""
    spec = importlib.util.spec_from_file_location(f"example_{request.param}", EXAMPLES / f"{request.param}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(folder, *names):
    found = {path.stem: path.stat().st_size for path in folder.glob("*.png")}
    assert set(found) == set(names)
    assert min(found.values()) > SMALL


@pytest.mark.parametrize("example", ["picture_averages"], indirect=True)
def test_a_larger_beta_is_smoother_and_later(example, tmp_path):
    found = example.main(tmp_path)
    assert found["rough"][0] > found["rough"][1] > found["rough"][2]
    assert found["late"][0] < found["late"][1] < found["late"][2]
    written(tmp_path, "averages", "averages_uncorrected")


@pytest.mark.parametrize("example", ["picture_gradient_noise"], indirect=True)
def test_gradient_noise_falls_as_one_over_b(example, tmp_path):
    slopes = example.main(tmp_path)
    assert set(slopes) == {f"{layer}.{part}" for layer in ("hidden_0", "output") for part in ("weight", "bias")}
    assert all(abs(slope + 1) < 0.05 for slope in slopes.values())
    written(tmp_path, "gradient_noise")


@pytest.mark.parametrize("example", ["picture_boundaries"], indirect=True)
def test_four_classes_have_straight_boundaries_without_a_hidden_layer(example, tmp_path):
    found = example.main(tmp_path, epochs=20)
    assert found["straight"] == 1.0 > found["bent"]
    written(tmp_path, "boundaries_straight", "boundaries_bent")
