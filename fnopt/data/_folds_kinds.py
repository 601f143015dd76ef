"""Ways to make folds. A *home* is shape=(m,): the fold in whose dev part each row stands."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from fnopt._checks import printable
from fnopt._types import Label
from fnopt.data._rows import scattered
from fnopt.data._stratified_groups import by_class_and_group

Order = Callable[[int], Any]  # a count to its numbers in some order: np.arange, or random


def by_block(m: int, k: int, order: Order) -> tuple[Any, np.ndarray]:
    """Homes by consecutive blocks of the order, and the folds' sizes; the first m mod k are one row larger."""
    _enough(k, m, f"{m} examples")
    sizes = m // k + (np.arange(k) < m % k)
    return scattered(order(m), np.repeat(np.arange(k), sizes)), sizes


def by_class(labels: np.ndarray, k: int, order: Order, classes: tuple[Label, ...] | None) -> tuple[Any, np.ndarray]:
    """Homes that spread each class, and all rows, with counts that differ by at most one; and the folds' sizes."""
    m = len(labels)
    found, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    fewest = int(counts.min(initial=m))
    _enough(k, m, f"{m} examples", fewest)
    rows = order(m)
    if fewest < k:
        label = found[np.argmin(counts)]
        name = printable(repr(classes[label] if classes else label.item()))
        raise ValueError(
            f"class {name} has {fewest} example{'s' * (fewest > 1)}, too few for k={k} folds: "
            f"{_cure(fewest)} or stratify=False"
        )
    xp: Any = np if isinstance(rows, np.ndarray) else jnp
    codes = xp.asarray(codes.reshape(-1))[rows]
    if xp is np:
        first = np.unique(codes, return_index=True)[1]
    else:
        first = jnp.argmax(codes[None, :] == jnp.arange(len(found))[:, None], axis=1)
    rank = xp.argsort(xp.argsort(first))[codes]  # classes by their first example
    by_rank = xp.argsort(rank, stable=True)
    # Dealing rows, class after class, like cards evens out both; sorted within the class, its rows go by blocks.
    dealt = xp.arange(m) % k
    order_within = xp.lexsort((dealt, rank[by_rank]))
    sizes = np.bincount(np.arange(m) % k, minlength=k)
    if xp is jnp:
        return jnp.zeros(m, jnp.int32).at[rows[by_rank]].set(dealt[order_within]), sizes
    return scattered(rows[by_rank], dealt[order_within]), sizes


def by_group(groups: np.ndarray, k: int, order: Order) -> np.ndarray:
    """Homes by whole groups: the largest first, each to the fold with the fewest rows (Graham 1969).

    In a random order, groups of like size (between the same powers of 2) come at random: other orders give other
    folds, about as balanced. Folds never differ by more than the largest group.
    """
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    _enough(k, len(names), f"{len(names)} groups")
    turn = order(len(names))
    like = sizes if order is np.arange else np.frexp(sizes)[1]
    home, filled = np.empty(len(names), np.int64), np.zeros(k, np.int64)
    for group in turn[np.argsort(-like[turn], kind="stable")]:
        home[group] = np.argmin(filled)
        filled[home[group]] += sizes[group]
    return home[codes.reshape(-1)]


def by_both(labels: np.ndarray, groups: np.ndarray, k: int, order: Order) -> np.ndarray:
    """Homes by whole groups that spread each class as far as they can."""
    count = len(np.unique(groups))
    _enough(k, count, f"{count} groups")
    return by_class_and_group(labels, groups, np.full(k, 1 / k), order(count))


def leave_out(units: np.ndarray, what: str) -> np.ndarray:
    """Homes one a unit (an example, or a group)."""
    names, codes = np.unique(units, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"leaving one out needs two or more {what}, got {len(names)}")
    return codes.reshape(-1)


def in_time(m: int, k: int, gap: int, max_train: int | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """The last k blocks of ⌊m / (k + 1)⌋ rows, each after its training rows."""
    size = m // (k + 1)
    if size == 0:
        raise ValueError(f"k={k} folds in time need {k + 1} examples or more, got {m}: {_cure(m - 1)}")
    start = m - k * size
    if gap >= start:
        raise ValueError(
            f"gap={gap} leaves no row to train on before the first dev block, which starts at row {start}: "
            f"take gap ≤ {start - 1} or fewer folds"
        )
    rows, longest = np.arange(m), m if max_train is None else max_train
    ends = [(at - gap, at) for at in range(start, m, size)]
    return [(rows[max(0, end - longest) : end], rows[at : at + size]) for end, at in ends]


def _enough(k: int, count: int, what: str, most: int | None = None) -> None:
    if k > count:
        raise ValueError(f"k={k} folds are more than the {what}: {_cure(count if most is None else most)}")


def _cure(most: int) -> str:
    return f"take k ≤ {most}" if most >= 2 else "take more data"
