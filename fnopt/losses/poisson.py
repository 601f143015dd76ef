"""Poisson loss for counts."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from fnopt.losses._outputs import each_example, pair, times

STRAIGHT = 60.0  # e^60 is about 1e26: beyond, the exponential goes on as its tangent, so that nothing overflows


def poisson(log_rate: ArrayLike, target: ArrayLike) -> Array:
    """e^z − y z for a predicted logarithm z of the rate: −log P(y) but for log y!, which no weight changes.

    The mean over the outputs of an example; the gradient is e^z − y.

    Args:
        log_rate: z, shape=(m,) or (m, outputs); the network's output as it is, of either sign. Above 60, e^z goes on as
            a straight line, for a finite value and gradient.
        target: counts y ≥ 0, the same shape.

    Returns:
        shape=(m,), in at least float32.

    Raises:
        ValueError: for another shape.

    >>> poisson(jnp.array([0.0, 0.0]), jnp.array([1, 3])).tolist()
    [1.0, 1.0]
    """
    z, y = pair("poisson", log_rate, target)
    far = z >= STRAIGHT
    near, beyond = jnp.where(far, STRAIGHT, z), jnp.where(far, z - STRAIGHT, 0)
    return each_example(jnp.exp(near) * (1 + beyond) - times(y, z))
