"""How a sweep runs: lanes a chunk, threads, devices. A function of structure and device, never of a stopwatch."""

import os
import platform
from typing import NamedTuple

import jax
import jaxlib.version

WIDE = 65_536  # parameters; above, lanes go one at a time on a CPU: their work no longer fits its cache


class Plan(NamedTuple):
    """How a sweep ran and why; ``lanes`` is part of the bits, the rest is not."""

    device: str
    threads: int
    data: int  # bytes on the device, one copy for all lanes
    lanes: tuple[int, ...]  # C of each structure
    programs: int  # chunk programs compiled by this sweep
    traces: int  # all traces, small helpers included
    chunks: int
    filled: float  # share of lane places that held a configuration

    def __str__(self) -> str:
        widths = ", ".join(map(str, sorted(set(self.lanes)))) or "none"
        return "\n".join(
            [
                f"device      {self.device}, {self.threads} threads, each running whole chunks",
                f"structures  {len(self.lanes)}, one program each; {self.programs} chunk programs compiled, "
                f"{self.traces} traces in all",
                f"chunks      {self.chunks} of {widths} lanes; {self.filled:.0%} of the places held a configuration",
                f"memory      {self.data / 2**20:.1f} MiB of data, one copy for all lanes",
                f"why         on a CPU {lanes_per_chunk(0, 'cpu')} lanes fill a core, and those of {WIDE:,} parameters "
                "or more go alone; small structures",
                "            that differ only in optimizer or batch size share a program: compiling is what they cost",
            ]
        )


def lanes_per_chunk(parameters: int, platform: str) -> int:
    """C: how many lanes share a program, batch and random draws.

    A CPU core is full with few lanes, and few waste little in the last chunk; an accelerator wants many.

    >>> lanes_per_chunk(9_000, "cpu"), lanes_per_chunk(500_000, "cpu")
    (4, 1)
    """
    if platform != "cpu":
        return 256 if parameters < WIDE else 32
    return 4 if parameters < WIDE else 1


def cores() -> int:
    """How many cores this process may use."""
    asked = os.environ.get("NPROC", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fingerprint() -> dict[str, str]:
    """What the bits depend on beside configuration, seed, data and C."""
    device = jax.devices()[0]
    return {
        "device": f"{device.platform} {device.device_kind}",
        "machine": f"{platform.machine()} {_cpu_model()}",
        "cores": str(cores()),
        "jax": jax.__version__,
        "jaxlib": jaxlib.version.__version__,
        "xla_flags": " ".join(sorted(f for f in os.environ.get("XLA_FLAGS", "").split() if "device_count" not in f)),
        "x64": str(jax.config.read("jax_enable_x64")),
    }


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "")
    except OSError:
        return platform.processor()
