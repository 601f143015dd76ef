"""A jitted optax loop: one scan an epoch, one model after another."""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers import Train, optax_net
from benchmarks.problem import Draw, Problem


def trainer(problem: Problem) -> Train:
    """One compiled epoch with a traced learning rate, called for each epoch of each model."""
    x, y = jnp.asarray(problem.x), jnp.asarray(problem.y)
    one_epoch = jax.jit(optax_net.epoch, donate_argnums=0)

    def train(draw: Draw):  # type: ignore[no-untyped-def]
        made = []
        for lr in draw.lrs[: problem.few]:
            layers = jax.tree.map(jnp.array, draw.layers)
            carry = layers, optax_net.ADAM.init(layers)
            for rows in draw.order:
                carry = one_epoch(carry, lr, x, y, rows)
            made.append(carry[0])
        jax.block_until_ready(made)
        return lambda: jax.tree.map(lambda *lanes: np.stack(lanes), *made)

    return train
