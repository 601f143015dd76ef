"""Edges of data, hyperparameters, sizes and arguments of ``fit`` and ``caviar``."""

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

import fnopt as fo
from benchmarks.abuse.outcome import Refused, called
from benchmarks.abuse.tally import Failed, Trial

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
Y = (X[:, 0] > 0).astype(int)
V = X[:, 0] * 2.0 + 1.0

NUMBERS: tuple[Any, ...] = (
    0, 0.0, -1, 1, 1.5, 1e30, 1e-30, 1e-300, 1e300, math.nan, math.inf, -math.inf, None, True, "0.1", (1.0, 2.0), [0.1],
    np.float64(0.1), np.float32(0.1), np.int64(1), jnp.float32(0.1), np.array([0.1]), 10**400, 1j,
)  # fmt: skip
WHOLES: tuple[Any, ...] = (
    0, -1, 1, 2, 2.0, 2.5, True, "3", None, math.nan, math.inf, np.int64(2), np.float64(2), 10**12, 10**30,
)  # fmt: skip
REAL_NAMES = ("lr", "l2", "dropout", "b1")
HYPERS = [("hyper", name, value) for name in REAL_NAMES for value in NUMBERS]
SIZES = [(where, name, value) for where, name in (("hyper", "batch_size"), ("hyper", "hidden"), ("fit", "epochs"),
         ("caviar", "n"), ("caviar", "seeds"), ("caviar", "epochs")) for value in WHOLES]  # fmt: skip


def of_edges(rng: random.Random) -> Iterator[Trial]:
    """Each is refused in words, or trained to finite scores, or ends as a named divergence."""
    for where, name, value in HYPERS + SIZES:
        if isinstance(value, int) and value >= 10**12 and name in ("epochs", "n", "seeds"):
            continue
        yield Trial(f"{where} {name}={_short(value)}", _number(where, name, value), 120.0)
    for what, make in DATA.items():
        for task in ("classes", "values"):
            yield Trial(f"{what}, {task}", _data(make, task))


def _short(value: Any) -> str:
    return f"{str(value)[:20]} ({type(value).__name__})"


def _number(where: str, name: str, value: Any) -> Callable[[], None]:
    def do() -> None:
        data = fo.data.dataset(X, Y)
        hyper, options = {"lr": 1e-2, "batch_size": 8}, {"epochs": 1}
        model = fo.classifier(hidden=(4,))
        if where == "hyper":
            hyper[name] = value
            run = called(lambda: fo.fit(model, data, hyper=hyper, **options))
        elif where == "fit":
            run = called(lambda: fo.fit(model, data, hyper=hyper, **{**options, name: value}))
        else:
            given = {"n": 2, "epochs": 1, name: value}
            space = {"lr": fo.log_uniform(1e-3, 1e-1), "batch_size": 8}
            run = called(lambda: fo.caviar(model, space, data, data, **given))
            if not isinstance(run, Refused):
                called(lambda: str(run))
            return
        _finite(run)

    return do


def _finite(run: Any) -> None:
    if isinstance(run, Refused):
        return
    called(lambda: str(run))
    scores = [v for part in run.scores.values() for v in part.values()]
    if run.status == "done" and not all(math.isfinite(v) for v in scores):
        raise Failed(f"done, with scores {run.scores}")


def _column(values: Any) -> np.ndarray:
    return np.column_stack([X[:, :2], np.resize(np.asarray(values, dtype=float), len(X))])


DATA: dict[str, Callable[[], tuple[Any, Any]]] = {
    "one row": lambda: (X[:1], 0),
    "two rows": lambda: (X[:2], 0),
    "no rows": lambda: (X[:0], 0),
    "no columns": lambda: (X[:, :0], 0),
    "a constant column": lambda: (_column(3.0), 0),
    "a huge constant column": lambda: (_column(1e30), 0),
    "a large offset": lambda: (X + 1e12, 0),
    "tiny values": lambda: (X * 1e-200, 0),
    "huge values": lambda: (X * 1e200, 0),
    "one huge value": lambda: (np.vstack([X[:-1], [[1e30, 0, 0]]]), 0),
    "subnormal values": lambda: (X * 1e-310, 0),
    "NaN": lambda: (_column([np.nan, 1.0]), 0),
    "infinity": lambda: (_column([np.inf, 1.0]), 0),
    "whole numbers": lambda: (np.round(X * 100).astype(np.int64), 0),
    "unsigned": lambda: (np.abs(X * 100).astype(np.uint8), 0),
    "booleans": lambda: (X > 0, 0),
    "large whole numbers": lambda: ((X * 1e6).astype(np.int64) + 2**60, 0),
    "objects": lambda: (X.astype(object), 0),
    "text": lambda: (X.astype(str), 0),
    "complex": lambda: (X + 1j, 0),
    "masked": lambda: (np.ma.masked_array(X, X > 1), 0),
    "half precision": lambda: (X.astype(np.float16), 0),
    "big endian": lambda: (X.astype(">f4"), 0),
    "a vector": lambda: (X[:, 0], 0),
    "one target for all": lambda: (X, 1),
    "one rare class or value": lambda: (X, 2),
    "huge targets": lambda: (X, 3),
    "tiny targets": lambda: (X, 4),
    "targets of 64 bits": lambda: (X, 5),
    "negative labels": lambda: (X, 6),
    "boolean targets": lambda: (X, 7),
    "text targets": lambda: (X, 8),
    "a target too few": lambda: (X, 9),
    "two columns of targets": lambda: (X, 10),
    "NaN targets": lambda: (X, 11),
    "offset targets": lambda: (X, 12),
}


def _target(which: int, rows: int, task: str) -> Any:
    y = (Y if task == "classes" else V)[:rows]
    return {
        0: lambda: y,
        1: lambda: np.zeros_like(y),
        2: lambda: np.where(np.arange(rows) == 0, 7, 0),
        3: lambda: V[:rows] * 1e25 if task == "values" else y * 10**9,
        4: lambda: V[:rows] * 1e-25 if task == "values" else y,
        5: lambda: y.astype(np.int64) * 2**40 if task == "classes" else y,
        6: lambda: -y,
        7: lambda: y > 0,
        8: lambda: np.where(y > 0, "yes", "no"),
        9: lambda: y[:-1],
        10: lambda: np.column_stack([y, y]),
        11: lambda: np.where(np.arange(rows) == 3, np.nan, y.astype(float)),
        12: lambda: y + 10**9,
    }[which]()


def _data(make: Callable[[], tuple[Any, Any]], task: str) -> Callable[[], None]:
    def do() -> None:
        model = fo.classifier(hidden=(4,)) if task == "classes" else fo.regressor(hidden=(4,))

        def fitted() -> Any:
            x, which = make()
            data = fo.data.dataset(x, _target(which, len(x), task))
            return fo.fit(model, data, hyper={"lr": 1e-2, "batch_size": 8}, epochs=2)

        run = called(fitted)
        _finite(run)
        if isinstance(run, Refused):
            return
        x, which = make()
        found, wanted = np.asarray(called(lambda: run.predict(x))), np.asarray(_target(which, len(x), task))
        if len(found) != len(x):
            raise Failed(f"{len(found)} predictions of {len(x)} rows")
        if task == "classes" and not set(found.tolist()) <= set(wanted.tolist()):
            raise Failed(f"predicts labels {set(found.tolist())} that are not among {set(wanted.tolist())}")

    return do
