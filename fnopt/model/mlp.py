"""The feedforward network as a trial: forward pass, loss and penalties of one structure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import chex
import jax.numpy as jnp
from jax import Array

from fnopt import losses, nn, penalties
from fnopt._checks import one_of, whole
from fnopt._types import Batch, InitModel, Loss, Params, Predict, Score, Stats, Trial
from fnopt.model.augmenting import view_of, viewed
from fnopt.model.by_layer import apart
from fnopt.numbers import DECAY, FRACTION, NONNEGATIVE, POSITIVE, REAL, Range

# The model's own numbers; each exists in a run that names it, and costs nothing in one that does not.
NUMBERS: dict[str, Range] = {
    "l1": NONNEGATIVE,  # s of s Σ|w|; this and the next two: one for all layers or a tuple, the output last
    "l2": NONNEGATIVE,  # s of s Σ w²
    "prox_l1": NONNEGATIVE,  # λ′ of the proximal step: weights shrink by lr λ′ towards an exact zero
    "max_norm": POSITIVE,  # the largest norm of a unit's incoming weights; under clip_by_global_norm it is the clip's
    "dropout": FRACTION,  # probability to drop a hidden unit; one for all layers or a tuple
    "label_smoothing": FRACTION,  # of classes and labels
    "slope": REAL,  # negative slope of leaky ReLU, α of ELU
    "norm_decay": DECAY,  # of batch norm's averages
    "norm_eps": POSITIVE,
    "norm_unbiased": FRACTION,  # 0: variance by 1/m as Keras, 1: by m/(m-1) as torch
    "norm_bias_correction": FRACTION,
    "norm_start": REAL,
    "delta": POSITIVE,  # of the Huber loss
    "quantile": FRACTION,  # of the quantile loss
}
FORWARD = ("slope", "norm_decay", "norm_eps", "norm_unbiased", "norm_bias_correction", "norm_start")


class Network(NamedTuple):
    """What shapes a network and its loss."""

    task: str
    hidden: tuple[int, ...]
    activation: str
    norm: str | None
    init: str
    loss: str
    outputs: int
    view: Any = None  # an augmentation that leaves a part of x outside training, as a crop to another size; None: all


PER_EXAMPLE: dict[str, dict[str, Callable[..., Array]]] = {
    "classes": {"cross_entropy": losses.softmax_cross_entropy},
    "labels": {"cross_entropy": losses.sigmoid_cross_entropy},
    "values": {
        "squared_error": losses.squared_error,
        "absolute_error": losses.absolute_error,
        "huber": losses.huber,
        "log_cosh": losses.log_cosh,
        "quantile": losses.quantile,
        "poisson": losses.poisson,
    },
}


@dataclass(frozen=True)
class Init:
    """Initial weights; equal for equal networks, as the next two, so that equal trials compile once."""

    network: Network

    def __call__(self, key: chex.PRNGKey, example: Batch, hyper: Mapping[str, Array]) -> tuple[Params, Stats]:
        """The parameters and stats, see ``InitModel``."""
        features = flat(viewed(self.network.view, example.x)).shape[-1]
        return layers(self.network).init(key, features=features, units=_units(self.network, hyper))


@dataclass(frozen=True)
class ExampleLoss:
    """The loss of each example."""

    network: Network

    def __call__(
        self, params: Params, stats: Stats, batch: Batch, hyper: Mapping[str, Array], key: Any, train: bool
    ) -> tuple[Array, Stats]:
        """One value an example and the stats, see ``Loss``."""
        outputs, stats = layers(self.network).forward(
            params,
            stats,
            flat(batch.x if train else viewed(self.network.view, batch.x)),
            dropout=hyper.get("dropout") if train else None,
            key=key,
            train=train,
            weight=batch.weight,
            **_forward(self.network, hyper),
        )
        return example_loss(self.network)(outputs, batch.y, hyper, train), stats


@dataclass(frozen=True)
class Outputs:
    """What the network puts out."""

    network: Network

    def __call__(self, params: Params, stats: Stats, x: Array, hyper: Mapping[str, Array]) -> Array:
        """The outputs, see ``Predict``."""
        x = flat(viewed(self.network.view, x))
        return layers(self.network).forward(params, stats, x, **_forward(self.network, hyper))[0]


class Functions(NamedTuple):
    """A network's pure functions, by their names in a trial."""

    init: InitModel
    loss: Loss
    predict: Predict


def functions(network: Network) -> Functions:
    """Initial weights, loss and outputs of a network.

    Numbers called ``units_0``, ``units_1``, … in what they are given say how many units of each hidden layer are
    real, as in ``fo.nn.masks``.
    """
    return Functions(Init(network), ExampleLoss(network), Outputs(network))


def network_of(trial: Trial) -> Network | None:
    """The network whose functions a trial has, None where some are not of this module."""
    network = getattr(trial.init, "network", None)
    ours = isinstance(network, Network) and functions(network) == (trial.init, trial.loss, trial.predict)
    return network if ours else None


@lru_cache(maxsize=4096)
def layers(network: Network) -> nn.MLP:
    """The network's structure without its loss."""
    return nn.mlp(
        hidden=network.hidden,
        out=network.outputs,
        activation=network.activation,
        norm=network.norm,
        init=network.init,
    )


def _forward(network: Network, hyper: Mapping[str, Array]) -> dict[str, Any]:
    """The numbers that the forward pass takes by name."""
    return {name: value for name, value in hyper.items() if name in FORWARD} | {"units": _units(network, hyper)}


def _units(network: Network, hyper: Mapping[str, Array]) -> tuple[Array | None, ...] | None:
    """How many units of each hidden layer are real; None where no number says."""
    given = tuple(hyper.get(name) for name in unit_names(len(network.hidden)))
    return given if any(x is not None for x in given) else None


def unit_names(depth: int) -> tuple[str, ...]:
    """What the numbers of real units are called, one a hidden layer.

    >>> unit_names(2)
    ('units_0', 'units_1')
    """
    return tuple(f"units_{layer}" for layer in range(depth))


def flat(x: Array) -> Array:
    """Examples as rows of floating numbers: images become vectors."""
    floating = jnp.issubdtype(x.dtype, jnp.floating)
    return (x if floating else x.astype(jnp.result_type(float))).reshape(x.shape[0], -1)


def example_loss(network: Network) -> Callable[[Array, Array, Mapping[str, Array], bool], Array]:
    """The loss per example from outputs of shape=(b, outputs); one output is a logit or a value of its own."""
    function = PER_EXAMPLE[network.task][one_of("loss", network.loss, PER_EXAMPLE[network.task])]
    extra = {"huber": "delta", "quantile": "quantile"}.get(network.loss)
    binary = network.task == "classes" and network.outputs == 1

    def loss(outputs: Array, y: Array, hyper: Mapping[str, Array], train: bool) -> Array:
        smoothing = hyper["label_smoothing"] if train and "label_smoothing" in hyper else None
        if binary:
            return losses.sigmoid_cross_entropy(outputs[:, 0], _smoothed(y.astype(outputs.dtype), smoothing))
        if network.task == "classes":
            return function(outputs, y) if smoothing is None else function(outputs, y, smoothing=smoothing)
        if network.task == "labels":
            each = function(outputs, _smoothed(y.astype(outputs.dtype), smoothing))
            return each if each.ndim == 1 else each.mean(axis=-1)
        outputs = outputs.reshape(y.shape)
        return function(outputs, y) if extra is None or extra not in hyper else function(outputs, y, hyper[extra])

    return loss


def _smoothed(y: Array, smoothing: Array | None) -> Array:
    """Answers of 0 and 1, moved towards 1/2."""
    return y if smoothing is None else y * (1 - smoothing) + 0.5 * smoothing


def penalty(params: Params, hyper: Mapping[str, Array]) -> Array:
    """Elastic net: s₁ Σ|w| + s₂ Σ w² over the weights, each where it is named, a strength for all layers or each."""
    named = [(name, of, hyper[name]) for name, of in (("l1", penalties.l1), ("l2", penalties.l2)) if name in hyper]
    terms = [of(some, s) for name, of, strength in named for some, s in apart(name, params, strength)]
    return sum(terms[1:], terms[0])


def project(params: Any, hyper: Mapping[str, Array], lr: Array) -> Params:
    """The proximal step of L1, then the max-norm constraint, each where it is named."""
    if "prox_l1" in hyper:
        parts: list[Any] = [penalties.shrink(some, lr * s) for some, s in apart("prox_l1", params, hyper["prox_l1"])]
        params = {name: layer for part in parts for name, layer in part.items()}
    return penalties.max_norm(params, hyper["max_norm"]) if "max_norm" in hyper else params


def usual_hidden(features: int, outputs: int) -> tuple[int, ...]:
    """One layer between input and output size (G1), from 8 to 256 units.

    >>> usual_hidden(64, 10)
    (37,)
    """
    return (min(max((features + outputs) // 2, 8), 256),)


def build(
    task: str,
    structure: Mapping[str, Any],
    numbers: tuple[str, ...],
    features: int,
    outputs: int,
    metrics: tuple[Score, ...],
) -> Trial:
    """A feedforward network's trial from a model's structure."""
    hidden = structure["hidden"]
    if hidden is None:
        hidden = usual_hidden(features, outputs)
    hidden = tuple(whole("hidden", width) for width in (hidden if isinstance(hidden, tuple) else (hidden,)))
    names = ("activation", "norm", "init", "loss")
    chosen, augment = {name: structure[name] for name in names}, structure.get("augment")
    network = Network(task=task, hidden=hidden, outputs=outputs, **chosen, view=view_of(augment))
    for check in (layers, example_loss):  # a name that there is not shows here
        check(network)
    return Trial(
        **functions(network)._asdict(),
        optimizer=structure["optimizer"],
        task=task,
        penalty=penalty if {"l1", "l2"} & {*numbers} else None,
        project=project if {"prox_l1", "max_norm"} & {*numbers} else None,
        numbers=numbers,
        batch_size=structure["batch_size"],
        shuffle=structure["shuffle"],
        metrics=metrics,
        link="log" if structure["loss"] == "poisson" else "identity",
        splits=structure["norm"] is None,  # batch norm looks at the whole batch
        augment=augment,
    )
