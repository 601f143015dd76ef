"""What is said of a target before a search: rare classes, classes of few examples, inputs that are copies of it."""

import numpy as np

import fnopt as fo
from fnopt.cli import balance
from fnopt.cli.leaks import leaks


def data_of(y, x=None, names=None):
    x = np.random.default_rng(1).normal(size=(len(y), 3)) if x is None else x
    return fo.data.dataset(x, np.asarray(y), features=names)


def test_rare_classes_and_few_examples_are_named():
    bank = data_of(["no"] * 89 + ["yes"] * 11)
    assert balance.majority(bank, "classes") == ("'no'", 0.89) and balance.uneven(bank, "classes") == "yes"
    said = balance.notes(bank, [bank] * 3, "classes", "dev/accuracy")
    assert said == [
        "class 'yes' has 11.0% of the examples: accuracy hardly sees it, --objective dev/balanced_accuracy ranks by "
        "the mean over classes"
    ]
    assert balance.notes(bank, [bank] * 3, "classes", "dev/balanced_accuracy") == []
    assert balance.uneven(fo.data.digits(), "classes") is balance.uneven(fo.data.iris(), "classes") is None
    few = data_of(["a"] * 10 + ["b"] * 10 + ["Emperor"])
    parts = [few._replace(x=few.x[rows], y=few.y[rows]) for rows in (slice(4, 21), slice(0, 12), slice(2, 14))]
    assert balance.notes(few, parts, "classes", "dev/f1")[-1] == "class 'Emperor': 1 example, in train only"
    labels = fo.data.dataset(np.ones((4, 1)), np.array([[1, 0], [1, 0], [1, 0], [0, 0]]))
    assert balance.majority(labels, "labels") == ("the commoner", 0.75)  # as accuracy counts: all labels right
    assert balance.majority(data_of([0.5, 1.5, 2.5]), "values") is None


def test_labels_may_be_any_whole_numbers():
    """Class -1 beside 1 is as usual as 0 beside 1, and no class lies between 7 and 9."""
    for labels in ((-1, 1), (7, 9), (2**53, 2**53 + 1), (2**63, 2**63 + 1)):
        data = data_of([labels[0]] * 9 + [labels[1]])
        assert balance.majority(data, "classes") == (repr(str(labels[0])), 0.9)
        assert [line.split(" has")[0] for line in balance.notes(data, [data] * 3, "classes", "dev/accuracy")] == [
            f"class '{labels[1]}'"
        ]


def test_copies_of_the_target_are_named():
    rng = np.random.default_rng(2)
    y, x = rng.normal(size=50), rng.normal(size=(50, 4))
    x[:, 1], x[:, 2] = 2 * y + 3, y + 1e-3 * rng.normal(size=50)
    assert leaks(data_of(y, x, ["a", "double", "near", "b"]), "values") == [
        "input 'double' determines the target exactly"
    ]
    alive = np.where(y > 0, "yes", "no")
    x[:, 3] = np.where(y > 0, 7, 5)
    assert leaks(data_of(alive, x, ["a", "b", "c", "alive=yes"]), "classes") == [
        "input 'alive' determines the target exactly"
    ]
    assert leaks(fo.data.iris(), "classes") == leaks(fo.data.diabetes(), "values") == []
