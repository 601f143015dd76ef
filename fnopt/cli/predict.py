"""``fnopt predict``: a saved model's answers to new examples, as CSV."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnopt import data
from fnopt._checks import printable
from fnopt._programs import keep_for_command
from fnopt._types import Column
from fnopt.cli.output import write_out
from fnopt.cli.source import listening, tab
from fnopt.data._files import head
from fnopt.data.idx import read_idx_array
from fnopt.data.npz import read_arrays
from fnopt.model import Frame
from fnopt.run import Run, load
from fnopt.run.cells import csv_text, in_unit
from fnopt.run.files import model_in
from fnopt.run.store import asked_of
from fnopt.store.atomic import Folder, write_file


def run_predict(
    model: Path, new: Path, out: Path | None, proba: bool, separator: str | None = None, **options: Any
) -> None:
    """Read, predict and write; nothing is written unless all of it can be. ``options`` are those of ``read_table``."""
    keep_for_command()
    file = model_in(model)
    if out is not None:
        check_out(out, model, {"DATA": new, "the model": file, "its description": file.with_suffix(".json")})
    run = load(file)
    if proba and run.encoding.task == "values":
        raise ValueError("--proba is for classes and labels; this model predicts values")
    content = as_csv(run, examples(run.encoding, new, separator, **options), proba)
    if out is None:
        write_out(content)
    else:
        write_file(out, content.encode())


def check_out(out: Path, model: Path, taken: Mapping[str, Path]) -> None:
    """ValueError where ``--out`` names something that is read, that belongs to a sweep, or that is no file.

    Args:
        out: as typed.
        model: what RUN names.
        taken: what is read, by what it is called in the message.
    """
    if not str(out).strip() or not out.name:
        raise ValueError(f"--out names no file: {str(out)!r}")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"no folder {str(out.parent)!r} to write {out.name!r} in")
    command = asked_of(model)["notes"].get("command") if model.is_dir() else None
    command = command if isinstance(command, dict) else {}
    told = {"the training data": command.get("data"), "the space file": command.get("space")}
    every = {**taken, **{what: Path(path) for what, path in told.items() if isinstance(path, str)}}
    for what, path in every.items():
        if _one(out, path):
            raise ValueError(f"--out {str(out)!r} is {what}: it would be lost; name another file")
    if model.is_dir() and out.exists() and any(_one(out, path) for path in model.iterdir()):
        raise ValueError(f"--out {str(out)!r} is a file of the sweep in {str(model)!r}; name another file")
    with Folder(out.parent) as folder:
        folder.regular(out.name)


def _one(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, however they are spelt."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def examples(frame: Frame, path: Path, separator: str | None, **options: Any) -> Any:
    """New inputs, shape=(m, …), encoded as those that the model was trained on; what is odd is said on stderr."""
    if path.suffix == ".npz":
        return read_arrays(path, ["x"])["x"]
    if head(path, 2) == b"\0\0":  # no text table begins so, every IDX file does
        x = read_idx_array(path)
        return x.reshape(len(x), -1)
    separator = tab(separator)
    with listening(path) as notes:
        x = data.read_table(path, columns=_columns(frame), missing=frame.missing, separator=separator, **options)
    for note in notes:
        print("note:", printable(note), file=sys.stderr)
    return x


def _columns(frame: Frame) -> tuple[Column, ...]:
    """The columns of the model's table, or its inputs by name where it was not trained on one."""
    if frame.columns is not None:
        return frame.columns
    names = frame.features or tuple(f"x{k}" for k in range(int(np.prod(frame.shape))))
    return tuple(Column(name) for name in names)


def as_csv(run: Run, x: Any, proba: bool) -> str:
    """A header and a row an example: what is predicted, then the probability of each class.

    Names of classes stand as they are, also where they begin with ``=``, ``+``, ``-`` or ``@``, so that they read back
    equal: a spreadsheet takes such a cell for a formula, so the column is to be imported as text.
    """
    answers = np.asarray(run.predict(x))
    name = "prediction" if run.encoding.name == "y" else run.encoding.name
    wide = answers.ndim == 2
    header = [f"{name}.{k}" for k in range(answers.shape[1])] if wide else [name]
    columns = _written(run, answers if wide else answers[:, None])
    if proba:
        header += [f"p({kind})" for kind in (run.classes or header)]
        columns += np.asarray(run.predict_proba(x)).T.tolist()
    return csv_text([header, *zip(*columns, strict=True)])


def _written(run: Run, answers: np.ndarray) -> list[list[Any]]:
    """The columns of what is predicted; values in as many places as the network's float32 has in the target's unit."""
    target = run.encoding.target
    if run.encoding.task != "values" or target is None or answers.dtype != np.float64:
        return answers.T.tolist()
    scales = np.broadcast_to(np.asarray(target.scale, np.float64).reshape(-1), answers.shape[1:])
    return [[in_unit(v, scale) for v in column] for column, scale in zip(answers.T.tolist(), scales, strict=True)]
