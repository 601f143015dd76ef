"""Extremely randomized trees over ordered codes: many grown at once, level by level, in NumPy alone.

A row is a tuple of codes, whole numbers from 0: column d has the codes 0 to levels[d] − 1. A tree halves boxes of codes
until few rows are left in each; the mean of a box is what the tree says there.

Source: Geurts, Ernst and Wehenkel, "Extremely randomized trees", 2006, https://doi.org/10.1007/s10994-006-6226-1.
"""

from typing import NamedTuple

import numpy as np

LEAST = 3  # rows on either side of a split, by their counts
DEPTH = 40  # levels, at most: a guard, never met where rows differ


class Leaves(NamedTuple):
    """The boxes of some trees, all of them one after another."""

    tree: np.ndarray  # shape=(leaves,), which tree
    low: np.ndarray  # shape=(leaves, columns), first code inside
    high: np.ndarray  # shape=(leaves, columns), first code beyond
    value: np.ndarray  # shape=(leaves,), mean of the rows inside
    of: np.ndarray  # shape=(trees, rows), the leaf in which each row lies, also rows of count 0


def grow(
    codes: np.ndarray, counts: np.ndarray, y: np.ndarray, levels: np.ndarray, draws: np.random.Generator, tries: int
) -> Leaves:
    """Grow all trees until no box can be halved.

    Each box tries ``tries`` halvings, each of a random column at the code of a random row inside, and takes that which
    lowers the squared error most.

    Args:
        codes: shape=(trees, rows, columns), integers.
        counts: shape=(trees, rows), how often a row counts in a tree; 0 for one that the tree does not see.
        y: shape=(rows,) or (trees, rows), what the trees are to say.
        levels: shape=(columns,), how many codes a column has.
        draws: what halvings are drawn from.
        tries: halvings tried for a box, ≥ 1.
    """
    trees, rows, columns = codes.shape
    y = np.broadcast_to(y, (trees, rows)).astype(np.float64)
    flat, weight, target = codes.reshape(-1, columns), counts.reshape(-1).astype(np.float64), y.reshape(-1)
    node = np.repeat(np.arange(trees), rows)
    low, high = np.zeros((trees, columns), np.int64), np.broadcast_to(levels, (trees, columns)).astype(np.int64)
    tree, open_nodes = np.arange(trees), np.arange(trees)
    for _ in range(DEPTH):
        number = np.full(len(tree), -1)
        number[open_nodes] = np.arange(len(open_nodes))
        at = np.flatnonzero(number[node] >= 0)
        local = number[node[at]]
        column, cut, good = _halvings(flat[at], weight[at], target[at], local, len(open_nodes), draws, tries)
        halved = open_nodes[good]
        if not len(halved):
            break
        column, cut = column[good], cut[good]
        left, right = len(tree) + np.arange(len(halved)), len(tree) + len(halved) + np.arange(len(halved))
        lows, highs = np.concatenate([low[halved]] * 2), np.concatenate([high[halved]] * 2)
        some = np.arange(len(halved))
        highs[some, column] = cut
        lows[len(halved) + some, column] = cut
        low, high = np.concatenate([low, lows]), np.concatenate([high, highs])
        tree = np.concatenate([tree, tree[halved], tree[halved]])
        index = np.full(len(open_nodes), -1)
        index[good] = some
        mine = index[local]
        moved = mine >= 0
        rows_moved, of = at[moved], mine[moved]
        goes_left = flat[rows_moved, column[of]] < cut[of]
        node[rows_moved] = np.where(goes_left, left[of], right[of])
        open_nodes = np.concatenate([left, right])
    return _leaves(node, weight, target, tree, low, high, (trees, rows))


def _halvings(
    codes: np.ndarray,
    weight: np.ndarray,
    y: np.ndarray,
    local: np.ndarray,
    count: int,
    draws: np.random.Generator,
    tries: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best of some random halvings of each of ``count`` boxes: its column, its cut, and whether there is one."""
    order = np.argsort(local, kind="stable")
    sizes = np.bincount(local, minlength=count)
    starts = np.cumsum(sizes) - sizes
    columns = draws.integers(codes.shape[1], size=(count, tries))
    picked = order[starts[:, None] + (draws.random((count, tries)) * sizes[:, None]).astype(np.int64)]
    cuts = codes[picked, columns] + draws.integers(2, size=(count, tries))  # below or above that row
    whole_n, whole_s = (np.bincount(local, w, count) for w in (weight, weight * y))
    best, which = np.full(count, -np.inf), np.zeros(count, np.int64)
    rows = np.arange(len(local))
    for k in range(tries):
        inside = codes[rows, columns[local, k]] < cuts[local, k]
        n = np.bincount(local, weight * inside, count)
        s = np.bincount(local, weight * inside * y, count)
        other_n, other_s = whole_n - n, whole_s - s
        enough = (n >= LEAST) & (other_n >= LEAST)
        gain = np.where(enough, s * s / np.where(enough, n, 1) + other_s**2 / np.where(enough, other_n, 1), -np.inf)
        better = gain > best
        best, which = np.where(better, gain, best), np.where(better, k, which)
    some = np.arange(count)
    worth = best > whole_s**2 / np.where(whole_n > 0, whole_n, 1) * (1 + 1e-12) + 1e-300
    return columns[some, which], cuts[some, which], np.isfinite(best) & worth


def _leaves(
    node: np.ndarray,
    weight: np.ndarray,
    y: np.ndarray,
    tree: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    shape: tuple[int, int],
) -> Leaves:
    """The boxes that were not halved, in the order of their trees."""
    n, s = (np.bincount(node, w, len(tree)) for w in (weight, weight * y))
    ends = np.flatnonzero(n > 0)
    ends = ends[np.argsort(tree[ends], kind="stable")]
    index = np.full(len(tree), -1)
    index[ends] = np.arange(len(ends))
    return Leaves(tree[ends], low[ends], high[ends], s[ends] / n[ends], index[node].reshape(shape))
