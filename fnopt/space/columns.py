"""A configuration as flat columns."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from fnopt.space.epochs import NAME


def columns_of(hyper: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as flat columns: a schedule's or a tuple's numbers by dotted name, structure as it is.

    Its own length is ``most_epochs``: ``epochs`` is what came of it.

    >>> columns_of({"lr": 0.1, "hidden": (64, 64)})
    {'lr': 0.1, 'hidden': '64-64'}
    """
    columns: dict[str, Any] = {}
    for name, value in hyper.items():
        if name == NAME:
            columns["most_epochs"] = value
        elif name == "hidden" and isinstance(value, tuple):
            columns[name] = "-".join(map(str, value)) or "none"
        elif callable(value) and not hasattr(value, "update"):
            columns[name] = type(value).__name__
            for path, leaf in jax.tree_util.tree_leaves_with_path(value):
                columns[f"{name}.{jax.tree_util.keystr(path, simple=True, separator='.')}"] = float(leaf)
        elif isinstance(value, tuple):
            columns.update({f"{name}.{i}": v for i, v in enumerate(value)})
        else:
            columns[name] = getattr(value, "name", value) if hasattr(value, "update") else value
    return {k: v.item() if isinstance(v, jax.Array | np.generic) else v for k, v in columns.items()}
