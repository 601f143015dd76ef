"""Optuna: TPE proposes, its hyperband pruner ends trials by their dev loss after each epoch; one trial a core.

A trial trains a network by a jitted epoch in plain JAX with ``fo.optim.adam``: one compile a structure and batch size,
numbers traced, so the peer pays no more for compiling than a careful user would.
"""

import threading
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optuna

import fnopt as fo
from benchmarks.machine import cores
from benchmarks.regret import BATCHES, ETA, HIDDEN

optuna.logging.set_verbosity(optuna.logging.ERROR)
ONCE = threading.Lock()  # two trials of one structure share its programs


def search(train: Any, dev: Any, seed: int, epochs: int, networks: int, seconds: float) -> dict[str, Any]:
    """As many trials as the time allows; the best of those trained in full, or of all where none was."""
    arrays = _prepared(train, dev)
    classes = None if train.classes is None else len(train.classes)
    trained: list[int] = []

    def objective(trial: optuna.Trial) -> float:
        hyper = _proposed(trial, networks)
        losses = []
        for loss in _curve(hyper, arrays, classes, epochs, seed):
            losses.append(loss)
            trial.report(loss if np.isfinite(loss) else 1e9, len(losses))
            if not np.isfinite(loss) or (len(losses) < epochs and trial.should_prune()):
                break
        trained.append(len(losses))
        if len(losses) < epochs or not np.isfinite(losses[-1]):
            raise optuna.TrialPruned
        return losses[-1]

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=cores() > 1),
        pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=ETA),
    )
    study.optimize(objective, timeout=seconds, n_jobs=cores())
    done = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    some = [t for t in study.trials if t.intermediate_values]
    best = min(done or some, key=lambda t: min(t.intermediate_values.values()) if t.value is None else t.value)
    return dict(hyper=_hyper(best.params), trials=len(study.trials), epochs=float(sum(trained)), full=bool(done))


def _proposed(trial: optuna.Trial, networks: int) -> dict[str, Any]:
    trial.suggest_categorical("hidden", [" ".join(map(str, h)) for h in HIDDEN[:networks]])
    trial.suggest_categorical("batch_size", BATCHES)
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_float("l2", 1e-6, 1e-1, log=True)
    trial.suggest_float("one_minus_b1", 1e-3, 0.5, log=True)
    return _hyper(trial.params)


def _hyper(params: dict[str, Any]) -> dict[str, Any]:
    """Optuna's names as ours."""
    hidden = tuple(map(int, params["hidden"].split()))
    return dict(
        hidden=hidden, batch_size=params["batch_size"], lr=params["lr"], l2=params["l2"], b1=1 - params["one_minus_b1"]
    )


def _prepared(train: Any, dev: Any) -> dict[str, Any]:
    """Inputs (and targets that are values) scaled by the training part, as ours are."""
    scale = fo.data.standardizer(train.x)
    y, dev_y = train.y, dev.y
    if train.classes is None:
        mean, std = jnp.mean(train.y), jnp.std(train.y)
        y, dev_y = (train.y - mean) / std, (dev.y - mean) / std
    return dict(x=scale(train.x), y=y, dev_x=scale(dev.x), dev_y=dev_y)


def _curve(hyper: dict[str, Any], arrays: Any, classes: int | None, epochs: int, seed: int) -> Any:
    """The dev loss after each epoch."""
    outputs = 1 if classes in (None, 2) else classes
    with ONCE:
        begin, one_epoch = _programs(hyper["hidden"], min(hyper["batch_size"], len(arrays["x"])), outputs, classes)
    key = jax.random.key(seed)
    state = begin(key, arrays["x"], hyper["lr"], hyper["b1"])
    for epoch in range(epochs):
        state, loss = one_epoch(state, hyper["l2"], arrays, jax.random.fold_in(key, epoch))
        yield float(loss)


@cache
def _programs(hidden: tuple[int, ...], batch: int, outputs: int, classes: int | None) -> tuple[Any, Any]:
    net = fo.nn.mlp(hidden=hidden, out=outputs)

    def mean_loss(params: Any, x: Any, y: Any) -> Any:
        z, _ = net.forward(params, (), x)
        if classes is None:
            return fo.losses.squared_error(z[:, 0], y).mean()
        if outputs == 1:
            return fo.losses.sigmoid_cross_entropy(z[:, 0], y.astype(z.dtype)).mean()
        return fo.losses.softmax_cross_entropy(z, y).mean()

    @jax.jit
    def begin(key: Any, x: Any, lr: Any, b1: Any) -> Any:
        return fo.optim.adam.init(net.init(key, features=x.shape[1])[0], lr=lr, b1=b1)

    @partial(jax.jit, donate_argnums=0)
    def one_epoch(state: Any, l2: Any, arrays: Any, key: Any) -> Any:
        x, y = arrays["x"], arrays["y"]
        steps = -(-len(x) // batch)
        order = jnp.resize(jax.random.permutation(key, len(x)), (steps, batch))  # the last batch is filled up

        def step(state: Any, rows: Any) -> Any:
            def cost(params: Any) -> Any:
                return mean_loss(params, x[rows], y[rows]) + fo.penalties.l2(params, l2)

            return fo.optim.adam.update(state, jax.grad(cost)(state.params)), None

        state, _ = jax.lax.scan(step, state, order)
        return state, mean_loss(state.params, arrays["dev_x"], arrays["dev_y"])

    return begin, one_epoch
