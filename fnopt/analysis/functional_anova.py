"""The variance of a tree's function split among its inputs and pairs of them, exactly.

A tree says v_i inside box i, whose edges have the lengths w_i,d of a cube of volume 1. With W_i = Π_d w_i,d, v of mean 0
and o_ij,d the length that two boxes share along d, the mean square of what is left when all inputs but those of U are
averaged over is

    S_U = Σ_ij W_i v_i W_j v_j Π_{d in U} o_ij,d/(w_i,d w_j,d),

so V_d = S_d is the variance of input d alone, V_de = S_de − V_d − V_e that of the pair beyond both, and Σ_i W_i v_i² all
of it.

Source: Hutter, Hoos and Leyton-Brown, "An efficient approach for assessing hyperparameter importance", 2014,
https://proceedings.mlr.press/v32/hutter14.html, who sum over the cells of a grid what is summed over boxes here.
"""

from typing import NamedTuple

import numpy as np


class Variance(NamedTuple):
    """How the variance of one function is split."""

    total: float
    main: np.ndarray  # shape=(columns,)
    pairs: np.ndarray  # shape=(columns, columns), symmetric, 0 on the diagonal


def split_variance(low: np.ndarray, high: np.ndarray, value: np.ndarray) -> Variance:
    """The variance of a function that is constant on boxes which fill the unit cube.

    Args:
        low: shape=(boxes, columns), where each begins, in [0, 1).
        high: shape=(boxes, columns), where it ends, above ``low``.
        value: shape=(boxes,), what the function is inside.

    >>> found = split_variance(np.array([[0.0], [0.5]]), np.array([[0.5], [1.0]]), np.array([-1.0, 1.0]))
    >>> found.total, found.main.tolist()
    (1.0, [1.0])
    """
    width = (high - low).T  # (columns, boxes)
    volume = width.prod(axis=0)
    value = value - volume @ value / volume.sum()
    mass = volume * value
    ends = np.minimum(high.T[:, :, None], high.T[:, None, :])
    shared = np.maximum(ends - np.maximum(low.T[:, :, None], low.T[:, None, :]), 0.0)
    ratio = (shared / (width[:, :, None] * width[:, None, :])).reshape(len(width), -1)
    weighted = ratio * np.outer(mass, mass).reshape(-1)
    main = weighted.sum(axis=1)
    pairs = weighted @ ratio.T - main[:, None] - main[None, :]
    np.fill_diagonal(pairs, 0.0)
    return Variance(float(mass @ value), main, pairs)
