"""Datasets from arrays, the built-in data, and the task of a target."""

import jax.numpy as jnp
import numpy as np
import pytest

from fnopt import data

X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
NAN, INF = float("nan"), float("inf")


class Absent:
    """A missing value that refuses to be compared, as some data frames have it."""

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("neither true nor false")

    __hash__ = object.__hash__


class Frame:
    """What a data frame looks like from here: columns, and an array of objects."""

    columns = ("age", "height")

    def __array__(self, dtype=None, copy=None):
        return np.array(X, object)


@pytest.mark.parametrize("name", data.NAMES)
def test_built_in_data_are_scikit_learns(name):
    datasets = pytest.importorskip("sklearn.datasets")
    theirs = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
    for ours in (data.load(name), getattr(data, name)()):
        np.testing.assert_array_equal(ours.x, theirs.data.astype(np.float32))
        np.testing.assert_array_equal(ours.y, theirs.target)
        assert ours.features == tuple(theirs.feature_names)
        assert ours.x.dtype == jnp.float32
        assert ours.y.dtype == (jnp.float32 if name == "diabetes" else jnp.int32)
        assert ours.name == name
        if name != "diabetes":
            assert ours.classes == tuple(theirs.target_names.tolist())
    assert data.task_of(ours.y, ours.classes) == ("values" if name == "diabetes" else "classes")


def test_built_in_data_in_float64(x64):
    datasets = pytest.importorskip("sklearn.datasets")
    np.testing.assert_array_equal(data.breast_cancer().x, datasets.load_breast_cancer().data)


@pytest.mark.parametrize(
    ("y", "codes", "classes", "dtype"),
    [
        (["b", "a", "b"], [1, 0, 1], ("a", "b"), jnp.int32),
        (np.array(["b", "a", "b"], object), [1, 0, 1], ("a", "b"), jnp.int32),
        (np.array([b"b", b"a", b"b"]), [1, 0, 1], ("a", "b"), jnp.int32),
        ([True, False, True], [1, 0, 1], None, jnp.int32),
        ([7, -3, 7], [7, -3, 7], None, jnp.int32),
        (np.array([7, 3, 7], object), [7, 3, 7], None, jnp.int32),
        ([2**40, 0, 1], [2**40, 0, 1], None, np.int64),
        ([0.0, 1.0, 0.5], [0, 1, 0.5], None, jnp.float32),
        ([[0, 1], [1, 1], [0, 0]], [[0, 1], [1, 1], [0, 0]], None, jnp.int32),
    ],
)
def test_targets(y, codes, classes, dtype):
    made = data.dataset(X, y)
    np.testing.assert_array_equal(made.y, codes)
    assert made.classes == classes
    assert made.y.dtype == dtype


def test_given_classes_set_the_order():
    made = data.dataset(X, ["low", "high", "low"], classes=("low", "high", "higher"))
    assert made.y.tolist() == [0, 1, 0]
    assert made.classes == ("low", "high", "higher")
    assert data.dataset(X, [0.0, 2.0, 1.0], classes="abc").y.dtype == jnp.int32


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (X, jnp.float32),
        (np.array(X, np.float64), jnp.float32),
        (np.array(X, np.uint8), jnp.uint8),
        (np.array(X) > 2, bool),
        (jnp.array(X, jnp.bfloat16), jnp.bfloat16),
        (np.array(X, object), jnp.float32),
        (np.ones((3, 2, 2, 1)), jnp.float32),
    ],
)
def test_inputs(x, dtype):
    made = data.dataset(x, [0, 1, 0], [1, 0, 2])
    assert made.x.dtype == dtype
    assert made.x.shape == np.shape(x)
    assert made.weight.dtype == jnp.float32
    assert len(made) == 3


def test_double_stays_double(x64):
    assert data.dataset(np.array(X), [0.5, 1.0, 2.0]).x.dtype == jnp.float64
    assert data.dataset(np.array(X, np.float32), [0.5, 1.0, 2.0]).x.dtype == jnp.float32


def test_a_frame_brings_its_names():
    assert data.dataset(Frame(), [0, 1, 0]).features == ("age", "height")


def test_a_missing_cell_may_stand_where_it_was_announced():
    made = data.dataset([[1.0, None], [NAN, 4.0], [Absent(), 5]], [0, 1, 1], missing="mean")
    assert made.missing == "mean"
    np.testing.assert_array_equal(made.x, [[1, NAN], [NAN, 4], [NAN, 5]])


def hole(row, column, cell):
    x = np.array(X)
    x[row, column] = cell
    return x


BAD = {
    "one axis": (lambda: data.dataset([1.0, 2.0], [0, 1]), ValueError, r"write x\[:, None\]"),
    "no axis": (lambda: data.dataset(1.0, [0]), ValueError, r"shape \(m, features\), got \(\)"),
    "ragged": (lambda: data.dataset([[1.0, 2.0], [3.0]], [0, 1]), ValueError, "rows of one length"),
    "no rows": (lambda: data.dataset(np.ones((0, 2)), []), ValueError, "at least one row"),
    "lengths": (lambda: data.dataset(X, [0, 1]), ValueError, "`x` has 3 rows and `y` has 2"),
    "NaN": (
        lambda: data.dataset(hole(1, 0, NAN), [0, 1, 0]),
        ValueError,
        "row 1, column 0: nan is not.*missing",
    ),
    "NaN by name": (
        lambda: data.dataset(hole(1, 0, NAN), [0, 1, 0], features=["age", "b"]),
        ValueError,
        r"row 1, column 0 \('age'\)",
    ),
    "inf": (lambda: data.dataset(hole(2, 1, INF), [0, 1, 0]), ValueError, "row 2, column 1: inf is not finite"),
    "inf beside missing": (
        lambda: data.dataset(hole(2, 1, -INF), [0, 1, 0], missing="mean"),
        ValueError,
        "row 2, column 1: -inf",
    ),
    "too large": (lambda: data.dataset(hole(0, 1, 1e300), [0, 1, 0]), ValueError, "does not fit float32"),
    "NaN in y": (lambda: data.dataset(X, [0.5, NAN, 1]), ValueError, "`y` in row 1: nan is not finite"),
    "inf in y": (lambda: data.dataset(X, [[1.0], [1], [INF]]), ValueError, "`y` in row 2, column 0: inf"),
    "missing label": (lambda: data.dataset(X, np.array(["a", None, "b"])), ValueError, "`y` in row 1 is missing"),
    "absent label": (lambda: data.dataset(X, ["a", "b", Absent()]), ValueError, "`y` in row 2 is missing"),
    "mixed labels": (lambda: data.dataset(X, np.array(["a", "b", 1], object)), ValueError, "row 2 is 1 beside text"),
    "text in x": (lambda: data.dataset([["a", "b"]], [0]), ValueError, "`x` in row 0, column 0 is text, 'a'"),
    "dates": (lambda: data.dataset(np.array([["2020-01-01"]], "M8[D]"), [0]), TypeError, "real numbers"),
    "complex": (lambda: data.dataset([[1j]], [0]), TypeError, "real numbers"),
    "things": (lambda: data.dataset([[object()]], [0]), TypeError, "numbers or text"),
    "text columns in y": (lambda: data.dataset(X, [["a"], ["b"], ["a"]]), ValueError, r"write y\[:, 0\]"),
    "y of three axes": (lambda: data.dataset(X, np.ones((3, 1, 1))), ValueError, r"\(m,\) or \(m, outputs\)"),
    "dates in y": (lambda: data.dataset([[1.0]], np.array(["2020-01-01"], "M8[D]")), TypeError, "dtype datetime64"),
    "weight length": (lambda: data.dataset(X, [0, 1, 0], [1, 2]), ValueError, r"shape \(3,\).*got \(2,\)"),
    "weight negative": (lambda: data.dataset(X, [0, 1, 0], [1, -2, 1]), ValueError, "row 1: -2.0 is negative"),
    "weight NaN": (lambda: data.dataset(X, [0, 1, 0], [1, 1, NAN]), ValueError, "`weight` in row 2: nan"),
    "weight text": (lambda: data.dataset(X, [0, 1, 0], ["a", "b", "c"]), TypeError, "numbers, got text"),
    "weights all 0": (lambda: data.dataset(X, [0, 1, 0], [0, 0, 0]), ValueError, "at least one must count"),
    "features": (lambda: data.dataset(X, [0, 1, 0], features=["a"]), ValueError, "each column"),
    "unknown class": (
        lambda: data.dataset(X, ["a", "b", "cat"], classes=["a", "b", "cats"]),
        ValueError,
        "row 2: 'cat' is not a class; did you mean 'cats'",
    ),
    "label beyond": (lambda: data.dataset(X, [0, 2, 1], classes="ab"), ValueError, "row 1: 2 is not a number into"),
    "same class": (lambda: data.dataset(X, [0, 1, 1], classes="aa"), ValueError, "different names"),
    "classes of columns": (lambda: data.dataset(X, np.ones((3, 2)), classes="ab"), ValueError, "one label an example"),
    "missing how": (lambda: data.dataset(X, [0, 1, 1], missing="men"), ValueError, "did you mean 'mean'"),
    "unknown data": (lambda: data.load("digit"), ValueError, "unknown data 'digit'; did you mean 'digits'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays(case):
    make, error, words = BAD[case]
    with pytest.raises(error, match=words):
        make()


def test_sparse_arrays_name_the_cure():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"write x\.toarray\(\)"):
        data.dataset(sparse.csr_matrix(np.eye(2)), [0, 1])


@pytest.mark.parametrize(
    ("y", "classes", "task"),
    [
        (["a", "b"], None, "classes"),
        (np.arange(1000), tuple(range(1000)), "classes"),
        ([True, False], None, "classes"),
        (np.arange(20), None, "classes"),
        (np.arange(21), None, "values"),
        (np.arange(900) % 30, None, "classes"),
        (np.arange(900) % 31, None, "values"),
        (jnp.array([0, 1, 1]), None, "classes"),
        ([0.0, 1.0], None, "values"),
        ([[0, 1], [1, 0]], None, "labels"),
        ([[0.0, 1.0], [1.0, 0.0]], None, "labels"),
        ([[0.5, 1.0], [1.0, 0.0]], None, "values"),
    ],
)
def test_task(y, classes, task):
    assert data.task_of(y, classes) == task
