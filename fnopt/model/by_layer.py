"""Numbers that may differ by layer: one for all layers, or a tuple with one for each."""

from collections.abc import Mapping
from typing import Any

from fnopt._types import Params

# The numbers that may be tuples, and how many layers they are of beside the hidden ones: penalties pull on the weights
# of the output too, dropout drops hidden units alone.
BY_LAYER = {"dropout": 0, "l1": 1, "l2": 1, "prox_l1": 1}


def several(name: str, value: Any) -> bool:
    """Whether a number is given by layer.

    >>> several("l2", (1e-3, 0.0)), several("l2", 1e-3), several("slope", (0.1, 0.2))
    (True, False, False)
    """
    return name in BY_LAYER and isinstance(value, tuple | list)


def check_layers(hidden: int, numbers: Mapping[str, Any]) -> None:
    """ValueError for a number by layer of another length than a network with ``hidden`` hidden layers wants.

    >>> check_layers(2, {"l2": (1e-3, 0.0, 0.0), "dropout": (0.2, 0.5)})
    >>> check_layers(2, {"l2": (1e-3, 0.0)})
    Traceback (most recent call last):
        ...
    ValueError: `l2` must be one number, or 3: one for each of 2 hidden layers and one for the output, got 2
    """
    for name, value in ((n, x) for n, x in numbers.items() if several(n, x)):
        if BY_LAYER[name] and any(x is None for x in value):
            raise ValueError(f"`{name}` must hold numbers, got {value!r}: write 0.0 for a layer without")
        if len(value) == hidden + BY_LAYER[name]:
            continue
        if not BY_LAYER[name]:
            raise ValueError(
                f"`{name}` must be one number, or one for each of {hidden} hidden layers, got {len(value)}"
            )
        raise ValueError(
            f"`{name}` must be one number, or {hidden + 1}: one for each of {hidden} hidden layers and one for the "
            f"output, got {len(value)}"
        )


def apart(name: str, params: Any, strength: Any) -> list[tuple[Params, Any]]:
    """A network's parameters in parts that have a strength each: all of them, or layer by layer, the output last.

    >>> apart("l2", {"hidden_0": 1, "output": 2}, 0.5)
    [({'hidden_0': 1, 'output': 2}, 0.5)]
    >>> apart("l2", {"hidden_0": 1, "output": 2}, (0.5, 0.0))
    [({'hidden_0': 1}, 0.5), ({'output': 2}, 0.0)]
    """
    if not isinstance(strength, tuple | list):
        return [(params, strength)]
    names = (*(f"hidden_{layer}" for layer in range(len(params) - 1)), "output")
    check_layers(len(params) - 1, {name: strength})
    return [({layer: params[layer]}, s) for layer, s in zip(names, strength, strict=True)]
