"""From a space to the programs that train it, and from configurations to lanes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jax

from fnopt._types import Batch, Trial
from fnopt.model import as_optimizer
from fnopt.model.mlp import network_of
from fnopt.model.widths import SMALLEST, Trim, bucket, bucketed
from fnopt.run.setup import Bound
from fnopt.space import SearchSpace
from fnopt.space.entry import extremes, has_ranges
from fnopt.sweep.chunk import Work
from fnopt.sweep.field import Entry
from fnopt.sweep.merge import Options, Program, filled_up, program_of, shapes_of
from fnopt.sweep.plan import WIDE, lanes_per_chunk
from fnopt.sweep.population import Population
from fnopt.sweep.stop import Rule
from fnopt.train import EXACT

if TYPE_CHECKING:
    from fnopt.run.sweep import Sweep

NARROW = 64  # units: the narrowest bucket under a rule that stops most lanes soon, where compiling is most of the time


def options_of(space: SearchSpace, stop: Rule | None = None) -> Options:
    """The optimizers, batch sizes and widths of a space: what may share a program."""
    optimizers = tuple(dict.fromkeys(as_optimizer(o) for o in space.options("optimizer")))
    least = SMALLEST if stop is None or isinstance(stop, Population) else NARROW
    return Options(optimizers, tuple(space.options("batch_size")), _narrowest(space, least))


def _narrowest(space: SearchSpace, least: int) -> int | None:
    """The narrowest bucket for the widths of a space: ``least``, or that of its widest layer.

    None where the widths do not fall into fewer buckets than there are of them, and so not into fewer programs.
    """
    if "hidden" not in space.base:
        return None
    found: set[tuple[int, ...]] = set()
    ranges = False
    for hidden in space.options("hidden"):
        layers = hidden if isinstance(hidden, tuple | list) else () if hidden is None else (hidden,)
        ranges |= has_ranges(tuple(layers))
        found.add(tuple(max(map(int, extremes(width))) for width in layers))
    least = min(least, max((bucket(width) for widths in found for width in widths), default=least))
    buckets = {tuple(bucket(width, least) for width in widths) for widths in found}
    return least if ranges or len(buckets) < len(found) else None


def entries_of(
    ready: Sequence[Bound], options: Options, example: Batch, widths: Sequence[int] | None = None
) -> tuple[list[Entry], list[int]]:
    """Configurations ready for training, and C of each structure in the order in which they turn up.

    Where ``widths`` are given, as a store has them, they are used, and the plan's own only for what they lack.
    """
    found: dict[Trial, tuple[Program, Mapping[str, float], Trim | None]] = {}
    chosen: dict[Trial, int] = {}
    entries = []
    for b in ready:
        if b.trial not in found:
            found[b.trial] = _shared(b.trial, options, example)
        program, units, trim = found[b.trial]
        if program.trial not in chosen:
            k = len(chosen)
            given = widths is not None and k < len(widths)
            chosen[program.trial] = widths[k] if given and widths else width_of(program.trial, example)
        numbers, *each = [
            jax.device_get(filled_up(program.trial, {**some, **units})) for some in (b.complete, *b.by_fold)
        ]
        entries.append(Entry(program, chosen[program.trial], numbers, trim, tuple(each)))
    return entries, list(chosen.values())


def _shared(trial: Trial, options: Options, example: Batch) -> tuple[Program, Mapping[str, float], Trim | None]:
    """The program that trains a structure, the true widths in it, and how its weights are cut to them."""
    for least in () if options.narrowest is None else (options.narrowest, SMALLEST):
        padded = bucketed(trial, least)
        if padded is not None and parameters_of(padded.trial, example) < WIDE:
            return program_of(padded.trial, options, example), padded.units, padded.trim
    return program_of(trial, options, example), {}, None


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


def sizes_of(work: Work, entries: Sequence[Entry]) -> int:
    """How many numbers of rows the folds have, where programs are for exact numbers of rows; else 1."""
    if not any(entry.program.trial.batch in EXACT for entry in entries):
        return 1
    return len({tuple(int(part.rows) for part in (data.train, data.dev) if part is not None) for data in work.folds})


def padding_of(entries: Sequence[Entry]) -> float:
    """Units of hidden layers that stand empty so that widths share a program ÷ all units, over all configurations."""
    whole = empty = 0
    for entry in entries:
        network = network_of(entry.program.trial)
        room = sum(network.hidden) if network is not None else 0
        whole += room
        empty += room - sum(entry.trim.hidden) if isinstance(entry.trim, Trim) else 0
    return empty / whole if whole else 0.0


def width_of(trial: Trial, example: Batch) -> int:
    """C of a structure, from the number of its parameters and the kind of device."""
    return lanes_per_chunk(parameters_of(trial, example), jax.devices()[0].platform)


def parameters_of(trial: Trial, example: Batch) -> int:
    """How many parameters a structure has."""
    return sum(leaf.size for leaf in jax.tree.leaves(shapes_of(trial, example)[0]))
