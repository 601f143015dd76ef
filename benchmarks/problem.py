"""One piece of work for all contestants of a step race: the same data, sizes, weights, orders and learning rates."""

from typing import Any, NamedTuple

import jax
import numpy as np

import fnopt as fo

FEATURES, CLASSES, BATCH = 64, 10, 64
Layers = list[tuple[Any, Any]]  # (weight (in, out), bias (out,)) of each layer, with a leading lane axis after training


class Problem(NamedTuple):
    """A three-layer ReLU network on digits, ``lanes`` times."""

    x: np.ndarray  # shape=(rows, 64), float32, standardized; whole batches, so that nobody gains by a short last one
    y: np.ndarray  # shape=(rows,), int32
    width: int
    lanes: int
    epochs: int
    few: int  # lanes that suffice for a peer that trains one after another
    dev: tuple[np.ndarray, np.ndarray]  # what is scored after each epoch by those who score

    @property
    def parameters(self) -> int:
        """Weights and biases of one lane."""
        w = self.width
        return (FEATURES + 1) * w + (w + 1) * w + (w + 1) * CLASSES

    @property
    def steps(self) -> int:
        """Updates of one lane in an epoch."""
        return len(self.x) // BATCH

    @property
    def updates(self) -> int:
        """Updates of one lane in all."""
        return self.epochs * self.steps

    @property
    def flops(self) -> float:
        """Operations of one lane-step: 6 a weight and example, less the gradient of the inputs, which nobody needs."""
        return 6.0 * BATCH * self.parameters - 2.0 * BATCH * self.width * FEATURES

    @property
    def bytes(self) -> float:
        """An estimate of the memory traffic of one lane-step: 40 bytes a parameter, 28 of them Adam's own."""
        return 40.0 * self.parameters


class Draw(NamedTuple):
    """What one round draws; every peer of the round gets the same."""

    lrs: np.ndarray  # shape=(lanes,), float32
    layers: Layers  # initial weights, shared by the lanes
    order: np.ndarray  # shape=(epochs, steps, batch), int32: the rows of each batch


def digits(rows: int) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """So many standardized digits to train on, and a quarter as many others as a dev part."""
    data = fo.data.digits()
    x, y = np.asarray(data.x, np.float32), np.asarray(data.y, np.int32)
    x = (x - x[:rows].mean(0)) / np.maximum(x[:rows].std(0), 1e-3)
    end = rows + rows // 4
    return x[:rows], y[:rows], (x[rows:end], y[rows:end])


def draw(problem: Problem, lrs: Any, seed: int) -> Draw:
    """He weights, zero biases, and a fresh shuffle for each epoch."""
    net = fo.nn.mlp(hidden=(problem.width, problem.width), out=CLASSES)
    params: Any = net.init(jax.random.key(seed), features=FEATURES)[0]
    layers = [(np.asarray(layer["weight"]), np.asarray(layer["bias"])) for layer in params.values()]
    rng = np.random.default_rng(seed)
    order = np.stack([rng.permutation(len(problem.x)) for _ in range(problem.epochs)])
    shape = problem.epochs, problem.steps, BATCH
    return Draw(np.asarray(lrs, np.float32), layers, order.reshape(shape).astype(np.int32))


def losses(problem: Problem, layers: Layers) -> np.ndarray:
    """The mean training loss of each lane, in float64 NumPy: an oracle that no contestant shares."""
    made = []
    for lane in range(len(layers[0][0])):
        h = problem.x.astype(np.float64)
        for k, (weight, bias) in enumerate(layers):
            h = h @ np.asarray(weight[lane], np.float64) + np.asarray(bias[lane], np.float64)
            h = np.maximum(h, 0) if k < len(layers) - 1 else h
        top = h.max(1, keepdims=True)
        normal = top[:, 0] + np.log(np.exp(h - top).sum(1))
        made.append(np.mean(normal - h[np.arange(len(h)), problem.y]))
    return np.array(made)
