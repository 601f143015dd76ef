"""``fnopt doctor``: what this machine has, how fast it multiplies, and what is missing."""

import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version

import jax
import jax.numpy as jnp

from fnopt.sweep.plan import cores, fingerprint

# library: (extra that brings it, what needs it)
OPTIONAL = {
    "typer": ("cli", "the command line"),
    "rich": ("cli", "progress bars and tables"),
    "safetensors": ("files", "saving and loading models"),
}
SIZE, TIMES = 1024, 7


def run_doctor() -> None:
    """Print everything, one line a fact."""
    found = facts()
    width = max(map(len, found)) + 2
    for name, value in found.items():
        print(f"{name:<{width}}{value}")


def facts() -> dict[str, str]:
    """What is known of this machine and installation, by name, as text."""
    found = {
        "fnopt": version_of("fnopt") or "not installed as a package",
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "jax": jax.__version__,
        "devices": ", ".join(f"{d.platform} {d.device_kind} ({d.id})" for d in jax.devices()),
        "cores": str(cores()),
        "matmul": f"{gflops():.0f} GFLOP/s on {jax.devices()[0].platform}: {SIZE}³ in float32, median of {TIMES}",
    }
    libraries = {name: _library(name, *needs) for name, needs in OPTIONAL.items()}
    prints = {f"  {name}": value or "–" for name, value in fingerprint().items()}
    return {**found, **libraries, "fingerprint": "what a sweep's bits depend on beside its data and seed:", **prints}


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


def _library(name: str, extra: str, use: str) -> str:
    found = version_of(name)
    return found or f"missing, needed for {use}: pip install 'fnopt[{extra}]'"


def version_of(name: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
