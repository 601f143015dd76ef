"""One layer of a run, by its name or number."""

from typing import Any

import numpy as np

from fnopt._checks import one_of
from fnopt.run.activations import activations_of


def layer_of(run: Any, x: Any, layer: int | str) -> tuple[str, np.ndarray]:
    """One layer by its name, or by its number l in a^[l], where a^[0] are the inputs; and its name."""
    found = activations_of(run, x)
    names = list(found)
    if isinstance(layer, str):
        return layer, found[one_of("layer", layer, names)]
    if isinstance(layer, bool) or not isinstance(layer, int) or not -len(names) <= layer < len(names):
        counted = ", ".join(f"{k} {name}" for k, name in enumerate(names))
        raise ValueError(f"`layer` must be one of {counted}, got {layer!r}")
    return names[layer], found[names[layer]]
