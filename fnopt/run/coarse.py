"""Coarse to fine: a quick sweep of the whole region on a part of the data, then a full one of its better part."""

import math
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import chex
import jax
import numpy as np

from fnopt._checks import whole
from fnopt._types import Dataset
from fnopt.data import Folds
from fnopt.data import folds as folds_of
from fnopt.data._rows import permutation, take
from fnopt.model import Model, Prepared
from fnopt.run import store
from fnopt.run.assemble import prepare_folds
from fnopt.run.sweep import Sweep
from fnopt.space.choice import Choice
from fnopt.space.edges import edges, widened
from fnopt.space.epochs import NAME
from fnopt.space.narrow import narrow
from fnopt.space.search_space import Hyper, SearchSpace
from fnopt.store.atomic import Folder
from fnopt.sweep.deadline import Deadline
from fnopt.sweep.search import propose

FEW = 5  # configurations of the coarse sweep, at least
SHARE = 1 / 4  # of the training examples, …
EACH, ROWS = 10, 64  # … but so many of each class and so many in all, where there are so many
EPOCHS = 2  # of the coarse sweep, at least


class Parts(NamedTuple):
    """The data of a sweep, as given and as its lanes eat them."""

    train: Dataset
    dev: Dataset | None
    folds: Folds | None
    prepared: list[Prepared]  # one a fold


class Stage(Protocol):
    """Trains some configurations of a space on some data and ranks them."""

    def __call__(
        self,
        space: SearchSpace,
        hypers: Sequence[Hyper],
        parts: Parts,
        *,
        search: str,
        epochs: int,
        path: Path | Folder | None,
        deadline: Deadline,
    ) -> Sweep:
        """The sweep, finished, or broken off where it was asked to end."""
        ...


def coarse_to_fine(
    stage: Stage,
    model: Model,
    space: SearchSpace,
    parts: Parts,
    *,
    n: int | None,
    epochs: int,
    key: chex.PRNGKey,
    path: Path | None,
    deadline: Deadline,
) -> Sweep:
    """Both stages, the second in the space that :func:`narrow` makes of the first.

    The coarse sweep takes the first third of ``n`` (five at least), random draws from the whole space, a quarter of the
    training examples, and a third of the epochs, each configuration of its own (two at least). With ``path`` it lives
    in the folder ``coarse`` inside, so that the same call resumes either stage. A range at whose edge the best
    sit is widened beyond it by half of its width, as far as the number can go; a warning names it.

    Returns:
        The fine sweep, which has the other as ``coarse``; the coarse one, where that was broken off.

    Raises:
        ValueError: for an ``n`` with no room for two stages; where ``path`` holds something else, or the search of
            another ``n`` whose coarse sweep has another size.
    """
    n, count = _sizes(n)
    both = partial(_both, stage, model, space, parts, n=n, count=count, epochs=epochs, key=key, deadline=deadline)
    if path is None:
        return both(None)
    with store.hold(path, store.FINE) as kept:  # one caller a search, through both of its stages
        return both(kept.folder)


def _both(
    stage: Stage,
    model: Model,
    space: SearchSpace,
    parts: Parts,
    folder: Folder | None,
    *,
    n: int,
    count: int,
    epochs: int,
    key: chex.PRNGKey,
    deadline: Deadline,
) -> Sweep:
    """Both stages, in a folder that is held."""
    inside = None if folder is None else store.coarse_folder(folder, count)
    hypers = propose(space, count, jax.random.fold_in(key, 0), "random")
    coarse = stage(
        space,
        [{**h, NAME: shorter(int(h[NAME]))} if NAME in h else h for h in hypers],
        thinned(model, parts, jax.random.fold_in(key, 3)),
        search=store.COARSE,
        epochs=shorter(epochs),
        path=inside,
        deadline=deadline,
    )
    if not coarse.finished:
        return coarse
    narrowed = _narrowed(model, space, coarse, hypers)
    drawn = propose(narrowed, n - count, jax.random.fold_in(key, 4), "random")
    fine = stage(narrowed, drawn, parts, search=store.FINE, epochs=epochs, path=folder, deadline=deadline)
    fine.coarse = coarse
    return fine


def _narrowed(model: Model, space: SearchSpace, coarse: Sweep, hypers: Sequence[Hyper]) -> SearchSpace:
    """Where the best of the coarse sweep lie, and beyond an edge of the space where they lie at one, with a warning."""
    ranking = coarse.ranking()
    ranked = [hypers[s.config] for s in ranking if s.ranked]
    narrowed = narrow(space, ranked)

    for edge in edges(space, ranked, [hypers[s.config] for s in ranking if not s.ranked]):
        wider = widened(narrowed, edge, model)
        if wider is not None:
            narrowed = wider
            then = f"the fine sweep goes beyond it: {narrowed.drawn[edge.path]!r}"
        elif isinstance(edge.leaf, Choice):
            then = "a choice cannot be widened: add options beyond it"
        else:
            then = f"{edge.name} can go no further"
        warnings.warn(f"coarse to fine: {edge}; {then}", stacklevel=5)
    return narrowed


def shorter(epochs: int) -> int:
    """How long the coarse sweep trains what would be trained for so many epochs.

    >>> [shorter(epochs) for epochs in (1, 2, 5, 30)]
    [1, 2, 2, 10]
    """
    return min(max(epochs // 3, EPOCHS), epochs)


def _sizes(n: int | None) -> tuple[int, int]:
    """n as a number, and how many of these configurations the coarse sweep takes."""
    if n is None:
        raise ValueError(f"a {store.FINE} search has no end; say how many configurations: n=…")
    n = whole("n", n)
    if n <= FEW:
        raise ValueError(f"a {store.FINE} search wants n ≥ {FEW + 1}, of which {FEW} are its coarse sweep; got n={n}")
    return n, max(n // 3, FEW)


def thinned(model: Model, parts: Parts, key: chex.PRNGKey) -> Parts:
    """The same data with fewer examples to train on, in each fold; what is scored on stays whole."""
    y = np.asarray(parts.train.y)
    labels = y if model.task == "classes" and y.ndim == 1 else np.zeros(len(y), np.int32)
    train, folds = parts.train, parts.folds
    if folds is None:
        train = take(train, sample(labels, key))
    else:
        folds = folds_of(train, [(rows[sample(labels[rows], key)], dev) for rows, dev in folds])
    own = parts.prepared[0].train.user is not None
    return Parts(train, parts.dev, folds, prepare_folds(model, train, parts.dev, folds, own))


def sample(labels: np.ndarray, key: chex.PRNGKey) -> np.ndarray:
    """Which examples the coarse sweep trains on: a quarter of each class, 10 of a class and 64 in all at least.

    >>> [len(sample(np.zeros(m), jax.random.key(0))) for m in (40, 100, 1000)]
    [40, 64, 250]
    """
    share = max(SHARE, ROWS / max(len(labels), ROWS))
    order = permutation(key, len(labels))
    classes = [order[labels[order] == label] for label in np.unique(labels)]
    return np.sort(np.concatenate([rows[: max(math.ceil(share * len(rows)), EACH)] for rows in classes]))
