"""Scoring a part of the data in fixed blocks of rows, dropout off."""

import jax
import jax.numpy as jnp
from jax import Array

from fnopt._types import Batch, Params, Stats, Trial
from fnopt.losses import weighted_mean
from fnopt.train.part import Part
from fnopt.train.scores import SCORES


def evaluate(trial: Trial, params: Params, stats: Stats, numbers: dict[str, Array], part: Part) -> Array:
    """The mean loss (without penalty), then the trial's metrics in its order, shape=(1 + metrics,).

    Metrics of values are in the user's units, whatever the units of training; the loss is in those of training.
    """

    def one_block(batch: Batch) -> tuple[Array, Array]:
        losses, _ = trial.loss(params, stats, batch, numbers, None, False)
        return losses, trial.predict(params, stats, batch.x, numbers)

    blocks = jax.tree.map(
        lambda a: a.reshape(-1, part.block, *a.shape[1:]), Batch(x=part.x, y=part.y, weight=part.weight)
    )
    losses, outputs = jax.lax.map(one_block, blocks)
    losses = losses.reshape(-1).astype(part.weight.dtype)
    outputs = outputs.reshape(-1, *outputs.shape[2:])
    y = part.y
    if trial.task == "values":
        outputs = _in_users_units(linked(trial, outputs.reshape(y.shape)), part)
        y = _in_users_units(y, part)
    scores = [SCORES[trial.task][name].of(y, outputs, part.weight) for name in trial.metrics]
    mean = weighted_mean(losses, part.weight)
    return jnp.stack([mean, *(s.astype(mean.dtype) for s in scores)])


def linked(trial: Trial, outputs: Array) -> Array:
    """Values from a network's outputs: themselves, or e to the power of log rates."""
    return jnp.exp(outputs) if trial.link == "log" else outputs


def _in_users_units(values: Array, part: Part) -> Array:
    scale, mean = (jnp.broadcast_to(a, values.shape) for a in (part.scale, part.mean))
    return values.astype(scale.dtype) * scale + mean
