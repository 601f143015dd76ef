"""The network and its training in plain JAX with optax, as the two optax peers and the single fit share it."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

ADAM = optax.scale_by_adam()  # the learning rate is multiplied in by hand: a traced number, no inject_hyperparams


def forward(layers: Any, x: Array) -> Array:
    """Logits of a ReLU network."""
    *hidden, (weight, bias) = layers
    for w, b in hidden:
        x = jax.nn.relu(x @ w + b)
    return x @ weight + bias


def loss(layers: Any, x: Array, y: Array) -> Array:
    """Mean cross-entropy."""
    return optax.softmax_cross_entropy_with_integer_labels(forward(layers, x), y).mean()


def epoch(carry: Any, lr: Array, x: Array, y: Array, rows: Array) -> Any:
    """One pass; ``rows`` of shape (steps, batch). Without a lane axis on x, y and rows, a vmap gathers a batch once."""

    def step(carry: Any, some: Array) -> tuple[Any, None]:
        layers, memory = carry
        grads = jax.grad(loss)(layers, x[some], y[some])
        direction, memory = ADAM.update(grads, memory)
        return (jax.tree.map(lambda p, d: p - lr * d, layers, direction), memory), None

    return jax.lax.scan(step, carry, rows)[0]


def scores(layers: Any, x: Array, y: Array) -> tuple[Array, Array]:
    """Loss and accuracy of all rows."""
    return loss(layers, x, y), jnp.mean(jnp.argmax(forward(layers, x), -1) == y)


def epochs(carry: Any, lr: Array, x: Array, y: Array, order: Array, scored: Any = None) -> tuple[Any, Any]:
    """All epochs of one model; after each the scores of the data in ``scored``, if any."""

    def one(carry: Any, rows: Array) -> tuple[Any, Any]:
        carry = epoch(carry, lr, x, y, rows)
        return carry, None if scored is None else scores(carry[0], *scored)

    return jax.lax.scan(one, carry, order)


def shuffled_epochs(carry: Any, lr: Array, x: Array, y: Array, key: Array, count: int, batch: int) -> tuple[Any, Any]:
    """So many epochs of one model, each in an order drawn in the program; after each the scores of the same data."""

    def one(carry: Any, number: Array) -> tuple[Any, Any]:
        order = jax.random.permutation(jax.random.fold_in(key, number), len(y))
        carry = epoch(carry, lr, x, y, order.reshape(-1, batch))
        return carry, scores(carry[0], x, y)

    return jax.lax.scan(one, carry, jnp.arange(count))


@partial(jax.jit, static_argnames="lanes")
def begin(layers: Any, lanes: int) -> Any:
    """Weights and moments for so many lanes, all from the same weights."""
    stacked = jax.tree.map(lambda a: jnp.broadcast_to(a, (lanes, *a.shape)), layers)
    return stacked, jax.vmap(ADAM.init)(stacked)
