"""A sweep put together again from what its folder holds."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fnopt._types import Dataset, Score
from fnopt.data import folds as folds_of
from fnopt.model import Model, as_optimizer
from fnopt.run.assemble import assemble, prepare_folds, work_of
from fnopt.run.codec import decode
from fnopt.run.manifest import rules_from
from fnopt.run.measure import Measured
from fnopt.run.setup import bind_folds
from fnopt.run.sweep import Sweep
from fnopt.space import SearchSpace
from fnopt.sweep.merge import Options
from fnopt.train import Objective, metrics_of, score_of


def rebuild(asked: Mapping[str, Any], model: Model, train: Dataset, dev: Dataset | None) -> Sweep:
    """The sweep that was asked for, with nothing done yet."""
    folds = None if asked["folds"] is None else folds_of(train, asked["folds"])
    scores = _followed(model.task, asked.get("follow", []))
    prepared = prepare_folds(model, train, dev, folds, any(score.own for score in scores))
    part, metric = asked["objective"]
    objective = Objective(part, score_of(model.task, metric, scores), asked.get("level"))
    configs = [decode(config) for config in asked["configs"]]
    metrics = metrics_of(model.task, objective, scores)
    ready = [bind_folds(model, config, prepared, metrics) for config in configs]
    optimizers, sizes, narrowest = asked["options"]
    options = Options(tuple(as_optimizer(decode(o)) for o in optimizers), tuple(sizes), narrowest)
    patience, rule = rules_from(asked["stop"])
    bits = jnp.asarray(asked["key"]["data"], jnp.uint32)
    key = jax.random.wrap_key_data(bits, impl=asked["key"]["impl"])
    told = {"objective": objective, "rule": patience, "epochs": asked["epochs"], "key": key, "every": asked["every"]}
    sweep = assemble(
        model,
        (train, dev),
        prepared,
        work_of(prepared, **told),
        configs,
        ready,
        options=options,
        stop=rule,
        folds=folds,
        widths=asked["widths"],
        space=SearchSpace.from_json(asked["space"], decode, model.structure),
        **{name: asked[name] for name in ("seeds", "search", "fingerprint")},
    )
    sweep.notes, sweep.measured = dict(asked["notes"]), [Measured(*m) for m in asked["measured"]]
    return sweep


def _followed(task: str, follow: Any) -> tuple[Score, ...]:
    """The scores that were followed; those that a user wrote are without their functions."""
    return tuple(
        score_of(task, name) if digest is None else Score(name, None, higher, own=True)
        for name, higher, digest in follow
    )
