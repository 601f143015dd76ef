"""The loss that a check is given, as a function of one flat float64 vector; and what cannot be checked, refused."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt import tree
from fnopt.check._float64 import wide


class Flat(NamedTuple):
    """A loss of a vector θ: all leaves of the parameters, one after another."""

    f: Callable[[Array], Array]
    theta: Array  # shape=(n,), float64
    names: list[str]  # of the leaves; "params" where there is one without a name
    shapes: list[tuple[int, ...]]
    starts: list[int]  # where each leaf begins in θ, and n


def flat_loss(
    loss: Callable[..., Any], params: Any, args: tuple[Any, ...], options: Mapping[str, Any], has_aux: bool
) -> Flat:
    """The loss as :class:`Flat`; for use with x64 on.

    Raises:
        TypeError: for a leaf that is not floating, and for a loss that is no function.
        ValueError: for no parameters, numbers that are not finite, and a loss that is not one finite float64 number.
    """
    if not callable(loss):
        raise TypeError(f"`loss` must be a function of (params, *args), got {type(loss).__name__}")
    _check_leaves(params)
    params, args, options = wide(params), wide(args), wide(dict(options))
    leaves, structure = jax.tree.flatten(params)
    shapes = [leaf.shape for leaf in leaves]
    starts = [0, *np.cumsum([leaf.size for leaf in leaves]).tolist()]

    def f(theta: Array) -> Array:
        parts = [theta[a:b].reshape(s) for a, b, s in zip(starts, starts[1:], shapes, strict=False)]
        value = loss(structure.unflatten(parts), *args, **options)
        return value[0] if has_aux else value

    theta = jnp.concatenate([leaf.reshape(-1) for leaf in leaves])
    _check_value(jax.eval_shape(lambda t: loss(structure.unflatten(leaves), *args, **options), theta), has_aux)
    value = float(f(theta))
    if not np.isfinite(value):
        raise ValueError(f"the loss is {value} at these parameters: differences need a finite value there")
    return Flat(f, theta, [name or "params" for name in tree.names(params)], shapes, starts)


def _check_leaves(params: Any) -> None:
    paths = jax.tree_util.tree_leaves_with_path(params)
    if not sum(np.size(leaf) for _, leaf in paths):
        raise ValueError("`params` holds no numbers: there is nothing to check")
    for path, leaf in paths:
        name = "params" + jax.tree_util.keystr(path)
        dtype = getattr(leaf, "dtype", None)
        if not isinstance(leaf, float) and (dtype is None or not jnp.issubdtype(dtype, jnp.floating)):
            raise TypeError(
                f"{name} must be a floating array, got {dtype or type(leaf).__name__}; what is not learned goes "
                "among the other arguments: gradients(loss, params, *args)"
            )
        bad = ~np.isfinite(np.asarray(leaf, np.float64))
        if bad.any():
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"{name} holds {float(np.asarray(leaf)[place])} at {place}; check it where it is finite")


def _check_value(value: Any, has_aux: bool) -> None:
    if has_aux and not (isinstance(value, tuple) and len(value) == 2):
        raise ValueError("with has_aux=True the loss must return (value, aux); it returned something else")
    if not has_aux and isinstance(value, tuple):
        raise ValueError("the loss returned a tuple: write has_aux=True where it is (value, aux)")
    value = value[0] if has_aux else value
    if getattr(value, "shape", None) != ():
        raise ValueError(
            f"the loss must return one number, got shape {getattr(value, 'shape', None)}; for one value an example "
            "write .mean()"
        )
    if value.dtype != jnp.float64:
        raise ValueError(
            f"the loss came back as {value.dtype} from float64 parameters: something in it fixes the type; write "
            "x.astype(params.dtype) instead of a type by name"
        )
