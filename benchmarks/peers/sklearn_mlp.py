"""scikit-learn's MLPClassifier, one model a core at a time by joblib."""

import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.neural_network import MLPClassifier

from benchmarks.machine import cores
from benchmarks.peers import Train
from benchmarks.problem import BATCH, CLASSES, Draw, Layers, Problem


def trainer(problem: Problem) -> Train:
    """The given weights by ``warm_start``; its own shuffles; no stopping before the last epoch."""
    lanes = max(problem.few // cores(), 1) * cores()

    def train(draw: Draw):  # type: ignore[no-untyped-def]
        lrs = draw.lrs[:lanes].tolist()
        made = Parallel(n_jobs=-1)(delayed(one)(problem, lr, draw.layers, k) for k, lr in enumerate(lrs))
        return lambda: [
            (np.stack(w), np.stack(b)) for w, b in (zip(*lanes, strict=True) for lanes in zip(*made, strict=True))
        ]

    return train


def one(problem: Problem, lr: float, layers: Layers, seed: int) -> Layers:
    """Train one network, and give its weights back."""
    net = MLPClassifier(
        (problem.width, problem.width),
        solver="adam",
        alpha=0.0,
        batch_size=BATCH,  # pyright: ignore
        learning_rate_init=lr,
        max_iter=problem.epochs,
        n_iter_no_change=problem.epochs + 1,
        warm_start=True,
        random_state=seed,
    )
    net.partial_fit(problem.x[:BATCH], problem.y[:BATCH], classes=np.arange(CLASSES))  # makes room for weights
    net.coefs_, net.intercepts_ = ([np.array(part) for part in parts] for parts in zip(*layers, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        net.fit(problem.x, problem.y)
    return list(zip(net.coefs_, net.intercepts_, strict=True))
