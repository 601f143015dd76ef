"""The contestants: each file the same work as its users would write it, with ``trainer(problem)`` or a search.

``trainer(problem)`` gives ``train(draw)``, which trains and waits, and itself gives a function that hands out the
weights with a leading lane axis; only ``train`` is timed. A peer may train fewer lanes than it is asked to where one
comes after another anyway; the leading axis tells.
"""

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.problem import Draw, Layers, Problem

NEEDS = {  # peer: the modules it cannot do without
    "optax_vmap": ("optax",),
    "optax_loop": ("optax",),
    "optax_update": ("optax",),
    "torch_loop": ("torch",),
    "torch_func": ("torch",),
    "sklearn_mlp": ("sklearn", "joblib"),
    "sklearn_search": ("sklearn", "scipy"),
    "optuna_hyperband": ("optuna",),
    "optuna_search": ("optuna",),
}
Train = Callable[[Draw], Callable[[], Layers]]


def missing(name: str) -> list[str]:
    """What a peer needs and this environment lacks."""
    return [module for module in NEEDS[name] if find_spec(module) is None]


def load(name: str) -> Any:
    """The module of one peer."""
    return importlib.import_module(f"benchmarks.peers.{name}")


def trainers(names: Sequence[str], problem: Problem) -> tuple[dict[str, Train], list[str]]:
    """Those of the peers that can run here, and a word on each that cannot."""
    words = [f"{name} skipped: {', '.join(lack)} is not installed" for name in names if (lack := missing(name))]
    return {name: load(name).trainer(problem) for name in names if not missing(name)}, words
