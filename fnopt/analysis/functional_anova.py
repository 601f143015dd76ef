"""The variance of scores split among names and pairs of names: least squares on orthogonal functions of each.

The scores are fitted by y = c + Σ_d f_d(x_d) + Σ_de f_de(x_d, x_e) + rest, f_d a sum of orthonormal functions of name
d, f_de one of their products. With β_U the coefficients of one part, X_U its functions and s² the variance of the rest,

    V_U = ‖X_U β_U‖²/n − s² tr(X_U C_UU X_Uᵀ)/n,    C = (XᵀX)⁻¹,

is the variance of that part: what is subtracted is what noise alone adds to it on average. All names are fitted; a pair
only where an F-test finds it, the strongest first.

Source: Sobol', "Sensitivity estimates for nonlinear mathematical models", 1993, for the split; Sudret, "Global
sensitivity analysis using polynomial chaos expansions", 2008, https://doi.org/10.1016/j.ress.2007.04.002, for the fit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SURE = 0.05  # of all pairs together: the chance that one without effect is taken in
ROOM = 3  # rows for each function, at least
SMALL = 1e-8  # of a function's size: what is left of it when others are taken out counts from here on


class Fit(NamedTuple):
    """The parts of a fit."""

    variance: np.ndarray  # shape=(parts,), V of each
    unseen: float  # share of the variance that it foretells of a row left out


def fit_parts(parts: Sequence[np.ndarray], y: np.ndarray, weight: np.ndarray | None = None) -> Fit:
    """The variance of each part of a least-squares fit.

    Args:
        parts: of each, its functions, shape=(n, functions).
        y: shape=(n,).
        weight: shape=(n,), how often each row counts, as in a bootstrap; once unless given.

    >>> x = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    >>> fit_parts([x], 3 * x[:, 0]).variance.round(6).tolist()
    [9.0]
    """
    w = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    rows, root = w > 0, np.sqrt(w)
    x = np.concatenate([np.ones((len(y), 1)), *parts], axis=1)
    inverse = np.linalg.pinv((x * root[:, None])[rows], rcond=SMALL)
    beta = inverse @ (y * root)[rows]
    rest, count = y - x @ beta, w.sum()
    leverage = np.einsum("ij,ji->i", x[rows], inverse * root[rows])  # of one of the equal rows
    free = max(float(rows.sum() - np.linalg.matrix_rank(inverse)), 1.0)
    noise = float(w @ np.square(rest)) / count * rows.sum() / free
    covariance = (inverse * w[rows]) @ inverse.T  # a row that counts twice brings the same noise twice
    variance, first = np.empty(len(parts)), 1
    for k, part in enumerate(parts):
        mine = slice(first, first + part.shape[1])
        first += part.shape[1]
        mean = w @ part / count
        gram = (part - mean).T @ ((part - mean) * w[:, None]) / count
        variance[k] = beta[mine] @ gram @ beta[mine] - noise * np.sum(gram * covariance[mine, mine])
    spread = w @ np.square(y - w @ y / count)
    out = np.square(rest[rows] / np.maximum(1 - np.minimum(leverage * w[rows], 1), 1e-3))
    return Fit(variance, 1 - float(w[rows] @ out / spread) if spread > 0 else float("nan"))


def chosen_pairs(mains: Sequence[np.ndarray], pairs: Sequence[np.ndarray], y: np.ndarray) -> list[int]:
    """Which pairs a fit wants, the strongest first: an F-test of each on what names and earlier pairs leave.

    Args:
        mains: functions of each name.
        pairs: products of each pair; such as add nothing new are never chosen.
        y: shape=(n,).
    """
    basis = _orthonormal(np.concatenate([np.ones((len(y), 1)), *mains], axis=1), np.zeros((len(y), 0)))
    rest, found, left = y - basis @ (basis.T @ y), [], list(range(len(pairs)))
    while left:
        best, chance, block = -1, SURE / len(pairs), None
        for k in left:
            new = _orthonormal(pairs[k], basis)
            if new.shape[1] > 0 and ROOM * (basis.shape[1] + new.shape[1]) <= len(y):
                p = _f_test(rest, new, len(y) - basis.shape[1] - new.shape[1])
                best, chance, block = (k, p, new) if p < chance else (best, chance, block)
        if block is None:
            break
        found.append(best)
        left.remove(best)
        basis, rest = np.concatenate([basis, block], axis=1), rest - block @ (block.T @ rest)
    return found


def _orthonormal(x: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """What the columns of x add to an orthonormal basis, orthonormal itself; no column where they add nothing."""
    size = np.linalg.norm(x, axis=0)
    x = x[:, size > 0] / size[size > 0]
    x = x - basis @ (basis.T @ x)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    return u[:, s > SMALL]


def _f_test(rest: np.ndarray, block: np.ndarray, free: int) -> float:
    """The chance that a block without effect explains so much of the rest."""
    from scipy.special import fdtrc

    explained = float(np.sum(np.square(block.T @ rest)))
    left = max(float(rest @ rest) - explained, 1e-300)
    return float(fdtrc(block.shape[1], free, explained / block.shape[1] / (left / free)))
