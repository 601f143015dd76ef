"""Every public pure function of numbers under jit, vmap, grad and scan: one table, a row a function."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo

M = 6
X = np.linspace(0.1, 0.9, M, dtype=np.float32)
T = (np.arange(M) % 2).astype(np.int32)
Y = np.linspace(0.2, 1.1, M, dtype=np.float32)
KEY = jax.random.key(0)


def of(module, names, call):
    """A row for each name: the function of one array that ``call`` makes of it."""
    return {f"{module.__name__}.{name}": partial(call, getattr(module, name)) for name in names.split()}


def score(f, x):
    return f(Y, x)


def chance(f, x):
    return f(T, x)


def of_labels(f, x):  # labels do not move, their weights do
    return f(T, T[::-1], weight=x, classes=2)


def loss(f, x):
    return jnp.mean(f(x, Y))


def step(optimizer, x):
    return jnp.sum(optimizer.update(optimizer.init(x, lr=0.01), x).params)


METRICS = {
    **of(
        fo.metrics,
        "mean_squared_error root_mean_squared_error mean_absolute_error median_absolute_error max_error r2 "
        "explained_variance d2_absolute_error mean_absolute_percentage_error mean_squared_log_error "
        "mean_poisson_deviance",
        score,
    ),
    **of(fo.metrics, "log_loss brier roc_auc", chance),
    **of(fo.metrics, "balanced_accuracy matthews_corrcoef cohen_kappa precision recall f1 jaccard", of_labels),
}
LOSSES = {
    **of(fo.losses, "squared_error absolute_error huber log_cosh quantile poisson hinge sigmoid_cross_entropy", loss),
    "softmax": lambda x: jnp.mean(fo.losses.softmax_cross_entropy(x.reshape(3, 2), T[:3])),
}
OPTIMIZERS = {name: partial(step, optimizer) for name, optimizer in fo.optim.TABLE.items()}
OTHERS = {
    "nn.dropout": lambda x: jnp.sum(fo.nn.dropout(x, jnp.mean(x), KEY)),
    "penalties.l2": lambda x: fo.penalties.l2({"weight": x.reshape(3, 2)}, jnp.mean(x)),
}
KINDS = {"metrics": METRICS, "losses": LOSSES, "optimizers": OPTIMIZERS, "others": OTHERS}


@pytest.mark.parametrize("kind", KINDS)
def test_pure_functions_under_every_transformation(kind):
    table = KINDS[kind]
    rows = jnp.stack([X, X[::-1]])

    def each(x):
        return {name: jnp.asarray(f(x)) for name, f in table.items()}

    alone = each if kind == "metrics" else jax.jit(each)  # these tell known values from traced ones
    plain = [alone(row) for row in rows]
    ways = {
        "vmap": jax.jit(jax.vmap(each))(rows),
        "scan": jax.jit(lambda rows: jax.lax.scan(lambda c, x: (c, each(x)), 0, rows)[1])(rows),
    }
    slopes = jax.jit(lambda x: {name: jax.grad(lambda y, f=f: jnp.sum(f(y)))(x) for name, f in table.items()})(rows[0])
    for name in table:
        for way, got in ways.items():
            for k in range(2):
                np.testing.assert_allclose(got[name][k], plain[k][name], rtol=2e-5, atol=1e-6, err_msg=f"{name} {way}")
        assert np.isfinite(slopes[name]).all() and slopes[name].shape == (M,), name
