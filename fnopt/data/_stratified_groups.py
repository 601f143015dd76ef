"""Whole groups dealt to parts so that each part comes near its share of every class."""

import numpy as np


def by_class_and_group(labels: np.ndarray, groups: np.ndarray, shares: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The part of each row: groups with the most uneven classes first, each to the part that is left most even.

    With n_kc the rows of class c in part k, N_c all rows of the class and s_k the share of part k, a group goes where
    the mean over classes of the standard deviation over parts of n_kc / (s_k N_c) becomes least; where several are as
    good, to the one that is filled least. A part that would stay empty comes first in the end.

    Args:
        labels: shape=(m,), the class of each row.
        groups: shape=(m,), its group.
        shares: shape=(parts,), with the sum 1.
        turn: shape=(groups,), the numbers of the groups, sorted by name, in the order in which equal ones go.

    Source: ``StratifiedGroupKFold`` of scikit-learn, of which this is the form for parts of any size.

    >>> by_class_and_group(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), np.ones(2) / 2, np.arange(2)).tolist()
    [0, 0, 1, 1]
    """
    _, codes, totals = np.unique(labels, return_inverse=True, return_counts=True)
    names, group = np.unique(groups, return_inverse=True)
    table = np.zeros((len(names), len(totals)))
    np.add.at(table, (group.reshape(-1), codes.reshape(-1)), 1)
    parts = len(shares)
    if len(names) < parts:
        raise ValueError(f"{len(names)} groups cannot fill {parts} parts; take fewer parts")
    size = shares / shares.max()
    wanted = size[:, None] * totals
    counts, home = np.zeros((parts, len(totals))), np.empty(len(names), np.int64)
    order = turn[np.argsort(-np.std(table[turn], axis=1), kind="stable")]
    each = np.eye(parts)[:, :, None]
    for k, one in enumerate(order):
        tried = (counts[None] + each * table[one]) / wanted  # shape=(choice, parts, classes)
        uneven = np.std(tried, axis=1).mean(axis=1)
        filled = counts.sum(axis=1)
        must = filled == 0 if (filled == 0).sum() >= len(names) - k else np.ones(parts, bool)
        home[one] = _best(np.flatnonzero(must).tolist(), uneven, filled / size)
        counts[home[one]] += table[one]
    return home[group.reshape(-1)]


def _best(choices: list[int], uneven: np.ndarray, filled: np.ndarray) -> int:
    """The choice that leaves the parts least uneven; of two as good the part that is less filled."""
    best = choices[0]
    for one in choices[1:]:
        as_good = np.isclose(uneven[one], uneven[best])
        if uneven[one] < uneven[best] or (as_good and filled[one] < filled[best]):
            best = one
    return best
