"""What was tried, held and failed, by kind, and how many commands and calls answered, so that none is empty."""

import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

SECONDS = 60.0  # a trial that takes longer has failed
MEMORY = 6 << 30  # bytes above what the process has: a trial that asks for more gets MemoryError
SEEN = Counter[str]()  # commands and calls that "answered", and those that were "refused"


class Failed(AssertionError):
    """What a trial found that must not be; its text is one sentence."""


class Trial(NamedTuple):
    """One trial: what it does, in words, and the doing, which raises ``Failed`` where it does not hold."""

    name: str
    act: Callable[[], None]
    seconds: float = SECONDS


class Count(NamedTuple):
    """The trials of one kind: how many, what failed, how many of their commands and calls answered or were refused."""

    kind: str
    tried: int
    failures: tuple[str, ...]
    answered: int
    refused: int
    seconds: float


def count(kind: str, trials: Iterable[Trial], tell: Callable[[str], None]) -> Count:
    """Do all trials of a kind; every failure is one sentence that begins with the trial's name."""
    start, tried, failures = time.perf_counter(), 0, []
    SEEN.clear()
    for trial in trials:
        tried += 1
        said = _outcome(trial)
        if said:
            failures.append(f"{trial.name}: {said}")
            tell(f"  failed  {kind}: {failures[-1]}")
    return Count(kind, tried, tuple(failures), SEEN["answered"], SEEN["refused"], time.perf_counter() - start)


def _outcome(trial: Trial) -> str:
    """What failed, or nothing."""

    def late(*_: object) -> None:
        raise Failed(f"no end after {trial.seconds:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, trial.seconds)
    try:
        with memory(MEMORY):
            trial.act()
    except Failed as failed:
        return str(failed)
    except BaseException as error:  # a trial looks at every outcome that it expects
        return f"{type(error).__name__}: {str(error)[:160]!r}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return ""


@contextmanager
def memory(more: int) -> Iterator[None]:
    """A bound on memory: bytes above what the process has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
