"""What each layer of a run puts out."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from fnopt.model.mlp import FORWARD, flat, layers, network_of


def activations_of(run: Any, x: Any) -> dict[str, np.ndarray]:
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
