"""A trained model as two files: weights in safetensors, everything else in JSON beside it. Nothing is executable."""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt import tree
from fnopt._checks import require
from fnopt._keys import with_keys, without_keys
from fnopt._types import Batch, Column, Score, Trial
from fnopt.data import Standardizer
from fnopt.model import Frame, Model
from fnopt.run.augmentations import augment_of, decode_augmentation
from fnopt.run.augmentations import described as described_augmentation
from fnopt.run.codec import Unsaved, decode, encoded_or_named
from fnopt.run.manifest import KINDS, not_in_file
from fnopt.run.manifest_schema import COLUMN, LABEL, encoded_dict
from fnopt.run.plain import curves, numbers, plain
from fnopt.run.shown import Scores
from fnopt.run.tensors import packed, unpacked
from fnopt.store.atomic import Folder, Irregular, make_folder, put, read_file
from fnopt.store.schema import (
    dict_of,
    either,
    list_of,
    maybe,
    number,
    one_of,
    read_json,
    record,
    shown,
    text,
    whole,
)
from fnopt.train import SCORES

if TYPE_CHECKING:
    from fnopt.run.run import Run

FORMAT = 2  # mean and scale of the frame are float64; format 1 had them in float32
READS = (1, FORMAT)
WINNER = "model.safetensors"  # in a sweep's folder
MOST, LONGEST = 2**33, 2**26  # bytes of the weights, and of the JSON file, at most


def save(run: "Run", path: str | Path, of: Mapping[str, Any] | None = None) -> Path:
    """Write ``path`` (.safetensors) and ``path`` with .json: weights, structure, scaling, class names, numbers.

    Both files are on the disk before either has its name.

    Args:
        run: what is written.
        path: where; its folder is created where it is missing.
        of: the sweep that it belongs to, ``identity`` and ``config``, where it is a sweep's winner.

    Raises:
        ImportError: where safetensors is not installed, with the line that installs it.
        ValueError: for a path of another ending, and where something that is no regular file stands in a file's place.
        OSError: where the disk refuses.
    """
    require("safetensors.numpy", "files")
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"a model's file ends in .safetensors, got {path.name!r}")
    frame = run.encoding
    tensors: dict[str, Any] = {}
    for part, some in (("params", run.params), ("stats", without_keys(run.stats)), ("numbers", run.numbers)):
        tree.check_names(some, part)
        for name, leaf in zip(tree.names(some), jax.tree.leaves(some), strict=True):
            tensors[f"{part}.{name}"] = np.asarray(leaf)
    for part, scaler in (("inputs", frame.inputs), ("target", frame.target)):
        if scaler is not None:
            moments = {"mean": scaler.mean, "scale": scaler.scale}
            tensors |= {f"{part}.{name}": np.asarray(a, np.float64) for name, a in moments.items()}
    content, types = packed(tensors)
    described = {
        "format": FORMAT,
        "kind": run.model.kind,
        **augment_of(run.model),
        "hyper": {"dict": {str(name): encoded_or_named(value) for name, value in run.hyper.items()}},
        "types": types,
        "metrics": [score.name for score in run.trial.metrics],
        "sha256": hashlib.sha256(content).hexdigest(),
        "frame": {
            "task": frame.task,
            "shape": list(frame.shape),
            "outputs": frame.outputs,
            "labels": frame.labels,
            "classes": None if frame.classes is None else list(frame.classes),
            "features": None if frame.features is None else list(frame.features),
            "columns": None if frame.columns is None else [c.to_json() for c in frame.columns],
            "missing": frame.missing,
            "name": frame.name,
            "dtype": frame.dtype,
        },
        "scores": run.scores,
        "history": jax.tree.map(lambda a: [float(v) for v in a], run.history, is_leaf=lambda a: hasattr(a, "shape")),
        "status": run.status,
        "why": run.why,
        "best_epoch": run.best_epoch,
        "bytes": len(content),
        "of": None if of is None else dict(of),
    }
    described = plain(described)
    described["digest"] = _digest(described)
    written = (json.dumps(described, indent=1, allow_nan=False) + "\n").encode()
    make_folder(path.parent)
    try:
        with Folder(path.parent) as folder, folder.new(path.with_suffix(".json").name) as beside:
            put(beside, memoryview(written))
            folder.write(path.name, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    return path


def load(path: str | Path, model: Model | None = None) -> "Run":
    """A saved model, ready to predict and to evaluate.

    Args:
        path: the .safetensors file, its .json stands beside it; or a folder that ``fnopt sweep`` wrote.
        model: the model, where it was made by ``supervised``: functions are not written to files.

    Raises:
        FileNotFoundError: where one of the two files is missing.
        ValueError: where a file is damaged or was altered.
        Exception: what the model's own ``init`` raises, as it is.
    """
    require("safetensors.numpy", "files")
    path = model_in(Path(path))
    beside = path.with_suffix(".json")
    for file in (path, beside):
        if not file.exists():
            raise FileNotFoundError(f"no file {str(file)!r}; a model is a .safetensors and a .json file side by side")
    described = described_of(path)
    try:
        most = described.get("bytes", MOST)
        content = read_file(path, most)
        if len(content) != described.get("bytes", len(content)):
            raise ValueError("its size is not the one in the .json beside it")
        if hashlib.sha256(content).hexdigest() != described["sha256"]:
            raise ValueError("its digest is not the one in the .json beside it")
        made = _run(described, model, unpacked(content, described.get("types", {})), str(path))
    except (MemoryError, FileNotFoundError, Irregular):
        raise
    except _Own as raised:
        raised.error.add_note(f"raised by the model's own `init`, asked for the shapes of the weights in {str(path)!r}")
        raise raised.error from None
    except Exception as error:  # a file may say anything, so what is built from it may raise anything
        why = error if isinstance(error, ValueError) else f"it does not describe a model ({type(error).__name__})"
        raise ValueError(f"{str(path)!r} is damaged or was altered: {why!s:.300}") from error
    return made


def described_of(path: Path) -> dict[str, Any]:
    """What stands in the JSON file beside a model's weights, checked for its digest, and each field for its type.

    Raises:
        FileNotFoundError: where it is missing.
        ValueError: where it is damaged, was altered, or is of another format.
    """
    beside = path.with_suffix(".json")
    try:
        described = read_json(read_file(beside, LONGEST), str(beside))
        if not isinstance(described, dict) or described.get("format") not in READS:
            found = described.get("format") if isinstance(described, dict) else None
            raise ValueError(f"format {shown(found)}, this fnopt reads {' and '.join(map(str, READS))}")
        digest = described.pop("digest", None)
        if digest != _digest(described):
            raise ValueError("the .json beside it was altered")
        MODEL(described, "its .json")
        _agrees(described)
    except Irregular:
        raise
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is damaged or was altered: {error}") from error
    return described


def _agrees(described: dict[str, Any]) -> None:
    """ValueError where fields of the right types contradict each other."""
    frame, history = described["frame"], described["history"]
    classes = frame["classes"] or ()
    if frame["task"] == "classes" and len(classes) != max(frame["outputs"], 2):  # one output tells two classes apart
        raise ValueError(f"its .json has {len(classes)} classes for {frame['outputs']} outputs")
    if not isinstance(history.get("cost"), list):
        raise ValueError("the history in its .json has no curve 'cost'")
    if described["best_epoch"] > len(history["cost"]):
        raise ValueError(f"its .json has best_epoch {described['best_epoch']} of {len(history['cost'])} epochs")


def _run(described: dict[str, Any], model: Model | None, tensors: dict[str, Any], path: str) -> "Run":
    from fnopt.run.run import Run

    frame, hyper = _frame(described["frame"], tensors), decode(described["hyper"])
    model = _model(described, model)
    trial = trial_of(model, frame, hyper, scores_named(model.task, described["metrics"]))
    escaped, of_user = described["format"] > 1, described["kind"] not in KINDS
    params, stats, own = _weights(trial, frame, hyper, tensors, path, escaped, of_user)
    return Run(
        model=model,
        encoding=frame,
        trial=trial,
        hyper=hyper,
        params=params,
        stats=stats,
        numbers=own,
        scores={part: Scores(rows) for part, rows in numbers(described["scores"]).items()},
        history=curves(described["history"]),
        status=described["status"],
        why=described["why"],
        best_epoch=described["best_epoch"],
    )


def model_in(path: Path) -> Path:
    """The model's file: itself, or the winner in a sweep's folder.

    Raises:
        FileNotFoundError: where there is no winner yet.
        ValueError: where there is one of another sweep.
    """
    from fnopt.run.store import asked_of, holds

    if not path.is_dir():
        return path
    name = shlex.quote(str(path))
    if not (path / WINNER).exists():
        begun = holds(path) or holds(path / "coarse")
        cure = f"`fnopt resume {name}` finishes a sweep of the terminal, fo.open shows any"
        raise FileNotFoundError(f"{str(path)!r} holds no {WINNER}: {cure if begun else '`fnopt sweep` writes one'}")
    of = described_of(path / WINNER).get("of") if (path / WINNER).with_suffix(".json").exists() else None
    if of is not None and holds(path) and of["identity"] != asked_of(path)["identity"]:
        raise ValueError(
            f"{str(path / WINNER)!r} is of another sweep: `fnopt resume {name}` writes the winner of this one"
        )
    return path / WINNER


CURVE = list_of(maybe(number()))
FRAME = record(
    {
        "task": one_of("classes", "values", "labels"),
        "shape": list_of(whole(0, 2**31 - 1), 0, 8),
        "outputs": whole(1, 2**31 - 1),
        "labels": maybe(whole(1, 2**31 - 1)),
        "classes": maybe(list_of(LABEL)),
        "features": maybe(list_of(text)),
        "columns": maybe(list_of(COLUMN)),
        "missing": maybe(text),
        "name": text,
    },
    {"dtype": maybe(text)},
)
MODEL = record(
    {
        "format": whole(),
        "kind": text,
        "hyper": encoded_dict,
        "metrics": list_of(text),
        "sha256": text,
        "frame": FRAME,
        "scores": dict_of(dict_of(maybe(number()))),
        "history": dict_of(either("a curve, or curves by name", CURVE, dict_of(CURVE))),
        "status": one_of("done", "stopped", "pruned", "diverged", "cut"),
        "why": text,
        "best_epoch": whole(),
    },
    {
        "bytes": whole(0, 2**33),
        "types": dict_of(text),
        "of": maybe(record({"identity": text, "config": whole()})),
        "augment": described_augmentation,
    },
)


def _digest(described: dict[str, Any]) -> str:
    """SHA-256 of all that stands in the JSON file."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _model(described: dict[str, Any], model: Model | None) -> Model:
    if model is not None:
        return model
    if why := not_in_file(described):
        raise ValueError(f"this model {why}: fo.load(path, model=…) with the same functions")
    augment = described.get("augment")
    return KINDS[described["kind"]](augment=None if augment is None else decode_augmentation(augment))


def _frame(kept: dict[str, Any], tensors: dict[str, Any]) -> Frame:
    def scaler(part: str) -> Standardizer | None:
        mean, scale = tensors.get(f"{part}.mean"), tensors.get(f"{part}.scale")
        if mean is None or scale is None:
            return None
        return Standardizer(np.asarray(mean, np.float64), np.asarray(scale, np.float64))

    def made(value: Any) -> Any:
        return None if value is None else tuple(value)

    columns = kept.pop("columns")
    kept = {**kept, **{name: made(kept[name]) for name in ("shape", "classes", "features")}}
    return Frame(
        **kept,
        columns=None if columns is None else tuple(map(Column.from_json, columns)),
        inputs=scaler("inputs"),
        target=scaler("target"),
    )


def scores_named(task: str, names: Sequence[str]) -> tuple[Score, ...]:
    """The scores that a file names; one that a user wrote is not among them: its function is not in the file."""
    return tuple(SCORES[task][name] for name in names if name in SCORES[task])


def trial_of(model: Model, frame: Frame, hyper: Mapping[str, Any], metrics: tuple[Score, ...]) -> Trial:
    """The trial that predicts under a configuration; of what a file could not hold, predicting needs nothing."""
    absent = [name for name, value in hyper.items() if isinstance(value, Unsaved)]
    some = {name: 0.5 if name in absent and name in model.ranges else hyper[name] for name in hyper}
    if "optimizer" in absent:  # its numbers are unknown to any other
        some = {name: value for name, value in some.items() if name in {*model.structure, *model.ranges}}
    some = {name: value for name, value in some.items() if not isinstance(value, Unsaved)}
    return model.bind(some, int(np.prod(frame.shape)), frame.outputs, metrics)[0]


def pickled(run: "Run") -> tuple[Any, ...]:
    """How a run is pickled: as much of it as a file holds, and its model, whose functions Python pickles by name."""
    host = jax.tree.map(np.asarray, (run.params, without_keys(run.stats), run.numbers))
    told = {name: getattr(run, name) for name in ("hyper", "scores", "history", "status", "why", "best_epoch")}
    scores = [score if score.own else score.name for score in run.trial.metrics]
    return _unpickled, (run.model, run.encoding, scores, host, told)


def _unpickled(model: Model, frame: Frame, metrics: Sequence[Any], host: Any, told: dict[str, Any]) -> "Run":
    from fnopt.run.run import Run

    params, stats, own = jax.tree.map(jnp.asarray, host)
    scores = tuple(x if isinstance(x, Score) else SCORES[model.task][x] for x in metrics)
    trial = trial_of(model, frame, told["hyper"], scores)
    return Run(model=model, encoding=frame, trial=trial, params=params, stats=with_keys(stats), numbers=own, **told)


class _Own(Exception):
    """What a user's own ``init`` raised: no damage of a file."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _weights(
    trial: Any, frame: Frame, hyper: dict[str, Any], tensors: dict[str, Any], path: str, escaped: bool, own: bool
) -> Any:
    """Tensors put back into the trees that the structure asks for; ``escaped``: as names are today.

    ``own``: the structure comes from a user's function, and what that raises comes as ``_Own``.
    """
    tail = () if frame.labels is None else (frame.labels,)
    kind = jnp.int32 if frame.task == "classes" else jnp.result_type(float)
    example = Batch(
        jnp.zeros((1, *frame.shape), frame.dtype or jnp.result_type(float)), jnp.zeros((1, *tail), kind), jnp.ones(1)
    )
    try:
        shapes = jax.eval_shape(
            lambda example: trial.init(jax.random.key(0), example, {n: jnp.asarray(0.5) for n in trial.numbers}),
            example,
        )
    except Exception as error:
        if own:
            raise _Own(error) from error
        raise
    numbers = jax.tree.map(lambda h: 0.0, {name: hyper[name] for name in trial.numbers}, is_leaf=callable)
    out = []
    for part, like in (("params", shapes[0]), ("stats", shapes[1]), ("numbers", numbers)):
        names = tree.names(like) if escaped else _plain_names(like)
        if len({*names}) < len(names):
            raise ValueError(f"{path!r} is of format 1, in which two leaves of {part} have one name: fit it again")
        leaves = [tensors.get(f"{part}.{name}") for name in names]
        for name, leaf, shape in zip(names, leaves, jax.tree.leaves(like), strict=True):
            if leaf is None or (part != "numbers" and leaf.shape != shape.shape):
                raise ValueError(f"{path!r} does not fit its structure: {part}.{name} is missing or has another shape")
        out.append(jax.tree.unflatten(jax.tree.structure(like), [jnp.asarray(leaf) for leaf in leaves]))
    return out[0], with_keys(out[1]), out[2]


def _plain_names(some: Any) -> list[str]:
    """Names of leaves as format 1 had them, dots in keys and all."""
    paths = jax.tree_util.tree_leaves_with_path(some)
    return [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]
