"""How a sweep runs: lanes a chunk, threads, devices. A function of structure and device, never of a stopwatch."""

import math
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jaxlib.version

from fnopt import _html as html

WIDE = 65_536  # parameters; above, lanes go one at a time on a CPU: their work no longer fits its cache


class Plan(NamedTuple):
    """How a sweep ran and why; ``lanes`` is part of the bits, the rest is not."""

    device: str
    devices: int
    threads: int
    lanes: tuple[int, ...]  # C of each structure
    data: int  # bytes on the device, one copy for all lanes
    memory: int | None  # bytes that the largest chunk program needs beside, as its compiler says
    programs: int  # chunk programs compiled by this run
    traces: int  # all traces, small helpers included
    measured: tuple[tuple[int, int, float], ...]  # (structure, C, seconds a lane-epoch), where C was measured
    live: int  # lane-epochs of use
    executed: int  # lane-epochs run, empty and dead places included
    wall: float  # seconds
    compiling: float  # seconds, of all threads together
    stepping: float  # seconds in chunk programs, of all threads together
    host: float  # share of the threads' time that is neither, while they had work
    sizes: int = 1  # numbers of rows among the folds, each with programs of its own where batches are exact
    padding: float = 0.0  # share of the hidden units that stand empty, so that widths share a program
    segment: float = 0.0  # seconds at which a segment aims; 0 in a store that does not say
    predicted: float | None = None  # seconds, said once each program was timed, for lanes that all train to the end
    halved: tuple[str, ...] = ()  # where a device's memory was too small for C lanes, in words

    @property
    def wasted(self) -> float:
        """Share of what was run, as places of lanes and units of layers, that was of no use."""
        return 1 - self.occupancy * (1 - self.padding)

    @property
    def room(self) -> int | None:
        """Bytes that a run is predicted to need: the data, and the largest program in each thread at once."""
        return None if self.memory is None else self.devices * self.data + self.threads * self.memory

    @property
    def occupancy(self) -> float:
        """Live lane-epochs ÷ executed lane-epochs of this run."""
        return self.live / self.executed if self.executed else 1.0

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        finite = [list(m) for m in self.measured if math.isfinite(m[2])]
        return {**self._asdict(), "lanes": list(self.lanes), "measured": finite, "halved": list(self.halved)}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "Plan":
        """What :meth:`plain` gave."""
        told = {"lanes": tuple(plain["lanes"]), "measured": tuple(map(tuple, plain["measured"]))}
        return cls(**{**plain, **told, "halved": tuple(plain.get("halved", ()))})

    def __str__(self) -> str:
        counts = Counter(self.lanes)
        widths = ", ".join(f"{c} a chunk" + f" in {counts[c]} structures" * (len(counts) > 1) for c in sorted(counts))
        memory = ""
        if self.memory is not None and self.room is not None:
            memory = f"; {size(self.memory)} for the largest program, in each thread: {size(self.room)} predicted"
        predicted = "" if self.predicted is None else f", predicted {self.predicted:.1f} s if no lane ends early"
        sizes = f" and number of rows, of which the folds have {self.sizes}" if self.sizes > 1 else ""
        several = f" × {self.devices}" if self.devices > 1 else ""
        return "\n".join(
            [
                f"device      {_once(self.device)}{several}, {self.threads} threads, each training whole chunks",
                f"structures  {len(self.lanes)}, one program each{sizes}; {self.programs} chunk programs compiled, "
                f"{self.traces} traces in all",
                f"lanes       {widths or 'none'}; occupancy {self.occupancy:.1%} ({self.live:,} of {self.executed:,} "
                "lane-epochs were of use)",
                f"wasted      {self.wasted:.1%}: {1 - self.occupancy:.1%} of the places were empty or dead, "
                f"{self.padding:.1%} of the units pad a width",
                f"memory      {size(self.data)} of data, one copy for all lanes{memory}",
                *([f"segments    {self.segment:g} s aimed at"] if self.segment else []),
                f"time        {self.wall:.1f} s{predicted}; in all threads {self.compiling:.1f} s compiling, "
                f"{self.stepping:.1f} s training; host {self.host:.1%}",
                *self._why(),
            ]
        )

    def _repr_html_(self) -> str:
        return html.page(html.block(self, hang=12))

    def _why(self) -> list[str]:
        """What the widths were chosen by, and what changed them."""
        platform = self.device.split()[0]
        few, wide = lanes_per_chunk(0, platform), lanes_per_chunk(WIDE, platform)
        reasons = [f"{text}; the structure began again" for text in self.halved]
        if self.measured:
            each = sorted({structure for structure, _, _ in self.measured})
            reasons += ["of the numbers of lanes that were timed the fewest that are within 5 % of the best:"]
            reasons += [
                f"structure {k}: "
                + ", ".join(f"{width} lanes {_micro(seconds)}" for s, width, seconds in self.measured if s == k)
                + " a lane-epoch"
                for k in each
            ]
        elif platform == "cpu":
            reasons += [
                f"on a CPU {few} lanes, stepped side by side, fill a core; from {WIDE:,} parameters on {wide} does"
            ]
        else:
            reasons += [f"an accelerator wants many lanes: {few}, from {WIDE:,} parameters on {wide}"]
        reasons += ["lanes of a chunk gather each batch once; small structures that differ only in"]
        reasons += ["optimizer, batch size or width (under a rule up to 64 units) share a program: compiling is what"]
        reasons += ["they cost"]
        if platform == "cpu":
            reasons += ["a thread more than cores computes while another's chunk is on the host"]
        return [f"{'why' if k == 0 else '':<12}{reason}" for k, reason in enumerate(reasons)]


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if math.isfinite(seconds) else "too large"


def size(count: int) -> str:
    """Bytes in words.

    >>> size(3 * 2**20)
    '3.0 MiB'
    """
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:.1f} GiB"


def lanes_per_chunk(parameters: int, platform: str) -> int:
    """C: how many lanes share a program, batch and random draws.

    A CPU core is full with few lanes, and few waste little in the last chunk; an accelerator wants many.

    >>> lanes_per_chunk(9_000, "cpu"), lanes_per_chunk(500_000, "cpu")
    (4, 1)
    """
    if platform != "cpu":
        return 256 if parameters < WIDE else 32
    return 4 if parameters < WIDE else 1


def _once(device: str) -> str:
    """A device by platform and kind, said once where they are the same.

    >>> _once("cpu cpu"), _once("gpu NVIDIA H200")
    ('cpu', 'gpu NVIDIA H200')
    """
    platform, _, kind = device.partition(" ")
    return device if kind != platform else kind


def cores() -> int:
    """How many cores this process may use."""
    asked = os.environ.get("NPROC", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fingerprint() -> dict[str, str]:
    """What the bits depend on beside configuration, seed, fold, data and C."""
    device = jax.devices()[0]
    return {
        "engine": ENGINE,
        "device": f"{device.platform} {device.device_kind}",
        "machine": f"{platform.machine()} {_cpu_model()}",
        "cores": str(max(cores(), jax.local_device_count() if device.platform == "cpu" else 0)),  # of XLA's pool
        "jax": jax.__version__,
        "jaxlib": jaxlib.version.__version__,
        "xla_flags": " ".join(sorted(f for f in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in f)),
        "x64": str(jax.config.read("jax_enable_x64")),
        **{name: str(jax.config.values.get(f"jax_{name}")) for name in SETTINGS},
    }


# Settings of JAX on which numbers, draws or their bits depend.
SETTINGS = (
    "threefry_partitionable",
    "default_prng_impl",
    "random_seed_offset",
    "default_matmul_precision",
    "disable_most_optimizations",
    "disable_jit",
)
ENGINE = "5"  # of the bits: another one wherever a change of this package changes them
CURES = {
    "engine": "take the fnopt that began it",
    "device": "run it on such a device",
    "machine": "run it on such a machine",
    "cores": "set NPROC={then} in the environment, before Python starts",
    "jax": "install jax=={then}",
    "jaxlib": "install jaxlib=={then}",
    "xla_flags": "set XLA_FLAGS='{then}' in the environment",
}
UNSET = ("", "None")  # how a setting that was not set is written


def differences(then: Mapping[str, Any], now: Mapping[str, str], only: Sequence[str] | None = None) -> list[str]:
    """Where two fingerprints differ, each with what would make them equal.

    Args:
        then, now: from :func:`fingerprint`.
        only: the fields to compare; all of ``then`` unless given.

    >>> differences({"engine": "2", "cores": "2"}, {"engine": "2", "cores": "1"})
    ["cores was '2' and is '1': set NPROC=2 in the environment, before Python starts"]
    >>> differences({"random_seed_offset": "0"}, {"random_seed_offset": "7"}, only=["random_seed_offset"])
    ["random_seed_offset was '0' and is '7': set JAX_RANDOM_SEED_OFFSET=0 in the environment, or call ..."]
    """
    return [
        f"{name} was {_value(value)} and is {_value(now.get(name))}: {_cure(name, value)}"
        for name, value in {"engine": "1", **then}.items()  # of which the first said nothing
        if now.get(name) != value and (only is None or name in only)
    ]


def _value(value: Any) -> str:
    return "unset" if value is None or value in UNSET else repr(value)


def _cure(name: str, then: Any) -> str:
    """How to set a field back to what it was."""
    if name == "x64" or name in SETTINGS:
        setting = "jax_enable_x64" if name == "x64" else f"jax_{name}"
        value = {"None": "None", "True": "True", "False": "False"}.get(str(then))
        value = value or (str(then) if str(then).isdigit() else repr(str(then)))
        where = f"unset {setting.upper()}" if then in UNSET else f"set {setting.upper()}={then}"
        return f"{where} in the environment, or call jax.config.update({setting!r}, {value})"
    if name == "xla_flags" and then in UNSET:
        return "unset XLA_FLAGS in the environment"
    return CURES.get(name, "make it equal").format(then=then)


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "")
    except OSError:
        return platform.processor()
