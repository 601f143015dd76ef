"""Optuna's TPE and hyperband over so many trials, each in five folds side by side, by a jitted epoch in plain JAX.

One compile a structure and batch size, numbers traced, the folds of a trial a ``vmap``; a trial a core. The ranges are
those of ours, and so are data, number of trials, epochs and folds.
"""

import threading
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optuna

import fnopt as fo
from benchmarks.machine import cores

optuna.logging.set_verbosity(optuna.logging.ERROR)
BATCHES, ETA = (32, 64, 128), 3
ONCE = threading.Lock()  # two trials of one structure share its programs


def search(n: int, epochs: int, folds: int, hidden: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """The best mean accuracy over the folds of the trials that came to their end, and its standard error."""
    arrays, names = _folds(folds), {" ".join(map(str, layers)): tuple(layers) for layers in hidden}
    trained: list[int] = []

    def objective(trial: optuna.Trial) -> float:
        layers = names[trial.suggest_categorical("hidden", list(names))]
        batch = trial.suggest_categorical("batch_size", BATCHES)
        lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        l2 = trial.suggest_float("l2", 1e-6, 1e-1, log=True)
        b1 = 1 - trial.suggest_float("one_minus_b1", 1e-3, 0.5, log=True)
        b2 = 1 - trial.suggest_float("one_minus_b2", 1e-4, 0.1, log=True)
        with ONCE:
            begin, one_epoch = _programs(layers, batch)
        key = jax.random.key(0)
        state = begin(jax.random.split(key, folds), arrays["x"], lr, b1, b2)
        scores = np.zeros(folds)
        for epoch in range(epochs):
            state, scores = one_epoch(state, l2, arrays, jax.random.fold_in(key, epoch))
            scores = np.asarray(scores)
            trial.report(float(scores.mean()), epoch + 1)
            trained.append(folds)
            if epoch + 1 < epochs and trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("scores", scores.tolist())
        return float(scores.mean())

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0, constant_liar=cores() > 1),
        pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=ETA),
    )
    study.optimize(objective, n_trials=n, n_jobs=cores())
    best = study.best_trial
    each = np.array(best.user_attrs["scores"])
    error = float(each.std(ddof=1) / folds**0.5)
    return dict(score=float(each.mean()), error=error, epochs_trained=sum(trained) / folds, C=None, best=best.params)


def _folds(folds: int) -> dict[str, Any]:
    """The parts of each fold with a leading axis of folds, scaled by their own training part, cut to one size."""
    data = fo.data.digits()
    made = fo.data.folds(data, folds, key=jax.random.key(0), stratify=True).parts(data)
    rows, rest = min(len(train) for train, _ in made), min(len(dev) for _, dev in made)
    scaled = [(fo.data.standardizer(train.x), train, dev) for train, dev in made]
    return dict(
        x=jnp.stack([scale(train.x)[:rows] for scale, train, _ in scaled]),
        y=jnp.stack([train.y[:rows] for _, train, _ in scaled]),
        dev_x=jnp.stack([scale(dev.x)[:rest] for scale, _, dev in scaled]),
        dev_y=jnp.stack([dev.y[:rest] for _, _, dev in scaled]),
    )


@cache
def _programs(hidden: tuple[int, ...], batch: int) -> tuple[Any, Any]:
    net = fo.nn.mlp(hidden=hidden, out=10)

    @jax.jit
    def begin(keys: Any, x: Any, lr: Any, b1: Any, b2: Any) -> Any:
        def one(key: Any) -> Any:
            return fo.optim.adam.init(net.init(key, features=x.shape[-1])[0], lr=lr, b1=b1, b2=b2)

        return jax.vmap(one)(keys)

    @partial(jax.jit, donate_argnums=0)
    def one_epoch(states: Any, l2: Any, arrays: Any, key: Any) -> Any:
        rows = arrays["x"].shape[1]
        order = jnp.resize(jax.random.permutation(key, rows), (-(-rows // batch), batch))  # the last batch is filled up

        def one(state: Any, x: Any, y: Any, dev_x: Any, dev_y: Any) -> Any:
            def step(state: Any, some: Any) -> Any:
                def cost(params: Any) -> Any:
                    z, _ = net.forward(params, (), x[some])
                    return fo.losses.softmax_cross_entropy(z, y[some]).mean() + fo.penalties.l2(params, l2)

                return fo.optim.adam.update(state, jax.grad(cost)(state.params)), None

            state, _ = jax.lax.scan(step, state, order)
            z, _ = net.forward(state.params, (), dev_x)
            return state, (z.argmax(axis=-1) == dev_y).mean()

        return jax.vmap(one)(states, *(arrays[name] for name in ("x", "y", "dev_x", "dev_y")))

    return begin, one_epoch
