"""How programs are compiled that run once, for which compiling is what counts; and a count of all traces."""

from collections import Counter
from typing import Any

import jax
import jaxlib.version

# LLVM's passes, and on CPUs the newer of two code generators where there are two, cost them more than they give.
_OLDER = {"xla_cpu_use_fusion_emitters": False} if jaxlib.version.__version_info__ < (0, 11) else {}
ONCE: dict[str, Any] = {"xla_backend_optimization_level": 0, **_OLDER}


TRACES: Counter[str] = Counter()  # how often each program was traced, and so compiled, in this process


def compiled(lowered: Any, options: dict[str, Any]) -> Any:
    """A program compiled with these options; without, where the compiler does not know one of them."""
    try:
        return lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        if "No such compile option" not in str(error):
            raise
        return lowered.compile()
