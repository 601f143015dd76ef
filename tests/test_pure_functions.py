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
    """The weights after two updates; x is the weights and their gradient."""
    state = optimizer.init({"w": x}, lr=0.01)
    return optimizer.update(optimizer.update(state, {"w": x}), {"w": x}).params["w"]


def rate(make, x):
    """A schedule's values at three steps; x its first numbers."""
    return jnp.stack([make(x)(k) for k in (0, 3, 20)])


def scores(f, x):
    return jnp.stack([jnp.sum(jnp.nan_to_num(leaf, posinf=9)) for leaf in jax.tree.leaves(f(x))])


METRICS = {
    **of(
        fo.metrics,
        "mean_squared_error root_mean_squared_error mean_absolute_error median_absolute_error max_error r2 "
        "explained_variance d2_absolute_error mean_absolute_percentage_error mean_squared_log_error "
        "mean_poisson_deviance mean_gamma_deviance mean_tweedie_deviance mean_pinball d2_pinball d2_tweedie",
        score,
    ),
    **of(
        fo.metrics,
        "log_loss brier roc_auc average_precision expected_calibration_error d2_log_loss d2_brier hinge",
        chance,
    ),
    **of(fo.metrics, "calibration_curve", lambda f, x: scores(lambda p: f(T, p, bins=2), x)),
    **of(
        fo.metrics,
        "precision_recall_curve det_curve",
        lambda f, x: scores(lambda w: tuple(f(T, Y, weight=w))[:2], x),
    ),
    **of(
        fo.metrics,
        "likelihood_ratios classification_report",
        lambda f, x: scores(lambda w: f(T, np.roll(T[::-1], 2) * [1, 1, 1, 0, 1, 1], weight=w), x),
    ),
    **of(fo.metrics, "multilabel_confusion_matrix", of_labels),
    **of(fo.metrics, "dcg ndcg", lambda f, x: f(np.arange(M).reshape(1, M), x[None, :])),
    **of(fo.metrics, "updates_to", lambda f, x: f(x, 0.5)[1] * jnp.sum(x)),
    **of(
        fo.metrics,
        "balanced_accuracy matthews_corrcoef cohen_kappa precision recall sensitivity specificity "
        "false_positive_rate f1 jaccard confusion_matrix",
        of_labels,
    ),
    **of(fo.metrics, "accuracy zero_one hamming", lambda f, x: f(T, T[::-1], weight=x)),
    "fnopt.metrics.fbeta": lambda x: fo.metrics.fbeta(T, T[::-1], beta=2.0, weight=x, classes=2),
    "fnopt.metrics.rates": lambda x: scores(fo.metrics.rates, x[:4].reshape(2, 2)),
    "fnopt.metrics.roc_curve": lambda x: scores(lambda w: fo.metrics.roc_curve(T, Y, weight=w), x),
    "fnopt.metrics.area": lambda x: fo.metrics.area(jnp.cumsum(x), Y),
    "fnopt.metrics.top_k_accuracy": lambda x: fo.metrics.top_k_accuracy(T, jnp.stack([Y, Y[::-1]], 1), k=1, weight=x),
}
LOSSES = {
    **of(fo.losses, "squared_error absolute_error huber log_cosh quantile poisson hinge sigmoid_cross_entropy", loss),
    "softmax": lambda x: jnp.mean(fo.losses.softmax_cross_entropy(x.reshape(3, 2), T[:3])),
}
OPTIMIZERS = {name: partial(step, optimizer) for name, optimizer in fo.optim.TABLE.items()}
ADAM = fo.optim.adam
WRAPPERS = {
    f"fnopt.optim.wrappers.{name}": partial(step, wrap(ADAM, *more))
    for name, wrap in fo.optim.wrappers.WRAPPERS.items()
    for more in [({"*": 0.5},) if name.endswith("by_path") else ()]
}
S = fo.schedules
SCHEDULES = {
    "constant": lambda x: S.constant(x[0]),
    "inverse_time": lambda x: S.inverse_time(x[0], x[1]),
    "exponential": lambda x: S.exponential(x[0], x[1]),
    "inverse_sqrt": lambda x: S.inverse_sqrt(x[0], x[1]),
    "step_decay": lambda x: S.step_decay(x[0], x[1], 4.0),
    "piecewise": lambda x: S.piecewise([4.0, 9.0], [x[0], x[1], x[2]]),
    "linear": lambda x: S.linear(x[0], x[1], 10 * x[2]),
    "polynomial": lambda x: S.polynomial(x[0], x[1], 10 * x[2], 1 + x[3]),
    "cosine": lambda x: S.cosine(x[0], 20 + x[1], warmup=2 * x[2], floor=x[3] / 9),
    "one_cycle": lambda x: S.one_cycle(x[0], 20 + x[1], 0.3 * x[2]),
    "warmup_stable_decay": lambda x: S.warmup_stable_decay(x[0], 20 + x[1], 2.0, 5 + x[2]),
    "warm_restarts": lambda x: S.warm_restarts(x[0], 7 + x[1]),
    "cyclic": lambda x: S.cyclic(x[0] / 9, x[1], 4 + x[2]),
    "plateau": lambda x: S.plateau(x[0]),
    "every": lambda x: S.cosine(x[0], 20 + x[1]).every(3),
    "stretched": lambda x: S.cosine(x[0], 20 + x[1]).stretched(2.0),
}
SCHEDULES = {f"fnopt.schedules.{name}": partial(rate, make) for name, make in SCHEDULES.items()}
NET = fo.nn.mlp(hidden=(4,), out=2, norm="batch")
PARAMS, STATS = NET.init(KEY, features=2)
DATA = fo.data.dataset(np.arange(12.0).reshape(6, 2), T)


def normed(x):
    outputs, stats = NET.forward(PARAMS, STATS, x.reshape(3, 2), dropout=jnp.mean(x), key=KEY, train=True)
    return jnp.concatenate([outputs.ravel(), *(leaf.ravel() for leaf in jax.tree.leaves(stats))])


def moved(x):
    """The data with other inputs."""
    return fo.data.dataset(jnp.stack([x, Y], 1), T)


NETS = {
    **{
        f"fnopt.nn.activations.{name}": partial(fo.nn.activate, name)
        for name in fo.nn.activations.TABLE
        if name != "prelu"
    },
    "prelu": lambda x: fo.nn.prelu(x - 0.5, x[0]),
    "nn.mlp": normed,
    "nn.initialize": lambda x: fo.nn.initialize(KEY, 2, 3) * x[0],
    "penalties.l1": lambda x: fo.penalties.l1({"weight": x.reshape(3, 2)}, jnp.mean(x)),
    "penalties.shrink": lambda x: fo.penalties.shrink({"weight": x.reshape(3, 2)}, x[0])["weight"],
    "penalties.max_norm": lambda x: fo.penalties.max_norm({"weight": x.reshape(3, 2)}, x[0])["weight"],
}
DOORS = {
    "data.dataset": lambda x: moved(x).x,
    "data.split": lambda x: jnp.concatenate([part.x for part in fo.data.split(moved(x), (0.5, 0.5), key=KEY)]),
    "data.stratified": lambda x: fo.data.split(DATA._replace(weight=x), (0.5, 0.5), key=KEY, stratify=True)[0].weight,
    "data.folds": lambda x: fo.data.folds(moved(x), 2, key=KEY).parts(moved(x))[0][1].x,
    "data.standardizer": lambda x: fo.data.standardizer(moved(x).x)(moved(x).x),
    "data.batches": lambda x: jnp.stack([batch.x for batch in fo.data.batches(moved(x), 3, key=KEY)]),
}
OTHERS = {
    "nn.dropout": lambda x: jnp.sum(fo.nn.dropout(x, jnp.mean(x), KEY)),
    "penalties.l2": lambda x: fo.penalties.l2({"weight": x.reshape(3, 2)}, jnp.mean(x)),
}
KINDS = {
    "metrics": METRICS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "wrappers": WRAPPERS,
    "schedules": SCHEDULES,
    "nets": NETS,
    "data": DOORS,
    "others": OTHERS,
}


@pytest.mark.parametrize(
    "kind", [kind if kind != "wrappers" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_pure_functions_under_every_transformation(kind):
    table = KINDS[kind]
    rows = jnp.stack([X, X[::-1]])

    def each(x):
        return {name: jnp.asarray(f(x)) for name, f in table.items()}

    alone = each if kind == "metrics" else jax.jit(each)  # these tell known values from traced ones
    plain = [alone(row) for row in rows]
    lanes = jax.jit(lambda pairs: jax.lax.scan(lambda c, pair: (c, jax.vmap(each)(pair)), 0, pairs)[1])
    both = lanes(jnp.stack([rows, rows[::-1]]))  # one program: a vmap in a scan, each in both places
    slopes = jax.jit(lambda x: {name: jax.grad(lambda y, f=f: jnp.sum(f(y)))(x) for name, f in table.items()})(rows[0])
    for name in table:
        for step, lane in ((0, 0), (0, 1), (1, 0), (1, 1)):
            expected = plain[step ^ lane][name]
            np.testing.assert_allclose(both[name][step, lane], expected, rtol=2e-5, atol=1e-6, err_msg=name)
        assert np.isfinite(slopes[name]).all() and slopes[name].shape == (M,), (name, slopes[name])


@pytest.mark.parametrize("module", [fo.metrics, fo.losses, fo.schedules, fo.optim.wrappers, fo.nn.activations])
def test_no_public_function_is_left_out(module):
    there = {name.rpartition(".")[2] for table in KINDS.values() for name in table}
    names = module.TABLE if module is fo.nn.activations else vars(module)
    own = {name for name in names if callable(getattr(module, name, None)) and name[0] != "_" and name.islower()}
    assert own - there <= {"filled", "follow", "follows", "softmax_cross_entropy", "weighted_mean"}
