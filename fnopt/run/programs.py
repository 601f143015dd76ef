"""From a space to the programs that train it, and from configurations to lanes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from fnopt._types import Batch, Trial
from fnopt.model import Model, as_optimizer
from fnopt.run.setup import Bound
from fnopt.sweep.field import Entry
from fnopt.sweep.merge import Options, Shared, filled_up, shared
from fnopt.sweep.plan import lanes_per_chunk
from fnopt.sweep.space import Choice, When, is_space

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep


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
    """The optimizers, batch sizes and widths of a space: what may share a program."""
    optimizers = tuple(dict.fromkeys(as_optimizer(o) for o in choices(model, space, "optimizer")))
    return Options(optimizers, tuple(choices(model, space, "batch_size")), "hidden" in space)


def entries_of(
    ready: Sequence[Bound], options: Options, example: Batch, widths: Sequence[int] | None = None
) -> tuple[list[Entry], list[int]]:
    """Configurations ready for training, and C of each structure in the order in which they turn up.

    Where ``widths`` are given, as a store has them, they are used, and the plan's own only for what they lack.
    """
    found: dict[Trial, Shared] = {}
    chosen: dict[Trial, int] = {}
    entries = []
    for b in ready:
        if b.trial not in found:
            found[b.trial] = shared(b.trial, options, example)
        mine = found[b.trial]
        merged = mine.program.trial
        if merged not in chosen:
            k = len(chosen)
            chosen[merged] = widths[k] if widths is not None and k < len(widths) else width_of(merged, example)
        numbers = filled_up(merged, {**b.complete, **mine.units})
        entries.append(Entry(mine.program, chosen[merged], numbers, mine.trim))
    return entries, list(chosen.values())


def with_widths(sweep: "Sweep", widths: Sequence[int]) -> None:
    """Give a sweep's structures the widths C that a store has of them, in the order in which they turn up."""
    chosen: dict[Trial, int] = {}
    for i, entry in enumerate(sweep.entries):
        trial = entry.program.trial
        if trial not in chosen:
            k = len(chosen)
            chosen[trial] = widths[k] if k < len(widths) else entry.width
        sweep.entries[i] = entry._replace(width=chosen[trial])
    sweep.widths = list(chosen.values())


def widths_of(entries: Sequence[Entry]) -> list[int]:
    """C of each structure, in the order in which they turn up."""
    return list({entry.program.trial: entry.width for entry in entries}.values())


def width_of(trial: Trial, example: Batch) -> int:
    """C of a structure, from the number of its parameters and the kind of device."""
    return lanes_per_chunk(parameters_of(trial, example), jax.devices()[0].platform)


def parameters_of(trial: Trial, example: Batch) -> int:
    """How many parameters a structure has."""
    plain = {name: jnp.asarray(0.5) for name in trial.numbers}
    shapes = jax.eval_shape(lambda key: trial.init(key, example, plain), jax.random.key(0))[0]
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))
