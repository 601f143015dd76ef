"""From a space to the programs that train it, and from configurations to chunks."""

from collections.abc import Mapping, Sequence
from typing import Any

from fnopt._types import Trial
from fnopt.model import Model, as_optimizer
from fnopt.run.setup import Bound
from fnopt.sweep.chunk import Chunk, Work
from fnopt.sweep.drive import cohorts, width_of
from fnopt.sweep.merge import Options, Program, filled_up, program_of
from fnopt.sweep.space import Choice, When, is_space


def choices(model: Model, space: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """What a structural name may be under a space: its options, or the one value that it has."""
    value = space.get(name, model.structure[name])
    if isinstance(value, When):
        value = value.value_of(name)
        default = (model.structure[name],)
        return (*(value.options if isinstance(value, Choice) else (value,)), *default)
    if isinstance(value, Choice):
        return value.options
    return tuple(range(int(value.low), int(value.high) + 1)) if is_space(value) else (value,)


def options_of(model: Model, space: Mapping[str, Any]) -> Options:
    """The optimizers and batch sizes of a space: what may share a program."""
    optimizers = tuple(dict.fromkeys(as_optimizer(o) for o in choices(model, space, "optimizer")))
    return Options(optimizers, tuple(choices(model, space, "batch_size")))


def chunks_of(work: Work, ready: Sequence[Bound], options: Options, seeds: int) -> list[Chunk]:
    """The chunks that train these configurations, in an order that depends on them alone."""
    found: dict[Trial, Program] = {}
    widths: dict[Trial, int] = {}
    for b in ready:
        if b.trial not in found:
            found[b.trial] = program_of(b.trial, options, work.example)

    def width(trial: Trial) -> int:
        if trial not in widths:
            widths[trial] = width_of(work, trial)
        return widths[trial]

    programs = [found[b.trial] for b in ready]
    numbers = [filled_up(found[b.trial].trial, b.complete) for b in ready]
    return cohorts(programs, numbers, seeds, width)
