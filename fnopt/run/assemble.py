"""A sweep before its first step, from its configurations made ready."""

from collections.abc import Sequence
from typing import Any

from fnopt._types import Dataset
from fnopt.data import Folds
from fnopt.model import Model, Prepared, prepare
from fnopt.run.programs import entries_of
from fnopt.run.setup import Bound
from fnopt.run.sweep import Sweep
from fnopt.space import SearchSpace
from fnopt.sweep.chunk import Data, Work
from fnopt.sweep.merge import Options
from fnopt.sweep.ranking import Kept
from fnopt.sweep.stop import Rule


def prepare_folds(
    model: Model, train: Dataset, dev: Dataset | None, folds: Folds | None, own: bool = False
) -> list[Prepared]:
    """The data of each fold, scaled by its own training part and padded alike; one of them without folds.

    ``own`` is whether scores that a user wrote are taken.
    """
    if folds is None:
        return [prepare(model, train, dev, own=own)]
    parts = folds.parts(train)
    rooms = max(len(some) for some, _ in parts), max(len(rest) for _, rest in parts)
    made: list[Prepared] = []
    for some, rest in parts:
        made.append(prepare(model, some, rest, rooms, made[0].unit if made else None, own=own))
    for k, one in enumerate(made):
        if one.frame.classes != made[0].frame.classes:
            raise ValueError(
                f"fold {k} has the classes {one.frame.classes}, fold 0 has {made[0].frame.classes}: name them all, "
                "fo.data.dataset(x, y, classes=(…)), or make stratified folds"
            )
    return made


def work_of(prepared: Sequence[Prepared], **rest: Any) -> Work:
    """What all chunks have in common, from the data of each fold."""
    return Work(tuple(Data(p.train, p.dev, p.example) for p in prepared), unit=prepared[0].unit, **rest)


def assemble(
    model: Model,
    parts: tuple[Dataset, Dataset | None],
    prepared: Sequence[Prepared],
    work: Work,
    configs: list[dict[str, Any]],
    ready: Sequence[Bound],
    *,
    options: Options,
    seeds: int,
    space: SearchSpace,
    search: str,
    fingerprint: dict[str, str],
    stop: Rule | None,
    folds: Folds | None,
    widths: Sequence[int] | None = None,
) -> Sweep:
    """The sweep that trains ``configs``, with nothing done yet."""
    entries, chosen = entries_of(ready, options, work.folds[0].example, widths)
    return Sweep(
        model=model,
        train=parts[0],
        dev=parts[1],
        folds=folds,
        frames=tuple(p.frame for p in prepared),
        work=work,
        configs=configs,
        trials=[bound.trial for bound in ready],
        entries=entries,
        widths=chosen,
        options=options,
        kept=Kept(work.objective, len(configs), seeds, len(prepared)),
        seeds=seeds,
        space=space,
        search=search,
        stop=stop,
        fingerprint=fingerprint,
    )
