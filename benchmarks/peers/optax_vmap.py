"""What an expert writes: jit(vmap(scan)), donated buffers, data on the device, one shared gather a batch."""

import jax
import jax.numpy as jnp

from benchmarks.peers import Train, optax_net
from benchmarks.problem import Draw, Problem


def trainer(problem: Problem, scored: bool = False) -> Train:
    """All lanes in one program; ``scored`` adds what fnopt does besides: the dev scores after each epoch."""
    x, y = jnp.asarray(problem.x), jnp.asarray(problem.y)
    dev = jax.tree.map(jnp.asarray, problem.dev) if scored else None
    together = jax.jit(jax.vmap(optax_net.epochs, in_axes=(0, 0, None, None, None, None)), donate_argnums=0)

    def train(draw: Draw):  # type: ignore[no-untyped-def]
        start = optax_net.begin(draw.layers, len(draw.lrs))
        (layers, _), _ = jax.block_until_ready(
            together(start, jnp.asarray(draw.lrs), x, y, jnp.asarray(draw.order), dev)
        )
        return lambda: jax.device_get(layers)

    return train
