"""Batch, mini-batch and single-example descent, over the contours of the loss that all of them descend."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import losses, optim
from fnopt._checks import whole
from fnopt.numbers import NONNEGATIVE, as_number
from fnopt.plot._figure import (
    COLOURS,
    DOTS,
    Figure,
    begun,
    contours,
    ended,
    goal,
    legend_below,
    new_figure,
    saved,
    track,
)
from fnopt.plot._given import examples, points_of
from fnopt.surfaces.surface import Pair

FAR = 1e3  # times as far from the minimum as the start: a picture that holds such a path shows nothing else


def batches(
    x: Any,
    y: Any,
    *,
    sizes: Sequence[int] | None = None,
    epochs: int = 12,
    lr: float = 0.05,
    start: tuple[float, float] = (0.0, 0.0),
    key: Any = None,
    path: str | Path | None = None,
) -> Figure:
    """The paths of plain gradient descent with batches of several sizes, fitting y = w x + b by squared error.

    All make ``epochs`` passes, so smaller batches make more updates; each pass is in a new order. The contours are
    those of the mean loss of all examples.

    Args:
        x: shape=(m,), one input an example, not all alike.
        y: shape=(m,).
        sizes: examples an update; m, about √m and 1 unless given. Each pass leaves out what fills no whole batch.
        epochs: passes, ≥ 1.
        lr: the learning rate of all, in [0, inf), or a schedule.
        start: (w, b) at first.
        key: what the orders are drawn from; ``jax.random.key(0)`` unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the figure, a panel for each size.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for a size below 1 or above m, for x and y that do not go together, and for a descent that diverges.

    >>> x = np.linspace(-1, 1, 8)
    >>> len(batches(x, 2 * x + 1, sizes=(8, 1), epochs=2).axes)
    2
    """
    x, y = examples(x, y)
    m = len(x)
    sizes = sorted({m, max(round(m**0.5), 1), 1}, reverse=True) if sizes is None else [whole("size", s) for s in sizes]
    if not sizes or max(sizes) > m:
        raise ValueError(f"`sizes` must be from 1 to the {m} examples there are, got {list(sizes)}")
    lr = as_number("lr", lr, NONNEGATIVE)
    key = jax.random.key(0) if key is None else key
    begin, best = jnp.asarray(points_of("start", start)[0], x.dtype), np.polyfit(np.asarray(x), np.asarray(y), 1)
    found = [np.asarray(batch_path(x, y, size, whole("epochs", epochs), lr, begin, key)) for size in sizes]
    for size, points in zip(sizes, found, strict=True):
        _near(points, best, size, lr)
    figure = new_figure(3.4 * len(sizes), 3.9)
    panels = figure.subplots(1, len(sizes), sharex=True, sharey=True, squeeze=False)[0]
    domain = _around(np.concatenate([*found, best[None]]))
    for axes, size, points in zip(panels, sizes, found, strict=True):
        contours(axes, lambda p: _cost(p, x, y), domain)
        many = len(points) > DOTS  # a path that goes to and fro must not hide what it goes round
        track(axes, points, "", COLOURS[1], width=0.5 if many else 0.9, alpha=0.45 if many else 1.0)
        begun(axes, begin)
        ended(axes, inside=True, outside=False)
        goal(axes, best)
        axes.set_title(_title(size, m, len(points) - 1), fontsize=9)
        axes.set_xlabel("slope w")
    panels[0].set_ylabel("intercept b")
    legend_below(figure, panels)
    return saved(figure, path)


@partial(jax.jit, static_argnames=("size", "epochs"))
def batch_path(x: Array, y: Array, size: int, epochs: int, lr: Any, start: Array, key: Any) -> Array:
    """(w, b) before the first update and after each, shape=(updates + 1, 2)."""
    each = len(x) // size

    def order(epoch: Array) -> Array:
        return jax.random.permutation(jax.random.fold_in(key, epoch), len(x))[: each * size].reshape(each, size)

    def step(state: Any, rows: Array) -> Any:
        state = optim.sgd.update(state, jax.grad(_cost)(state.params, x[rows], y[rows]))
        return state, state.params

    rows = jax.vmap(order)(jnp.arange(epochs)).reshape(epochs * each, size)
    return jnp.concatenate([start[None], jax.lax.scan(step, optim.sgd.init(start, lr=lr), rows)[1]])


def _cost(p: Array, x: Array, y: Array) -> Array:
    return losses.squared_error(p[0] * x + p[1], y).mean()


def _near(points: np.ndarray, best: np.ndarray, size: int, lr: Any) -> None:
    """ValueError where a path is not finite, or goes so far that it cannot be drawn beside the minimum."""
    away = np.linalg.norm(points - best, axis=-1)
    if not away.max() <= FAR * max(away[0], np.linalg.norm(best), 1.0):  # not so either where it is NaN
        told = "" if callable(lr) else f"={float(lr):g}"
        raise ValueError(
            f"the descent with batches of {size} must stay near the minimum to be drawn, but with lr{told} it diverges "
            f"(distance {away[0]:.3g} at first, {away[-1]:.3g} at the end); lower `lr`"
        )


def _around(points: np.ndarray) -> tuple[Pair, Pair]:
    """A square that holds all points, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.6 * max(float((high - low).max()), 1e-3)
    middle = (low + high) / 2
    return (float(middle[0] - half), float(middle[0] + half)), (float(middle[1] - half), float(middle[1] + half))


def _title(size: int, m: int, updates: int) -> str:
    kind = "batch" if size == m else "single examples" if size == 1 else "mini-batches"
    return f"{kind}{'' if size in (m, 1) else f' of {size}'}: {updates} updates"
