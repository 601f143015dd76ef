"""Weights, inputs and targets in extreme units, and labels at the ends of the types, change no score without a word."""

import numpy as np
import pytest

import fnopt as fo

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
SIDE = (X[:, 0] > 0).astype(int)
SETTINGS = {"hyper": {"lr": 0.1, "batch_size": 40}, "epochs": 3}


@pytest.fixture(scope="module")
def plain():
    return fo.fit(fo.classifier(hidden=()), fo.data.dataset(X, SIDE, 1.0 + SIDE), **SETTINGS)


@pytest.mark.parametrize("unit", [1e-300, 1e-50, 1e-40, 1e-30, 1e30, 1e38])
def test_the_unit_of_the_weights_changes_no_score(plain, unit):
    run = fo.fit(fo.classifier(hidden=()), fo.data.dataset(X, SIDE, unit * (1.0 + SIDE)), **SETTINGS)
    for name, score in plain.scores["train"].items():
        assert run.scores["train"][name] == pytest.approx(score, rel=1e-5), name
    found = run.evaluate(fo.data.dataset(X, SIDE, unit * (1.0 + SIDE)))
    for name, score in plain.evaluate(fo.data.dataset(X, SIDE, 1.0 + SIDE)).items():
        assert found[name] == pytest.approx(score, rel=1e-5), name


@pytest.mark.parametrize("unit", [1e-170, 1e-300])
def test_a_tiny_unit_leaves_the_moments_right(unit):
    """The squares of such numbers are 0 in float64."""
    scale = fo.data.standardizer(unit * X)
    np.testing.assert_allclose(scale.scale, unit * X.std(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale.mean, unit * X.mean(axis=0), rtol=1e-12)


def test_whole_numbers_that_no_type_holds_are_refused():
    """NumPy makes floating numbers of them, and two labels become one."""
    labels = [-1, 2**63, 2**63 + 1, -1]
    for y in (labels, np.array(labels, object), [10**30, 10**30 + 1, 0, 1]):
        with pytest.raises(ValueError, match="64 bits"):
            fo.data.dataset(X[:4], y)


def test_classes_of_several_types_come_back_as_they_were():
    data = fo.data.dataset(X, SIDE, classes=("none", 1))
    answers = fo.fit(fo.classifier(hidden=()), data, **SETTINGS).predict(X)
    assert set(answers.tolist()) == {"none", 1}


@pytest.mark.parametrize("labels", [(2**63, 2**63 + 1), (2**64 - 1, 2**64 - 2), (2**53, 2**53 + 1)])
def test_a_file_keeps_every_digit_of_its_labels(tmp_path, labels):
    path = tmp_path / "labels.csv"
    path.write_text("a,y\n" + "".join(f"{k},{labels[k % 2]}\n" for k in range(6)))
    assert np.asarray(fo.data.read_csv(path, target="y").y).tolist() == list(labels) * 3


def test_labels_that_rounding_makes_one_are_refused(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("a,y\n" + "".join(f"{k},{10**30 + k % 2}\n" for k in range(6)))
    with pytest.raises(ValueError, match="64 bits"):
        fo.data.read_csv(path, target="y")
    assert len(fo.data.read_csv(path, target="y", text=["y"]).classes) == 2
