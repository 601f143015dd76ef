"""Settings of JAX, of the terminal, of the process and of the clock under which a finished sweep is asked again."""

import contextlib
import csv
import io
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from benchmarks.abuse.outcome import Refused, called, command
from benchmarks.abuse.studies import (
    Study,
    copy_of,
    finished,
    predictions,
    sweep_arguments,
    table,
    test_lines,
    unfinished,
)
from benchmarks.abuse.tally import Failed, Trial

Around = Callable[[], contextlib.AbstractContextManager[Any]]


@contextlib.contextmanager
def _setting(name: str, value: Any) -> Iterator[None]:
    before = getattr(jax.config, name)
    jax.config.update(name, value)
    try:
        yield
    finally:
        jax.config.update(name, before)


@contextlib.contextmanager
def _environment(**names: str | None) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in names}
    _set(names)
    time.tzset()
    try:
        yield
    finally:
        _set(before)
        time.tzset()


def _set(names: dict[str, str | None]) -> None:
    for name, value in names.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _clock(shift: float) -> Iterator[None]:
    real = time.time
    time.time = lambda: real() + shift
    try:
        yield
    finally:
        time.time = real


@contextlib.contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


JAX: dict[str, Around] = {
    "float64": lambda: _setting("jax_enable_x64", True),
    "threefry not partitionable": lambda: _setting("jax_threefry_partitionable", False),
    "rbg keys": lambda: _setting("jax_default_prng_impl", "rbg"),
    "bfloat16 products": lambda: _setting("jax_default_matmul_precision", "bfloat16"),
    "float32 products": lambda: _setting("jax_default_matmul_precision", "highest"),
    "debug NaN": lambda: _setting("jax_debug_nans", True),
    "debug infinities": lambda: _setting("jax_debug_infs", True),
    "no jit": lambda: _setting("jax_disable_jit", True),
    "strict types": lambda: _setting("jax_numpy_dtype_promotion", "strict"),
    "strict ranks": lambda: _setting("jax_numpy_rank_promotion", "raise"),
    "leak checks": lambda: _setting("jax_check_tracer_leaks", True),
    "log compiles": lambda: _setting("jax_log_compiles", True),
}
PROCESS: dict[str, Around] = {
    "a clock ten years back": lambda: _clock(-3e8),
    "a clock in the future": lambda: _clock(3e9),
    "another time zone": lambda: _environment(TZ="Pacific/Kiritimati"),
    "the C locale": lambda: _environment(LC_ALL="C", LANG="C"),
    "a Turkish locale": lambda: _environment(LC_ALL="tr_TR.UTF-8"),
    "no home": lambda: _environment(HOME=None),
    "a home that is not there": lambda: _environment(HOME="/nonexistent/home"),
    "a dumb terminal": lambda: _environment(TERM="dumb"),
    "no colour": lambda: _environment(NO_COLOR="1"),
    "one column": lambda: _environment(COLUMNS="1"),
    "columns of text": lambda: _environment(COLUMNS="wide"),
    "one thread for OpenMP": lambda: _environment(OMP_NUM_THREADS="1"),
    "umask 077": lambda: _umask(0o077),
    "umask 027": lambda: _umask(0o027),
}
STREAMS: dict[str, Callable[[], io.TextIOBase]] = {
    "an ASCII terminal": lambda: io.TextIOWrapper(io.BytesIO(), "ascii", write_through=True),
    "a Latin-1 terminal": lambda: io.TextIOWrapper(io.BytesIO(), "latin-1", write_through=True),
    "an EBCDIC terminal": lambda: io.TextIOWrapper(io.BytesIO(), "cp500", write_through=True),
}


def of_surroundings(rng: random.Random) -> Iterator[Trial]:
    """The answer is the same, or a setting is named."""
    for name, around in {**JAX, **PROCESS}.items():
        yield Trial(f"resume a finished sweep: {name}", _resumed(finished, around))
    for name, around in {**JAX, **{k: v for k, v in PROCESS.items() if "clock" in k or "locale" in k}}.items():
        yield Trial(f"resume an unfinished sweep: {name}", _resumed(unfinished, around), 120.0)
    for name in ("float64", "strict types", "another time zone", "a Turkish locale", "the C locale"):
        yield Trial(f"predict: {name}", _predicted({**JAX, **PROCESS}[name]))
    for name, stream in STREAMS.items():
        for what, act in (("sweep", _swept), ("resume", _shown), ("predict", _written)):
            yield Trial(f"{what}: {name}", act(stream))


def _resumed(study: Callable[[], Study], around: Around) -> Callable[[], None]:
    def do() -> None:
        folder, truth = copy_of(study()), study()
        with around():
            shown = command("resume", str(folder))
        if shown.code == 0 and test_lines(shown.out) != truth.test:
            raise Failed(f"shows {test_lines(shown.out)} for {truth.test}")
        if "remove" in shown.err:
            raise Failed(f"advises to remove: {shown.err!r}")
        again = command("resume", str(folder))
        if again.code or (folder / "results.csv").read_bytes() != truth.results:
            raise Failed(f"afterwards, without it: exit code {again.code} {again.err!r}")
        shutil.rmtree(folder.parent)

    return do


def _predicted(around: Around) -> Callable[[], None]:
    def do() -> None:
        with around():
            found = called(lambda: predictions(finished().folder))
        if not isinstance(found, Refused) and not _alike(found, finished().predictions):
            raise Failed("predicts something else")

    return do


def _alike(found: bytes, wanted: bytes) -> bool:
    """Whether all labels are the same and all probabilities, which float64 rounds otherwise, to 1e-6."""

    def rows(content: bytes) -> list[list[str]]:
        return list(csv.reader(io.StringIO(content.decode())))

    (names, *one), (others, *other) = rows(found), rows(wanted)
    labels = [row[0] for row in one] == [row[0] for row in other]
    chances = [np.array([row[1:] for row in some], float) for some in (one, other)]
    return names == others and labels and np.allclose(*chances, rtol=0, atol=1e-6)


def _swept(stream: Callable[[], io.TextIOBase]) -> Callable[[], None]:
    def do() -> None:
        from benchmarks.abuse.studies import scratch

        folder = scratch() / "sweep"
        shown = command(*sweep_arguments(folder), stdout=stream())
        if shown.code:
            raise Failed(f"exit code {shown.code}: {shown.err!r}")

    return do


def _shown(stream: Callable[[], io.TextIOBase]) -> Callable[[], None]:
    def do() -> None:
        shown = command("resume", str(copy_of(finished())), stdout=stream())
        if shown.code:
            raise Failed(f"exit code {shown.code}: {shown.err!r}")

    return do


def _written(stream: Callable[[], io.TextIOBase]) -> Callable[[], None]:
    def do() -> None:
        shown = command("predict", str(finished().folder), str(table()), stdout=stream())
        if shown.code:
            raise Failed(f"exit code {shown.code}: {shown.err!r}")

    return do
