"""What a call of ``fit`` without ``epochs`` leaves unsaid, filled in from the model's recipe."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import chex
import jax
import numpy as np

from fnopt._types import Dataset
from fnopt.model import Model, as_optimizer, recipes
from fnopt.run.held_out import hold_out
from fnopt.run.run import Run
from fnopt.space import SearchSpace
from fnopt.space.epochs import longest
from fnopt.train import EarlyStopping

PURPOSE = 2**32 - 2  # of the key that held-out rows draw from; the purposes of a run count from 0
MOST = 300  # epochs of a search that says none
STRUCTURE = ("hidden", "optimizer", "batch_size")


class Call(NamedTuple):
    """A training said in full."""

    train: Dataset
    dev: Dataset | None
    hyper: dict[str, Any]
    epochs: int
    stop: EarlyStopping | None
    watched: str | None  # the objective that early stopping and plateaus look at
    plan: dict[str, Any]  # see ``Run.plan``


def completed(
    model: Model,
    train: Dataset,
    dev: Dataset | None,
    *,
    hyper: Mapping[str, Any] | None,
    key: chex.PRNGKey,
    stop: EarlyStopping | None,
    objective: str | None,
    holdout: float | None,
) -> Call:
    """The training of a call without ``epochs``: everything that neither it nor the model says is the recipe's.

    Without a ``stop`` of the caller's own the weights of the best epoch by dev loss count, whatever the objective.
    """
    said = dict(hyper or {})
    columns = max(math.prod(np.shape(train.x)[1:]), 1)
    values = _beside(model, said, recipes.RECIPES[model.recipe](model.task, len(train), columns))
    if holdout is not None or dev is not None:
        values["holdout"] = holdout or 0.0
    train, dev, rows = apart(train, dev, values.get("holdout", 0.0), key, model.task)
    found = recipes.arguments(values, len(train), dev=dev is not None)
    filled = {name: x for name, x in found["hyper"].items() if not _is_said(model, said, name)}
    if stop is None:
        stop, objective = found.get("stop"), found.get("objective", objective)
    else:
        objective = objective or found.get("objective")
    plan = {
        "recipe": model.recipe,
        **{name: x for name, x in values.items() if name not in ("first", "cites") and not _is_said(model, said, name)},
        "rows": len(train),
        "held_out": rows,
        "chosen_by": objective if stop is not None else None,
    }
    return Call(train, dev, {**filled, **said}, found["epochs"], stop, objective, plan)


def epochs_of_search(model: Model, space: SearchSpace, rows: int) -> int:
    """How long each configuration of a search trains on ``rows`` where nothing says it: one length for all.

    The longest ``epochs`` of the space, where it holds any; else half of the updates of the model's recipe at the
    middle one of the batch sizes, at most 300 epochs: many configurations are trained, and few tables have a better
    winner after more.
    """
    length = longest(space)
    if length is not None:
        return length
    sizes = sorted(space.options("batch_size"))
    values = recipes.RECIPES[model.recipe](model.task, rows, 1)
    if "updates" in values:
        values["updates"] //= 2
    return min(recipes.epochs_of({**values, "batch_size": sizes[len(sizes) // 2]}, rows), MOST)


def apart(
    train: Dataset, dev: Dataset | None, share: float, key: chex.PRNGKey, task: str
) -> tuple[Dataset, Dataset | None, np.ndarray]:
    """The training part, the dev part, and which rows of the data were held out for it: none where one is given."""
    found = None
    if dev is None and share > 0:
        found = hold_out(train, share, jax.random.fold_in(key, PURPOSE), task)
    return found or (train, dev, np.zeros(0, np.int64))


def checked_share(holdout: Any, dev: Dataset | None) -> float | None:
    """A share of rows in [0, 1), or None; ValueError for anything else, and where there is a dev part already."""
    if holdout is None:
        return None
    number = isinstance(holdout, int | float | np.number) and not isinstance(holdout, bool)
    if not number or not 0 <= holdout < 1:
        raise ValueError(f"`holdout` must be a share of the rows in [0, 1), as in 0.15, or None; got {holdout!r}")
    if holdout > 0 and dev is not None:
        raise ValueError("`holdout` cuts a dev part from `train`, and one is given: leave out `holdout`, or `dev`")
    return float(holdout)


def still_falling(run: Run) -> str:
    """One line where the loss of the held-out or dev part still fell when training ended; else nothing.

    That is where its least is among the last twentieth of the epochs, and 2 % below its least in the first three
    quarters.
    """
    if run.status != "done" or run.plan.get("chosen_by") != "dev/loss" or "updates" not in run.plan:
        return ""
    loss = np.asarray(run.history["dev"]["loss"], np.float64)
    early = loss[: len(loss) * 3 // 4]
    if run.best_epoch <= 0.95 * len(loss) or not len(early) or loss.min() > 0.98 * early.min():
        return ""
    updates, rows = int(run.history["updates"][-1]), run.plan["rows"]
    again = f"**fo.recipes.arguments(run.plan | dict(updates={2 * updates}), rows={rows})"
    share = f"holdout={run.plan['holdout']:g}, " if len(run.plan["held_out"]) else ""
    return (
        f"the dev loss was still falling after {updates} updates, the last; for twice as many: "
        f"fo.fit(model, train, {share}{again})"
    )


def _beside(model: Model, said: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's values beside what is said: of another optimizer than its own the rate is that one's default."""
    values = dict(values)
    for name in STRUCTURE:
        if name not in model.structure:
            values.pop(name, None)
        elif _is_said(model, said, name):
            values[name] = said.get(name, model.structure[name])
    own = values.get("optimizer")
    if own is not None and getattr(own, "name", own) != recipes.default(model.task, 1, 1)["optimizer"]:
        optimizer = as_optimizer(own)
        numbers = optimizer.numbers._fields  # pyright: ignore[reportAttributeAccessIssue]
        values = {name: x for name, x in values.items() if name != "weight_decay" and (name != "lr" or "lr" in numbers)}
        values |= {"lr": optimizer.lr} if "lr" in values else {}
    for name in recipes.NUMBERS:
        if name != "weight_decay" and name not in model.ranges:
            values.pop(name, None)
    if model.kind == "supervised" or values.get("hidden") in ((), []):
        values = {name: x for name, x in values.items() if name not in ("dropout", "label_smoothing")}
    return values


def _is_said(model: Model, said: Mapping[str, Any], name: str) -> bool:
    """Whether the call or the declaration says this name; of a model of one's own its structure always is."""
    declared = model.kind == "supervised" and name in model.structure
    return name in said or name in model.numbers or name in model.said or declared
