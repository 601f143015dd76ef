"""Activations: functions of z, element by element but for softmax and hardmax, which act over the last axis.

All compute in at least float32, keep z's dtype, and have finite values and gradients for any finite z. Those that are
0 or straight on one side have the derivative of their negative side at 0: ReLU'(0) = 0.

Which to take: ReLU first; leaky or parametric ReLU against units that have died; sigmoid and tanh rarely inside a net.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, Concatenate, ParamSpec, Protocol

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt._checks import one_of
from fnopt.nn._number import number
from fnopt.numbers import REAL
from fnopt.tree import working_dtype

P = ParamSpec("P")


class Activation(Protocol):
    """``f(z) -> a`` of one shape and dtype; those with a number take it second."""

    def __call__(self, z: Array, /, *args: Any, **kwargs: Any) -> Array:
        """See the class."""
        ...


def _widened(f: Callable[Concatenate[Array, P], Array]) -> Callable[Concatenate[Array, P], Array]:
    """The same function, computed in z's working type."""

    @wraps(f)
    def wide(z: Array, *args: P.args, **kwargs: P.kwargs) -> Array:
        return f(z.astype(working_dtype(z)), *args, **kwargs).astype(z.dtype)

    return wide


def identity(z: Array) -> Array:
    """z itself: linear layers, and the output of a regression."""
    return z


@_widened
def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(−z)), in [0, 1]."""
    return jax.nn.sigmoid(z)


@_widened
def tanh(z: Array) -> Array:
    """The hyperbolic tangent, in [−1, 1]."""
    return jnp.tanh(z)


@_widened
def arctan(z: Array) -> Array:
    """The inverse tangent, in (−π/2, π/2)."""
    return jnp.arctan(z)


@_widened
def relu(z: Array) -> Array:
    """max(0, z), with derivative 0 at 0."""
    return jnp.where(z <= 0, 0, z)  # not z > 0, which would turn NaN into 0 and hide a fault


@_widened
def leaky_relu(z: Array, slope: ArrayLike = 0.01) -> Array:
    """z where positive, else slope · z; with a the divisor that some texts write, slope = 1/a.

    Args:
        z: any shape.
        slope: any number, usually in [0, 1); 0 is ReLU, 1 the identity.

    >>> leaky_relu(jnp.array([-2.0, 3.0]), 0.5).tolist()
    [-1.0, 3.0]

    Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    """
    return jnp.where(z > 0, z, number("slope", slope, REAL, z.dtype) * z)


@_widened
def prelu(z: Array, slope: Array) -> Array:
    """Leaky ReLU whose slope is learned, one a unit: z where positive, else slope · z.

    Args:
        z: shape=(…, units).
        slope: shape=(units,); a parameter of the layer, 0.25 at the start.

    >>> prelu(jnp.array([[-2.0, -2.0]]), jnp.array([0.25, 0.5])).tolist()
    [[-0.5, -1.0]]

    Torch learns one slope for all units unless told ``num_parameters``; Keras one a unit, from 0.
    Source: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015, https://arxiv.org/abs/1502.01852.
    """
    return jnp.where(z > 0, z, jnp.broadcast_to(slope.astype(z.dtype), z.shape) * z)


@_widened
def softmax(z: Array) -> Array:
    """exp(z_j) / Σ_k exp(z_k) over the last axis, stable: the maximum is taken off first."""
    return jax.nn.softmax(z, axis=-1)


@_widened
def hardmax(z: Array) -> Array:
    """1 at the maximum of the last axis (the first of equals), 0 elsewhere; its gradient is 0.

    >>> hardmax(jnp.array([1.0, 3.0, 3.0])).tolist()
    [0.0, 1.0, 0.0]
    """
    return jax.nn.one_hot(jnp.argmax(z, axis=-1), z.shape[-1], dtype=z.dtype)


@_widened
def gelu(z: Array) -> Array:
    """z Φ(z) with Φ the normal distribution function, exact (no tanh in its place).

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, https://arxiv.org/abs/1606.08415.
    """
    return jax.nn.gelu(z, approximate=False)


@_widened
def silu(z: Array) -> Array:
    """z · sigmoid(z), also called swish.

    Source: Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units", 2017, https://arxiv.org/abs/1702.03118.
    """
    return z * jax.nn.sigmoid(z)


@_widened
def elu(z: Array, alpha: ArrayLike = 1.0) -> Array:
    """z where positive, else alpha · (exp(z) − 1).

    Args:
        z: any shape.
        alpha: any number, usually positive; the value at −∞ is −alpha.

    >>> elu(jnp.array([-jnp.inf, 3.0]), 0.5).tolist()
    [-0.5, 3.0]

    Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units",
    2015, https://arxiv.org/abs/1511.07289.
    """
    return jnp.where(z > 0, z, number("alpha", alpha, REAL, z.dtype) * _expm1_below(z))


@_widened
def selu(z: Array) -> Array:
    """λ · elu(z, α) with the λ and α that keep mean 0 and variance 1 (with ``init="lecun"``).

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks", 2017,
    https://arxiv.org/abs/1706.02515.
    """
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * jnp.where(z > 0, z, alpha * _expm1_below(z))


@_widened
def softplus(z: Array) -> Array:
    """log(1 + exp(z)), a smooth ReLU, stable at both ends."""
    return jax.nn.softplus(z)


def _expm1_below(z: Array) -> Array:
    """exp(z) − 1 where z is not positive; masked before, so that a large z cannot make the gradient NaN."""
    return jnp.expm1(jnp.where(z > 0, 0, z))


TABLE: Mapping[str, Activation] = MappingProxyType(
    {
        "identity": identity,
        "sigmoid": sigmoid,
        "tanh": tanh,
        "arctan": arctan,
        "relu": relu,
        "leaky_relu": leaky_relu,
        "prelu": prelu,
        "softmax": softmax,
        "hardmax": hardmax,
        "gelu": gelu,
        "silu": silu,
        "elu": elu,
        "selu": selu,
        "softplus": softplus,
    }
)
"""Every activation by its name."""

NUMBERED = ("leaky_relu", "elu")
"""Those with a number: the negative slope, and ELU's alpha."""


def activate(name: str, z: Array, slope: ArrayLike | None = None) -> Array:
    """The activation of that name, with its number where it has one and one is given.

    Args:
        name: a key of ``TABLE``.
        z: shape=(…, units).
        slope: the slope of ``leaky_relu``, the alpha of ``elu``, or the learned slopes of ``prelu``; None for the
            usual one.

    Raises:
        ValueError: for an unknown name, and for a number where the activation has none.

    >>> activate("relu", jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    f = TABLE[one_of("activation", name, TABLE)]
    if slope is None:
        return f(z)
    if name not in (*NUMBERED, "prelu"):
        raise ValueError(f"activation {name!r} has no slope; leave it out, or take one of {', '.join(NUMBERED)}")
    return f(z, slope)
