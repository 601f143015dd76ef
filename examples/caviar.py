"""Caviar: a search over numbers and structures, ranked, replayed bit for bit, and its winner tested once."""

import jax

import fnopt as fo


def main(n=24, epochs=8):
    train, dev, test = fo.data.split(fo.data.load("iris"), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    space = dict(
        lr=fo.log_uniform(1e-3, 1e-1),
        b1=fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.999)),  # exists only under adam
        l2=fo.log_uniform(1e-6, 1e-2),
        batch_size=16,
        hidden=fo.choice((8,), (16, 16)),
        optimizer=fo.choice("momentum", "adam"),
    )
    sweep = fo.caviar(fo.classifier(), space, train, dev, n=n, epochs=epochs, seeds=2, key=jax.random.key(3))
    print(sweep)
    print()
    print(sweep.plan)

    first = sweep.best.config
    again = sweep.replay(first, seed=1)  # trained again, alone: the same bits, or an error
    print(f"\nconfiguration {first} replayed: {again}")

    model = sweep.refit(train, dev)  # the winner on both parts, for the epochs that were best
    print(f"test accuracy {model.evaluate(test)['accuracy']:.4f}")
    return sweep, model


if __name__ == "__main__":
    main()
