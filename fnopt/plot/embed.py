"""Many columns as two or three: principal components here, t-SNE and UMAP by their libraries."""

from typing import NamedTuple

import numpy as np

from fnopt._checks import one_of, require, whole
from fnopt.plot._arrays import numbers

METHODS = ("pca", "tsne", "umap")
LEAST = 16  # examples, of which t-SNE and UMAP find neighbours
NEIGHBOURS = 15  # of UMAP, its own default
PERPLEXITY = 30.0  # of t-SNE, its own default
FAR = 3.5  # robust deviations from the middle of its group: an outlier


class Embedded(NamedTuple):
    """Points in few dimensions."""

    points: np.ndarray  # shape=(m, dimensions)
    shares: np.ndarray | None  # shape=(dimensions,), of the variance that each explains; of PCA alone


def embed(x: np.ndarray, method: str = "pca", dimensions: int = 2, seed: int = 0) -> Embedded:
    """Examples as points in two or three dimensions.

    Args:
        x: shape=(m, columns), finite.
        method: ``"pca"``, ``"tsne"`` (scikit-learn) or ``"umap"`` (umap-learn).
        dimensions: 2 or 3.
        seed: what t-SNE and UMAP draw from.

    Raises:
        ImportError: where the method's library is not installed, with the extra that brings it.
        ValueError: for an unknown method, other dimensions, and fewer examples than the method can place.

    >>> embed(np.eye(3), "pca").points.shape
    (3, 2)
    """
    one_of("method", method, METHODS)
    x = numbers("x", x, 2, finite=True)
    dimensions = whole("dimensions", dimensions, least=2)
    if dimensions > 3:
        raise ValueError(f"`dimensions` must be 2 or 3, got {dimensions}")
    if method == "pca":
        return pca(x, dimensions)
    if len(x) < LEAST:
        raise ValueError(
            f"{method} finds the neighbours of each example and needs at least {LEAST} of them, got {len(x)}; "
            'take method="pca"'
        )
    return Embedded((_tsne if method == "tsne" else _umap)(x, dimensions, seed), None)


def pca(x: np.ndarray, dimensions: int = 2) -> Embedded:
    """The projections on the directions of largest variance, in float64, by the singular values of the centred data.

    Each direction is signed so that its largest entry is positive, and so the same data give the same picture.

    Args:
        x: shape=(m, columns), m ≥ 2.
        dimensions: how many, at most the columns and the examples.

    Raises:
        ValueError: for fewer columns or examples than dimensions, and where nothing varies.

    Source: Pearson, "On lines and planes of closest fit to systems of points in space", 1901,
    https://doi.org/10.1080/14786440109462720.

    >>> found = pca(np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [2.0, 1.0, 0.0]]))
    >>> found.shares.round(6).tolist(), found.points[:, 0].round(6).tolist()
    ([0.8, 0.2], [-1.0, 1.0, -1.0, 1.0])
    """
    x = numbers("x", x, 2, finite=True)
    if min(x.shape) < dimensions:
        raise ValueError(
            f"{dimensions} principal components need as many columns and examples, got shape {x.shape}; "
            f"{_instead(len(x), x.shape[1], dimensions)}"
        )
    centred = x - x.mean(axis=0)
    left, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    total = float(np.sum(sizes**2))
    if not total > 0:
        raise ValueError("`x` must vary to have principal components: all examples are alike")
    largest = np.argmax(np.abs(directions), axis=1)
    signs = np.where(directions[np.arange(len(directions)), largest] < 0, -1.0, 1.0)
    points = (left * sizes * signs)[:, :dimensions]
    return Embedded(points, sizes[:dimensions] ** 2 / total)


def _instead(rows: int, columns: int, dimensions: int) -> str:
    """What to draw where there is too little for principal components."""
    if columns == 1:
        return (
            "a layer of one unit is a line: fo.plot.histograms or fo.plot.activations shows it, or take another layer"
        )
    if columns < dimensions:
        return f"take dimensions={columns}, or draw the {columns} columns as they are"
    return f"give at least {dimensions} examples, here {rows}"


def outliers(points: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Which points lie far from the middle of their group, shape=(m,): by robust deviations, 1.4826 × the median one.

    Of a group with fewer than five points none does.

    >>> outliers(np.array([[0.0], [0.1], [0.2], [-0.1], [9.0]]), np.zeros(5)).tolist()
    [False, False, False, False, True]
    """
    far = np.zeros(len(points), bool)
    whole_spread = np.median(np.abs(points - np.median(points, axis=0)), axis=0)
    for group in np.unique(groups):
        rows = groups == group
        if rows.sum() >= 5:
            away = points[rows] - np.median(points[rows], axis=0)
            spread = 1.4826 * np.maximum(np.median(np.abs(away), axis=0), 1e-3 * whole_spread + 1e-30)
            far[rows] = np.sqrt(np.sum((away / spread) ** 2, axis=1)) > FAR
    return far


def _tsne(x: np.ndarray, dimensions: int, seed: int) -> np.ndarray:
    """van der Maaten and Hinton, "Visualizing data using t-SNE", 2008, by scikit-learn."""
    tsne = require("sklearn.manifold", "embed").TSNE
    perplexity = min(PERPLEXITY, (len(x) - 1) / 3)
    start = pca(x, dimensions).points if min(x.shape) >= dimensions else "random"
    if not isinstance(start, str):
        start = (1e-4 * start / max(float(np.std(start[:, 0])), 1e-30)).astype(np.float32)
    made = tsne(n_components=dimensions, perplexity=perplexity, init=start, random_state=seed, learning_rate="auto")
    return np.asarray(made.fit_transform(x.astype(np.float32)), float)


def _umap(x: np.ndarray, dimensions: int, seed: int) -> np.ndarray:
    """McInnes, Healy and Melville, "UMAP", 2018, https://arxiv.org/abs/1802.03426, by umap-learn."""
    umap = require("umap", "embed").UMAP
    made = umap(n_components=dimensions, n_neighbors=min(NEIGHBOURS, len(x) - 1), random_state=seed, n_jobs=1)
    return np.asarray(made.fit_transform(x), float)
