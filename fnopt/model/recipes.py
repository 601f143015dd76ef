"""Recipes: what a training is where a call says nothing, from the task, the rows and the columns alone.

A recipe is a function ``(task, rows, columns) -> dict`` of plain values. ``fit`` asks ``default`` where no ``epochs``
are given, and fills in what neither the model nor the call says; :func:`arguments` are the same values as ``fit`` takes
them, so that a training can be written out in full.

>>> from fnopt.model import recipes
>>> recipes.default("classes", rows=150, columns=4)["hidden"]
(256,)
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from fnopt._checks import one_of, whole
from fnopt.schedules import cosine
from fnopt.train import batches_per_epoch, early_stopping

Recipe = Callable[[str, int, int], dict[str, Any]]

TASKS = ("classes", "values", "labels")
GUIDELINES: Mapping[str, str] = {
    "G1": "start between input and output size; more neurons or layers against underfitting",
    "G2": "ReLU in hidden layers; leaky or parametric ReLU against dying units; the output follows the task",
    "G3": "Adam is the safe, quick default; plain descent for large data",
    "G4": "start at .01 or .001, then let it decay; first grid .001, .01, .1, 1",
    "G5": "batches of 32 or 64 first; 1 loses vectorization, all rows cost memory",
    "G6": "10 or 20 epochs first; stop once the dev loss rises",
    "G7": "L2 is the first step against overfitting; dropout .5 between dense layers; too strong underfits",
    "G8": "a grid for few numbers and few values, random for large spaces, model-based where it is worth its set-up",
    "G9": "dev and test parts just large enough to tell configurations apart",
}
NUMBERS = ("weight_decay", "dropout", "label_smoothing")  # of a recipe; the rest is structure, or how it is trained


def default(task: str, rows: int, columns: int) -> dict[str, Any]:
    """The training of a call that says nothing: by updates, with a rate that falls to zero and the best epoch kept.

    updates = min(max(3000, 60 rows / batch), 10000); after each epoch the dev loss is looked at, and training ends
    before its time where it did not fall for half of the epochs.

    Args:
        task: ``"classes"``, ``"values"`` or ``"labels"``.
        rows: of the training data, those that are held out included; ≥ 1.
        columns: inputs of an example, ≥ 1.

    Returns:
        ``hidden``, ``optimizer``, ``batch_size``: structure; ``lr``, ``weight_decay``, ``dropout`` and, for classes,
        ``label_smoothing``: numbers; ``schedule``: how ``lr`` goes over the updates; ``updates``: how many, rounded up
        to whole epochs; ``holdout``: the share of rows that is held out where no dev part is given; ``patience``: the
        share of the epochs after which training ends where the loss of the dev part was not lower; ``cites``: the
        guideline of :data:`GUIDELINES` that each of these names follows or departs from.

    Departs from the notes' advice in four rows. One put back at a time, the loss and the error of rows that were not
    seen are larger by these factors, geometric means over twelve real tables
    (``python -m benchmarks.bare_fit --departures``):

    - G1, width: 256 units, or layers of 128 and 64 above 2,000 rows, not one between inputs and outputs: 1.19, 1.29.
    - G3, optimizer: AdamW with decay, not Adam: 1.00, 1.03 (the loss is larger on 10 of 12).
    - G6, length: updates, not 20 epochs: 1.28, 1.37.
    - G7, dropout: .2 or .15, not .5: 1.03, 1.05.

    >>> default("values", rows=100, columns=3)["updates"]
    3000
    """
    one_of("task", task, TASKS)
    rows, columns = whole("rows", rows), whole("columns", columns)
    # A small table is told apart by one wide layer, with less noise in the epoch that is best; a larger one by two.
    small = rows <= 2_000
    batch = 32 if rows <= 8_000 else 64 if rows <= 16_000 else 128 if rows <= 64_000 else 256
    smoothing = {"label_smoothing": 0.02} if task == "classes" else {}
    return {
        "hidden": (256,) if small else (128, 64),
        "optimizer": "adamw",
        "batch_size": batch,
        "lr": 2e-3 if small else 3e-3,
        "schedule": "cosine",
        "weight_decay": 0.2,
        "dropout": 0.2 if small else 0.15,
        **smoothing,
        "updates": min(max(3_000, 60 * rows // batch), 10_000),
        "holdout": 0.15 if rows >= 20 else 0.0,
        "patience": 0.5,
        "cites": {
            "hidden": "G1",
            "optimizer": "G3",
            "lr": "G4",
            "schedule": "G4",
            "batch_size": "G5",
            "updates": "G6",
            "patience": "G6",
            "weight_decay": "G7",
            "dropout": "G7",
            "label_smoothing": "G7",
            "holdout": "G9",
        },
    }


def notes(task: str, rows: int, columns: int) -> dict[str, Any]:
    """The notes' advice (requirements G1 to G7): one hidden layer, Adam at .001, batches of 32, 20 epochs.

    The last weights count, no rows are held out, and nothing is penalised. ``first`` are the first ranges of a search.

    Args:
        task, rows, columns: as in :func:`default`; the advice is the same for all.

    Returns:
        ``hidden`` (None: one layer between input and output size), ``activation``, ``optimizer``, ``lr``,
        ``batch_size``, ``epochs``; ``first``, a dict of names to tuples of values; ``cites``, the guideline of
        :data:`GUIDELINES` that each of these names follows.

    >>> notes("classes", rows=150, columns=4)["epochs"]
    20
    """
    one_of("task", task, TASKS)
    rows, columns = whole("rows", rows), whole("columns", columns)
    return {
        "hidden": None,
        "activation": "relu",
        "optimizer": "adam",
        "lr": 1e-3,
        "batch_size": 32,
        "epochs": 20,
        "first": {
            "lr": (0.001, 0.01, 0.1, 1.0),
            "batch_size": (32, 64),
            "epochs": (10, 20),
            "dropout": (0.0, 0.5),
            "activation": ("relu", "leaky_relu"),
            "search": ("grid", "random"),
        },
        "cites": {
            "hidden": "G1",
            "activation": "G2",
            "optimizer": "G3",
            "lr": "G4",
            "batch_size": "G5",
            "epochs": "G6",
            "dropout": "G7",
            "search": "G8",
        },
    }


RECIPES: Mapping[str, Recipe] = {"default": default, "notes": notes}


def epochs_of(values: Mapping[str, Any], rows: int) -> int:
    """How many epochs over ``rows`` a recipe trains: its own, or ⌈updates / batches of an epoch⌉.

    >>> epochs_of({"updates": 2000, "batch_size": 32}, 127), epochs_of({"epochs": 20}, 127)
    (500, 20)
    """
    if "epochs" in values:
        return int(values["epochs"])
    return max(math.ceil(values["updates"] / batches_per_epoch(rows, values["batch_size"])), 1)


def arguments(values: Mapping[str, Any], rows: int, *, dev: bool = True) -> dict[str, Any]:
    """A recipe's values as ``fit`` takes them: ``hyper``, ``epochs``, and how the weights that count are chosen.

    Args:
        values: what a recipe gave, changed or not.
        rows: those that are trained on, without the held-out ones.
        dev: whether there is a dev part, given or held out, whose loss chooses the epoch.

    Returns:
        ``hyper``, ``epochs`` and, with ``dev``, ``stop`` and ``objective``.

    >>> found = arguments(default("classes", rows=150, columns=4), rows=127)
    >>> found["epochs"], found["objective"], found["hyper"]["batch_size"]
    (750, 'dev/loss', 32)
    """
    epochs = epochs_of(values, rows)
    names = ("hidden", "activation", "optimizer", "batch_size", *NUMBERS)
    hyper = {name: values[name] for name in names if name in values}
    if "lr" in values:
        falls = values.get("schedule") == "cosine"
        hyper["lr"] = cosine(values["lr"], steps=float(epochs)).every(staircase=0.0) if falls else values["lr"]
    if not dev or "patience" not in values:
        return {"hyper": hyper, "epochs": epochs}
    patience = max(math.ceil(values["patience"] * epochs), 10)
    return {"hyper": hyper, "epochs": epochs, "stop": early_stopping(patience=patience), "objective": "dev/loss"}
