"""Strictness for every test: no silent dtype or rank promotion, warnings are errors, two CPU devices."""

import os
from importlib.metadata import version
from pathlib import Path

# Compiling is most of what the tests do. XLA's dear passes change speed and not meaning; processes that tests start
# inherit the setting. Bits under the usual settings are compared by benchmarks/bits.py.
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
# On an older compiler its older emitters, a quarter of the time to compile; later ones do not know the flag, and are a
# tenth faster where they leave small programs in one piece. Each once, in processes that tests start too: the flags are
# part of a sweep's fingerprint.
os.environ["XLA_FLAGS"] = " ".join(
    dict.fromkeys(
        [
            *os.environ.get("XLA_FLAGS", "").split(),
            "--xla_force_host_platform_device_count=2",
            "--xla_cpu_use_fusion_emitters=false"
            if version("jaxlib").split(".")[:2] == ["0", "10"]
            else "--xla_cpu_parallel_codegen_split_count=1",
        ]
    )
)

import signal

# A shell starts what runs in the background with Ctrl-C ignored, and tests send it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import jax
import pytest
from contract_counts import pytest_addoption as pytest_addoption
from contract_counts import pytest_collection_modifyitems as pytest_collection_modifyitems
from contract_counts import pytest_configure as pytest_configure
from contract_counts import pytest_runtest_logreport as pytest_runtest_logreport
from contract_counts import pytest_sessionfinish as pytest_sessionfinish

from fnopt.sweep import compiled

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parent.parent / ".jax_cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@pytest.fixture
def x64():
    """float64 for the length of one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(autouse=True, scope="module")
def programs():
    """Forget compiled programs after a module where they fill the memory: a process may hold only so many."""
    yield
    if _resident() > 2**31:
        jax.clear_caches()
        compiled.forget()


def _resident() -> int:
    """Bytes that this process holds; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
