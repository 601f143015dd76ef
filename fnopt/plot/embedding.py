"""Examples, or what any layer makes of them, as points of a plane or of a space."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from fnopt.plot._arrays import as_long, numbers
from fnopt.plot._axes import Axes, axes_of, finished, grid, legend_beside
from fnopt.plot._figure import COLOURS
from fnopt.plot._layers import layer_of
from fnopt.plot.embed import embed, outliers

MARKS = "osD^vPX*"  # beside the colour: no two of the first 64 classes are alike, and neighbours differ in both
NAMED = 12  # classes whose names stand in the picture
SHORT = 24  # letters of such a name; the legend has all of it


def embedding(
    source: Any,
    data: Any = None,
    *,
    layer: int | str | None = None,
    labels: Any = None,
    method: str = "pca",
    dimensions: int = 2,
    seed: int = 0,
    mark: bool = True,
    axes: Axes = None,
    path: str | Path | None = None,
) -> Axes:
    """Examples as points, near each other where they are alike; classes by colour, each named at its middle.

    A ring marks an outlier: more than 3.5 robust deviations from the middle of its class, in the picture's plane.

    Args:
        source: a run, with a dataset; or a dataset alone; or an array, shape=(m, columns).
        data: the examples that a run is shown.
        layer: of a run, which layer's activations: 0 the inputs as the network sees them, 1 the first hidden layer, …;
            negative ones count from the end, −1 the output; or its name, ``"hidden_0"``, ``"output"``. The inputs
            unless given.
        labels: shape=(m,), a class for each example, or text; the dataset's own classes unless given. Values colour
            the points too, from dark to light.
        method: ``"pca"``; ``"tsne"``, which needs scikit-learn; ``"umap"``, which needs umap-learn:
            ``pip install 'fnopt[embed]'``.
        dimensions: 2 or 3.
        seed: what t-SNE and UMAP draw from.
        mark: whether outliers have rings and classes their names.
        axes: where to draw, of as many dimensions; a new figure's unless given.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes.

    Raises:
        ImportError: where matplotlib, or the method's library, is not installed, with the extra that brings it.
        ValueError: for a layer that the network does not have, an unknown method, too few examples for it.

    >>> from fnopt import data
    >>> axes = embedding(data.load("iris"))
    >>> axes.get_xlabel()
    'component 1 (92 % of the variance)'
    """
    x, labels, names, told = _given(source, data, layer, labels)
    found = embed(x, method, dimensions, seed)
    axes = axes_of(axes, 6.4, 4.6, flat=dimensions == 2)
    if labels is not None and labels.dtype.kind == "f":
        shown = axes.scatter(*found.points.T, c=labels, cmap="cividis", s=14, linewidths=0)
        apart = {} if dimensions == 2 else {"pad": 0.14}  # from the label of the third axis
        axes.figure.colorbar(shown, ax=axes, label=names[0], **apart)
        groups = np.zeros(len(x), int)
    else:
        groups = np.zeros(len(x), int) if labels is None else labels
        _classes(axes, found.points, groups, names, mark and labels is not None)
    far = outliers(found.points, groups) if mark else np.zeros(len(x), bool)
    if far.any():
        style = {"facecolors": "none", "edgecolors": "black", "linewidths": 0.8}
        axes.scatter(*found.points[far].T, s=60, label=f"outliers ({far.sum()})", **style)
    for which, k in zip("xyz", range(dimensions), strict=False):
        share = "" if found.shares is None else f" ({100 * found.shares[k]:.0f} % of the variance)"
        share = share if dimensions == 2 else share.replace(" of the variance", "")
        word = "component" if method == "pca" else {"tsne": "t-SNE", "umap": "UMAP"}[method]
        getattr(axes, f"set_{which}label")(f"{word} {k + 1}{share}")
    axes.set_title(told, fontsize=9)
    if dimensions == 2:
        grid(axes)
    legend_beside(axes)
    return finished(axes, path)


def _classes(axes: Axes, points: np.ndarray, groups: np.ndarray, names: tuple[str, ...], named: bool) -> None:
    """The points of each class, and its name at their middle."""
    present = np.unique(groups)
    for k in present:
        rows = groups == k
        style = {"color": COLOURS[k % len(COLOURS)], "marker": MARKS[(k + k // len(COLOURS)) % len(MARKS)]}
        axes.scatter(*points[rows].T, s=14, alpha=0.7, linewidths=0, label=names[k] or None, **style)
    for k in present if named and len(present) <= NAMED else ():
        middle = np.median(points[groups == k], axis=0)
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
        told = textwrap.shorten(names[k], SHORT, placeholder="…") or names[k][:SHORT]
        written = axes.text(*middle, told, ha="center", va="center", fontsize=8, fontweight="bold", bbox=box, zorder=6)
        written.set_in_layout(False)  # it lies on the points, and takes no room from them


def _given(
    source: Any, data: Any, layer: int | str | None, labels: Any
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...], str]:
    """Columns, a class number or a value for each example, what these mean, and a title."""
    told, names = "inputs", ()
    if hasattr(source, "params"):
        if data is None:
            raise ValueError("beside a run there must be the examples that it is shown: embedding(run, data, layer=1)")
        told, x = layer_of(source, data.x, 0 if layer is None else layer)
    elif layer is not None:
        raise ValueError(f"`layer` is of a run, and {type(source).__name__} has none: embedding(run, data, layer=1)")
    else:
        data = source if hasattr(source, "x") else data
        x = np.asarray(source.x if hasattr(source, "x") else source)
        x = x.reshape(len(x), -1) if x.ndim > 2 else x
    if labels is None and data is not None:
        y = np.asarray(data.y)
        labels = y if y.ndim == 1 else None
        names = tuple(map(str, data.classes or ()))
        names = (data.target,) if labels is not None and labels.dtype.kind == "f" else names
    x = numbers("x", x, 2, finite=True)
    if labels is None:
        return x, None, ("",), told
    labels = as_long("labels", np.asarray(labels), "x", len(x))
    if labels.dtype.kind == "f":
        return x, labels, names or ("label",), told
    if names:
        return x, labels.astype(int), names, told
    kinds, codes = np.unique(labels, return_inverse=True)
    return x, codes, tuple(map(str, kinds)), told
