"""From the word DATA on the command line to datasets: built-in names, tables, arrays and IDX images."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from fnopt import data
from fnopt._checks import nearest
from fnopt._types import Dataset
from fnopt.cli.options import shares_of
from fnopt.cli.show import say
from fnopt.data._files import existing

TABLES = (".csv", ".tsv", ".txt", ".dat")
SHOWN = 10  # classes named one by one


@dataclass(frozen=True)
class Found:
    """Data that were read, what they ask for, and whether somebody said so."""

    name: str
    data: Dataset
    task: str
    told: bool
    notes: tuple[str, ...] = ()  # what reading had to say, such as rows left out


def find(
    what: str,
    target: str | None,
    task: str | None,
    text: Sequence[str],
    missing: str | None,
    separator: str | None,
    labels: Path | None,
) -> Found:
    """Read what DATA names; raises where an option does not go with it."""
    path = Path(what)
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    built_in = what in data.NAMES
    if not built_in and not ending and path.parent == Path() and not path.exists():
        raise ValueError(
            f"unknown data {what!r}{nearest(what, data.NAMES)}; files end in .csv, .tsv or .npz, or are IDX"
        )
    table = ending in TABLES or (target is not None and not built_in and ending != ".npz")
    given = {"--target": target, "--text": text, "--missing": missing, "--separator": separator}
    for name in [name for name, value in given.items() if value and not table]:
        raise ValueError(f"{name} is for tables, such as .csv and .tsv files; {what!r} is none")
    if labels is not None and (built_in or table or ending == ".npz"):
        raise ValueError(f"--labels is for files of IDX images; {what!r} is none")
    with _listening() as notes:
        if built_in:
            read = data.load(what)
        elif table:
            read = _table(existing(path), target, text, missing, separator)
        elif ending == ".npz":
            read = data.read_npz(path)
        else:
            read = data.read_idx(path, labels or _labels_beside(existing(path)))
    return Found(read.name, *_as_task(read, task), told=task is not None, notes=tuple(notes))


def _table(path: Path, target: str | None, text: Sequence[str], missing: str | None, separator: str | None) -> Dataset:
    if target is None:
        raise ValueError(f"which column of {path} is to be predicted? name it with --target")
    separator = "\t" if separator in ("tab", "\\t") else separator
    return data.read_csv(path, target, text=text, missing=missing, separator=separator)  # pyright: ignore


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What the readers log, such as rows left out, to be said aloud."""
    notes: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: notes.append(record.getMessage())
    logger = logging.getLogger("fnopt.data")
    logger.addHandler(handler)
    try:
        yield notes
    finally:
        logger.removeHandler(handler)


def _labels_beside(images: Path) -> Path:
    """The file of labels that goes with a file of images, by the names that IDX files have."""
    beside = images.with_name(images.name.replace("images", "labels").replace("idx3", "idx1"))
    if beside == images or not beside.is_file():
        raise ValueError(f"{images} is no table and no .npz; for IDX images, name the file of labels with --labels")
    return beside


def _as_task(read: Dataset, task: str | None) -> tuple[Dataset, str]:
    """The data with their target as the task wants it; the task recognised where nobody says."""
    recognised = data.task_of(read.y, read.classes)
    task = task or recognised
    y = np.asarray(read.y)
    if task == "values" and read.classes is not None:
        if not all(isinstance(label, int) for label in read.classes):
            raise ValueError(f"--task values wants numbers in {read.target!r}, which holds {read.classes[0]!r}")
        y = np.asarray(read.classes)[y]
    if task == "classes" and np.issubdtype(y.dtype, np.floating):
        if y.ndim != 1 or np.any(y != np.round(y)):
            raise ValueError(f"--task classes wants labels in {read.target!r}, which holds fractions")
        return read._replace(y=jnp.asarray(y.astype(np.int32))), task
    if task == "values":
        return read._replace(y=jnp.asarray(y, jnp.result_type(float)), classes=None), task
    return read, task


def parts(found: Found, fractions: str, seed: int) -> tuple[Dataset, Dataset, Dataset]:
    """Train, dev and test: stratified for classes, all drawn from the seed."""
    shares = shares_of(fractions)
    key = jax.random.key(seed)
    train, dev, test = data.split(found.data, shares, key=key, stratify=found.task == "classes")
    return train, dev, test


def describe(found: Found, split: Sequence[Dataset], seed: int) -> None:
    """Say aloud what was read, what it is taken for, and how it is split."""
    read, other = found.data, {"classes": "values", "values": "classes", "labels": "values"}[found.task]
    inputs = int(np.prod(read.x.shape[1:]))
    say("data", f"{found.name}: {len(read)} examples, {inputs} inputs, {_target(found)}", *found.notes)
    why = "as told" if found.told else f"recognised from {read.target!r}; --task {other} takes it otherwise"
    say("task", f"{found.task}, {why}")
    how = "stratified" if found.task == "classes" else "at random"
    sizes = ", ".join(f"{len(part)} {name}" for name, part in zip(("train", "dev", "test"), split, strict=True))
    say("split", f"{sizes}, {how} by seed {seed}")


def _target(found: Found) -> str:
    """What there is to be predicted, in words."""
    y = np.asarray(found.data.y)
    if found.task == "values":
        columns = f"{y.shape[1]} columns of " if y.ndim == 2 else ""
        return f"{columns}values from {y.min():g} to {y.max():g}"
    if found.task == "labels":
        return f"{y.shape[1]} labels"
    names = [str(name) for name in (found.data.classes or np.unique(y).tolist())]
    more = ", …" if len(names) > SHOWN else ""
    return f"{len(names)} classes: {', '.join(names[:SHOWN])}{more}"
