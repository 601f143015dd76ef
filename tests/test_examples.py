"""The examples run as they stand, and what they print is so."""

import importlib.util
from pathlib import Path

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
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.stem}"' in text for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("example", ["pure_pieces"], indirect=True)
def test_pure_pieces_trains_32_learning_rates(example, capsys):
    scores = example.main()
    assert scores.shape == (32,)
    assert scores.max() > 0.9
    assert scores.min() < 0.6  # the smallest rates have hardly moved: the lanes do differ
    assert "best of 32" in capsys.readouterr().out


@pytest.mark.parametrize("example", ["one_model"], indirect=True)
def test_one_model_goes_on_and_comes_back_from_its_file(example):
    run, same = example.main()
    assert run.epochs == 15
    assert run.scores["dev"]["accuracy"] > 0.9
    assert same


@pytest.mark.parametrize("example", ["caviar"], indirect=True)
def test_caviar_ranks_and_replays(example, capsys):
    sweep, model = example.main(n=6, epochs=4)
    assert len(sweep.table()) == 6
    assert model.epochs <= 4
    assert f"configuration {sweep.best.config} replayed" in capsys.readouterr().out


@pytest.mark.parametrize("example", ["supervised"], indirect=True)
def test_supervised_sweeps_a_network_written_by_hand(example):
    sweep, run = example.main(n=6, epochs=6)
    assert sweep.best.score > 0.85
    assert "gain" in sweep.best.hyper
    assert set(run.params) == {"w1", "b1", "w2", "b2"}
