"""The values of ranges at given shares of their draws, in one compiled program."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from fnopt._compile import TRACES
from fnopt.space.choice import Choice
from fnopt.space.distributions import Distribution


def drawn(space: Distribution | Choice, u: float) -> Any:
    """The value of one space at the share ``u`` of its draws, as a proposal has it."""
    if isinstance(space, Choice):
        return space.options[min(int(u * len(space.options)), len(space.options) - 1)]
    value = jax.device_get(quantiles({"": space}, {"": jnp.asarray(u, jnp.result_type(float))}))[""]
    return int(value) if space.whole else float(value)


@partial(jax.jit)
def quantiles(spaces: dict[str, Distribution], u: dict[str, Any]) -> dict[str, Any]:
    """The values of each range at its shares, shape of the shares."""
    TRACES["propose"] += 1
    f = jnp.result_type(float)
    bounds = jax.tree.map(lambda x: jnp.asarray(x, f), spaces)
    return {name: space.quantile(u[name]) for name, space in bounds.items()}
