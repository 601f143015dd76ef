"""An Equinox model in a loop written for optax: one line changes, and the same model is swept by fnopt."""

import jax
import jax.numpy as jnp

import fnopt as fo

try:
    import equinox as eqx
    import optax
except ImportError as error:
    eqx = optax = None
    MISSING = f"this example needs {error.name}, which is not installed: pip install 'fnopt[interop]'"


def network(key):
    return eqx.nn.MLP(in_size=13, out_size=3, width_size=16, depth=1, activation=jax.nn.tanh, key=key)


def train(transform, data, steps):
    """An optax loop as it stands in their guides; the weights after each step."""
    model = network(jax.random.key(0))
    state = transform.init(eqx.filter(model, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(model, state):
        def cost(model):
            return optax.softmax_cross_entropy_with_integer_labels(jax.vmap(model)(data.x), data.y).mean()

        value, grads = eqx.filter_value_and_grad(cost)(model)
        updates, state = transform.update(grads, state, eqx.filter(model, eqx.is_inexact_array))
        return eqx.apply_updates(model, updates), state, value

    path = []
    for _ in range(steps):
        model, state, value = step(model, state)
        path.append(eqx.filter(model, eqx.is_inexact_array))
    return path, float(value)


def sweep(train, dev, n, epochs):
    """The same network as a model of fnopt: the arrays are the parameters, all else is structure."""
    _, static = eqx.partition(network(jax.random.key(0)), eqx.is_inexact_array)

    def predict(params, stats, x, hyper):
        return jax.vmap(eqx.combine(params, static))(x)

    def loss(params, stats, batch, hyper, key, train):
        return fo.losses.softmax_cross_entropy(predict(params, stats, batch.x, hyper), batch.y), stats

    model = fo.supervised(
        init=lambda key, example, hyper: (eqx.filter(network(key), eqx.is_inexact_array), ()),
        loss=loss,
        predict=predict,
        optimizer=fo.optim.ema(fo.optim.adam),
        standardize=True,
    )
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), ema_decay=fo.one_minus_log_uniform(0.5, 0.99))
    return fo.caviar(model, space, train, dev, n=n, epochs=epochs, key=jax.random.key(1))


def main(steps=50, n=6, epochs=5):
    if eqx is None:
        print(MISSING)
        return None
    data = fo.data.load("wine")
    data = data._replace(x=fo.data.standardizer(data.x)(data.x))
    theirs, _ = train(optax.adam(1e-2), data, steps)
    ours, cost = train(fo.optim.as_transform(fo.optim.adam, lr=1e-2), data, steps)  # the line that changes
    apart = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), ours, theirs)
    most = max(jax.tree.leaves(apart))
    print(f"cost {cost:.4f} after {steps} steps; never more than {most:.1e} from where optax goes")
    assert most <= 1e-5
    some, dev = fo.data.split(fo.data.load("wine"), (0.7, 0.3), key=jax.random.key(0), stratify=True)
    found = sweep(some, dev, n, epochs)
    print(found)
    return most, found


if __name__ == "__main__":
    main()
