"""Arrays by name as a safetensors file and back, bit for bit, whatever their type."""

import json
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from fnopt._checks import require

CODES = {  # of the format; other types are kept as the bytes that they consist of, their names beside the file
    "BOOL": "bool",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "C64": "complex64",
}


def packed(arrays: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The content of a safetensors file, and by name the types that the format lacks.

    >>> content, types = packed({"a": jnp.ones(2, jnp.bfloat16), "b": jnp.ones(2, jnp.float8_e4m3b11fnuz)})
    >>> types, unpacked(content, types)["b"].tolist()
    ({'b': 'float8_e4m3b11fnuz'}, [1.0, 1.0])
    """
    save = require("safetensors.numpy", "files").save
    types: dict[str, str] = {}
    ready: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        a = np.asarray(array, order="C")
        if a.dtype.name not in CODES.values():
            types[name] = a.dtype.name
            a = np.frombuffer(a.tobytes(), np.uint8).reshape(*a.shape, a.dtype.itemsize)
        ready[name] = a
    return save(ready), types


def unpacked(content: bytes, types: Mapping[str, str]) -> dict[str, np.ndarray]:
    """What :func:`packed` was given; ValueError where the content is not that of such a file."""
    size = int.from_bytes(content[:8], "little")
    if not 0 < size <= len(content) - 8:
        raise ValueError("its header is cut off")
    try:
        header = json.loads(content[8 : 8 + size])
    except RecursionError as error:
        raise ValueError("its header is nested too deeply") from error
    body, arrays = memoryview(content)[8 + size :], {}
    for name, what in header.items():
        if name == "__metadata__":
            continue
        begin, end = what["data_offsets"]
        if not 0 <= begin <= end <= len(body):
            raise ValueError(f"{name} lies outside of it")
        a = np.frombuffer(body[begin:end], jnp.dtype(CODES[what["dtype"]])).reshape(what["shape"])
        if name in types:
            a = np.frombuffer(a.tobytes(), jnp.dtype(types[name])).reshape(a.shape[:-1])
        arrays[name] = a
    return arrays
