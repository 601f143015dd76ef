"""What pictures are given, checked before anything is drawn."""

from collections.abc import Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import optim
from fnopt._types import Optimizer
from fnopt.surfaces import NAMES, Surface, by_name

Run = tuple[str, Optimizer, Mapping[str, Any]]  # label, optimizer, its numbers
FORMS = '["sgd", "adam"], {"adam": dict(lr=0.1)}, {"adam": 0.1} or {"fast": (fo.optim.adam, dict(lr=0.3))}'


def surface_of(given: Any) -> Surface:
    """A surface, by itself or by its name."""
    if isinstance(given, str):
        return by_name(given)
    if not isinstance(given, Surface):
        raise TypeError(
            f"`surface` must be a Surface or the name of one ({', '.join(NAMES)}), got {given!r}; of a function f make "
            'one by fo.surfaces.Surface("mine", f, domain=((left, right), (bottom, top)), start=(x, y), critical=())'
        )
    return given


def points_of(name: str, given: Any, several: bool = False) -> np.ndarray:
    """A finite point of the plane as shape=(1, 2); where there may be several, shape=(k, 2)."""
    try:
        points = np.asarray(given, float)
    except (TypeError, ValueError):
        points = np.array(np.nan)
    shapes = points.ndim in ((1, 2) if several else (1,)) and points.shape[-1] == 2 and points.size
    if not shapes or not np.isfinite(points).all():
        more = ", or several such pairs" if several else ""
        raise ValueError(f"`{name}` must be two finite numbers, (x, y){more}, got {given!r}")
    return points.reshape(-1, 2)


def runs_of(given: Any) -> list[Run]:
    """Label, optimizer and numbers of each path; ``lr`` is the optimizer's own default where it is not given."""
    if isinstance(given, str | Optimizer):
        given = [given]
    if isinstance(given, Mapping):
        runs = [_run(label, one) for label, one in given.items()]
    elif isinstance(given, Iterable):
        runs = [_run(one.name if isinstance(one, Optimizer) else one, one) for one in given]
    else:
        raise TypeError(f"`optimizers` must be names or label to numbers, as {FORMS}, got {given!r}")
    if not runs:
        raise ValueError(f"`optimizers` must have at least one, as {FORMS}, got {given!r}")
    return runs


def _run(label: Any, given: Any) -> Run:
    if isinstance(given, tuple) and len(given) == 2:
        which, numbers = given
    elif isinstance(given, str | Optimizer):
        which, numbers = given, {}
    else:
        which, numbers = label, given
    if callable(numbers) or isinstance(numbers, int | float) or getattr(numbers, "shape", None) == ():
        numbers = {"lr": numbers}
    if not isinstance(which, str | Optimizer) or not isinstance(numbers, Mapping):
        raise TypeError(f"`optimizers` must be names or label to numbers, as {FORMS}, got {given!r} for {label!r}")
    optimizer = optim.by_name(which) if isinstance(which, str) else which
    default = {"lr": optimizer.lr} if "lr" in getattr(optimizer.numbers, "_fields", ()) else {}
    return str(label), optimizer, {**default, **numbers}


def examples(x: Any, y: Any, columns: int | None = None) -> tuple[Array, Array]:
    """Inputs, shape=(m,) or (m, columns), and as many targets, finite and such that one fit is the best."""
    x, y = (_floats(name, a) for name, a in (("x", x), ("y", y)))
    if x.shape[1:] != (() if columns is None else (columns,)) or not x.ndim:
        expected = "(m,), one input an example" if columns is None else f"(m, {columns}), {columns} inputs an example"
        raise ValueError(f"`x` must have shape {expected}, got {x.shape}")
    if y.shape != x.shape[:1]:
        raise ValueError(f"`y` must have one value for each of the {len(x)} examples of `x`, got shape {y.shape}")
    for name, a in (("x", x), ("y", y)):
        if not np.isfinite(a).all():
            raise ValueError(
                f"`{name}` must be finite, got {np.sum(~np.isfinite(a))} values that are not; leave out those rows"
            )
    _varied(x[:, None] if columns is None else x)
    return jnp.asarray(x, jnp.result_type(float)), jnp.asarray(y, jnp.result_type(float))


def _floats(name: str, a: Any) -> np.ndarray:
    try:
        return np.asarray(a, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be an array of numbers, got {type(a).__name__}: {error}") from error


def _varied(x: np.ndarray) -> None:
    """ValueError where inputs are constant, or one goes with the other: then no one point is the minimum."""
    for k, column in enumerate(x.T):
        if not len(x) or np.ptp(column) <= 1e-6 * np.abs(column).max():
            which = f"`x[:, {k}]`" if x.shape[1] > 1 else "`x`"
            got = f"{column[0]:g} in all {len(x)} examples" if len(x) else "no examples"
            raise ValueError(f"{which} must vary, so that one fit is the best, got {got}; take an input that does")
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    if np.linalg.matrix_rank(scaled, tol=1e-4 * len(x) ** 0.5) < x.shape[1]:
        raise ValueError(
            f"the inputs of `x` must not lie on a line, so that one fit is the best, got {len(x)} examples that do; "
            "take inputs of which none follows from the other, and at least three examples"
        )
