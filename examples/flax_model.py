"""A Flax model in a loop written for optax: one line changes, and one with batch norm and dropout is swept by fnopt."""

import jax
import jax.numpy as jnp

import fnopt as fo

try:
    import flax.linen as nn
    import optax
except ImportError as error:
    nn = optax = None
    MISSING = f"this example needs {error.name}, which is not installed: pip install 'fnopt[interop]'"


def network():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(3)(nn.tanh(nn.Dense(16)(x)))

    return Net()


def train(net, transform, data, steps):
    """An optax loop as it stands in their guides; the weights after each step."""
    params = net.init(jax.random.key(0), data.x[:1])
    state = transform.init(params)

    @jax.jit
    def step(params, state):
        def cost(params):
            return optax.softmax_cross_entropy_with_integer_labels(net.apply(params, data.x), data.y).mean()

        value, grads = jax.value_and_grad(cost)(params)
        updates, state = transform.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    path = []
    for _ in range(steps):
        params, state, value = step(params, state)
        path.append(params)
    return path, float(value)


def normalized():
    """A network with the averages of a batch norm and with dropout, whose rate is a number that can be searched."""

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, mask, train, rate=0.0):
            a = nn.Dense(16)(x)
            a = nn.tanh(nn.BatchNorm(use_running_average=not train, momentum=0.9)(a, mask=mask))
            return nn.Dense(3)(fo.nn.dropout(a, rate, self.make_rng("dropout")) if train else a)

    return Net()


def sweep(net, train, dev, n, epochs):
    """Such a network as a model of fnopt: three functions.

    With ``batch="short"``, which is the default, every row of a batch exists, and ``mask`` is True for all of them;
    with ``batch="masked"`` a last batch is padded, and a batch norm that did not look at ``mask`` would count copies.
    """

    def init(key, example, hyper):
        made = net.init({"params": key, "dropout": key}, example.x, None, False)
        return made["params"], made["batch_stats"]

    def predict(params, stats, x, hyper):
        return net.apply({"params": params, "batch_stats": stats}, x, None, False)

    def loss(params, stats, batch, hyper, key, train):
        if not train:
            return fo.losses.softmax_cross_entropy(predict(params, stats, batch.x, hyper), batch.y), stats
        both, rngs = {"params": params, "batch_stats": stats}, {"dropout": key}
        mask, rate = batch.mask[:, None], hyper["dropout"]
        logits, moved = net.apply(both, batch.x, mask, True, rate, mutable=["batch_stats"], rngs=rngs)
        return fo.losses.softmax_cross_entropy(logits, batch.y), moved["batch_stats"]

    model = fo.supervised(
        init,
        loss,
        predict,
        numbers=dict(dropout=0.0),
        optimizer=fo.optim.clip_by_global_norm(fo.optim.adam),
        standardize=True,
    )
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), max_norm=fo.log_uniform(0.1, 10.0), dropout=fo.uniform(0.0, 0.3))
    return fo.caviar(model, space, train, dev, n=n, epochs=epochs, key=jax.random.key(1))


def main(steps=50, n=6, epochs=5):
    if nn is None:
        print(MISSING)
        return None
    data = fo.data.load("wine")
    data = data._replace(x=fo.data.standardizer(data.x)(data.x))
    net = network()
    theirs, _ = train(net, optax.adam(1e-2), data, steps)
    ours, cost = train(net, fo.optim.as_transform(fo.optim.adam, lr=1e-2), data, steps)  # the line that changes
    apart = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), ours, theirs)
    most = max(jax.tree.leaves(apart))
    print(f"cost {cost:.4f} after {steps} steps; never more than {most:.1e} from where optax goes")
    assert most <= 1e-5
    some, dev = fo.data.split(fo.data.load("wine"), (0.7, 0.3), key=jax.random.key(0), stratify=True)
    found = sweep(normalized(), some, dev, n, epochs)
    print(found)
    return most, found


if __name__ == "__main__":
    main()
