"""What each number that changes was, epoch by epoch: computed afterwards, since it costs a run without any nothing."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnopt._compile import TRACES
from fnopt._types import Schedule, Trial, updates
from fnopt.schedules import follow
from fnopt.space.path import labels, leaves
from fnopt.sweep.chunk import Place, Work
from fnopt.train import batches_per_epoch, in_unit

ROOM = 64  # epochs


def course(trial: Trial, place: Place, work: Work, history: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What each number of a lane that is a schedule was, epoch by epoch; not lr, which the lane records itself.

    Args:
        trial: whose own numbers go by batches, and its optimizer's by the updates it made.
        place: with the numbers that the lane began with. Those of an optimizer that does not update with each batch are
            left out where a population changed some: they go by epochs then, and no number says how many updates make
            one.
        work: what it was trained on.
        history: the lane's curves.
    """
    told = not place.lineage or trial.optimizer.clock is updates
    named = {name: x for name, x in place.numbers.items() if name != "lr" and (told or name in trial.numbers)}
    changing = {name: x for name, x in named.items() if _changes(x)}
    if not changing:
        return {}
    part, metric = work.objective
    sign = 1.0 if work.objective.higher else -1.0
    shown = np.asarray(history.get(part, history["train"])[metric])
    scores = sign * in_unit((work.objective.score,), shown[:, None], 1 / work.unit)[:, 0]  # as the lane saw them
    each = batches_per_epoch(int(work.folds[place.fold].train.rows), trial.batch_size, trial.batch)
    batches = each * np.arange(1, len(scores) + 1)
    own = {name: x for name, x in changing.items() if name in trial.numbers}
    rest = {name: x for name, x in changing.items() if name not in trial.numbers}
    return {**over_epochs(own, batches, scores), **over_epochs(rest, np.asarray(history["updates"]), scores)}


def over_epochs(numbers: Mapping[str, Any], counts: Any, scores: Any) -> dict[str, np.ndarray]:
    """The value of every schedule among ``numbers`` at the last update of each epoch, by dotted name.

    Args:
        numbers: by name.
        counts: shape=(epochs,), updates made by the end of each epoch.
        scores: shape=(epochs,), what a plateau was shown after each; better when higher.

    >>> from fnopt.schedules import exponential
    >>> numbers = {"lr": 0.1, "dropout": (0.2, exponential(0.8, 0.5).every(3))}
    >>> over_epochs(numbers, np.array([3, 6, 9]), np.zeros(3))["dropout.1"].tolist()
    [0.800000011920929, 0.4000000059604645, 0.20000000298023224]
    """
    changing = {path: x for path, x in leaves(dict(numbers), callable) if callable(x)}
    texts = labels({**changing, **{(name,): None for name in numbers}})
    named = {texts[path]: x for path, x in changing.items()}
    if not named:
        return {}
    f = jnp.result_type(float)
    epochs = len(scores)
    room = (0, -epochs % ROOM)  # lanes end at many ages, and each length would be a program
    steps = np.pad(np.maximum(np.asarray(counts, np.int32) - 1, 0), room)
    begun = jax.tree.map(lambda x: np.asarray(x, f), named)
    values = jax.device_get(_values(begun, steps, np.pad(np.asarray(scores, f), room)))
    return {name: value[:epochs] for name, value in values.items()}


def _changes(number: Any) -> bool:
    return any(callable(x) for x in jax.tree.leaves(number, is_leaf=callable))


@jax.jit
def _values(named: dict[str, Schedule], steps: Any, scores: Any) -> dict[str, Any]:
    TRACES["course"] += 1

    def epoch(now: dict[str, Schedule], seen: Any) -> Any:
        step, score = seen
        return follow(now, score), {name: number(step) for name, number in now.items()}

    return jax.lax.scan(epoch, named, (steps, scores))[1]
