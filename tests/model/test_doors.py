"""Everything that takes examples takes the same ones: by dtype, by name, and what cannot be taken is refused alike."""

import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

IRIS = fo.data.iris()
X = np.asarray(IRIS.x, np.float64)[::30]
NAMES = list(IRIS.features)
DOORS = ("predict", "predict_proba", "outputs")


@pytest.fixture(scope="module")
def run():
    return fo.fit(fo.classifier(hidden=(3,)), IRIS, hyper=dict(lr=0.05), epochs=2)


TAKEN = {  # name: (what comes, the numbers that it stands for)
    "list": (X.tolist(), X),
    "float16": (X.astype(np.float16), X.astype(np.float16)),
    "bfloat16": (jnp.asarray(X, jnp.bfloat16), np.asarray(jnp.asarray(X, jnp.bfloat16), np.float64)),
    "big-endian": (X.astype(">f4"), X.astype(np.float32)),
    "big-endian double": (X.astype(">f8"), X),
    "long double": (X.astype(np.longdouble), X),
    "objects": (X.astype(object), X),
    "whole": (X.astype(int), X.astype(int)),
    "yes or no": (X > 3, X > 3),
    "nothing masked": (np.ma.masked_array(X, X > 99), X),
    "one row": (X[:1], X[:1]),
}


@pytest.mark.parametrize("name", TAKEN)
def test_numbers_of_every_type_are_taken(run, name):
    given, meant = TAKEN[name]
    np.testing.assert_array_equal(np.asarray(fo.data.dataset(given, [0] * len(meant)).x, np.float64), meant)
    for door in DOORS:
        np.testing.assert_array_equal(getattr(run, door)(given), getattr(run, door)(np.asarray(meant, np.float64)))


LARGE = X.copy()
LARGE[2, 1] = 1e300
REFUSED = {  # name: (what comes, words)
    "too large": (LARGE, "row 2, column 1.*1e\\+300 does not fit float32"),
    "complex": (X + 1j, "real numbers, got dtype complex128"),
    "masked": (np.ma.masked_array(X, X[1, 2] == X), "row 1, column 2.*nan is not finite"),
    "NaN": (np.where(X[1, 2] == X, np.nan, X), "row 1, column 2.*nan is not finite"),
    "infinite": (np.where(X[1, 2] == X, -np.inf, X), "row 1, column 2.*-inf is not finite"),
    "missing": (np.where(X[1, 2] == X, None, X), "row 1, column 2.*nan is not finite"),
    "text": (X.astype(str), "row 0, column 0 is text"),
    "text objects": (np.full((2, 4), "a", object), "row 0, column 0 is text"),
    "dates": (np.full((2, 4), np.datetime64("2020-01-01")), "real numbers, got dtype datetime64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_is_refused_alike(run, name):
    given, words = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=words) as refused:
        fo.data.dataset(given, [0] * len(given))
    for door in DOORS:
        with pytest.raises(refused.type, match=words):
            getattr(run, door)(given)


def test_no_rows_give_no_predictions(run):
    values = fo.fit(fo.regressor(hidden=()), fo.data.dataset(X, X[:, :2]), epochs=1)
    assert [getattr(run, door)(X[:0]).shape for door in DOORS] == [(0,), (0, 3), (0, 3)]
    assert values.predict(X[:0]).shape == (0, 2)


def test_numbers_far_from_the_training_data_are_refused_by_row(run):
    narrow = fo.fit(fo.classifier(hidden=()), fo.data.dataset(1e-30 * X, [0, 1] * 2 + [0]), epochs=1)
    far = np.where(X[3, 1] == X, 1e30, 1e-30 * X)
    with pytest.raises(ValueError, match="row 3, column 1: 1e\\+30 is too far from the training data"):
        narrow.predict(far)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("made", ["fitted", "loaded", "refitted"])
def test_frames_go_by_the_names_of_their_columns(tmp_path, run, kind, made):
    library = pytest.importorskip(kind)
    if made == "loaded":
        pytest.importorskip("safetensors")
        run = fo.load(run.save(tmp_path / "m.safetensors"))
    if made == "refitted":
        space = dict(lr=fo.uniform(0.04, 0.05), hidden=(3,))
        run = fo.caviar(fo.classifier(), space, IRIS, n=1, epochs=1).refit(IRIS)
    columns = dict(zip(NAMES, X.T, strict=True))
    frame = library.DataFrame(columns)
    turned = library.DataFrame({"row": ["a"] * len(X), **{name: columns[name] for name in reversed(NAMES)}})
    for door in DOORS:
        np.testing.assert_array_equal(getattr(run, door)(frame), getattr(run, door)(X))
        np.testing.assert_array_equal(getattr(run, door)(turned), getattr(run, door)(X))
    y = ["setosa", "virginica"] * 2 + ["versicolor"]
    other = fo.data.dataset(turned[list(reversed(NAMES))], y, classes=IRIS.classes)
    assert run.evaluate(other) == run.evaluate(fo.data.dataset(frame, y, classes=IRIS.classes))
    renamed = library.DataFrame({name.replace("petal", "leaf"): column for name, column in columns.items()})
    for act in (lambda: run.predict(renamed), lambda: run.evaluate(fo.data.dataset(renamed, y))):
        with pytest.raises(ValueError, match=r"the column 'petal length \(cm\)' that the model was trained on"):
            act()


LABELS = {
    "negative": [-3, 7],
    "beyond 32 bits": [2**40, -(2**40)],
    "beyond floats": [2**53 + 1, 2**53 + 3],
    "beyond int64": [2**63 + 1, 5],
    "text": ["ä b", "1"],
    "whole floats": [2.0**60, 1.0],
    "yes or no": [True, False],
}


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("as_array", [False, True])
def test_labels_come_back_as_they_were(name, as_array):
    labels = LABELS[name]
    dtype = np.uint64 if name == "beyond int64" else None
    y = np.array(labels * 6, dtype) if as_array else labels * 6
    found = fo.fit(fo.classifier(hidden=()), fo.data.dataset(np.arange(12.0)[:, None], y), epochs=1)
    answers = found.predict(np.linspace(-99.0, 99.0, 40)[:, None]).tolist()
    assert set(found.classes) == set(labels) and set(answers) <= set(labels)
    assert all(type(answer) is not float for answer in answers)
