"""``fnopt doctor``: what this machine has, how fast it multiplies, and what is missing."""

import platform
import statistics
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax
import jax.numpy as jnp

from fnopt.cli.show import MARGIN, say
from fnopt.sweep.plan import cores, fingerprint

# what it does: (extra that brings it, the packages of which one is needed)
OPTIONAL = {
    "the command line": ("cli", ("typer",)),
    "progress bars and tables": ("cli", ("rich",)),
    "saving and loading models": ("files", ("safetensors",)),
    "figures of fo.plot": ("plot", ("matplotlib",)),
    "results to TensorBoard": ("track", ("tensorboardX",)),
    "results to MLflow": ("track", ("mlflow-skinny", "mlflow")),
    "optax's loops and optimizers": ("interop", ("optax",)),
    "models of Flax": ("interop", ("flax",)),
    "models of Equinox": ("interop", ("equinox",)),
}
USUAL = {"cpu": (20, "a core of today reaches 50 to 150"), "gpu": (5_000, "one for servers reaches 20,000 to 60,000")}
SIZE, TIMES = 1024, 7


def run_doctor() -> None:
    """Print everything, one line a fact."""
    found = facts()
    margin = max(map(len, found)) + 2
    for name, value in found.items():
        say(f"{name:<{margin}}", value, margin=max(margin - MARGIN, 0))


def facts() -> dict[str, str]:
    """What is known of this machine and installation, by name, as text."""
    found = {
        "fnopt": version_of("fnopt") or "not installed as a package",
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "jax": jax.__version__,
        "devices": ", ".join(f"{_kind(d)} ({d.id})" for d in jax.devices()),
        "cores": str(cores()),
        "matmul": speed(gflops(), jax.devices()[0].platform, cores()),
    }
    libraries = {packages[0]: _library(use, extra, packages) for use, (extra, packages) in OPTIONAL.items()}
    prints = {f"  {name}": value or "–" for name, value in fingerprint().items()}
    return {**found, **libraries, "fingerprint": "what a sweep's bits depend on beside its data and seed:", **prints}


def _kind(device: Any) -> str:
    return " ".join(dict.fromkeys((device.platform, device.device_kind)))


def speed(found: float, platform: str, cores: int) -> str:
    """A speed in 10⁹ operations a second, and whether that is usual.

    >>> speed(28.0, "cpu", 2).split("; ")[-1]
    '14 a core: a core of today reaches 50 to 150, so this is slow: is it at work for others?'
    """
    line = f"{found:.0f} GFLOP/s on {platform}: {SIZE}³ in float32, median of {TIMES}"
    if platform not in USUAL:
        return line
    low, usual = USUAL[platform]
    each = found / cores if platform == "cpu" else found
    slow = ", so this is slow: is it at work for others?" if each < low else ""
    return f"{line}; {f'{each:.0f} a core: ' if platform == 'cpu' else ''}{usual}{slow}"


def gflops() -> float:
    """Speed of one matrix product on the first device, in 10⁹ operations a second."""
    a = jax.random.normal(jax.random.key(0), (SIZE, SIZE), jnp.float32)
    multiply = jax.jit(lambda a: a @ a)
    jax.block_until_ready(multiply(a))

    def once() -> float:
        start = time.perf_counter()
        jax.block_until_ready(multiply(a))
        return time.perf_counter() - start

    return 2 * SIZE**3 / statistics.median(once() for _ in range(TIMES)) / 1e9


def _library(use: str, extra: str, packages: Sequence[str]) -> str:
    found = next((version for name in packages if (version := version_of(name))), None)
    return f"{found}, for {use}" if found else f"missing, needed for {use}: pip install 'fnopt[{extra}]'"


def version_of(name: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
