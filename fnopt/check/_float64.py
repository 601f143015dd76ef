"""Differences need float64: half of float32's seven digits are lost in them, and half of what is left is error."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

EPSILON = float(np.finfo(np.float64).eps)


def wide(tree: Any) -> Any:
    """Every floating leaf in float64, and a Python float likewise; all else as it is. For use with x64 on."""

    def one(leaf: Any) -> Any:
        if isinstance(leaf, float):
            return jnp.asarray(leaf, jnp.float64)
        floating = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
        return jnp.asarray(np.asarray(leaf, np.float64)) if floating else leaf

    return jax.tree.map(one, tree)


def narrowed(function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether a function turns something of float64 into less on its way, as its traced operations say."""
    return _narrows(jax.make_jaxpr(function)(*arguments).jaxpr)


def _narrows(jaxpr: Any) -> bool:
    for equation in jaxpr.eqns:
        if equation.primitive.name == "convert_element_type":
            new, old = equation.params["new_dtype"], equation.invars[0].aval.dtype
            if old == jnp.float64 and jnp.issubdtype(new, jnp.floating) and jnp.finfo(new).bits < 64:
                return True
        inner = [getattr(part, "jaxpr", part) for value in equation.params.values() for part in _several(value)]
        if any(_narrows(one) for one in inner if hasattr(one, "eqns")):
            return True
    return False


def _several(value: Any) -> Any:
    return value if isinstance(value, tuple | list) else (value,)
