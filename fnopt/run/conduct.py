"""Running a sweep from where it stands: threads, checkpoints, and what the plan was."""

import shlex
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import jax

from fnopt._checks import whole
from fnopt._compile import TRACES
from fnopt.run import store
from fnopt.run.checkpoint import add_cut
from fnopt.run.lineage import field_of_population
from fnopt.run.measure import measure
from fnopt.run.programs import padding_of, sizes_of, widths_of
from fnopt.run.sweep import Sweep
from fnopt.run.tables import write_tables
from fnopt.space.epochs import NAME
from fnopt.store.atomic import Folder
from fnopt.sweep.compiled import Exhausted, largest
from fnopt.sweep.deadline import Deadline
from fnopt.sweep.drive import Ended, Watch, device_list, run_field, segment_of
from fnopt.sweep.field import Field
from fnopt.sweep.ledger import Ledger
from fnopt.sweep.plan import Plan, cores
from fnopt.sweep.population import Population
from fnopt.sweep.signals import INTERRUPTED, TERMINATED

Kept = store.FolderStore | None  # where the record is kept; None for in memory alone


def conduct(
    sweep: Sweep,
    path: Path | Folder | None,
    *,
    threads: int | None,
    devices: Sequence[Any] | None,
    deadline: Deadline,
    watch: Watch,
    anyway: bool,
    plan: str | None = None,
) -> Sweep:
    """Train what is left of a sweep; hand out what stands at ``path`` where that is finished."""
    local = device_list(devices)
    threads = _threads(local) if threads is None else whole("threads", threads)
    if path is None:
        if plan is not None:
            sweep.measured = measure(sweep, threads)
        return _fitting(sweep, None, threads, local, deadline, watch)
    with store.hold(path, sweep.search) as kept:
        sweep = kept.open(sweep, anyway)
        if sweep.finished:
            sweep.attached = True
            write_tables(sweep, kept.folder)
            return sweep
        try:
            if plan is not None and not sweep.measured and kept.read(sweep) is None:  # nothing was trained
                sweep.measured = measure(sweep, threads)
                kept.plan_anew(sweep)
            return _fitting(sweep, kept, threads, local, deadline, watch)
        except OSError:  # a full disk, say: what is there can be resumed once there is room
            raise
        except Exception:
            if not sweep.kept.lanes and not any(place.age for place in sweep.places):
                kept.discard()  # a mistake in the model's functions shows here: nothing half-written
            raise


def _threads(devices: Sequence[Any]) -> int:
    """One more than cores on the CPU, two a device elsewhere: one computes while another's chunk is on the host."""
    platform = jax.local_devices()[0].platform if devices[0] is None else devices[0].platform
    return max(cores() + 1, len(devices)) if platform == "cpu" else 2 * len(devices)


def _fitting(
    sweep: Sweep,
    kept: store.FolderStore | None,
    threads: int,
    devices: Sequence[Any],
    deadline: Deadline,
    watch: Watch,
) -> Sweep:
    """Run; where a program is too large for the device, with half as many lanes a chunk, said aloud."""
    while True:
        try:
            return _run(sweep, kept, threads, devices, deadline, watch)
        except Exhausted as error:
            _halve(sweep, error)
            if kept is not None:
                kept.replan(sweep)


def _halve(sweep: Sweep, error: Exhausted) -> None:
    """Half as many lanes a chunk for one structure, whose configurations start again: C is part of the bits."""
    concerned = {i for i, entry in enumerate(sweep.entries) if entry.program.trial == error.trial}
    width = min(sweep.entries[i].width for i in concerned)
    if width == 1:
        raise MemoryError(
            f"one configuration alone is too large for the device ({error.why}): take smaller layers or batches"
        ) from error
    if sweep.stop is not None:
        concerned = set(range(sweep.n))  # the rule has compared them with the others
    warnings.warn(
        f"too little memory for {width} lanes a chunk ({error.why}); continuing with {width // 2}, and "
        f"{len(concerned)} configurations start again",
        stacklevel=5,
    )
    for i, entry in enumerate(sweep.entries):
        if entry.program.trial == error.trial:
            sweep.entries[i] = entry._replace(width=width // 2)
    sweep.widths = widths_of(sweep.entries)
    sweep.halved.append(f"{width // 2} lanes a chunk, since {width} need too much memory ({error.why})")
    sweep.kept.forget(concerned)
    sweep.places = [place for place in sweep.places if place.config not in concerned]


def _run(
    sweep: Sweep,
    kept: store.FolderStore | None,
    threads: int,
    devices: Sequence[Any],
    deadline: Deadline,
    watch: Watch,
) -> Sweep:
    results, before = sweep.kept, TRACES.copy()
    field = field_of(sweep)
    if deadline.passed:
        _say_late()
    places, sweep.places = sweep.places, []
    results.drop_cut()  # provisional: these lanes are trained further
    results.add(field.restore(list(results.lanes.values()), places))
    save = None if kept is None else partial(kept.save, sweep)
    try:
        ended = run_field(field, threads, results.add, watch, devices=devices, deadline=deadline, save=save)
    except BaseException:
        sweep.places = field.under_way()
        raise
    sweep.finished, sweep.ended = not ended.why, ended.why
    sweep.plan = _plan(sweep, field, threads, devices, TRACES - before, ended)
    if not sweep.finished:
        sweep.places = field.under_way()
        add_cut(sweep)
    if kept is not None:
        kept.finish(sweep)
    if ended.why == TERMINATED or (ended.why == INTERRUPTED and "command" not in sweep.notes):
        _say(sweep, None if kept is None else kept.given)  # the command line says it itself, but where this is its end
    if ended.signal:
        raise SystemExit(128 + ended.signal)
    return sweep


def _say_late() -> None:
    """That the time was over before the first step."""
    warnings.warn(
        "out of time before the first step: reading and preparing took longer than the minutes that were given; give "
        "more",
        stacklevel=6,
    )


def _say(sweep: Sweep, folder: str | None) -> None:
    """How to resume, after Ctrl-C or SIGTERM."""
    whole = sum(s.status not in ("not run", "cut") for s in sweep.ranking())
    on = (
        f"fnopt resume {shlex.quote(folder or '')} continues" if "command" in sweep.notes else "the same call continues"
    )
    how = "is in memory alone; with path=… it could be resumed" if folder is None else f"is in {folder}; {on}"
    with suppress(OSError):  # the terminal may be gone
        print(f"fnopt: {sweep.ended}, {whole} of {sweep.n} configurations are done; all {how}", file=sys.stderr)


def field_of(sweep: Sweep) -> Field:
    """The lanes of a sweep before its first step."""
    if isinstance(sweep.stop, Population):
        return field_of_population(sweep, sweep.stop)
    lengths = sweep.lengths if any(NAME in config for config in sweep.configs) else None
    ledger = Ledger(sweep.stop, sweep.n, sweep.work.epochs, lengths)
    return Field(sweep.work, sweep.entries, sweep.seeds, ledger, sweep.kept.higher)


def _plan(sweep: Sweep, field: Field, threads: int, devices: Sequence[Any], traces: Any, ended: Ended) -> Plan:
    spent = ended.spent
    at_work = max(spent.working, 1e-9)
    return Plan(
        device=sweep.fingerprint["device"],
        devices=len(devices),
        threads=threads,
        lanes=tuple(sweep.widths),
        data=sum(leaf.nbytes for leaf in jax.tree.leaves(sweep.work.folds)),
        memory=largest({entry.program.trial: entry.width for entry in sweep.entries}),
        programs=traces["advance"],
        traces=sum(traces.values()),
        live=field.counts.live,
        executed=field.counts.executed,
        measured=tuple((m.structure, m.width, m.seconds) for m in sweep.measured),
        wall=spent.wall,
        compiling=spent.compiling,
        stepping=spent.device,
        host=max(0.0, 1 - (spent.compiling + spent.device) / at_work),
        sizes=sizes_of(sweep.work, sweep.entries),
        padding=padding_of(sweep.entries),
        segment=segment_of(sweep.work),
        predicted=ended.predicted,
        halved=tuple(sweep.halved),
    )
