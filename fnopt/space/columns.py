"""A configuration as flat columns of text names, and the names that are columns of something else."""

from collections.abc import Collection, Mapping
from typing import Any

from fnopt.space.choice import normal
from fnopt.space.epochs import NAME
from fnopt.space.path import Path, labels, leaves

# Columns of table(), results.csv, curves.csv and of the trackers beside a configuration's own.
RESERVED = (
    *(
        "config",
        "seed",
        "fold",
        "sweep",
        "lane",
        "rank",
        "ancestors",
        "score",
        "error",
        "standard_error",
        "status",
        "why",
    ),
    *("epoch", "most_epochs", "best_epoch", "cost", "updates", "train", "dev"),
)
PARTS = ("train/", "dev/")


def refuse_reserved(name: Any, where: str) -> None:
    """Raise for a name that cannot be a number's or a structure's: not text, empty, or a column of the table.

    >>> refuse_reserved("lr", "a space")
    """
    if not isinstance(name, str):
        raise TypeError(f"a name in {where} must be text, got {name!r}")
    if not name:
        raise ValueError(f"a name in {where} is empty: call it something")
    if name in RESERVED or name.startswith(PARTS):
        raise ValueError(f"{name!r} is a column of every table and cannot be a name in {where}: write 'my_{name}', say")


def columns_of(hyper: Mapping[str, Any], names: Collection[str] = ()) -> dict[str, Any]:
    """A configuration as flat columns: a schedule's or a tuple's numbers by dotted name, structure as it is.

    Its own length is ``most_epochs``: ``epochs`` is what came of it. A name with a dot stands as it is, unless the
    dotted name of a part is the same: then its dots are written ``\\.``.

    Args:
        hyper: the configuration.
        names: all names that configurations of the same table have, so that a column is called alike in all.

    >>> columns_of({"lr": 0.1, "hidden": (64, 64), "dropout": (0.1, 0.2)})
    {'lr': 0.1, 'hidden': '64-64', 'dropout.0': 0.1, 'dropout.1': 0.2}
    """
    columns: dict[Path, Any] = {}
    for name, value in hyper.items():
        if name == NAME:
            columns["most_epochs",] = value
        elif name == "hidden" and isinstance(value, tuple):
            columns[name,] = "-".join(map(str, value)) or "none"
        elif isinstance(value, Mapping) or (isinstance(value, tuple) and not callable(value)):
            columns |= {(name, *path): leaf for path, leaf in leaves(value, _is_none)}
        elif callable(value) and not hasattr(value, "update"):
            columns[name,] = type(value).__name__
            columns |= {(name, *path): float(leaf) for path, leaf in leaves(value)}
        else:
            columns[name,] = getattr(value, "name", value) if hasattr(value, "update") else value
    texts = labels({**columns, **{(name,): None for name in names}})
    return {texts[path]: normal(value) for path, value in columns.items()}


def _is_none(x: Any) -> bool:
    return x is None
