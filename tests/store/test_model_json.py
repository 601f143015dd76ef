"""A model's JSON file whose fields have the right types and contradict each other is refused in one line."""

import hashlib
import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import folder_cases
import pytest

import fnopt as fo

CONTRADICTIONS = {
    "too few classes": (lambda d: d["frame"].update(classes=[1]), "1 classes for 3 outputs"),
    "too many classes": (lambda d: d["frame"].update(classes=[0, 1, 2, 3]), "4 classes for 3 outputs"),
    "a class for one output": (lambda d: d["frame"].update(outputs=1, classes=[1]), "1 classes for 1 outputs"),
    "no classes": (lambda d: d["frame"].update(classes=None), "0 classes for 3 outputs"),
    "no costs": (lambda d: d["history"].pop("cost"), "no curve 'cost'"),
    "costs by name": (lambda d: d["history"].update(cost={"x": [1.0]}), "no curve 'cost'"),
    "more epochs than there were": (lambda d: d.update(best_epoch=7), "best_epoch 7 of 1 epochs"),
}


@cache
def whole():
    run = fo.fit(folder_cases.MODEL, folder_cases.PARTS[0], epochs=1, hyper={"lr": 0.1})
    path = Path(mkdtemp()) / "m.safetensors"
    run.save(path)
    return path


@pytest.mark.parametrize("change", CONTRADICTIONS)
def test_fields_that_contradict_each_other(change, tmp_path):
    path, (alter, says) = tmp_path / "m.safetensors", CONTRADICTIONS[change]
    path.write_bytes(whole().read_bytes())
    described = json.loads(whole().with_suffix(".json").read_text())
    del described["digest"]
    alter(described)
    described["digest"] = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(described))
    with pytest.raises(ValueError, match=says):
        str(fo.load(path).predict(folder_cases.PARTS[0].x))
