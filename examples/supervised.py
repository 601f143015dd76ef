"""A network written by hand as three pure functions: it is fitted and swept as the built-in one is."""

import jax
import jax.numpy as jnp

import fnopt as fo

WIDTH = 16


def init(key, example, hyper):
    """He weights; the number of inputs is that of the example."""
    first, second = jax.random.split(key)
    inputs = example.x.shape[1]
    params = {
        "w1": jax.random.normal(first, (inputs, WIDTH)) * jnp.sqrt(2 / inputs),
        "b1": jnp.zeros(WIDTH),
        "w2": jax.random.normal(second, (WIDTH, 3)) * jnp.sqrt(2 / WIDTH),
        "b2": jnp.zeros(3),
    }
    return params, ()


def predict(params, stats, x, hyper):
    """Logits; ``gain`` is a number of the model's own, and can be searched as any other."""
    a = jnp.tanh(hyper["gain"] * (x @ params["w1"] + params["b1"][None, :]))
    return a @ params["w2"] + params["b2"][None, :]


def loss(params, stats, batch, hyper, key, train):
    """One value an example: the lane program takes the mean, with the weights."""
    return fo.losses.softmax_cross_entropy(predict(params, stats, batch.x, hyper), batch.y), stats


def main(n=16, epochs=10):
    model = fo.supervised(init, loss, predict, numbers=dict(gain=1.0), optimizer="adam", standardize=True)
    train, dev, test = fo.data.split(fo.data.load("wine"), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    space = dict(lr=fo.log_uniform(1e-3, 1e-1), gain=fo.log_uniform(0.1, 3.0), batch_size=32)
    sweep = fo.caviar(model, space, train, dev, n=n, epochs=epochs, key=jax.random.key(1))
    print(sweep)
    run = sweep.refit()
    print(f"\ntest accuracy {run.evaluate(test)['accuracy']:.4f}")
    return sweep, run


if __name__ == "__main__":
    main()
