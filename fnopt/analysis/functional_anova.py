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
SMALL = 1e-8  # of the square of a function's size: what others leave of it counts from here on
LEFT = 1e-3  # of a row's own weight in its fit: at least so much is taken to be left to others


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
    x, count = np.concatenate([np.ones((len(y), 1)), *parts], axis=1), w.sum()
    gram = x.T @ (x * w[:, None])
    square, turned = np.linalg.eigh(gram)
    new = square > SMALL * square.max()
    inverse = (turned[:, new] / square[new]) @ turned[:, new].T
    beta = inverse @ (x.T @ (w * y))
    rest, rows = y - x @ beta, int(np.sum(w > 0))
    noise = float(w @ np.square(rest)) / count * rows / max(rows - int(new.sum()), 1)
    covariance = inverse @ (x.T @ (x * np.square(w)[:, None])) @ inverse  # a row that counts twice has one noise
    variance, first = np.empty(len(parts)), 1
    for k, part in enumerate(parts):
        mine = slice(first, first + part.shape[1])
        first += part.shape[1]
        moments = gram[mine, mine] / count - np.outer(gram[0, mine], gram[0, mine]) / count**2
        variance[k] = beta[mine] @ moments @ beta[mine] - noise * np.sum(moments * covariance[mine, mine])
    spread = w @ np.square(y - w @ y / count)
    leverage = np.minimum(w * np.sum((x @ inverse) * x, axis=1), 1 - LEFT)
    return Fit(variance, 1 - float(w @ np.square(rest / (1 - leverage)) / spread) if spread > 0 else float("nan"))


def chosen_pairs(mains: Sequence[np.ndarray], pairs: Sequence[np.ndarray], y: np.ndarray) -> list[int]:
    """Which pairs a fit wants, the strongest first: an F-test of each on what names and earlier pairs leave.

    Args:
        mains: functions of each name.
        pairs: products of each pair; such as add nothing new are never chosen.
        y: shape=(n,).
    """
    basis = _orthonormal(np.concatenate([np.ones((len(y), 1)), *mains], axis=1))
    rest, size, found = y - basis @ (basis.T @ y), basis.shape[1], []
    left = {k: _without(basis, _of_size_one(pair)) for k, pair in enumerate(pairs)}
    while left:
        chance = {k: _f_test(rest, block, size) for k, block in left.items()}
        best = min(chance, key=chance.__getitem__)
        if not chance[best] < SURE / len(pairs):
            break
        block = _orthonormal(left.pop(best))
        found.append(best)
        rest, size = rest - block @ (block.T @ rest), size + block.shape[1]
        left = {k: _without(block, other) for k, other in left.items()}
    return found


def _of_size_one(x: np.ndarray) -> np.ndarray:
    """The columns of x that are not 0, each of length 1."""
    size = np.linalg.norm(x, axis=0)
    return x[:, size > 0] / size[size > 0]


def _without(basis: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What is left of the columns of x without an orthonormal basis."""
    return x - basis @ (basis.T @ x)


def _orthonormal(x: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns of x."""
    square, turned = np.linalg.eigh(x.T @ x)
    new = square > SMALL * max(square.max(initial=0.0), 1.0)
    return x @ (turned[:, new] / np.sqrt(square[new]))


def _f_test(rest: np.ndarray, block: np.ndarray, size: int) -> float:
    """The chance that a block without effect explains so much of the rest; 1 where there is no room for it."""
    from scipy.special import fdtrc

    square, turned = np.linalg.eigh(block.T @ block)
    new = square > SMALL
    count, free = int(new.sum()), len(rest) - size - int(new.sum())
    if not count or ROOM * (size + count) > len(rest):
        return 1.0
    explained = float(np.sum(np.square(turned[:, new].T @ (block.T @ rest)) / square[new]))
    left = max(float(rest @ rest) - explained, 1e-300)
    return float(fdtrc(count, free, explained / count / (left / free)))
