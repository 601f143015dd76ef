"""Histograms: how the weights, or the activations, of each layer are distributed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnopt.plot._arrays import by_label, numbers
from fnopt.plot._axes import finished, grid, panels
from fnopt.plot._figure import COLOURS
from fnopt.run.activations import activations_of
from fnopt.space.path import leaves, text

BINS = 41
EXAMPLE = '{"hidden_0": weights}'


def histograms(arrays: Any, *, name: str = "value", bins: int = BINS, path: str | Path | None = None) -> np.ndarray:
    """A histogram a panel, each on its own range, with the standard deviation and the share of exact zeros.

    Args:
        arrays: label to array of any shape, or one array.
        name: of the horizontal axis, with its unit.
        bins: how many bars, ≥ 1.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes, shape=(arrays,).

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for no arrays, and for entries that are not finite.

    >>> made = histograms({"a": [0.0, 0.0, 1.0, 2.0]}, bins=2)
    >>> [int(bar.get_height()) for bar in made[0].patches]
    [2, 2]
    """
    given = {
        label: numbers(f"arrays[{label!r}]" if label else "arrays", one, finite=True).ravel()
        for label, one in by_label("arrays", arrays, EXAMPLE).items()
    }
    made = panels(len(given), columns=4, width=2.7, height=2.5)
    for axes, (label, values) in zip(made, given.items(), strict=True):
        axes.hist(values, bins=bins, color=COLOURS[1], alpha=0.85)
        zeros = float(np.mean(values == 0))
        told = f"{values.size} of std {values.std():.3g}" + (f", {zeros:.0%} zero" if zeros else "")
        axes.set_title("\n".join(filter(None, (label, told))), fontsize=8)
        axes.set_xlabel(name)
        grid(axes)
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel("how many")
    return finished(made, path)


def weights(source: Any, *, bins: int = BINS, path: str | Path | None = None) -> np.ndarray:
    """Histograms of the weights of each layer: the leaves of two or more axes.

    Args:
        source: a run, or a pytree of parameters.
        bins: how many bars, ≥ 1.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes, shape=(layers,).

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: where no leaf has two axes, and for weights that are not finite.

    >>> len(weights({"hidden_0": {"weight": np.eye(3), "bias": np.zeros(3)}}))
    1
    """
    params = getattr(source, "params", source)
    found = {text(p): np.asarray(leaf) for p, leaf in leaves(jax.device_get(params)) if np.ndim(leaf) >= 2}
    if not found:
        raise ValueError("`source` must be a run or a pytree of parameters with a leaf of two axes, and has none")
    return histograms(found, name="weight", bins=bins, path=path)


def activations(source: Any, data: Any = None, *, bins: int = BINS, path: str | Path | None = None) -> np.ndarray:
    """Histograms of what each layer puts out: saturated units stand at the ends, dead ones at 0.

    Args:
        source: a run, with a dataset; or layer to array, shape=(m, units), as ``net.activations`` gives them.
        data: the examples that a run is shown.
        bins: how many bars, ≥ 1.
        path: a file to write, ``.png`` or ``.svg``.

    Returns:
        the axes, shape=(layers,); of a run the inputs as the network sees them come first.

    Raises:
        ImportError: where matplotlib is not installed, with the extra that brings it.
        ValueError: for a run without examples, and for a model whose layers are not known.

    >>> [axes.get_title().split()[0] for axes in activations({"hidden_0": np.eye(3)})]
    ['hidden_0']
    """
    found = source
    if not isinstance(source, Mapping):
        if data is None:
            raise ValueError("beside a run there must be the examples that it is shown: activations(run, data)")
        found = activations_of(source, getattr(data, "x", data))
    return histograms(found, name="activation", bins=bins, path=path)
