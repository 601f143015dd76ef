"""What a search says of how it ranks, and where that flatters."""

import warnings

import pytest

import fnopt as fo

SPACE = dict(lr=fo.log_uniform(1e-3, 1e-1), hidden=(4,))
WARNING = "no dev part and no folds: ranked by train/accuracy, which favours whatever remembers its examples"


def sweep_of(*parts, **more):
    return fo.caviar(fo.classifier(), SPACE, *parts, n=1, epochs=1, **more)


def test_ranking_by_the_training_part_is_warned_of():
    iris = fo.data.iris()
    with pytest.warns(UserWarning, match=WARNING):
        sweep = sweep_of(iris)
    assert sweep.objective == "train/accuracy"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sweep_of(iris, objective="train/accuracy").objective == "train/accuracy"  # it is meant
        assert sweep_of(iris, iris).objective == "dev/accuracy"
        assert sweep_of(iris, folds=2).objective == "dev/accuracy"


def test_a_score_without_a_part_is_that_of_dev():
    iris = fo.data.iris()
    assert sweep_of(iris, iris, objective="loss").objective == "dev/loss"
    assert sweep_of(iris, objective="accuracy").objective == "train/accuracy"
    with pytest.raises(ValueError, match="did you mean 'accuracy'"):
        sweep_of(iris, objective="acuracy")
    for part in ("test/accuracy", "dev/accuracy"):
        with pytest.raises(ValueError, match="part"):
            sweep_of(iris, objective=part)
