"""Saved models: the same predictions in the same units, from plain files that notice damage."""

import json

import jax
import numpy as np
import pytest

import fnopt as fo

pytest.importorskip("safetensors")
KEY = jax.random.key(2)


def labelled(kind="text"):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 90)
    x = rng.normal(size=(90, 4)).astype(np.float32) * 5 + 3 * np.eye(3, 4, dtype=np.float32)[y]
    return fo.data.dataset(x, np.array(["ant", "bee", "cat"])[y] if kind == "text" else y.astype(np.int32))


def run_of(kind):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 4)).astype(np.float32)
    if kind == "regressor":
        return fo.fit(fo.regressor(hidden=5), fo.data.dataset(x, (x[:, 0] * 9 + 100).astype(np.float32)), epochs=2), x
    if kind == "multilabel":
        return fo.fit(fo.multilabel(hidden=5), fo.data.dataset(x, (x[:, :2] > 0).astype(np.int32)), epochs=2), x
    if kind == "schedule":
        hyper = dict(lr=fo.schedules.cosine(peak=0.01, steps=50), dropout=fo.schedules.linear(0.1, 0.3, 50))
        return fo.fit(fo.classifier(hidden=5), labelled(), hyper=hyper, epochs=2), x
    hyper = dict(norm="batch") if kind == "batch norm" else {}
    return fo.fit(fo.classifier(hidden=(6, 5), **hyper), labelled(), epochs=2), x


@pytest.mark.parametrize("kind", ["classifier", "batch norm", "regressor", "multilabel", "schedule"])
def test_a_loaded_model_answers_alike(tmp_path, kind):
    run, x = run_of(kind)
    path = run.save(tmp_path / "deep" / "model.safetensors")
    again = fo.load(path)
    assert np.array_equal(again.predict(x), run.predict(x))
    assert np.array_equal(again.outputs(x), run.outputs(x))
    assert again.scores == run.scores and again.classes == run.classes and again.epochs == run.epochs
    assert again.best_epoch == run.best_epoch == 2
    assert repr(again.hyper) == repr(run.hyper)
    with pytest.raises(ValueError, match="fit it again"):
        again.more(1)


def test_damage_is_noticed(tmp_path):
    run, _ = run_of("classifier")
    path = run.save(tmp_path / "m.safetensors")
    whole = path.read_bytes()
    for place in (3, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="damaged or was altered"):
            fo.load(path)
    path.write_bytes(whole[:-5])
    with pytest.raises(ValueError, match="damaged or was altered"):
        fo.load(path)
    path.write_bytes(whole)
    described = path.with_suffix(".json")
    text = described.read_text()
    described.write_text(text[: len(text) // 2])
    with pytest.raises(ValueError, match="damaged or was altered"):
        fo.load(path)
    described.unlink()
    with pytest.raises(FileNotFoundError):
        fo.load(path)


def test_an_edited_description_is_noticed(tmp_path):
    run, _ = run_of("classifier")
    path = run.save(tmp_path / "m.safetensors")
    described = json.loads(path.with_suffix(".json").read_text())
    described["frame"]["classes"] = ["cat", "bee", "ant"]
    path.with_suffix(".json").write_text(json.dumps(described))
    with pytest.raises(ValueError, match="altered"):
        fo.load(path)


def test_what_cannot_be_written(tmp_path):
    run, _ = run_of("classifier")
    with pytest.raises(ValueError, match="safetensors"):
        run.save(tmp_path / "model.pt")
    assert list(tmp_path.iterdir()) == []
