"""Chunk programs compiled ahead: each once a process and device, with what the compiler says of their memory."""

import math
import os
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock, RLock
from typing import Any, NamedTuple

import jax

from fnopt._compile import ONCE, compiled
from fnopt._types import Trial
from fnopt.sweep.debugging import eager, explained, step_by_step, undonated, watched
from fnopt.sweep.lanes import advance, begin, draw
from fnopt.sweep.plan import WIDE
from fnopt.train import Lane, Objective

FULL = re.compile("RESOURCE_EXHAUSTED|out of memory", re.IGNORECASE)  # a CPU says the latter, as an internal error


class Exhausted(MemoryError):
    """A chunk program that the device's memory cannot hold."""

    def __init__(self, trial: Trial, why: str):
        super().__init__(why)
        self.trial, self.why = trial, why


@contextmanager
def exhausting(trial: Trial) -> Iterator[None]:
    """Exhausted, naming the structure, where the device says within that its memory is at an end."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if not FULL.search(str(error)):
            raise
        raise Exhausted(trial, str(error).splitlines()[0]) from error


# Of LLVM's levels the first is all that a small network gains from: the same speed, a sixth less to compile.
# The other analysis leaves out copies of what a loop carries, which for small networks is a tenth of a step.
QUICK = {"xla_backend_optimization_level": 1, "xla_cpu_copy_insertion_use_region_analysis": True}
SETTINGS = ("jax_default_matmul_precision", "jax_threefry_partitionable", "jax_enable_x64")  # a program's bits, too


class ProgramCache:
    """Compiled programs by name, the one asked for longest ago going first. Threads may share it."""

    def __init__(self, limit: int):
        self.limit, self._lock = limit, Lock()
        self._made: OrderedDict[Any, Made] = OrderedDict()

    def get(self, name: Any) -> "Made | None":
        """What was put under a name, if it is still there."""
        with self._lock:
            if name in self._made:
                self._made.move_to_end(name)
            return self._made.get(name)

    def put(self, name: Any, made: "Made") -> "Made":
        """The program of a name: an earlier one, where two threads compiled it."""
        with self._lock:
            first = self._made.setdefault(name, made)
            self._made.move_to_end(name)
            while len(self._made) > self.limit:
                self._made.popitem(last=False)
            return first

    def all(self) -> "list[Made]":
        """All that are there."""
        with self._lock:
            return [*self._made.values()]

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._made.clear()


LIMIT = 2048  # programs of a process: a structure has three, and none in use is lost by what is dropped here
_PROGRAMS = ProgramCache(LIMIT)
# Python traces one program at a time anyhow; in turns the first one is compiled while the next is traced.
_TRACING, PATIENCE = RLock(), 5.0  # seconds


def program(trial: Trial, objective: Objective, device: Any, *arguments: Any) -> Any:
    """The compiled :func:`advance` for these arguments, made where there is none yet.

    Compiled ahead and not on the first call, so that the time and the memory of a program are known apart from its
    run. The lanes' keys do not count, only shapes and types.
    """
    made = _made(advance, device, arguments, trial=trial, objective=objective)
    there = total_memory(device)
    if made.bytes is not None and there is not None and made.bytes > there:
        raise Exhausted(trial, f"needs {made.bytes:,} bytes of the device's {there:,}")
    return made.run


def first_program(trial: Trial, device: Any, *arguments: Any) -> Any:
    """The compiled :func:`begin` for these arguments, made where there is none yet."""
    return _made(begin, device, arguments, trial=trial).run


def draw_program(trial: Trial, device: Any, *arguments: Any) -> Any:
    """The compiled :func:`draw` for these arguments, made where there is none yet."""
    return _made(draw, device, arguments, trial=trial).run


class Made(NamedTuple):
    """A compiled program, and what it needs on its device."""

    run: Any
    bytes: int | None
    trial: Trial
    lanes: int | None  # C of a chunk program, None of those that run once


def _made(function: Any, device: Any, arguments: tuple[Any, ...], **static: Any) -> Made:
    """The compiled program of these arguments' shapes and types."""
    leaves, structure = jax.tree.flatten(arguments)
    shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
    lanes = arguments[0].fault.step.shape[0] if function is advance else None
    if eager():
        return Made(partial(step_by_step, function, **static), None, static["trial"], lanes)
    looking = watched()
    name = *static.values(), function, device, structure, shapes, looking, *(getattr(jax.config, s) for s in SETTINGS)
    if (made := _PROGRAMS.get(name)) is not None:
        return made
    lowered = _lowered(undonated(function) if looking else function, *arguments, **static)
    run = _compiled(lowered, device, once=function is not advance)
    memory = bytes_of(run)
    run = partial(explained, run, partial(step_by_step, function, **static)) if looking else run
    return _PROGRAMS.put(name, Made(run, memory, static["trial"], lanes))


def _lowered(function: Any, *arguments: Any, **static: Any) -> Any:
    """The program for the compiler, traced in its turn; out of turn where a tracing waits for another one inside it."""
    mine = _TRACING.acquire(timeout=PATIENCE)
    try:
        return function.lower(*arguments, **static)
    finally:
        if mine:
            _TRACING.release()


def _compiled(lowered: Any, device: Any, once: bool) -> Any:
    """The program, with the options that suit it on a CPU."""
    told = jax.config.values["jax_disable_most_optimizations"]  # whoever says so wants no passes of ours either
    if device.platform != "cpu" or told:
        return lowered.compile()
    if once:
        return compiled(lowered, ONCE)
    return compiled(lowered, QUICK) if _parameters(lowered.out_info[0]) < WIDE else lowered.compile()


def _parameters(lanes: Lane) -> int:
    return sum(math.prod(leaf.shape[1:]) for leaf in jax.tree.leaves(lanes.state.params))  # the first axis: lanes


def forget() -> None:
    """Let go of all compiled programs; those still needed are compiled again."""
    _PROGRAMS.clear()


@cache
def total_memory(device: Any) -> int | None:
    """The memory of a device in bytes, free or not; None where it does not say."""
    stats = device.memory_stats() if device.platform != "cpu" else None
    if stats is not None:
        return stats.get("bytes_limit")
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def largest(widths: Mapping[Trial, int]) -> int | None:
    """Bytes of the largest program of these structures with so many lanes each; None where none says."""
    sizes = [m.bytes for m in _PROGRAMS.all() if m.lanes is not None and m.lanes == widths.get(m.trial)]
    return max((size for size in sizes if size is not None), default=None)


def bytes_of(made: Any) -> int | None:
    """What a program needs on its device, arguments, results and scratch; None where the compiler does not say."""
    try:
        memory = made.memory_analysis()
        shared = memory.alias_size_in_bytes
        return memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes - shared
    except (AttributeError, NotImplementedError, jax.errors.JaxRuntimeError):
        return None
