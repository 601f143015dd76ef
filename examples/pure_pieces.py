"""Networks, losses, penalties and optimizers by hand: one training loop, then 32 learning rates in one program."""

import jax
import jax.numpy as jnp

import fnopt as fo

STEPS, BATCH = 60, 128


def prepared():
    """Digits in three parts, scaled by the training part alone."""
    parts = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    scale = fo.data.standardizer(parts[0].x)
    return tuple(part._replace(x=scale(part.x)) for part in parts)


net = fo.nn.mlp(hidden=(128, 64), out=10, activation="relu", norm="batch")


def loss(params, stats, x, y, key):
    logits, stats = net.forward(params, stats, x, dropout=0.2, key=key, train=True)
    cost = fo.losses.softmax_cross_entropy(logits, y).mean() + fo.penalties.l2(params, 1e-4)
    return cost, stats


def step(state, stats, x, y, key):
    """One update of one model; nothing in it knows that it may run 32 times side by side."""
    rows = jax.random.choice(key, len(x), (BATCH,), replace=False)
    grads, stats = jax.grad(loss, has_aux=True)(state.params, stats, x[rows], y[rows], key)
    return fo.optim.adam.update(state, grads), stats


def trained(state, stats, x, y):
    """``STEPS`` updates from ``state``."""

    def body(carry, k):
        return step(*carry, x, y, jax.random.fold_in(jax.random.key(2), k)), None

    return jax.lax.scan(body, (state, stats), jnp.arange(STEPS))[0]


def accuracy(state, stats, data):
    logits, _ = net.forward(state.params, stats, data.x)
    return fo.metrics.accuracy(data.y, logits.argmax(-1))


def main():
    train, dev, _ = prepared()
    params, stats = net.init(jax.random.key(1), features=64)

    one = jax.jit(trained)(fo.optim.adam.init(params, lr=1e-3), stats, train.x, train.y)
    print(f"lr 0.001: dev accuracy {accuracy(*one, dev):.4f} after {STEPS} steps")

    # Every number is a leaf, so jax's own vmap makes 32 learning rates one program.
    lrs = jnp.logspace(-4, -1, 32)
    states = jax.vmap(lambda lr: fo.optim.adam.init(params, lr=lr))(lrs)
    many = jax.jit(jax.vmap(trained, in_axes=(0, None, None, None)))(states, stats, train.x, train.y)
    scores = jax.vmap(accuracy, in_axes=(0, 0, None))(*many, dev)
    best = int(jnp.argmax(scores))
    print(f"best of 32: lr {lrs[best]:.4f}, dev accuracy {scores[best]:.4f}")

    # A schedule is a pytree of numbers too, and changing one recompiles nothing.
    warm = fo.optim.adam.init(params, lr=fo.schedules.cosine(peak=3e-3, steps=STEPS, warmup=10))
    print(f"cosine with warm-up: dev accuracy {accuracy(*jax.jit(trained)(warm, stats, train.x, train.y), dev):.4f}")
    return scores


if __name__ == "__main__":
    main()
