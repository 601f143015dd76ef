"""What each layer of a run puts out."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from fnopt._checks import one_of
from fnopt.model.mlp import FORWARD, flat, layers, network_of


def layers_of(run: Any, x: Any) -> dict[str, np.ndarray]:
    """Layer to activations, shape=(m, units): ``"inputs"`` as the network sees them, the hidden layers, ``"output"``.

    Raises:
        ValueError: for a model that is not a feedforward network of this package, whose layers are not known.
    """
    trial = getattr(run, "trial", None)
    network = None if trial is None else network_of(trial)
    if network is None:
        raise ValueError(
            "the layers of this model are not known, as its functions are your own: give what a layer puts out as an "
            "array, shape (m, units)"
        )
    scaled = flat(jnp.asarray(run.encoding.scaled(x)))
    numbers = {name: run.numbers[name] for name in FORWARD if name in run.numbers}
    seen = layers(network).activations(run.params, run.stats, scaled, **numbers)
    return {"inputs": np.asarray(scaled), **{name: np.asarray(a) for name, a in seen.items()}}


def layer_of(run: Any, x: Any, layer: int | str) -> tuple[str, np.ndarray]:
    """One layer by its name, or by its number l in a^[l], where a^[0] are the inputs; and its name."""
    found = layers_of(run, x)
    names = list(found)
    if isinstance(layer, str):
        return layer, found[one_of("layer", layer, names)]
    if isinstance(layer, bool) or not isinstance(layer, int) or not -len(names) <= layer < len(names):
        counted = ", ".join(f"{k} {name}" for k, name in enumerate(names))
        raise ValueError(f"`layer` must be one of {counted}, got {layer!r}")
    return names[layer], found[names[layer]]
