"""`fnopt predict`: new files are encoded as the old one was, whatever the order of their columns."""

import csv
import gzip
import io

import numpy as np
import pytest
from cli_cases import contents, sweep_pets, write_pets

from fnopt import data
from fnopt.cli.entry import run
from fnopt.model import classifier, multilabel, regressor
from fnopt.run import fit, load


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """A folder with the table of pets and its finished sweep, `out`."""
    folder = tmp_path_factory.mktemp("pets")
    write_pets(folder)
    assert sweep_pets(folder, folder / "out", n=2) == 0
    return folder


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def predicted(capsys, *arguments):
    """What a command writes to stdout, as rows."""
    capsys.readouterr()
    assert run(["predict", *map(str, arguments)]) == 0
    return rows_of(capsys.readouterr().out)


def saved(folder, model, examples):
    """The file of a model fitted on some data for an epoch."""
    return fit(model, examples, epochs=1).save(folder / "model.safetensors")


@pytest.mark.parametrize("given", ["out", "out/model.safetensors"])
def test_predictions_of_the_table_itself(pets, capsys, given):
    """One row an example, with the labels as they were and under the target's name."""
    rows = predicted(capsys, pets / given, pets / "pets.csv")
    model = load(pets / "out" / "model.safetensors")
    wanted = model.predict(data.read_csv(pets / "pets.csv", "kind").x)
    assert [row["kind"] for row in rows] == wanted.tolist()
    assert set(wanted) == {"cat", "dog"}
    assert list(rows[0]) == ["kind"]


def test_columns_may_stand_in_another_order_with_others_between(pets, tmp_path, capsys):
    old = rows_of((pets / "pets.csv").read_text())
    names = ["age", "name", "colour", "weight"]
    lines = [";".join(names), *(";".join({**row, "name": "Tom"}[name] for name in names) for row in old)]
    with gzip.open(tmp_path / "new.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    assert predicted(capsys, pets / "out", tmp_path / "new.csv.gz") == predicted(
        capsys, pets / "out", pets / "pets.csv"
    )


def test_probabilities_stand_under_their_class(pets, capsys):
    rows = predicted(capsys, pets / "out", pets / "pets.csv", "--proba")
    assert list(rows[0]) == ["kind", "p(cat)", "p(dog)"]
    chances = np.array([[float(row["p(cat)"]), float(row["p(dog)"])] for row in rows])
    assert chances.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert [("cat", "dog")[k] for k in chances.argmax(axis=1)] == [row["kind"] for row in rows]
    wanted = load(pets / "out" / "model.safetensors").predict_proba(data.read_csv(pets / "pets.csv", "kind").x)
    assert np.array_equal(chances.astype(np.float32), wanted)  # written so that they read back exactly


def test_out_writes_the_same_to_a_file(pets, tmp_path, capsys):
    wanted = predicted(capsys, pets / "out", pets / "pets.csv")
    assert predicted(capsys, pets / "out", pets / "pets.csv", "--out", tmp_path / "new.csv") == []
    assert rows_of((tmp_path / "new.csv").read_text()) == wanted


def test_values_come_in_the_targets_units(tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "new.npz", x=rng.normal(size=(5, 10)).astype(np.float32))
    file = saved(tmp_path, regressor(hidden=4), data.diabetes())
    rows = predicted(capsys, file, tmp_path / "new.npz")
    wanted = load(file).predict(np.load(tmp_path / "new.npz")["x"])
    assert [float(row["progression"]) for row in rows] == pytest.approx(wanted.tolist())


def test_labels_have_a_column_each(tmp_path, capsys):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 3)).astype(np.float32)
    np.savez(tmp_path / "new.npz", x=x[:4])
    file = saved(tmp_path, multilabel(hidden=4), data.dataset(x, (x[:, :2] > 0).astype(int)))
    rows = predicted(capsys, file, tmp_path / "new.npz", "--proba")
    assert list(rows[0]) == ["prediction.0", "prediction.1", "p(prediction.0)", "p(prediction.1)"]
    assert all((float(row["p(prediction.0)"]) > 0.5) == (row["prediction.0"] == "1") for row in rows)


def test_images_are_read_as_they_were(tmp_path, capsys):
    rng = np.random.default_rng(0)
    pixels, digits = rng.integers(0, 256, (20, 3, 3), dtype=np.uint8), np.arange(20, dtype=np.uint8) % 2
    images, labels = tmp_path / "some-images-idx3-ubyte.gz", tmp_path / "some-labels-idx1-ubyte.gz"
    images.write_bytes(gzip.compress(bytes([0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 3]) + pixels.tobytes()))
    labels.write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 20]) + digits.tobytes()))
    file = saved(tmp_path, classifier(hidden=4), data.read_idx(images, labels))
    rows = predicted(capsys, file, images)
    wanted = load(file).predict(pixels.reshape(20, 9).astype(np.float32))
    assert [int(row["prediction"]) for row in rows] == wanted.tolist()


BAD = {
    "unseen category": ("weight,colour,age\n3,green,2\n", "line 2, column 'colour'", "'green'", "black, brown, white"),
    "column that is not there": ("weight,color,age\n3,black,2\n", "lacks the column 'colour'", "'color'"),
    "missing cell": ("weight,colour,age\n,black,2\n", "line 2, column 'weight' is missing"),
    "text among numbers": ("weight,colour,age\nheavy,black,2\n", "'heavy'"),
}


@pytest.mark.parametrize("case", BAD)
def test_new_files_that_cannot_be_encoded(pets, tmp_path, capsys, case):
    content, *pieces = BAD[case]
    (tmp_path / "new.csv").write_text(content)
    before = contents(tmp_path)
    assert run(["predict", str(pets / "out"), str(tmp_path / "new.csv"), "--out", str(tmp_path / "p.csv")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert all(piece in said.err for piece in pieces), said.err
    assert not said.out
    assert contents(tmp_path) == before


def test_probabilities_of_values_and_altered_models_are_refused(pets, tmp_path, capsys):
    file = saved(tmp_path, regressor(hidden=4), data.diabetes())
    np.savez(tmp_path / "new.npz", x=np.zeros((1, 10)))
    assert run(["predict", str(file), str(tmp_path / "new.npz"), "--proba"]) == 2
    assert "this model predicts values" in capsys.readouterr().err
    broken = bytearray(file.read_bytes())
    broken[-1] ^= 1
    file.write_bytes(bytes(broken))
    assert run(["predict", str(file), str(tmp_path / "new.npz")]) == 2
    assert "damaged or was altered" in capsys.readouterr().err
