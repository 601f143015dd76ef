"""The machine as the benchmarks see it: device, versions, and two speeds of its own to measure others against."""

import os
import platform
import statistics
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import jax
import jax.numpy as jnp

import fnopt as fo
from benchmarks.clock import seconds

LIBRARIES = ("fnopt", "jax", "jaxlib", "numpy", "optax", "torch", "scikit-learn", "joblib", "optuna")
SIZE, MATMULS = 1024, 3  # of the matrices whose product is the yardstick; how many products a turn
MATMUL_FLOPS = 2 * SIZE**3
COPY = {"cpu": 2**26, "gpu": 2**31}  # bytes read and bytes written by the copy


def facts() -> dict[str, Any]:
    """Device, cores, load and versions: what a figure means nothing without."""
    device = jax.devices()[0]
    return {
        "device": f"{device.platform} {device.device_kind}",
        "cpu": fo.sweep.fingerprint()["machine"],
        "cores": cores(),
        "load": round(os.getloadavg()[0], 1),  # before the start; above 0 others were at work
        "python": platform.python_version(),
        "versions": {name: found for name in LIBRARIES if (found := _version(name))},
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "matmul_gflops": round(statistics.median(matmul_rate() for _ in range(7)) / 1e9, 1),
        "copy_gb_s": round(statistics.median(copy_rate() for _ in range(5)) / 1e9, 1),
    }


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def matmul_rate() -> float:
    """Operations a second of a 1024³ product in float32, all cores."""
    multiply()
    return MATMULS * MATMUL_FLOPS / seconds(multiply)


def multiply() -> Any:
    """A few such products."""
    product, a = _kept("matmul", _matmul)
    return [product(a) for _ in range(MATMULS)]


def copy_rate() -> float:
    """Bytes a second, read and written, of one pass over a large array."""
    add, a = _kept("copy", _copy)
    return 2 * a.nbytes / seconds(lambda: add(a))


def on_gpu() -> bool:
    """Whether jax computes on a GPU here."""
    return jax.default_backend() == "gpu"


_KEPT: dict[str, Any] = {}


def _kept(name: str, make: Callable[[], Any]) -> Any:
    if name not in _KEPT:
        call, a = _KEPT[name] = make()
        jax.block_until_ready(call(a))
    return _KEPT[name]


def _matmul() -> Any:
    return jax.jit(lambda a: a @ a), jax.random.normal(jax.random.key(0), (SIZE, SIZE), jnp.float32)


def _copy() -> Any:
    size = COPY.get(jax.default_backend(), COPY["cpu"]) // 4
    return jax.jit(lambda a: a + 1), jnp.zeros(size, jnp.float32)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        if name == "fnopt":  # run from a checkout
            import fnopt

            return fnopt.__version__
        return None
