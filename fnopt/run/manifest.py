"""What a sweep was asked, as JSON: enough to train any of its configurations again."""

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

import fnopt._types as types
from fnopt.model import Model, classifier, multilabel, regressor
from fnopt.run.augmentations import augment_of, decode_augmentation, of_own
from fnopt.run.codec import decode, encode
from fnopt.run.functions import functions_digest, score_digest
from fnopt.run.plain import load_arrays
from fnopt.store.atomic import Folder
from fnopt.sweep.population import Population
from fnopt.sweep.result import digest
from fnopt.sweep.stop import AsynchronousHalving, Halving, Hyperband, Median, Rule
from fnopt.train import LOSS, EarlyStopping, Objective, early_stopping, metrics_of

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

FORMAT = 5
VERSION = "0.1.0"
RULES: dict[type, str] = {
    Halving: "halving",
    Hyperband: "hyperband",
    AsynchronousHalving: "asynchronous_halving",
    Median: "median",
    Population: "population",
}
KINDS = {"classifier": classifier, "regressor": regressor, "multilabel": multilabel}


def manifest(sweep: "Sweep") -> dict[str, Any]:
    """What was asked, as JSON; ``identity`` is a digest of all that a lane's results depend on.

    The configurations are not in it, since a larger sweep goes on from a smaller one; nor are C and the fingerprint,
    which are compared by name.
    """
    model = sweep.model
    asked = {
        "format": FORMAT,
        "model": {
            "kind": model.kind,
            "structure": encode(dict(model.structure)),
            "functions": functions_digest(sweep.trials[0], sweep.work.folds[0].example)
            if model.kind == "supervised" or of_own(augment_of(model).get("augment"))
            else None,
            "numbers": encode(dict(model.numbers)),
            "standardize": model.standardize,
            "standardize_target": model.standardize_target,
            **augment_of(model),
        },
        "class_weight": _pairs(model.class_weight),
        "space": sweep.space.to_json(encode),
        "search": sweep.search,
        "seeds": sweep.seeds,
        "epochs": sweep.work.epochs,
        "objective": list(sweep.work.objective),
        **_scores_apart(sweep),
        "every": sweep.work.every,
        "stop": _stop(sweep),
        "folds": None if sweep.folds is None else sweep.folds.plain(),
        "key": {"impl": str(jax.random.key_impl(sweep.work.key)), "data": _key_data(sweep.work.key)},
        "data": {
            "digest": digest(*(a for part in (sweep.train, sweep.dev) for a in arrays_of(part, "x").values())),
            "train": described(sweep.train),
            "dev": described(sweep.dev),
        },
        "options": [
            [encode(o) for o in sweep.options.optimizers],
            [int(size) for size in sweep.options.batch_sizes],
            sweep.options.narrowest,
        ],
    }
    told = {
        **asked,
        "identity": identity_of(asked),
        "configs": [encode(config) for config in sweep.configs],
        "widths": list(sweep.widths),
        "fingerprint": sweep.fingerprint,
        "versions": versions(),
        "measured": [list(m) for m in sweep.measured if math.isfinite(m[2])],
        "notes": dict(sweep.notes),
    }
    return {**told, "digest": text_digest(told)}


def _scores_apart(sweep: "Sweep") -> dict[str, Any]:
    """The scores that are followed beside the usual ones, and the level to be reached; nothing where there are none."""
    objective, trial = sweep.work.objective, sweep.trials[0]
    usual = {*metrics_of(sweep.model.task, Objective(objective.part, LOSS)), objective.score}
    more = [score for score in trial.metrics if score not in usual or score.own]
    follow = [[s.name, s.higher, score_digest(s, trial, sweep.work.folds[0]) if s.own else None] for s in more]
    level = {} if objective.level is None else {"level": objective.level}
    return {**({"follow": follow} if follow else {}), **level}


def identity_of(asked: Mapping[str, Any]) -> str:
    """The digest of what was asked, without what the data are called: a file that is renamed holds what it held."""
    parts = {name: {**part, "name": None} if isinstance(part, dict) else part for name, part in asked["data"].items()}
    return text_digest({**asked, "data": parts})


def text_digest(value: Any) -> str:
    """SHA-256 of something as JSON, whatever the order of its names."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _stop(sweep: "Sweep") -> Any:
    """The rule that stops lanes, as JSON: its name and its numbers."""
    if sweep.work.rule is not None:
        return ["early_stopping", [float(np.asarray(v)) for v in sweep.work.rule]]
    rule = sweep.stop
    if rule is None:
        return None
    if type(rule) not in RULES:
        raise ValueError(
            f"the rule {type(rule).__name__} is not one of fnopt's own and cannot be written to a file: leave out "
            "path=, or take halving(), hyperband(), asynchronous_halving(), median() or population()"
        )
    return [RULES[type(rule)], list(astuple(rule))]


def rules_from(stop: Any) -> tuple[EarlyStopping | None, Rule | None]:
    """What :func:`_stop` wrote."""
    if stop is None:
        return None, None
    name, numbers = stop
    if name == "early_stopping":
        return early_stopping(*numbers), None
    kind = {name: kind for kind, name in RULES.items()}.get(name)
    if kind is None:
        raise ValueError(f"unknown rule {name!r} in a file; was it written by a newer fnopt?")
    return None, kind(*numbers)


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
        "columns": None if data.columns is None else [c.to_json() for c in data.columns],
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
        columns=None if columns is None else tuple(map(types.Column.from_json, columns)),
        missing=meta["missing"],
        target=meta["target"],
        name=meta["name"],
    )


def datasets(folder: Folder | Path, asked: Mapping[str, Any]) -> tuple[types.Dataset, types.Dataset | None]:
    """The data of a sweep, checked against their digest; ValueError where they are missing or damaged."""
    if not isinstance(folder, Folder):
        with Folder(folder) as opened:
            return datasets(opened, asked)
    arrays = load_arrays(folder, "data.npz")
    path = str(folder.path / "data.npz")
    meta = asked["data"]
    try:
        train = as_dataset(arrays, meta["train"], "train")
        dev = None if meta["dev"] is None else as_dataset(arrays, meta["dev"], "dev")
    except KeyError as error:
        raise ValueError(f"{path!r} lacks {error}") from error
    if digest(*(a for part in (train, dev) for a in arrays_of(part, "x").values())) != meta["digest"]:
        raise ValueError(f"{path!r} was altered: its digest is not the one in sweep.json")
    return train, dev


def not_in_file(kept: Mapping[str, Any]) -> str:
    """What of a model no file holds, as it was made of functions of somebody's own; "" where a file holds all of it."""
    if kept["kind"] not in KINDS:
        return "was made by fo.supervised"
    own = of_own(kept.get("augment"))
    return f"is augmented by a function of your own, {own!r}" if own else ""


def model_of(asked: Mapping[str, Any], model: Model | None) -> Model:
    """The model of a sweep: the caller's, or a built-in one from its structure and numbers."""
    kept = asked["model"]
    if model is not None:
        return model
    if why := not_in_file(kept):
        raise ValueError(f"this sweep's model {why}: fo.open(folder, model=…) with the same functions")
    weights = asked["class_weight"]
    options: dict[str, Any] = {"standardize": kept["standardize"]}
    if "augment" in kept:
        options["augment"] = decode_augmentation(kept["augment"])
    if kept["kind"] == "classifier":
        options["class_weight"] = dict(map(tuple, weights)) if isinstance(weights, list) else weights
    if kept["kind"] == "regressor":
        options["standardize_target"] = kept["standardize_target"]
    structure = decode(kept["structure"])
    if kept["kind"] != "regressor":
        structure.pop("loss")
    return KINDS[kept["kind"]](**structure, **options, **decode(kept["numbers"]))
