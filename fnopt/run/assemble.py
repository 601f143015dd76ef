"""A sweep before its first step, from its configurations made ready."""

from collections.abc import Mapping, Sequence
from typing import Any

from fnopt._types import Dataset
from fnopt.model import Frame, Model
from fnopt.run.programs import chunks_of
from fnopt.run.setup import Bound
from fnopt.run.sweep import Sweep
from fnopt.sweep.chunk import Work
from fnopt.sweep.merge import Options
from fnopt.sweep.ranking import Kept


def assemble(
    model: Model,
    parts: tuple[Dataset, Dataset | None],
    frame: Frame,
    work: Work,
    configs: list[dict[str, Any]],
    ready: Sequence[Bound],
    *,
    options: Options,
    seeds: int,
    space: Mapping[str, str],
    search: str,
    fingerprint: dict[str, str],
) -> Sweep:
    """The sweep that trains ``configs``, with its chunks and nothing done yet."""
    return Sweep(
        model=model,
        train=parts[0],
        dev=parts[1],
        frame=frame,
        work=work,
        configs=configs,
        trials=[bound.trial for bound in ready],
        chunks=chunks_of(work, ready, options, seeds),
        options=options,
        kept=Kept(model.task, work.objective, len(configs), seeds),
        seeds=seeds,
        space=space,
        search=search,
        fingerprint=fingerprint,
    )
