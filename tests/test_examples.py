"""The examples run as they stand, and what they print is so. Slow: they are also run by themselves."""

import importlib.util
from pathlib import Path

import jax
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def example(request):
    """The module of one example, imported from its file."""
    spec = importlib.util.spec_from_file_location(f"example_{request.param}", EXAMPLES / f"{request.param}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested():
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_examples*.py"))
    assert all(f'"{path.stem}"' in text for path in EXAMPLES.glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("example", ["pure_pieces"], indirect=True)
def test_pure_pieces_trains_32_learning_rates(example, capsys):
    scores = example.main()
    assert scores.shape == (32,)
    assert scores.max() > 0.9
    assert scores.min() < 0.6  # the smallest rates have hardly moved: the lanes do differ
    assert "best of 32" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("example", ["one_model"], indirect=True)
def test_one_model_goes_on_and_comes_back_from_its_file(example):
    run, same = example.main()
    assert run.epochs == 15
    assert run.scores["dev"]["accuracy"] > 0.9
    assert same


@pytest.mark.slow
@pytest.mark.parametrize("example", ["caviar"], indirect=True)
def test_caviar_ranks_and_replays(example, capsys):
    sweep, model = example.main(n=6, epochs=4)
    assert len(sweep.table()) == 6
    assert model.epochs <= 4
    assert f"configuration {sweep.best.config} replayed" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("example", ["supervised"], indirect=True)
def test_supervised_sweeps_a_network_written_by_hand(example):
    sweep, run = example.main(n=6, epochs=6)
    assert sweep.best.score > 0.85
    assert "gain" in sweep.best.hyper
    assert set(run.params) == {"w1", "b1", "w2", "b2"}


@pytest.mark.slow
@pytest.mark.parametrize("example", ["pictures"], indirect=True)
def test_pictures_are_written(example, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    figures = example.main(tmp_path, steps=4, names=("beale",))
    written = list(tmp_path.glob("*.png"))
    assert len(written) == len(figures) == 4
    assert all(path.stat().st_size > 10_000 for path in written)
    assert str(tmp_path) in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("example", ["critical_points"], indirect=True)
def test_critical_points_of_random_surfaces_become_saddles_as_dimensions_grow(example):
    table = example.main(dimensions=(1, 2, 4), starts=250, seeds=1)
    one, two, four = table
    assert one["saddle"] == 0 and abs(one["minimum"] - 0.5) < 0.1  # of a curve, they take turns
    assert abs(two["saddle"] - 0.5) < 0.12  # of a surface, as many as minima and maxima together: Euler's formula
    assert four["saddle"] > 0.8 and four["minimum"] < 0.12
    assert two["low"] < two["middle"]  # what is high up is a saddle
    assert four["lowest"] < 0.1  # but a descent seldom ends in the lowest minimum


@pytest.mark.parametrize(
    ("example", "library"), [("flax_model", "flax"), ("equinox_model", "equinox")], indirect=["example"]
)
@pytest.mark.filterwarnings("ignore")  # theirs are not ours to mend
def test_their_models_go_where_optax_goes(example, library, capsys):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        made = example.main(steps=20, n=2, epochs=2)
    told = capsys.readouterr().out
    if made is None:
        assert "which is not installed: pip install 'fnopt[interop]'" in told
        assert any(importlib.util.find_spec(name) is None for name in (library, "optax"))
    else:
        most, sweep = made
        assert most <= 1e-5 and "never more than" in told
        assert len(sweep.table()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("example", ["all_parts"], indirect=True)
def test_the_winner_is_trained_on_all_three_parts_in_the_end(example):
    sweep, tested, final, same = example.main(n=4, epochs=5)
    assert tested.hyper["lr"] == final.hyper["lr"] == sweep.best.hyper["lr"]
    rows = [int(run.going.work.folds[0].train.rows) for run in (tested, final)]
    assert rows[1] == 178 > rows[0] > 130 and same


@pytest.mark.parametrize("example", ["boltzmann_features"], indirect=True)
def test_a_boltzmann_machine_finds_features_of_moved_digits(example):
    pixels, features = example.main(iterations=5, epochs=10)
    assert features > pixels + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("example", ["which_inputs"], indirect=True)
def test_inputs_of_noise_matter_least(example):
    importance = example.main(repeats=5)
    assert set(importance.argsort()[-2:]) == {2, 3} and importance[4:].max() < importance[2:4].min()
