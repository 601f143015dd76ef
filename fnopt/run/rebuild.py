"""A sweep put together again from what its folder holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._types import Dataset
from fnopt.model import Model, as_optimizer, prepare
from fnopt.run.assemble import assemble
from fnopt.run.codec import decode
from fnopt.run.setup import bind, metrics_of
from fnopt.run.sweep import Sweep
from fnopt.sweep.chunk import LaneResult, Work, digest
from fnopt.sweep.merge import Options
from fnopt.train import Objective, early_stopping


def rebuild(
    asked: Mapping[str, Any],
    model: Model,
    train: Dataset,
    dev: Dataset | None,
    results: Sequence[LaneResult],
    weights: Mapping[tuple[int, int], Mapping[str, list[np.ndarray]]],
) -> Sweep:
    """The sweep that was asked for, with its results and the weights of its best."""
    data = prepare(model, train, dev)
    objective = Objective(*asked["objective"])
    configs = [decode(config) for config in asked["configs"]]
    metrics = metrics_of(model.task, objective)
    ready = [bind(model, config, data, metrics) for config in configs]
    optimizers, sizes = asked["options"]
    options = Options(tuple(as_optimizer(o) for o in optimizers), tuple(sizes))
    rule = None if asked["stop"] is None else early_stopping(*asked["stop"])
    bits = jnp.asarray(asked["key"]["data"], jnp.uint32)
    key = jax.random.wrap_key_data(bits, impl=asked["key"]["impl"])
    work = Work(data.train, data.dev, data.example, objective, rule, asked["epochs"], key)
    told = {name: asked[name] for name in ("seeds", "space", "search", "fingerprint")}
    sweep = assemble(model, (train, dev), data.frame, work, configs, ready, options=options, **told)
    sweep.kept.add([_with_weights(sweep, result, weights.get((result.config, result.seed))) for result in results])
    return sweep


def _with_weights(sweep: Sweep, result: LaneResult, leaves: Mapping[str, list[np.ndarray]] | None) -> LaneResult:
    """A lane's result with its kept weights, checked against their digest."""
    if leaves is None:
        return result
    trial = sweep.trials[result.config]
    plain = {name: jnp.asarray(0.5) for name in trial.numbers}
    params, stats = jax.eval_shape(lambda key: trial.init(key, sweep.work.example, plain), sweep.work.key)
    made = [jax.tree.unflatten(jax.tree.structure(t), leaves[n]) for t, n in ((params, "params"), (stats, "stats"))]
    if digest(*made) != result.digest:
        raise ValueError(f"the kept weights of configuration {result.config} were altered: their digest differs")
    return result._replace(params=made[0], stats=made[1])
