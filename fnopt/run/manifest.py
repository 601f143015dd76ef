"""What a sweep was asked, as JSON: enough to train any of its configurations again."""

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

import fnopt._types as types
from fnopt.model import Model, classifier, multilabel, regressor
from fnopt.run.codec import decode, encode
from fnopt.run.plain import load_arrays
from fnopt.sweep.chunk import digest

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

FORMAT = 1
VERSION = "0.1.0"
KINDS = {"classifier": classifier, "regressor": regressor, "multilabel": multilabel}


def manifest(sweep: "Sweep") -> dict[str, Any]:
    """What was asked, as JSON; ``identity`` is a digest of all that the results depend on."""
    model = sweep.model
    asked = {
        "format": FORMAT,
        "model": {
            "kind": model.kind,
            "structure": None if model.kind == "supervised" else encode(dict(model.structure)),
            "numbers": encode(dict(model.numbers)),
            "standardize": model.standardize,
            "standardize_target": model.standardize_target,
        },
        "class_weight": _pairs(model.class_weight),
        "space": dict(sweep.space),
        "search": sweep.search,
        "configs": [encode(config) for config in sweep.configs],
        "seeds": sweep.seeds,
        "epochs": sweep.work.epochs,
        "objective": list(sweep.work.objective),
        "stop": None if sweep.work.rule is None else [float(np.asarray(v)) for v in sweep.work.rule],
        "key": {"impl": str(jax.random.key_impl(sweep.work.key)), "data": _key_data(sweep.work.key)},
        "data": {
            "digest": digest(*(a for part in (sweep.train, sweep.dev) for a in arrays_of(part, "x").values())),
            "train": described(sweep.train),
            "dev": described(sweep.dev),
        },
        "options": [[encode(o) for o in sweep.options.optimizers], [int(size) for size in sweep.options.batch_sizes]],
        "lanes": sorted({c.width for c in sweep.chunks}),
    }
    identity = digest(np.frombuffer(json.dumps(asked, sort_keys=True).encode(), np.uint8))
    return {**asked, "identity": identity, "fingerprint": sweep.fingerprint, "versions": versions()}


def versions() -> dict[str, str]:
    """What ran: Python and the libraries that the numbers come from."""
    libraries = {name: version(name) for name in ("jax", "jaxlib", "numpy")}
    return {"fnopt": VERSION, "python": platform.python_version(), **libraries}


def _key_data(key: Any) -> list[int]:
    return [int(v) for v in np.asarray(jax.random.key_data(key)).ravel()]


def _pairs(class_weight: Any) -> Any:
    if class_weight is None or isinstance(class_weight, str):
        return class_weight
    return [[label if isinstance(label, str) else int(label), float(w)] for label, w in class_weight.items()]


def arrays_of(data: types.Dataset | None, name: str) -> dict[str, np.ndarray]:
    """A dataset's arrays under names that begin with ``name``."""
    if data is None:
        return {}
    some = {"x": data.x, "y": data.y, "weight": data.weight}
    return {f"{name}_{k}": np.asarray(v) for k, v in some.items() if v is not None}


def described(data: types.Dataset | None) -> Any:
    """What stands beside a dataset's arrays, as JSON."""
    if data is None:
        return None
    return {
        "classes": None if data.classes is None else list(data.classes),
        "features": None if data.features is None else list(data.features),
        "columns": None if data.columns is None else [[c.name, c.categories] for c in data.columns],
        "missing": data.missing,
        "target": data.target,
        "name": data.name,
    }


def as_dataset(arrays: Mapping[str, Any], meta: Mapping[str, Any], name: str) -> types.Dataset:
    """A dataset from its arrays and what stands beside them in JSON."""

    def made(value: Any) -> Any:
        return None if value is None else tuple(value)

    columns = meta["columns"]
    return types.Dataset(
        x=arrays[f"{name}_x"],
        y=arrays[f"{name}_y"],
        weight=arrays.get(f"{name}_weight"),
        classes=made(meta["classes"]),
        features=made(meta["features"]),
        columns=None if columns is None else tuple(types.Column(n, made(c)) for n, c in columns),
        missing=meta["missing"],
        target=meta["target"],
        name=meta["name"],
    )


def datasets(folder: Path, asked: Mapping[str, Any]) -> tuple[types.Dataset, types.Dataset | None]:
    """The data of a sweep, checked against their digest."""
    arrays = load_arrays(folder / "data.npz")
    meta = asked["data"]
    try:
        train = as_dataset(arrays, meta["train"], "train")
        dev = None if meta["dev"] is None else as_dataset(arrays, meta["dev"], "dev")
    except KeyError as error:
        raise ValueError(f"{str(folder / 'data.npz')!r} lacks {error}") from error
    if digest(*(a for part in (train, dev) for a in arrays_of(part, "x").values())) != meta["digest"]:
        raise ValueError(f"{str(folder / 'data.npz')!r} was altered: its digest is not the one in sweep.json")
    return train, dev


def model_of(asked: Mapping[str, Any], model: Model | None) -> Model:
    """The model of a sweep: the caller's, or a built-in one from its structure and numbers."""
    kept = asked["model"]
    if model is not None:
        return model
    if kept["kind"] not in KINDS:
        raise ValueError(
            "this sweep's model was made by fo.supervised: fo.open(folder, model=…) with the same functions"
        )
    weights = asked["class_weight"]
    options: dict[str, Any] = {"standardize": kept["standardize"]}
    if kept["kind"] == "classifier":
        options["class_weight"] = dict(map(tuple, weights)) if isinstance(weights, list) else weights
    if kept["kind"] == "regressor":
        options["standardize_target"] = kept["standardize_target"]
    structure = decode(kept["structure"])
    if kept["kind"] != "regressor":
        structure.pop("loss")
    return KINDS[kept["kind"]](**structure, **options, **decode(kept["numbers"]))
