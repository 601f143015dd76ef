"""Training, dev and test parts, at any ratio."""

from collections.abc import Sequence
from typing import Any, Literal

import chex
import jax.numpy as jnp
import numpy as np

from fnopt._checks import brief, one_of, printable
from fnopt._types import Dataset
from fnopt.data._rows import (
    as_key,
    checked,
    class_labels,
    example_groups,
    known_groups,
    permutation,
    scattered,
    take,
    where,
)
from fnopt.data._stratified_groups import by_class_and_group

NOISE = 1e-9  # 0.7 × 10 is a hair above 7 in floating point


def split(
    data: Dataset,
    fractions: Sequence[float],
    *,
    key: chex.PRNGKey | None = None,
    stratify: bool = False,
    groups: Any = None,
    order: Literal["random", "time"] = "random",
) -> tuple[Dataset, ...]:
    """One dataset a fraction: disjoint, complete, none empty, and the same for the same key.

    A part's size is its share of the examples, rounded by largest remainder.

    Args:
        data: what to split.
        fractions: two or more numbers > 0 that sum to 1, such as (0.6, 0.2, 0.2), (0.7, 0.3) or (0.98, 0.01, 0.01).
        key: what the random order comes from; of no use with ``order="time"``.
        stratify: keep the shares of the classes: each class's count in each part is within 1 of its share. Where a
            class has too few examples for all parts, the first part (train) has at least one.
        groups: shape=(m,); examples of one group stay together. Groups go, in random order, each to the part that
            lacks most, so sizes come as near as whole groups allow. With ``stratify`` each goes where the classes
            come nearest to their shares in all parts.
        order: "random", or "time" for consecutive parts in the order of the rows.

    Returns:
        The parts, in the order of ``fractions``.

    Raises:
        ValueError: for fractions that cannot be, a part that would be empty, or time with stratify or groups.
        TypeError: for what is no dataset or no key.

    >>> import jax, numpy as np
    >>> from fnopt.data import dataset
    >>> data = dataset(np.arange(10.0)[:, None], [0] * 8 + [1] * 2)
    >>> train, dev = split(data, (0.5, 0.5), key=jax.random.key(0), stratify=True)
    >>> sorted(train.y.tolist()), sorted(dev.y.tolist())
    ([0, 0, 0, 0, 1], [0, 0, 0, 0, 1])
    >>> [len(part) for part in split(data, (0.6, 0.2, 0.2), order="time")]
    [6, 2, 2]
    """
    checked(data)
    one_of("order", order, ("random", "time"))
    shares = _shares(fractions)
    if order == "time" and (stratify or groups is not None):
        raise ValueError('order="time" takes the rows as they come: leave out stratify and groups')
    m, labels = len(data), None
    rows = np.arange(m) if order == "time" else permutation(as_key(key), m)
    if groups is not None:
        known_groups(groups, rows)
        groups = example_groups(groups, m)
        known = groups[rows]
        part = _by_both(class_labels(data)[rows], known, shares) if stratify else _by_group(known, shares)
        counts = np.bincount(part, minlength=len(shares))
    elif stratify:
        labels = class_labels(data)
        part, counts = _by_class(labels, rows, shares)
    else:
        counts = _sizes(shares * m, np.zeros(len(shares)))
        part = np.repeat(np.arange(len(shares)), counts)
    if not counts.all():
        raise ValueError(
            f"{m} examples at fractions {tuple(fractions)} give parts of {counts.tolist()}; none may be empty: "
            + (_cause(labels, data, len(shares)) if labels is not None else "take fewer parts or larger fractions")
        )
    return tuple(take(data, rows[where(part == k, counts[k])]) for k in range(len(shares)))


def _cause(labels: np.ndarray, data: Dataset, parts: int) -> str:
    """Why a stratified split leaves a part empty: a class too small for all parts gives its examples to the first."""
    names, counts = np.unique(labels, return_counts=True)
    rare = [name for name, count in zip(names.tolist(), counts, strict=True) if count < parts]
    if not rare:
        return "take fewer parts or larger fractions"
    shown = ", ".join(printable(data.classes[k] if data.classes else k) for k in rare[:3])
    more = f" and {len(rare) - 3} more" if len(rare) > 3 else ""
    each = "one example" if counts.max(initial=1, where=np.isin(names, rare)) == 1 else f"fewer than {parts} examples"
    return (
        f"{len(rare)} of {len(names)} classes have {each} each ({shown}{more}), which go to the first part; leave out "
        "stratify=True, or take more examples of them"
    )


def _shares(fractions: Sequence[float]) -> np.ndarray:
    try:
        shares = np.asarray(fractions, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"`fractions` must be numbers such as (0.6, 0.2, 0.2), got {brief(fractions)}") from error
    if shares.ndim != 1 or len(shares) < 2:
        raise ValueError(f"`fractions` must be two or more, such as (0.8, 0.2), got {fractions!r}")
    if not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(f"`fractions` must be > 0 and sum to 1, got {tuple(fractions)}, which sum to {shares.sum():g}")
    return shares / shares.sum()


def _sizes(share: np.ndarray, lack: np.ndarray) -> np.ndarray:
    """Whole numbers with the sum of ``share``, each its floor or one more, where ``lack`` + remainder is largest."""
    sizes = np.floor(share + NOISE).astype(np.int64)
    remainder = share - sizes
    over = remainder > NOISE  # a whole share stays as it is
    left = round(float(share.sum())) - int(sizes.sum())
    rank = np.argsort(np.where(over, -np.round(lack + remainder, 9), np.inf), kind="stable")
    sizes[rank[:left]] += 1
    return sizes


def _by_class(labels: np.ndarray, rows: Any, shares: np.ndarray) -> tuple[Any, np.ndarray]:
    """The part of each of ``rows``, and the sizes; what rounding takes from a part in one class, the next gives."""
    places, parts = [], []
    lack, total = np.zeros(len(shares)), np.zeros(len(shares), np.int64)
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    codes = codes[rows] if isinstance(rows, np.ndarray) else jnp.asarray(codes)[rows]
    for k in np.argsort(counts, kind="stable").tolist():  # the smallest first; the largest compensate for them
        share = shares * counts[k]
        first = np.where(np.arange(len(shares)) == 0, len(labels), 0) if share[0] < 1 else 0  # train before all others
        sizes = _sizes(share, lack + first)
        lack, total = lack + share - sizes, total + sizes
        places.append(where(codes == k, int(counts[k])))
        parts.append(np.repeat(np.arange(len(shares)), sizes))
    together = np.concatenate if isinstance(rows, np.ndarray) else jnp.concatenate
    return scattered(together(places), np.concatenate(parts)), total


def _by_both(labels: np.ndarray, groups: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The part of each example where whole groups keep the shares of the classes as far as they can."""
    first = np.unique(groups, return_index=True)[1]
    return by_class_and_group(labels, groups, shares, np.argsort(first))


def _by_group(groups: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The part of each example, groups taken in the order in which they first appear."""
    names, first, codes, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    if len(names) < len(shares):
        raise ValueError(f"{len(names)} groups cannot fill {len(shares)} parts; take fewer parts")
    home = np.empty(len(names), np.int64)
    filled = np.zeros(len(shares), np.int64)
    for k, group in enumerate(np.argsort(first)):
        empty = filled == 0
        must = empty if empty.sum() >= len(names) - k else np.ones(len(shares), bool)  # else a part would stay empty
        home[group] = np.argmax(np.where(must, shares * len(groups) - filled, -np.inf))
        filled[home[group]] += sizes[group]
    return home[codes.reshape(-1)]
