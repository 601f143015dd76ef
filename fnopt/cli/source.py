"""From the word DATA on the command line to datasets: built-in names, tables, arrays and IDX images."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

from fnopt import data
from fnopt._checks import nearest, printable
from fnopt._types import Dataset
from fnopt.cli.options import shares_of
from fnopt.cli.show import say
from fnopt.cli.words import terminal
from fnopt.data._cells import kept
from fnopt.data._echo import listed
from fnopt.data._files import existing, head
from fnopt.data._formats import other_format
from fnopt.data._labels import label_array
from fnopt.data._text import names_in

TABLES = (".csv", ".tsv", ".txt", ".dat")
MORE = ("columns", "ignore", "keep", "missing_marks", "header", "encoding")  # options of tables alone
SHOWN = 10  # classes named one by one
NAMES = ("train", "dev", "test")


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
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Found:
    """Read what DATA names; raises where an option does not go with it. ``more`` are options of tables, as in MORE."""
    path = Path(what)
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    built_in = what in data.NAMES
    if not built_in and not ending and path.parent == Path() and not path.exists():
        raise ValueError(
            f"unknown data {what!r}{nearest(what, data.NAMES)}; files end in .csv, .tsv or .npz, or are IDX"
        )
    table = ending in TABLES or (target is not None and not built_in and ending != ".npz")
    given = {"--target": target, "--text": text, "--missing": missing, "--separator": separator}
    given |= {f"--{name.replace('_', '-')}": value for name, value in more.items()}
    if more.get("header") is False:
        given["--no-header"] = True
    for name in [name for name, value in given.items() if value and not table]:
        raise ValueError(f"{name} is for tables, such as .csv and .tsv files; {what!r} is none")
    if labels is not None and (built_in or table or ending == ".npz"):
        raise ValueError(f"--labels is for files of IDX images; {what!r} is none")
    with listening(path) as notes:
        if built_in:
            read = data.load(what)
        elif table:
            options = {"text": text, "missing": missing, "separator": tab(separator), **more}
            options = {name: value for name, value in options.items() if value is not None and value != ()}
            read = _table(existing(path), target, options)
        elif ending == ".npz":
            read = data.read_npz(path)
        else:
            _check_format(path)
            read = data.read_idx(path, labels or _labels_beside(existing(path)))
    return Found(read.name, *_as_task(read, task), told=task is not None, notes=tuple(notes))


def _table(path: Path, target: str | None, options: dict[str, Any]) -> Dataset:
    options["missing_marks"] = [mark.strip() for one in options.get("missing_marks", ()) for mark in one.split(",")]
    if target is not None:
        return data.read_csv(path, target, **options)
    separator, header, encoding = (options.get(name) for name in ("separator", "header", "encoding"))
    names = names_in(path, separator, header, encoding)
    by = f"by its number, 1 to {len(names)}" if header is False else f"one of {listed(names)}"
    raise ValueError(f"which column of {printable(path)} is to be predicted? name it with --target: {by}")


def tab(separator: str | None) -> str | None:
    """The separator as typed; a tab may be written out."""
    return "\t" if separator in ("tab", "\\t") else separator


@contextmanager
def listening(path: Path) -> Iterator[list[str]]:
    """What the readers log, such as rows left out, to be printed; all in the terminal's words."""
    notes: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: notes.append(terminal(record.getMessage().removeprefix(f"{printable(path)}: ")))
    logger = logging.getLogger("fnopt.data")
    logger.addHandler(handler)
    try:
        yield notes
    except ValueError as error:
        raise ValueError(terminal(str(error))) from error
    finally:
        logger.removeHandler(handler)


def _check_format(path: Path) -> None:
    """ValueError for a file that is something else than its name says, as a Parquet file."""
    other = other_format(head(path))
    if other:
        raise ValueError(f"{printable(path)} {other}")


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
    if task == "labels" and y.ndim != 2:
        raise ValueError(
            f"--task labels wants a column of 0 and 1 for each label, and {read.target!r} is one column: take "
            "--task classes or --task values"
        )
    if task == "values" and read.classes is not None:
        if not all(isinstance(label, int) for label in read.classes):
            raise ValueError(f"--task values wants numbers in {read.target!r}, which holds {read.classes[0]!r}")
        y = label_array(read.classes)[y]
    if task == "classes" and np.issubdtype(y.dtype, np.floating):
        if y.ndim != 1 or np.any(y != np.round(y)):
            raise ValueError(f"--task classes wants labels in {read.target!r}, which holds fractions")
        if np.any(abs(y) >= 2.0**63):
            raise ValueError(
                f"--task classes wants labels in {read.target!r}, which holds {y[np.argmax(abs(y))]:g}, a whole number "
                f"of more than 64 bits: --text {read.target} takes them as text"
            )
        return read._replace(y=kept(y.astype(np.int64))), task
    if task == "values":
        floating = y if np.issubdtype(y.dtype, np.floating) else y.astype(np.float64)
        return read._replace(y=kept(floating), classes=None), task
    return read, task


def parts(found: Found, fractions: str, seed: int) -> tuple[Dataset, ...]:
    """Train, dev and, of three fractions, test: stratified for classes, all drawn from the seed."""
    key = jax.random.key(seed)
    return data.split(found.data, shares_of(fractions), key=key, stratify=found.task == "classes")


def describe(found: Found, split: Sequence[Dataset], seed: int) -> None:
    """Say aloud what was read, what it is taken for, and how it is split."""
    read, other = found.data, {"classes": "values", "values": "classes", "labels": "values"}[found.task]
    inputs = int(np.prod(read.x.shape[1:]))
    say("data", f"{found.name}: {len(read)} examples, {inputs} inputs, {_target(found)}", *found.notes)
    why = "as told" if found.told else f"recognised from {read.target!r}; --task {other} takes it otherwise"
    say("task", f"{found.task}, {why}")
    how = "stratified" if found.task == "classes" else "at random"
    sizes = ", ".join(f"{len(part)} {name}" for name, part in zip(NAMES, split, strict=False))
    none = [] if len(split) == len(NAMES) else ["no test part: the winner is not tested"]
    say("split", f"{sizes}, {how} by seed {seed}", *none)


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
